//! Read: a selector's series out of the source, in the resolution that answers.
//!
//!   selector, range ─▶ [SeriesSource] ─▶ cursors ─▶ spread ─▶ [Recorded], one series each
//!
//! The rule. Raw samples answer wherever they are there: what is asked of them is what Prometheus
//! says, bit for bit. Where they have been dropped, the finest rollups that are there answer. Only
//! when raw samples would be more than the query may read is all of it evaluated again with windows
//! of five minutes, and then of an hour, in the selectors whose range (or step, where there is no
//! range) is at least as wide; a warning says so. `docs/PROMQL.md` has what functions make of rows.
//!
//! I-READ-1  A query that reads raw samples alone is not touched by any of this.
//! I-READ-2  No answer is made of raw samples that were dropped while it was being made.
//! Proved by: tests/rolled.rs.

use std::collections::HashSet;

use tinyobs_model::{
    Columns, Labels, Resolution, ResolvedCursor, Rollup, SeriesCursor, Stretch, TimeRange,
};

use super::spread::Sink;
use super::{EvalError, Evaluated, Evaluator};
use crate::ast::Selector;
use crate::span::Span;

/// What is known of a series in a range of time.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// Samples as they were sent, stale markers among them.
    pub samples: Columns,
    /// Windows, where there are no samples. No two of them, and no sample, are of the same moment.
    pub rows: Vec<Row>,
    stretch: Stretch,
}

/// A window of a series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub resolution: Resolution,
    pub rollup: Rollup,
}

impl Row {
    /// The first moment after it.
    pub fn end_ms(&self) -> i64 {
        self.rollup.start_ms + self.resolution.width_ms()
    }
}

impl Recorded {
    fn clear(&mut self) {
        self.samples.clear();
        self.rows.clear();
    }

    fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.rows.is_empty()
    }
}

/// One series, not read yet.
pub(super) enum Cursor {
    Raw(Box<dyn SeriesCursor>),
    Resolved(Box<dyn ResolvedCursor>),
}

impl Cursor {
    pub fn labels(&self) -> &Labels {
        match self {
            Self::Raw(cursor) => cursor.labels(),
            Self::Resolved(cursor) => cursor.labels(),
        }
    }

    fn bytes_read(&self) -> u64 {
        match self {
            Self::Raw(cursor) => cursor.bytes_read(),
            Self::Resolved(cursor) => cursor.bytes_read(),
        }
    }
}

/// What a selector asks of the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub range: TimeRange,
    /// How far before `range` rows are of use: a window begins before its last sample, and a range
    /// is widened to the width of windows.
    pub rows_back: i64,
    /// The range of a range vector, or the step: rows wider than this are no substitute for samples
    /// that are there.
    pub coarse_ms: i64,
    pub span: Span,
}

/// What is made of a series.
pub(super) type Each<'f, 'e, T> =
    &'f (dyn Fn(&mut Evaluator<'e>, &Labels, &Recorded) -> Evaluated<Option<T>> + Sync);

impl<'e> Evaluator<'e> {
    /// Calls `each` with every series of `selector`, on several threads, and hands what it makes to
    /// `sink`, in the order of labels.
    pub(super) fn each_series<T: Send>(
        &mut self,
        selector: &Selector,
        asked: Asked,
        each: Each<'_, 'e, T>,
        sink: Sink<'_, 'e, T>,
    ) -> Evaluated<()> {
        let cursors = self.cursors(selector, asked)?;
        let work = |evaluator: &mut Self, mut cursor: Cursor| {
            // The memory of the series before serves again.
            let mut recorded = std::mem::take(&mut evaluator.recorded);
            let made = evaluator.read_series(&mut cursor, &mut recorded, each);
            evaluator.recorded = recorded;
            made
        };
        self.spread(cursors, &work, sink)?;
        self.still_there(asked.range)
    }

    fn cursors(&mut self, selector: &Selector, asked: Asked) -> Evaluated<Vec<Cursor>> {
        let wanted = self.wanted(asked);
        let is_raw = wanted == Resolution::Raw && self.raw_from_ms <= asked.range.start_ms;
        let source = self.source;
        let select = |matchers: &_| -> Evaluated<Vec<Cursor>> {
            if is_raw {
                let cursors = source.select(matchers, asked.range)?;
                return Ok(cursors.into_iter().map(Cursor::Raw).collect());
            }
            let start_ms = asked.range.start_ms.saturating_sub(asked.rows_back);
            let range = TimeRange::new(start_ms, asked.range.end_ms);
            let cursors = source.select_resolved(matchers, range, wanted.width_ms())?;
            Ok(cursors.into_iter().map(Cursor::Resolved).collect())
        };
        let mut cursors = select(&selector.matchers)?;
        if !selector.alternatives.is_empty() {
            for matchers in &selector.alternatives {
                cursors.extend(select(matchers)?);
            }
            let mut seen = HashSet::new();
            cursors.retain(|cursor| seen.insert(cursor.labels().clone()));
            cursors.sort_by(|a, b| a.labels().cmp(b.labels()));
        }
        Ok(cursors)
    }

