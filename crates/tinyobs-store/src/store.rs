//! Store: the whole, from opening to closing.
//!
//!   [Store::append] ─▶ append ─▶ wal ─▶ head ─▶ flush ─▶ engine
//!   [Store::select] ◀─ select ◀─ head + engine
//!
//! I-STORE-1  One process per data directory, by a file lock that the system drops with the
//!            process: a killed one leaves nothing to clean up.
//! Proved by: store/tests.rs, tests/model.rs, `cargo xtask crash`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;

use tinyobs_model::{
    Kind, Labels, Matcher, Resolution, ResolvedCursor, Sample, SelectError, SeriesCursor,
    SeriesSource, TimeRange, WriteBatch, is_stale_marker,
};

use crate::append::Appended;
use crate::backup::Backup;
use crate::cardinality::{Cardinality, Watch};
use crate::engine::{Engine, Pick};
use crate::error::StoreError;
use crate::head::Head;
use crate::inner::{Inner, lock};
use crate::maintenance::{self, Journal, Maintained, MaintenanceStatus};
use crate::open;
use crate::options::StoreOptions;
use crate::resolve::{self, Resolving};
use crate::retention::Calendar;
use crate::room::Room;
use crate::select::{Cursor, Newest};
use crate::signal::Signal;
use crate::stats::{MetricInfo, Stats};
use crate::storage::{Storage, Usage};
use crate::wal::record::SeriesId;

/// A store of samples. Cheap to share behind an `Arc`; every call may block on the device.
pub struct Store {
    pub(crate) inner: Arc<Inner>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A series as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesInfo {
    /// Its labels, the metric name among them.
    pub labels: Labels,
    /// What its numbers mean.
    pub kind: Kind,
}

impl Store {
    /// Opens a store, replaying what its log holds.
    ///
    /// # Errors
    /// The directory is in use, unreadable, damaged, or of a newer format.
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let opened = open::open(&options)?;
        let watch = Watch::new(&opened.index, options.clock.now_ms());
        let clock = &options.clock;
        let calendar = Mutex::new(Calendar::new(clock.now_ms(), clock.elapsed_ms()));
        let inner = Arc::new(Inner {
            options,
            head: Arc::new(opened.head),
            engine: opened.engine,
            syncer: opened.syncer,
            first_new_series: opened.writer.next_series,
            recalled: RwLock::default(),
            obsolete: Mutex::new(opened.obsolete),
            watch,
            flushes: AtomicU64::new(0),
            damage: opened.damage,
            lost_definitions: opened.lost_definitions,
            wake: Signal::default(),
            working: Mutex::new(()),
            journal: Journal::default(),
            calendar,
            usage: Usage::default(),
            room: Room::default(),
            writer: Mutex::new(opened.writer),
            index: RwLock::new(opened.index),
            closed: AtomicBool::new(false),
            fatal: Mutex::new(None),
            lock: Mutex::new(opened.lock),
        });
        let threads = Mutex::new(maintenance::spawn(&inner)?);
        Ok(Self { inner, threads })
    }

    /// Stores the good items of a batch and says what was wrong with the others.
    ///
    /// # Errors
    /// The log cannot be written: nothing of the batch is kept, or, after a failed fsync, nobody
    /// knows.
    pub fn append(&self, batch: &WriteBatch) -> Result<Appended, StoreError> {
        let appended = self.inner.append(batch);
        match &appended {
            // A batch that was refused for other reasons has not written anything.
            Ok(appended) if appended.stored > 0 => self.inner.room.kept(),
            Err(error) if error.is_full() => self.inner.room.refused(error),
            _ => {}
        }
        appended
    }

    /// The series that satisfy every matcher, in the order of their labels.
    pub fn series(&self, matchers: &[Matcher]) -> Vec<SeriesInfo> {
        let index = self.inner.index();
        let ids = index.select(matchers);
        let labels = ids.into_iter().filter_map(|id| index.labels(id));
        let info = |labels: &Labels| SeriesInfo {
            labels: labels.clone(),
            kind: index.kind(labels.metric_name()),
        };
        labels.map(info).collect()
    }

    /// How many series satisfy every matcher.
    pub fn series_count(&self, matchers: &[Matcher]) -> usize {
        self.inner.index().select(matchers).len()
    }

