//! World: a real store and the oracle side by side, and what may not differ between them.
//!
//!   [Step] ─▶ [World::take] ─▶ store and oracle ─▶ the same answers?

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use tinyobs_model::{Kind, LabelsBuilder, Matcher, Refusal, Sample, TimeRange, WriteBatch};
use tinyobs_store::{Clock, EngineKind, Store, StoreOptions};

use crate::answers::Answers;
use crate::disk::{Disk, Leaves};
use crate::oracle::{METRICS, Oracle, Put, Series, metric};
use crate::steps::{Burst, Setting, Step};

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock(pub AtomicI64);

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A directory in memory where there is one: the tests are about bytes, not about devices.
pub fn scratch() -> TempDir {
    let fast = Path::new("/dev/shm");
    let parent = if fast.is_dir() {
        fast.to_path_buf()
    } else {
        std::env::temp_dir()
    };
    tempfile::tempdir_in(parent).expect("a directory")
}

/// Copies a directory: the files that a killed process leaves.
pub fn copy_dir(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("lists") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            std::fs::create_dir_all(&target).expect("creates");
            copy_dir(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copies");
        }
    }
}

/// A batch: items, each of which is stored or refused as a whole.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub items: Vec<Vec<Put>>,
    pub unnamed: bool,
}

impl Batch {
    /// A batch of one sample.
    pub fn of(series: Series, time_ms: i64, value: f64) -> Self {
        let put = Put {
            series,
            time_ms,
            bits: value.to_bits(),
            start_ms: None,
        };
        Self {
            items: vec![vec![put]],
            unnamed: false,
        }
    }
}

/// The value of the label that tells the series of a metric apart.
pub fn pod(series: Series) -> String {
    format!("pod-{}", usize::from(series) / METRICS.len())
}

/// Matchers of one series.
pub fn matchers(series: Series) -> Vec<Matcher> {
    vec![
        Matcher::equal("__name__", metric(series).0),
        Matcher::equal("pod", pod(series)),
    ]
}

/// A batch as the store takes it.
pub fn encode(batch: &Batch) -> WriteBatch {
    let mut out = WriteBatch::new();
    for (number, item) in (0..).zip(&batch.items) {
        for put in item {
            let (name, kind) = metric(put.series);
            let pod = pod(put.series);
            let mut labels = LabelsBuilder::new();
            labels.begin(name);
            labels.push("pod", &pod);
            let kind = if batch.unnamed { Kind::Unknown } else { kind };
            let sample = Sample::new(put.time_ms, f64::from_bits(put.bits));
            out.push(number, &mut labels, kind, sample, put.start_ms)
                .expect("valid");
        }
    }
    out
}

/// A store, the oracle, and the time in both.
pub struct World {
    pub store: Option<Store>,
    pub oracle: Oracle,
    pub clock: Arc<ManualClock>,
    setting: Setting,
    /// The data directory; on a [`Disk`] only the lock file is really there.
    dir: TempDir,
    /// None for the system's files.
    pub disk: Option<Disk>,
    /// The batch that has been sent and not answered.
    pub unanswered: Option<Batch>,
    last: Batch,
    /// Nothing has been written since the last maintenance.
    pub settled: bool,
    /// Maintenance has failed: nobody can say which of its steps were taken.
    pub lenient: bool,
    /// Maintenance has run since the store was opened.
    has_maintained: bool,
    /// Samples sent.
    pub sent: u64,
}

impl World {
    /// An empty store.
    pub fn new(setting: Setting) -> Result<Self, String> {
        let mut world = Self::closed(setting, None);
        world.open()?;
        Ok(world)
    }

    /// An empty store on `disk`.
    pub fn new_on(setting: Setting, disk: Disk) -> Result<Self, String> {
        let mut world = Self::closed(setting, Some(disk));
        world.open()?;
        Ok(world)
    }

    /// A store that has not been opened yet, on `disk` if there is one.
    pub fn closed(setting: Setting, disk: Option<Disk>) -> Self {
        let oracle = Oracle::new(
            setting.retention,
            setting.max_series,
            setting.max_series_per_metric,
        );
        Self {
            store: None,
            oracle,
            clock: Arc::new(ManualClock(setting.now_ms.into())),
            setting,
            dir: scratch(),
            disk,
            unanswered: None,
            last: Batch::default(),
            settled: true,
            lenient: false,
            has_maintained: false,
            sent: 0,
        }
    }

