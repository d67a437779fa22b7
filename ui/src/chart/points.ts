// Points: which samples get a dot because a line through them would be nothing to see.
//
// Must hold: a run (samples that one line joins) of at most RUN_POINTS_MAX samples, or narrower than
// RUN_PX_MIN, has all its dots; any other run has none. `undefined` does not end a run, `null` does.

const RUN_POINTS_MAX = 3;
const RUN_PX_MIN = 4;

/** Indices of the dots; `px` is where a column is on the screen. */
export function dotted(values: readonly (number | null | undefined)[], px: (index: number) => number): number[] {
  const dots: number[] = [];
  let run: number[] = [];
  const end = (): void => {
    const first = run[0];
    const last = run.at(-1);
    if (first === undefined || last === undefined) return;
    if (run.length <= RUN_POINTS_MAX || px(last) - px(first) < RUN_PX_MIN) dots.push(...run);
    run = [];
  };
  values.forEach((value, i) => {
    if (value === null) end();
    else if (value !== undefined) run.push(i);
  });
  end();
  return dots;
}
