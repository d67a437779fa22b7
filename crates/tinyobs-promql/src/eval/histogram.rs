//! Histogram: functions of all buckets of a classic histogram together.
//!
//!   series with `le` ─▶ groups without it ─▶ per step one [Classic] ─▶ quantile, fraction

use std::collections::HashMap;

use tinyobs_model::{Labels, METRIC_NAME};

use super::classic::{Bucket, Classic};
use super::grid::Grid;
use super::value::{ABSENT, Series, Value, distinct, is_present};
use super::{EvalError, Evaluated, Evaluator};
use crate::ast::Expr;
use crate::span::Span;

/// The series of one histogram, each with its bound.
struct Histogram {
    labels: Labels,
    buckets: Vec<(f64, Series)>,
}

impl Evaluator<'_> {
    pub(super) fn histogram_quantile(
        &mut self,
        args: &[Expr],
        span: Span,
        grid: Grid,
    ) -> Evaluated<Value> {
        let quantiles = self.eval_scalar(&args[0], grid)?;
        self.warn_of_quantiles(args[0].span, &quantiles);
        let histograms = self.histograms(&args[1], grid)?;
        let mut out = Vec::new();
        for histogram in &histograms {
            let at = args[1].span;
            let series = self.each_step(histogram, at, grid, |i, classic| {
                classic.quantile(quantiles[i])
            })?;
            out.push(series);
        }
        distinct(out, span).map(Value::Vector)
    }

    /// `histogram_quantiles(v, label, q…)`
    pub(super) fn histogram_quantiles(
        &mut self,
        args: &[Expr],
        span: Span,
        grid: Grid,
    ) -> Evaluated<Value> {
        let label = self.eval_string(&args[1], grid)?;
        if label.is_empty() {
            return Err(EvalError::execution(args[1].span, "a label needs a name"));
        }
        let mut columns = Vec::new();
        for arg in &args[2..] {
            let quantiles = self.eval_scalar(arg, grid)?;
            self.warn_of_quantiles(arg.span, &quantiles);
            columns.push(quantiles);
        }
        let histograms = self.histograms(&args[0], grid)?;
        let mut out = Vec::new();
        for histogram in &histograms {
            for quantiles in &columns {
                let at = args[0].span;
                let found = self.each_step(histogram, at, grid, |i, classic| {
                    classic.quantile(quantiles[i])
                })?;
                out.extend(split_by_label(&found, &label, quantiles));
            }
        }
        distinct(out, span).map(Value::Vector)
    }

    /// `histogram_fraction(lower, upper, v)`
    pub(super) fn histogram_fraction(
        &mut self,
        args: &[Expr],
        span: Span,
        grid: Grid,
    ) -> Evaluated<Value> {
        let lower = self.eval_scalar(&args[0], grid)?;
        let upper = self.eval_scalar(&args[1], grid)?;
        let histograms = self.histograms(&args[2], grid)?;
        let mut out = Vec::new();
        for histogram in &histograms {
            let at = args[2].span;
            let series = self.each_step(histogram, at, grid, |i, classic| {
                classic.fraction(lower[i], upper[i])
            })?;
            out.push(series);
        }
        distinct(out, span).map(Value::Vector)
    }

    /// The histograms of a vector, in the order in which they come up.
    fn histograms(&mut self, arg: &Expr, grid: Grid) -> Evaluated<Vec<Histogram>> {
        let series = self.eval_vector(arg, grid)?;
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut histograms: Vec<Histogram> = Vec::new();
        for one in series {
            let le = one.labels.get("le").unwrap_or_default();
            let Ok(bound) = le.parse::<f64>() else {
                let name = one.labels.metric_name();
                let text = format!(
                    "bucket label \"le\" is missing or no number: {le:?}, of metric {name:?}"
                );
                self.warn(arg.span, &text);
                continue;
            };
            // With the name: histograms of two metrics are two, even if nothing else differs.
            let key = one.labels.filtered(|name| name != "le");
            let at = *places.entry(key).or_insert_with_key(|key| {
                histograms.push(Histogram {
                    labels: key.clone(),
                    buckets: Vec::new(),
                });
                histograms.len() - 1
            });
            histograms[at].buckets.push((bound, one));
        }
        for histogram in &mut histograms {
            histogram.buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        }
        Ok(histograms)
    }

    /// What `f` says of a histogram at each step.
    fn each_step(
        &mut self,
        histogram: &Histogram,
        span: Span,
        grid: Grid,
        f: impl Fn(usize, &mut Classic) -> f64,
    ) -> Evaluated<Series> {
        self.check()?;
        let mut values = self.column(ABSENT, grid)?;
        let mut classic = Classic::default();
        for (i, value) in values.iter_mut().enumerate() {
            let there = histogram.buckets.iter().filter_map(|(bound, series)| {
                let count = series.values[i];
                is_present(count).then_some(Bucket {
                    bound: *bound,
                    count,
                })
            });
            classic.refill(there);
            if !classic.is_empty() {
                *value = f(i, &mut classic);
            }
        }
        if classic.lifted {
            let name = histogram.labels.get(METRIC_NAME).unwrap_or_default();
            let text = format!(
                "buckets of a histogram had to be lifted so that their counts never fall, the \
                 result may be off: metric {name:?}"
            );
            self.inform(span, &text);
        }
        let mut series = Series::new(histogram.labels.clone(), values);
        self.drop_name(&mut series);
        Ok(series)
    }
}

/// One series for each quantile that was asked for, which nearly always is one.
fn split_by_label(series: &Series, label: &str, quantiles: &[f64]) -> Vec<Series> {
    let mut out: Vec<Series> = Vec::new();
    let mut told: Vec<u64> = Vec::new();
    for (i, &q) in quantiles.iter().enumerate() {
        let at = told.iter().position(|&bits| bits == q.to_bits());
        let at = at.unwrap_or_else(|| {
            told.push(q.to_bits());
            let mut one = series.clone();
            one.labels = series.labels.with(label, &open_metrics_float(q));
            one.values.fill(ABSENT);
            out.push(one);
            out.len() - 1
        });
        out[at].values[i] = series.values[i];
    }
    out
}

/// With a point, so that it looks like a float: `1.0`.
fn open_metrics_float(value: f64) -> String {
    let text = super::aggregate::go_float(value);
    if value.is_finite() && !text.contains('.') {
        return text + ".0";
    }
    text
}
