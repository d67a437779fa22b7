//! Answer: what a query comes to, as the HTTP API shows it.

use tinyobs_model::{Labels, Sample};

use super::grid::Grid;
use super::value::{Series, Value, distinct, is_present, without_name};
use super::{EvalError, Evaluated, Evaluator, sort};
use crate::ast::{Expr, ExprKind, ValueType};

/// What a query comes to.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The result.
    pub value: AnswerValue,
    /// The result may be wrong; each begins with `PromQL warning: `.
    pub warnings: Vec<String>,
    /// The result may not be what was meant; each begins with `PromQL info: `.
    pub infos: Vec<String>,
    /// What it took.
    pub stats: Stats,
}

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerValue {
    /// One number, of an instant query.
    Scalar(Sample),
    /// Series with one sample each, of an instant query; the time is that of the query.
    Vector(Vec<SeriesPoints>),
    /// Series with many samples, in the order of their labels.
    Matrix(Vec<SeriesPoints>),
    /// Text, of an instant query.
    String(String),
}

/// A series and its samples; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesPoints {
    /// Its labels; the metric name may be gone.
    pub labels: Labels,
    /// Samples in the order of time.
    pub points: Vec<Sample>,
}

/// What a query took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Samples read.
    pub samples: u64,
    /// Series read.
    pub series: u64,
    /// Bytes of values held at once, at most.
    pub bytes_max: u64,
}

impl Evaluator<'_> {
    pub(super) fn answer(&mut self, grid: Grid) -> Result<Answer, EvalError> {
        let expr = self.query.expr;
        let value = match (expr.value_type(), self.query.is_instant()) {
            (ValueType::Matrix, true) => {
                AnswerValue::Matrix(self.raw_matrix(expr.without_parens(), grid)?)
            }
            (ValueType::Matrix | ValueType::String, false) => {
                let found = expr.value_type().description();
                let reason = format!(
                    "a range query gives scalars or instant vectors, not a {found}, ask for one \
                     moment"
                );
                return Err(EvalError::BadQuery { reason });
            }
            _ => {
                let value = self.eval(expr, grid)?;
                self.shaped(value, grid)?
            }
        };
        let (warnings, infos) = std::mem::take(&mut self.annotations).into_lists();
        let stats = Stats {
            samples: self.samples,
            series: self.series,
            bytes_max: self.bytes_max,
        };
        Ok(Answer {
            value,
            warnings,
            infos,
            stats,
        })
    }

    fn shaped(&mut self, value: Value, grid: Grid) -> Evaluated<AnswerValue> {
        let instant = self.query.is_instant();
        let series = match value {
            Value::String(text) => return Ok(AnswerValue::String(text)),
            Value::Scalar(values) if instant => {
                let value = values.first().copied().unwrap_or(f64::NAN);
                return Ok(AnswerValue::Scalar(Sample::new(grid.start_ms, value)));
            }
            Value::Scalar(values) => vec![Series::unnamed(values)],
            Value::Vector(series) => self.without_dropped_names(series)?,
        };
        let mut out = Vec::with_capacity(series.len());
        for one in series {
            let present = one
                .values
                .iter()
                .filter(|&&value| is_present(value))
                .count();
            if present == 0 {
                continue;
            }
            self.take_bytes((present * size_of::<Sample>()) as u64)?;
            let mut points = Vec::with_capacity(present);
            let samples = grid.times().zip(one.values);
            points.extend(
                samples
                    .filter(|&(_, value)| is_present(value))
                    .map(|(time_ms, value)| Sample::new(time_ms, value)),
            );
            out.push(SeriesPoints {
                labels: one.labels,
                points,
            });
        }
        // I-EVAL-3. An order that was asked for stays.
        if !instant || !sort::is_ordered(self.query.expr) {
            out.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        Ok(if instant {
            AnswerValue::Vector(out)
        } else {
            AnswerValue::Matrix(out)
        })
    }

    /// The names go whose time has come: `Query::delayed_names`.
    fn without_dropped_names(&self, mut series: Vec<Series>) -> Evaluated<Vec<Series>> {
        if !self.query.delayed_names {
            return Ok(series);
        }
        for one in &mut series {
            if one.drop_name {
                one.labels = without_name(&one.labels);
            }
        }
        distinct(series, self.query.expr.span)
    }

    /// The samples of `x[5m]` as they are.
    fn raw_matrix(&mut self, expr: &Expr, grid: Grid) -> Evaluated<Vec<SeriesPoints>> {
        if let ExprKind::Paren(inner) = &expr.kind {
            return self.raw_matrix(inner, grid);
        }
        let mut out = Vec::new();
        self.each_window_series(expr, grid, &mut |evaluator, input| {
            evaluator.take_bytes((input.times.len() * size_of::<Sample>()) as u64)?;
            let window = input.window(0);
            let points: Vec<Sample> = window
                .times
                .iter()
                .zip(window.values)
                .map(|(&time_ms, &value)| Sample::new(time_ms, value))
                .collect();
            if !points.is_empty() {
                out.push(SeriesPoints {
                    labels: input.labels.clone(),
                    points,
                });
            }
            Ok(())
        })?;
        out.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(out)
    }
}
