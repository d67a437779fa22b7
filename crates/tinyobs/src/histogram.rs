//! Histogram: how observations spread.
//!
//!   your code ─▶ [Histogram] ─▶ snapshot ─▶ push
//!
//! An observation adds one to the single bucket it falls into; the cumulative counts that PromQL
//! wants are summed up when a snapshot is taken.
//!
//! I-HIST-1  A snapshot's count is the sum of its buckets, by construction: it has no counter of
//!           its own. The last bucket is a true `+Inf`, so nothing observed is ever outside.
//! I-HIST-2  Bounds ascend strictly and are finite, whatever list was given.
//! I-HIST-3  What is not finite is skipped and counted: one NaN would spoil the sum for ever.
//! I-HIST-4  An observation is a search among the bounds and two atomic additions: no lock, no
//!           allocation.
//! Proved by: histogram/tests.rs, tests/resources.rs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use tinyobs_model::limits;

use crate::counter::add_f64;
use crate::number::Number;

/// The bounds of a histogram that was given none: seconds of a request.
pub const DEFAULT_BOUNDS: [f64; 12] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Counts observations by size, such as durations of requests in seconds.
///
/// Cheap to clone; a clone observes into the same series.
#[derive(Debug, Clone)]
pub struct Histogram(pub(crate) Arc<HistogramCell>);

impl Histogram {
    /// Counts one observation: any number, or a duration in seconds. What is not finite is
    /// skipped, and counted in `tinyobs_sdk_samples_skipped_total`.
    #[inline]
    pub fn observe(&self, value: impl Number) {
        self.0.observe(value.as_f64());
    }

    /// Starts a stopwatch that observes the seconds passed when it is dropped.
    pub fn start_timer(&self) -> Timer {
        Timer {
            histogram: Some(self.clone()),
            started: Instant::now(),
        }
    }

    /// How much was observed so far.
    pub fn count(&self) -> u64 {
        self.0.buckets.iter().map(|b| b.load(Relaxed)).sum()
    }

    /// The sum of what was observed so far.
    pub fn sum(&self) -> f64 {
        self.0.sum()
    }
}

/// A running stopwatch of a [`Histogram`].
#[derive(Debug)]
#[must_use = "a timer that is dropped at once measures nothing"]
pub struct Timer {
    histogram: Option<Histogram>,
    started: Instant,
}

impl Timer {
    /// Stops and observes.
    pub fn observe(self) {}

    /// Stops without observing.
    pub fn discard(mut self) {
        self.histogram = None;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(histogram) = &self.histogram {
            histogram.observe(self.started.elapsed());
        }
    }
}

/// Where a histogram's counts live.
#[derive(Debug)]
pub(crate) struct HistogramCell {
    bounds: Arc<[f64]>,
    /// One more than bounds; each observation is in exactly one.
    buckets: Box<[AtomicU64]>,
    sum_bits: AtomicU64,
    skipped: Arc<AtomicU64>,
}

impl HistogramCell {
    pub(crate) fn new(bounds: Arc<[f64]>, skipped: Arc<AtomicU64>) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self {
            bounds,
            buckets,
            sum_bits: AtomicU64::new(0),
            skipped,
        }
    }

    pub(crate) fn sum(&self) -> f64 {
        f64::from_bits(self.sum_bits.load(Relaxed))
    }

    /// Appends the cumulative counts, one more than bounds; the last is the count of all.
    pub(crate) fn cumulative(&self, out: &mut Vec<u64>) {
        let mut total = 0;
        out.extend(self.buckets.iter().map(|bucket| {
            total += bucket.load(Relaxed);
            total
        }));
    }

    #[inline]
    fn observe(&self, value: f64) {
        if !value.is_finite() {
            self.skipped.fetch_add(1, Relaxed);
            return;
        }
        // `le` means "at most": a value on a bound belongs below it.
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.buckets[bucket].fetch_add(1, Relaxed);
        add_f64(&self.sum_bits, value);
    }
}

/// Makes usable bounds of any list: sorted, finite, without repeats, not too many. `+Inf` need not
/// be listed and may be. The flag tells whether anything else had to be changed.
pub(crate) fn clean_bounds(given: &[f64]) -> (Arc<[f64]>, bool) {
    let mut bounds: Vec<f64> = given.iter().copied().filter(|b| b.is_finite()).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds.truncate(limits::BUCKETS_PER_HISTOGRAM);
    let wanted = given.iter().filter(|bound| **bound != f64::INFINITY);
    let changed = !wanted.eq(bounds.iter());
    (bounds.into(), changed)
}

#[cfg(test)]
mod tests;
