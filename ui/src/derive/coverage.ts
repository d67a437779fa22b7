// Coverage: which resolutions a drawing is made of, and from when on each.
//
//   Tracks (their stretches), Grid → [coverage] → format/resolution.ts → the badge on a card
//
// Must hold:
// V-1  Only what lies on the grid counts; a drawing of samples alone is an empty list.
// V-2  In order of time, one part for each resolution; it begins where it does first in any series (a series
//      that has ended is answered by its windows up to now).
// V-3  The badge names what is at least SHARE_MIN of it all: the newest hour has no windows yet, and saying so
//      on every chart would say nothing. The coarsest is named in any case.
// Proved by: coverage.test.ts.
import type { Resolution } from "../api/types.ts";
import { gridStart, type Grid } from "./grid.ts";
import type { Track } from "./track.ts";

export interface Part {
  readonly resolution: Resolution;
  readonly startMs: number;
  /** Whether the badge names it (V-3). */
  readonly named: boolean;
}

const SHARE_MIN = 0.05;
const COARSEST_FIRST: readonly Resolution[] = ["1h", "5m", "raw"];

export function coverageOf(tracks: readonly Track[], grid: Grid): Part[] {
  const parts = new Map<Resolution, { startMs: number; ms: number }>();
  let allMs = 0;
  for (const { start, end, resolution } of tracks.flatMap((track) => track.stretches)) {
    const startMs = Math.max(start, gridStart(grid));
    const ms = Math.min(end, grid.nowMs) - startMs;
    if (ms <= 0) continue; // V-1
    const part = parts.get(resolution) ?? { startMs, ms: 0 };
    parts.set(resolution, { startMs: Math.min(part.startMs, startMs), ms: part.ms + ms });
    allMs += ms;
  }
  const coarsest = COARSEST_FIRST.find((resolution) => parts.has(resolution)) ?? "raw";
  if (coarsest === "raw") return [];
  return COARSEST_FIRST.flatMap((resolution) => {
    const part = parts.get(resolution);
    if (part === undefined) return [];
    return [{ resolution, startMs: part.startMs, named: resolution === coarsest || part.ms >= SHARE_MIN * allMs }];
  }).sort((a, b) => a.startMs - b.startMs);
}
