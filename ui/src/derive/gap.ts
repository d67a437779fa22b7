// Gap: how long a series may be silent before its line breaks, and before it counts as ended.
//
//   Track (times, and what answered for which of them) → [gap] → rate, gauge, drawing
//
// Of a window only its first and last sample have a time of their own; what lies between is not known.
// So the silence inside a window says nothing, while the one between two windows is that of the series.
//
// Must hold:
// B-1  Samples as they were pushed: silence of more than three of the series' own push intervals (the
//      median of its distances) is a gap, but never of less than two bins, which may be empty by chance.
// B-2  Two points of one window have no gap between them, however wide the window and narrow the bins.
// B-3  The push interval of a series with windows is read from its newest samples, or else between windows.
//      Points of several windows may have been thinned into one of the server's buckets, whose inside is
//      wide; hence the lower quartile instead of the median.
// B-4  Without such samples, silence of END_WINDOWS windows is an end, whatever the distances say.
// B-5  A bin of WINDOWS_PER_BIN windows or more is not empty by chance, and wider than two of those buckets:
//      silence longer than it is a gap.
// Proved by: gap.test.ts.
import type { Resolution } from "../api/types.ts";
import type { Track } from "./track.ts";

export const WINDOW_MS: Readonly<Record<Resolution, number>> = { raw: 0, "5m": 300_000, "1h": 3_600_000 };

const MISSED_PUSHES = 3;
/** So many windows of the server fit into a bin where a chart asks for windows. */
export const WINDOWS_PER_BIN = 6;
const END_WINDOWS = 2;
/** Fewer distances say nothing. */
const DISTANCES_MIN = 3;
/** A series that pushed once or twice and then never has ended after this long, however wide the bins. */
const ENDED_MS_MIN = 60_000;

export interface Gaps {
  /** The longest silence still drawn as a line, in ms. */
  readonly limitMs: number;
  /** Whether the line breaks between sample `i - 1` and sample `i`. */
  before(i: number): boolean;
}

export function gapsOf(track: Track, stepMs: number): Gaps {
  const { times } = track;
  const widestMs = widestWindow(track);
  const usual = sampledDistance(track) ?? pushDistance(track);
  const manyWindows = widestMs > 0 && stepMs >= WINDOWS_PER_BIN * widestMs;
  // B-5: what is no wider than a bin may be a bucket's inside.
  const limitMs = manyWindows && usual <= stepMs ? stepMs : Math.max(MISSED_PUSHES * usual, 2 * stepMs);
  const sameWindow = windowFinder(track);
  return {
    limitMs,
    before: (i) => (times[i] as number) - (times[i - 1] as number) > limitMs && !sameWindow(i),
  };
}

/** Whether the series is still pushed: what it said last may be called its value. */
export function isAlive(track: Track, nowMs: number): boolean {
  const last = track.times.at(-1);
  return last !== undefined && nowMs - last <= Math.max(silenceMax(track), ENDED_MS_MIN);
}

function silenceMax(track: Track): number {
  const sampled = sampledDistance(track);
  if (sampled !== null) return MISSED_PUSHES * sampled;
  const usual = MISSED_PUSHES * pushDistance(track);
  const widestMs = widestWindow(track);
  return widestMs > 0 ? Math.min(usual, END_WINDOWS * widestMs) : usual; // B-4
}

/** B-3: the push interval in the newest samples of a series with windows; null when they say nothing. */
function sampledDistance(track: Track): number | null {
  const raw = track.stretches.findLast(({ resolution }) => resolution === "raw");
  if (raw === undefined || widestWindow(track) === 0) return null;
  const times = track.times.filter((t) => t >= raw.start && t <= raw.end);
  return times.length > DISTANCES_MIN ? pushDistance({ ...track, times, stretches: [] }) : null;
}

/** The usual distance between two pushes, 0 when there are no two. */
function pushDistance(track: Track): number {
  const { times } = track;
  const windowed = widestWindow(track) > 0;
  const sameWindow = windowFinder(track);
  const distances: number[] = [];
  for (let i = 1; i < times.length; i += 1) {
    if (!windowed || !sameWindow(i)) distances.push((times[i] as number) - (times[i - 1] as number));
  }
  distances.sort((a, b) => a - b);
  return distances[(distances.length - 1) >> (windowed ? 2 : 1)] ?? 0; // B-3
}

/** 0 when everything is samples. */
function widestWindow({ stretches }: Track): number {
  return Math.max(0, ...stretches.map(({ resolution }) => WINDOW_MS[resolution]));
}

/** Whether samples `i - 1` and `i` are of one window. */
function windowFinder({ times, stretches }: Track): (i: number) => boolean {
  if (stretches.every(({ resolution }) => resolution === "raw")) return () => false;
  return (i) => {
    const from = times[i - 1] as number;
    const to = times[i] as number;
    const stretch = stretches.find(({ start, end }) => start <= from && to <= end);
    const widthMs = stretch === undefined ? 0 : WINDOW_MS[stretch.resolution];
    return widthMs > 0 && Math.floor(from / widthMs) === Math.floor(to / widthMs);
  };
}
