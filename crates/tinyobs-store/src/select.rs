//! Select: the samples of one series, from wherever they stand, in time order and once each.
//!
//!   head (tail, late, sealed) ┐
//!                             ├─▶ runs by time ─▶ clusters that overlap ─▶ [Cursor::next_block]
//!   engine (chunks)           ┘
//!
//! I-SELECT-1  The head is read before the engine. A flush puts chunks into the engine before it
//!             takes them out of the head, so a sample may be met twice but never missed.
//! I-SELECT-2  Of samples at one time the one written last wins: unsealed before sealed, sealed in
//!             the head before the engine, and in the engine the later flush.
//! Proved by: select/tests.rs, tests/model.rs.

use std::cmp::Reverse;
use std::ops::ControlFlow;
use std::sync::Arc;

use tinyobs_model::{Columns, Labels, Sample, SelectError, SeriesCursor, TimeRange};

use crate::chunk::Chunk;
use crate::engine::{Engine, Partition, Space, key};
use crate::error::StoreError;
use crate::head::Head;
use crate::head::series::SealedChunk;
use crate::wal::record::SeriesId;

/// Reads one series, block by block.
pub struct Cursor {
    labels: Labels,
    id: SeriesId,
    range: TimeRange,
    head: Arc<Head>,
    engine: Arc<dyn Engine>,
    /// Runs not yet read, the earliest last; none before the first block.
    runs: Option<Vec<Run>>,
}

/// Samples in time order.
struct Run {
    first_ms: i64,
    last_ms: i64,
    /// The higher one was written later.
    age: u64,
    samples: Samples,
}

enum Samples {
    Sealed(Arc<SealedChunk>),
    Stored(Vec<u8>),
    Open(Vec<Sample>),
}

/// Above everything: unsealed samples are the newest (I-SELECT-2).
const AGE_OPEN: u64 = u64::MAX;
/// Sealed chunks of the head stand above every sequence number of the engine, which counts flushes.
const AGE_SEALED: u64 = 1 << 63;

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
        }
    }

    /// The series it reads.
    pub fn id(&self) -> SeriesId {
        self.id
    }

    /// Takes the runs that begin before the end of the cluster that the earliest one starts.
    fn next_cluster(&mut self) -> Result<Vec<Run>, SelectError> {
        if self.runs.is_none() {
            self.runs = Some(self.collect_runs()?);
        }
        let runs = self.runs.as_mut().expect("collected above");
        let mut cluster: Vec<Run> = runs.pop().into_iter().collect();
        let mut end = cluster.first().map_or(i64::MIN, |run| run.last_ms);
        while let Some(run) = runs.pop_if(|run| run.first_ms <= end) {
            end = end.max(run.last_ms);
            cluster.push(run);
        }
        Ok(cluster)
    }

    fn collect_runs(&self) -> Result<Vec<Run>, StoreError> {
        // I-SELECT-1.
        let head = self.head.samples(self.id, self.range);
        let mut runs = Vec::new();
        for partition in self.partitions() {
            self.collect_stored(partition, &mut runs)?;
        }
        runs.extend(sealed_runs(&head.sealed));
        for open in [head.late, head.tail] {
            if let (Some(first), Some(last)) = (open.first(), open.last()) {
                runs.push(Run {
                    first_ms: first.time_ms,
                    last_ms: last.time_ms,
                    age: AGE_OPEN,
                    samples: Samples::Open(open),
                });
            }
        }
        runs.sort_by_key(|run| Reverse(run.first_ms));
        Ok(runs)
    }

    fn partitions(&self) -> impl Iterator<Item = Partition> {
        let range = self.range;
        let reaches = move |partition: &Partition| {
            let last_ms = partition.start_ms.saturating_add(key::RAW_PARTITION_MS - 1);
            partition.space == Space::Raw && range.overlaps(partition.start_ms, last_ms)
        };
        self.engine
            .partitions()
            .into_iter()
            .map(|(partition, _)| partition)
            .filter(reaches)
    }

    fn collect_stored(&self, partition: Partition, runs: &mut Vec<Run>) -> Result<(), StoreError> {
        let (from, to) = key::chunk_range(self.id, self.range.end_ms);
        let mut damaged = None;
        self.engine.scan(partition, &from, &to, &mut |key, value| {
            let (Ok(chunk), Some(sequence)) = (Chunk::open(value), key::chunk_sequence(key)) else {
                damaged = Some(format!("chunk of series {} is damaged", self.labels));
                return ControlFlow::Break(());
            };
            if self.range.overlaps(chunk.first_ms, chunk.last_ms) {
                runs.push(Run {
                    first_ms: chunk.first_ms,
                    last_ms: chunk.last_ms,
                    age: sequence,
                    samples: Samples::Stored(value.to_vec()),
                });
            }
            ControlFlow::Continue(())
        })?;
        match damaged {
            Some(what) => Err(StoreError::corrupt(std::path::Path::new("engine"), 0, what)),
            None => Ok(()),
        }
    }
}

