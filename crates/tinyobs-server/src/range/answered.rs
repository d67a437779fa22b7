//! Answered: which resolution each stretch of a line came from.

use serde::Serialize;
use tinyobs_model::{Resolution, Stretch, TimeRange};

/// A stretch of time in one resolution, as answers show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// First millisecond.
    pub start: i64,
    /// Last millisecond.
    pub end: i64,
    /// What was read there.
    #[serde(serialize_with = "name")]
    pub resolution: Resolution,
}

/// The stretches of one line, in time order, neighbours of one resolution as one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stretches(Vec<Answered>);

impl Stretches {
    /// Adds what a cursor yielded, as far as it lies in `range`.
    pub fn push(&mut self, stretch: &Stretch, range: TimeRange) {
        let extent = match stretch.resolution {
            Resolution::Raw => {
                let times = &stretch.samples.times;
                times.first().copied().zip(times.last().copied())
            }
            resolution => {
                let starts = stretch.rollups.first().zip(stretch.rollups.last());
                let end = |start_ms: i64| start_ms.saturating_add(resolution.width_ms() - 1);
                starts.map(|(first, last)| (first.start_ms, end(last.start_ms)))
            }
        };
        let Some((start, end)) = extent else {
            return;
        };
        let (start, end) = (start.max(range.start_ms), end.min(range.end_ms));
        match self.0.last_mut() {
            _ if start > end => {}
            Some(before) if before.resolution == stretch.resolution => before.end = end,
            _ => self.0.push(Answered {
                start,
                end,
                resolution: stretch.resolution,
            }),
        }
    }

    /// The coarsest of them.
    pub fn coarsest(&self) -> Resolution {
        let all = self.0.iter().map(|answered| answered.resolution);
        all.max().unwrap_or(Resolution::Raw)
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Answered> {
        self.0
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn name<S: serde::Serializer>(resolution: &Resolution, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(resolution.as_str())
}
