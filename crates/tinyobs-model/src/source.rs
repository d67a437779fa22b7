//! SeriesSource: what a store offers to whoever queries it.
//!
//!   store ─▶ [SeriesSource::select] ─▶ one [SeriesCursor] per series ─▶ columns of samples
//!         ─▶ [SeriesSource::select_resolved] ─▶ one [ResolvedCursor] per series ─▶ samples, rollups
//!
//! I-SOURCE-1  Cursors come in the order of their labels, pair by pair.
//! I-SOURCE-2  A cursor yields each time once, ascending, all inside the asked range.
//! I-SOURCE-3  A cursor sees the samples acknowledged before `select` was called.
//! I-SOURCE-4  A source without rollups need not say so: what it selects is one raw stretch after the
//!             other.
//! Proved by: source/tests.rs, tinyobs-server range/tests.rs over a real store, tinyobs-store
//! tests/model.rs.

use crate::labels::Labels;
use crate::matcher::Matcher;
use crate::rollup::{Resolution, Rollup};
use crate::sample::{Sample, TimeRange};

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

    /// Adds the next samples behind those that `out` holds; false, with `out` as it was, at the end.
    ///
    /// # Errors
    /// Stored bytes cannot be read or fail their checksum.
    fn read_more(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        let mut block = Columns::default();
        let more = self.next_block(&mut block)?;
        out.times.append(&mut block.times);
        out.values.append(&mut block.values);
        Ok(more)
    }

    /// Stored bytes that were read so far, compressed as they are.
    fn bytes_read(&self) -> u64 {
        0
    }
}

/// A stretch of one series in one resolution.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// What it is made of: `samples` when raw, else `rollups`.
    pub resolution: Resolution,
    /// Samples in time order.
    pub samples: Columns,
    /// Windows in time order.
    pub rollups: Vec<Rollup>,
}

impl Default for Stretch {
    fn default() -> Self {
        Self {
            resolution: Resolution::Raw,
            samples: Columns::default(),
            rollups: Vec::new(),
        }
    }
}

/// One series in time order, each stretch of time in the resolution that serves it best.
pub trait ResolvedCursor: Send {
    /// The series.
    fn labels(&self) -> &Labels;

    /// Replaces `out` by the next stretch; false, with `out` empty, at the end. A window at either
    /// end of the asked range may reach beyond it; no two stretches hold the same moment.
    ///
    /// # Errors
    /// Stored bytes cannot be read or fail their checksum.
    fn next_stretch(&mut self, out: &mut Stretch) -> Result<bool, SelectError>;

    /// Stored bytes that were read so far, compressed as they are.
    fn bytes_read(&self) -> u64 {
        0
    }
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

    /// One cursor for each series that satisfies all `matchers` and may have data in `range`, for a
    /// reader that wants one point every `step_ms`; samples alone, where there are no rollups.
    ///
    /// # Errors
    /// Stored bytes cannot be read or fail their checksum.
    fn select_resolved(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        _step_ms: i64,
    ) -> Result<Vec<Box<dyn ResolvedCursor>>, SelectError> {
        let cursors = self.select(matchers, range)?.into_iter();
        let raw = |cursor| -> Box<dyn ResolvedCursor> { Box::new(Raw(cursor)) };
        Ok(cursors.map(raw).collect())
    }

    /// The moment from which on all samples are there as they were sent; what is older may be there
    /// as rollups only. It never goes back.
    fn raw_from_ms(&self) -> i64 {
        i64::MIN
    }
}

/// A series without rollups (I-SOURCE-4).
struct Raw(Box<dyn SeriesCursor>);

impl ResolvedCursor for Raw {
    fn labels(&self) -> &Labels {
        self.0.labels()
    }

    fn next_stretch(&mut self, out: &mut Stretch) -> Result<bool, SelectError> {
        out.resolution = Resolution::Raw;
        out.rollups.clear();
        self.0.next_block(&mut out.samples)
    }

    fn bytes_read(&self) -> u64 {
        self.0.bytes_read()
    }
}

#[cfg(test)]
mod tests;
