// Counters as increases and per-second rates on a grid.
//
//   Track (raw counter values) → [rate] → one number or null per bin of the grid
//
// Must hold:
// R-1  A fall of the value is a restart from 0: the new value counts as increase, nothing is negative.
// R-2  Nothing is invented: between two samples the increase is spread evenly, outside them it is
//      unknown, and across a gap (see gap.ts) it is unknown too. Over bins fully known, the increases
//      add up exactly to the increase of the counter.
// R-3  A bin known for at least half is its mean over the known part, and so is one beside it, where a line
//      begins or ends; any other bin is its increase over the whole bin, so that a job of four seconds is
//      still seen and is no spike. A bin that is still running is null until half of it is known, lest the line's end droops and jumps.
// R-4  Two samples are an increase, however close: a series known for less than half a bin in all has no
//      line that could droop, and is shown at once (a program of a millisecond ends before its bin does).
// Proved by: rate.test.ts, whose tests carry these numbers.
import { gapsOf } from "./gap.ts";
import type { Grid } from "./grid.ts";
import type { Track } from "./track.ts";

export interface BinIncrease {
  /** Increase over the known part of the bin. */
  readonly increase: number;
  readonly knownMs: number;
  /** The bin has not ended yet, or its end waits for the series' next push. */
  readonly running: boolean;
}

/** Per-second rate in each bin of the grid. */
export function rateOnGrid(track: Track, grid: Grid): (number | null)[] {
  const bins = increaseOnGrid(track, grid);
  const isKnown = (bin: BinIncrease | null | undefined): boolean => bin != null && isHalfKnown(bin, grid);
  return bins.map((bin, i) => {
    if (bin === null || isTooEarly(bin, grid)) return null;
    const spanMs = isKnown(bin) || isKnown(bins[i - 1]) || isKnown(bins[i + 1]) ? bin.knownMs : grid.stepMs;
    return bin.increase / (spanMs / 1000);
  });
}

/** nothing is said yet about a running bin of which less than half is known. */
export function isTooEarly(bin: BinIncrease, grid: Grid): boolean {
  return bin.running && !isHalfKnown(bin, grid);
}

/** What each bin saw of the counter; null where nothing is known. */
export function increaseOnGrid(track: Track, grid: Grid): (BinIncrease | null)[] {
  const { times, values } = track;
  const increases = grid.times.map(() => 0);
  const known = grid.times.map(() => 0);
  const gaps = gapsOf(track, grid.stepMs);
  const first = (grid.times[0] ?? 0) - grid.stepMs;
  for (let i = 1; i < times.length; i += 1) {
    const from = times[i - 1] as number;
    const to = times[i] as number;
    if (to <= first || gaps.before(i)) continue;
    const rise = (values[i] as number) - (values[i - 1] as number);
    const increase = rise >= 0 ? rise : (values[i] as number);
    spread(from, to, increase, first, grid.stepMs, increases, known);
  }
  const last = times.at(-1) ?? 0;
  const brief = last - (times[0] ?? 0) < grid.stepMs / 2;
  const pushing = last >= grid.nowMs - gaps.limitMs;
  return increases.map((increase, i) => {
    const knownMs = known[i] as number;
    const end = grid.times[i] as number;
    const running = !brief && (end > grid.nowMs || (pushing && end > last));
    return knownMs > 0 ? { increase, knownMs, running } : null;
  });
}

function isHalfKnown(bin: BinIncrease, grid: Grid): boolean {
  return bin.knownMs * 2 >= grid.stepMs;
}

/** Adds the share of (from, to] that falls into each bin. */
function spread(
  from: number,
  to: number,
  increase: number,
  gridStartMs: number,
  stepMs: number,
  increases: number[],
  known: number[],
): void {
  const firstBin = Math.max(0, Math.floor((from - gridStartMs) / stepMs));
  for (let bin = firstBin; bin < known.length; bin += 1) {
    const binStart = gridStartMs + bin * stepMs;
    if (binStart >= to) return;
    const overlap = Math.min(to, binStart + stepMs) - Math.max(from, binStart);
    if (overlap <= 0) continue;
    increases[bin] = (increases[bin] as number) + increase * (overlap / (to - from));
    known[bin] = (known[bin] as number) + overlap;
  }
}
