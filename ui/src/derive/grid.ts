// Grid: the times at which rates and quantiles are drawn.
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
