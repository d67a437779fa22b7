// Names for lines: only what tells them apart.
//
// Must hold: two different lines of a card never get the same text.
import type { Labels } from "../api/types.ts";
import { differingLabels } from "../derive/pick.ts";

/** One text per entry: the differing labels' values, with their names when there are several. */
export function lineLabels(all: readonly Labels[], alone: string): string[] {
  const names = differingLabels(all);
  if (names.length === 0) return all.map(() => alone);
  const texts = all.map((labels) => names.map((name) => labels[name] || `no ${name}`).join(" · "));
  if (new Set(texts).size === texts.length) return texts;
  return all.map((labels) => names.map((name) => `${name}=${JSON.stringify(labels[name] ?? null)}`).join(" "));
}

/** `{endpoint="/a", status="200"}`, for titles and tables. */
export function fullLabels(labels: Labels): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ")}}`;
}
