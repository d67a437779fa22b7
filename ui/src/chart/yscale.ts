// Where the y axis begins, ends and has its ticks, and how far apart ticks of time are.
//
// Must hold: what must start at 0 does (rates: half a scale makes small changes look dramatic); a
// flat line is drawn in the middle, not on the edge; ticks of bytes are powers of two.
import type { Unit } from "../format/unit.ts";

/** A gauge whose spread is at least this share of its size is drawn from 0. */
const FROM_ZERO_SPREAD = 0.25;
const HEADROOM = 0.08;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Ticks of the time axis. uPlot's own jump from 1 to 5 minutes, which leaves a phone with a single one. */
export const TIME_STEPS_MS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND_MS),
  ...[1, 2, 3, 5, 10, 15, 20, 30].map((n) => n * MINUTE_MS),
  ...[1, 2, 3, 4, 6, 12].map((n) => n * HOUR_MS),
  ...[1, 2, 7, 14].map((n) => n * DAY_MS),
  // Months to uPlot, which puts these on their first days.
  ...[1, 2, 3, 6].map((n) => n * 30 * DAY_MS),
];

export function yRange(min: number | null, max: number | null, fromZero: boolean): [number, number] {
  if (min === null || max === null) return [0, 1];
  const low = fromZero || (min >= 0 && max - min >= FROM_ZERO_SPREAD * max) ? Math.min(0, min) : min;
  const spread = max - low;
  if (spread === 0) return flat(max);
  return [low === 0 ? 0 : low - HEADROOM * spread, max + HEADROOM * spread];
}

/** Tick distances that read well in the unit; undefined for uPlot's own. */
export function tickSteps(unit: Unit): number[] | undefined {
  switch (unit) {
    case "bytes":
    case "bytesPerSecond":
      return Array.from({ length: 50 }, (_, i) => 2 ** i);
    case "seconds":
    case "age":
      return [...decimals(-9, 0), 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400, 864_000];
    default:
      return undefined;
  }
}

function flat(value: number): [number, number] {
  if (value === 0) return [0, 1];
  return value > 0 ? [0, value * 2] : [value * 2, 0];
}

function decimals(from: number, to: number): number[] {
  const steps: number[] = [];
  for (let e = from; e < to; e += 1) for (const m of [1, 2, 5]) steps.push(Number(`${m}e${e}`));
  return steps;
}
