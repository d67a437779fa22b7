//! Downsample: a series in at most so many points, without losing a spike.
//!
//! While they fit, samples are kept as they are. The one too many turns everything into buckets of
//! equal time, of which each keeps its lowest and its highest sample. Buckets stand at multiples of
//! their width, not at the start of the window: a chart that moves with the clock does not flicker.
//!
//! I-DOWN-1  At most `max_points` come out, in time order.
//! I-DOWN-2  The lowest and the highest value are among them (from two points on; a single point is
//!           the newest).
//! I-DOWN-3  Memory follows `max_points`, not the samples.
//! Proved by: downsample/tests.rs.

use tinyobs_model::{Sample, TimeRange};

/// Takes the samples of one series in time order.
#[derive(Debug)]
pub struct Downsampler {
    range: TimeRange,
    max_points: usize,
    /// As they came, while they fit; points of finished buckets afterwards.
    points: Vec<Sample>,
    buckets: Option<Buckets>,
    open: Option<Bucket>,
}

/// How time is cut.
#[derive(Debug, Clone, Copy)]
enum Buckets {
    /// Everything in one.
    One,
    /// At multiples of this width.
    WidthMs(i128),
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    number: i128,
    lowest: Sample,
    highest: Sample,
}

impl Downsampler {
    /// For samples inside `range`; `max_points` is at least 1.
    pub fn new(range: TimeRange, max_points: usize) -> Self {
        Self {
            range,
            max_points: max_points.max(1),
            points: Vec::new(),
            buckets: None,
            open: None,
        }
    }

    /// Adds a sample. Charts have no place for NaN (stale markers among them) and infinity.
    pub fn push(&mut self, sample: Sample) {
        if !sample.value.is_finite() {
            return;
        }
        if let Some(buckets) = self.buckets {
            self.push_to_bucket(sample, buckets);
        } else if self.points.len() < self.max_points {
            self.points.push(sample);
        } else if self.max_points == 1 {
            self.points[0] = sample;
        } else {
            let buckets = Buckets::new(self.range, self.max_points);
            self.buckets = Some(buckets);
            for earlier in std::mem::take(&mut self.points) {
                self.push_to_bucket(earlier, buckets);
            }
            self.push_to_bucket(sample, buckets);
        }
    }

    /// The points.
    pub fn finish(mut self) -> Vec<Sample> {
        self.close_bucket();
        self.points
    }

    fn push_to_bucket(&mut self, sample: Sample, buckets: Buckets) {
        let number = buckets.number(sample.time_ms);
        match &mut self.open {
            Some(bucket) if bucket.number == number => {
                if sample.value < bucket.lowest.value {
                    bucket.lowest = sample;
                }
                // The last of equals, so that a flat line keeps both its ends.
                if sample.value >= bucket.highest.value {
                    bucket.highest = sample;
                }
            }
            _ => {
                self.close_bucket();
                self.open = Some(Bucket {
                    number,
                    lowest: sample,
                    highest: sample,
                });
            }
        }
    }

    fn close_bucket(&mut self) {
        let Some(bucket) = self.open.take() else {
            return;
        };
        let (a, b) = (bucket.lowest, bucket.highest);
        let (first, second) = if a.time_ms <= b.time_ms {
            (a, b)
        } else {
            (b, a)
        };
        self.points.push(first);
        if second.time_ms != first.time_ms {
            self.points.push(second);
        }
    }
}

impl Buckets {
    /// Two points a bucket. A window that does not begin at a multiple of the width touches one
    /// bucket more than it is wide, hence the one less.
    fn new(range: TimeRange, max_points: usize) -> Self {
        let window_ms = i128::from(range.end_ms) - i128::from(range.start_ms) + 1;
        match (max_points / 2) as i128 {
            ..=1 => Self::One,
            buckets => Self::WidthMs((window_ms + buckets - 2) / (buckets - 1)),
        }
    }

    fn number(self, time_ms: i64) -> i128 {
        match self {
            Self::One => 0,
            Self::WidthMs(width_ms) => i128::from(time_ms).div_euclid(width_ms),
        }
    }
}

#[cfg(test)]
mod tests;
