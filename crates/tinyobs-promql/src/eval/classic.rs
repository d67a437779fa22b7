//! Classic: one histogram of buckets with upper bounds, as `le` has them.
//!
//! I-CLASSIC-1  For a quantile counts never fall from one bucket to the next: what falls is lifted,
//!              silently if by no more than rounding takes. Fractions are of the counts as they are.
//! I-CLASSIC-2  Inside of a bucket observations lie evenly; the first begins at 0 if it ends above.
//! Proved by: scripts/histograms.test.

use std::cmp::Ordering::{Equal, Greater};

use super::stats::almost_equal;

/// A bucket: the observations up to a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bucket {
    pub bound: f64,
    pub count: f64,
}

/// How far a count may fall by rounding.
const TOLERANCE: f64 = 1e-12;

/// Buckets of one moment after the other.
#[derive(Default)]
pub(super) struct Classic {
    buckets: Vec<Bucket>,
    /// Whether counts of any that were here had to be lifted.
    pub lifted: bool,
}

impl Classic {
    /// Takes buckets in the order of their bounds in place of those it had.
    pub fn refill(&mut self, buckets: impl Iterator<Item = Bucket>) {
        self.buckets.clear();
        for bucket in buckets {
            match self.buckets.last_mut() {
                // One bound written in two ways.
                Some(last) if last.bound == bucket.bound => last.count += bucket.count,
                _ => self.buckets.push(bucket),
            }
        }
    }

    /// Whether one of them ends at infinity, so that all observations are known.
    fn is_whole(&self) -> bool {
        let last = self.buckets.last();
        last.is_some_and(|last| last.bound == f64::INFINITY)
    }

    /// Whether there are no buckets.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Lifts counts on the way: I-CLASSIC-1.
    pub fn quantile(&mut self, q: f64) -> f64 {
        if q.is_nan() {
            return f64::NAN;
        }
        if q < 0.0 {
            return f64::NEG_INFINITY;
        }
        if q > 1.0 {
            return f64::INFINITY;
        }
        if !self.is_whole() {
            return f64::NAN;
        }
        self.lifted |= lift(&mut self.buckets);
        let [finite @ .., last] = self.buckets.as_slice() else {
            return f64::NAN;
        };
        let Some(highest) = finite.last() else {
            return f64::NAN;
        };
        if last.count == 0.0 {
            return f64::NAN;
        }
        let rank = q * last.count;
        // What is not a number is behind all of them.
        let below =
            |bucket: &Bucket| !matches!(bucket.count.partial_cmp(&rank), Some(Equal | Greater));
        let at = finite.partition_point(below);
        let Some(bucket) = finite.get(at) else {
            return highest.bound;
        };
        if at == 0 && bucket.bound <= 0.0 {
            return bucket.bound;
        }
        let (start, below) = match at.checked_sub(1).and_then(|before| finite.get(before)) {
            Some(before) => (before.bound, before.count),
            None => (0.0, 0.0),
        };
        start + (bucket.bound - start) * ((rank - below) / (bucket.count - below))
    }

    /// The share of observations between two values, of the counts as they are.
    pub fn fraction(&self, lower: f64, upper: f64) -> f64 {
        if !self.is_whole() {
            return f64::NAN;
        }
        let count = self.buckets.last().map_or(0.0, |last| last.count);
        if count == 0.0 || lower.is_nan() || upper.is_nan() {
            return f64::NAN;
        }
        if lower >= upper {
            return 0.0;
        }
        (self.rank(upper).min(count) - self.rank(lower).min(count)) / count
    }

    /// How many observations are below `value`.
    fn rank(&self, value: f64) -> f64 {
        let (mut below, mut start) = (0.0, f64::NEG_INFINITY);
        for (i, bucket) in self.buckets.iter().enumerate() {
            if i == 0 && bucket.bound > 0.0 {
                start = 0.0;
            }
            if start >= value {
                return below;
            }
            if bucket.bound > value {
                // Nothing is known of how they lie in a bucket without a beginning.
                return if start == f64::NEG_INFINITY {
                    bucket.count
                } else {
                    below + (bucket.count - below) * (value - start) / (bucket.bound - start)
                };
            }
            (below, start) = (bucket.count, bucket.bound);
        }
        below
    }
}

/// I-CLASSIC-1
fn lift(buckets: &mut [Bucket]) -> bool {
    let mut lifted = false;
    let Some(first) = buckets.first() else {
        return false;
    };
    let mut before = first.count;
    for bucket in &mut buckets[1..] {
        if almost_equal(before, bucket.count, TOLERANCE) {
            bucket.count = before;
        } else if bucket.count < before {
            bucket.count = before;
            lifted = true;
        } else {
            before = bucket.count;
        }
    }
    lifted
}
