//! Counted: which intervals the newest value of a series is made of.
//!
//!   [`Deltas`](super::delta) ─▶ [Counted::has] a repeat? ─▶ [Counted::note]
//!
//! The store knows milliseconds, and intervals end at nanoseconds: of two that end within one
//! millisecond it cannot say whether the second is the first once more. So the intervals of the
//! newest millisecond of each series are remembered, for as long as the process lives.
//!
//! I-COUNTED-1  What is noted is believed as far as the stored value agrees with it: an interval whose
//!              batch was not stored has not been counted.
//! I-COUNTED-2  Where nothing is known, after a restart say, an interval that ends in the newest
//!              millisecond is taken for a repeat: nothing is ever counted twice.
//! I-COUNTED-3  From request to request there is memory for at most `limits::DELTA_INTERVALS`, and at
//!              most `limits::DELTAS_PER_MS` of a series are remembered.
//! Proved by: otlp/tests/deltas.rs, counted/tests.rs, fuzz target `otlp`.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use tinyobs_model::{Sample, limits};

use super::delta::to_ms;

/// What a delta says, and what tells it from others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Where it begins.
    pub start_ns: u64,
    /// Where it ends.
    pub end_ns: u64,
    /// What the series that stands for all of its metric grows by: a sum, or a histogram's count.
    pub adds: f64,
    /// Whether nothing is ever taken away.
    pub only_grows: bool,
    /// Of everything else that it says.
    pub hash: u64,
}

/// The intervals of the newest millisecond of many series.
#[derive(Debug, Default, Clone)]
pub struct Counted {
    hasher: RandomState,
    /// By the hash of their canonical labels, each interval with the total behind it.
    series: HashMap<u64, Vec<(Interval, f64)>>,
    /// That there is memory for.
    intervals: usize,
}

impl Counted {
    /// A request begins: what is too much to remember is forgotten (I-COUNTED-3), now and not while
    /// the intervals of one request meet each other.
    pub fn begin(&mut self) {
        if self.intervals > limits::DELTA_INTERVALS {
            self.series.clear();
            self.intervals = 0;
        }
    }

    /// Whether an interval that ends in the millisecond of the newest value is part of it.
    pub fn has(&self, labels: &[u8], newest: Sample, interval: &Interval) -> bool {
        // I-COUNTED-2
        let known = self.behind(labels, newest);
        known.is_none_or(|known| known.iter().any(|(one, _)| one == interval))
    }

    /// Whether a series has no room for one more that ends in the millisecond of the newest value.
    pub fn is_full(&self, labels: &[u8], newest: Sample) -> bool {
        let known = self.behind(labels, newest);
        known.is_some_and(|known| known.len() >= limits::DELTAS_PER_MS)
    }

    /// Notes an interval that is counted now, and the total behind it.
    pub fn note(&mut self, labels: &[u8], newest: Option<Sample>, interval: Interval, total: f64) {
        let end_ms = to_ms(interval.end_ns);
        let same_ms = newest.filter(|newest| newest.time_ms == end_ms);
        let kept = same_ms.and_then(|newest| Some(self.behind(labels, newest)?.len()));
        let known = self.series.entry(self.hasher.hash_one(labels)).or_default();
        self.intervals -= known.capacity();
        match kept {
            Some(kept) => known.truncate(kept),
            // Nearly all: a push a minute needs no more room than for one.
            None => *known = Vec::with_capacity(1),
        }
        known.push((interval, total));
        self.intervals += known.capacity();
    }

    /// The intervals up to the one that the newest value stands behind (I-COUNTED-1).
    fn behind(&self, labels: &[u8], newest: Sample) -> Option<&[(Interval, f64)]> {
        let known = self.series.get(&self.hasher.hash_one(labels))?;
        let is_newest = |(interval, total): &(Interval, f64)| {
            to_ms(interval.end_ns) == newest.time_ms && total.to_bits() == newest.value.to_bits()
        };
        known.get(..=known.iter().rposition(is_newest)?)
    }
}

#[cfg(test)]
mod tests;
