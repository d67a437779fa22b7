//! Eval: a query as a tree, and series, to an answer.
//!
//!   [Query] ─▶ [evaluate] ─▶ selector ─▶ window ─▶ call, binary, aggregate ─▶ [Answer]
//!                               └─ [SeriesSource]      └─ annotations ─┘
//!
//! Series by series over all steps at once: a series is a column with one value for each step, and
//! range functions slide one window over its samples. Until something puts series together, every
//! one of them is on its own. In reading order: [`answer`], [`control`], [`error`], `grid`, `value`,
//! `selector`, `window`, `call`, `binary`, `aggregate`.
//!
//! I-EVAL-1  Memory is counted before it is taken, samples as they are read, and deadline and
//!           cancellation are asked for between series: nothing runs without a bound.
//! I-EVAL-2  An absent value is a bit pattern of its own that no user's value ever has here.
//! I-EVAL-3  What an answer holds comes in an order that does not depend on chance.
//! Proved by: tests/eval.rs, tests/steps.rs, scripts/ through tests/scripts.rs.

use tinyobs_model::{SeriesSource, limits};

use crate::ast::{Expr, ExprKind, UnaryOp, ValueType};
use crate::duration::{DurationExpr, QueryTimes};
use crate::span::Span;

pub mod answer;
pub mod control;
pub mod error;

mod absent;
mod aggregate;
mod annotations;
mod binary;
mod call;
mod classic;
mod date;
mod extended;
mod grid;
mod histogram;
mod info;
mod label_calls;
mod matching;
mod natural;
mod over_time;
mod ranked;
mod rate;
mod regression;
mod selector;
mod set;
mod sort;
mod stats;
mod value;
mod window;
mod xxhash;

pub use answer::{Answer, AnswerValue, SeriesPoints, Stats};
pub use control::{Budget, Control, Pace};
pub use error::EvalError;

use annotations::Annotations;
use grid::Grid;
use value::{Series, Value};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The checked tree.
    pub expr: &'a Expr,
    /// The text it was read from, for the places that annotations name.
    pub text: &'a str,
    /// The first moment.
    pub start_ms: i64,
    /// The last moment; the same as the first for an instant query.
    pub end_ms: i64,
    /// Between two moments; 0 for an instant query.
    pub step_ms: i64,
    /// How far back a selector looks for a sample.
    pub lookback_ms: i64,
    /// Between two moments of a subquery that does not say.
    pub subquery_step_ms: i64,
    /// Metric names that functions drop are dropped at the very end, as Prometheus does with its
    /// flag `promql-delayed-name-removal`.
    pub delayed_names: bool,
    /// What it may take.
    pub budget: Budget,
}

impl<'a> Query<'a> {
    /// `expr` at one moment.
    pub fn instant(expr: &'a Expr, text: &'a str, at_ms: i64) -> Self {
        Self {
            expr,
            text,
            start_ms: at_ms,
            end_ms: at_ms,
            step_ms: 0,
            lookback_ms: 5 * 60_000,
            subquery_step_ms: 60_000,
            delayed_names: false,
            budget: Budget::default(),
        }
    }

    /// `expr` every `step_ms` from `start_ms` to `end_ms`.
    pub fn range(expr: &'a Expr, text: &'a str, start_ms: i64, end_ms: i64, step_ms: i64) -> Self {
        Self {
            end_ms,
            step_ms,
            ..Self::instant(expr, text, start_ms)
        }
    }

    /// Whether it asks for one moment.
    pub fn is_instant(&self) -> bool {
        self.step_ms == 0
    }
}

/// The answer to `query` from the series of `source`.
///
/// # Errors
/// The deadline passed, it was cancelled, it takes more than its budget, stored bytes cannot be
/// read, or series do not fit together.
pub fn evaluate(
    query: &Query<'_>,
    source: &dyn SeriesSource,
    control: &Control,
) -> Result<Answer, EvalError> {
    let grid = Grid::of_query(query)?;
    let mut evaluator = Evaluator {
        query,
        source,
        control,
        annotations: Annotations::default(),
        bytes: 0,
        bytes_max: 0,
        samples: 0,
        series: 0,
    };
    evaluator.answer(grid)
}

/// The work on one query.
struct Evaluator<'a> {
    query: &'a Query<'a>,
    source: &'a dyn SeriesSource,
    control: &'a Control,
    annotations: Annotations,
    /// Bytes of values that are held.
    bytes: u64,
    /// The most that were held at once.
    bytes_max: u64,
    /// Samples read.
    samples: u64,
    /// Series read.
    series: u64,
}

type Evaluated<T> = Result<T, EvalError>;

