//! Snapshot: the values of all series at one moment.
//!
//!   registry ─▶ [Snapshot] ─▶ delivery ─▶ push bodies
//!
//! A retry sends the same numbers under the same time again, which the server takes as a repeat.
//! A newer snapshot carries everything an older one did, so there is never more than one.
//!
//! I-SNAPSHOT-1  Every value is cumulative since its series began.
//! I-SNAPSHOT-2  What JSON cannot carry is left out and counted.
//! I-SNAPSHOT-3  A series' start is before its sample.
//! Proved by: snapshot/tests.rs.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tinyobs_wire::encode::{Item, NotFinite, PushBody, Value};

use crate::registry::{Registry, Table};
use crate::series::{Cell, Meta, Series};

#[derive(Debug)]
pub(crate) struct Snapshot {
    at_ms: i64,
    entries: Vec<Entry>,
    /// The cumulative counts of all histograms, one after the other.
    counts: Vec<u64>,
    /// Series whose value is not finite.
    pub(crate) skipped: u64,
}

#[derive(Debug)]
struct Entry {
    series: Arc<Series>,
    meta: Option<Arc<Meta>>,
    reading: Reading,
}

#[derive(Debug, Clone, Copy)]
enum Reading {
    Counter(f64),
    Gauge(f64),
    Histogram { first: usize, sum: f64 },
}

impl Reading {
    fn number(self) -> f64 {
        match self {
            Self::Counter(value) | Self::Gauge(value) => value,
            Self::Histogram { sum, .. } => sum,
        }
    }
}

impl Snapshot {
    /// Reads every series under time `at_ms`.
    pub(crate) fn take(registry: &Registry, at_ms: i64) -> Self {
        let table = registry.read();
        let mut snapshot = Self {
            at_ms,
            entries: Vec::with_capacity(table.series.len()),
            counts: Vec::new(),
            skipped: 0,
        };
        for series in &table.series {
            snapshot.read(&table, series);
        }
        snapshot
    }

    /// How many series it holds.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds a series to a body.
    pub(crate) fn encode(&self, index: usize, body: &mut PushBody) {
        let Entry {
            series,
            meta,
            reading,
        } = &self.entries[index];
        let start_ms = || Some(series.start_ms.load(Relaxed).min(self.at_ms - 1));
        let (value, start_ms) = match *reading {
            Reading::Counter(value) => (Value::Counter(value), start_ms()),
            Reading::Gauge(value) => (Value::Gauge(value), None),
            Reading::Histogram { first, sum } => {
                let bounds = &*series.family.bounds;
                let cumulative = &self.counts[first..=first + bounds.len()];
                let value = Value::Histogram {
                    bounds,
                    cumulative,
                    sum,
                };
                (value, start_ms())
            }
        };
        let (unit, help) = meta
            .as_ref()
            .map_or(("", ""), |meta| (&*meta.unit, &*meta.help));
        let item = Item {
            name: &series.family.name,
            timestamp_ms: self.at_ms,
            start_ms,
            unit,
            help,
            value,
        };
        let encoded = body.push(&item, series.labels.iter_without_name());
        debug_assert_ne!(encoded, Err(NotFinite), "checked when it was read");
    }

    fn read(&mut self, table: &Table, series: &Arc<Series>) {
        let reading = match &series.cell {
            Cell::Counter(cell) => Reading::Counter(cell.value()),
            Cell::Gauge(cell) => Reading::Gauge(cell.value()),
            Cell::Histogram(cell) => {
                let first = self.counts.len();
                cell.cumulative(&mut self.counts);
                let sum = cell.sum();
                Reading::Histogram { first, sum }
            }
        };
        if !reading.number().is_finite() {
            self.skipped += 1;
            return;
        }
        // Unit and help belong to the metric: its first series carries them for all.
        let meta = series.first.then(|| table.meta(&series.family.name));
        self.entries.push(Entry {
            series: series.clone(),
            meta: meta.flatten().cloned(),
            reading,
        });
    }
}

#[cfg(test)]
mod tests;
