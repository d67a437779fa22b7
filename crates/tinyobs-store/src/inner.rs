//! Inner: what the store's calls and its threads share, and who may touch what.
//!
//! I-STORE-2  After a failed fsync nothing is acknowledged any more, whoever met the failure.
//! Lock order: flushing, then writer, then index; never the other way round.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tinyobs_model::Metadata;

use crate::engine::{Engine, Partition, Space, Summary};
use crate::error::StoreError;
use crate::head::Head;
use crate::index::Index;
use crate::options::StoreOptions;
use crate::signal::Signal;
use crate::wal::Log;
use crate::wal::record::Definition;
use crate::wal::syncer::Syncer;

/// What the store's calls and its threads share.
pub(crate) struct Inner {
    pub(crate) options: StoreOptions,
    pub(crate) head: Arc<Head>,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) syncer: Option<Arc<Syncer>>,
    pub(crate) refused_series: AtomicU64,
    /// When the log last said that series are refused, in ms.
    pub(crate) limit_warned_ms: AtomicI64,
    pub(crate) flushes: AtomicU64,
    /// What a start found damaged, one sentence each.
    pub(crate) damage: Vec<String>,
    /// Wakes the flushing thread.
    pub(crate) wake: Signal,
    /// Held over a whole flush: there is one at a time.
    pub(crate) flushing: Mutex<()>,
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
        if let Some(reason) = lock(&self.fatal).clone() {
            return Err(StoreError::Fatal { reason });
        }
        if let Some(syncer) = &self.syncer {
            syncer.check()?;
        }
        if self.closed.load(Ordering::SeqCst) {
            return Err(StoreError::Closed);
        }
        Ok(())
    }

    /// Remembers the first fatal failure (I-STORE-2).
    pub(crate) fn note(&self, error: &StoreError) {
        if let StoreError::Fatal { reason } = error {
            lock(&self.fatal).get_or_insert_with(|| reason.clone());
        }
    }

    /// The newest time in the engine, or the oldest possible one.
    pub(crate) fn newest_stored_ms(&self) -> i64 {
        self.raw_partitions()
            .map(|summary| summary.last_ms)
            .max()
            .unwrap_or(i64::MIN)
    }

    pub(crate) fn raw_partitions(&self) -> impl Iterator<Item = Summary> {
        let partitions = self.engine.partitions().into_iter();
        let raw = |(partition, _): &(Partition, _)| partition.space == Space::Raw;
        partitions.filter(raw).map(|(_, summary)| summary)
    }
}

/// A poisoned lock is taken all the same: every change under these locks is one assignment, or is
/// undone by a restart from the log.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
