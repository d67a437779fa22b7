//! Runs: samples of one series from several places, merged in time order as they are asked for.
//!
//!   head (tail, late, sealed) ┐
//!                             ├─▶ [Run]s ─▶ [Runs::next_block]
//!   engine (chunks)           ┘
//!
//! A run is decoded when its time has come. Where runs do not overlap, which is nearly always, its
//! columns are handed on as they are.
//!
//! I-RUNS-1  Every time comes once, ascending; of several runs that hold it the youngest decides.
//! I-RUNS-2  At most [`BLOCK_SAMPLES`] samples come at once, and only runs that overlap are decoded
//!           at the same time.
//! Proved by: runs/tests.rs, tests/model.rs.

use std::cmp::Reverse;
use std::sync::Arc;

use tinyobs_model::{Columns, Sample, SelectError, TimeRange};

use crate::chunk::{self, Chunk};
use crate::engine::{EntryReader, key};
use crate::error::StoreError;
use crate::head::series::{HeadSamples, SealedChunk};
use crate::wal::record::SeriesId;

/// Samples of one block at most.
const BLOCK_SAMPLES: usize = chunk::SAMPLES_MAX;

/// Above everything: unsealed samples are the newest.
const AGE_OPEN: u64 = u64::MAX;
/// Sealed chunks of the head stand above every sequence number of the engine, which counts flushes.
const AGE_SEALED: u64 = 1 << 63;

/// Samples of one series in time order.
pub struct Run {
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

/// A run being read.
struct Active {
    columns: Columns,
    at: usize,
    age: u64,
}

/// Runs merged in time order.
#[derive(Default)]
pub struct Runs {
    /// Not yet decoded, the earliest last.
    waiting: Vec<Run>,
    active: Vec<Active>,
}

impl Run {
    /// Of a chunk as the engine holds it.
    pub fn stored(first_ms: i64, last_ms: i64, sequence: u64, bytes: Vec<u8>) -> Self {
        Self {
            first_ms,
            last_ms,
            age: sequence,
            samples: Samples::Stored(bytes),
        }
    }

    /// Of chunks of the head, the one sealed last at the end.
    pub fn sealed(chunks: &[Arc<SealedChunk>]) -> impl Iterator<Item = Self> {
        (AGE_SEALED..).zip(chunks).map(|(age, chunk)| Self {
            first_ms: chunk.first_ms,
            last_ms: chunk.last_ms,
            age,
            samples: Samples::Sealed(Arc::clone(chunk)),
        })
    }

    /// Of everything that the head holds of a series.
    pub fn of_head(head: HeadSamples) -> Vec<Self> {
        let mut runs: Vec<Self> = Self::sealed(&head.sealed).collect();
        for open in [head.late, head.tail] {
            if let (Some(first), Some(last)) = (open.first(), open.last()) {
                runs.push(Self {
                    first_ms: first.time_ms,
                    last_ms: last.time_ms,
                    age: AGE_OPEN,
                    samples: Samples::Open(open),
                });
            }
        }
        runs
    }

    /// Time of the first sample, in ms.
    pub fn first_ms(&self) -> i64 {
        self.first_ms
    }

    /// Time of the last sample, in ms.
    pub fn last_ms(&self) -> i64 {
        self.last_ms
    }

    fn decode(&self) -> Result<Columns, SelectError> {
        let mut columns = Columns::default();
        let bytes = match &self.samples {
            Samples::Open(samples) => {
                for sample in samples {
                    columns.push(*sample);
                }
                return Ok(columns);
            }
            Samples::Sealed(chunk) => &chunk.bytes[..],
            Samples::Stored(bytes) => bytes,
        };
        let decoded = Chunk::open(bytes).and_then(|chunk| chunk.decode(&mut columns));
        decoded.map_err(|error| SelectError {
            message: error.to_string(),
        })?;
        Ok(columns)
    }
}

impl Runs {
    /// Of runs in any order.
    pub fn new(mut runs: Vec<Run>) -> Self {
        runs.sort_by_key(|run| Reverse(run.first_ms));
        Self {
            waiting: runs,
            active: Vec::new(),
        }
    }

