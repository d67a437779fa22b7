// Values under the cursor and in the headline, from the very columns that are drawn.
//
// Must hold: at the cursor the nearest sample of a line counts, as long as the line is drawn there or ends
// nearby; in a gap there is no value. Without a cursor the newest known value counts, and nothing of a
// series that has ended is passed off as current: a rate has no value then, a gauge its last one.
import type { DrawingData, DrawnLine, Newest } from "../../derive/drawing.ts";
import { gridEnd, gridStart } from "../../derive/grid.ts";
import type { Value } from "../../derive/pick.ts";
import { firstAtOrAfter } from "../../derive/track.ts";
import { formatValue } from "../../format/number.ts";
import { clock, dateTime, moment } from "../../format/time.ts";
import type { Drawn } from "../../state/feed.ts";

/** A line's end this many bins away from the cursor is still read. */
const NEAR_BINS = 2;

export function newestValue(values: readonly Value[]): number | null {
  return values.findLast((value) => typeof value === "number") ?? null;
}

export function valueAtTime(
  times: readonly number[],
  values: readonly Value[],
  timeMs: number,
  stepMs: number,
): number | null {
  const split = firstAtOrAfter(times, timeMs);
  let left = split - 1;
  while (left >= 0 && values[left] === undefined) left -= 1;
  let right = split;
  while (right < values.length && values[right] === undefined) right += 1;
  const distance = (i: number): number =>
    typeof values[i] === "number" ? Math.abs((times[i] as number) - timeMs) : Number.POSITIVE_INFINITY;
  const [near, far] = distance(left) <= distance(right) ? [left, right] : [right, left];
  const connected = distance(far) < Number.POSITIVE_INFINITY;
  return connected || distance(near) <= NEAR_BINS * stepMs ? (values[near] ?? null) : null;
}

/** `timeMs` null: the newest value; nothing happens any more in a counter that has ended. */
export function textAt({ data, grid }: Pick<Drawn, "data" | "grid">, line: DrawnLine, timeMs: number | null): string {
  if (timeMs === null && !line.alive && data.fromZero) return "–";
  const value = timeMs === null ? newestValue(line.values) : valueAtTime(data.times, line.values, timeMs, grid.stepMs);
  return value === null ? "–" : formatValue(value, data.unit);
}

export interface Headline {
  readonly value: string;
  readonly of: string;
  /** The moment itself, when the value is its age. */
  readonly date?: string;
  /** Why it is not a value of now: `ended 04:52:53`. */
  readonly ended?: string;
}

/** The one number that says most, or null when there is none. */
export function headline(data: DrawingData, nowMs: number): Headline | null {
  if (data.lines.length > 0 && data.lines.every((line) => !line.alive)) return endedHeadline(data, nowMs);
  const known = data.lines.map((line) => newestValue(line.values));
  if (data.heat !== null) {
    const p90 = known[1] ?? null;
    return p90 === null ? null : { value: formatValue(p90, data.unit), of: "p90" };
  }
  const living = known.filter((value, i) => value !== null && data.lines[i]?.alive === true) as number[];
  if (data.more > 0 || living.length === 0) return null;
  if (living.length === 1) {
    const head = { value: formatValue(living[0] as number, data.unit), of: "" };
    const at = data.lines.find((line) => line.alive && newestValue(line.values) !== null);
    const date = at && momentOf(data, at.values, at.values.findLastIndex((value) => typeof value === "number"));
    return date ? { ...head, date } : head;
  }
  // Only rates may be added up: the sum of two temperatures says nothing.
  if (!data.fromZero) return null;
  return { value: formatValue(living.reduce((a, b) => a + b, 0), data.unit), of: "total" };
}

/** A single gauge's last value and its age; of anything else only when it ended. */
function endedHeadline(data: DrawingData, nowMs: number): Headline {
  const lastMs = Math.max(...data.lines.map((line) => line.lastMs));
  const ended = endedAt(lastMs, nowMs);
  const last = data.lines.length === 1 && data.more === 0 ? newestValue(data.lines[0]?.values ?? []) : null;
  if (last === null || data.fromZero || data.unit === "age") return { value: "", of: ended, ended };
  const ago = formatValue((nowMs - lastMs) / 1000, "age");
  return { value: formatValue(last, data.unit), of: `last, ${ago}`, ended };
}

/** `ended 04:52`, with the day when that is not today's. */
export function endedAt(lastMs: number, nowMs: number): string {
  const sameDay = moment(lastMs).split(",")[0] === moment(nowMs).split(",")[0];
  return `ended ${(sameDay ? clock(lastMs) : moment(lastMs)).slice(0, -3)}`;
}

/** What a card says that has samples and nothing to draw. */
export function notDrawn({ data, grid }: Pick<Drawn, "data" | "grid">, newest: Newest, window: string): { title: string; text: string } {
  const value = formatValue(newest.v, "none");
  if (data.unit === "age") return { title: "Never", text: `it has not happened yet, ${moment(newest.t)}` };
  if (newest.t <= gridStart(grid)) return { title: "No samples", text: `${window}; the last was at ${moment(newest.t)}` };
  if (data.heat !== null) {
    if (newest.samples > 1) return { title: "No observations", text: window };
    return { title: `total ${value}`, text: `observations in one sample, at ${moment(newest.t)}; quantiles need a second one` };
  }
  if (newest.samples > 1) return { title: `total ${value}`, text: `at ${moment(newest.t)}; no rate known, ${window}` };
  return { title: `total ${value}`, text: `one sample, at ${moment(newest.t)}; a rate needs a second one` };
}

/** The date behind an age; null for other units and where nothing is known. */
export function momentOf(data: Pick<DrawingData, "unit" | "times">, values: readonly Value[], index: number): string | null {
  const age = values[index];
  const time = data.times[index];
  if (data.unit !== "age" || typeof age !== "number" || time === undefined) return null;
  return dateTime(time - age * 1000);
}

/** What the window is called: the range, or how much of it there is. */
export function windowTitle({ young, range, grid }: Pick<Drawn, "young" | "range" | "grid">): string {
  if (!young) return range.title.toLowerCase();
  const minutes = Math.round((gridEnd(grid) - gridStart(grid)) / 60_000);
  return `last ${formatValue(minutes * 60, "seconds")}`;
}

/** Smallest, mean and largest of what is drawn. */
export function spread(values: readonly Value[]): { min: number; mean: number; max: number } | null {
  const known = values.filter((value) => typeof value === "number");
  if (known.length === 0) return null;
  const sum = known.reduce((a, b) => a + b, 0);
  return { min: known.reduce((a, b) => Math.min(a, b)), mean: sum / known.length, max: known.reduce((a, b) => Math.max(a, b)) };
}

/** Observations in one bin of a histogram (a share of them where a push covers several bins), null for what is no histogram or not known. */
export function observations(data: DrawingData, index: number): number | null {
  return data.heat?.cells[index]?.reduce((a, b) => a + b, 0) ?? null;
}

/** One sentence for a screen reader. */
export function spoken(drawn: Pick<Drawn, "data" | "grid">, timeMs: number | null): string {
  const values = drawn.data.lines.map((line) => `${line.label} ${textAt(drawn, line, timeMs)}`).join(", ");
  if (timeMs !== null) return `${moment(timeMs)}: ${values}`;
  const { ended } = headline(drawn.data, drawn.grid.nowMs) ?? {};
  return ended === undefined ? `latest: ${values}` : `${ended}: ${values}`;
}
