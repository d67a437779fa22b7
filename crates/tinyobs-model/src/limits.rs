//! Limits: every bound of the system in one place, each with its reason.
//!
//! I-LIMIT-1  A limit is checked before the memory it guards is taken.
//! I-LIMIT-2  Every constant here is shown at `/v1/limits` through [`ALL`].

/// Bytes of a metric name.
pub const METRIC_NAME_BYTES: usize = 256;
/// Labels of one series, its name not counted.
pub const LABELS_PER_SERIES: usize = 64;
/// Bytes of a label name.
pub const LABEL_NAME_BYTES: usize = 256;
/// Bytes of a label value.
pub const LABEL_VALUE_BYTES: usize = 4_096;
/// Bytes of help or unit text kept per metric name; longer text is cut.
pub const METADATA_BYTES: usize = 1_024;
/// Series of a store, unless configured.
pub const SERIES_DEFAULT: u64 = 10_000;
/// How far ahead of the server's clock a sample may lie, in milliseconds.
pub const FUTURE_MS: i64 = 10 * 60 * 1_000;

/// Bytes of a request body as it travels.
pub const BODY_BYTES: usize = 32 << 20;
/// Bytes of a request body once decompressed.
pub const DECOMPRESSED_BYTES: usize = 64 << 20;
/// Items of one JSON ingest request.
pub const ITEMS_PER_REQUEST: usize = 10_000;
/// Buckets of one histogram item, `+Inf` not counted.
pub const BUCKETS_PER_HISTOGRAM: usize = 500;
/// Bytes that the samples of one request may take once their labels are written out.
pub const BATCH_BYTES: usize = 64 << 20;
/// Per-item errors listed in one answer; the rest are only counted.
pub const ERRORS_LISTED: usize = 100;
/// Bytes of all ingest bodies being read or decoded at once.
pub const INGEST_BYTES_IN_FLIGHT: usize = 256 << 20;
/// Ingest requests being decoded or stored at once; the next ones wait.
pub const INGEST_AT_ONCE: usize = 8;
/// Seconds that a connection may idle, take over its request head, or stall in a body.
pub const IDLE_SECONDS: u64 = 10;
/// Seconds that reading a request and answering it may take.
pub const REQUEST_SECONDS: u64 = 30;
/// Seconds that a shutdown waits for requests under way.
pub const DRAIN_SECONDS: u64 = 10;
/// Open connections.
pub const CONNECTIONS: usize = 4_096;
/// Pushing clients remembered for `/v1/stats`.
pub const CLIENTS: usize = 10_000;

/// Points of one series in an answer, at most.
pub const POINTS_MAX: usize = 5_000;
/// Points of one series in an answer, unless asked otherwise.
pub const POINTS_DEFAULT: usize = 1_000;
/// Samples of one `/v1/query` answer, unless asked otherwise.
pub const DUMP_SAMPLES_DEFAULT: usize = 100_000;
/// Samples of one `/v1/query` answer, at most.
pub const DUMP_SAMPLES_MAX: usize = 1_000_000;
/// Bytes of one `/v1/query` answer; what is beyond is cut and said so.
pub const DUMP_BYTES: usize = 128 << 20;
/// Series of one `/v1/series` answer, unless asked otherwise.
pub const SERIES_LISTED_DEFAULT: usize = 1_000;
/// Series of one `/v1/series` answer, at most.
pub const SERIES_LISTED_MAX: usize = 10_000;
/// Samples that one query may read.
pub const QUERY_SAMPLES: u64 = 50_000_000;
/// Points that one answer may hold, all series together.
pub const QUERY_POINTS: usize = 2_000_000;
/// Queries that run at once; the next ones wait.
pub const QUERIES_AT_ONCE: usize = 8;
/// Queries that wait; the next ones get 503.
pub const QUERIES_WAITING: usize = 64;
/// Milliseconds of the widest window of `/v1/query/range`.
pub const QUERY_WINDOW_MS: i64 = 90 * 24 * 3_600 * 1_000;
/// Bytes of a series selector in `match[]`.
pub const SELECTOR_BYTES: usize = 16_384;
/// Selectors of one request.
pub const SELECTORS: usize = 64;
/// Bytes that one compiled regular expression may take.
pub const REGEX_BYTES: usize = 1 << 20;

/// One limit as `/v1/limits` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Stable name.
    pub name: &'static str,
    /// The bound itself, included.
    pub value: u64,
    /// What is counted.
    pub unit: &'static str,
    /// Why there is a bound at all.
    pub reason: &'static str,
}

const fn limit(name: &'static str, value: u64, unit: &'static str, reason: &'static str) -> Limit {
    Limit {
        name,
        value,
        unit,
        reason,
    }
}

/// Every limit, in the order of a sample's way through the system.
pub const ALL: &[Limit] = &[
    limit(
        "connections",
        CONNECTIONS as u64,
        "connections",
        "file descriptors are finite",
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
        "ingest_bytes_in_flight",
        INGEST_BYTES_IN_FLIGHT as u64,
        "bytes",
        "many large bodies at once must not exhaust memory",
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
        "regex_bytes",
        REGEX_BYTES as u64,
        "bytes",
        "a regular expression compiles to memory",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i_limit_2_names_are_unique_and_explained() {
        for (i, one) in ALL.iter().enumerate() {
            assert!(one.value > 0, "{} must bound something", one.name);
            assert!(one.reason.len() > 10, "{} needs a reason", one.name);
            assert!(
                ALL[..i].iter().all(|other| other.name != one.name),
                "{} twice",
                one.name
            );
        }
    }
}
