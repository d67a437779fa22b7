//! Registry: every series of a client, found by name and labels.
//!
//!   counter(name, labels) ─▶ [Registry] ─▶ handle        flusher ─▶ [Registry] ─▶ snapshot
//!
//! A lookup hashes name and labels once, under a read lock. A new series takes the write lock.
//! Updates through a handle never come here.
//!
//! I-REGISTRY-1  Same name and labels, in any order: the same series, however often asked for.
//! I-REGISTRY-2  Whatever the host asks for, memory is bounded: beyond the limits, label sets share
//!               one overflow series, and names get a handle that leads nowhere.
//! I-REGISTRY-3  Nothing asked for can fail: what breaks a rule gets a handle that leads nowhere,
//!               and one notice.
//! I-REGISTRY-4  A name has one kind, and a histogram owns `_bucket`, `_sum` and `_count` too.
//! Proved by: registry/tests.rs, tests/resources.rs.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use tinyobs_model::kind::metadata_text;
use tinyobs_model::labels::Labels;
use tinyobs_model::limits as wire_limits;

use crate::clock::now_ms;
use crate::counter::{Counter, CounterCell};
use crate::gauge::Gauge;
use crate::histogram::{DEFAULT_BOUNDS, Histogram, HistogramCell, clean_bounds};
use crate::key::{Key, OwnLabels};
use crate::limits;
use crate::notice::Notices;
use crate::series::{Cell, Family, Kind, Meta, Series};

/// The label of a metric's overflow series.
pub(crate) const OVERFLOW_LABEL: (&str, &str) = ("tinyobs_overflow", "true");

#[derive(Debug)]
pub(crate) struct Registry {
    own: OwnLabels,
    series_per_metric: usize,
    hasher: RandomState,
    table: RwLock<Table>,
    skipped: Arc<AtomicU64>,
    notices: Arc<Notices>,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    families: HashMap<Box<str>, Arc<Family>>,
    /// Hash of the key to the place in `series`. Two keys of one hash sit at neighbouring numbers:
    /// nothing is ever removed, so the search ends at the first number that is free.
    places: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    /// In the order of registration.
    pub(crate) series: Vec<Arc<Series>>,
    metadata: HashMap<Box<str>, Arc<Meta>>,
}

/// What to say once the lock is given back (I-NOTICE-1).
type Said = Option<String>;

impl Registry {
    pub(crate) fn new(own: OwnLabels, series_per_metric: usize, notices: Arc<Notices>) -> Self {
        Self {
            own,
            series_per_metric,
            hasher: RandomState::new(),
            table: RwLock::default(),
            skipped: Arc::default(),
            notices,
        }
    }

    pub(crate) fn counter(&self, name: &str, labels: &[(&str, &str)]) -> Counter {
        match self.resolve(Kind::Counter, name, labels, None) {
            Some(Cell::Counter(cell)) => Counter(cell),
            _ => Counter(Arc::new(CounterCell::new(self.skipped.clone()))),
        }
    }

    pub(crate) fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> Gauge {
        match self.resolve(Kind::Gauge, name, labels, None) {
            Some(Cell::Gauge(cell)) => Gauge(cell),
            _ => Gauge(Arc::default()),
        }
    }

    pub(crate) fn histogram(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        bounds: Option<&[f64]>,
    ) -> Histogram {
        if let Some(Cell::Histogram(cell)) = self.resolve(Kind::Histogram, name, labels, bounds) {
            Histogram(cell)
        } else {
            let (bounds, _) = clean_bounds(bounds.unwrap_or(&DEFAULT_BOUNDS));
            Histogram(Arc::new(HistogramCell::new(bounds, self.skipped.clone())))
        }
    }

    pub(crate) fn describe(&self, name: &str, unit: &str, help: &str) {
        let meta = Arc::new(Meta {
            unit: metadata_text(unit).into(),
            help: metadata_text(help).into(),
        });
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if table.metadata.len() < limits::METRICS || table.metadata.contains_key(name) {
            table.metadata.insert(name.into(), meta);
        }
    }

    /// Moves the start of a counter that something else counts, such as the kernel.
    pub(crate) fn set_start(&self, name: &str, start_ms: i64) {
        for series in &self.read().series {
            if *series.family.name == *name {
                series.start_ms.store(start_ms, Relaxed);
            }
        }
    }

