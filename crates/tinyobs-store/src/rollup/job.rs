//! Job: rolls up what has been flushed since the last time.
//!
//! One commit for some raw partitions at a time, so that a wasted crash is bounded; the watermark
//! moves with the last of them. Until then a repeat computes the same rows again.
//!
//! A partition in which anything is damaged is left for the last commit. There nothing is computed
//! again, because what is left of the samples would replace rows that were computed from all of them:
//! what has been flushed since the watermark, as far as it can be read, is joined to the rows that
//! stand. And a partition whose raw samples would leave with the commit stays where it is.
//!
//! I-JOB-1  No row comes to count fewer samples than it did.
//! I-JOB-2  A sample is joined to a row at most once: in the commit that moves the watermark past it.
//!          (But for a process that ends between two commits of one run, whose first partitions are
//!          damaged before the next run.)
//! Proved by: rollup/tests.rs, rollup/damage.rs.

use std::collections::BTreeMap;
use std::path::Path;

use tinyobs_model::{Columns, Kind, Resolution, Rollup, TimeRange};

use super::rows;
use super::windows::{Roller, join};
use crate::chunk::Chunk;
use crate::engine::{
    Commit, Counters, Draft, Engine, EntryReader, Partition, Space, Summary, View, key,
};
use crate::error::StoreError;
use crate::runs::{Run, Runs, collect_stored};
use crate::wal::record::SeriesId;

/// The resolutions that are computed.
pub const ROLLED: [Resolution; 2] = [Resolution::FiveMinutes, Resolution::Hour];

/// Raw partitions of one commit at most: each has the manifest written once more.
const COMMIT_PARTITIONS: usize = 64;

/// What a run did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Rolled {
    /// Windows computed, of all resolutions.
    pub windows: u64,
    /// Times that something damaged was passed over.
    pub damaged: u64,
}

/// Rolls up everything above the watermark. `kind_of` knows what a series' numbers mean; `progress`
/// is told how many of how many partitions are done.
///
/// # Errors
/// The engine cannot be read or written. What was committed before stands.
pub fn run(
    engine: &dyn Engine,
    kind_of: &dyn Fn(SeriesId) -> Kind,
    progress: &dyn Fn(u64, u64),
) -> Result<Rolled, StoreError> {
    let view = engine.view();
    let counters = view.counters();
    let until = counters.next_sequence.saturating_sub(1);
    let waiting: Vec<Partition> = view
        .partitions()
        .into_iter()
        .filter(|(partition, info)| {
            partition.space == Space::Raw && info.summary.sequence > counters.rolled
        })
        .map(|(partition, _)| partition)
        .collect();
    let mut rolled = Rolled::default();
    let total = waiting.len() as u64;
    let mut done = 0;
    let mut damaged = Vec::new();
    for some in waiting.chunks(COMMIT_PARTITIONS) {
        let counters = engine.view().counters();
        let mut commit = Commit {
            counters: Counters {
                next_sequence: counters.next_sequence + 1,
                ..counters
            },
            ..Commit::default()
        };
        let job = |partition, whole| Job {
            view: view.as_ref(),
            engine,
            counters,
            partition,
            kind_of,
            outputs: BTreeMap::new(),
            rolled: Rolled::default(),
            whole,
        };
        for &partition in some {
            let mut whole = job(partition, true);
            match whole.roll_up() {
                Err(StoreError::Corrupt { .. }) => damaged.push(partition),
                Err(other) => return Err(other),
                Ok(()) => rolled.add(whole.finish(&mut commit)?),
            }
            done += 1;
            progress(done, total);
        }
        if done == total {
            // I-JOB-2.
            for &partition in &damaged {
                let mut rest = job(partition, false);
                rest.roll_up()?;
                rolled.add(rest.finish(&mut commit)?);
            }
            commit.counters.rolled = until;
        }
        engine.commit(commit)?;
    }
    Ok(rolled)
}

impl Rolled {
    fn add(&mut self, other: Self) {
        self.windows += other.windows;
        self.damaged += other.damaged;
    }
}

