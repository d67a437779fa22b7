//! Bucket: the samples of one stretch of time, and the few of them that are kept.

use tinyobs_model::{Kind, Sample};

/// What must survive of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The lowest and the highest value: of what goes up and down.
    Extremes,
    /// The increase, over a restart at 0 too: of what only grows.
    Increase,
}

impl Keep {
    /// What matters of a metric of this kind.
    pub fn of(kind: Kind) -> Self {
        if kind.is_cumulative() {
            Self::Increase
        } else {
            Self::Extremes
        }
    }

    /// Points of one bucket at most.
    pub fn points(self) -> usize {
        match self {
            Self::Extremes => 2,
            Self::Increase => 4,
        }
    }
}

/// Takes the samples of a bucket in time order.
#[derive(Debug, Clone, Copy)]
pub enum Bucket {
    Extremes {
        lowest: Sample,
        highest: Sample,
    },
    /// Between its ends a counter only grows, so they tell the increase, unless it restarts: then
    /// the samples before and after the restart are needed too.
    Increase {
        first: Sample,
        drop: Option<(Sample, Sample)>,
        last: Sample,
    },
}

impl Bucket {
    /// A bucket that begins with `sample`.
    pub fn new(keep: Keep, sample: Sample) -> Self {
        match keep {
            Keep::Extremes => Self::Extremes {
                lowest: sample,
                highest: sample,
            },
            Keep::Increase => Self::Increase {
                first: sample,
                drop: None,
                last: sample,
            },
        }
    }

    /// Adds a sample.
    pub fn push(&mut self, sample: Sample) {
        match self {
            Self::Extremes { lowest, highest } => {
                if sample.value < lowest.value {
                    *lowest = sample;
                }
                // The last of equals, so that a flat line keeps both its ends.
                if sample.value >= highest.value {
                    *highest = sample;
                }
            }
            Self::Increase { drop, last, .. } => {
                let largest = drop.map_or(0.0, |(before, after)| before.value - after.value);
                if last.value - sample.value > largest {
                    *drop = Some((*last, sample));
                }
                *last = sample;
            }
        }
    }

    /// Appends the samples kept to `points`, each once, in time order; of a counter only its ends
    /// when there is no room for `most`.
    pub fn close(self, most: usize, points: &mut Vec<Sample>) {
        let kept = match self {
            Self::Extremes { lowest, highest } if lowest.time_ms <= highest.time_ms => {
                [Some(lowest), None, None, Some(highest)]
            }
            Self::Extremes { lowest, highest } => [Some(highest), None, None, Some(lowest)],
            Self::Increase { first, drop, last } => {
                let drop = drop.filter(|_| most >= Keep::Increase.points());
                let (before, after) = drop.unzip();
                [Some(first), before, after, Some(last)]
            }
        };
        let begin = points.len();
        for sample in kept.into_iter().flatten() {
            let is_new = |before: &Sample| before.time_ms != sample.time_ms;
            if points[begin..].last().is_none_or(is_new) {
                points.push(sample);
            }
        }
    }
}
