//! Counter: what only grows.
//!
//!   your code ─▶ [Counter] ─▶ snapshot ─▶ push
//!
//! I-COUNTER-1  Every increment is counted exactly once, from however many threads, and whole
//!              numbers stay exact: they go to an integer, only fractions go to a float.
//! I-COUNTER-2  A counter never goes down: negative and non-finite amounts are skipped and counted.
//! I-COUNTER-3  An update is one atomic addition: no lock, no allocation.
//! Proved by: counter/tests.rs, tests/resources.rs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::number::Number;

/// A value that only grows, such as the number of requests since the process started.
///
/// Cheap to clone; keep one where you count. A clone counts into the same series.
#[derive(Debug, Clone)]
pub struct Counter(pub(crate) Arc<CounterCell>);

impl Counter {
    /// Adds one.
    #[inline]
    pub fn inc(&self) {
        self.0.whole.fetch_add(1, Relaxed);
    }

    /// Adds `amount`: any number, or a duration in seconds. What is negative or not finite is
    /// skipped, and counted in `tinyobs_sdk_samples_skipped_total`.
    #[inline]
    pub fn add(&self, amount: impl Number) {
        match amount.as_whole() {
            Some(whole) => {
                self.0.whole.fetch_add(whole, Relaxed);
            }
            None => self.0.add_fraction(amount.as_f64()),
        }
    }

    /// What was counted so far.
    pub fn value(&self) -> f64 {
        self.0.value()
    }
}

/// Where a counter's value lives. A cache line of its own, so that two counters that are updated
/// by two cores never slow each other down.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct CounterCell {
    whole: AtomicU64,
    fraction_bits: AtomicU64,
    skipped: Arc<AtomicU64>,
}

impl CounterCell {
    pub(crate) fn new(skipped: Arc<AtomicU64>) -> Self {
        Self {
            whole: AtomicU64::new(0),
            fraction_bits: AtomicU64::new(0),
            skipped,
        }
    }

    pub(crate) fn value(&self) -> f64 {
        self.whole.load(Relaxed) as f64 + f64::from_bits(self.fraction_bits.load(Relaxed))
    }

    /// For totals that something else counts, such as the kernel: the caller never lowers them.
    pub(crate) fn set_total(&self, total: f64) {
        if let Some(whole) = total.as_whole() {
            self.whole.store(whole, Relaxed);
            self.fraction_bits.store(0, Relaxed);
        } else {
            self.whole.store(0, Relaxed);
            self.fraction_bits.store(total.to_bits(), Relaxed);
        }
    }

    fn add_fraction(&self, amount: f64) {
        if amount >= 0.0 && amount.is_finite() {
            add_f64(&self.fraction_bits, amount);
        } else {
            self.skipped.fetch_add(1, Relaxed);
        }
    }
}

/// Adds to a float that is kept as bits: there is no atomic float, so try until nobody came between.
#[inline]
pub(crate) fn add_f64(bits: &AtomicU64, amount: f64) {
    let mut seen = bits.load(Relaxed);
    loop {
        let sum = (f64::from_bits(seen) + amount).to_bits();
        match bits.compare_exchange_weak(seen, sum, Relaxed, Relaxed) {
            Ok(_) => return,
            Err(now) => seen = now,
        }
    }
}

#[cfg(test)]
mod tests;
