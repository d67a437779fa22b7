//! Plan: what a batch comes to, before a byte of it is logged.
//!
//!   items ─▶ admitted, or refused ─▶ [Plan] ─▶ log ─▶ index and head
//!
//! I-PLAN-1  A plan changes nothing: dropped, it leaves the store as it was.
//! Proved by: store/tests.rs, tests/model.rs.

use std::collections::{BTreeMap, HashMap, HashSet};

use tinyobs_model::kind::metadata_text;
use tinyobs_model::{Kind, Labels, Metadata, Refused, Row, Sample, WriteBatch, labels};

use crate::cardinality::{self, Values};
use crate::index::Index;
use crate::wal::record::{Definition, SeriesId};

/// A series as the index knows it.
pub type Known = Option<(SeriesId, Kind)>;

/// What is to be logged and then applied.
#[derive(Default)]
pub struct Plan {
    pub samples: Vec<(SeriesId, Sample)>,
    pub series: Vec<Definition>,
    pub metadata: BTreeMap<String, Metadata>,
    /// New series of this batch, by canonical bytes.
    pub admitted: HashMap<Vec<u8>, SeriesId>,
    /// The row whose labels were looked at last because nobody knew them, and its series: rows behind
    /// it may share them.
    pub newcomer: Option<(Row, SeriesId)>,
    /// New series of this batch, by metric.
    pub by_metric: HashMap<String, u64>,
    /// What this batch had added to each label when it was counted last.
    grown: Grown,
    /// The newest time of each series in `samples`, once somebody has asked.
    pub newest_ms: Option<HashMap<SeriesId, i64>>,
    /// Series whose kind is not the one last sent with them.
    pub kinds: Vec<(SeriesId, Kind)>,
    pub stored: u64,
    pub refused: Vec<Refused>,
    /// The series that was refused last, where items of one sample each may share it.
    turned_away: Option<(Row, Refused)>,
}

/// The values that a batch adds to each label, as they were counted.
#[derive(Default)]
struct Grown {
    /// New series of the batch at that time.
    series: usize,
    values: Values,
    counts: u32,
}

/// The rows of one item, or of a loose one neighbours among them.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    pub batch: &'a WriteBatch,
    pub index: &'a Index,
    pub rows: &'a [Row],
    pub known: &'a [Known],
}

impl Item<'_> {
    pub fn number(&self) -> u32 {
        self.rows.first().map_or(0, |row| row.item)
    }

    /// The labels of a row, canonical and by every rule (I-BATCH-1).
    pub fn checked(&self, row: &Row) -> Result<Labels, Refused> {
        let bytes = self.batch.labels(row);
        if row.is_checked() {
            return Ok(Labels::from_canonical(bytes).expect("I-BATCH-1"));
        }
        labels::from_wire(bytes).map_err(|(rule, message)| Refused {
            item: row.item,
            rule,
            message,
        })
    }
}

impl Plan {
    pub fn put(&mut self, id: SeriesId, sample: Sample) {
        // The same once more says nothing, and a record of it could end in more zeros than one may
        // (see `wal::segment`).
        let is_same = |(last, known): &(SeriesId, Sample)| {
            let same_value = known.value.to_bits() == sample.value.to_bits();
            *last == id && known.time_ms == sample.time_ms && same_value
        };
        if self.samples.last().is_some_and(is_same) {
            return;
        }
        self.samples.push((id, sample));
        if let Some(newest) = &mut self.newest_ms {
            let known = newest.entry(id).or_insert(i64::MIN);
            *known = sample.time_ms.max(*known);
        }
    }

    /// The newest time of a series in this batch so far. Seldom asked: only where a series begins.
    pub fn newest_ms(&mut self, id: SeriesId) -> i64 {
        let samples = &self.samples;
        let newest = self.newest_ms.get_or_insert_with(|| {
            let mut newest = HashMap::new();
            for (id, sample) in samples {
                let known = newest.entry(*id).or_insert(i64::MIN);
                *known = sample.time_ms.max(*known);
            }
            newest
        });
        newest.get(&id).copied().unwrap_or(i64::MIN)
    }

    /// The values that the batch has added to each label. Counting walks over its new series, so that
    /// is done for few of its refusals, of which there may be thousands.
    pub fn values_added(&mut self, index: &Index) -> &Values {
        const COUNTS_MAX: u32 = 2;
        let series = self.series.len();
        if self.grown.series != series && self.grown.counts < COUNTS_MAX {
            self.grown = Grown {
                series,
                values: cardinality::values_added(index, &self.series),
                counts: self.grown.counts + 1,
            };
        }
        &self.grown.values
    }

    /// Notes why a series of an item is refused.
    pub fn turn_away(&mut self, item: &Item<'_>, refused: Refused) {
        if let [row] = item.rows {
            self.turned_away = Some((row.clone(), refused.clone()));
        }
        self.refused.push(refused);
    }

    /// The same of an item of the very series that was refused last: nothing that would admit it now
    /// has happened since, and finding out why not takes longer than storing it.
    pub fn turned_away_again(&self, item: &Item<'_>) -> Option<Refused> {
        let (before, refused) = self.turned_away.as_ref()?;
        match item.rows {
            [row] if row.shares_labels(before) => Some(Refused {
                item: item.number(),
                ..refused.clone()
            }),
            _ => None,
        }
    }

    /// Takes out the new series from place `first_new` on.
    pub fn forget_new(&mut self, first_new: usize) -> Vec<Definition> {
        let over: Vec<Definition> = self.series.drain(first_new..).collect();
        for (_, labels) in &over {
            self.admitted.remove(labels.as_bytes());
        }
        self.newcomer = None;
        over
    }

    /// Counts the new series from place `first_new` on.
    pub fn count_new(&mut self, first_new: usize) {
        for (_, labels) in &self.series[first_new..] {
            let metric = labels.metric_name().to_owned();
            *self.by_metric.entry(metric).or_default() += 1;
        }
    }

    /// New series of a metric so far.
    pub fn new_series(&self, metric: &str) -> u64 {
        self.by_metric.get(metric).copied().unwrap_or(0)
    }

    /// Changes what is known of a metric, if that is a change.
    pub fn describe(&mut self, index: &Index, metric: &str, change: impl FnOnce(&mut Metadata)) {
        let planned = self.metadata.get(metric).or_else(|| index.metadata(metric));
        let before = planned.cloned().unwrap_or_default();
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            self.metadata.insert(metric.to_owned(), after);
        }
    }
}

/// Help and unit, of metrics that have a series or get one: a description alone is not kept, or
/// names without series could grow without bound.
pub fn plan_descriptions(batch: &WriteBatch, index: &Index, plan: &mut Plan) {
    if batch.metadata().is_empty() && batch.kinds().is_empty() {
        return;
    }
    let names = plan
        .series
        .iter()
        .map(|(_, labels)| labels.metric_name().to_owned());
    let planned: HashSet<String> = names.collect();
    for (name, kind) in batch.kinds() {
        if planned.contains(name) || index.has_metric(name) {
            plan.describe(index, name, |known| known.kind = *kind);
        }
    }
    for (name, unit, help) in batch.metadata() {
        let (unit, help) = (metadata_text(unit), metadata_text(help));
        if planned.contains(name) || index.has_metric(name) {
            plan.describe(index, name, |known| {
                if !unit.is_empty() {
                    unit.clone_into(&mut known.unit);
                }
                if !help.is_empty() {
                    help.clone_into(&mut known.help);
                }
            });
        }
    }
}
