//! Inner: what the store's calls and its threads share, and who may touch what.
//!
//! I-STORE-2  After a failed fsync nothing is acknowledged any more, whoever met the failure.
//! Lock order: working, then writer, then index; never the other way round.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tinyobs_model::Metadata;

use crate::cardinality::Watch;
use crate::engine::{Engine, PartitionInfo, Space, Summary, View};
use crate::error::StoreError;
use crate::head::Head;
use crate::index::Index;
use crate::maintenance::Journal;
use crate::options::StoreOptions;
use crate::retention::Calendar;
use crate::room::Room;
use crate::signal::Signal;
use crate::storage::Usage;
use crate::wal::Log;
use crate::wal::record::{Definition, SeriesId};
use crate::wal::syncer::Syncer;

/// What the store's calls and its threads share.
pub(crate) struct Inner {
    pub(crate) options: StoreOptions,
    pub(crate) head: Arc<Head>,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) syncer: Option<Arc<Syncer>>,
    /// Series from this number on were made since the start: the engine cannot hold anything older.
    pub(crate) first_new_series: u64,
    /// Older series whose newest time in the engine the head has been told.
    pub(crate) recalled: RwLock<HashSet<SeriesId>>,
    /// Series that are gone from the index, but whose definitions still stand in the engine.
    pub(crate) obsolete: Mutex<HashSet<SeriesId>>,
    /// Who makes series, and who was refused.
    pub(crate) watch: Watch,
    pub(crate) flushes: AtomicU64,
    /// What a start found damaged, one sentence each.
    pub(crate) damage: Vec<String>,
    /// Whether it may have held definitions of series.
    pub(crate) lost_definitions: bool,
    /// Wakes the maintenance thread.
    pub(crate) wake: Signal,
    /// Held over a whole flush, rollup, merge or drop: there is one at a time.
    pub(crate) working: Mutex<()>,
    pub(crate) journal: Journal,
    pub(crate) calendar: Mutex<Calendar>,
    pub(crate) usage: Usage,
    pub(crate) room: Room,
    pub(crate) writer: Mutex<Writer>,
    pub(crate) index: RwLock<Index>,
    pub(crate) closed: AtomicBool,
    /// The first fatal failure.
    pub(crate) fatal: Mutex<Option<String>>,
    /// I-STORE-1; dropped, and so unlocked, when the store closes.
    pub(crate) lock: Mutex<Option<File>>,
}

/// What only the one batch being written may touch.
pub(crate) struct Writer {
    pub(crate) log: Box<dyn Log>,
    pub(crate) next_series: u64,
    /// Definitions that stand in the log but not yet in the engine.
    pub(crate) unsaved_series: Vec<Definition>,
    /// Metadata likewise.
    pub(crate) unsaved_metadata: BTreeMap<String, Metadata>,
    /// Counts the times that series have left the index: what was looked up before is looked up
    /// again.
    pub(crate) expiries: u64,
    /// Memory kept from batch to batch.
    pub(crate) frames: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Inner {
    pub(crate) fn writer(&self) -> MutexGuard<'_, Writer> {
        lock(&self.writer)
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error when nothing is accepted any more.
    pub(crate) fn check_open(&self) -> Result<(), StoreError> {
        self.check_sound()?;
        if self.closed.load(Ordering::SeqCst) {
            return Err(StoreError::Closed);
        }
        Ok(())
    }

    /// An error after a fatal failure (I-STORE-2).
    pub(crate) fn check_sound(&self) -> Result<(), StoreError> {
        if let Some(reason) = lock(&self.fatal).clone() {
            return Err(StoreError::Fatal { reason });
        }
        self.syncer.as_ref().map_or(Ok(()), |syncer| syncer.check())
    }

    /// Remembers the first fatal failure (I-STORE-2).
    pub(crate) fn note(&self, error: &StoreError) {
        if let StoreError::Fatal { reason } = error {
            lock(&self.fatal).get_or_insert_with(|| reason.clone());
        }
    }

    /// The newest time in the engine, or the oldest possible one.
    pub(crate) fn newest_stored_ms(&self) -> i64 {
        let raw = of_space(self.engine.view().as_ref(), Space::Raw);
        raw.summary.last_ms
    }
}

/// All partitions of a space as one.
pub(crate) fn of_space(view: &dyn View, space: Space) -> PartitionInfo {
    let none = PartitionInfo {
        summary: Summary::EMPTY,
        tables: 0,
        bytes: 0,
    };
    let partitions = view.partitions().into_iter();
    let of_space = partitions.filter(|(partition, _)| partition.space == space);
    of_space.fold(none, |all, (_, info)| PartitionInfo {
        summary: all.summary.and(info.summary),
        tables: all.tables + info.tables,
        bytes: all.bytes + info.bytes,
    })
}

/// A poisoned lock is taken all the same: every change under these locks is one assignment, or is
/// undone by a restart from the log.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
