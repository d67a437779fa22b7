//! Limits of the SDK: whatever the host does, its memory and its threads stay bounded.
//!
//! The server's limits come from `tinyobs_model::limits`; these are the ones of the sender.

use std::time::Duration;

use tinyobs_model::limits::BATCH_BYTES;

/// Series of one metric in one client; all further label sets share the overflow series.
/// OpenTelemetry's SDKs stop at the same number.
pub const SERIES_PER_METRIC: usize = 2_000;
/// Series of one client, all metrics together: ten times what a server takes by default.
pub const SERIES: usize = 100_000;
/// Metric names of one client, registered or described.
pub const METRICS: usize = 5_000;
/// A request is sent once its body is this long: with the largest item on top it stays near 1 MiB,
/// which is what common reverse proxies let through.
pub(crate) const BODY_BYTES: usize = 768 << 10;
/// A request is also sent before its series take more than this in the server's batch, where each
/// bucket of a histogram repeats all labels. Half of what the server takes: we count roughly.
pub(crate) const UNFOLDED_BYTES: usize = BATCH_BYTES / 2;
/// Bytes of an answer that are read. The server lists a hundred errors at most.
pub(crate) const ANSWER_BYTES: u64 = 256 << 10;
/// How long one request may take when nobody waits for it.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The first wait after a failure.
pub(crate) const BACKOFF_FIRST: Duration = Duration::from_millis(250);
/// The longest wait after failures: a server that comes back has everything within this time.
pub(crate) const BACKOFF_LONGEST: Duration = Duration::from_secs(10);
/// The longest `Retry-After` that is obeyed.
pub(crate) const RETRY_AFTER_LONGEST: Duration = Duration::from_mins(1);
/// The longest that a caller waits, however long it is willing to: no clock counts as far as
/// `Duration::MAX`, and a year is as good.
pub(crate) const WAIT_LONGEST: Duration = Duration::from_hours(365 * 24);
/// What `Drop` spends on the last push.
pub(crate) const DROP_DEADLINE: Duration = Duration::from_secs(2);
/// The shortest and the longest flush interval.
pub(crate) const INTERVAL_SHORTEST: Duration = Duration::from_millis(10);
pub(crate) const INTERVAL_LONGEST: Duration = Duration::from_hours(1);
/// The first push comes after this time even when the interval is longer, so that a new service
/// shows up at once.
pub(crate) const FIRST_PUSH: Duration = Duration::from_secs(1);
/// The same kind of warning is printed again after this time.
pub(crate) const NOTICE_EVERY: Duration = Duration::from_mins(10);
/// Notices about mistakes in the host's code, each said once.
pub(crate) const NOTICES_ONCE: usize = 100;
