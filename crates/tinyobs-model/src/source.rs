//! SeriesSource: what a store offers to whoever queries it.
//!
//!   store ─▶ [SeriesSource::select] ─▶ one [SeriesCursor] per series ─▶ columns of samples
//!
//! I-SOURCE-1  Cursors come in the order of their labels, pair by pair.
//! I-SOURCE-2  A cursor yields each time once, ascending, all inside the asked range.
//! I-SOURCE-3  A cursor sees the samples acknowledged before `select` was called.
//! Proved by: tinyobs-server range/tests.rs over a real store, tinyobs-store tests/model.rs.

use std::fmt;

use crate::labels::Labels;
use crate::matcher::Matcher;
use crate::sample::{Sample, TimeRange};

/// Which of the stored resolutions samples come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Resolution {
    /// As they were sent.
    Raw = 0,
}

impl Resolution {
    /// The name used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
        }
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Samples as two columns of one length.
#[derive(Debug, Default, Clone)]
pub struct Columns {
    /// Milliseconds since the epoch, ascending.
    pub times: Vec<i64>,
    /// The value at the same place in `times`.
    pub values: Vec<f64>,
}

impl Columns {
    /// Adds one sample.
    pub fn push(&mut self, sample: Sample) {
        self.times.push(sample.time_ms);
        self.values.push(sample.value);
    }

    /// Forgets the samples but keeps the memory.
    pub fn clear(&mut self) {
        self.times.clear();
        self.values.clear();
    }

    /// Samples held.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The samples one by one.
    pub fn iter(&self) -> impl Iterator<Item = Sample> {
        self.times
            .iter()
            .zip(&self.values)
            .map(|(&time_ms, &value)| Sample { time_ms, value })
    }
}

/// Reading stored samples failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SelectError {
    /// What failed, naming the place.
    pub message: String,
}

/// The samples of one series, block by block.
pub trait SeriesCursor: Send {
    /// The series.
    fn labels(&self) -> &Labels;

    /// Replaces `out` by the next samples; false, with `out` empty, at the end.
    ///
    /// # Errors
    /// Stored bytes cannot be read or fail their checksum.
    fn next_block(&mut self, out: &mut Columns) -> Result<bool, SelectError>;
}

/// A place that holds series.
pub trait SeriesSource: Send + Sync {
    /// One cursor for each series that satisfies all `matchers` and may have samples in `range`.
    ///
    /// # Errors
    /// Stored bytes cannot be read or fail their checksum.
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<Box<dyn SeriesCursor>>, SelectError>;
}