    /// How many updates were skipped because their value made no sense.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped.load(Relaxed)
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Table> {
        // A panic elsewhere leaves the table whole: each change is a push and inserts after it.
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn resolve(
        &self,
        kind: Kind,
        name: &str,
        labels: &[(&str, &str)],
        bounds: Option<&[f64]>,
    ) -> Option<Cell> {
        let key = Key::new(name, labels, &self.own);
        let hash = key.hash(&self.hasher);
        let known = self.find(&key, hash);
        let (series, said) = match known {
            Some(series) => (Some(series), None),
            None => self.register(kind, &key, hash, bounds),
        };
        let said = said.or_else(|| series.as_ref()?.family.conflict(kind, bounds));
        if let Some(message) = said {
            self.notices.once(&message);
        }
        let series = series?;
        (series.family.kind == kind).then(|| series.cell.clone())
    }

    /// The series of a key, or the overflow series of a metric that is full.
    fn find(&self, key: &Key<'_>, hash: u64) -> Option<Arc<Series>> {
        let table = self.read();
        if let Some(series) = table.find(key, hash) {
            return Some(series.clone());
        }
        let family = table.families.get(key.name)?;
        family.overflow.get().cloned()
    }

    fn register(
        &self,
        kind: Kind,
        key: &Key<'_>,
        hash: u64,
        bounds: Option<&[f64]>,
    ) -> (Option<Arc<Series>>, Said) {
        let labels = match self.check(kind, key) {
            Ok(labels) => labels,
            Err(message) => return (None, Some(message)),
        };
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have come first while no lock was held.
        if let Some(series) = table.find(key, hash) {
            return (Some(series.clone()), None);
        }
        let (family, said) = match table.family(kind, key.name, bounds) {
            Ok(found) => found,
            Err(message) => return (None, Some(message)),
        };
        if family.kind != kind {
            return (None, family.conflict(kind, bounds));
        }
        let held = family.series.load(Relaxed);
        if held >= self.series_per_metric || table.series.len() >= limits::SERIES {
            return self.overflow(&mut table, &family);
        }
        let series = Arc::new(self.series(family, labels, held == 0));
        if series.unfolded_bytes > wire_limits::BATCH_BYTES {
            return (None, Some(too_large(&series)));
        }
        series.family.series.store(held + 1, Relaxed);
        table.insert(hash, &series);
        (Some(series), said)
    }

    /// The series that takes what a full metric's further label sets count together.
    fn overflow(&self, table: &mut Table, family: &Arc<Family>) -> (Option<Arc<Series>>, Said) {
        if let Some(series) = family.overflow.get() {
            return (Some(series.clone()), None);
        }
        let key = Key::new(&family.name, &[OVERFLOW_LABEL], &self.own);
        let hash = key.hash(&self.hasher);
        let series = if let Some(series) = table.find(&key, hash) {
            series.clone()
        } else {
            let Ok(labels) = self.check(family.kind, &key) else {
                return (None, None);
            };
            let first = family.series.load(Relaxed) == 0;
            let series = Arc::new(self.series(family.clone(), labels, first));
            table.insert(hash, &series);
            series
        };
        let _ = family.overflow.set(series.clone());
        let message = format!(
            "metric {:?} has {} series in this process; further label sets are counted together \
             under {}=\"{}\"",
            family.name,
            family.series.load(Relaxed),
            OVERFLOW_LABEL.0,
            OVERFLOW_LABEL.1,
        );
        (Some(series), Some(message))
    }

    fn series(&self, family: Arc<Family>, labels: Labels, first: bool) -> Series {
        let cell = match family.kind {
            Kind::Counter => Cell::Counter(Arc::new(CounterCell::new(self.skipped.clone()))),
            Kind::Gauge => Cell::Gauge(Arc::default()),
            Kind::Histogram => Cell::Histogram(Arc::new(HistogramCell::new(
                family.bounds.clone(),
                self.skipped.clone(),
            ))),
        };
        Series {
            unfolded_bytes: family.unfolded_bytes(&labels, &self.own.implied),
            family,
            labels,
            // One earlier than now, so that a snapshot within this millisecond comes after it.
            start_ms: AtomicI64::new(now_ms() - 1),
            first,
            cell,
        }
    }

    /// The rules of the wire, here already: what a server would refuse at each push is told once.
    fn check(&self, kind: Kind, key: &Key<'_>) -> Result<Labels, String> {
        let labels =
            Labels::new(key.name, key.pairs().iter().copied()).map_err(|(_, message)| message)?;
        let has = |label: &str| key.pairs().iter().any(|(name, _)| *name == label);
        if kind == Kind::Histogram && has("le") {
            return Err(format!(
                "histogram {:?} cannot have a label le: its buckets have it",
                key.name
            ));
        }
        // The server adds service and instance, and a histogram's buckets get `le`.
        let added = self.own.implied.iter().filter(|(name, _)| !has(name));
        let count = key.pairs().len() + added.count() + usize::from(kind == Kind::Histogram);
        if count > wire_limits::LABELS_PER_SERIES {
            return Err(format!(
                "metric {:?} would have {count} labels, at most {} are allowed",
                key.name,
                wire_limits::LABELS_PER_SERIES
            ));
        }
        Ok(labels)
    }
}

impl Table {
    /// What a metric is about, if anybody said so.
    pub(crate) fn meta(&self, name: &str) -> Option<&Arc<Meta>> {
        self.metadata.get(name)
    }

