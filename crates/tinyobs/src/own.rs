//! The SDK's metrics about itself: few, and sent like any other.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::counter::Counter;
use crate::registry::Registry;

#[derive(Debug)]
pub(crate) struct OwnMetrics {
    /// Requests that the server took.
    pub(crate) pushes: Counter,
    /// Requests that failed or were refused.
    pub(crate) failures: Counter,
    /// Requests that repeated a failed one.
    pub(crate) retries: Counter,
    /// Series that the server refused, once for each push.
    pub(crate) refused: Counter,
    skipped: Counter,
    skipped_in_snapshots: AtomicU64,
}

impl OwnMetrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        let counter = |name, help| {
            registry.describe(name, "", help);
            registry.counter(name, &[])
        };
        Self {
            pushes: counter(
                "tinyobs_sdk_pushes_total",
                "Push requests that the server took.",
            ),
            failures: counter(
                "tinyobs_sdk_push_failures_total",
                "Push requests that failed or were refused.",
            ),
            retries: counter(
                "tinyobs_sdk_push_retries_total",
                "Push requests that repeated a failed one.",
            ),
            refused: counter(
                "tinyobs_sdk_samples_refused_total",
                "Values that the server refused.",
            ),
            skipped: counter(
                "tinyobs_sdk_samples_skipped_total",
                "Values that could not be recorded or sent: NaN, infinite, or negative in a counter.",
            ),
            skipped_in_snapshots: AtomicU64::new(0),
        }
    }

    /// Counts updates that made no sense, `updates` since the start, and series that a snapshot
    /// left out.
    pub(crate) fn skipped(&self, updates: u64, in_snapshot: u64) {
        let before = self.skipped_in_snapshots.fetch_add(in_snapshot, Relaxed);
        self.skipped
            .0
            .set_total((updates + before + in_snapshot) as f64);
    }
}
