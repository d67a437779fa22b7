// The shapes of the read API that the dashboard uses; the server's documentation is the authority.

export type Labels = Readonly<Record<string, string>>;

export type Kind = "counter" | "gauge" | "histogram" | "summary" | "unknown";

/** One metric name, from `GET /v1/metrics/list`. */
export interface MetricDetail {
  readonly name: string;
  readonly type: Kind;
  readonly help: string;
  readonly unit: string;
  readonly series: number;
  /** Empty, or holding "", for series that carry no `service` label. */
  readonly services: readonly string[];
}

/** Samples as they were pushed, or what is kept of windows of 5 minutes and of an hour. */
export type Resolution = "raw" | "5m" | "1h";

/** A part of the answer, first to last ms, and what answered for it. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly resolution: Resolution;
}

/** One series' points, from `GET /v1/query/range`. `t` in ms since the epoch, ascending. */
export interface RangeSeries {
  readonly metric: string;
  readonly labels: Labels;
  readonly points: readonly { readonly t: number; readonly v: number }[];
  /** The coarsest of the stretches. */
  readonly resolution: Resolution;
  /** In order of time, without overlap. */
  readonly stretches: readonly Stretch[];
}

/** `GET /v1/stats`, original field names. */
export interface Stats {
  readonly TotalMetrics: number;
  readonly TotalSeries: number;
  readonly SizeBytes: number;
  readonly OldestMetric: string | null;
  readonly NewestMetric: string | null;
  readonly Metrics: number;
  readonly Services: readonly string[];
  readonly Clients: number;
}

/** `GET /v1/storage`; `max_bytes` 0 means no budget. */
export interface Storage {
  readonly used_bytes: number;
  readonly max_bytes: number;
  readonly engine: string;
  readonly data_dir: string;
}
