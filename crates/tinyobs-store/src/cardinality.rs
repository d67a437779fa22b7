//! Cardinality: who makes series, who was refused, and what grows.
//!
//!   append ─▶ [Watch::refused]        maintenance, hourly ─▶ [Watch::look_back]        [Cardinality]
//!
//! I-CARD-1  Nothing is kept per refused series: counts, and the last offender.
//! I-CARD-2  A refusal names the metric and the label that makes it grow.
//! Proved by: store/tests.rs, tests/it/cardinality.rs of the server, `cargo xtask crash bomb`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tinyobs_model::{Labels, METRIC_NAME, Refusal, limits};

use crate::index::Index;
use crate::inner::{Inner, lock};
use crate::wal::record::Definition;

/// Growth is measured against a picture that is this old at least.
const PICTURE_EVERY_MS: i64 = 3_600_000;

/// What is remembered from append to append.
pub(crate) struct Watch {
    refused: AtomicU64,
    expired: AtomicU64,
    /// When the log last said that series are refused, in ms.
    warned_ms: AtomicI64,
    last_refusal: Mutex<Option<LastRefusal>>,
    pictures: Mutex<Pictures>,
}

/// Sizes at an earlier time.
struct Picture {
    at_ms: i64,
    series: u64,
    metrics: BTreeMap<String, u64>,
    labels: BTreeMap<String, u64>,
}

/// The picture to compare with, and the one that takes its place when it is old enough.
struct Pictures {
    before: Picture,
    next: Option<Picture>,
}

/// Who was refused last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRefusal {
    /// When, in ms.
    pub at_ms: i64,
    /// The metric of the first refused series.
    pub metric: String,
    /// Of its labels, the one that has the most values among those whose value is new; empty when
    /// every value was known.
    pub label: String,
    /// Values of that label.
    pub values: u64,
    /// The rule that it broke.
    pub rule: Refusal,
}

/// How large a label is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSize {
    /// Its name.
    pub label: String,
    /// Distinct values.
    pub values: u64,
    /// Series that have it.
    pub series: u64,
}

/// What has been added since an earlier time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Growth {
    /// That time, in ms: an hour or two ago, or the start.
    pub since_ms: i64,
    /// Series more than then; expired ones count against it.
    pub series_added: i64,
    /// Metrics with the most series more than then.
    pub metrics: Vec<(String, u64)>,
    /// Labels with the most values more than then.
    pub labels: Vec<(String, u64)>,
}

/// The series of a store in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cardinality {
    /// Series known.
    pub series: u64,
    /// Series at most.
    pub max_series: u64,
    /// Series of one metric at most; 0 = no limit of its own.
    pub max_series_per_metric: u64,
    /// Metric names known.
    pub metric_count: u64,
    /// The metrics with the most series.
    pub metrics: Vec<(String, u64)>,
    /// The labels with the most values.
    pub labels: Vec<LabelSize>,
    /// What grows.
    pub growth: Growth,
    /// New series refused since the start.
    pub refused: u64,
    /// Who was refused last.
    pub last_refusal: Option<LastRefusal>,
    /// Series forgotten since the start, because all their data had gone.
    pub expired: u64,
}

impl Watch {
    /// Nothing refused yet; growth counts from `index` on.
    pub fn new(index: &Index, now_ms: i64) -> Self {
        let before = Picture::of(index, now_ms);
        Self {
            refused: AtomicU64::new(0),
            expired: AtomicU64::new(0),
            warned_ms: AtomicI64::new(i64::MIN),
            last_refusal: Mutex::new(None),
            pictures: Mutex::new(Pictures { before, next: None }),
        }
    }

