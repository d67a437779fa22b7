// Resolution in words: the badge of a chart that shows windows, and the sentence behind it.
import type { Resolution } from "../api/types.ts";
import type { Part } from "../derive/coverage.ts";
import { moment } from "./time.ts";

const SHORT: Readonly<Record<Resolution, string>> = { raw: "raw", "5m": "5 min", "1h": "1 h" };

/** `5 min windows`, or `1 h → raw` where one gives way to the other; null for samples alone. */
export function windowsBadge(parts: readonly Part[]): string | null {
  const named = parts.filter((part) => part.named);
  const [first] = named;
  if (first === undefined) return null;
  if (named.length === 1) return `${SHORT[first.resolution]} windows`;
  return named.map(({ resolution }) => SHORT[resolution]).join(" → ");
}

/** One sentence: what a point stands for, from when to when. */
export function windowsTitle(parts: readonly Part[]): string {
  const minute = (part: Part | undefined): string | null => (part === undefined ? null : moment(part.startMs).slice(0, -3));
  // Less than a minute of something is not worth its words.
  const told = parts.filter((part, i) => minute(part) !== minute(parts[i + 1]));
  const texts = told.map(({ resolution }, i) => {
    const what = resolution === "raw" ? "samples as they were pushed" : `what is kept of windows of ${SHORT[resolution]}`;
    const until = minute(told[i + 1]);
    return until === null ? what : `${what} until ${until}`;
  });
  const sentence = texts.join(", then ");
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}
