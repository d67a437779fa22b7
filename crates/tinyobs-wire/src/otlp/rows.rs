//! Rows: a data point becomes the rows of its item.
//!
//!   `Metric`, `Point` ─▶ [Sink] ─▶ checked, named, labelled ─▶ `WriteBatch`
//!
//! | OTel | stored as |
//! |---|---|
//! | gauge, sum that may fall | a gauge |
//! | sum that only grows | a counter `…_total` |
//! | histogram, exponential histogram | `…_bucket{le}`, `…_sum`, `…_count` |
//! | summary | `…{quantile}`, `…_sum`, `…_count` |
//! | a delta of any of these | its running total |
//!
//! I-OTLP-ROW-1  The rows of a point are in the batch together or not at all.
//! I-OTLP-ROW-2  What the rows may take in memory is checked before they are made.
//! I-OTLP-ROW-3  A point without a recorded value ends its series: each gets a stale marker.
//! I-OTLP-ROW-4  A start is told to the store only of values that count from it: of a running total
//!               only of its first interval.
//! Proved by: otlp/tests.rs and those below it.

use tinyobs_model::kind::metadata_text;
use tinyobs_model::{Kind, LabelsBuilder, Refusal, Refused, Row, Sample, WriteBatch, limits};

use super::delta::Deltas;
use super::labels::Resource;
use super::point::{Broken, Metric, Place, Point, Shape, Temporality};
use super::{BodyError, Stored, TARGET_ITEMS, name};
use crate::json::Source;

mod adding;
mod unfold;

use adding::Waiting;
use unfold::{At, Failure, Part};

/// Where the readers put what they read.
pub struct Sink<'s> {
    batch: WriteBatch,
    refused: Vec<Refused>,
    items: u32,
    source: Option<Source>,
    more_sources: Vec<Source>,
    /// Bytes of the batch, towards `limits::BATCH_BYTES`.
    batch_bytes: usize,
    resource: Resource,
    resources: u32,
    /// The newest time of the resource's points.
    newest_ms: Option<i64>,
    metric: Family,
    deltas: Deltas<'s>,
    /// In the order in which they came, until the request is read.
    waiting: Vec<Waiting>,
    /// The canonical labels of those that wait.
    waiting_labels: Vec<u8>,
    /// Rows that the item in hand has paid for.
    paid_rows: usize,
    /// Empty between two rows; here for its memory.
    builder: LabelsBuilder<'static>,
    scratch: Vec<u8>,
}

/// A metric under its Prometheus name.
#[derive(Debug, Default)]
struct Family {
    name: String,
    unit: String,
    help: String,
    shape: Option<Shape>,
    kind: Kind,
    broken: Option<Broken>,
    /// Whether help and unit are in the batch.
    is_described: bool,
}

impl<'s> Sink<'s> {
    pub fn new(stored: &'s mut dyn Stored) -> Self {
        Self {
            batch: WriteBatch::new(),
            refused: Vec::new(),
            items: 0,
            source: None,
            more_sources: Vec::new(),
            batch_bytes: 0,
            resource: Resource::default(),
            resources: 0,
            newest_ms: None,
            metric: Family::default(),
            deltas: Deltas::new(stored),
            waiting: Vec::new(),
            waiting_labels: Vec::new(),
            paid_rows: 0,
            builder: LabelsBuilder::new(),
            scratch: Vec::new(),
        }
    }

    /// Points of this metric follow, from there.
    pub fn begin(&mut self, place: &mut Place<'_>, metric: &Metric<'_>) {
        if !std::mem::replace(&mut place.is_resource_told, true) {
            self.resource = Resource::of(&place.attributes);
            self.newest_ms = None;
            place.is_scope_told = false;
        }
        if !std::mem::replace(&mut place.is_scope_told, true) {
            self.resource.set_scope(&place.scope.0, &place.scope.1);
        }
        self.begin_metric(metric);
    }