    /// New series refused since the start.
    pub fn refused_total(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Notes that `series` series are gone.
    pub fn expired(&self, series: u64) {
        self.expired.fetch_add(series, Ordering::Relaxed);
    }

    /// Notes that `series` new ones were refused.
    pub fn refused(&self, series: u64, refusal: LastRefusal) {
        self.refused.fetch_add(series, Ordering::Relaxed);
        *lock(&self.last_refusal) = Some(refusal);
    }

    /// Says so in the log, but not for every refused item.
    pub fn warn(&self, message: &str, now_ms: i64) {
        const AT_MOST_EVERY_MS: i64 = 60_000;
        let last_ms = self.warned_ms.load(Ordering::Relaxed);
        if now_ms.saturating_sub(last_ms) >= AT_MOST_EVERY_MS {
            self.warned_ms.store(now_ms, Ordering::Relaxed);
            tracing::warn!("refusing new series: {message}");
        }
    }

    /// Takes a picture when the last one is old.
    pub fn look_back(&self, index: &Index, now_ms: i64) {
        let mut pictures = lock(&self.pictures);
        let newest_ms = pictures.next.as_ref().unwrap_or(&pictures.before).at_ms;
        if now_ms.saturating_sub(newest_ms) >= PICTURE_EVERY_MS {
            if let Some(next) = pictures.next.take() {
                pictures.before = next;
            }
            pictures.next = Some(Picture::of(index, now_ms));
        }
    }
}

/// Values that series which are not in the index yet add to each label.
pub(crate) type Values = HashMap<String, HashSet<String>>;

/// The label whose value nobody had before, neither the index nor the batch, and its values; of several
/// the one with the most, for that one grows (I-CARD-2). Where such a label is new itself, it has made
/// nothing grow yet: then it is the one with the most values of all that the series has.
pub(crate) fn offender<'a>(index: &Index, added: &Values, labels: &'a Labels) -> (&'a str, u64) {
    let is_added = |name: &str, value| added.get(name).is_some_and(|it| it.contains(value));
    let new = labels.iter().filter(|(name, value)| {
        *name != METRIC_NAME && !index.has_label_value(name, value) && !is_added(name, *value)
    });
    let size = |name: &str| index.label_value_count(name) + added.get(name).map_or(0, HashSet::len);
    let sized = |(name, _)| (name, size(name) as u64);
    let grows = new.map(sized).max_by_key(|(_, values)| *values);
    if let Some((_, 0)) = grows {
        let all = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
        let most = all.map(sized).max_by_key(|(_, values)| *values);
        return most.filter(|(_, values)| *values > 0).unwrap_or(("", 0));
    }
    grows.unwrap_or(("", 0))
}

/// What a batch adds to each label.
pub(crate) fn values_added(index: &Index, admitted: &[Definition]) -> Values {
    let mut added = Values::new();
    for (name, value) in admitted.iter().flat_map(|(_, labels)| labels.iter()) {
        if name == METRIC_NAME || index.has_label_value(name, value) {
            continue;
        }
        match added.get_mut(name) {
            Some(values) if values.contains(value) => {}
            Some(values) => drop(values.insert(value.to_owned())),
            None => drop(added.insert(name.to_owned(), HashSet::from([value.to_owned()]))),
        }
    }
    added
}

impl Picture {
    fn of(index: &Index, at_ms: i64) -> Self {
        Self::with(index, &index.label_sizes(), at_ms)
    }

    fn with(index: &Index, labels: &[LabelSize], at_ms: i64) -> Self {
        let metrics = index.metric_sizes().into_iter();
        let values = |size: &LabelSize| (size.label.clone(), size.values);
        Self {
            at_ms,
            series: index.len() as u64,
            metrics: metrics.map(|size| (size.metric, size.series)).collect(),
            labels: labels.iter().map(values).collect(),
        }
    }
}

/// The largest first, so many as are shown.
fn top<T>(mut all: Vec<T>, size: impl Fn(&T) -> u64) -> Vec<T> {
    all.sort_by_key(|one| std::cmp::Reverse(size(one)));
    all.truncate(limits::TOP_METRICS);
    all
}

/// By how much each has grown, the largest first.
fn grown(now: BTreeMap<String, u64>, before: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let more = now.into_iter().map(|(name, size)| {
        let added = size.saturating_sub(before.get(&name).copied().unwrap_or(0));
        (name, added)
    });
    top(more.filter(|(_, added)| *added > 0).collect(), |one| one.1)
}

impl Inner {
    pub(crate) fn cardinality(&self) -> Cardinality {
        let index = self.index();
        let labels = index.label_sizes();
        let now = Picture::with(&index, &labels, self.options.clock.now_ms());
        drop(index);
        let growth = {
            let pictures = lock(&self.watch.pictures);
            Growth {
                since_ms: pictures.before.at_ms,
                series_added: now.series as i64 - pictures.before.series as i64,
                metrics: grown(now.metrics.clone(), &pictures.before.metrics),
                labels: grown(now.labels, &pictures.before.labels),
            }
        };
        Cardinality {
            series: now.series,
            max_series: self.options.max_series,
            max_series_per_metric: self.options.max_series_per_metric,
            metric_count: now.metrics.len() as u64,
            metrics: top(now.metrics.into_iter().collect(), |one| one.1),
            labels: top(labels, |one| one.values),
            growth,
            refused: self.watch.refused_total(),
            last_refusal: lock(&self.watch.last_refusal).clone(),
            expired: self.watch.expired.load(Ordering::Relaxed),
        }
    }
}
