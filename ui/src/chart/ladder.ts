// Ladder: the y scale of histograms, on which every bucket is one rung of equal height.
//
// Buckets grow geometrically; on a linear scale the fast ones, where most requests are, would be a
// pixel high. Inside a rung positions are linear, which is also how quantiles are interpolated.
//
// Must hold: `position` and `value` are inverse to each other inside the ladder and clamp outside;
// only rungs that hold something are kept (with one free rung each side), so heat fills the card.
import type { Heat } from "../derive/drawing.ts";

export interface Ladder {
  /** Rung edges ascending, finite; rung i is edges[i]..edges[i+1]. */
  readonly edges: readonly number[];
  /** Index into the heat's buckets of the first rung. */
  readonly firstBucket: number;
  /** Whether the top rung is the +Inf bucket, whose upper edge is only drawn. */
  readonly openTop: boolean;
}

export function ladderFor(heat: Heat): Ladder {
  const { bounds } = heat;
  const used = bounds.map((_, bucket) => heat.cells.some((cells) => (cells?.[bucket] ?? 0) > 0));
  const lastBucket = bounds.length - 1;
  const first = Math.max(0, (used.includes(true) ? used.indexOf(true) : 0) - 1);
  const last = Math.min(lastBucket, (used.includes(true) ? used.lastIndexOf(true) : lastBucket) + 1);
  const top = bounds[last] === Number.POSITIVE_INFINITY && !used[last] ? Math.max(first, last - 1) : last;
  const edges = [lowerEdge(bounds, first)];
  for (let bucket = first; bucket <= top; bucket += 1) edges.push(upperEdge(bounds, bucket));
  return { edges, firstBucket: first, openTop: bounds[top] === Number.POSITIVE_INFINITY };
}

/** Where `value` is on the ladder, in rungs from the bottom. */
export function position(ladder: Ladder, value: number): number {
  const { edges } = ladder;
  if (!(value > (edges[0] as number))) return 0;
  for (let i = 1; i < edges.length; i += 1) {
    const upper = edges[i] as number;
    if (value > upper) continue;
    const lower = edges[i - 1] as number;
    return i - 1 + (value - lower) / (upper - lower);
  }
  return edges.length - 1;
}

export function valueAt(ladder: Ladder, rung: number): number {
  const { edges } = ladder;
  const last = edges.length - 2;
  const i = Math.min(Math.max(Math.floor(rung), 0), Math.max(last, 0));
  const lower = edges[i] ?? 0;
  const upper = edges[i + 1] ?? lower;
  return lower + (upper - lower) * Math.min(Math.max(rung - i, 0), 1);
}

/** At most `max` edges as axis ticks, evenly spread over the rungs, the bottom one always. */
export function ladderTicks(ladder: Ladder, max: number): number[] {
  const shown = ladder.openTop ? ladder.edges.slice(0, -1) : [...ladder.edges];
  const every = Math.max(1, Math.ceil(shown.length / Math.max(1, max)));
  return shown.filter((_, i) => i % every === 0);
}

function lowerEdge(bounds: readonly number[], bucket: number): number {
  if (bucket > 0) return bounds[bucket - 1] as number;
  const bound = bounds[0] ?? 1;
  if (bound === Number.POSITIVE_INFINITY) return 0;
  return bound > 0 ? 0 : bound - Math.max(1, Math.abs(bound));
}

function upperEdge(bounds: readonly number[], bucket: number): number {
  const bound = bounds[bucket] as number;
  if (bound !== Number.POSITIVE_INFINITY) return bound;
  const below = bounds[bucket - 1] ?? 0;
  return below + Math.max(Math.abs(below), 1e-9);
}