impl Evaluator<'_> {
    /// The value of `expr` at every step of `grid`.
    fn eval(&mut self, expr: &Expr, grid: Grid) -> Evaluated<Value> {
        self.check()?;
        let before = self.bytes;
        let value = self.eval_kind(expr, grid)?;
        // What was taken on the way is given back; the result is all that is left.
        self.bytes = before + value.bytes();
        Ok(value)
    }

    fn eval_kind(&mut self, expr: &Expr, grid: Grid) -> Evaluated<Value> {
        match &expr.kind {
            ExprKind::Number(number) => Ok(Value::Scalar(self.constant(number.value, grid)?)),
            ExprKind::String(text) => Ok(Value::String(text.clone())),
            ExprKind::Vector(selector) => self.vector_selector(selector, grid),
            ExprKind::Matrix(_) | ExprKind::Subquery(_) => Err(EvalError::execution(
                expr.span,
                "a range vector can only be the argument of a function",
            )),
            ExprKind::Paren(inner) | ExprKind::Unary(UnaryOp::Plus, inner) => {
                self.eval(inner, grid)
            }
            ExprKind::Unary(UnaryOp::Minus, inner) => self.negated(inner, expr.span, grid),
            ExprKind::Binary(binary) => self.binary(binary, expr.span, grid),
            ExprKind::Call(call) => self.call(call, expr.span, grid),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate, expr.span, grid),
        }
    }

    /// The value of `expr`, which is a vector by its type.
    fn eval_vector(&mut self, expr: &Expr, grid: Grid) -> Evaluated<Vec<Series>> {
        match self.eval(expr, grid)? {
            Value::Vector(series) => Ok(series),
            Value::Scalar(values) => Ok(vec![Series::unnamed(values)]),
            Value::String(_) => Err(mistyped(expr, ValueType::Vector)),
        }
    }

    /// The value of `expr`, which is a scalar by its type.
    fn eval_scalar(&mut self, expr: &Expr, grid: Grid) -> Evaluated<Vec<f64>> {
        match self.eval(expr, grid)? {
            Value::Scalar(values) => Ok(values),
            _ => Err(mistyped(expr, ValueType::Scalar)),
        }
    }

    /// The value of `expr`, which is text by its type.
    fn eval_string(&mut self, expr: &Expr, grid: Grid) -> Evaluated<String> {
        match self.eval(expr, grid)? {
            Value::String(text) => Ok(text),
            _ => Err(mistyped(expr, ValueType::String)),
        }
    }

    fn negated(&mut self, inner: &Expr, span: Span, grid: Grid) -> Evaluated<Value> {
        match self.eval(inner, grid)? {
            Value::Scalar(mut values) => {
                for value in &mut values {
                    *value = negative(*value);
                }
                Ok(Value::Scalar(values))
            }
            Value::Vector(mut series) => {
                for one in &mut series {
                    self.drop_name(one);
                    one.map(negative);
                }
                self.unique(series, span).map(Value::Vector)
            }
            Value::String(_) => Err(mistyped(inner, ValueType::Vector)),
        }
    }

    /// `value` at every step.
    fn constant(&mut self, value: f64, grid: Grid) -> Evaluated<Vec<f64>> {
        self.column(value, grid)
    }

    /// A duration of the query in milliseconds.
    fn milliseconds(&self, duration: &DurationExpr, positive: bool) -> Evaluated<i64> {
        let times = self.query_times();
        let ms = if positive {
            duration.positive_milliseconds(times)
        } else {
            duration.milliseconds(times)
        };
        ms.map_err(|fault| EvalError::execution(fault.span, fault.reason))
    }

    fn query_times(&self) -> QueryTimes {
        QueryTimes {
            step_ms: self.query.step_ms,
            range_ms: self.query.end_ms - self.query.start_ms,
        }
    }

    // I-EVAL-1.

    /// Whether there is still reason to go on.
    fn check(&self) -> Evaluated<()> {
        self.control.check()
    }

    /// Counts memory that is about to be taken.
    fn take_bytes(&mut self, bytes: u64) -> Evaluated<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.bytes_max = self.bytes_max.max(self.bytes);
        let most = self.query.budget.bytes;
        if self.bytes > most {
            return Err(EvalError::TooManyBytes { most });
        }
        Ok(())
    }

    /// Counts samples that were read.
    fn take_samples(&mut self, samples: usize) -> Evaluated<()> {
        self.samples += samples as u64;
        let most = self.query.budget.samples;
        if self.samples > most {
            return Err(EvalError::TooManySamples { most });
        }
        Ok(())
    }

    /// A column of `value`, counted.
    fn column(&mut self, value: f64, grid: Grid) -> Evaluated<Vec<f64>> {
        self.take_bytes(Series::bytes_of(grid.count))?;
        Ok(vec![value; grid.count])
    }
}

/// I-VALUE-1
fn negative(value: f64) -> f64 {
    value::signed(value, |value| -value)
}

/// The checker was not asked, or has a gap: an error rather than a panic.
fn mistyped(expr: &Expr, wanted: ValueType) -> EvalError {
    let (wanted, found) = (wanted.description(), expr.value_type().description());
    EvalError::execution(expr.span, format!("expected a {wanted}, found a {found}"))
}

const _: () = assert!(limits::QUERY_STEPS < u32::MAX as u64);
