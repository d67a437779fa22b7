// Drawing: a family and its tracks become exactly what the chart, legend, table and tests see.
//
//   Family + Tracks + Grid → [drawing] → chart/Chart.tsx, Legend, Table, window.__tinyobs
//
// Must hold:
// D-1  Pure: the same input gives the same drawing; nothing here knows the screen.
// D-2  `lines[i].values` is as long as `times`; nothing the chart draws comes from elsewhere.
// D-3  Whatever was summed, merged or left out is said in `subtitle`, `more` or `coverage`.
import { assignColours } from "../format/colour.ts";
import { lineLabels } from "../format/label.ts";
import { rateUnit, unitOf, type Unit } from "../format/unit.ts";
import { coverageOf, type Part } from "./coverage.ts";
import type { Family } from "./family.ts";
import { agesOf, gaugeColumns } from "./gauge.ts";
import { isAlive } from "./gap.ts";
import type { Grid } from "./grid.ts";
import { differingLabels, largest, largestOrSummed, type Line, type Picked, type Value } from "./pick.ts";
import { heatCells, histogramOnGrid, parseBound, quantileLine } from "./quantile.ts";
import { rateOnGrid } from "./rate.ts";
import { seriesKey, type Track } from "./track.ts";

export interface DrawnLine extends Line {
  readonly label: string;
  /** A palette entry, or a quantile's own colour. */
  readonly colour: number | "p50" | "p90" | "p99";
}

export interface Heat {
  readonly bounds: readonly number[];
  /** Observations in the bin by bucket, null where nothing is known. */
  readonly cells: readonly (readonly number[] | null)[];
}

export interface DrawingData {
  readonly times: readonly number[];
  readonly lines: readonly DrawnLine[];
  readonly heat: Heat | null;
  readonly unit: Unit;
  readonly fromZero: boolean;
  readonly subtitle: string;
  readonly more: number;
  /** All series of the family in this window. */
  readonly series: number;
  readonly newest: Newest | null;
  /** Empty when everything is samples as they were pushed. */
  readonly coverage: readonly Part[];
}

/** The newest raw samples, for a card that cannot draw yet. */
export interface Newest {
  readonly t: number;
  /** Counters: of all series together; histograms: all observations; gauges: of the newest series. */
  readonly v: number;
  /** Samples of the series that has most of them. */
  readonly samples: number;
}

const QUANTILES = [
  { q: 0.5, name: "p50" },
  { q: 0.9, name: "p90" },
  { q: 0.99, name: "p99" },
] as const;

export function draw(
  family: Family,
  tracks: readonly Track[],
  grid: Grid,
  shown?: ReadonlySet<string>,
): DrawingData {
  const sorted = [...tracks].sort((a, b) => (a.key < b.key ? -1 : 1));
  const unit = unitOf(family.name, family.unit);
  const base = { series: sorted.length, newest: newestOf(family, sorted), coverage: coverageOf(sorted, grid), heat: null };
  switch (family.drawing) {
    case "histogram":
      return { ...base, ...drawHistogram(family, sorted, grid), unit, fromZero: true };
    case "rate":
      return { ...base, ...drawRates(family, sorted, grid, shown), unit: rateUnit(unit), fromZero: true };
    case "gauge":
      return { ...base, ...drawGauges(family, sorted, grid, unit, shown), unit, fromZero: false };
  }
}

function drawRates(family: Family, tracks: readonly Track[], grid: Grid, shown?: ReadonlySet<string>) {
  const lines = tracks.map((track) => lineOf(track, rateOnGrid(track, grid), grid));
  const picked = largestOrSummed(lines, shown);
  const suffix = picked.summedBy === null ? by(picked) : summed(picked, tracks.length);
  return {
    times: grid.times,
    lines: named(family, picked.lines, "per second"),
    subtitle: `${unitOf(family.name, family.unit) === "seconds" ? "seconds " : ""}per second${suffix}`,
    more: picked.more,
  };
}