    fn find(&self, key: &Key<'_>, hash: u64) -> Option<&Arc<Series>> {
        let mut place = hash;
        while let Some(index) = self.places.get(&place) {
            let series = &self.series[*index as usize];
            if key.is_of(series) {
                return Some(series);
            }
            place = place.wrapping_add(1);
        }
        None
    }

    fn insert(&mut self, hash: u64, series: &Arc<Series>) {
        let mut place = hash;
        while self.places.contains_key(&place) {
            place = place.wrapping_add(1);
        }
        let index = u32::try_from(self.series.len()).expect("series are limited");
        self.series.push(series.clone());
        self.places.insert(place, index);
    }

    fn family(
        &mut self,
        kind: Kind,
        name: &str,
        bounds: Option<&[f64]>,
    ) -> Result<(Arc<Family>, Said), String> {
        if let Some(family) = self.families.get(name) {
            return Ok((family.clone(), None));
        }
        if let Some(other) = self.owner_of_rows(kind, name) {
            let message = format!(
                "{} {name:?} is not recorded: histogram {other:?} sends rows of that name",
                kind.name()
            );
            return Err(message);
        }
        if self.families.len() >= limits::METRICS {
            let message = format!(
                "metric {name:?} is not recorded: this process has {} metrics already",
                limits::METRICS
            );
            return Err(message);
        }
        let (clean, changed) = match kind {
            Kind::Histogram => clean_bounds(bounds.unwrap_or(&DEFAULT_BOUNDS)),
            _ => (Arc::from([]), false),
        };
        let said =
            changed.then(|| format!("histogram {name:?} was given odd bounds; using {clean:?}"));
        let family = Arc::new(Family {
            name: name.into(),
            kind,
            bounds: clean,
            series: AtomicUsize::new(0),
            overflow: OnceLock::new(),
            conflict_told: AtomicBool::new(false),
        });
        self.families.insert(name.into(), family.clone());
        Ok((family, said))
    }

    /// The metric whose rows would mix with those of a new one: a histogram `x` is stored as
    /// `x_bucket`, `x_sum` and `x_count`.
    fn owner_of_rows(&self, kind: Kind, name: &str) -> Option<String> {
        ["_bucket", "_sum", "_count"].iter().find_map(|suffix| {
            if kind == Kind::Histogram {
                let row = format!("{name}{suffix}");
                return self.families.contains_key(row.as_str()).then_some(row);
            }
            let base = name.strip_suffix(suffix)?;
            let owner = self.families.get(base)?;
            (owner.kind == Kind::Histogram).then(|| base.to_owned())
        })
    }
}

fn too_large(series: &Series) -> String {
    let (family, bytes) = (&series.family, series.unfolded_bytes);
    let (name, bounds) = (&family.name, family.bounds.len());
    format!(
        "histogram {name:?} is not recorded: its {bounds} buckets repeat labels too long, {bytes} \
         bytes together, and a server takes {} at once",
        wire_limits::BATCH_BYTES
    )
}

/// The keys of `places` are hashes already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, _: &[u8]) {
        debug_assert!(false, "only whole hashes are looked up");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