/// Readers of the rows that stand already.
type Standing = Vec<(Resolution, Box<dyn EntryReader>)>;

/// One raw partition on its way into rollups.
struct Job<'a> {
    view: &'a dyn View,
    engine: &'a dyn Engine,
    counters: Counters,
    partition: Partition,
    kind_of: &'a dyn Fn(SeriesId) -> Kind,
    outputs: BTreeMap<Partition, (Box<dyn Draft>, Summary)>,
    rolled: Rolled,
    /// Whether everything must be readable; if not, what is new is joined to the rows that stand.
    whole: bool,
}

impl Job<'_> {
    fn sequence(&self) -> u64 {
        self.counters.next_sequence
    }

    /// Whether the raw samples of this time have been dropped before (I-ROLLUP-5).
    fn is_late(&self) -> bool {
        self.partition.start_ms < self.counters.dropped_ms[Resolution::Raw as usize]
    }

    /// Whether rows are made of new samples alone, and joined to those that stand.
    fn joins(&self) -> bool {
        self.is_late() || !self.whole
    }

    fn roll_up(&mut self) -> Result<(), StoreError> {
        let mut new = self.new_chunks()?;
        let mut rest = self.rest()?;
        let mut existing = self.existing()?;
        let mut touched: Option<Touched> = None;
        loop {
            let next = match new.next() {
                Ok(next) => next,
                Err(error) => {
                    self.pass_over(error)?;
                    continue;
                }
            };
            let chunk = match next.map(|(key, value)| NewChunk::read(key, value)) {
                Some(None) => {
                    let what = "a chunk is damaged";
                    self.pass_over(StoreError::corrupt(Path::new("table"), 0, what))?;
                    continue;
                }
                Some(Some(chunk)) if chunk.sequence <= self.counters.rolled => continue,
                other => other.flatten(),
            };
            match (&mut touched, chunk) {
                (Some(touched), Some(chunk)) if touched.id == chunk.id => touched.add(&chunk),
                (_, chunk) => {
                    if let Some(touched) = touched.take() {
                        self.series(rest.as_deref_mut(), &mut existing, touched)?;
                    }
                    let Some(chunk) = chunk else {
                        return Ok(());
                    };
                    touched = Some(Touched::new(&chunk, self.joins()));
                }
            }
        }
    }

    /// A reader of the tables that hold what is above the watermark.
    fn new_chunks(&mut self) -> Result<Box<dyn EntryReader>, StoreError> {
        let (new, broken) = self.view.readable(self.partition, self.counters.rolled)?;
        if let Some(error) = broken {
            self.pass_over(error)?;
        }
        Ok(new)
    }

    /// A reader of everything, where rows are computed from it. Where raw samples have been dropped,
    /// what was there before stands in the rows.
    fn rest(&self) -> Result<Option<Box<dyn EntryReader>>, StoreError> {
        if self.joins() {
            return Ok(None);
        }
        self.view.reader(self.partition, 0).map(Some)
    }

    /// Readers of the rows that new samples are joined to.
    fn existing(&mut self) -> Result<Standing, StoreError> {
        let mut existing = Standing::new();
        if !self.joins() {
            return Ok(existing);
        }
        for resolution in ROLLED {
            if !self.keeps(resolution) {
                continue;
            }
            let partition = Partition::of(Space::of(resolution), self.partition.start_ms);
            match self.view.reader(partition, 0) {
                Ok(reader) => existing.push((resolution, reader)),
                Err(error) => self.pass_over(error)?,
            }
        }
        Ok(existing)
    }

    /// Whether rows of this time are still kept.
    fn keeps(&self, resolution: Resolution) -> bool {
        let partition = Partition::of(Space::of(resolution), self.partition.start_ms);
        partition.start_ms >= self.counters.dropped_ms[resolution as usize]
    }

    /// Computes the windows of one series in the hours that its new chunks touch.
    fn series(
        &mut self,
        rest: Option<&mut (dyn EntryReader + 'static)>,
        existing: &mut Standing,
        touched: Touched,
    ) -> Result<(), StoreError> {
        let (id, hours) = (touched.id, touched.hours());
        let mut runs = touched.runs;
        if let Some(rest) = rest {
            collect_stored(rest, id, hours, &mut runs)?;
        }
        let computed = match self.compute(id, hours, runs) {
            Err(error) => return self.pass_over(error),
            Ok(computed) => computed,
        };
        for (resolution, mut computed) in computed {
            if self.joins() {
                let standing = existing.iter_mut().find(|(of, _)| *of == resolution);
                // Rows that cannot be read are not written over.
                let Some((_, reader)) = standing else {
                    continue;
                };
                if let Err(error) = join_existing(reader.as_mut(), id, hours, &mut computed) {
                    self.pass_over(error)?;
                    continue;
                }
            }
            self.put(resolution, id, &computed)?;
        }
        Ok(())
    }

    /// The rows of some samples, of each resolution that is kept.
    fn compute(
        &self,
        id: SeriesId,
        hours: TimeRange,
        runs: Vec<Run>,
    ) -> Result<Vec<(Resolution, Vec<Rollup>)>, StoreError> {
        let mut runs = Runs::new(runs);
        let is_gauge = (self.kind_of)(id) == Kind::Gauge;
        let kept = ROLLED.into_iter().filter(|it| self.keeps(*it));
        let mut rollers: Vec<_> = kept.map(|it| (it, Roller::new(it, is_gauge))).collect();
        let mut block = Columns::default();
        let malformed =
            |e: tinyobs_model::SelectError| StoreError::corrupt(Path::new("table"), 0, e.message);
        while runs.next_block(&mut block).map_err(malformed)? {
            let from = block.times.partition_point(|&at| at < hours.start_ms);
            let to = block.times.partition_point(|&at| at <= hours.end_ms);
            for (_, roller) in &mut rollers {
                roller.extend(&block.times[from..to], &block.values[from..to]);
            }
        }
        let rows = rollers.into_iter().map(|(resolution, mut roller)| {
            roller.close();
            (resolution, roller.rows)
        });
        Ok(rows.collect())
    }

    fn put(
        &mut self,
        resolution: Resolution,
        id: SeriesId,
        computed: &[Rollup],
    ) -> Result<(), StoreError> {
        let partition = Partition::of(Space::of(resolution), self.partition.start_ms);
        let sequence = self.sequence();
        let (engine, outputs) = (self.engine, &mut self.outputs);
        let (draft, summary) = outputs
            .entry(partition)
            .or_insert_with(|| (engine.draft(partition), Summary::EMPTY));
        let put = put_rows(draft.as_mut(), resolution, id, sequence, computed)?;
        *summary = summary.and(put);
        self.rolled.windows += computed.len() as u64;
        Ok(())
    }

    /// What is damaged ends an attempt at the whole. Otherwise it is reported, and must not hold up the
    /// rest.
    fn pass_over(&mut self, error: StoreError) -> Result<(), StoreError> {
        if self.whole || !matches!(error, StoreError::Corrupt { .. }) {
            return Err(error);
        }
        self.rolled.damaged += 1;
        tracing::error!(partition = %self.partition, %error, "cannot be rolled up");
        Ok(())
    }

    /// Adds the tables, and the drop of what has been joined, to a commit.
    fn finish(self, commit: &mut Commit) -> Result<Rolled, StoreError> {
        let leaves = self.is_late() && self.whole;
        for (draft, summary) in self.outputs.into_values() {
            commit.tables.push(draft.finish(summary)?);
        }
        commit.drops.extend(leaves.then_some(self.partition));
        Ok(self.rolled)
    }
}

