//! Unfold: what a point means, as rows.
//!
//!   `Point` ─▶ [Part]s of an item [At] a time ─▶ `Sink::rows`

use tinyobs_model::{Refusal, Sample, limits, stale_marker};

use super::{Sink, shown};
use crate::otlp::labels::{self, Pair};
use crate::otlp::point::{Broken, Point, Shape, Temporality};
use crate::otlp::{BodyError, buckets, delta};
use crate::time::MILLISECONDS_FROM;

/// Why a point is not stored.
pub enum Failure {
    Item(Broken),
    Body(BodyError),
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        Self::Item(broken)
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

/// What the rows of one point share.
pub struct At<'p> {
    pub item: u32,
    pub labels: Vec<Pair<'p>>,
    pub time_ms: i64,
    pub start_ms: Option<i64>,
}

/// One row of a point: suffix of its name, its further label, its value.
pub struct Part {
    pub suffix: &'static str,
    pub label: Option<(&'static str, String)>,
    pub value: f64,
}

impl Part {
    fn new(suffix: &'static str, value: f64) -> Self {
        Self {
            suffix,
            label: None,
            value,
        }
    }

    fn labelled(suffix: &'static str, label: &'static str, text: String, value: f64) -> Self {
        Self {
            suffix,
            label: Some((label, text)),
            value,
        }
    }
}

impl Sink<'_> {
    /// The rows of a point; its time.
    pub fn unfold(&mut self, item: u32, point: &mut Point<'_>) -> Result<i64, Failure> {
        let broken = [
            &mut self.resource.broken.clone(),
            &mut self.metric.broken.clone(),
            &mut point.attributes.broken,
            &mut point.broken,
        ];
        if let Some(broken) = broken.into_iter().find_map(Option::take) {
            return Err(broken.into());
        }
        let ms = |ns: u64| (ns / 1_000_000) as i64;
        if point.time_ns == 0 {
            let message = format!("a data point of {:?} has no time", self.metric.name);
            return Err((Refusal::TimeInvalid, message).into());
        }
        let time_ms = ms(point.time_ns);
        let start_ms = Some(ms(point.start_ns));
        let start_ms = start_ms.filter(|start_ms| (MILLISECONDS_FROM..time_ms).contains(start_ms));
        let at = At {
            item,
            labels: labels::of_attributes(&point.attributes, &self.resource.shared),
            time_ms,
            start_ms: start_ms.filter(|_| self.metric.kind.is_cumulative()),
        };
        match self.metric.shape {
            _ if point.is_end() => self.end(&at, point)?,
            Some(Shape::Gauge) => self.rows(&at, &[Part::new("", number(point)?)])?,
            Some(Shape::Sum {
                temporality,
                is_monotonic,
            }) => self.sum(&at, number(point)?, temporality, is_monotonic)?,
            Some(Shape::Histogram(temporality)) => {
                let rows = buckets::explicit(point)?;
                self.histogram(&at, &rows, point, temporality)?;
            }
            Some(Shape::Exponential(temporality)) => {
                let rows = buckets::exponential(point)?;
                self.histogram(&at, &rows, point, temporality)?;
            }
            Some(Shape::Summary) => self.rows(&at, &summary(point))?,
            None => {}
        }
        Ok(time_ms)
    }

    fn sum(
        &mut self,
        at: &At<'_>,
        value: f64,
        temporality: Temporality,
        is_monotonic: bool,
    ) -> Result<(), Failure> {
        if temporality == Temporality::Cumulative {
            return self.rows(at, &[Part::new("", value)]);
        }
        if !value.is_finite() || (is_monotonic && value < 0.0) {
            let message = format!("{value} cannot be added to {:?}", shown(&self.metric.name));
            return Err((Refusal::ValueNotANumber, message).into());
        }
        self.canonical(at, "", None)?;
        let newest = self.deltas.newest(&self.scratch)?;
        if newest.is_some_and(|newest| newest.time_ms >= at.time_ms) {
            return Ok(());
        }
        self.deltas.check_time(at.time_ms)?;
        let total = value + newest.map_or(0.0, |newest| newest.value);
        let part = Part::new("", total);
        self.totals(at, std::slice::from_ref(&part), newest.is_none())
    }

