//! Maintenance: what the store does while nobody asks it to.
//!
//!   tinyobs-sync    once a second: what is written reaches the device
//!   tinyobs-work    when the log is long, or samples are late: flush, roll up, merge what is similar
//!                   hourly, or when asked: flush ─▶ roll up ─▶ retain ─▶ make room ─▶ merge ─▶ expire
//!
//! One piece of work at a time, under one lock, and each of its steps is one commit: a process that
//! ends anywhere in between leaves a store that goes on from the last commit.
//!
//! I-WORK-1  A merge gives way to a closing store.
//! I-WORK-2  What fails is tried again, after longer and longer; a full disk soon, and with the
//!           reserve.
//! What waits to be rolled up, and when that is due: [`waiting`], I-WORK-3.
//! Proved by: tests/model.rs, `cargo xtask crash kill`, `cargo xtask crash full`.

mod pace;
mod priority;
mod waiting;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tinyobs_model::{Kind, Resolution};

use self::pace::Pace;
use self::waiting::Late;
use crate::engine::{Commit, Counters, Partition, Pick, Space};
use crate::error::StoreError;
use crate::flush;
use crate::inner::{Inner, lock, of_space};
use crate::memory;
use crate::merge::{Catalogue, Chunks, Rows, Whole};
use crate::rollup::job;
use crate::signal::Woken;
use crate::wal::record::SeriesId;

/// A log longer than this is flushed: a restart replays at most about this much.
pub(crate) const LOG_BYTES_MAX: u64 = 64 << 20;
/// The first time comes sooner.
const FIRST_AFTER: Duration = Duration::from_mins(5);
/// A store that has just opened is left alone for so long.
const SETTLE: Duration = Duration::from_secs(5);
/// What requests have freed goes back to the system this often, and late samples are looked for.
const GIVE_BACK_EVERY: Duration = Duration::from_mins(1);

/// So long after its end a partition gets hardly anything any more, in ms.
const SETTLED_MS: i64 = 2 * 3_600_000;

/// What a cycle is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Phase {
    /// The head goes into the engine.
    Flush = 1,
    /// Samples become windows.
    Rollup = 2,
    /// Tables become one.
    Merge = 3,
    /// What is too old or too much goes.
    Retention = 4,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Flush, Self::Rollup, Self::Merge, Self::Retention];

    /// The name used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flush => "flush",
            Self::Rollup => "rollup",
            Self::Merge => "merge",
            Self::Retention => "retention",
        }
    }
}

/// What a whole cycle did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Windows computed, of all resolutions.
    pub rolled_windows: u64,
    /// Tables that became part of another one.
    pub merged_tables: u64,
    /// Partitions dropped, by age or for room.
    pub dropped_partitions: u64,
    /// Bytes that dropping, merging and forgetting have freed.
    pub freed_bytes: u64,
    /// Series forgotten.
    pub expired_series: u64,
    /// Milliseconds that it took.
    pub took_ms: u64,
}

/// How maintenance goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaintenanceStatus {
    /// What is being done, if anything.
    pub phase: Option<Phase>,
    /// Partitions done in this phase.
    pub done: u64,
    /// Partitions of this phase.
    pub total: u64,
    /// What the last whole cycle did.
    pub last: Option<Maintained>,
    /// Whole cycles since the start.
    pub cycles: u64,
    /// What everything since the start did, what a long log made necessary in between as well.
    pub sum: Maintained,
    /// Failures since the start, likewise.
    pub failures: u64,
    /// When the last cycle ended well, in ms.
    pub last_success_ms: Option<i64>,
    /// When the last one began, in ms.
    pub last_attempt_ms: Option<i64>,
    /// Failures since the last success.
    pub consecutive_errors: u64,
    /// The last failure, until a success.
    pub last_error: Option<String>,
    /// Times that the last rollup passed over something damaged.
    pub damaged: u64,
    /// The newest time that stands in rollups, in ms.
    pub rolled_until_ms: Option<i64>,
    /// How far the newest sample is ahead of it, or of the oldest sample that waits if that is later, in
    /// ms; 0 when nothing waits. A sample older than the raw ones that are kept counts from its own time.
    pub lag_ms: i64,
}

/// What is remembered of the cycles.
pub(crate) struct Journal {
    /// Whether partitions went since series were last looked through.
    pub(crate) expiry_due: AtomicBool,
    rolled_up: Mutex<Option<Instant>>,
    pub(crate) late: Mutex<Late>,
    phase: AtomicU64,
    done: AtomicU64,
    total: AtomicU64,
    status: Mutex<MaintenanceStatus>,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            // A crash may have come between a drop and what it makes obsolete.
            expiry_due: AtomicBool::new(true),
            rolled_up: Mutex::new(None),
            late: Mutex::default(),
            phase: AtomicU64::new(0),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            status: Mutex::default(),
        }
    }
}