    fn options(&self, dir: PathBuf) -> StoreOptions {
        let base = match self.setting.engine {
            EngineKind::Disk => StoreOptions::disk(dir),
            EngineKind::Memory => StoreOptions::memory(),
        };
        StoreOptions {
            retention: self.setting.retention,
            max_series: self.setting.max_series,
            max_series_per_metric: self.setting.max_series_per_metric,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            durability: self.setting.durability,
            max_bytes: self.setting.max_bytes,
            files: match &self.disk {
                Some(disk) => Arc::new(disk.clone()),
                None => base.files,
            },
            ..base
        }
    }

    pub fn open(&mut self) -> Result<(), String> {
        let options = self.options(self.dir.path().to_path_buf());
        let store = Store::open(options).map_err(|error| format!("open: {error}"))?;
        let damage = store.damage();
        if !damage.is_empty() {
            return Err(format!("damage after open: {damage:?}"));
        }
        self.store = Some(store);
        self.has_maintained = false;
        self.oracle.reopened();
        Ok(())
    }

    pub fn store(&self) -> &Store {
        self.store.as_ref().expect("open")
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Takes a step, and says what differs, if anything does.
    pub fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Write(bursts) => {
                let batch = self.batch(bursts);
                self.write(batch)
            }
            Step::Repeat => {
                let batch = self.last.clone();
                self.write(batch)
            }
            Step::Conflict(more) => {
                let mut batch = self.last.clone();
                for put in batch.items.iter_mut().flatten() {
                    put.bits = (f64::from_bits(put.bits) + *more as f64).to_bits();
                    put.start_ms = None;
                }
                self.write(batch)
            }
            Step::Advance(by) => {
                self.clock.0.fetch_add(*by, Ordering::SeqCst);
                Ok(())
            }
            Step::Flush => self.store().flush().map_err(|error| error.to_string()),
            Step::Maintain => self.maintain(),
            Step::Restart => self.restart(),
            Step::Kill => self.kill(),
            Step::Read {
                series,
                ago_ms,
                width_ms,
            } => self.answers().raw(*series, self.range(*ago_ms, *width_ms)),
            Step::Resolve {
                series,
                ago_ms,
                width_ms,
                step_ms,
            } => {
                let range = self.range(*ago_ms, *width_ms);
                self.answers().resolved(*series, range, *step_ms)
            }
            Step::Compare => self.answers().all(),
        }
    }

    fn range(&self, ago_ms: i64, width_ms: i64) -> TimeRange {
        let end_ms = self.now_ms() - ago_ms;
        TimeRange::new(end_ms - width_ms, end_ms)
    }

    fn batch(&self, bursts: &[Burst]) -> Batch {
        let mut batch = Batch::default();
        for burst in bursts {
            let first_ms = self.now_ms() - burst.ago_ms;
            // Where part of a series has been dropped, nobody can say whether it needs a 0.
            let is_known = self.oracle.newest_ms(burst.series).is_some()
                || !self.oracle.lines.contains_key(&burst.series);
            let began = burst.began_ago_ms.filter(|_| is_known);
            let place = |(number, &bits): (i64, &u64)| Put {
                series: burst.series,
                time_ms: first_ms + number * burst.step_ms,
                bits,
                start_ms: began.map(|ago| first_ms - ago),
            };
            let mut puts: Vec<Put> = (0..).zip(&burst.values).map(place).collect();
            if burst.backwards {
                puts.reverse();
            }
            if burst.together {
                batch.items.push(puts);
            } else {
                batch.items.extend(puts.into_iter().map(|put| vec![put]));
            }
            batch.unnamed |= burst.unnamed;
        }
        // A metric that nobody has ever named has no kind; the oracle's always has one.
        let known = |put: &Put| {
            let name = metric(put.series).0;
            self.oracle.lines.keys().any(|of| metric(*of).0 == name)
        };
        batch.unnamed &= batch.items.iter().flatten().all(known);
        if batch.unnamed {
            // Nobody says that it is cumulative, so nobody says when it was 0.
            let puts = batch.items.iter_mut().flatten();
            puts.for_each(|put| put.start_ms = None);
        }
        batch
    }

    /// Writes a batch to both.
    pub fn write(&mut self, batch: Batch) -> Result<(), String> {
        let encoded = encode(&batch);
        self.unanswered = Some(batch.clone());
        let appended = self.store().append(&encoded);
        let appended = appended.map_err(|error| format!("append: {error}"))?;
        self.unanswered = None;
        let refused: Vec<(u32, Refusal)> = appended
            .refused
            .iter()
            .map(|refused| (refused.item, refused.rule))
            .collect();
        let now_ms = self.now_ms();
        let expected = self.oracle.append(&batch.items, now_ms, &refused);
        if refused != expected {
            return Err(format!("refused {refused:?}, expected {expected:?}"));
        }
        let is_stored = |number: u32| expected.iter().all(|(refused, _)| *refused != number);
        let stored: usize = (0..)
            .zip(&batch.items)
            .filter(|(number, _)| is_stored(*number))
            .map(|(_, item)| item.len())
            .sum();
        if appended.stored != stored as u64 {
            return Err(format!("stored {}, expected {stored}", appended.stored));
        }
        self.settled &= stored == 0;
        self.sent += stored as u64;
        self.last = batch;
        Ok(())
    }

    fn maintain(&mut self) -> Result<(), String> {
        let done = self.store().maintain();
        let done = done.map_err(|error| format!("maintain: {error}"))?;
        let expected = self.oracle.maintain(self.now_ms());
        if self.lenient {
            // Part of it was done before it failed; what is left of it shows in the end.
            self.forget_what_is_forgotten();
            self.settled = true;
            return Ok(());
        }
        if done.dropped_partitions != expected.dropped_partitions {
            return Err(format!("got {done:?}, expected {expected:?}"));
        }
        let must_expire = done.dropped_partitions > 0 || !self.has_maintained;
        if must_expire || done.expired_series > 0 {
            let expired = self.oracle.expire();
            if done.expired_series != expired {
                return Err(format!("got {done:?}, expected {expired} expired series"));
            }
        }
        self.has_maintained = true;
        self.settled = true;
        self.check_figures()
    }

    /// Of the series of which nothing is left, those that the store has forgotten.
    fn forget_what_is_forgotten(&mut self) {
        let listed: BTreeSet<Vec<u8>> = self
            .store()
            .series(&[])
            .iter()
            .map(|info| info.labels.as_bytes().to_vec())
            .collect();
        let known = |series: Series| {
            let batch = encode(&Batch::of(series, 0, 0.0));
            listed.contains(batch.labels(&batch.rows()[0]))
        };
        let lines = &mut self.oracle.lines;
        lines.retain(|series, line| !line.is_empty() || known(*series));
    }

    fn restart(&mut self) -> Result<(), String> {
        if self.setting.engine == EngineKind::Memory {
            return Ok(());
        }
        let store = self.store.take().expect("open");
        store.close().map_err(|error| format!("close: {error}"))?;
        drop(store);
        self.open()
    }

    fn kill(&mut self) -> Result<(), String> {
        if self.setting.engine == EngineKind::Memory {
            return Ok(());
        }
        if let Some(disk) = &self.disk {
            let found = disk.crash(Leaves::Everything);
            self.store = None;
            self.disk = Some(found);
        } else {
            let copy = scratch();
            copy_dir(self.dir.path(), copy.path());
            // The copy is taken; what closing the old one writes is of no consequence.
            self.store = None;
            self.dir = copy;
        }
        self.open()
    }

    /// Samples, series and limits, as counted without a look at the samples.
    fn check_figures(&self) -> Result<(), String> {
        let stats = self.store().stats();
        let all = || self.oracle.lines.values().flat_map(|line| line.raw.keys());
        let figures = (stats.samples, stats.oldest_ms, stats.newest_ms);
        let expected = (
            all().count() as u64,
            all().min().copied(),
            all().max().copied(),
        );
        // On a full disk nothing was merged: what stands in two tables counts twice.
        let is_full = self.disk.as_ref().is_some_and(Disk::is_full);
        let more = is_full && figures.0 >= expected.0;
        let figures = if more {
            (expected.0, figures.1, figures.2)
        } else {
            figures
        };
        if figures != expected {
            return Err(format!(
                "samples, oldest, newest: got {figures:?}, expected {expected:?}"
            ));
        }
        let maintenance = self.store().maintenance();
        if maintenance.lag_ms != 0 {
            return Err(format!("a lag after maintenance: {maintenance:?}"));
        }
        Ok(())
    }

    pub fn answers(&self) -> Answers<'_> {
        Answers {
            store: self.store(),
            oracle: &self.oracle,
            settled: self.settled,
        }
    }
}