    /// The newest sample, not older than `since_ms`, of each series that satisfies every matcher
    /// and has not ended.
    ///
    /// # Errors
    /// Stored bytes cannot be read or are damaged.
    pub fn latest(
        &self,
        matchers: &[Matcher],
        since_ms: i64,
    ) -> Result<Vec<(SeriesInfo, Sample)>, SelectError> {
        self.latest_of(matchers, since_ms, &mut |_| true)
    }

    /// Like [`Self::latest`], of those series alone whose labels are wanted.
    ///
    /// # Errors
    /// Stored bytes cannot be read or are damaged.
    pub fn latest_of(
        &self,
        matchers: &[Matcher],
        since_ms: i64,
        wanted: &mut dyn FnMut(&Labels) -> bool,
    ) -> Result<Vec<(SeriesInfo, Sample)>, SelectError> {
        let inner = &self.inner;
        let mut series: Vec<(SeriesId, SeriesInfo)> = {
            let index = inner.index();
            let all = index.select(matchers).into_iter();
            all.filter_map(|id| {
                let labels = index.labels(id)?.clone();
                let kind = index.kind(labels.metric_name());
                Some((id, SeriesInfo { labels, kind }))
            })
            .collect()
        };
        series.sort_unstable_by_key(|(id, _)| *id);
        // The head knows, unless the engine holds something newer than anything in the head. The
        // engine is asked second: what a flush moves meanwhile is seen there.
        let heads: Vec<_> = series.iter().map(|(id, _)| inner.head.last(*id)).collect();
        let newest_stored_ms = inner.newest_stored_ms();
        let mut stored = Newest::new(inner.engine.view());
        let mut found = Vec::new();
        for ((id, info), in_head) in series.into_iter().zip(heads) {
            if !wanted(&info.labels) {
                continue;
            }
            let last = match in_head {
                Some(last) if last.time_ms >= newest_stored_ms => Some(last),
                // Of two at one time the head's is newer.
                in_head => match stored.of(id, since_ms)? {
                    Some(last) if in_head.is_none_or(|it| it.time_ms < last.time_ms) => Some(last),
                    _ => in_head,
                },
            };
            let last = last.filter(|last| last.time_ms >= since_ms);
            if let Some(last) = last.filter(|last| !is_stale_marker(last.value)) {
                found.push((info, last));
            }
        }
        found.sort_unstable_by(|(a, _), (b, _)| a.labels.cmp(&b.labels));
        Ok(found)
    }

    /// Every metric name with what is known of it, sorted.
    pub fn metrics(&self) -> Vec<MetricInfo> {
        self.inner.metrics()
    }

    /// The services that series are of, sorted.
    pub fn services(&self) -> Vec<String> {
        self.inner.index().services()
    }

    /// The values of a label, sorted.
    pub fn label_values(&self, label: &str) -> Vec<String> {
        self.inner.index().label_values(label)
    }

    /// Figures about the whole store. Takes no longer when it holds more samples.
    pub fn stats(&self) -> Stats {
        self.inner.stats()
    }

    /// New series refused since the start.
    pub fn refused_series(&self) -> u64 {
        self.inner.watch.refused_total()
    }

    /// Series at most.
    pub fn max_series(&self) -> u64 {
        self.inner.options.max_series
    }

    /// What the last start found damaged, and what readers have met since: one sentence each, with file
    /// and offset.
    pub fn damage(&self) -> Vec<String> {
        let mut damage = self.inner.damage.clone();
        for what in self.inner.engine.damage() {
            if !damage.contains(&what) {
                damage.push(what);
            }
        }
        damage
    }

    /// Whether series may be missing because their definitions were damaged when the store opened.
    pub fn lost_definitions(&self) -> bool {
        self.inner.lost_definitions
    }