impl SeriesCursor for Cursor {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn next_block(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        loop {
            out.clear();
            let cluster = self.next_cluster()?;
            match cluster.as_slice() {
                [] => return Ok(false),
                [run] => run.decode(out)?,
                overlapping => merge(overlapping, out)?,
            }
            trim(out, self.range);
            if !out.is_empty() {
                return Ok(true);
            }
        }
    }
}

impl Run {
    /// Appends the samples to `out`.
    fn decode(&self, out: &mut Columns) -> Result<(), SelectError> {
        let bytes = match &self.samples {
            Samples::Open(samples) => {
                for sample in samples {
                    out.push(*sample);
                }
                return Ok(());
            }
            Samples::Sealed(chunk) => &chunk.bytes[..],
            Samples::Stored(bytes) => bytes,
        };
        let decoded = Chunk::open(bytes).and_then(|chunk| chunk.decode(out));
        decoded.map_err(|error| SelectError {
            message: error.to_string(),
        })
    }
}

/// Merges runs that overlap (I-SELECT-2).
fn merge(runs: &[Run], out: &mut Columns) -> Result<(), SelectError> {
    let mut all: Vec<(i64, Reverse<u64>, f64)> = Vec::new();
    for run in runs {
        out.clear();
        run.decode(out)?;
        all.extend(
            out.iter()
                .map(|sample| (sample.time_ms, Reverse(run.age), sample.value)),
        );
    }
    all.sort_by_key(|(time_ms, age, _)| (*time_ms, *age));
    all.dedup_by_key(|(time_ms, _, _)| *time_ms);
    out.clear();
    for (time_ms, _, value) in all {
        out.push(Sample { time_ms, value });
    }
    Ok(())
}

/// The time of the newest sample of a series in the engine.
pub fn last_stored_ms(engine: &dyn Engine, id: SeriesId) -> Result<Option<i64>, StoreError> {
    let (from, to) = key::chunk_range(id, i64::MAX);
    for (partition, _) in engine.partitions().into_iter().rev() {
        let mut last_ms = None;
        if partition.space == Space::Raw {
            engine.scan(partition, &from, &to, &mut |_, value| {
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

/// Sealed chunks in the order of sealing, as runs.
fn sealed_runs(chunks: &[Arc<SealedChunk>]) -> impl Iterator<Item = Run> {
    (AGE_SEALED..).zip(chunks).map(|(age, chunk)| Run {
        first_ms: chunk.first_ms,
        last_ms: chunk.last_ms,
        age,
        samples: Samples::Sealed(Arc::clone(chunk)),
    })
}

/// Merges sealed chunks of one series into plain samples; for the flush.
pub fn merge_sealed(chunks: &[Arc<SealedChunk>], out: &mut Columns) -> Result<(), SelectError> {
    let runs: Vec<Run> = sealed_runs(chunks).collect();
    out.clear();
    // Nearly always they follow one another, and no sorting is needed.
    if runs
        .windows(2)
        .all(|pair| pair[0].last_ms < pair[1].first_ms)
    {
        return runs.iter().try_for_each(|run| run.decode(out));
    }
    merge(&runs, out)
}

/// Cuts columns to `range`.
fn trim(out: &mut Columns, range: TimeRange) {
    let end = out
        .times
        .partition_point(|&time_ms| time_ms <= range.end_ms);
    let start = out
        .times
        .partition_point(|&time_ms| time_ms < range.start_ms);
    out.times.truncate(end);
    out.values.truncate(end);
    if start > 0 {
        out.times.drain(..start.min(end));
        out.values.drain(..start.min(end));
    }
}

#[cfg(test)]
mod tests;
