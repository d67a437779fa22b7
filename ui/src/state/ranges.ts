// The time ranges and the bin width each is drawn with.
//
// While data are younger than the range, derive/window.ts draws less of it, in finer bins.
// The steps give 168 to 336 bins: enough for a line on a card, a whole number of the usual push
// intervals (5 s, 15 s), and from 24 h on a multiple of the 5-minute rollup.

export interface Range {
  readonly id: RangeId;
  readonly key: string;
  readonly title: string;
  readonly rangeMs: number;
  readonly stepMs: number;
}

export type RangeId = "1h" | "6h" | "24h" | "7d";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

export const RANGES: readonly Range[] = [
  { id: "1h", key: "1", title: "Last hour", rangeMs: HOUR_MS, stepMs: 15 * SECOND_MS },
  { id: "6h", key: "2", title: "Last 6 hours", rangeMs: 6 * HOUR_MS, stepMs: 90 * SECOND_MS },
  { id: "24h", key: "3", title: "Last 24 hours", rangeMs: 24 * HOUR_MS, stepMs: 5 * MINUTE_MS },
  { id: "7d", key: "4", title: "Last 7 days", rangeMs: 168 * HOUR_MS, stepMs: 30 * MINUTE_MS },
];

export const DEFAULT_RANGE: RangeId = "1h";

export function rangeById(id: string | null): Range {
  return RANGES.find((range) => range.id === id) ?? rangeById(DEFAULT_RANGE);
}