    /// Replaces `out` by the next samples; false, with `out` empty, at the end.
    ///
    /// # Errors
    /// A chunk is malformed.
    pub fn next_block(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        out.clear();
        while out.len() < BLOCK_SAMPLES {
            match self.active.as_slice() {
                [] => match self.waiting.pop() {
                    Some(run) => self.activate(&run)?,
                    None => break,
                },
                [_] => self.pass_on(out)?,
                _ => self.step(out)?,
            }
        }
        Ok(!out.is_empty())
    }

    fn activate(&mut self, run: &Run) -> Result<(), SelectError> {
        let columns = run.decode()?;
        self.active.push(Active {
            columns,
            at: 0,
            age: run.age,
        });
        Ok(())
    }

    /// Takes what the only active run holds before the next one begins.
    fn pass_on(&mut self, out: &mut Columns) -> Result<(), SelectError> {
        let next_ms = self.waiting.last().map(|run| run.first_ms);
        let only = &mut self.active[0];
        let len = only.columns.len();
        let until = match next_ms {
            Some(next_ms) => only
                .columns
                .times
                .partition_point(|&time_ms| time_ms < next_ms),
            None => len,
        };
        if until == len && only.at == 0 && out.is_empty() {
            std::mem::swap(out, &mut only.columns);
            self.active.clear();
            return Ok(());
        }
        let to = until.min(only.at + BLOCK_SAMPLES - out.len());
        if to > only.at {
            out.times
                .extend_from_slice(&only.columns.times[only.at..to]);
            out.values
                .extend_from_slice(&only.columns.values[only.at..to]);
            only.at = to;
        }
        if only.at == len {
            self.active.clear();
        } else if only.at >= until
            && let Some(run) = self.waiting.pop()
        {
            self.activate(&run)?;
        }
        Ok(())
    }

    /// Takes one sample where several runs overlap (I-RUNS-1).
    fn step(&mut self, out: &mut Columns) -> Result<(), SelectError> {
        let current = |run: &Active| run.columns.times[run.at];
        let time_ms = self.active.iter().map(current).min().unwrap_or(i64::MAX);
        if let Some(run) = self.waiting.pop_if(|run| run.first_ms <= time_ms) {
            return self.activate(&run);
        }
        let mut youngest = None;
        for run in self.active.iter_mut().filter(|run| current(run) == time_ms) {
            youngest = youngest.max(Some((run.age, run.columns.values[run.at].to_bits())));
            run.at += 1;
        }
        self.active.retain(|run| run.at < run.columns.len());
        if let Some((_, bits)) = youngest {
            out.push(Sample::new(time_ms, f64::from_bits(bits)));
        }
        Ok(())
    }
}

/// Adds the chunks of a series that reach into `range`, from a partition's reader. Series must be
/// asked for in the order of their ids.
///
/// # Errors
/// Stored bytes cannot be read or are damaged.
pub fn collect_stored(
    reader: &mut dyn EntryReader,
    id: SeriesId,
    range: TimeRange,
    runs: &mut Vec<Run>,
) -> Result<(), StoreError> {
    let (from, to) = key::chunk_range(id, range.end_ms);
    reader.seek(&from)?;
    while let Some((key, value)) = reader.next()? {
        if key >= to.as_slice() {
            break;
        }
        let (Ok(chunk), Some(sequence)) = (Chunk::open(value), key::chunk_sequence(key)) else {
            let what = format!("a chunk of series {id} is damaged");
            return Err(StoreError::corrupt(std::path::Path::new("table"), 0, what));
        };
        if range.overlaps(chunk.first_ms, chunk.last_ms) {
            let (first_ms, last_ms) = (chunk.first_ms, chunk.last_ms);
            runs.push(Run::stored(first_ms, last_ms, sequence, value.to_vec()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
