//! SeriesHead: the recent samples of one series.
//!
//!                 newer than everything sealed ─▶ tail ─┐ 128 samples
//!   sample ─▶ ┤                                         ├─▶ sealed chunks ─▶ flush
//!                 not newer (late)             ─▶ late ─┘
//!
//! Tail and late are runs of sorted samples (see [`super::run`]): a sample costs an append. Sealing
//! compresses them.
//!
//! I-HEAD-1  Times in the tail are above `sealed_until`; times in late are not. So the two never
//!           hold the same time, and whatever they hold was written after any sealed chunk that
//!           covers its time.
//! I-HEAD-2  Sealed chunks stand in the order in which they were sealed; of two that hold the same
//!           time the later one wins, and all of them win over the engine.
//! I-HEAD-3  A sealed chunk stays here until its samples stand in the engine.
//! I-HEAD-4  A run or chunk holds samples of one epoch, that is of the log before or after one
//!           rotation: a flush takes exactly what the log segments hold that it lets go.
//! Proved by: head/tests.rs.

use std::sync::Arc;

use tinyobs_model::{Columns, Sample, TimeRange};

use super::run::Run;
use crate::chunk::{self, Chunk};

/// Samples in the tail, or in late, before they are sealed. Long enough to compress well, short
/// enough that a series at rest costs little.
pub const SEAL_SAMPLES: usize = 128;

/// How many chunks, counted from the newest, are searched for a late sample.
const REPEATS_IN_CHUNKS: usize = 4;

/// A sealed chunk on its way to the engine.
#[derive(Debug)]
pub struct SealedChunk {
    /// Time of the first sample, in ms.
    pub first_ms: i64,
    /// Time of the last sample, in ms.
    pub last_ms: i64,
    /// Samples in it.
    pub count: u64,
    /// The epoch of its samples.
    pub epoch: u64,
    /// As [`chunk::encode`] wrote it.
    pub bytes: Box<[u8]>,
}

/// The recent samples of one series.
#[derive(Debug)]
pub struct SeriesHead {
    tail: Run,
    /// There seldom is one.
    late: Option<Box<Run>>,
    sealed: Vec<Arc<SealedChunk>>,
    /// The epoch of tail and late.
    epoch: u64,
    /// The newest time that has left the tail.
    sealed_until: i64,
    /// The newest sample ever put in here; of no meaning before the first.
    last: Sample,
}

/// A copy of what a series' head holds in a range of time.
#[derive(Debug, Default)]
pub struct HeadSamples {
    /// Sealed chunks that reach into the range, the one sealed last at the end.
    pub sealed: Vec<Arc<SealedChunk>>,
    /// Late samples in the range, newer than any chunk.
    pub late: Vec<Sample>,
    /// Samples of the tail in the range, newer than any chunk.
    pub tail: Vec<Sample>,
}

impl Default for SeriesHead {
    fn default() -> Self {
        Self {
            tail: Run::default(),
            late: None,
            sealed: Vec::new(),
            epoch: 0,
            sealed_until: i64::MIN,
            last: Sample::new(i64::MIN, 0.0),
        }
    }
}

impl SeriesHead {
    /// Adds a sample; the same time again replaces the value, and the same sample again does
    /// nothing. Returns whether it takes room that the sample before did not.
    pub fn put(&mut self, sample: Sample, epoch: u64) -> bool {
        if self.epoch != epoch {
            // I-HEAD-4. A flush is under way and has not come to this series yet.
            self.seal_runs();
            self.epoch = epoch;
        }
        if self.last.time_ms <= sample.time_ms {
            self.last = sample;
        }
        // I-HEAD-1. The oldest possible time is late from the start, which does no harm.
        let in_tail = sample.time_ms > self.sealed_until;
        if !in_tail && self.repeats_sealed(sample) {
            return false;
        }
        let run = if in_tail {
            &mut self.tail
        } else {
            self.late.get_or_insert_default()
        };
        let new = run.put(sample);
        if run.len() >= SEAL_SAMPLES {
            self.seal(in_tail);
        }
        new
    }

