//! Head: the recent samples of all series, in memory, readable while they are written.
//!
//!   store::append ─▶ [Head::put] ─▶ head::page ─▶ head::series ─▶ flush ─▶ engine
//!
//! Pages of series are dealt out to shards, each behind its own lock, so that a reader holds up one
//! sixteenth of the writing, and only for the copy of one series. Only one writer runs at a time
//! (the log's order is the order of the head), so the locks are there for readers and the flush.

mod page;
mod run;
pub mod series;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::HashMap;
use tinyobs_model::{Sample, TimeRange};

use self::page::{NEIGHBOURS, Page, page_of};
use self::series::{HeadSamples, SealedChunk, SeriesHead};
use crate::wal::record::SeriesId;

/// Enough that a reader and the writer seldom meet.
const SHARDS: usize = 16;

/// Pages by number.
#[derive(Default)]
struct Shard {
    pages: HashMap<u64, Page>,
}

fn shard_of(page: u64) -> usize {
    page as usize % SHARDS
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

/// Chunks taken for a flush, by ascending series, and of each in the order in which they were sealed.
pub type Taken = Vec<(SeriesId, Arc<SealedChunk>)>;

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
        // Neighbours share a page: it is looked for once for each run of them.
        for run in samples.chunk_by(|a, b| page_of(a.0) == page_of(b.0)) {
            let number = page_of(run[0].0);
            let mut shard = self.write(number);
            let page = shard.pages.entry(number).or_default();
            for (id, sample) in run {
                first = first.min(sample.time_ms);
                last = last.max(sample.time_ms);
                new += u64::from(page.head_mut(*id).put(*sample, epoch));
            }
        }
        self.samples.fetch_add(new, Ordering::Relaxed);
        let mut extent = self.extents();
        extent.since = both(extent.since, (first, last));
    }

    /// The newest sample of a series that has some here.
    pub fn last(&self, id: SeriesId) -> Option<Sample> {
        let shard = self.read(page_of(id));
        shard.head(id).and_then(SeriesHead::last)
    }

    /// The newest time of a series, as far as it has come by here or was [`Self::recall`]ed;
    /// `i64::MIN` when it has not.
    pub fn newest_ms(&self, id: SeriesId) -> i64 {
        let shard = self.read(page_of(id));
        let page = shard.pages.get(&page_of(id));
        page.map_or(i64::MIN, |page| page.newest_ms(id))
    }

    /// Notes the newest time of a series that the engine holds.
    pub fn recall(&self, id: SeriesId, newest_ms: i64) {
        let mut shard = self.write(page_of(id));
        let page = shard.pages.entry(page_of(id)).or_default();
        let known = page.gone_ms(id);
        *known = newest_ms.max(*known);
    }

    /// Whether anything of a series is here.
    pub fn holds(&self, id: SeriesId) -> bool {
        self.read(page_of(id)).head(id).is_some()
    }

    /// Forgets that there was such a series. Only while nothing of it is here.
    pub fn forget_series(&self, id: SeriesId) {
        let mut shard = self.write(page_of(id));
        if let Some(page) = shard.pages.get_mut(&page_of(id)) {
            *page.gone_ms(id) = i64::MIN;
            if page.is_blank() {
                shard.pages.remove(&page_of(id));
            }
        }
    }

    /// A copy of a series' samples in `range`.
    pub fn samples(&self, id: SeriesId, range: TimeRange) -> HeadSamples {
        let shard = self.read(page_of(id));
        let head = shard.head(id);
        head.map(|head| head.read(range)).unwrap_or_default()
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
            for (number, page) in &mut shard.pages {
                for (place, head) in page.heads_mut() {
                    let id = number * NEIGHBOURS + place;
                    let chunks = head.seal_up_to(epoch).iter();
                    taken.extend(chunks.map(|chunk| (id, Arc::clone(chunk))));
                }
            }
        }
        // Stable: the chunks of a series stay in their order.
        taken.sort_by_key(|(id, _)| *id);
        taken
    }

    /// Drops what [`Self::take`] returned: it stands in the engine now. Between the two, chunks are
    /// only added, behind the ones that were taken.
    pub fn forget(&self, taken: &Taken) {
        for chunks in taken.chunk_by(|a, b| a.0 == b.0) {
            let id = chunks[0].0;
            let held: u64 = chunks.iter().map(|(_, chunk)| chunk.count).sum();
            let mut shard = self.write(page_of(id));
            if let Some(page) = shard.pages.get_mut(&page_of(id)) {
                let head = page.head_mut(id);
                let last = head.last();
                head.forget(chunks.len());
                if let (Some(last), true) = (last, head.is_empty()) {
                    *head = SeriesHead::default();
                    let known = page.gone_ms(id);
                    *known = last.time_ms.max(*known);
                    page.shrink();
                }
            }
            self.samples.fetch_sub(held, Ordering::Relaxed);
        }
        self.extents().before = NEVER;
    }

    fn read(&self, page: u64) -> RwLockReadGuard<'_, Shard> {
        self.shards[shard_of(page)]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, page: u64) -> RwLockWriteGuard<'_, Shard> {
        self.shards[shard_of(page)]
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    /// The head of a series, if it holds samples.
    fn head(&self, id: SeriesId) -> Option<&SeriesHead> {
        self.pages.get(&page_of(id))?.head(id)
    }
}

#[cfg(test)]
mod tests;
