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
  /** As derive/service.ts has it; empty, or holding "", for series without one. */
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

/** `GET /v1/storage`; `max_bytes` 0 means no budget, `retention_seconds` 0 for ever. */
export interface Storage {
  readonly used_bytes: number;
  readonly max_bytes: number;
  readonly percent: number;
  readonly level: Level;
  readonly wal_bytes: number;
  readonly reserve_bytes: number;
  readonly resolutions: readonly Kept[];
  readonly engine: string;
  readonly data_dir: string;
}

export type Level = "normal" | "warning_80" | "warning_90" | "full";

/** What is kept in one resolution. Times are RFC 3339. */
export interface Kept {
  readonly resolution: Resolution;
  readonly tables: number;
  readonly bytes: number;
  /** Samples of `raw`, windows of the others. */
  readonly rows: number;
  readonly oldest: string | null;
  readonly newest: string | null;
  readonly dropped_until: string | null;
  readonly retention_seconds: number;
  readonly retention: string;
}

/** `GET /v1/cardinality`; lists have ten entries at most, a per-metric limit of 0 is none. */
export interface Cardinality {
  readonly total_series: number;
  readonly unique_metrics: number;
  readonly series_limit: number;
  readonly per_metric_limit: number;
  readonly top_metrics: readonly MetricSeries[];
  readonly top_labels: readonly { readonly label: string; readonly values: number; readonly series: number }[];
  readonly growth: {
    readonly since: string;
    readonly series_added: number;
    readonly metrics: readonly MetricSeries[];
    readonly labels: readonly { readonly label: string; readonly values_added: number }[];
  };
  readonly refused_total: number;
  readonly last_refusal: Refusal | null;
  readonly expired_total: number;
}

export interface MetricSeries {
  readonly metric: string;
  readonly series: number;
}

/** The last series that was one too many, and the one of its labels that has the most values. */
export interface Refusal {
  readonly at: string;
  readonly metric: string;
  readonly label: string;
  readonly values: number;
  readonly rule: string;
}

/** `GET /v1/health`, 200 or 503. */
export interface Health {
  readonly status: "healthy" | "damaged" | "degraded";
  readonly store: { readonly healthy: boolean; readonly last_error?: string; readonly damage: readonly string[] };
  readonly compaction: {
    readonly healthy: boolean;
    readonly last_success?: string;
    readonly last_attempt?: string;
    readonly consecutive_errors: number;
    readonly last_error?: string;
    readonly rolled_until?: string;
    readonly lag_seconds: number;
    readonly phase?: string;
    /** Of the phase, 0 to 1. */
    readonly progress?: number;
  };
}
