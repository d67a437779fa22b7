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

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
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

/// A run being read; it stands on a sample.
struct Active {
    columns: Columns,
    at: usize,
    age: u64,
}

impl Active {
    fn time_ms(&self) -> i64 {
        self.columns.times[self.at]
    }

    /// What is read first is the greatest: the earliest time, and of equal times the youngest run.
    fn rank(&self) -> (Reverse<i64>, u64) {
        (Reverse(self.time_ms()), self.age)
    }
}

impl Ord for Active {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Active {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Active {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Active {}

/// Runs merged in time order.
#[derive(Default)]
pub struct Runs {
    /// Not yet decoded, the earliest last.
    waiting: Vec<Run>,
    active: BinaryHeap<Active>,
    /// Stored runs of so many samples that meet no other are left for [`Self::pop_whole`]; 0: none.
    whole: usize,
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
    pub fn sealed<'a>(
        chunks: impl IntoIterator<Item = &'a Arc<SealedChunk>>,
    ) -> impl Iterator<Item = Self> {
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

    /// How many samples it holds; of damaged bytes, 0.
    pub fn samples(&self) -> usize {
        match &self.samples {
            Samples::Open(samples) => samples.len(),
            Samples::Sealed(chunk) => chunk.count as usize,
            Samples::Stored(bytes) => Chunk::reopen(bytes).map_or(0, |chunk| chunk.count),
        }
    }

    /// Its sequence number and bytes, of a chunk that the engine holds.
    pub fn as_stored(&self) -> Option<(u64, &[u8])> {
        match &self.samples {
            Samples::Stored(bytes) => Some((self.age, bytes)),
            _ => None,
        }
    }

    /// Adds its samples to `out`.
    fn decode(&self, out: &mut Columns) -> Result<(), SelectError> {
        let chunk = match &self.samples {
            Samples::Open(samples) => {
                for sample in samples {
                    out.push(*sample);
                }
                return Ok(());
            }
            Samples::Sealed(chunk) => Chunk::open(&chunk.bytes),
            // Checked when it was collected, a moment ago.
            Samples::Stored(bytes) => Chunk::reopen(bytes),
        };
        let decoded = chunk.and_then(|chunk| chunk.decode(out));
        decoded.map_err(|error| SelectError {
            message: error.to_string(),
        })
    }

    /// Bytes of it, compressed as it stands.
    pub fn bytes(&self) -> u64 {
        match &self.samples {
            Samples::Open(samples) => (samples.len() * size_of::<Sample>()) as u64,
            Samples::Sealed(chunk) => chunk.bytes.len() as u64,
            Samples::Stored(bytes) => bytes.len() as u64,
        }
    }
}

impl Runs {
    /// Of runs in any order.
    pub fn new(mut runs: Vec<Run>) -> Self {
        runs.sort_by_key(|run| Reverse(run.first_ms));
        Self {
            waiting: runs,
            active: BinaryHeap::new(),
            whole: 0,
        }
    }

    /// Leaves stored runs of at least `samples` that meet no other for [`Self::pop_whole`].
    pub fn with_whole(self, samples: usize) -> Self {
        Self {
            whole: samples,
            ..self
        }
    }

    /// The next run, if it is to stay as it is: ask before each [`Self::next_block`].
    pub fn pop_whole(&mut self) -> Option<Run> {
        if self.is_whole_next() {
            self.waiting.pop()
        } else {
            None
        }
    }

    fn is_whole_next(&self) -> bool {
        self.whole > 0
            && self.is_next_alone()
            && self.waiting.last().is_some_and(|run| {
                let is_stored = matches!(run.samples, Samples::Stored(_));
                is_stored && run.samples() >= self.whole
            })
    }

