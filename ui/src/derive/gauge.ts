// Gauges: drawn at the very times they were sampled, on one shared x axis.
//
//   Tracks → [gauge] → x times, one column per track
//
// Must hold:
// G-1  Every sample inside the window appears with its own time and value; none is invented.
// G-2  `undefined` = this series has no sample at this time (the line goes on);
//      `null` = silence longer than the gap limit (the line breaks). uPlot reads them so.
// Proved by: gauge.test.ts.
import { gapLimit, gridEnd, gridStart, type Grid } from "./grid.ts";
import type { Value } from "./pick.ts";
import type { Track } from "./track.ts";

export interface Columns {
  readonly times: readonly number[];
  readonly columns: readonly (readonly Value[])[];
}

export function gaugeColumns(tracks: readonly Track[], grid: Grid): Columns {
  const rows = tracks.map((track) => withBreaks(track, grid));
  const times = [...new Set(rows.flatMap((row) => [...row.keys()]))].sort((a, b) => a - b);
  return { times, columns: rows.map((row) => times.map((t) => row.get(t))) };
}

function withBreaks(track: Track, grid: Grid): Map<number, number | null> {
  const gapMs = gapLimit(track.times, grid.stepMs);
  const row = new Map<number, number | null>();
  let before: number | null = null;
  track.times.forEach((t, i) => {
    if (t <= gridStart(grid) || t > gridEnd(grid)) return;
    if (before !== null && t - before > gapMs) row.set(before + 1, null);
    row.set(t, track.values[i] as number);
    before = t;
  });
  return row;
}
