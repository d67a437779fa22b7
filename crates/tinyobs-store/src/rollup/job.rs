//! Job: rolls up what has been flushed since the last time.
//!
//! One commit for some raw partitions at a time, so that a wasted crash is bounded; the watermark
//! moves with the last of them. Until then a repeat computes the same rows again.
//!
//! What is damaged is passed over and counted: rows are computed from all that can be read. A row that
//! stands already and counts more samples stays, for it was computed when more could be read; and a
//! partition whose raw samples would leave with the commit stays where it is.

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
use crate::runs::{Runs, collect_stored};
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
    for some in waiting.chunks(COMMIT_PARTITIONS) {
        let counters = engine.view().counters();
        let mut commit = Commit {
            counters: Counters {
                next_sequence: counters.next_sequence + 1,
                ..counters
            },
            ..Commit::default()
        };
        for &partition in some {
            let mut job = Job {
                view: view.as_ref(),
                engine,
                counters,
                partition,
                kind_of,
                outputs: BTreeMap::new(),
                rolled: &mut rolled,
                skipped: false,
            };
            job.roll_up()?;
            job.finish(&mut commit)?;
            done += 1;
            progress(done, total);
        }
        if done == total {
            commit.counters.rolled = until;
        }
        engine.commit(commit)?;
    }
    Ok(rolled)
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
    rolled: &'a mut Rolled,
    /// Whether something could not be read.
    skipped: bool,
}

