//! Classic: one histogram of buckets with upper bounds, as `le` has them.
//!
//! I-CLASSIC-1  Counts never fall from one bucket to the next: what falls is lifted, silently if
//!              by no more than rounding takes.
//! I-CLASSIC-2  Inside of a bucket observations lie evenly; the first begins at 0 if it ends above.
//! Proved by: eval/tests/histograms.rs.

use super::stats::almost_equal;

/// A bucket: the observations up to a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bucket {
    pub bound: f64,
    pub count: f64,
}

/// How far a count may fall by rounding.
const TOLERANCE: f64 = 1e-12;

/// Buckets that can be asked, and whether counts had to be lifted.
pub(super) struct Classic {
    buckets: Vec<Bucket>,
    pub lifted: bool,
}

impl Classic {
    /// None without a bucket that ends at infinity.
    pub fn new(mut buckets: Vec<Bucket>) -> Option<Self> {
        buckets.sort_by(|a, b| a.bound.total_cmp(&b.bound));
        if buckets.last()?.bound != f64::INFINITY {
            return None;
        }
        let mut joined: Vec<Bucket> = Vec::with_capacity(buckets.len());
        for bucket in buckets {
            match joined.last_mut() {
                // One bound written in two ways.
                Some(last) if last.bound == bucket.bound => last.count += bucket.count,
                _ => joined.push(bucket),
            }
        }
        let lifted = lift(&mut joined);
        Some(Self {
            buckets: joined,
            lifted,
        })
    }

    pub fn quantile(&self, q: f64) -> f64 {
        if q.is_nan() {
            return f64::NAN;
        }
        if q < 0.0 {
            return f64::NEG_INFINITY;
        }
        if q > 1.0 {
            return f64::INFINITY;
        }
        let [finite @ .., last] = self.buckets.as_slice() else {
            return f64::NAN;
        };
        let Some(highest) = finite.last() else {
            return f64::NAN;
        };
        if last.count == 0.0 || last.count.is_nan() {
            return f64::NAN;
        }
        let rank = q * last.count;
        let at = finite.partition_point(|bucket| bucket.count < rank);
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

    /// The share of observations between two values.
    pub fn fraction(&self, lower: f64, upper: f64) -> f64 {
        let count = self.buckets.last().map_or(0.0, |last| last.count);
        if count == 0.0 || count.is_nan() || lower.is_nan() || upper.is_nan() {
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