    /// Adds the next samples to `out`; false, with `out` as it was, at the end.
    ///
    /// # Errors
    /// A chunk is malformed.
    pub fn read_more(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        let before = out.len();
        if let Some(run) = self.pop_alone(usize::MAX) {
            run.decode(out)?;
        } else {
            let mut block = Columns::default();
            self.next_block(&mut block)?;
            out.times.append(&mut block.times);
            out.values.append(&mut block.values);
        }
        Ok(out.len() > before)
    }

    /// Replaces `out` by the next samples; false, with `out` empty, at the end.
    ///
    /// # Errors
    /// A chunk is malformed.
    pub fn next_block(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        out.clear();
        while out.len() < BLOCK_SAMPLES {
            if !out.is_empty() && self.is_whole_next() {
                break;
            }
            if let Some(run) = self.pop_alone(BLOCK_SAMPLES - out.len()) {
                run.decode(out)?;
                continue;
            }
            match self.active.len() {
                0 => match self.waiting.pop() {
                    Some(run) => self.activate(&run)?,
                    None => break,
                },
                1 => self.pass_on(out)?,
                _ => self.step(out)?,
            }
        }
        Ok(!out.is_empty())
    }

    /// The next run if it meets no other and holds no more than `room` samples: they can be decoded to
    /// where they are wanted.
    fn pop_alone(&mut self, room: usize) -> Option<Run> {
        if !self.is_next_alone() {
            return None;
        }
        self.waiting.pop_if(|run| run.samples() <= room)
    }

    /// Whether the next run meets no other, active or not.
    fn is_next_alone(&self) -> bool {
        let mut waiting = self.waiting.iter().rev();
        let Some(next) = waiting.next() else {
            return false;
        };
        let after = waiting.next();
        self.active.is_empty() && after.is_none_or(|after| next.last_ms < after.first_ms)
    }

    fn activate(&mut self, run: &Run) -> Result<(), SelectError> {
        let mut columns = Columns::default();
        run.decode(&mut columns)?;
        if !columns.is_empty() {
            self.active.push(Active {
                columns,
                at: 0,
                age: run.age,
            });
        }
        Ok(())
    }

    /// Takes what the only active run holds before the next one begins.
    fn pass_on(&mut self, out: &mut Columns) -> Result<(), SelectError> {
        let next_ms = self.waiting.last().map(|run| run.first_ms);
        let Some(mut only) = self.active.pop() else {
            return Ok(());
        };
        let len = only.columns.len();
        let times = &only.columns.times;
        let until = next_ms.map_or(len, |next_ms| times.partition_point(|&at| at < next_ms));
        if until == len && only.at == 0 && out.is_empty() {
            std::mem::swap(out, &mut only.columns);
            return Ok(());
        }
        let to = until.min(only.at + BLOCK_SAMPLES - out.len());
        if to > only.at {
            out.times.extend_from_slice(&times[only.at..to]);
            out.values
                .extend_from_slice(&only.columns.values[only.at..to]);
            only.at = to;
        }
        let meets_next = only.at >= until;
        if only.at < len {
            self.active.push(only);
            if meets_next && let Some(run) = self.waiting.pop() {
                self.activate(&run)?;
            }
        }
        Ok(())
    }

    /// Takes one sample where several runs overlap (I-RUNS-1).
    fn step(&mut self, out: &mut Columns) -> Result<(), SelectError> {
        let Some(time_ms) = self.active.peek().map(Active::time_ms) else {
            return Ok(());
        };
        if let Some(run) = self.waiting.pop_if(|run| run.first_ms <= time_ms) {
            return self.activate(&run);
        }
        // The youngest of those that stand at this time comes first; the others are passed over.
        let mut taken = false;
        while let Some(mut run) = self
            .active
            .peek_mut()
            .filter(|run| run.time_ms() == time_ms)
        {
            if !std::mem::replace(&mut taken, true) {
                out.push(Sample::new(time_ms, run.columns.values[run.at]));
            }
            run.at += 1;
            if run.at == run.columns.len() {
                run.at -= 1;
                PeekMut::pop(run);
            }
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
