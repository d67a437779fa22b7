// Coverage: which resolutions a drawing is made of, and up to when each.
//
//   Tracks (their stretches), Grid → [coverage] → format/resolution.ts → the badge on a card
//
// Must hold:
// V-1  Only what lies on the grid counts; a drawing of samples alone is an empty list.
// V-2  In order of time, one part for each resolution; its end is the latest of any series.
// V-3  Windows are always named. Samples at the end are not when they are less than SHARE_MIN of it all:
//      the newest hour has no windows yet, and saying so on every chart would say nothing.
// Proved by: coverage.test.ts.
import type { Resolution } from "../api/types.ts";
import { gridStart, type Grid } from "./grid.ts";
import type { Track } from "./track.ts";

export interface Part {
  readonly resolution: Resolution;
  readonly endMs: number;
  /** Whether the badge names it (V-3). */
  readonly named: boolean;
}

const SHARE_MIN = 0.05;

export function coverageOf(tracks: readonly Track[], grid: Grid): Part[] {
  const parts = new Map<Resolution, { startMs: number; endMs: number; ms: number }>();
  let allMs = 0;
  for (const { start, end, resolution } of tracks.flatMap((track) => track.stretches)) {
    const startMs = Math.max(start, gridStart(grid));
    const ms = Math.min(end, grid.nowMs) - startMs;
    if (ms <= 0) continue; // V-1
    const part = parts.get(resolution) ?? { startMs, endMs: end, ms: 0 };
    parts.set(resolution, { startMs: Math.min(part.startMs, startMs), endMs: Math.max(part.endMs, end), ms: part.ms + ms });
    allMs += ms;
  }
  if ([...parts.keys()].every((resolution) => resolution === "raw")) return [];
  return [...parts]
    .sort(([, a], [, b]) => a.endMs - b.endMs || a.startMs - b.startMs)
    .map(([resolution, { endMs, ms }]) => ({ resolution, endMs, named: resolution !== "raw" || ms >= SHARE_MIN * allMs }));
}