function drawGauges(family: Family, all: readonly Track[], grid: Grid, unit: Unit, shown?: ReadonlySet<string>) {
  const aged = unit === "age";
  const tracks = aged ? all.map(agesOf) : all;
  const ends = tracks.map((track) => lineOf(track, track.values, grid));
  const picked = largest(ends, shown);
  const kept = new Set(picked.lines.map((line) => line.key));
  const drawn = tracks.filter((track) => kept.has(track.key));
  const { times, columns } = gaugeColumns(drawn, grid);
  const lines = drawn.map((track, i) => lineOf(track, columns[i] ?? [], grid));
  return {
    times,
    lines: named(family, lines, aged ? "age" : "value"),
    subtitle: `${aged ? "time since" : "gauge"}${by(picked)}`,
    more: picked.more,
  };
}

function drawHistogram(family: Family, tracks: readonly Track[], grid: Grid) {
  const bins = histogramOnGrid(tracks, grid);
  const alive = tracks.some((track) => isAlive(track, grid.nowMs));
  const lastMs = Math.max(...tracks.map(lastOf));
  const lines = QUANTILES.map(({ q, name }) => ({
    key: seriesKey(family.name, { quantile: String(q) }),
    labels: { quantile: String(q) },
    values: quantileLine(q, bins),
    alive,
    lastMs,
    label: name,
    colour: name,
  }));
  const groups = new Set(tracks.map((track) => seriesKey(track.name, { ...track.labels, le: "" }))).size;
  return {
    times: grid.times,
    lines,
    heat: { bounds: bins.bounds, cells: heatCells(bins) },
    subtitle: `p50, p90, p99${groups > 1 ? ` · ${groups} series together` : ""}`,
    more: 0,
  };
}

function lineOf(track: Track, values: readonly Value[], grid: Grid): Line {
  const alive = isAlive(track, grid.nowMs);
  return { key: track.key, labels: track.labels, values, alive, lastMs: lastOf(track) };
}

function lastOf(track: Track): number {
  return track.times.at(-1) ?? 0;
}

function named(family: Family, lines: readonly Line[], alone: string): DrawnLine[] {
  const labels = lineLabels(lines.map((line) => line.labels), alone);
  const colours = assignColours(lines.map((line) => seriesKey(family.name, line.labels)));
  return lines.map((line, i) => ({ ...line, label: labels[i] as string, colour: colours[i] as number }));
}

function by(picked: Picked): string {
  const names = differingLabels(picked.lines.map((line) => line.labels));
  return names.length > 0 ? ` · by ${names.join(", ")}` : "";
}

function summed(picked: Picked, series: number): string {
  const names = picked.summedBy ?? [];
  return ` · ${series} series summed${names.length > 0 ? ` by ${names.join(", ")}` : ""}`;
}

function newestOf(family: Family, all: readonly Track[]): Newest | null {
  const known = all.filter((track) => track.times.length > 0);
  if (known.length === 0) return null;
  const last = (track: Track): number => track.values.at(-1) as number;
  const newest = known.reduce((a, b) => (lastOf(b) > lastOf(a) ? b : a));
  const counted = family.drawing === "histogram" ? topBuckets(known) : known;
  const together = counted.reduce((sum, track) => sum + last(track), 0);
  return {
    t: lastOf(newest),
    v: family.drawing === "gauge" ? last(newest) : together,
    samples: Math.max(...known.map((track) => track.times.length)),
  };
}

/** Of each histogram the highest bucket: it counts every observation. */
function topBuckets(tracks: readonly Track[]): Track[] {
  const top = new Map<string, Track>();
  const bound = (track: Track): number => parseBound(track.labels["le"]) ?? Number.NEGATIVE_INFINITY;
  for (const track of tracks) {
    const group = seriesKey(track.name, { ...track.labels, le: "" });
    const before = top.get(group);
    if (before === undefined || bound(track) > bound(before)) top.set(group, track);
  }
  return [...top.values()];
}
