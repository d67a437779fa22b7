// Grid: the times at which rates and quantiles are drawn, and what counts as a gap.
//
// Must hold: grid times are multiples of the step since the epoch, so a refresh moves the window but
// never the bins (lines do not shimmer); a bin is named by its end and covers (end − step, end].

export interface Grid {
  readonly stepMs: number;
  /** Now: the last bin may end after it. */
  readonly nowMs: number;
  /** Ends of the bins, ascending. */
  readonly times: readonly number[];
}

/** Bins that cover everything from `startMs` to now. */
export function gridFrom(startMs: number, nowMs: number, stepMs: number): Grid {
  const first = Math.floor(startMs / stepMs) + 1;
  const last = Math.max(first, Math.ceil(nowMs / stepMs));
  const times = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * stepMs);
  return { stepMs, nowMs, times };
}

/** Left edge of the window: where the first bin begins. */
export function gridStart(grid: Grid): number {
  return (grid.times[0] ?? grid.nowMs) - grid.stepMs;
}

export function gridEnd(grid: Grid): number {
  return grid.times.at(-1) ?? grid.nowMs;
}

/** A series that misses this many of its own pushes in a row has a gap. */
const MISSED_PUSHES = 3;

/**
 * The longest silence still drawn as a line, in ms: three of the series' own push intervals (the
 * median of its distances), and never less than two bins, below which a bin may be empty by chance.
 */
export function gapLimit(times: readonly number[], stepMs: number): number {
  return Math.max(MISSED_PUSHES * usualDistance(times), 2 * stepMs);
}

/** A series that pushed once or twice and then never has ended after this long, however wide the bins. */
const ENDED_MS_MIN = 60_000;

/** Whether the series is still pushed: what it said last may be called its value. */
export function isAlive(times: readonly number[], nowMs: number): boolean {
  const last = times.at(-1);
  return last !== undefined && nowMs - last <= Math.max(MISSED_PUSHES * usualDistance(times), ENDED_MS_MIN);
}

/** The median distance between two samples, 0 when there are no two. */
function usualDistance(times: readonly number[]): number {
  const distances: number[] = [];
  for (let i = 1; i < times.length; i += 1) distances.push((times[i] as number) - (times[i - 1] as number));
  distances.sort((a, b) => a - b);
  return distances[(distances.length - 1) >> 1] ?? 0;
}