    fn begin_metric(&mut self, metric: &Metric<'_>) {
        let (role, kind) = match metric.shape {
            Shape::Sum {
                is_monotonic: true, ..
            } => (name::Role::Counter, Kind::Counter),
            Shape::Gauge | Shape::Sum { .. } => (name::Role::Gauge, Kind::Gauge),
            Shape::Histogram(_) | Shape::Exponential(_) => (name::Role::Other, Kind::Histogram),
            Shape::Summary => (name::Role::Other, Kind::Summary),
        };
        let named = name::metric(&metric.name, &metric.unit, role);
        self.metric = Family {
            broken: metric
                .broken
                .clone()
                .or_else(|| broken_metric(metric, &named.name)),
            name: named.name,
            unit: metadata_text(&named.unit).to_owned(),
            help: metadata_text(&metric.description).to_owned(),
            shape: Some(metric.shape),
            kind,
            is_described: false,
        };
    }

    /// Takes a point of the metric that was begun last.
    pub fn point(&mut self, point: &mut Point<'_>) -> Result<(), BodyError> {
        if self.items as usize >= limits::OTLP_POINTS {
            return Err(BodyError::TooManyPoints);
        }
        let item = self.items;
        self.items += 1;
        let rows = self.batch.len();
        let unfolded = self.unfold(item, point);
        if let Ok(time_ms) = &unfolded {
            self.newest_ms = self.newest_ms.max(Some(*time_ms));
            self.describe();
        }
        self.settle(item, rows, unfolded.map(drop))
    }

    /// Counts a part of the request in which no points can be told apart, as one that is refused.
    pub fn refuse(&mut self, broken: Broken) -> Result<(), BodyError> {
        let (item, rows) = (self.items, self.batch.len());
        if item as usize >= limits::OTLP_POINTS {
            return Err(BodyError::TooManyPoints);
        }
        self.items += 1;
        self.settle(item, rows, Err(Failure::Item(broken)))
    }

    /// Notes what became of an item, whose rows begin there.
    fn settle(
        &mut self,
        item: u32,
        rows: usize,
        unfolded: Result<(), Failure>,
    ) -> Result<(), BodyError> {
        self.deltas.settle(unfolded.is_ok());
        match unfolded {
            Ok(()) => Ok(()),
            Err(Failure::Item((rule, message))) => {
                // I-OTLP-ROW-1
                self.batch.truncate(rows);
                self.refused.push(Refused {
                    item,
                    rule,
                    message,
                });
                Ok(())
            }
            Err(Failure::Body(error)) => Err(error),
        }
    }

    /// Writes the `target_info` of a resource that had points and has something to tell.
    pub fn end_resource(&mut self, place: &Place<'_>) {
        let Some(time_ms) = self.newest_ms.filter(|_| place.is_resource_told) else {
            return;
        };
        let resource = std::mem::take(&mut self.resource);
        let service = resource.get("job").to_owned();
        let instance = resource.get("instance").to_owned();
        let item = TARGET_ITEMS + self.resources;
        self.resources += 1;
        if !resource.target.is_empty() {
            let mut builder = std::mem::take(&mut self.builder).recycle();
            builder.begin("target_info");
            builder.push("job", &service);
            builder.push("instance", &instance);
            for (label, value) in &resource.target {
                builder.push(label, value);
            }
            let sample = Sample::new(time_ms, 1.0);
            let pushed = self
                .batch
                .push(item, &mut builder, Kind::Gauge, sample, None);
            self.builder = builder.recycle();
            self.refused.extend(pushed.err());
        }
        let source = Source {
            service,
            instance,
            ..Source::default()
        };
        if self.source.is_none() {
            self.source = Some(source);
        } else if self.more_sources.len() < limits::CLIENTS {
            self.more_sources.push(source);
        }
    }

    /// The canonical labels of a row, in `scratch`.
    fn canonical(&mut self, at: &At<'_>, suffix: &str, bound: Option<&str>) -> Result<(), Failure> {
        let name = format!("{}{suffix}", self.metric.name);
        let mut builder = std::mem::take(&mut self.builder).recycle();
        fill(&mut builder, &name, at, &self.resource);
        if let Some(bound) = bound {
            builder.push("le", bound);
        }
        self.scratch.clear();
        let written = builder.write_canonical(&mut self.scratch);
        self.builder = builder.recycle();
        written.map_err(Failure::Item)
    }

