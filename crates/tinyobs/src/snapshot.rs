//! Snapshot: the values of all series at one moment.
//!
//!   registry ─▶ [Snapshot] ─▶ delivery ─▶ push bodies
//!
//! A retry sends the same numbers under the same time again, which the server takes as a repeat.
//! A newer snapshot carries everything an older one did, so there is never more than one.
//!
//! I-SNAPSHOT-1  Every value is cumulative since its series began.
//! I-SNAPSHOT-2  What JSON cannot carry is left out and counted.
//! I-SNAPSHOT-3  A series' start is strictly before each sample that is sent with it.
//! I-SNAPSHOT-4  A start moves only when the clock was set back behind it, and then it stays: the
//!               server writes a 0 at a start that is newer than all it has.
//! Proved by: snapshot/tests.rs.

use std::sync::Arc;

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
    /// When it began at 0; none for what can go down.
    start_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
enum Reading {
    Counter(f64),
    Gauge(f64),
    Histogram { first: usize, sum: f64 },
}

impl Reading {
    fn is_cumulative(self) -> bool {
        !matches!(self, Self::Gauge(_))
    }

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

    /// Bytes that a series takes in the server's batch, roughly: more than in a body.
    pub(crate) fn unfolded_bytes(&self, index: usize) -> usize {
        self.entries[index].series.unfolded_bytes
    }

    /// Adds a series to a body.
    pub(crate) fn encode(&self, index: usize, body: &mut PushBody) {
        let Entry {
            series,
            meta,
            reading,
            start_ms,
        } = &self.entries[index];
        let value = match *reading {
            Reading::Counter(value) => Value::Counter(value),
            Reading::Gauge(value) => Value::Gauge(value),
            Reading::Histogram { first, sum } => {
                let bounds = &*series.family.bounds;
                let cumulative = &self.counts[first..=first + bounds.len()];
                Value::Histogram {
                    bounds,
                    cumulative,
                    sum,
                }
            }
        };
        let (unit, help) = meta
            .as_ref()
            .map_or(("", ""), |meta| (&*meta.unit, &*meta.help));
        let item = Item {
            name: &series.family.name,
            timestamp_ms: self.at_ms,
            start_ms: *start_ms,
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
            start_ms: reading
                .is_cumulative()
                .then(|| series.start_before(self.at_ms)),
        });
    }
}

#[cfg(test)]
mod tests;
