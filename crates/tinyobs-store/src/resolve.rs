//! Resolve: which resolution answers for which stretch of time, and the cursor that stitches them.
//!
//!   range and step ─▶ [stretches] ─▶ [ResolvedCursor]: 1h │ 5m │ raw
//!
//! The rule. Wanted is the coarsest resolution whose windows are no wider than the step. Where it is
//! not there, because the samples are too young to be rolled up or the rows have been dropped, the
//! coarsest finer one answers, and where there is none, the finest coarser one.
//!
//! Raw is there from where it was dropped on. Rollups are there from where they were dropped on, up
//! to the window of the series' earliest sample that is not rolled up yet: a row never answers for a
//! window that is still being written. (A sample older than the raw ones that are kept does not count
//! here; it will be joined to its row.)
//!
//! I-RESOLVE-1  Every moment of the range has one resolution; borders stand at multiples of the wider
//!              of two windows, so that no sample is counted on both sides.
//! I-RESOLVE-2  The head is read before the engine (I-SELECT-1), and everything of the engine is read
//!              in one view.
//! I-RESOLVE-3  Where rows are damaged the other resolutions answer, if they have the whole stretch; if
//!              not, the reader is told.
//! Proved by: resolve/tests.rs, retention/tests.rs, tests/model.rs.

use std::collections::VecDeque;
use std::sync::Arc;

use tinyobs_model::{Labels, Resolution, ResolvedCursor, SelectError, Stretch, TimeRange};

use crate::engine::{Engine, EntryReader, EntryRef, Partition, Space, View};
use crate::error::StoreError;
use crate::head::Head;
use crate::rollup::job::read_rows;
use crate::runs::{Run, Runs};
use crate::select::{next_within, stored_runs};
use crate::wal::record::SeriesId;

/// From when to when each resolution is there: the end is not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct There {
    /// By resolution.
    pub from_ms: [i64; 3],
    /// By resolution.
    pub until_ms: [i64; 3],
}

impl There {
    /// Of a series whose earliest sample above the watermark is at `waiting_ms`.
    fn new(dropped_ms: [i64; 3], waiting_ms: Option<i64>) -> Self {
        let raw_from = dropped_ms[Resolution::Raw as usize];
        let waiting_ms = waiting_ms.map_or(i64::MAX, |at| at.max(raw_from));
        let until = |resolution: Resolution| match resolution {
            Resolution::Raw => i64::MAX,
            _ if waiting_ms == i64::MAX => i64::MAX,
            _ => resolution.window(waiting_ms),
        };
        Self {
            from_ms: dropped_ms,
            until_ms: Resolution::ALL.map(until),
        }
    }

    fn has(&self, resolution: Resolution, time_ms: i64) -> bool {
        let place = resolution as usize;
        self.from_ms[place] <= time_ms && time_ms < self.until_ms[place]
    }

    fn answers(&self, wanted: Resolution, time_ms: i64) -> Option<Resolution> {
        let there = |resolution: &Resolution| self.has(*resolution, time_ms);
        let finer = Resolution::ALL.into_iter().filter(|other| *other <= wanted);
        let coarser = Resolution::ALL.into_iter().filter(|other| *other > wanted);
        finer
            .rev()
            .find(there)
            .or_else(|| coarser.into_iter().find(there))
    }
}

/// The resolution that a reader with that step wants.
pub fn wanted(step_ms: i64) -> Resolution {
    let fits = |resolution: &Resolution| resolution.width_ms() <= step_ms;
    let coarsest = Resolution::ALL.into_iter().rev().find(fits);
    coarsest.unwrap_or(Resolution::Raw)
}

