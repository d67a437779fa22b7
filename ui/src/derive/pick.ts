// Pick: which lines a card shows when there are more series than fit.
//
//   lines (one per series) → [pick] → at most LINES_MAX lines, and a sentence about the rest
//
// Must hold:
// P-1  Nothing is hidden silently: summing is named (`summedBy`), leaving out is counted (`more`).
// P-2  Without `shown` the choice depends on labels and values only: lines still alive first, then the
//      largest last value, then label order. It comes back in label order, so rows stay put.
// P-3  A living line that is already `shown` is not replaced: a refresh must not make lines jump.
import type { Labels } from "../api/types.ts";

/** More lines than this cannot be told apart by colour. */
export const LINES_MAX = 8;

export type Value = number | null | undefined;

const NONE: ReadonlySet<string> = new Set();

export interface Line {
  readonly key: string;
  readonly labels: Labels;
  readonly values: readonly Value[];
  /** Still pushing, as far as the newest samples tell. */
  readonly alive: boolean;
  /** Its newest raw sample. */
  readonly lastMs: number;
}

export interface Picked {
  readonly lines: readonly Line[];
  /** Series left out. */
  readonly more: number;
  /** Labels that survive a sum ([] = one total); null when every series is its own line. */
  readonly summedBy: readonly string[] | null;
}

export function largest(lines: readonly Line[], shown: ReadonlySet<string> = NONE, max = LINES_MAX): Picked {
  const rank = (line: Line): number => (line.alive ? (shown.has(line.key) ? 2 : 1) : 0);
  const ranked = [...lines].sort((a, b) => rank(b) - rank(a) || lastValue(b) - lastValue(a) || byKey(a, b));
  const kept = ranked.slice(0, max).sort(byKey);
  return { lines: kept, more: lines.length - kept.length, summedBy: null };
}

/**
 * For rates, which may be added: all series when they fit; else summed over `instance`; else summed by
 * the one label that tells most apart and still fits; else by that label, the largest kept.
 */
export function largestOrSummed(
  lines: readonly Line[],
  shown: ReadonlySet<string> = NONE,
  max = LINES_MAX,
): Picked {
  if (lines.length <= max) return largest(lines, shown, max);
  const names = differingLabels(lines.map((line) => line.labels));
  const withoutInstance = names.filter((name) => name !== "instance");
  if (withoutInstance.length < names.length) {
    const summed = sumBy(lines, withoutInstance);
    if (summed.length <= max) return { lines: summed, more: 0, summedBy: withoutInstance };
  }
  const options = withoutInstance
    .map((name) => ({ name, lines: sumBy(lines, [name]) }))
    .sort((a, b) => b.lines.length - a.lines.length || (a.name < b.name ? -1 : 1));
  const fitting = options.find((option) => option.lines.length <= max) ?? options.at(-1);
  if (fitting === undefined) return { lines: sumBy(lines, []), more: 0, summedBy: [] };
  return { ...largest(fitting.lines, shown, max), summedBy: [fitting.name] };
}

/** Names of the labels that are not the same everywhere, in order. */
export function differingLabels(all: readonly Labels[]): string[] {
  const names = new Set(all.flatMap((labels) => Object.keys(labels)));
  return [...names].filter((name) => new Set(all.map((labels) => labels[name])).size > 1).sort();
}

/** Adds lines that agree on `names`. A bin is null only when it is unknown in all of them. */
export function sumBy(lines: readonly Line[], names: readonly string[]): Line[] {
  const groups = new Map<string, Omit<Line, "key">>();
  for (const line of lines) {
    const pairs = names.flatMap((name) => {
      const value = line.labels[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const key = JSON.stringify(pairs);
    const group = groups.get(key);
    groups.set(key, {
      labels: Object.fromEntries(pairs),
      values: group?.values.map((value, i) => addKnown(value, line.values[i])) ?? line.values,
      alive: (group?.alive ?? false) || line.alive,
      lastMs: Math.max(group?.lastMs ?? line.lastMs, line.lastMs),
    });
  }
  return [...groups].map(([key, group]) => ({ key, ...group })).sort(byKey);
}

function addKnown(a: Value, b: Value): Value {
  if (a === null || a === undefined) return b;
  return b === null || b === undefined ? a : a + b;
}

function byKey(a: Line, b: Line): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function lastValue(line: Line): number {
  return line.values.findLast((value) => typeof value === "number") ?? Number.NEGATIVE_INFINITY;
}
