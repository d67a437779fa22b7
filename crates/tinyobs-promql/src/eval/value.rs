//! Value: what an expression comes to at every step.
//!
//! I-VALUE-1  The absent value is the stale marker. Selectors never give it as a value, arithmetic
//!            makes quiet NaNs only, and where only a sign changes, [`signed`] looks: the
//!            stale marker with a sign is a NaN like any other.
//! Proved by: tests/eval.rs `i_eval_2_*`.

use tinyobs_model::{Labels, METRIC_NAME, STALE_MARKER_BITS};

use std::collections::{HashMap, HashSet};

use super::{EvalError, Evaluated, Evaluator};
use crate::span::Span;

/// Stands where a series has no value.
pub(super) const ABSENT: f64 = f64::from_bits(STALE_MARKER_BITS);

/// Whether there is a value.
#[inline]
pub(super) fn is_present(value: f64) -> bool {
    value.to_bits() != STALE_MARKER_BITS
}

/// `value` with another sign, which a NaN may have as well: without it the bits of one of them are
/// those of [`ABSENT`].
#[inline]
pub(super) fn signed(value: f64, change: impl Fn(f64) -> f64) -> f64 {
    if value.is_nan() {
        return f64::NAN;
    }
    change(value)
}

/// What an expression comes to.
#[derive(Debug)]
pub(super) enum Value {
    /// One number for each step.
    Scalar(Vec<f64>),
    /// Series, each with a number or none for each step.
    Vector(Vec<Series>),
    /// Text, the same at every step.
    String(String),
}

/// A series with one value for each step.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// Its labels.
    pub labels: Labels,
    /// The metric name among them goes at the end: `Query::delayed_names`.
    pub drop_name: bool,
    /// A value or [`ABSENT`] for each step.
    pub values: Vec<f64>,
}

impl Value {
    /// Bytes that it takes.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Scalar(values) => Series::bytes_of(values.len()),
            Self::Vector(series) => series.iter().map(Series::bytes).sum(),
            Self::String(text) => text.len() as u64,
        }
    }

    /// Series in it.
    pub fn series(&self) -> usize {
        match self {
            Self::Vector(series) => series.len(),
            Self::Scalar(_) | Self::String(_) => 1,
        }
    }
}

impl Series {
    /// A series without labels.
    pub fn unnamed(values: Vec<f64>) -> Self {
        Self::new(Labels::empty(), values)
    }

    pub fn new(labels: Labels, values: Vec<f64>) -> Self {
        Self {
            labels,
            drop_name: false,
            values,
        }
    }

    /// Bytes of a column of so many steps, with what is around it.
    pub fn bytes_of(steps: usize) -> u64 {
        (steps * size_of::<f64>() + 2 * size_of::<Self>()) as u64
    }

    pub fn bytes(&self) -> u64 {
        Self::bytes_of(self.values.len()) + self.labels.as_bytes().len() as u64
    }

    /// Replaces every value that is there.
    pub fn map(&mut self, f: impl Fn(f64) -> f64) {
        for value in &mut self.values {
            if is_present(*value) {
                *value = f(*value);
            }
        }
    }

    /// Replaces every value that is there, or takes it away.
    pub fn filter_map(&mut self, f: impl Fn(usize, f64) -> Option<f64>) {
        for (i, value) in self.values.iter_mut().enumerate() {
            if is_present(*value) {
                *value = f(i, *value).unwrap_or(ABSENT);
            }
        }
    }

    /// Whether it has any value.
    pub fn is_empty(&self) -> bool {
        !self.values.iter().any(|&value| is_present(value))
    }
}

/// What goes with the metric name: type and unit belong to it.
pub(super) fn is_name_label(name: &str) -> bool {
    matches!(name, METRIC_NAME | "__type__" | "__unit__")
}

/// The labels without the metric name and what belongs to it.
pub(super) fn without_name(labels: &Labels) -> Labels {
    labels.filtered(|name| !is_name_label(name))
}

impl Evaluator<'_> {
    /// A function makes something else of the metric, so its name goes: now, or at the end.
    pub(super) fn drop_name(&self, series: &mut Series) {
        if self.query.delayed_names {
            series.drop_name = true;
        } else if series.labels.iter().any(|(name, _)| is_name_label(name)) {
            series.labels = without_name(&series.labels);
        }
    }

    /// The series, no two of the same labels; as Prometheus, which asks so of signs and of
    /// functions of range vectors.
    ///
    /// # Errors
    /// Two of them have the same labels, whether or not at the same step.
    pub(super) fn unique(&self, series: Vec<Series>, span: Span) -> Evaluated<Vec<Series>> {
        if !self.query.delayed_names {
            let mut seen: HashSet<&Labels> = HashSet::with_capacity(series.len());
            if let Some(twice) = series.iter().find(|one| !seen.insert(&one.labels)) {
                return Err(same_labels(span, &twice.labels));
            }
        }
        distinct(series, span)
    }
}

/// The series, those of the same labels put together.
///
/// # Errors
/// Two of them have a value at the same step.
pub(super) fn distinct(series: Vec<Series>, span: Span) -> Evaluated<Vec<Series>> {
    let mut places: HashMap<Labels, usize> = HashMap::with_capacity(series.len());
    let mut out: Vec<Series> = Vec::with_capacity(series.len());
    for one in series {
        let Some(&at) = places.get(&one.labels) else {
            places.insert(one.labels.clone(), out.len());
            out.push(one);
            continue;
        };
        let first = &mut out[at];
        // A series without values says nothing of the name of one that has some.
        first.drop_name = match (first.is_empty(), one.is_empty()) {
            (true, _) => one.drop_name,
            (false, true) => first.drop_name,
            (false, false) => first.drop_name || one.drop_name,
        };
        for (kept, value) in first.values.iter_mut().zip(one.values) {
            match (is_present(*kept), is_present(value)) {
                (true, true) => return Err(same_labels(span, &first.labels)),
                (false, true) => *kept = value,
                _ => {}
            }
        }
    }
    Ok(out)
}

pub(super) fn same_labels(span: Span, labels: &Labels) -> EvalError {
    let reason = format!(
        "two series of the result have the same labels {labels}, keep a label that tells them apart"
    );
    EvalError::execution(span, reason)
}