/// Cuts `range` into stretches of one resolution each (I-RESOLVE-1). What no resolution holds is
/// left out.
pub fn stretches(
    range: TimeRange,
    wanted: Resolution,
    there: &There,
) -> Vec<(TimeRange, Resolution)> {
    // Every border is one of these; between two of them nothing changes.
    let mut starts: Vec<i64> = there
        .from_ms
        .iter()
        .chain(&there.until_ms)
        .copied()
        .collect();
    // The end of time is no border.
    starts.retain(|&at| range.start_ms < at && at <= range.end_ms && at < i64::MAX);
    starts.push(range.start_ms);
    starts.sort_unstable();
    starts.dedup();
    let mut found: Vec<(TimeRange, Resolution)> = Vec::new();
    for (place, &start_ms) in starts.iter().enumerate() {
        let end_ms = starts.get(place + 1).map_or(range.end_ms, |next| next - 1);
        let Some(resolution) = there
            .answers(wanted, start_ms)
            .filter(|_| start_ms <= end_ms)
        else {
            continue;
        };
        match found.last_mut() {
            Some((last, same)) if *same == resolution && last.end_ms == start_ms - 1 => {
                last.end_ms = end_ms;
            }
            _ => found.push((TimeRange::new(start_ms, end_ms), resolution)),
        }
    }
    found
}

/// Reads one series, each stretch in the resolution that serves it best.
pub struct Resolving {
    labels: Labels,
    id: SeriesId,
    range: TimeRange,
    wanted: Resolution,
    head: Arc<Head>,
    engine: Arc<dyn Engine>,
    begun: Option<Begun>,
    /// Of chunks and rows read, compressed.
    bytes: u64,
}

/// What is known after the first look at head and engine.
struct Begun {
    view: Arc<dyn View>,
    there: There,
    /// What the head held, until raw samples are asked for.
    head: Vec<Run>,
    left: VecDeque<(TimeRange, Resolution)>,
    /// The raw stretch under way.
    raw: Option<(Runs, TimeRange)>,
}

impl Begun {
    /// Has other resolutions answer for a stretch whose rows are damaged (I-RESOLVE-3); false when they
    /// do not have all of it.
    fn fall_back(&mut self, range: TimeRange, damaged: Resolution) -> bool {
        self.there.until_ms[damaged as usize] = i64::MIN;
        let others = stretches(range, damaged, &self.there);
        let ends = others.first().zip(others.last());
        let is_whole = ends.is_some_and(|((first, _), (last, _))| {
            (first.start_ms, last.end_ms) == (range.start_ms, range.end_ms)
        });
        let mut neighbours = others.windows(2);
        if !is_whole || !neighbours.all(|two| two[0].0.end_ms + 1 == two[1].0.start_ms) {
            return false;
        }
        for one in others.into_iter().rev() {
            self.left.push_front(one);
        }
        true
    }
}

impl Resolving {
    /// A cursor over series `id` in `range`. Nothing is read before the first stretch.
    pub fn new(
        id: SeriesId,
        labels: Labels,
        range: TimeRange,
        wanted: Resolution,
        head: Arc<Head>,
        engine: Arc<dyn Engine>,
    ) -> Self {
        Self {
            labels,
            id,
            range,
            wanted,
            head,
            engine,
            begun: None,
            bytes: 0,
        }
    }

    fn begin(&self) -> Begun {
        // I-RESOLVE-2. Whoever wants samples as they are gets rows only from before any are there:
        // what waits to be rolled up does not matter, and the head is not looked through for it.
        let wants_raw = self.wanted == Resolution::Raw;
        let range = if wants_raw {
            self.range
        } else {
            TimeRange::ALL
        };
        let head = self.head.samples(self.id, range);
        let head = Run::of_head(head);
        let view = self.engine.view();
        let counters = view.counters();
        let raw_from = counters.dropped_ms[Resolution::Raw as usize];
        let in_head = head.iter().filter(|run| run.last_ms() >= raw_from);
        let waiting_ms = in_head
            .map(Run::first_ms)
            .chain(view.first_ms_after(Space::Raw, counters.rolled, raw_from))
            .min()
            .filter(|_| !wants_raw);
        let there = There::new(counters.dropped_ms, waiting_ms);
        Begun {
            left: stretches(self.range, self.wanted, &there).into(),
            there,
            view,
            head,
            raw: None,
        }
    }

