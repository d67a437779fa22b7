//! Annotations: what whoever asked should know about the answer.
//!
//!   evaluation ─▶ [Annotations] ─▶ `warnings`, `infos` of the answer
//!
//! What was done with rows instead of samples is gathered from all series first: one sentence says so
//! for a place of the query, with the whole stretch of time.
//!
//! I-ANNOTATION-1  Each is there once, in order, and at most `limits::QUERY_ANNOTATIONS` of a kind.
//! Proved by: tests/eval.rs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use tinyobs_model::{Resolution, limits};

use super::{Evaluator, date};
use crate::span::Span;

/// What was noticed.
#[derive(Debug, Default)]
pub(super) struct Annotations {
    warnings: BTreeSet<String>,
    infos: BTreeSet<String>,
    /// By place, deed and resolution, from when to when.
    rows: BTreeMap<(usize, RowDeed, Resolution), (i64, i64)>,
}

/// What was done with rows because there are no samples.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowDeed {
    /// A range was shorter than the windows.
    Widened { range_ms: i64, to_ms: i64 },
    /// A range began inside of a window.
    Reaching { range_ms: i64, by_ms: i64 },
    /// There is no column for what was asked.
    LastValues { what: &'static str },
    /// There is one, but of a gauge nothing stands in it.
    EndValues { what: &'static str },
}

impl Annotations {
    pub fn into_lists(self) -> (Vec<String>, Vec<String>) {
        let list = |set: BTreeSet<String>| set.into_iter().collect();
        (list(self.warnings), list(self.infos))
    }

    /// Adds what another thread noticed.
    pub fn join(&mut self, other: Self) {
        for text in other.warnings {
            add(&mut self.warnings, text);
        }
        for text in other.infos {
            add(&mut self.infos, text);
        }
        for (deed, (from_ms, to_ms)) in other.rows {
            self.note(deed, from_ms, to_ms);
        }
    }

    fn note(&mut self, deed: (usize, RowDeed, Resolution), from_ms: i64, to_ms: i64) {
        let stretch = self.rows.entry(deed).or_insert((from_ms, to_ms));
        *stretch = (stretch.0.min(from_ms), stretch.1.max(to_ms));
    }
}

impl Evaluator<'_> {
    /// The answer may be wrong.
    pub(super) fn warn(&mut self, span: Span, text: &str) {
        let position = span.position(self.query.text);
        let text = format!("PromQL warning: {text} ({position})");
        add(&mut self.annotations.warnings, text);
    }

    /// The answer may not be what was meant.
    pub(super) fn inform(&mut self, span: Span, text: &str) {
        let position = span.position(self.query.text);
        let text = format!("PromQL info: {text} ({position})");
        add(&mut self.annotations.infos, text);
    }

    /// Rows of `resolution` from `from_ms` to `to_ms` were used in another way than samples are.
    pub(super) fn note_rows(
        &mut self,
        span: Span,
        deed: RowDeed,
        resolution: Resolution,
        (from_ms, to_ms): (i64, i64),
    ) {
        let deed = (span.start, deed, resolution);
        self.annotations.note(deed, from_ms, to_ms);
    }

    /// One warning for each deed.
    pub(super) fn tell_of_rows(&mut self) {
        for ((place, deed, resolution), (from_ms, to_ms)) in
            std::mem::take(&mut self.annotations.rows)
        {
            let (from, to) = (date::rfc3339(from_ms), date::rfc3339(to_ms));
            let there = format!("windows of {resolution} are all there is from {from} to {to}");
            let seconds = |ms: i64| ms as f64 / 1_000.0;
            let text = match deed {
                RowDeed::Widened { range_ms, to_ms } => {
                    let (range, wide) = (seconds(range_ms), seconds(to_ms));
                    format!("{there}: the range of {range}s is widened to {wide}s")
                }
                RowDeed::Reaching { range_ms, by_ms } => {
                    let (range, more) = (seconds(range_ms), seconds(by_ms));
                    format!("{there}: the range of {range}s takes in up to {more}s before it")
                }
                RowDeed::LastValues { what } => {
                    format!("{there}, which have no column for {what}: their last values are taken")
                }
                RowDeed::EndValues { what } => format!(
                    "{there}, which have no column for {what} of a gauge: their first and last \
                     values are taken"
                ),
            };
            self.warn(Span::new(place, place), &text);
        }
    }

    /// A quantile is of something between 0 and 1.
    pub(super) fn warn_of_quantiles(&mut self, span: Span, quantiles: &[f64]) {
        self.warn_of_worst(span, quantiles, 0.0..=1.0, |q| {
            format!("a quantile is between 0 and 1, not {q}")
        });
    }

    /// Of the numbers of all steps the worst that are out of `range` are told: one that is no number,
    /// the largest and the smallest.
    pub(super) fn warn_of_worst(
        &mut self,
        span: Span,
        numbers: &[f64],
        range: RangeInclusive<f64>,
        text: impl Fn(f64) -> String,
    ) {
        let all = || numbers.iter().copied();
        let no_number = all().find(|number| number.is_nan());
        let (largest, smallest) = (all().reduce(f64::max), all().reduce(f64::min));
        let worst = [
            no_number,
            largest.filter(|number| number > range.end()),
            smallest.filter(|number| number < range.start()),
        ];
        for number in worst.into_iter().flatten() {
            self.warn(span, &text(number));
        }
    }
}

fn add(set: &mut BTreeSet<String>, text: String) {
    if set.len() < limits::QUERY_ANNOTATIONS {
        set.insert(text);
    }
}