impl Journal {
    fn begin(&self, phase: Phase, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.phase.store(phase as u64, Ordering::Relaxed);
    }

    fn progress(&self, done: u64, total: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Nothing is being done any more.
    pub(crate) fn end(&self) {
        self.phase.store(0, Ordering::Relaxed);
    }

    /// Adds what was done since `begun` to the sums.
    fn count(&self, outcome: &Result<Maintained, StoreError>, begun: Instant) {
        let mut status = lock(&self.status);
        let Ok(done) = outcome else {
            status.failures += 1;
            return;
        };
        let sum = &mut status.sum;
        sum.rolled_windows += done.rolled_windows;
        sum.merged_tables += done.merged_tables;
        sum.dropped_partitions += done.dropped_partitions;
        sum.freed_bytes += done.freed_bytes;
        sum.expired_series += done.expired_series;
        sum.took_ms += begun.elapsed().as_millis() as u64;
    }
}

/// Starts the threads. They hold the store's inside alive only until it is closed.
pub(crate) fn spawn(inner: &Arc<Inner>) -> Result<Vec<JoinHandle<()>>, StoreError> {
    let mut threads = Vec::new();
    if let Some(syncer) = inner.syncer.clone() {
        threads.push(named("tinyobs-sync", inner, move || syncer.run())?);
    }
    let worker = Arc::clone(inner);
    threads.push(named("tinyobs-work", inner, move || worker.work())?);
    Ok(threads)
}

fn named(
    name: &str,
    inner: &Inner,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StoreError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|e| StoreError::io("start a thread for", &inner.options.data_dir, e))
}

/// A panic is an error like others: reading and writing go on, and it is tried again.
fn unpanicked(work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
    // Every lock is taken poisoned as well, see `inner::lock`.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(StoreError::Panicked))
}

impl Inner {
    /// The body of the thread that does the work.
    fn work(&self) {
        priority::give_way();
        self.measure();
        // What several short lives have left is a long log, too.
        if self.writer().log.bytes() >= self.log_bytes_max(LOG_BYTES_MAX) {
            self.wake.raise();
        }
        if self.wake.wait(SETTLE, false) == Woken::Stopped {
            return;
        }
        self.take_reserve();
        // Soon after a start, for there are lives shorter than an hour.
        let mut pace = Pace::new(Instant::now() + FIRST_AFTER);
        loop {
            let wait = pace.wake_at.saturating_duration_since(Instant::now());
            let woken = self.wake.wait(wait.min(GIVE_BACK_EVERY), pace.heed_raised);
            match woken {
                Woken::Stopped => return,
                Woken::InTime if Instant::now() < pace.wake_at => {
                    memory::give_back();
                    if pace.failed || !self.is_late_due() {
                        continue;
                    }
                }
                Woken::Raised | Woken::InTime => {}
            }
            let is_due = Instant::now() >= pace.cycle_at;
            // What failed waits for its time, but the log must not become long meanwhile.
            let only_flush = pace.failed && woken == Woken::Raised && !is_due;
            let outcome = match (is_due, only_flush) {
                (true, _) => unpanicked(|| self.maintain(Pick::Similar).map(|_| ())),
                (_, true) => unpanicked(|| self.flush_only()),
                _ => unpanicked(|| self.catch_up()),
            };
            match outcome {
                Err(StoreError::Closed) => return,
                Ok(()) if only_flush => {}
                Ok(()) => pace.succeeded(is_due, self.is_full()),
                Err(error) => {
                    tracing::error!(%error, "maintenance failed; what is in the log stays there");
                    let log_is_long =
                        self.writer().log.bytes() >= self.log_bytes_max(LOG_BYTES_MAX);
                    pace.failed(is_due, error.is_full() || log_is_long);
                }
            }
        }
    }

    fn flush_only(&self) -> Result<(), StoreError> {
        let _one_at_a_time = lock(&self.working);
        let outcome = self.flush();
        self.journal.end();
        outcome
    }