    fn begin_raw(&mut self, begun: &mut Begun, range: TimeRange) -> Result<(), StoreError> {
        // Raw may come in several stretches only where retention of raw is the longest, or rows are
        // damaged; the head belongs to the newest of them: what has rows is in tables.
        let is_raw = |(_, next): &(TimeRange, Resolution)| *next == Resolution::Raw;
        let mut runs = Vec::new();
        if !begun.left.iter().any(is_raw) {
            runs = std::mem::take(&mut begun.head);
        }
        stored_runs(begun.view.as_ref(), self.id, range, &mut runs)?;
        self.bytes += runs.iter().map(Run::bytes).sum::<u64>();
        begun.raw = Some((Runs::new(runs), range));
        Ok(())
    }

    fn rows(
        &mut self,
        view: &dyn View,
        resolution: Resolution,
        range: TimeRange,
        out: &mut Stretch,
    ) -> Result<(), StoreError> {
        out.rollups.clear();
        let range = TimeRange::new(resolution.window(range.start_ms), range.end_ms);
        let space = Space::of(resolution);
        let reaches = |partition: &Partition| {
            partition.space == space && range.overlaps(partition.start_ms, partition.end_ms() - 1)
        };
        for (partition, _) in view.partitions() {
            if reaches(&partition) {
                let mut reader = Counting {
                    reader: view.reader(partition, 0)?,
                    bytes: &mut self.bytes,
                };
                let rows = read_rows(&mut reader, self.id, range)?;
                out.rollups.extend(rows.into_values());
            }
        }
        Ok(())
    }
}

impl ResolvedCursor for Resolving {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn next_stretch(&mut self, out: &mut Stretch) -> Result<bool, SelectError> {
        let mut begun = match self.begun.take() {
            Some(begun) => begun,
            None => self.begin(),
        };
        let more = self.advance(&mut begun, out);
        self.begun = Some(begun);
        more
    }

    fn bytes_read(&self) -> u64 {
        self.bytes
    }
}

impl Resolving {
    fn advance(&mut self, begun: &mut Begun, out: &mut Stretch) -> Result<bool, SelectError> {
        out.samples.clear();
        out.rollups.clear();
        loop {
            if let Some((runs, range)) = &mut begun.raw {
                if next_within(runs, *range, &mut out.samples)? {
                    out.resolution = Resolution::Raw;
                    return Ok(true);
                }
                begun.raw = None;
            }
            let Some((range, resolution)) = begun.left.pop_front() else {
                return Ok(false);
            };
            if resolution == Resolution::Raw {
                self.begin_raw(begun, range)?;
                continue;
            }
            match self.rows(begun.view.as_ref(), resolution, range, out) {
                Err(StoreError::Corrupt { .. }) if begun.fall_back(range, resolution) => {
                    out.rollups.clear();
                    continue;
                }
                read => read?,
            }
            if !out.rollups.is_empty() {
                out.resolution = resolution;
                return Ok(true);
            }
        }
    }
}

/// Counts the bytes that are read.
struct Counting<'a> {
    reader: Box<dyn EntryReader>,
    bytes: &'a mut u64,
}

impl EntryReader for Counting<'_> {
    fn seek(&mut self, from: &[u8]) -> Result<(), StoreError> {
        self.reader.seek(from)
    }

    fn advance(&mut self) -> Result<(), StoreError> {
        self.reader.advance()?;
        let read = self.reader.current().map_or(0, |(_, value)| value.len());
        *self.bytes += read as u64;
        Ok(())
    }

    fn current(&self) -> Option<EntryRef<'_>> {
        self.reader.current()
    }
}

#[cfg(test)]
mod tests;