/// A chunk above the watermark.
struct NewChunk<'a> {
    id: SeriesId,
    sequence: u64,
    first_ms: i64,
    last_ms: i64,
    bytes: &'a [u8],
}

impl<'a> NewChunk<'a> {
    fn read(key: &[u8], bytes: &'a [u8]) -> Option<Self> {
        let chunk = Chunk::open(bytes).ok()?;
        Some(Self {
            id: key::chunk_series(key)?,
            sequence: key::chunk_sequence(key)?,
            first_ms: chunk.first_ms,
            last_ms: chunk.last_ms,
            bytes,
        })
    }
}

/// A series that has new chunks.
struct Touched {
    id: SeriesId,
    first_ms: i64,
    last_ms: i64,
    /// The new chunks, where nothing else is read.
    runs: Vec<Run>,
    keeps_runs: bool,
}

impl Touched {
    fn new(chunk: &NewChunk<'_>, keeps_runs: bool) -> Self {
        let mut touched = Self {
            id: chunk.id,
            first_ms: chunk.first_ms,
            last_ms: chunk.last_ms,
            runs: Vec::new(),
            keeps_runs,
        };
        touched.add(chunk);
        touched
    }

    fn add(&mut self, chunk: &NewChunk<'_>) {
        self.first_ms = self.first_ms.min(chunk.first_ms);
        self.last_ms = self.last_ms.max(chunk.last_ms);
        if self.keeps_runs {
            let NewChunk {
                first_ms,
                last_ms,
                sequence,
                bytes,
                ..
            } = *chunk;
            let run = Run::stored(first_ms, last_ms, sequence, bytes.to_vec());
            self.runs.push(run);
        }
    }

