//! Head: the recent samples of all series, in memory, readable while they are written.
//!
//!   store::append ─▶ [Head::put] ─▶ head::series ─▶ flush ─▶ engine
//!
//! Series are dealt out to shards, each behind its own lock, so that a reader holds up one
//! sixteenth of the writing, and only for the copy of one series. Only one writer runs at a time
//! (the log's order is the order of the head), so the locks are there for readers and the flush.

mod run;
pub mod series;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::HashMap;
use tinyobs_model::{Sample, TimeRange};

use self::series::{HeadSamples, SealedChunk, SeriesHead};
use crate::wal::record::SeriesId;

/// Enough that a reader and the writer seldom meet.
const SHARDS: usize = 16;

/// Series that were made one after another tend to be pushed one after another.
const NEIGHBOURS: u64 = 64;

fn shard_of(id: SeriesId) -> usize {
    (id / NEIGHBOURS) as usize % SHARDS
}

#[derive(Default)]
struct Shard {
    series: HashMap<SeriesId, SeriesHead>,
    /// The newest time of series that have no samples here any more.
    last_ms: HashMap<SeriesId, i64>,
}

/// The recent samples of all series.
pub struct Head {
    shards: Vec<RwLock<Shard>>,
    /// Counts the log's rotations (I-HEAD-4).
    epoch: AtomicU64,
    /// Samples held, in open runs and sealed chunks.
    samples: AtomicU64,
    extent: Mutex<Extents>,
}

/// The earliest and the latest time, of what has been put since the last rotation, and of what was
/// put before it and is not forgotten yet.
#[derive(Clone, Copy)]
struct Extents {
    since: (i64, i64),
    before: (i64, i64),
}

/// Of nothing.
const NEVER: (i64, i64) = (i64::MAX, i64::MIN);

fn both(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    (a.0.min(b.0), a.1.max(b.1))
}

/// Chunks taken for a flush, by series.
pub type Taken = BTreeMap<SeriesId, Vec<Arc<SealedChunk>>>;

impl Head {
    /// An empty head.
    pub fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            epoch: AtomicU64::new(0),
            samples: AtomicU64::new(0),
            extent: Mutex::new(Extents {
                since: NEVER,
                before: NEVER,
            }),
        }
    }

    /// Adds samples, in order.
    pub fn put(&self, samples: &[(SeriesId, Sample)]) {
        let epoch = self.epoch.load(Ordering::SeqCst);
        let mut new = 0;
        let (mut first, mut last) = NEVER;
        // Neighbours share a shard: its lock is taken once for each run of them.
        for run in samples.chunk_by(|a, b| shard_of(a.0) == shard_of(b.0)) {
            let mut shard = self.write(run[0].0);
            for (id, sample) in run {
                first = first.min(sample.time_ms);
                last = last.max(sample.time_ms);
                new += u64::from(shard.series.entry(*id).or_default().put(*sample, epoch));
            }
        }
        self.samples.fetch_add(new, Ordering::Relaxed);
        let mut extent = self.extents();
        extent.since = both(extent.since, (first, last));
    }

    /// The newest sample of a series that is still here.
    pub fn last(&self, id: SeriesId) -> Option<Sample> {
        self.read(id).series.get(&id).and_then(SeriesHead::last)
    }

    /// The newest time of a series, as far as it has come by here or was [`Self::recall`]ed.
    pub fn last_ms(&self, id: SeriesId) -> Option<i64> {
        let shard = self.read(id);
        let gone = shard.last_ms.get(&id).copied();
        let here = shard.series.get(&id).and_then(SeriesHead::last);
        here.map(|last| last.time_ms).max(gone)
    }

    /// Notes the newest time of a series that the engine holds.
    pub fn recall(&self, id: SeriesId, last_ms: i64) {
        let mut shard = self.write(id);
        let known = shard.last_ms.entry(id).or_insert(last_ms);
        *known = last_ms.max(*known);
    }

    /// Whether anything of a series is here.
    pub fn holds(&self, id: SeriesId) -> bool {
        self.read(id).series.contains_key(&id)
    }

    /// Forgets that there was such a series. Only while nothing of it is here.
    pub fn forget_series(&self, id: SeriesId) {
        self.write(id).last_ms.remove(&id);
    }

    /// A copy of a series' samples in `range`.
    pub fn samples(&self, id: SeriesId, range: TimeRange) -> HeadSamples {
        self.read(id)
            .series
            .get(&id)
            .map(|series| series.read(range))
            .unwrap_or_default()
    }

    /// Samples held, and their earliest and latest time.
    pub fn extent(&self) -> (u64, i64, i64) {
        let extent = *self.extents();
        let (first_ms, last_ms) = both(extent.since, extent.before);
        (self.samples.load(Ordering::Relaxed), first_ms, last_ms)
    }

    fn extents(&self) -> MutexGuard<'_, Extents> {
        self.extent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a new epoch and returns the one before. Only while nobody writes, together with the
    /// log's rotation.
    pub fn rotate(&self) -> u64 {
        let mut extent = self.extents();
        extent.before = both(extent.before, extent.since);
        extent.since = NEVER;
        self.epoch.fetch_add(1, Ordering::SeqCst)
    }

    /// Seals everything up to `epoch` and returns it. It stays readable here until
    /// [`Self::forget`]. Shard by shard, so that writing goes on meanwhile.
    pub fn take(&self, epoch: u64) -> Taken {
        let mut taken = Taken::new();
        for lock in &self.shards {
            let mut shard = lock.write().unwrap_or_else(PoisonError::into_inner);
            for (id, series) in &mut shard.series {
                let chunks = series.seal_up_to(epoch);
                if !chunks.is_empty() {
                    taken.insert(*id, chunks);
                }
            }
        }
        taken
    }

    /// Drops what [`Self::take`] returned: it stands in the engine now. Between the two, chunks are
    /// only added, behind the ones that were taken.
    pub fn forget(&self, taken: &Taken) {
        for (id, chunks) in taken {
            let held: u64 = chunks.iter().map(|chunk| chunk.count).sum();
            let mut shard = self.write(*id);
            if let Some(series) = shard.series.get_mut(id) {
                series.forget(chunks.len());
                let last = series.last().filter(|_| series.is_empty());
                if let Some(last) = last {
                    shard.series.remove(id);
                    let known = shard.last_ms.entry(*id).or_insert(last.time_ms);
                    *known = last.time_ms.max(*known);
                }
            }
            self.samples.fetch_sub(held, Ordering::Relaxed);
        }
        self.extents().before = NEVER;
    }

    fn read(&self, id: SeriesId) -> RwLockReadGuard<'_, Shard> {
        self.shards[shard_of(id)]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, id: SeriesId) -> RwLockWriteGuard<'_, Shard> {
        self.shards[shard_of(id)]
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