    /// The newest sample ever put in here, as long as it holds any.
    pub fn last(&self) -> Option<Sample> {
        (!self.is_empty()).then_some(self.last)
    }

    /// Seals what is of `epoch` or older and not yet sealed, and returns all chunks of that age.
    pub fn seal_up_to(&mut self, epoch: u64) -> &[Arc<SealedChunk>] {
        if self.epoch <= epoch {
            self.seal_runs();
        }
        let old = self.sealed.partition_point(|chunk| chunk.epoch <= epoch);
        &self.sealed[..old]
    }

    /// Forgets the first `chunks` sealed chunks: they stand in the engine.
    pub fn forget(&mut self, chunks: usize) {
        self.sealed.drain(..chunks.min(self.sealed.len()));
    }

    /// Whether it holds no samples.
    pub fn is_empty(&self) -> bool {
        self.sealed.is_empty() && self.tail.is_empty() && self.late.is_none()
    }

    /// A copy of everything in `range`.
    pub fn read(&self, range: TimeRange) -> HeadSamples {
        let within = |run: &Run| {
            let in_range = |(first_ms, last_ms)| range.overlaps(first_ms, last_ms);
            if !run.span().is_some_and(in_range) {
                return Vec::new();
            }
            let mut samples = run.to_vec();
            samples.retain(|sample| (range.start_ms..=range.end_ms).contains(&sample.time_ms));
            samples
        };
        let reaches = |chunk: &&Arc<SealedChunk>| range.overlaps(chunk.first_ms, chunk.last_ms);
        HeadSamples {
            sealed: self.sealed.iter().filter(reaches).cloned().collect(),
            late: self.late.as_deref().map(within).unwrap_or_default(),
            tail: within(&self.tail),
        }
    }

    /// Whether this very sample is what a reader would find in the chunks: a batch that is sent
    /// again because its answer was lost must not take room twice.
    fn repeats_sealed(&self, sample: Sample) -> bool {
        let time_ms = sample.time_ms;
        if self.late.as_ref().is_some_and(|late| late.has(time_ms)) {
            return false;
        }
        let covers =
            |chunk: &&Arc<SealedChunk>| chunk.first_ms <= time_ms && time_ms <= chunk.last_ms;
        let mut columns = Columns::default();
        // I-HEAD-2: the last chunk that holds this time decides. What is sent again comes soon, so
        // only the newest chunks are looked into; a repeat that is missed costs room, nothing else.
        let newest = self.sealed.iter().rev().take(REPEATS_IN_CHUNKS);
        for chunk in newest.filter(covers) {
            columns.clear();
            let decoded = Chunk::open(&chunk.bytes).and_then(|open| open.decode(&mut columns));
            let found = columns.iter().find(|known| known.time_ms == time_ms);
            if let (Ok(()), Some(found)) = (decoded, found) {
                return found == sample;
            }
        }
        false
    }

    fn seal_runs(&mut self) {
        // Either may come first: they share no time.
        self.seal(false);
        self.seal(true);
    }

    fn seal(&mut self, tail: bool) {
        // Late samples are rare: no memory is kept for them.
        let late = if tail { None } else { self.late.take() };
        let run = if tail {
            Some(&self.tail)
        } else {
            late.as_deref()
        };
        let Some((run, (first_ms, last_ms))) = run.and_then(|run| Some((run, run.span()?))) else {
            return;
        };
        let mut bytes = Vec::new();
        chunk::encode(&run.to_vec(), &mut bytes);
        let chunk = SealedChunk {
            first_ms,
            last_ms,
            count: run.len() as u64,
            epoch: self.epoch,
            bytes: bytes.into(),
        };
        self.sealed.push(Arc::new(chunk));
        if tail {
            self.sealed_until = last_ms;
            self.tail.clear();
        }
    }
}
