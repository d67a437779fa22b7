//! Engine: an ordered key-value store under the head, in time partitions.
//!
//!   flush, rollup ─▶ [Draft] ─▶ [Engine::commit] ─▶ tables ─▶ [Engine::view] ─▶ select
//!   merge ─▶ [Engine::merge]: several tables become one
//!
//! An engine knows bytes, not metrics. What is written comes sorted, so an engine needs neither a
//! journal nor a memory table of its own: the log and the head are those.
//!
//! I-ENGINE-1  A commit is there entirely or not at all, whatever happens meanwhile, and once
//!             `commit` has returned it is durable.
//! I-ENGINE-2  Of equal keys the one committed last is seen, alone.
//! I-ENGINE-3  Dropping a partition costs the same however much it holds.
//! I-ENGINE-4  A view and its readers see the tables that were there when it was made, whatever is
//!             merged or dropped meanwhile.
//! I-ENGINE-5  A damaged table keeps the store from opening in no case. Reading its partition is an
//!             error that names it, never an answer without it.
//! Proved by: engine/tests.rs.

pub mod key;
pub mod manifest;
mod merged;
pub(crate) mod open_files;
pub mod table;
pub mod tables;

use std::ops::ControlFlow;
use std::sync::Arc;

use tinyobs_model::TimeRange;

pub use self::key::{Partition, Space};
pub use self::manifest::TableLine;
pub use self::tables::{Finished, Snapshot, TableEngine};
use crate::error::StoreError;

/// What the writer wants remembered about the entries of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Samples in the entries, or windows of rollups.
    pub samples: u64,
    /// Time of the earliest, in ms.
    pub first_ms: i64,
    /// Time of the latest, in ms.
    pub last_ms: i64,
    /// The highest sequence number among their keys.
    pub sequence: u64,
}

impl Default for Summary {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Summary {
    /// Of no samples.
    pub const EMPTY: Self = Self {
        samples: 0,
        first_ms: i64::MAX,
        last_ms: i64::MIN,
        sequence: 0,
    };

    /// Of the samples of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            first_ms: self.first_ms.min(other.first_ms),
            last_ms: self.last_ms.max(other.last_ms),
            sequence: self.sequence.max(other.sequence),
        }
    }
}

/// A partition as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionInfo {
    /// What is remembered about all its tables.
    pub summary: Summary,
    /// Its tables.
    pub tables: u64,
    /// Bytes of their files.
    pub bytes: u64,
}

/// Numbers that are committed together with the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// The next series id.
    pub next_series: u64,
    /// The next sequence number of a chunk.
    pub next_sequence: u64,
    /// The oldest log segment whose content is not in the engine.
    pub first_segment: u64,
    /// Raw chunks up to this sequence number stand in rollups.
    pub rolled: u64,
    /// By resolution: what is older has been dropped, in ms.
    pub dropped_ms: [i64; 3],
}

/// The first numbers given out.
impl Default for Counters {
    fn default() -> Self {
        Self {
            next_series: 1,
            next_sequence: 1,
            first_segment: 1,
            rolled: 0,
            dropped_ms: [i64::MIN; 3],
        }
    }
}

/// A table being written.
pub trait Draft: Send {
    /// Adds an entry; keys ascend.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Ends the table and brings it to the device. It counts once it is committed.
    fn finish(self: Box<Self>, summary: Summary) -> Result<Finished, StoreError>;
}

/// What is written in one step.
#[derive(Default)]
pub struct Commit {
    /// New tables.
    pub tables: Vec<Finished>,
    /// Partitions that go.
    pub drops: Vec<Partition>,
    /// The counters after this commit.
    pub counters: Counters,
}

/// Key and value, as long as their reader stands still.
pub type EntryRef<'a> = (&'a [u8], &'a [u8]);

/// Entries of a partition in the order of their keys.
pub trait EntryReader {
    /// Goes forward to the first key that is not below `from`.
    fn seek(&mut self, from: &[u8]) -> Result<(), StoreError>;

