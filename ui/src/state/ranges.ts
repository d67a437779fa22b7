// The time ranges and the bin width each is drawn with.
//
// While data are younger than the range, derive/window.ts draws less of it, in finer bins.
// The steps give 168 to 365 bins: enough for a line on a card, a whole number of the usual push
// intervals (5 s, 15 s), from 24 h on a multiple of the 5-minute rollup and from 30 d on of the hourly.

export interface Range {
  readonly id: RangeId;
  readonly key: string;
  readonly title: string;
  readonly rangeMs: number;
  readonly stepMs: number;
}

export type RangeId = "1h" | "6h" | "24h" | "7d" | "30d" | "90d" | "1y";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const RANGES: readonly Range[] = [
  { id: "1h", key: "1", title: "Last hour", rangeMs: HOUR_MS, stepMs: 15 * SECOND_MS },
  { id: "6h", key: "2", title: "Last 6 hours", rangeMs: 6 * HOUR_MS, stepMs: 90 * SECOND_MS },
  { id: "24h", key: "3", title: "Last 24 hours", rangeMs: 24 * HOUR_MS, stepMs: 5 * MINUTE_MS },
  { id: "7d", key: "4", title: "Last 7 days", rangeMs: 7 * DAY_MS, stepMs: 30 * MINUTE_MS },
  { id: "30d", key: "5", title: "Last 30 days", rangeMs: 30 * DAY_MS, stepMs: 3 * HOUR_MS },
  { id: "90d", key: "6", title: "Last 90 days", rangeMs: 90 * DAY_MS, stepMs: 8 * HOUR_MS },
  { id: "1y", key: "7", title: "Last year", rangeMs: 365 * DAY_MS, stepMs: DAY_MS },
];

export const DEFAULT_RANGE: RangeId = "1h";

export function rangeById(id: string | null): Range {
  return RANGES.find((range) => range.id === id) ?? rangeById(DEFAULT_RANGE);
}