impl Job<'_> {
    fn sequence(&self) -> u64 {
        self.counters.next_sequence
    }

    /// Whether the raw samples of this time have been dropped before (I-ROLLUP-5).
    fn is_late(&self) -> bool {
        self.partition.start_ms < self.counters.dropped_ms[Resolution::Raw as usize]
    }

    fn roll_up(&mut self) -> Result<(), StoreError> {
        let [mut new, mut all] = self.readers()?;
        let mut existing = match self.existing() {
            Err(error @ StoreError::Corrupt { .. }) => {
                self.skip(&error);
                return Ok(());
            }
            other => other?,
        };
        let mut touched: Option<(SeriesId, i64, i64)> = None;
        loop {
            let next = match new.next() {
                Err(error @ StoreError::Corrupt { .. }) => {
                    self.skip(&error);
                    continue;
                }
                other => other?,
            };
            let next = match next.map(|(key, value)| touches(key, value)) {
                Some(None) => {
                    self.skip(&StoreError::corrupt(
                        Path::new("table"),
                        0,
                        "a chunk is damaged",
                    ));
                    continue;
                }
                Some(Some((sequence, ..))) if sequence <= self.counters.rolled => continue,
                Some(Some((_, id, first, last))) => Some((id, first, last)),
                None => None,
            };
            match (&mut touched, next) {
                (Some((id, first, last)), Some((next, from, to))) if *id == next => {
                    (*first, *last) = (from.min(*first), to.max(*last));
                }
                (_, next) => {
                    if let Some((id, first, last)) = touched.take() {
                        let hours = hours(first, last);
                        match self.series(all.as_mut(), &mut existing, id, hours) {
                            Err(error @ StoreError::Corrupt { .. }) => self.skip(&error),
                            other => other?,
                        }
                    }
                    if next.is_none() {
                        return Ok(());
                    }
                    touched = next;
                }
            }
        }
    }

    /// Readers of what is above the watermark, and of all that rows are computed from. Where raw
    /// samples have been dropped that is the same: what was there before stands in the rows.
    fn readers(&mut self) -> Result<[Box<dyn EntryReader>; 2], StoreError> {
        let rolled = self.counters.rolled;
        let from = if self.is_late() { rolled } else { 0 };
        let (new, _) = self.view.readable(self.partition, rolled)?;
        let (all, broken) = self.view.readable(self.partition, from)?;
        if let Some(error) = broken {
            self.skip(&error);
        }
        Ok([new, all])
    }

    /// Readers of the rows that late samples are joined to, or that may know more than what is left of
    /// damaged tables.
    fn existing(&self) -> Result<Standing, StoreError> {
        if !self.is_late() && !self.skipped {
            return Ok(Vec::new());
        }
        let kept = ROLLED
            .into_iter()
            .filter(|&resolution| self.keeps(resolution));
        let reader = |resolution| {
            let partition = Partition::of(Space::of(resolution), self.partition.start_ms);
            Ok((resolution, self.view.reader(partition, 0)?))
        };
        kept.map(reader).collect()
    }

    /// Whether rows of this time are still kept.
    fn keeps(&self, resolution: Resolution) -> bool {
        let partition = Partition::of(Space::of(resolution), self.partition.start_ms);
        partition.start_ms >= self.counters.dropped_ms[resolution as usize]
    }

    /// Computes the windows of one series in `hours`.
    fn series(
        &mut self,
        all: &mut dyn EntryReader,
        existing: &mut Standing,
        id: SeriesId,
        hours: TimeRange,
    ) -> Result<(), StoreError> {
        let mut found = Vec::new();
        collect_stored(all, id, hours, &mut found)?;
        let mut runs = Runs::new(found);
        let is_gauge = (self.kind_of)(id) == Kind::Gauge;
        let mut rollers = ROLLED.map(|resolution| Roller::new(resolution, is_gauge));
        let mut block = Columns::default();
        let malformed =
            |e: tinyobs_model::SelectError| StoreError::corrupt(Path::new("table"), 0, e.message);
        while runs.next_block(&mut block).map_err(malformed)? {
            for sample in block.iter().filter(|sample| hours.contains(sample.time_ms)) {
                for roller in &mut rollers {
                    roller.push(sample);
                }
            }
        }
        for (mut roller, resolution) in rollers.into_iter().zip(ROLLED) {
            roller.close();
            if !self.keeps(resolution) {
                continue;
            }
            let mut computed = roller.rows;
            if let Some((_, reader)) = existing.iter_mut().find(|(of, _)| *of == resolution) {
                let is_late = self.is_late();
                let meet = |before: &Rollup, row: &Rollup| match before.count > row.count {
                    _ if is_late => join(before, row),
                    true => *before,
                    false => *row,
                };
                meet_existing(reader.as_mut(), id, hours, &mut computed, meet)?;
            }
            self.put(resolution, id, &computed)?;
        }
        Ok(())
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

    /// Goes on without what is damaged: the damage is reported, and must not hold up the rest.
    fn skip(&mut self, error: &StoreError) {
        self.rolled.damaged += 1;
        self.skipped = true;
        tracing::error!(partition = %self.partition, %error, "cannot be rolled up");
    }

    /// Adds the tables, and the drop of what has been joined, to a commit.
    fn finish(self, commit: &mut Commit) -> Result<(), StoreError> {
        let leaves = self.is_late() && !self.skipped;
        if self.is_late() && self.skipped {
            // Once more when it is whole, or never: but not a part of it, for that would be joined
            // again.
            return Ok(());
        }
        for (draft, summary) in self.outputs.into_values() {
            commit.tables.push(draft.finish(summary)?);
        }
        commit.drops.extend(leaves.then_some(self.partition));
        Ok(())
    }
}

/// Sequence number, series and times of a chunk.
fn touches(key: &[u8], value: &[u8]) -> Option<(u64, SeriesId, i64, i64)> {
    let chunk = Chunk::open(value).ok()?;
    let (sequence, id) = (key::chunk_sequence(key)?, key::chunk_series(key)?);
    Some((sequence, id, chunk.first_ms, chunk.last_ms))
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

/// Makes of each computed row and the one that stands for its window what `meet` says.
fn meet_existing(
    reader: &mut dyn EntryReader,
    id: SeriesId,
    range: TimeRange,
    computed: &mut [Rollup],
    meet: impl Fn(&Rollup, &Rollup) -> Rollup,
) -> Result<(), StoreError> {
    let standing = read_rows(reader, id, range)?;
    for row in computed {
        if let Some(before) = standing.get(&row.start_ms) {
            *row = meet(before, row);
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
