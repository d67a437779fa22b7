//! Limits: every bound of the system in one place, each with its reason.
//!
//! I-LIMIT-1  A limit is checked before the memory it guards is taken.
//! I-LIMIT-2  Every constant here is shown at `/v1/limits` through [`ALL`], under its own name.
//! Proved by: limits/tests.rs; the first by whoever keeps a limit, in tests named after it.

mod all;

pub use all::ALL;

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
/// Bytes of the write-ahead log above which nothing more is accepted: flushes fail, or cannot keep
/// up, and log and head must not grow without bound.
pub const LOG_BYTES: u64 = 512 << 20;
/// Series of a store, unless configured.
pub const SERIES_DEFAULT: u64 = 10_000;
/// Bytes of all files of a store, unless configured.
pub const STORAGE_BYTES_DEFAULT: u64 = 1 << 30;
/// How far ahead of the server's clock a sample may lie, in milliseconds.
pub const FUTURE_MS: i64 = 10 * 60 * 1_000;

/// Bytes of a request body as it travels.
pub const BODY_BYTES: usize = 32 << 20;
/// Bytes of a request body once decompressed.
pub const DECOMPRESSED_BYTES: usize = 64 << 20;
/// Items of one JSON ingest request.
pub const ITEMS_PER_REQUEST: usize = 10_000;
/// Samples of one remote-write request.
pub const SAMPLES_PER_REQUEST: usize = 500_000;
/// Descriptions of metrics in one remote-write request.
pub const DESCRIPTIONS_PER_REQUEST: usize = 20_000;
/// Fields of one line of InfluxDB's protocol.
pub const FIELDS_PER_LINE: usize = 10_000;
/// Strings of one remote-write request of version 2.0.
pub const SYMBOLS_PER_REQUEST: usize = 1_000_000;
/// Seconds that a body waits for memory before its sender is asked to come again, and that the next
/// piece of one that nobody wants any more is waited for.
pub const BODY_WAIT_SECONDS: u64 = 5;
/// A push whose series were all refused is answered after three times its work, but no later than
/// so many milliseconds after it; one that finds the queue full is told after so many.
pub const REFUSED_PAUSE_MS: u64 = 1_000;
/// Bytes that are read and dropped of a body that was not read to its end, so that its sender sees the
/// answer.
pub const DISCARDED_BYTES: usize = 4 * BODY_BYTES;
/// Buckets of one histogram item, `+Inf` not counted.
pub const BUCKETS_PER_HISTOGRAM: usize = 500;
/// Data points of one OTLP request.
pub const OTLP_POINTS: usize = 100_000;
/// Attributes that are read of one OTLP resource or data point.
pub const OTLP_ATTRIBUTES: usize = 128;
/// Lists and maps inside one another in the value of an OTLP attribute.
pub const OTLP_NESTING: usize = 16;
/// Buckets that are read of each side of an OTLP exponential histogram.
pub const OTLP_EXPONENTIAL_BUCKETS: usize = 4_096;
/// OTLP requests with deltas that may wait for each other; the next ones come again.
pub const DELTAS_WAITING: usize = 64;
/// Exponential histograms sent as deltas whose bounds are remembered.
pub const DELTA_HISTOGRAMS: usize = 10_000;
/// Intervals of OTLP deltas that are remembered from request to request.
pub const DELTA_INTERVALS: usize = 100_000;
/// Intervals of one series that may end within one millisecond.
pub const DELTAS_PER_MS: usize = 256;
/// Bytes that the samples of one request may take once their labels are written out.
pub const BATCH_BYTES: usize = 64 << 20;
/// Per-item errors listed in one answer; the rest are only counted.
pub const ERRORS_LISTED: usize = 100;
/// Bytes of a stored batch whose memory is kept for the next one.
pub const SPARE_BYTES: usize = 4 << 20;
/// Bytes of all ingest bodies being read or decoded at once.
pub const INGEST_BYTES_IN_FLIGHT: usize = 256 << 20;
/// Ingest requests being decoded or stored at once; the next ones wait, but the one whose turn it is
/// to add deltas, for which others wait.
pub const INGEST_AT_ONCE: usize = 8;
/// Ingest requests that wait; the next ones get 503 before they are unpacked, but no stream that has
/// begun.
pub const INGEST_WAITING: usize = 256;
/// Seconds that a connection may idle, take over its request head, or stall in a body.
pub const IDLE_SECONDS: u64 = 10;
/// Seconds that reading a request and answering it may take.
pub const REQUEST_SECONDS: u64 = 30;
/// Seconds that a shutdown waits for requests under way.
pub const DRAIN_SECONDS: u64 = 10;
/// Seconds that `tinyobs healthcheck` waits for each step.
pub const HEALTHCHECK_SECONDS: u64 = 3;
/// Open connections.
pub const CONNECTIONS: usize = 4_096;
/// Bytes of a request head; also what is read ahead.
pub const HEAD_BYTES: usize = 64 << 10;
/// Fields of a request head: hyper's own bound, for which it needs no memory of its own.
pub const HEAD_FIELDS: usize = 100;
/// Threads that move bytes; fewer on a machine with fewer cores.
pub const WORKER_THREADS: usize = 4;
/// Threads that work at the store, where they may block.
pub const BLOCKING_THREADS: usize = 64;
/// Bytes of one line of a streamed push.
pub const STREAM_LINE_BYTES: usize = 1 << 20;
/// Bytes of a streamed push that are gathered before they are stored.
pub const STREAM_CHUNK_BYTES: usize = 1 << 20;
/// Groups that are pushed to, as the Pushgateway has them.
pub const PUSHED_GROUPS: usize = 5_000;
/// Bytes that all of them may take, names and labels written out.
pub const PUSHED_BYTES: usize = 16 << 20;
/// Milliseconds between two samples of a group that nobody pushes to.
pub const PUSHED_SAMPLE_MS: i64 = 60_000;
/// Milliseconds of the longest time-to-live of a group: ten years.
pub const PUSHED_TTL_MS: i64 = 3_653 * 24 * 3_600 * 1_000;
/// Milliseconds for which the `up` of a client that fell silent is 0, before it ends.
pub const CLIENT_DOWN_MS: i64 = 3_600_000;
/// Pushing clients remembered for `/v1/stats` and for their `up`.
pub const CLIENTS: usize = 10_000;
/// Milliseconds between two pushes that a client is believed.
pub const CLIENT_INTERVAL_MS_MAX: u64 = 3_600_000;
/// Milliseconds after which a series' latest value is no longer shown at `/metrics`.
pub const LIVE_MS: i64 = 5 * 60 * 1_000;

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
/// Metrics listed by `/v1/cardinality`.
pub const TOP_METRICS: usize = 10;
/// Damaged places listed by `/v1/health`; `/metrics` counts all.
pub const DAMAGE_LISTED: usize = 100;
/// Samples and rollup rows that one query may read.
pub const QUERY_SAMPLES: u64 = 50_000_000;
/// Bytes that the values of one query may take at once, what it reads and what it works out.
pub const QUERY_VALUE_BYTES: u64 = 256 << 20;
/// Moments at which one part of a query is evaluated, those of a subquery's steps among them.
pub const QUERY_STEPS: u64 = 1_000_000;
/// Different annotations of one answer; more are not kept.
pub const QUERY_ANNOTATIONS: usize = 100;
/// Points that one answer may hold, all series together.
pub const QUERY_POINTS: usize = 2_000_000;
/// Seconds that `POST /v1/admin/maintenance` waits for its cycle before it says "ask again".
pub const MAINTENANCE_WAIT_SECONDS: u64 = 25;
/// Bytes of the body of a request under `/v1/admin/`.
pub const ADMIN_BODY_BYTES: usize = 1_024;
/// Requests for maintenance that wait for the one that runs; the next ones get 503.
pub const MAINTENANCE_WAITING: usize = 4;
/// Backups that are read at once; the next ones get 503.
pub const BACKUPS_AT_ONCE: usize = 2;
/// Queries that run at once; the next ones wait.
pub const QUERIES_AT_ONCE: usize = 8;
/// Queries that wait; the next ones get 503.
pub const QUERIES_WAITING: usize = 64;
/// Milliseconds of the widest window of `/v1/query/range`: ten years.
pub const QUERY_WINDOW_MS: i64 = 3_653 * 24 * 3_600 * 1_000;
/// Bytes of a PromQL query.
pub const QUERY_BYTES: usize = 64 << 10;
/// Nodes of a PromQL query inside one another, operators in a row included.
pub const QUERY_DEPTH: u32 = 256;
/// Regular expressions in the selectors of a PromQL query.
pub const QUERY_REGEXES: usize = 64;
/// Seconds that a PromQL query may take, its time in queues among them; `timeout` asks for less.
pub const QUERY_SECONDS: u64 = 25;
/// Steps of a range query between its first and its last.
pub const RANGE_STEPS: u64 = 11_000;
/// Bytes of the form that a query comes in.
pub const FORM_BYTES: usize = 1 << 20;
/// Parameters of one request to Prometheus' API.
pub const FORM_PARAMETERS: usize = 256;
/// Light PromQL queries that run at once; the next ones wait.
pub const LIGHT_QUERIES_AT_ONCE: usize = 8;
/// Light PromQL queries that wait; the next ones get 503.
pub const LIGHT_QUERIES_WAITING: usize = 64;
/// Samples to read and values to work out up to which a PromQL query is taken for a light one.
pub const LIGHT_QUERY_WORK: u64 = 2_000_000;
/// Bytes of a PromQL query above which nobody looks whether it is a light one.
pub const LIGHT_QUERY_BYTES: usize = 4_096;
/// Milliseconds of a thread's work after which a PromQL query is a heavy one, whatever it looked
/// like.
pub const LIGHT_QUERY_MS: u64 = 500;
/// Heavy PromQL queries that run at once, and no more than there are cores but one.
pub const HEAVY_QUERIES_AT_ONCE: usize = 4;
/// Heavy PromQL queries that wait; the next ones get 503.
pub const HEAVY_QUERIES_WAITING: usize = 16;
/// Bytes of the names, values or label sets that one answer of Prometheus' API lists; what is beyond
/// is cut and said so.
pub const LISTED_BYTES: usize = 64 << 20;
/// Very large answers that are sent at once; the next ones wait.
pub const LARGE_ANSWERS: usize = 8;
/// Bytes that the values of answers may take while they are sent, all answers together.
pub const ANSWERS_BYTES: usize = 512 << 20;
/// Metrics, labels and pairs of each list of `/api/v1/status/tsdb`, unless asked otherwise.
pub const TSDB_LISTED: usize = 10;
/// Bytes of a series selector in `match[]`.
pub const SELECTOR_BYTES: usize = 16_384;
/// Selectors of one request.
pub const SELECTORS: usize = 64;
/// Matchers of all selectors of one request.
pub const MATCHERS_PER_REQUEST: usize = 256;
/// Regular expressions among them.
pub const REGEXES_PER_REQUEST: usize = 32;
/// Bytes of one regular expression as it is written.
pub const REGEX_PATTERN_BYTES: usize = 4_096;
/// Groups and repetitions of a regular expression inside one another.
pub const REGEX_NESTING: u32 = 100;
/// Bytes that one compiled regular expression may take, and again what it remembers while it runs.
pub const REGEX_BYTES: usize = 256 << 10;

/// Exports that are being read at once; the next ones get 503.
pub const EXPORTS_AT_ONCE: usize = 4;
/// Samples of one line of an export, unless asked otherwise.
pub const LINE_SAMPLES_DEFAULT: usize = 10_000;
/// Samples of one line of an export, at most.
pub const LINE_SAMPLES_MAX: usize = 100_000;
/// Rollup rows of one line of an export.
pub const LINE_ROWS: usize = 1_000;
/// Imports that are being read at once; the next ones get 503.
pub const IMPORTS_AT_ONCE: usize = 2;
/// Bytes of one line of an import.
pub const LINE_BYTES: usize = 16 << 20;
/// Bytes of one element of an export file of the original.
pub const ITEM_BYTES: usize = 1 << 20;
/// Samples that an import hands to the store at once.
pub const IMPORT_BATCH_SAMPLES: usize = 10_000;

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

#[cfg(test)]
mod tests;
