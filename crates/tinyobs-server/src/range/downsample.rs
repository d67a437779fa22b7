//! Downsample: a series in at most so many points, without losing a spike or an increase.
//!
//! While they fit, samples are kept as they are. The one too many turns everything into buckets of
//! equal time, of which each keeps its lowest and its highest sample; those of a counter keep their
//! first, their last, and the two around their largest drop, so half as many buckets fit. Buckets
//! stand at multiples of their width, not at the start of the window: a chart that moves with the
//! clock does not flicker.
//!
//! I-DOWN-1  At most `max_points` come out, in time order.
//! I-DOWN-2  The lowest and the highest value are among them, unless the series is cumulative (from
//!           two points on; a single point is the newest).
//! I-DOWN-3  Memory follows `max_points`, not the samples.
//! I-DOWN-4  The increase of a cumulative series over its points, restarts at 0 counted, is that
//!           over all samples while no bucket has two restarts (from four points on; with fewer,
//!           while there is none). Further restarts take from it, and nothing adds to it.
//! Proved by: downsample/tests.rs.

use tinyobs_model::{Sample, TimeRange};

mod bucket;

use bucket::Bucket;
pub use bucket::Keep;

/// Takes the samples of one series in time order.
#[derive(Debug)]
pub struct Downsampler {
    range: TimeRange,
    max_points: usize,
    keep: Keep,
    /// As they came, while they fit; points of finished buckets afterwards.
    points: Vec<Sample>,
    buckets: Option<Buckets>,
    /// The number of the newest bucket, and what is in it.
    open: Option<(i128, Bucket)>,
}

/// How time is cut.
#[derive(Debug, Clone, Copy)]
enum Buckets {
    /// Everything in one.
    One,
    /// At multiples of this width.
    WidthMs(i128),
}

impl Downsampler {
    /// For samples inside `range`; `max_points` is at least 1.
    pub fn new(range: TimeRange, max_points: usize, keep: Keep) -> Self {
        Self {
            range,
            keep,
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
            let buckets = Buckets::new(self.range, self.max_points / self.keep.points());
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
            Some((open, bucket)) if *open == number => bucket.push(sample),
            _ => {
                self.close_bucket();
                self.open = Some((number, Bucket::new(self.keep, sample)));
            }
        }
    }

    fn close_bucket(&mut self) {
        if let Some((_, bucket)) = self.open.take() {
            bucket.close(self.max_points, &mut self.points);
        }
    }
}

impl Buckets {
    /// At most `most` buckets. A window that does not begin at a multiple of the width touches one
    /// bucket more than it is wide, hence the one less.
    fn new(range: TimeRange, most: usize) -> Self {
        let window_ms = i128::from(range.end_ms) - i128::from(range.start_ms) + 1;
        match most as i128 {
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
