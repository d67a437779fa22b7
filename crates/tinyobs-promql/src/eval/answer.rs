//! Answer: what a query comes to, as the HTTP API shows it.

use std::time::Duration;

use tinyobs_model::{Labels, Resolution, Sample};

use super::annotations::RowDeed;
use super::grid::Grid;
use super::value::{Series, Value, distinct, is_present, without_name};
use super::window::{Input, View};
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

impl From<AnswerValue> for Answer {
    /// That nothing was noticed about, and that took nothing.
    fn from(value: AnswerValue) -> Self {
        Self {
            value,
            warnings: Vec::new(),
            infos: Vec::new(),
            stats: Stats::default(),
        }
    }
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Samples read, and rows of rollups.
    pub samples: u64,
    /// Series read.
    pub series: u64,
    /// Bytes read from the store, compressed as they are there.
    pub bytes_read: u64,
    /// Bytes of values held at once, at most.
    pub bytes_max: u64,
    /// The resolutions that were read, from the finest.
    pub resolutions: Vec<ResolutionRead>,
    /// What each part of the query took, each before the parts that it is made of; empty unless
    /// `Query::explain` asks for it.
    pub nodes: Vec<NodeStats>,
}

/// What was read in one resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolutionRead {
    /// Raw samples, or windows.
    pub resolution: Resolution,
    /// How many of them.
    pub count: u64,
    /// The earliest.
    pub from_ms: i64,
    /// The latest: a sample, or the end of a window.
    pub to_ms: i64,
}

/// What a part of a query took, with the parts that it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStats {
    /// Its text.
    pub text: String,
    /// How many parts it is inside of.
    pub depth: usize,
    /// From its beginning to its end. Where series are put together as they are read, the reading is
    /// not over before the putting together.
    pub wall: Duration,
    /// Series that it comes to.
    pub series: u64,
    /// Samples and rows read.
    pub samples: u64,
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
        self.tell_of_rows();
        let (warnings, infos) = std::mem::take(&mut self.annotations).into_lists();
        let stats = Stats {
            samples: self.meter.samples(),
            series: self.meter.series(),
            bytes_read: self.meter.bytes_read(),
            bytes_max: self.meter.bytes_max(),
            resolutions: self.meter.resolutions(),
            nodes: std::mem::take(&mut self.plan).into_nodes(),
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
        let of_series = |evaluator: &mut Self, input: &Input<'_>| {
            let window = match input.view(0, 1) {
                Some(View::Samples(window)) => window,
                Some(View::Rows(rows)) => {
                    let (what, resolution) = ("samples", rows.resolution);
                    let stretch = (rows.lasts.start_ms, rows.lasts.end_ms);
                    let deed = RowDeed::LastValues { what };
                    evaluator.note_rows(expr.span, deed, resolution, stretch);
                    rows.lasts
                }
                None => return Ok(None),
            };
            evaluator.take_bytes((window.times.len() * size_of::<Sample>()) as u64)?;
            let pairs = window.times.iter().zip(window.values);
            let sample = |(&time_ms, &value): (&i64, &f64)| Sample::new(time_ms, value);
            Ok(Some(SeriesPoints {
                labels: input.labels.clone(),
                points: pairs.map(sample).collect(),
            }))
        };
        self.each_window_series(expr, grid, &of_series, &mut |_, series| {
            out.push(series);
            Ok(())
        })?;
        out.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(out)
    }
}