    /// Goes to the next entry. After an error the reader stands behind the damaged block.
    fn advance(&mut self) -> Result<(), StoreError>;

    /// The key and value of the entry that it stands on; none at the end.
    fn current(&self) -> Option<EntryRef<'_>>;

    /// The next key and value.
    fn next(&mut self) -> Result<Option<EntryRef<'_>>, StoreError> {
        self.advance()?;
        Ok(self.current())
    }
}

/// A reader, and why some tables are not in it.
pub type Readable = (Box<dyn EntryReader>, Option<StoreError>);

/// Which tables of a partition to merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// As many of the newest as weigh three times the heaviest of them, or twice where there are many:
    /// what is written is rewritten a logarithmic number of times.
    Similar,
    /// All of a partition that hardly anything is added to any more, unless that would rewrite a
    /// large table for the sake of a few late samples.
    Settled,
    /// All, when there are several.
    All,
    /// All, also a single one: something is to be left out of it.
    Rewrite,
}

/// Turns the entries of several tables into those of one.
pub trait Rewrite {
    /// Takes one entry, in the order of keys, and may put some.
    fn entry(&mut self, key: &[u8], value: &[u8], out: &mut dyn Draft) -> Result<(), StoreError>;

    /// Puts what is left.
    fn finish(&mut self, out: &mut dyn Draft) -> Result<Summary, StoreError>;
}

/// Called with each key and value of a scan, in order; may break it off.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// What an engine holds at one moment (I-ENGINE-4). Every call may block on the device.
pub trait View: Send + Sync {
    /// The counters of the last commit.
    fn counters(&self) -> Counters;

    /// Every partition, ascending.
    fn partitions(&self) -> Vec<(Partition, PartitionInfo)>;

    /// The earliest time in a table of `space` that holds something above sequence `after`, and
    /// something not before `from_ms`.
    fn first_ms_after(&self, space: Space, after: u64, from_ms: i64) -> Option<i64>;

    /// Reads the tables of a partition that hold something above sequence `after`.
    fn reader(&self, partition: Partition, after: u64) -> Result<Box<dyn EntryReader>, StoreError>;

    /// Reads the tables of a partition that hold something in `range`.
    fn reader_in(
        &self,
        partition: Partition,
        range: TimeRange,
    ) -> Result<Box<dyn EntryReader>, StoreError>;

    /// Reads those of the tables that can be read, and says why the others cannot.
    fn readable(&self, partition: Partition, after: u64) -> Result<Readable, StoreError>;

    /// The manifest and its tables, to be copied.
    fn snapshot(&self) -> Snapshot;

    /// Visits the entries of a partition with keys in `from..to`, ascending (I-ENGINE-2).
    fn scan(
        &self,
        partition: Partition,
        from: &[u8],
        to: &[u8],
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        let mut reader = self.reader(partition, 0)?;
        reader.seek(from)?;
        while let Some((key, value)) = reader.next()? {
            if key >= to || visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// An ordered key-value store in partitions. Every call may block on the device.
pub trait Engine: Send + Sync {
    /// What it holds now.
    fn view(&self) -> Arc<dyn View>;

    /// Begins a table.
    fn draft(&self, partition: Partition) -> Box<dyn Draft>;

    /// Makes tables and drops count (I-ENGINE-1).
    fn commit(&self, commit: Commit) -> Result<(), StoreError>;

    /// Merges tables of a partition, and returns how many went. `go_on` is asked now and then;
    /// when it says no, nothing has changed.
    fn merge(
        &self,
        partition: Partition,
        pick: Pick,
        rewrite: &mut dyn Rewrite,
        go_on: &dyn Fn() -> bool,
    ) -> Result<u64, StoreError>;

    /// What was damaged at the start, and what readers have met since in tables that are still there:
    /// one sentence each, with file and offset.
    fn damage(&self) -> Vec<String>;
}

#[cfg(test)]
mod tests;