    /// What cannot wait for the next whole cycle.
    pub(crate) fn catch_up(&self) -> Result<(), StoreError> {
        let _one_at_a_time = lock(&self.working);
        let begun = Instant::now();
        let outcome = self.with_reserve(|| {
            self.flush()?;
            let is_due = self.is_rollup_due();
            let mut rolled_windows = if is_due { self.roll_up()? } else { 0 };
            let mut dropped_partitions = self.make_room()?;
            if !is_due && self.is_filling() {
                // Only what has been rolled up may go.
                rolled_windows = self.roll_up()?;
                dropped_partitions += self.make_room()?;
            }
            Ok(Maintained {
                rolled_windows,
                dropped_partitions,
                merged_tables: self.merge(Pick::Similar)?,
                ..Maintained::default()
            })
        });
        self.journal.end();
        self.journal.count(&outcome, begun);
        self.take_reserve();
        self.measure();
        memory::give_back();
        outcome.map(|_| ())
    }

    /// Does everything, and says what it did.
    pub(crate) fn maintain(&self, pick: Pick) -> Result<Maintained, StoreError> {
        let _one_at_a_time = lock(&self.working);
        self.check_open()?;
        let begun = Instant::now();
        let now_ms = self.options.clock.now_ms();
        lock(&self.journal.status).last_attempt_ms = Some(now_ms);
        let outcome = self.with_reserve(|| self.cycle(pick));
        self.journal.end();
        self.journal.count(&outcome, begun);
        self.take_reserve();
        self.measure();
        memory::give_back();
        self.warn_of_budget();
        let mut status = lock(&self.journal.status);
        match &outcome {
            Ok(done) => {
                status.last = Some(Maintained {
                    took_ms: begun.elapsed().as_millis() as u64,
                    ..*done
                });
                status.cycles += 1;
                status.last_success_ms = Some(self.options.clock.now_ms());
                status.consecutive_errors = 0;
                status.last_error = None;
                Ok(status.last.unwrap_or_default())
            }
            Err(error) => {
                self.note(error);
                status.consecutive_errors += 1;
                status.last_error = Some(error.to_string());
                outcome
            }
        }
    }

    fn cycle(&self, pick: Pick) -> Result<Maintained, StoreError> {
        self.flush()?;
        let rolled_windows = self.roll_up()?;
        // From here on things only go: what was written before, by the flush and as windows, does not
        // hide how much that is.
        self.measure();
        let before = self.used_bytes();
        // Before the merges: they need room, and what goes need not be merged.
        self.journal.begin(Phase::Retention, 0);
        let dropped_partitions = self.retain()? + self.make_room()?;
        let merged_tables = self.merge(pick)?;
        let mut expired_series = 0;
        if self.journal.expiry_due.load(Ordering::SeqCst) {
            expired_series = self.expire()?;
            self.journal.expiry_due.store(false, Ordering::SeqCst);
        }
        self.watch
            .look_back(&self.index(), self.options.clock.now_ms());
        self.measure();
        Ok(Maintained {
            rolled_windows,
            merged_tables,
            dropped_partitions,
            freed_bytes: before.saturating_sub(self.used_bytes()),
            expired_series,
            took_ms: 0,
        })
    }

    /// Tries once more with the reserve when there was no room (I-WORK-2).
    fn with_reserve<T>(&self, work: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.check_sound()?;
        match work() {
            Err(error) if error.is_full() => {
                self.release_reserve();
                // Dropping needs hardly any room, and gives back much.
                self.retain()?;
                self.make_room()?;
                work()
            }
            other => other,
        }
        .inspect_err(|error| self.note(error))
    }

