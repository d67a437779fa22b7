//! Gauge: what goes up and down.
//!
//!   your code ─▶ [Gauge] ─▶ snapshot ─▶ push
//!
//! I-GAUGE-1  Additions from several threads are all there: nothing is lost between two of them.
//! I-GAUGE-2  NaN and ±Inf can be set, but are not sent: JSON has no number for them. The push
//!            skips them and counts.
//! Proved by: gauge/tests.rs, snapshot/tests.rs, tests/it/push.rs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::counter::add_f64;
use crate::number::Number;

/// A value that goes up and down, such as a queue's length.
///
/// Cheap to clone; a clone sets the same series. It is 0 until something is set.
#[derive(Debug, Clone)]
pub struct Gauge(pub(crate) Arc<GaugeCell>);

impl Gauge {
    /// Replaces the value: any number, or a duration in seconds.
    #[inline]
    pub fn set(&self, value: impl Number) {
        self.0.bits.store(value.as_f64().to_bits(), Relaxed);
    }

    /// Adds to the value.
    #[inline]
    pub fn add(&self, amount: impl Number) {
        add_f64(&self.0.bits, amount.as_f64());
    }

    /// Takes from the value.
    #[inline]
    pub fn sub(&self, amount: impl Number) {
        add_f64(&self.0.bits, -amount.as_f64());
    }

    /// Adds one.
    #[inline]
    pub fn inc(&self) {
        add_f64(&self.0.bits, 1.0);
    }

    /// Takes one away.
    #[inline]
    pub fn dec(&self) {
        add_f64(&self.0.bits, -1.0);
    }

    /// The value as it is now.
    pub fn value(&self) -> f64 {
        self.0.value()
    }
}

/// Where a gauge's value lives; a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct GaugeCell {
    bits: AtomicU64,
}

impl GaugeCell {
    pub(crate) fn value(&self) -> f64 {
        f64::from_bits(self.bits.load(Relaxed))
    }
}

#[cfg(test)]
mod tests;