    /// The resolution that is asked of the source.
    fn wanted(&mut self, asked: Asked) -> Resolution {
        let fits = |resolution: &Resolution| resolution.width_ms() <= asked.coarse_ms;
        let coarsest = Resolution::ALL.into_iter().rev().find(fits);
        let coarsest = coarsest.unwrap_or(Resolution::Raw);
        self.could_be_coarser |= coarsest > self.coarsest;
        let wanted = coarsest.min(self.coarsest);
        if wanted > Resolution::Raw {
            let most = self.query.budget.samples;
            let text = format!(
                "raw samples would be more than the {most} that a query may read, windows of \
                 {wanted} are read instead where there are any"
            );
            self.warn(asked.span, &text);
        }
        wanted
    }

    /// I-READ-2
    fn still_there(&self, range: TimeRange) -> Evaluated<()> {
        let from_ms = self.source.raw_from_ms();
        if from_ms > self.raw_from_ms && from_ms > range.start_ms {
            return Err(EvalError::Moved);
        }
        Ok(())
    }

    fn read_series<T>(
        &mut self,
        cursor: &mut Cursor,
        recorded: &mut Recorded,
        each: Each<'_, 'e, T>,
    ) -> Evaluated<Option<T>> {
        recorded.clear();
        let held = match cursor {
            Cursor::Raw(cursor) => self.read_raw(cursor.as_mut(), recorded)?,
            Cursor::Resolved(cursor) => self.read_resolved(cursor.as_mut(), recorded)?,
        };
        let mut made = None;
        if !recorded.is_empty() {
            self.meter.series_read(cursor.bytes_read());
            made = each(self, cursor.labels(), recorded)?;
        }
        self.meter.give_back(held);
        Ok(made)
    }

    /// All samples of `cursor`, counted; how many bytes that are.
    fn read_raw(
        &mut self,
        cursor: &mut dyn SeriesCursor,
        recorded: &mut Recorded,
    ) -> Evaluated<u64> {
        let samples = &mut recorded.samples;
        let mut held = 0;
        loop {
            let before = samples.len();
            if !cursor.read_more(samples)? {
                break;
            }
            let new = samples.len() - before;
            held += self.take_read(new, new * BYTES_OF_SAMPLE)?;
        }
        if let (Some(&first), Some(&last)) = (samples.times.first(), samples.times.last()) {
            let range = TimeRange::new(first, last);
            self.meter.note(Resolution::Raw, samples.len(), range);
        }
        Ok(held)
    }

    fn read_resolved(
        &mut self,
        cursor: &mut dyn ResolvedCursor,
        recorded: &mut Recorded,
    ) -> Evaluated<u64> {
        let mut held = 0;
        while cursor.next_stretch(&mut recorded.stretch)? {
            let stretch = &recorded.stretch;
            let (times, rows) = (&stretch.samples.times, &stretch.rollups);
            if let (Some(&first), Some(&last)) = (times.first(), times.last()) {
                let range = TimeRange::new(first, last);
                self.meter.note(Resolution::Raw, times.len(), range);
                held += self.take_read(times.len(), times.len() * BYTES_OF_SAMPLE)?;
                recorded.samples.times.extend_from_slice(times);
                let values = &stretch.samples.values;
                recorded.samples.values.extend_from_slice(values);
            }
            let resolution = stretch.resolution;
            if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
                let end_ms = last.start_ms + resolution.width_ms();
                let range = TimeRange::new(first.start_ms, end_ms);
                self.meter.note(resolution, rows.len(), range);
                held += self.take_read(rows.len(), rows.len() * size_of::<Row>())?;
                let row = |&rollup: &Rollup| Row { resolution, rollup };
                recorded.rows.extend(rows.iter().map(row));
            }
        }
        Ok(held)
    }

    fn take_read(&self, count: usize, bytes: usize) -> Evaluated<u64> {
        self.meter.take_samples(count)?;
        self.meter.take_bytes(bytes as u64)?;
        Ok(bytes as u64)
    }
}

const BYTES_OF_SAMPLE: usize = size_of::<i64>() + size_of::<f64>();
