// Drawing: a family and its tracks become exactly what the chart, legend, table and tests see.
//
//   Family + Tracks + Grid → [drawing] → chart/Chart.tsx, Legend, Table, window.__tinyobs
//
// Must hold:
// D-1  Pure: the same input gives the same drawing; nothing here knows the screen.
// D-2  `lines[i].values` is as long as `times`; nothing the chart draws comes from elsewhere.
// D-3  Whatever was summed, merged or left out is said in `subtitle` or `more`.
import { assignColours } from "../format/colour.ts";
import { lineLabels } from "../format/label.ts";
import { rateUnit, unitOf, type Unit } from "../format/unit.ts";
import type { Family } from "./family.ts";
import { agesOf, gaugeColumns } from "./gauge.ts";
import { gapLimit, type Grid } from "./grid.ts";
import { differingLabels, largest, largestOrSummed, type Line, type Picked, type Value } from "./pick.ts";
import { heatCells, histogramOnGrid, quantileLine } from "./quantile.ts";
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
  /** Newest raw sample, for a card that cannot draw yet. */
  readonly newest: { readonly t: number; readonly v: number } | null;
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
  const base = { series: sorted.length, newest: newestOf(sorted), heat: null };
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
  const lines = QUANTILES.map(({ q, name }) => ({
    key: seriesKey(family.name, { quantile: String(q) }),
    labels: { quantile: String(q) },
    values: quantileLine(q, bins),
    alive: true,
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
  const last = track.times.at(-1) ?? 0;
  const alive = last >= grid.nowMs - gapLimit(track.times, grid.stepMs);
  return { key: track.key, labels: track.labels, values, alive };
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

function newestOf(tracks: readonly Track[]): { t: number; v: number } | null {
  return tracks.reduce<{ t: number; v: number } | null>((newest, track) => {
    const t = track.times.at(-1);
    const v = track.values.at(-1);
    return t !== undefined && v !== undefined && (newest === null || t > newest.t) ? { t, v } : newest;
  }, null);
}