    /// Whether batches are accepted, or why not.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn health(&self) -> Result<(), String> {
        self.inner.check_open().map_err(|error| error.to_string())
    }

    /// Why writes are refused for want of room, if they are: from the first that was until one is
    /// kept. Unlike what [`Self::health`] says, that ends by itself.
    pub fn refusing(&self) -> Option<String> {
        self.inner.refusing()
    }

    /// Why nothing will ever be accepted any more, if so (I-STORE-2).
    pub fn failure(&self) -> Option<String> {
        match self.inner.check_open() {
            Err(StoreError::Fatal { reason }) => Some(reason),
            _ => None,
        }
    }

    /// Writes everything out of memory and the log into the engine.
    ///
    /// # Errors
    /// The engine cannot be written. Nothing is lost: it stays in the log and in memory.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.inner.check_open()?;
        let _one_at_a_time = lock(&self.inner.working);
        let flushed = self.inner.flush();
        self.inner.journal.end();
        flushed
    }

    /// Does all that is due now instead of later: writes everything out, rolls up, merges whatever
    /// can be merged, drops what is too old or too much. Waits for what is under way.
    ///
    /// # Errors
    /// The engine cannot be written. Nothing is lost.
    pub fn maintain(&self) -> Result<Maintained, StoreError> {
        self.inner.maintain(Pick::All)
    }

    /// How maintenance goes.
    pub fn maintenance(&self) -> MaintenanceStatus {
        self.inner.maintenance()
    }

    /// How much room everything takes.
    pub fn storage(&self) -> Storage {
        self.inner.storage()
    }

    /// The series in figures.
    pub fn cardinality(&self) -> Cardinality {
        self.inner.cardinality()
    }

    /// A consistent picture of everything acknowledged so far.
    ///
    /// # Errors
    /// The engine cannot be written.
    pub fn backup(&self) -> Result<Backup, StoreError> {
        self.inner.backup()
    }

    /// Accepts no more batches, writes everything out, and lets go of the directory. Again is
    /// harmless.
    ///
    /// # Errors
    /// As [`Self::flush`]; the store is closed all the same.
    pub fn close(&self) -> Result<(), StoreError> {
        {
            // With the writer's lock: no batch is between its check and its acknowledgement.
            let _writer = self.inner.writer();
            if self.inner.closed.swap(true, Ordering::SeqCst) {
                return Ok(());
            }
        }
        let flushed = {
            let _one_at_a_time = lock(&self.inner.working);
            self.inner.flush()
        };
        self.inner.wake.stop();
        let synced = self.inner.syncer.as_ref().map_or(Ok(()), |syncer| {
            syncer.stop();
            syncer.sync_now()
        });
        let threads = std::mem::take(&mut *lock(&self.threads));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a maintenance thread of the store had panicked");
            }
        }
        self.inner.release_reserve();
        lock(&self.inner.lock).take();
        flushed.and(synced)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the store did not close cleanly; its log has everything");
        }
    }
}

impl SeriesSource for Store {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<Box<dyn SeriesCursor>>, SelectError> {
        let cursors = self.inner.cursors(matchers, range);
        Ok(cursors
            .into_iter()
            .map(|cursor| Box::new(cursor) as Box<dyn SeriesCursor>)
            .collect())
    }

    fn select_resolved(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        step_ms: i64,
    ) -> Result<Vec<Box<dyn ResolvedCursor>>, SelectError> {
        let wanted = resolve::wanted(step_ms);
        let cursors = self
            .inner
            .each_series(matchers, |id, labels, head, engine| {
                let cursor = Resolving::new(id, labels, range, wanted, head, engine);
                Box::new(cursor) as Box<dyn ResolvedCursor>
            });
        Ok(cursors)
    }

    fn raw_from_ms(&self) -> i64 {
        let counters = self.inner.engine.view().counters();
        counters.dropped_ms[Resolution::Raw as usize]
    }
}

impl Inner {
    fn cursors(&self, matchers: &[Matcher], range: TimeRange) -> Vec<Cursor> {
        self.each_series(matchers, |id, labels, head, engine| {
            Cursor::new(id, labels, range, head, engine)
        })
    }

    /// A cursor for each series that satisfies every matcher, in the order of their labels.
    fn each_series<C>(
        &self,
        matchers: &[Matcher],
        cursor: impl Fn(SeriesId, Labels, Arc<Head>, Arc<dyn Engine>) -> C,
    ) -> Vec<C> {
        let index = self.index();
        let ids = index.select(matchers);
        let cursor = |id| {
            let labels = index.labels(id)?.clone();
            let (head, engine) = (Arc::clone(&self.head), Arc::clone(&self.engine));
            Some(cursor(id, labels, head, engine))
        };
        ids.into_iter().filter_map(cursor).collect()
    }
}

#[cfg(test)]
mod tests;
