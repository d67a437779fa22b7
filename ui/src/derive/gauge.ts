// Gauges: drawn at the very times they were sampled, on one shared x axis.
//
//   Tracks → [gauge] → x times, one column per track
//
// Must hold:
// G-1  Every sample inside the window appears with its own time and value; none is invented.
// G-2  `undefined` = this series has no sample at this time (the line goes on);
//      `null` = a gap, see gap.ts (the line breaks). uPlot reads them so.
// G-3  A moment becomes its age at the sample's own time, below 0 for one to come. A moment of 0 means
//      "never" by custom, not 1970: it is no sample.
// Proved by: gauge.test.ts.
import { gapsOf } from "./gap.ts";
import { gridEnd, gridStart, type Grid } from "./grid.ts";
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

/** G-3: seconds since the epoch as seconds ago. */
export function agesOf(track: Track): Track {
  const known = track.times.map((_, i) => i).filter((i) => track.values[i] !== 0);
  return {
    ...track,
    times: known.map((i) => track.times[i] as number),
    // In whole ms, or the age of a round moment would carry the dust of a large subtraction.
    values: known.map((i) => Math.round((track.times[i] as number) - (track.values[i] as number) * 1000) / 1000),
  };
}

function withBreaks(track: Track, grid: Grid): Map<number, number | null> {
  const gaps = gapsOf(track, grid.stepMs);
  const row = new Map<number, number | null>();
  let before: number | null = null;
  track.times.forEach((t, i) => {
    if (t <= gridStart(grid) || t > gridEnd(grid)) return;
    if (before !== null && gaps.before(i)) row.set(before + 1, null);
    row.set(t, track.values[i] as number);
    before = t;
  });
  return row;
}