    /// The steps are explained in [`crate::flush`].
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.journal.begin(Phase::Flush, 1);
        if let Some(syncer) = &self.syncer {
            // The rotation syncs as well, but while others wait: leave it little to do.
            syncer.sync_now().inspect_err(|error| self.note(error))?;
        }
        let (segment, epoch, series, metadata, next_series) = {
            let mut writer = self.writer();
            let segment = writer.log.rotate().inspect_err(|error| self.note(error))?;
            (
                segment,
                self.head.rotate(),
                std::mem::take(&mut writer.unsaved_series),
                std::mem::take(&mut writer.unsaved_metadata),
                writer.next_series,
            )
        };
        let taken = self.head.take(epoch);
        if !taken.is_empty() || !series.is_empty() || !metadata.is_empty() {
            let before = self.engine.view().counters();
            // I-FLUSH-2. Work is done by one at a time, so nobody else takes this number.
            let sequence = before.next_sequence;
            let counters = Counters {
                next_series,
                next_sequence: sequence + 1,
                first_segment: segment + 1,
                ..before
            };
            let described: Vec<_> = metadata.clone().into_iter().collect();
            let engine = self.engine.as_ref();
            // Also when it panics: what has been taken must come back.
            let committed = unpanicked(|| {
                flush::write(engine, &taken, sequence, &series, &described, counters)
                    .and_then(|commit: Commit| engine.commit(commit))
            });
            if let Err(error) = committed {
                self.note(&error);
                let mut writer = self.writer();
                // In front: ids must ascend.
                let newer = std::mem::replace(&mut writer.unsaved_series, series);
                writer.unsaved_series.extend(newer);
                for (name, older) in metadata {
                    writer.unsaved_metadata.entry(name).or_insert(older);
                }
                return Err(error);
            }
            self.head.forget(&taken);
            self.flushes.fetch_add(1, Ordering::Relaxed);
        }
        self.journal.progress(1, 1);
        let truncated = self.writer().log.truncate(segment);
        self.measure();
        truncated
    }

    /// Rolls up what has been flushed, and returns how many windows that are.
    fn roll_up(&self) -> Result<u64, StoreError> {
        self.journal.begin(Phase::Rollup, 0);
        let kind_of = |id: SeriesId| {
            let index = self.index();
            let labels = index.labels(id);
            labels.map_or(Kind::Unknown, |labels| index.kind(labels.metric_name()))
        };
        let progress = |done, total| self.journal.progress(done, total);
        let rolled = job::run(self.engine.as_ref(), &kind_of, &progress)?;
        lock(&self.journal.status).damaged = rolled.damaged;
        *lock(&self.journal.rolled_up) = Some(Instant::now());
        lock(&self.journal.late).rolled_up();
        Ok(rolled.windows)
    }

    /// Merges tables, and returns how many went.
    fn merge(&self, pick: Pick) -> Result<u64, StoreError> {
        let partitions = self.engine.view().partitions();
        let candidates = partitions.into_iter().filter(|(_, info)| info.tables > 1);
        let candidates: Vec<Partition> = candidates.map(|(partition, _)| partition).collect();
        let total = candidates.len() as u64;
        self.journal.begin(Phase::Merge, total);
        let mut merged = 0;
        let settled_ms = self.options.clock.now_ms().saturating_sub(SETTLED_MS);
        for (done, partition) in (1..).zip(candidates) {
            let pick = match pick {
                Pick::Similar if partition.end_ms() <= settled_ms => Pick::Settled,
                other => other,
            };
            match self.merge_partition(partition, pick) {
                // What is damaged stays as it is; it has been reported, and the others go on.
                Err(error @ StoreError::Corrupt { .. }) => {
                    tracing::error!(%partition, %error, "cannot be merged");
                }
                // There may be room the next time; nothing depends on it.
                Err(error) if error.is_full() => {
                    tracing::warn!(%partition, %error, "no room to merge in");
                }
                other => merged += other?,
            }
            self.journal.progress(done, total);
        }
        Ok(merged)
    }

    fn merge_partition(&self, partition: Partition, pick: Pick) -> Result<u64, StoreError> {
        // I-WORK-1.
        let go_on = || !self.closed.load(Ordering::SeqCst);
        let engine = self.engine.as_ref();
        let sequence = engine.view().counters().next_sequence.saturating_sub(1);
        let (none, no_metrics) = (HashSet::new(), HashSet::new());
        match partition.space {
            Space::Catalogue => engine.merge(
                partition,
                pick,
                &mut Catalogue::new(&none, &no_metrics, sequence),
                &go_on,
            ),
            Space::Raw => {
                let whole = match pick {
                    Pick::Similar => Whole::Growing,
                    Pick::Settled | Pick::All | Pick::Rewrite => Whole::Last,
                };
                engine.merge(partition, pick, &mut Chunks::new(whole), &go_on)
            }
            Space::FiveMinutes => {
                let mut rows = Rows::new(Resolution::FiveMinutes);
                engine.merge(partition, pick, &mut rows, &go_on)
            }
            Space::Hour => engine.merge(partition, pick, &mut Rows::new(Resolution::Hour), &go_on),
        }
    }

    pub(crate) fn maintenance(&self) -> MaintenanceStatus {
        let phase = self.journal.phase.load(Ordering::Relaxed);
        let view = self.engine.view();
        let rolled = of_space(view.as_ref(), Space::FiveMinutes).summary;
        let rolled_until_ms = rolled.has_times().then_some(rolled.last_ms);
        MaintenanceStatus {
            phase: Phase::ALL.into_iter().find(|known| *known as u64 == phase),
            done: self.journal.done.load(Ordering::Relaxed),
            total: self.journal.total.load(Ordering::Relaxed),
            rolled_until_ms,
            lag_ms: self.rollup_lag_ms(view.as_ref(), rolled_until_ms),
            ..lock(&self.journal.status).clone()
        }
    }
}
