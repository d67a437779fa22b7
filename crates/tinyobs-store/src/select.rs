//! Select: the samples of one series, from wherever they stand, in time order and once each.
//!
//!   matchers ─▶ index ─▶ ids ─▶ [Cursor] ─▶ [`crate::runs`] over head and engine
//!
//! I-SELECT-1  The head is read before the engine. A flush puts chunks into the engine before it
//!             takes them out of the head, so a sample may be met twice but never missed.
//! I-SELECT-2  Of samples at one time the one written last wins: unsealed before sealed, sealed in
//!             the head before the engine, and in the engine the later flush.
//! Proved by: select/tests.rs, tests/model.rs.

use std::ops::ControlFlow;
use std::sync::Arc;

use tinyobs_model::{Columns, Labels, Sample, SelectError, SeriesCursor, TimeRange};

use crate::chunk::Chunk;
use crate::engine::{Engine, EntryReader, Partition, Space, View, key};
use crate::error::StoreError;
use crate::head::Head;
use crate::head::series::SealedChunk;
use crate::runs::{Run, Runs, collect_stored};
use crate::wal::record::SeriesId;

/// Reads one series, block by block.
pub struct Cursor {
    labels: Labels,
    id: SeriesId,
    range: TimeRange,
    head: Arc<Head>,
    engine: Arc<dyn Engine>,
    /// None before the first block.
    runs: Option<Runs>,
    /// Of all runs, compressed.
    bytes: u64,
}

impl Cursor {
    /// A cursor over series `id` in `range`. Nothing is read before the first block.
    pub fn new(
        id: SeriesId,
        labels: Labels,
        range: TimeRange,
        head: Arc<Head>,
        engine: Arc<dyn Engine>,
    ) -> Self {
        Self {
            labels,
            id,
            range,
            head,
            engine,
            runs: None,
            bytes: 0,
        }
    }

    fn collect_runs(&mut self) -> Result<Runs, StoreError> {
        // I-SELECT-1.
        let mut runs = Run::of_head(self.head.samples(self.id, self.range));
        stored_runs(self.engine.view().as_ref(), self.id, self.range, &mut runs)?;
        self.bytes = runs.iter().map(Run::bytes).sum();
        Ok(Runs::new(runs))
    }
}

impl SeriesCursor for Cursor {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn next_block(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        if self.runs.is_none() {
            self.runs = Some(self.collect_runs()?);
        }
        let runs = self.runs.as_mut().expect("collected above");
        next_within(runs, self.range, out)
    }

    fn read_more(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        if self.runs.is_none() {
            self.runs = Some(self.collect_runs()?);
        }
        let runs = self.runs.as_mut().expect("collected above");
        let before = out.len();
        while runs.read_more(out)? {
            trim(out, before, self.range);
            if out.len() > before {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn bytes_read(&self) -> u64 {
        self.bytes
    }
}

/// The next samples of `runs` that lie in `range`.
pub fn next_within(
    runs: &mut Runs,
    range: TimeRange,
    out: &mut Columns,
) -> Result<bool, SelectError> {
    while runs.next_block(out)? {
        trim(out, 0, range);
        if !out.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds what the engine holds of a series' raw samples in `range`.
pub fn stored_runs(
    view: &dyn View,
    id: SeriesId,
    range: TimeRange,
    runs: &mut Vec<Run>,
) -> Result<(), StoreError> {
    for (partition, _) in view.partitions() {
        if partition.space == Space::Raw
            && range.overlaps(partition.start_ms, partition.end_ms() - 1)
        {
            let mut reader = view.reader_in(partition, range)?;
            collect_stored(reader.as_mut(), id, range, runs)?;
        }
    }
    Ok(())
}

/// The newest samples that the engine holds of series, which must be asked for in the order of their
/// ids: they share a reader a partition.
pub struct Newest {
    view: Arc<dyn View>,
    /// Of raw samples, the newest first.
    partitions: Vec<(Partition, Option<Box<dyn EntryReader>>)>,
}

impl Newest {
    /// Nothing is read before the first question.
    pub fn new(view: Arc<dyn View>) -> Self {
        let all = view.partitions().into_iter().rev();
        let raw = all.filter(|(partition, _)| partition.space == Space::Raw);
        let partitions = raw.map(|(partition, _)| (partition, None)).collect();
        Self { view, partitions }
    }

    /// The newest sample of a series, unless it is older than `since_ms`.
    pub fn of(&mut self, id: SeriesId, since_ms: i64) -> Result<Option<Sample>, SelectError> {
        let mut block = Columns::default();
        for (partition, reader) in &mut self.partitions {
            if partition.end_ms() <= since_ms {
                break;
            }
            let reader = match reader {
                Some(reader) => reader,
                none => none.insert(self.view.reader(*partition, 0)?),
            };
            let mut runs = Vec::new();
            collect_stored(reader.as_mut(), id, TimeRange::ALL, &mut runs)?;
            // The newest sample stands at the end of every run that holds it.
            let last_ms = runs.iter().map(Run::last_ms).max();
            runs.retain(|run| Some(run.last_ms()) == last_ms);
            let mut runs = Runs::new(runs);
            let mut last = None;
            while runs.next_block(&mut block)? {
                last = block.iter().last();
            }
            if last.is_some() {
                return Ok(last.filter(|last| last.time_ms >= since_ms));
            }
        }
        Ok(None)
    }
}

/// The time of the newest sample of a series in the engine.
pub fn last_stored_ms(view: &dyn View, id: SeriesId) -> Result<Option<i64>, StoreError> {
    let (from, to) = key::chunk_range(id, i64::MAX);
    for (partition, _) in view.partitions().into_iter().rev() {
        let mut last_ms = None;
        if partition.space == Space::Raw {
            view.scan(partition, &from, &to, &mut |_, value| {
                last_ms = last_ms.max(Chunk::open(value).ok().map(|chunk| chunk.last_ms));
                ControlFlow::Continue(())
            })?;
        }
        if last_ms.is_some() {
            return Ok(last_ms);
        }
    }
    Ok(None)
}

/// Merges sealed chunks of one series into plain samples; for the flush.
pub fn merge_sealed<'a>(
    chunks: impl IntoIterator<Item = &'a Arc<SealedChunk>>,
    out: &mut Columns,
) -> Result<(), SelectError> {
    let mut runs = Runs::new(Run::sealed(chunks).collect());
    let mut block = Columns::default();
    out.clear();
    while runs.next_block(&mut block)? {
        out.times.extend_from_slice(&block.times);
        out.values.extend_from_slice(&block.values);
    }
    Ok(())
}

/// Cuts what columns hold from place `from` on to `range`.
fn trim(out: &mut Columns, from: usize, range: TimeRange) {
    let times = &out.times[from..];
    let end = from + times.partition_point(|&time_ms| time_ms <= range.end_ms);
    let start = from + times.partition_point(|&time_ms| time_ms < range.start_ms);
    out.times.truncate(end);
    out.values.truncate(end);
    if start > from {
        out.times.drain(from..start.min(end));
        out.values.drain(from..start.min(end));
    }
}

#[cfg(test)]
mod tests;
