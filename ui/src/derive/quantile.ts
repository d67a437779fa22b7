// Classic histograms: buckets that count up to `le`, turned into quantiles and heat over time.
//
//   Tracks of x_bucket → [quantile] → HistogramBins → quantile lines, heat cells
//
// Must hold:
// Q-1  Quantiles are Prometheus' `histogram_quantile`: linear inside the bucket, 0 as the first
//      bucket's lower edge when its bound is positive, the highest finite bound when the rank falls
//      into +Inf, null when nothing was counted.
// Q-2  Counts that are not monotone over `le` (samples taken apart in time) are raised to the
//      count before them, as Prometheus does.
// Q-3  A bin where no series is known is null; a bin known but without observations has total 0.
// Proved by: quantile.test.ts.
import type { Grid } from "./grid.ts";
import { increaseOnGrid, isTooEarly } from "./rate.ts";
import type { Track } from "./track.ts";

export interface HistogramBins {
  /** Upper bounds ascending; the last is +Infinity when the histogram has one. */
  readonly bounds: readonly number[];
  /** Per bin the cumulative counts by bound, or null where nothing is known. */
  readonly cumulative: readonly (readonly number[] | null)[];
}

/** Adds up all series by `le` and takes what each bin added. */
export function histogramOnGrid(tracks: readonly Track[], grid: Grid): HistogramBins {
  const byBound = new Map<number, Track[]>();
  for (const track of tracks) {
    const bound = parseBound(track.labels["le"]);
    if (bound === null) continue;
    byBound.set(bound, [...(byBound.get(bound) ?? []), track]);
  }
  const bounds = [...byBound.keys()].sort((a, b) => a - b);
  const columns = bounds.map((bound) => addUp(byBound.get(bound) ?? [], grid));
  const cumulative = grid.times.map((_, bin) => {
    const counts = columns.map((column) => column[bin] ?? null);
    if (counts.every((count) => count === null)) return null;
    let floor = 0;
    return counts.map((count) => (floor = Math.max(floor, count ?? 0)));
  });
  return { bounds, cumulative };
}

/** `cumulative` must be monotone and as long as `bounds`. */
export function bucketQuantile(q: number, bounds: readonly number[], cumulative: readonly number[]): number | null {
  const last = bounds.length - 1;
  const total = cumulative[last];
  if (total === undefined || !(total > 0)) return null;
  const rank = q * total;
  let bucket = cumulative.findIndex((count) => count >= rank);
  if (bucket < 0) bucket = last;
  const upper = bounds[bucket] as number;
  if (upper === Number.POSITIVE_INFINITY) return bucket > 0 ? (bounds[bucket - 1] as number) : null;
  if (bucket === 0 && upper <= 0) return upper;
  const lower = bucket > 0 ? (bounds[bucket - 1] as number) : 0;
  const below = bucket > 0 ? (cumulative[bucket - 1] as number) : 0;
  const inside = (cumulative[bucket] as number) - below;
  return inside > 0 ? lower + (upper - lower) * ((rank - below) / inside) : lower;
}

export function quantileLine(q: number, bins: HistogramBins): (number | null)[] {
  return bins.cumulative.map((counts) => (counts === null ? null : bucketQuantile(q, bins.bounds, counts)));
}

/** Observations per bin and bucket, no longer cumulative: `cells[bin][bucket]`. */
export function heatCells(bins: HistogramBins): (readonly number[] | null)[] {
  return bins.cumulative.map(
    (counts) => counts?.map((count, i) => count - (i > 0 ? (counts[i - 1] as number) : 0)) ?? null,
  );
}

/** `le` as Prometheus and Rust write it: "0.5", "1e-05", "+Inf", "inf". */
export function parseBound(le: string | undefined): number | null {
  if (le === undefined || le.trim() === "") return null;
  if (/^\+?inf(inity)?$/i.test(le)) return Number.POSITIVE_INFINITY;
  const bound = Number(le);
  return Number.isFinite(bound) ? bound : null;
}

function addUp(tracks: readonly Track[], grid: Grid): (number | null)[] {
  const sums: (number | null)[] = grid.times.map(() => null);
  for (const track of tracks) {
    increaseOnGrid(track, grid).forEach((bin, i) => {
      if (bin === null || isTooEarly(bin, grid)) return;
      sums[i] = (sums[i] ?? 0) + bin.increase;
    });
  }
  return sums;
}
