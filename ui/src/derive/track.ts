// Track: one series' samples as two columns, the form every derivation reads.
//
//   api RangeSeries → [track] → rate | quantile | pick → drawing → chart
//
// Must hold: times ascend strictly; labels carry no `__name__`; `key` is equal exactly when name and
// labels are equal, whatever order the labels came in; tracks sort by it, so ties are never random;
// stretches ascend without overlap, and two that follow each other differ in their resolution.
import type { Labels, RangeSeries, Stretch } from "../api/types.ts";

export interface Track {
  readonly name: string;
  readonly labels: Labels;
  readonly key: string;
  readonly times: readonly number[];
  readonly values: readonly number[];
  /** What the samples are: as they were pushed, or what is kept of windows. */
  readonly stretches: readonly Stretch[];
}

export function toTrack(series: RangeSeries): Track {
  const labels: Record<string, string> = { ...series.labels };
  delete labels["__name__"];
  return {
    name: series.metric,
    labels,
    key: seriesKey(series.metric, labels),
    times: series.points.map((p) => p.t),
    values: series.points.map((p) => p.v),
    stretches: series.stretches,
  };
}

/** JSON keeps names and values apart whatever characters they hold. */
export function seriesKey(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify([name, pairs]);
}

/**
 * Puts a newer answer behind an older one: from its first time on, the newer answer counts.
 * Samples before `startMs` are dropped, except the last one, which the first rate needs; a series
 * that ended before it is dropped whole.
 */
export function mergeTracks(
  old: readonly Track[],
  fresh: readonly Track[],
  freshStartMs: number,
  startMs: number,
): Track[] {
  const freshByKey = new Map(fresh.map((track) => [track.key, track]));
  const known = new Set(old.map((track) => track.key));
  const merged = old.map((track) => {
    const tail = freshByKey.get(track.key);
    const from = firstAtOrAfter(track.times, startMs) - 1;
    const to = firstAtOrAfter(track.times, freshStartMs);
    return {
      ...track,
      times: [...track.times.slice(Math.max(0, from), to), ...(tail?.times ?? [])],
      values: [...track.values.slice(Math.max(0, from), to), ...(tail?.values ?? [])],
      stretches: joined([...cut(track.stretches, startMs, freshStartMs), ...(tail?.stretches ?? [])]),
    };
  });
  const all = [...merged, ...fresh.filter((track) => !known.has(track.key))];
  return all.filter((track) => (track.times.at(-1) ?? 0) >= startMs);
}

/** What of `stretches` lies in `startMs`..`endMs`, the end not included. */
function cut(stretches: readonly Stretch[], startMs: number, endMs: number): Stretch[] {
  return stretches
    .filter((stretch) => stretch.end >= startMs && stretch.start < endMs)
    .map((stretch) => ({ ...stretch, end: Math.min(stretch.end, endMs - 1) }));
}

/** Each refresh brings a stretch; an hour of them is one. */
function joined(stretches: readonly Stretch[]): Stretch[] {
  const all: Stretch[] = [];
  for (const stretch of stretches) {
    const last = all.at(-1);
    if (last?.resolution === stretch.resolution) all[all.length - 1] = { ...last, end: stretch.end };
    else all.push(stretch);
  }
  return all;
}

/** Index of the first time ≥ `t` (binary search). */
export function firstAtOrAfter(times: readonly number[], t: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}