    fn hours(&self) -> TimeRange {
        hours(self.first_ms, self.last_ms)
    }
}

/// The whole hours that a stretch of time touches.
fn hours(first_ms: i64, last_ms: i64) -> TimeRange {
    let last = Resolution::Hour.window(last_ms);
    TimeRange::new(
        Resolution::Hour.window(first_ms),
        last.saturating_add(Resolution::Hour.width_ms() - 1),
    )
}

/// Puts the rows of one series, if there are any.
pub fn put_rows(
    draft: &mut dyn Draft,
    resolution: Resolution,
    id: SeriesId,
    sequence: u64,
    computed: &[Rollup],
) -> Result<Summary, StoreError> {
    let (Some(first), Some(last)) = (computed.first(), computed.last()) else {
        return Ok(Summary::EMPTY);
    };
    let mut bytes = Vec::new();
    rows::encode(resolution, computed, &mut bytes);
    draft.put(&key::chunk_key(id, first.start_ms, sequence), &bytes)?;
    Ok(Summary {
        samples: computed.len() as u64,
        first_ms: first.start_ms,
        last_ms: last.last.time_ms,
        sequence,
    })
}

/// Joins each computed row to the one that stands for its window.
fn join_existing(
    reader: &mut dyn EntryReader,
    id: SeriesId,
    range: TimeRange,
    computed: &mut [Rollup],
) -> Result<(), StoreError> {
    let standing = read_rows(reader, id, range)?;
    for row in computed {
        if let Some(before) = standing.get(&row.start_ms) {
            *row = join(before, row);
        }
    }
    Ok(())
}

/// The rows of a series whose windows begin in `range`, each once. Series must be asked for in the
/// order of their ids.
///
/// # Errors
/// Stored bytes cannot be read or are damaged.
pub fn read_rows(
    reader: &mut dyn EntryReader,
    id: SeriesId,
    range: TimeRange,
) -> Result<BTreeMap<i64, Rollup>, StoreError> {
    let (from, to) = key::chunk_range(id, range.end_ms);
    // Of a window that several chunks hold, the one with the highest sequence number counts.
    let mut found: BTreeMap<i64, (u64, Rollup)> = BTreeMap::new();
    let mut decoded = Vec::new();
    reader.seek(&from)?;
    while let Some((key, value)) = reader.next()? {
        if key >= to.as_slice() {
            break;
        }
        decoded.clear();
        let (Ok(_), Some(sequence)) = (rows::decode(value, &mut decoded), key::chunk_sequence(key))
        else {
            let what = format!("rollups of series {id} are damaged");
            return Err(StoreError::corrupt(Path::new("table"), 0, what));
        };
        for row in decoded.iter().filter(|row| range.contains(row.start_ms)) {
            match found.get(&row.start_ms) {
                Some((newer, _)) if *newer > sequence => {}
                _ => {
                    found.insert(row.start_ms, (sequence, *row));
                }
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|(start, (_, row))| (start, row))
        .collect())
}
