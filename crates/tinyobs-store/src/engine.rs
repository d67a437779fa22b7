//! Engine: an ordered key-value store under the head, in time partitions.
//!
//!   flush ─▶ [Engine::commit] ─▶ memory │ disk        select ◀─ [Engine::scan]
//!
//! An engine knows bytes, not metrics. Everything that is written comes as one sorted batch, so an
//! engine needs neither a journal nor a memory table of its own: the log and the head are those.
//!
//! I-ENGINE-1  A commit is there entirely or not at all, whatever happens meanwhile, and once
//!             `commit` has returned it is durable.
//! I-ENGINE-2  Of equal keys the one committed last is seen, alone.
//! I-ENGINE-3  Dropping a partition costs the same however much it holds.
//! Proved by: engine/tests.rs, for every engine.

pub mod disk;
pub mod key;
pub mod manifest;
pub mod memory;
mod open_files;
pub mod table;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

pub use self::key::{Partition, Space};
use crate::error::StoreError;

/// Key and value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// What the writer wants remembered about the entries of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Samples in the entries.
    pub samples: u64,
    /// Time of the earliest, in ms.
    pub first_ms: i64,
    /// Time of the latest, in ms.
    pub last_ms: i64,
}

impl Summary {
    /// Of no samples.
    pub const EMPTY: Self = Self {
        samples: 0,
        first_ms: i64::MAX,
        last_ms: i64::MIN,
    };

    /// Of the samples of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            first_ms: self.first_ms.min(other.first_ms),
            last_ms: self.last_ms.max(other.last_ms),
        }
    }
}

/// Entries of one partition, sorted by key, each key once.
#[derive(Debug, Clone)]
pub struct Load {
    /// The entries.
    pub entries: Vec<Entry>,
    /// What to remember about them.
    pub summary: Summary,
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
}

/// The first numbers given out.
impl Default for Counters {
    fn default() -> Self {
        Self {
            next_series: 1,
            next_sequence: 1,
            first_segment: 1,
        }
    }
}

/// What is written in one step.
#[derive(Debug, Default)]
pub struct Commit {
    /// Entries by partition.
    pub loads: BTreeMap<Partition, Load>,
    /// The counters after this commit.
    pub counters: Counters,
}

/// Called with each key and value of a scan, in order; may break it off.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// An ordered key-value store in partitions. Every call may block on the device.
pub trait Engine: Send + Sync {
    /// Writes a batch (I-ENGINE-1).
    fn commit(&self, commit: Commit) -> Result<(), StoreError>;

    /// Visits the entries of a partition with keys in `from..to`, ascending (I-ENGINE-2).
    fn scan(
        &self,
        partition: Partition,
        from: &[u8],
        to: &[u8],
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError>;

    /// Every partition with what is remembered about it, ascending.
    fn partitions(&self) -> Vec<(Partition, Summary)>;

    /// Removes a partition and everything in it (I-ENGINE-3).
    fn drop_partition(&self, partition: Partition) -> Result<(), StoreError>;

    /// The counters of the last commit.
    fn counters(&self) -> Counters;

    /// Number and bytes of the files (or their like) that hold the entries.
    fn footprint(&self) -> (u64, u64);
}

#[cfg(test)]
mod tests;
