//! All: the limits as `/v1/limits` shows them.

#[allow(clippy::wildcard_imports, reason = "the list is of everything there")]
use super::*;

/// Every limit, in the order of a sample's way through the system.
pub const ALL: &[Limit] = &[
    limit(
        "connections",
        CONNECTIONS as u64,
        "connections",
        "file descriptors are finite",
    ),
    limit(
        "head_bytes",
        HEAD_BYTES as u64,
        "bytes",
        "a head is held in memory until it ends",
    ),
    limit(
        "worker_threads",
        WORKER_THREADS as u64,
        "threads",
        "they only move bytes, and never wait for the store",
    ),
    limit(
        "blocking_threads",
        BLOCKING_THREADS as u64,
        "threads",
        "each has a stack; more would only wait for the device",
    ),
    limit(
        "body_bytes",
        BODY_BYTES as u64,
        "bytes",
        "a body is held in memory while it is read",
    ),
    limit(
        "decompressed_bytes",
        DECOMPRESSED_BYTES as u64,
        "bytes",
        "a small compressed body can unfold to a thousand times its size",
    ),
    limit(
        "discarded_bytes",
        DISCARDED_BYTES as u64,
        "bytes",
        "most clients read the answer only when they have sent everything",
    ),
    limit(
        "ingest_bytes_in_flight",
        INGEST_BYTES_IN_FLIGHT as u64,
        "bytes",
        "many large bodies at once must not exhaust memory",
    ),
    limit(
        "body_wait_seconds",
        BODY_WAIT_SECONDS,
        "seconds",
        "a sender that is told to come again helps more than one that waits",
    ),
    limit(
        "ingest_at_once",
        INGEST_AT_ONCE as u64,
        "requests",
        "bounds the memory of decoded batches",
    ),
    limit(
        "idle_seconds",
        IDLE_SECONDS,
        "seconds",
        "a silent peer must not hold a connection",
    ),
    limit(
        "request_seconds",
        REQUEST_SECONDS,
        "seconds",
        "a slow peer must not hold a worker",
    ),
    limit(
        "drain_seconds",
        DRAIN_SECONDS,
        "seconds",
        "a shutdown must end",
    ),
    limit(
        "healthcheck_seconds",
        HEALTHCHECK_SECONDS,
        "seconds",
        "a container's health check has little time itself",
    ),
    limit(
        "items_per_request",
        ITEMS_PER_REQUEST as u64,
        "items",
        "keeps one request's work short",
    ),
    limit(
        "batch_bytes",
        BATCH_BYTES as u64,
        "bytes",
        "a histogram item repeats its labels for each bucket",
    ),
    limit(
        "errors_listed",
        ERRORS_LISTED as u64,
        "errors",
        "an answer must not dwarf its request",
    ),
    limit(
        "buckets_per_histogram",
        BUCKETS_PER_HISTOGRAM as u64,
        "buckets",
        "each bucket becomes a series",
    ),
    limit(
        "metric_name_bytes",
        METRIC_NAME_BYTES as u64,
        "bytes",
        "names are kept in memory",
    ),
    limit(
        "labels_per_series",
        LABELS_PER_SERIES as u64,
        "labels",
        "labels are kept in memory",
    ),
    limit(
        "label_name_bytes",
        LABEL_NAME_BYTES as u64,
        "bytes",
        "names are kept in memory",
    ),
    limit(
        "label_value_bytes",
        LABEL_VALUE_BYTES as u64,
        "bytes",
        "values are kept in memory",
    ),
    limit(
        "metadata_bytes",
        METADATA_BYTES as u64,
        "bytes",
        "help is kept in memory; longer is cut",
    ),
    limit(
        "future_ms",
        FUTURE_MS as u64,
        "milliseconds",
        "one sample from a wrong clock must not make the present look late",
    ),
    limit(
        "clients",
        CLIENTS as u64,
        "clients",
        "one entry is kept for each pushing process",
    ),
    limit(
        "client_interval_ms_max",
        CLIENT_INTERVAL_MS_MAX,
        "milliseconds",
        "a wrong number must not keep a client listed for ever",
    ),
    limit(
        "live_ms",
        LIVE_MS as u64,
        "milliseconds",
        "what is older is no longer the present; Prometheus looks back as far",
    ),
    limit(
        "storage_bytes_default",
        STORAGE_BYTES_DEFAULT,
        "bytes",
        "a disk is shared with others; --max-storage says otherwise",
    ),
    limit(
        "series_default",
        SERIES_DEFAULT,
        "series",
        "each series takes memory; --max-series says otherwise",
    ),
    limit(
        "queries_at_once",
        QUERIES_AT_ONCE as u64,
        "queries",
        "bounds memory and keeps ingest alive",
    ),
    limit(
        "queries_waiting",
        QUERIES_WAITING as u64,
        "queries",
        "a queue that only grows helps nobody",
    ),
    limit(
        "query_window_ms",
        QUERY_WINDOW_MS as u64,
        "milliseconds",
        "bounds one query's reading",
    ),
    limit(
        "query_samples",
        QUERY_SAMPLES,
        "samples",
        "bounds one query's reading",
    ),
    limit(
        "query_points",
        QUERY_POINTS as u64,
        "points",
        "bounds one answer's memory",
    ),
    limit(
        "points_max",
        POINTS_MAX as u64,
        "points a series",
        "no screen shows more",
    ),
    limit(
        "points_default",
        POINTS_DEFAULT as u64,
        "points a series",
        "two a pixel of a usual chart",
    ),
    limit(
        "dump_samples_max",
        DUMP_SAMPLES_MAX as u64,
        "samples",
        "an answer is built in memory",
    ),
    limit(
        "dump_bytes",
        DUMP_BYTES as u64,
        "bytes",
        "labels are repeated for each sample",
    ),
    limit(
        "dump_samples_default",
        DUMP_SAMPLES_DEFAULT as u64,
        "samples",
        "enough to look at by eye",
    ),
    limit(
        "series_listed_max",
        SERIES_LISTED_MAX as u64,
        "series",
        "an answer is built in memory",
    ),
    limit(
        "series_listed_default",
        SERIES_LISTED_DEFAULT as u64,
        "series",
        "enough to pick from",
    ),
    limit(
        "top_metrics",
        TOP_METRICS as u64,
        "metrics",
        "enough to find what has too many series",
    ),
    limit(
        "damage_listed",
        DAMAGE_LISTED as u64,
        "places",
        "an answer is built in memory; all are in the log",
    ),
    limit(
        "selector_bytes",
        SELECTOR_BYTES as u64,
        "bytes",
        "a selector is parsed before it runs",
    ),
    limit(
        "selectors",
        SELECTORS as u64,
        "selectors",
        "each selector is a pass over the index",
    ),
    limit(
        "log_bytes",
        LOG_BYTES,
        "bytes",
        "what flushes cannot write out stays in memory as well",
    ),
    limit(
        "matchers_per_request",
        MATCHERS_PER_REQUEST as u64,
        "matchers",
        "each matcher is a pass over the values of its label",
    ),
    limit(
        "regexes_per_request",
        REGEXES_PER_REQUEST as u64,
        "expressions",
        "compiling takes time and memory before a query reads anything",
    ),
    limit(
        "regex_pattern_bytes",
        REGEX_PATTERN_BYTES as u64,
        "bytes",
        "a pattern is parsed before its compiled size is known",
    ),
    limit(
        "regex_nesting",
        REGEX_NESTING as u64,
        "levels",
        "a compiler walks down the levels one by one",
    ),
    limit(
        "regex_bytes",
        REGEX_BYTES as u64,
        "bytes",
        "a short pattern can compile to much memory",
    ),
];

const fn limit(name: &'static str, value: u64, unit: &'static str, reason: &'static str) -> Limit {
    Limit {
        name,
        value,
        unit,
        reason,
    }
}