    fn rows(&mut self, at: &At<'_>, parts: &[Part]) -> Result<(), Failure> {
        self.reserve(parts.len(), at)?;
        let mut name = String::new();
        for part in parts {
            name.clear();
            name.push_str(&self.metric.name);
            name.push_str(part.suffix);
            let mut builder = std::mem::take(&mut self.builder).recycle();
            fill(&mut builder, &name, at, &self.resource);
            if let Some((label, text)) = &part.label {
                builder.push(label, text);
            }
            let sample = Sample::new(at.time_ms, part.value);
            let kind = self.metric.kind;
            let pushed = self
                .batch
                .push(at.item, &mut builder, kind, sample, at.start_ms);
            self.builder = builder.recycle();
            pushed.map_err(|refused| (refused.rule, refused.message))?;
        }
        Ok(())
    }

    /// I-OTLP-ROW-2
    fn reserve(&mut self, rows: usize, at: &At<'_>) -> Result<(), Broken> {
        // Lengths, suffix and bound of a bucket.
        const OVERHEAD: usize = 64 + size_of::<Row>();
        let own = at
            .labels
            .iter()
            .map(|(name, value)| name.len() + value.len() + 4);
        let paid = self.paid_rows.min(rows);
        self.paid_rows -= paid;
        let rows = rows - paid;
        let shared = self.resource.shared.iter();
        let shared = shared.map(|(name, value)| name.len() + value.len() + 4);
        let labels: usize = own.chain(shared).sum();
        let bytes = rows.saturating_mul(OVERHEAD + self.metric.name.len() + labels);
        if self.batch_bytes.saturating_add(bytes) > limits::BATCH_BYTES {
            let message = format!(
                "the request unfolds to more than {} bytes; send the rest in another",
                limits::BATCH_BYTES
            );
            return Err((Refusal::BatchTooLarge, message));
        }
        self.batch_bytes += bytes;
        Ok(())
    }

    /// Help and unit, once a metric. Where they would take more than a request may, they are left
    /// out: the values count more.
    fn describe(&mut self) {
        let family = &mut self.metric;
        let is_silent = family.unit.is_empty() && family.help.is_empty();
        if std::mem::replace(&mut family.is_described, true) || is_silent {
            return;
        }
        let suffixes: &[&str] = match family.kind {
            Kind::Histogram => &["_bucket", "_sum", "_count"],
            Kind::Summary => &["", "_sum", "_count"],
            _ => &[""],
        };
        let text = family.name.len() + family.unit.len() + family.help.len() + 80;
        if self.batch_bytes + suffixes.len() * text > limits::BATCH_BYTES {
            return;
        }
        self.batch_bytes += suffixes.len() * text;
        for suffix in suffixes {
            let name = format!("{}{suffix}", family.name);
            self.batch.describe(&name, &family.unit, &family.help);
        }
    }
}

fn fill<'b>(
    builder: &mut LabelsBuilder<'b>,
    name: &'b str,
    at: &'b At<'_>,
    resource: &'b Resource,
) {
    builder.begin(name);
    for (label, value) in &at.labels {
        builder.push(label, value);
    }
    for (label, value) in &resource.shared {
        builder.push(label, value);
    }
}

/// A name as messages have it: short however long it is.
fn shown(name: &str) -> &str {
    const SHOWN: usize = 64;
    &name[..name.floor_char_boundary(SHOWN)]
}

/// What is wrong with all points of a metric: said once, so that a name of megabytes is not looked
/// at for each of them.
fn broken_metric(metric: &Metric<'_>, name: &str) -> Option<Broken> {
    if metric.name.is_empty() {
        return Some((Refusal::NameEmpty, "metric name is empty".to_owned()));
    }
    if name.is_empty() {
        let message = format!(
            "metric name {:?} has no letter, digit or colon that a Prometheus name may have",
            shown(&metric.name)
        );
        return Some((Refusal::NameEmpty, message));
    }
    if name.len() > limits::METRIC_NAME_BYTES {
        let message = format!(
            "metric name {:?}… has {} bytes, at most {} are allowed",
            shown(name),
            name.len(),
            limits::METRIC_NAME_BYTES
        );
        return Some((Refusal::NameTooLong, message));
    }
    match metric.shape {
        Shape::Sum { temporality, .. }
        | Shape::Histogram(temporality)
        | Shape::Exponential(temporality)
            if temporality == Temporality::Unspecified =>
        {
            let message = format!(
                "metric {:?} does not say whether it is delta or cumulative",
                shown(&metric.name)
            );
            Some((Refusal::Malformed, message))
        }
        _ => None,
    }
}
