// Window: the stretch of time the charts show, and how wide their bins are.
//
//   chosen range, oldest sample of the store, now → [window] → derive/grid.ts → every card
//
// A store that is a minute old would be a sliver at the right edge of an empty hour. So:
//
// W-1  Data as old as the range, or of unknown age: the window is the range with the range's own bins.
// W-2  Younger data: it begins a little before the oldest sample, and is never shorter than WINDOW_MS_MIN.
//      That minimum is added on the left: now is always the right edge.
// W-3  While data grow, neither edge ever moves left, and the left one rests from WINDOW_MS_MIN on until the
//      range is full: a refresh only adds on the right. Edges lie on ALIGN_MS, so nothing shimmers.
// W-4  Bins are the finest step that gives at most BINS_MAX of them; never coarser than the range's
//      own, so that the last step from W-2 to W-1 changes nothing but what leaves on the left.
// W-5  A card whose series are pushed less often than that gets bins no finer than a push (`stepFor`): a
//      rate is known once per push, and finer bins would draw it as stairs.
// W-6  From bins of half an hour on the server's windows are asked for, the widest of which at least
//      WINDOWS_PER_BIN fit into a bin: a rate needs the ends of several, and samples would be a thousand times
//      as many. The server thins what it has to as many points as were asked for, four of them per bucket of
//      a counter, so there are enough for buckets narrower than bins.
// Proved by: window.test.ts.
import { WINDOW_MS, WINDOWS_PER_BIN } from "./gap.ts";
import type { Track } from "./track.ts";

export interface Span {
  readonly rangeMs: number;
  readonly stepMs: number;
}

export interface TimeWindow {
  readonly startMs: number;
  readonly nowMs: number;
  readonly stepMs: number;
  /** Whether it begins with the data instead of with the range. */
  readonly young: boolean;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** The default push interval; finer bins would be empty by turns. */
const ALIGN_MS = 5 * SECOND_MS;
const WINDOW_MS_MIN = 5 * MINUTE_MS;
/** 5 s bins up to 20 minutes, 10 s up to 40, then the hour's own 15 s. */
const BINS_MAX = 240;
const STEPS_MS = [5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200].map((s) => s * SECOND_MS);

export function windowFor(nowMs: number, { rangeMs, stepMs }: Span, oldestMs: number | null): TimeWindow {
  const endMs = Math.ceil(nowMs / ALIGN_MS) * ALIGN_MS;
  if (oldestMs === null || oldestMs < endMs - rangeMs) {
    const last = Math.ceil(nowMs / stepMs) * stepMs;
    return { startMs: last - rangeMs, nowMs, stepMs, young: false };
  }
  const startMs = Math.min(beforeOldest(oldestMs), endMs - WINDOW_MS_MIN);
  const wanted = (endMs - startMs) / BINS_MAX;
  const fitting = STEPS_MS.find((step) => step >= wanted) ?? stepMs;
  return { startMs, nowMs, stepMs: Math.min(fitting, stepMs), young: true };
}

/** Fewer bins than this are a refresh. */
const BINS_WHOLE = 24;
const POINTS_PER_PIXEL = 2;
const POINTS_MIN = 600;
const POINTS_MAX = 2_000;

/** W-6: how many points to ask for in `spanMs`. The server takes windows no wider than the distance of two. */
export function pointsFor(spanMs: number, stepMs: number, widthPx: number): number {
  const widthMs = windowWidth(stepMs);
  const byScreen = Math.max(POINTS_MIN, Math.round(POINTS_PER_PIXEL * widthPx));
  // A refresh of the newest minutes is shorter than any number of windows.
  const whole = widthMs > 0 && spanMs > BINS_WHOLE * stepMs;
  return Math.min(POINTS_MAX, whole ? Math.floor(spanMs / widthMs) : byScreen);
}

export function asksForWindows(stepMs: number): boolean {
  return windowWidth(stepMs) > 0;
}

function windowWidth(stepMs: number): number {
  return [WINDOW_MS["1h"], WINDOW_MS["5m"]].find((ms) => WINDOWS_PER_BIN * ms <= stepMs) ?? 0;
}

/** W-5: the window's step, or the first coarser one that a push of these series fits into. */
export function stepFor(tracks: readonly Track[], window: TimeWindow, coarsestMs: number): number {
  if (!window.young) return window.stepMs;
  const pushMs = pushInterval(tracks);
  if (pushMs * JITTER <= window.stepMs) return window.stepMs;
  const fitting = STEPS_MS.find((step) => step > window.stepMs && step >= pushMs * JITTER);
  return Math.max(window.stepMs, Math.min(fitting ?? coarsestMs, coarsestMs));
}

/** The window's left edge for data that begin at `oldestMs`, at least half an ALIGN_MS before them. */
function beforeOldest(oldestMs: number): number {
  return Math.floor((oldestMs - ALIGN_MS / 2) / ALIGN_MS) * ALIGN_MS;
}

/** A push that is a bit late must not double the bins. */
const JITTER = 0.8;
/** Fewer distances say nothing: the first push comes when it likes. */
const DISTANCES_MIN = 3;

/** The series' usual distance between two samples: the median of their medians; 0 when not known yet. */
function pushInterval(tracks: readonly Track[]): number {
  const medians = tracks.flatMap(({ times }) => {
    const distances = times.slice(1).map((t, i) => t - (times[i] as number));
    return distances.length < DISTANCES_MIN ? [] : [median(distances)];
  });
  return medians.length === 0 ? 0 : median(medians);
}

function median(numbers: number[]): number {
  const sorted = numbers.sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] as number;
}