    fn histogram(
        &mut self,
        at: &At<'_>,
        rows: &buckets::Cumulative,
        point: &Point<'_>,
        temporality: Temporality,
    ) -> Result<(), Failure> {
        if temporality == Temporality::Cumulative {
            return self.rows(at, &histogram(rows, point.sum, point.count as f64));
        }
        if point.sum.is_some_and(|sum| !sum.is_finite()) {
            let message = format!(
                "the sum cannot be added to that of {:?}",
                shown(&self.metric.name)
            );
            return Err((Refusal::ValueNotANumber, message).into());
        }
        self.canonical(at, "_count", None)?;
        let newest = self.deltas.newest(&self.scratch)?;
        if newest.is_some_and(|newest| newest.time_ms >= at.time_ms) {
            return Ok(());
        }
        self.deltas.check_time(at.time_ms)?;
        let mut known = Vec::new();
        self.canonical(at, "_bucket", None)?;
        let key = self.scratch.clone();
        if newest.is_some() {
            let bounds = self.deltas.bounds(&key)?;
            // Each is a look-up: what they may cost is paid before they are made.
            self.reserve(bounds.len(), at)?;
            if bounds.len() > limits::BUCKETS_PER_HISTOGRAM {
                let message = format!(
                    "histogram {:?} has been sent with {} bounds, at most {} are allowed",
                    shown(&self.metric.name),
                    bounds.len(),
                    limits::BUCKETS_PER_HISTOGRAM
                );
                return Err((Refusal::HistogramInvalid, message).into());
            }
            for bound in bounds {
                self.canonical(at, "_bucket", Some(&bound.to_string()))?;
                let total = self.deltas.newest(&self.scratch)?;
                known.extend(total.map(|total| (bound, total.value)));
            }
        }
        let rows = delta::add(&known, rows);
        let bounds = rows.iter().map(|(bound, _)| *bound).collect();
        self.deltas.set_bounds(&key, bounds);
        let count = point.count as f64 + newest.map_or(0.0, |newest| newest.value);
        let mut sum = point.sum;
        if let Some(sum) = &mut sum {
            self.canonical(at, "_sum", None)?;
            *sum += self.deltas.newest(&self.scratch)?.map_or(0.0, |s| s.value);
        }
        self.totals(at, &histogram(&rows, sum, count), newest.is_none())
    }

    /// Stores running totals, and remembers them for the rest of the request.
    fn totals(&mut self, at: &At<'_>, parts: &[Part], is_first: bool) -> Result<(), Failure> {
        for part in parts {
            let bound = part.label.as_ref().map(|(_, text)| &**text);
            self.canonical(at, part.suffix, bound)?;
            let total = Sample::new(at.time_ms, part.value);
            self.deltas.set(&self.scratch, total);
        }
        // I-OTLP-ROW-4: what was counted before this interval has been counted.
        let at = At {
            labels: at.labels.clone(),
            start_ms: at.start_ms.filter(|_| is_first),
            ..*at
        };
        self.rows(&at, parts)
    }

    /// I-OTLP-ROW-3. A point without a value has no buckets either: those that are stored end.
    fn end(&mut self, at: &At<'_>, point: &Point<'_>) -> Result<(), Failure> {
        let mut parts = match self.metric.shape {
            Some(Shape::Histogram(_) | Shape::Exponential(_)) => {
                self.canonical(at, "_count", None)?;
                if self.deltas.newest(&self.scratch)?.is_none() {
                    // There is nothing to end.
                    return Ok(());
                }
                self.canonical(at, "_bucket", None)?;
                let key = self.scratch.clone();
                let bounds = self.deltas.bounds(&key)?;
                let rows: Vec<_> = bounds.into_iter().map(|bound| (bound, 0.0)).collect();
                histogram(&rows, Some(0.0), 0.0)
            }
            Some(Shape::Summary) => summary(point),
            _ => vec![Part::new("", 0.0)],
        };
        for part in &mut parts {
            part.value = stale_marker();
        }
        let at = At {
            labels: at.labels.clone(),
            start_ms: None,
            ..*at
        };
        self.rows(&at, &parts)
    }
}

fn number(point: &Point<'_>) -> Result<f64, Broken> {
    let missing = || {
        (
            Refusal::ValueNotANumber,
            "a data point has no value".to_owned(),
        )
    };
    point.number.ok_or_else(missing)
}

fn histogram(rows: &[(f64, f64)], sum: Option<f64>, count: f64) -> Vec<Part> {
    let bucket = |bound: String, below| Part::labelled("_bucket", "le", bound, below);
    let mut parts: Vec<Part> = rows
        .iter()
        .map(|(bound, below)| bucket(bound.to_string(), *below))
        .collect();
    parts.push(bucket("+Inf".to_owned(), count));
    parts.extend(sum.map(|sum| Part::new("_sum", sum)));
    parts.push(Part::new("_count", count));
    parts
}

fn summary(point: &Point<'_>) -> Vec<Part> {
    let quantiles = point.quantiles.iter();
    let mut parts: Vec<Part> = quantiles
        .map(|(quantile, value)| Part::labelled("", "quantile", quantile.to_string(), *value))
        .collect();
    parts.push(Part::new("_sum", point.sum.unwrap_or_default()));
    parts.push(Part::new("_count", point.count as f64));
    parts
}
