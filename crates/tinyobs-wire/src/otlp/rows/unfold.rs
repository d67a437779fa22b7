//! Unfold: what a point means, as rows.
//!
//!   `Point` ─▶ [Part]s of an item [At] a time ─▶ `Sink::rows`
//!         └──▶ a delta ─▶ [`adding`](super::adding)

use tinyobs_model::{Refusal, stale_marker};

use super::adding::Added;
use super::{Sink, shown};
use crate::otlp::delta::to_ms;
use crate::otlp::labels::{self, Pair};
use crate::otlp::point::{Broken, Point, Shape, Temporality};
use crate::otlp::{BodyError, buckets};
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
    pub fn new(suffix: &'static str, value: f64) -> Self {
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
        let shared = [&self.resource.broken, &self.metric.broken];
        if let Some(broken) = shared.into_iter().find_map(Option::clone) {
            return Err(broken.into());
        }
        let own = [&mut point.attributes.broken, &mut point.broken];
        if let Some(broken) = own.into_iter().find_map(Option::take) {
            return Err(self.named(broken).into());
        }
        if point.time_ns == 0 {
            let message = format!("a data point of {:?} has no time", self.metric.name);
            return Err((Refusal::TimeInvalid, message).into());
        }
        let time_ms = to_ms(point.time_ns);
        // Here and not by the store alone: a point that it refuses must not be what `target_info` has
        // its time from, nor be counted as a delta (I-OTLP-DELTA-2).
        self.deltas.check_time(time_ms)?;
        let began = point.start_ns < point.time_ns;
        // A counter that was used and pushed within a millisecond has its 0 before the value, too; one
        // whose start is the very time of its value has none, for its start is not known.
        let start_ms = began.then(|| to_ms(point.start_ns).min(time_ms - 1));
        let start_ms = start_ms.filter(|start_ms| *start_ms >= MILLISECONDS_FROM);
        let at = At {
            item,
            labels: labels::of_attributes(&point.attributes, &self.resource.shared),
            time_ms,
            start_ms: start_ms.filter(|_| self.metric.kind.is_cumulative()),
        };
        self.unfold_at(&at, point)?;
        Ok(time_ms)
    }

    fn unfold_at(&mut self, at: &At<'_>, point: &Point<'_>) -> Result<(), Failure> {
        let shape = self.metric.shape;
        match shape {
            _ if point.is_end() => self.end(at, point),
            Some(Shape::Gauge) => self.rows(at, &[Part::new("", number(point)?)]),
            Some(Shape::Sum {
                temporality,
                is_monotonic,
            }) => match (number(point)?, temporality) {
                (value, Temporality::Delta) => {
                    self.wait(at, point, Added::sum(value, is_monotonic))
                }
                (value, _) => self.rows(at, &[Part::new("", value)]),
            },
            Some(Shape::Histogram(temporality) | Shape::Exponential(temporality)) => {
                let rows = match shape {
                    Some(Shape::Histogram(_)) => buckets::explicit(point),
                    _ => buckets::exponential(point),
                };
                let rows = rows.map_err(|broken| self.named(broken))?;
                match temporality {
                    Temporality::Delta => {
                        self.wait(at, point, Added::histogram(rows, point.sum, point.count))
                    }
                    _ => self.rows(at, &histogram(&rows, point.sum, point.count as f64)),
                }
            }
            Some(Shape::Summary) => {
                let parts = summary(point).map_err(|broken| self.named(broken))?;
                self.rows(at, &parts)
            }
            None => Ok(()),
        }
    }

    /// What is wrong with a point, with the metric's name.
    fn named(&self, (rule, message): Broken) -> Broken {
        (rule, format!("{:?}: {message}", shown(&self.metric.name)))
    }

    /// I-OTLP-ROW-3
    fn end(&mut self, at: &At<'_>, point: &Point<'_>) -> Result<(), Failure> {
        match self.metric.shape {
            // Its deltas may stand behind it, and there must be something to end.
            Some(Shape::Histogram(_) | Shape::Exponential(_)) => self.wait(at, point, Added::End),
            Some(Shape::Summary) => self.ends(at, summary(point)?),
            _ => self.ends(at, vec![Part::new("", 0.0)]),
        }
    }

    /// A point without a value has no buckets either: those that are stored end.
    pub fn end_histogram(&mut self, at: &At<'_>) -> Result<(), Failure> {
        self.canonical(at, "_count", None)?;
        if self.deltas.newest(&self.scratch)?.is_none() {
            // There is nothing to end.
            return Ok(());
        }
        self.canonical(at, "_bucket", None)?;
        let key = self.scratch.clone();
        let bounds = self.deltas.bounds(&key)?;
        let rows: Vec<_> = bounds.into_iter().map(|bound| (bound, 0.0)).collect();
        self.ends(at, histogram(&rows, Some(0.0), 0.0))
    }

    fn ends(&mut self, at: &At<'_>, mut parts: Vec<Part>) -> Result<(), Failure> {
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

pub fn histogram(rows: &[(f64, f64)], sum: Option<f64>, count: f64) -> Vec<Part> {
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

fn summary(point: &Point<'_>) -> Result<Vec<Part>, Broken> {
    let quantiles = || point.quantiles.iter().map(|(quantile, _)| *quantile);
    let mut sorted: Vec<f64> = quantiles().collect();
    sorted.sort_by(f64::total_cmp);
    let is_twice = sorted.windows(2).any(|two| two[0] == two[1]);
    if is_twice || !quantiles().all(|quantile| (0.0..=1.0).contains(&quantile)) {
        let message = "a quantile of the summary is there twice, or not from 0 to 1";
        return Err((Refusal::HistogramInvalid, message.to_owned()));
    }
    let quantiles = point.quantiles.iter();
    let mut parts: Vec<Part> = quantiles
        .map(|(quantile, value)| Part::labelled("", "quantile", quantile.to_string(), *value))
        .collect();
    parts.push(Part::new("_sum", point.sum.unwrap_or_default()));
    parts.push(Part::new("_count", point.count as f64));
    Ok(parts)
}
