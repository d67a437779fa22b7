//! Eval: a query as a tree, and series, to an answer.
//!
//!   [Query] ─▶ [evaluate] ─▶ selector ─▶ window ─▶ call, binary, aggregate ─▶ [Answer]
//!                               └─ [SeriesSource]      └─ annotations ─┘
//!
//! Series by series over all steps at once: a series is a column with one value for each step, and
//! range functions slide one window over its samples. Until something puts series together, every
//! one of them is on its own. In reading order: [`answer`], [`control`], [`error`], `grid`, `value`,
//! `meter`, `spread`, `read`, `selector`, `window`, `rows`, `call`, `binary`, `aggregate`, `plan`.
//!
//! I-EVAL-1  Memory is counted before it is taken, samples as they are read, and deadline and
//!           cancellation are asked for between series: nothing runs without a bound.
//! I-EVAL-2  An absent value is a bit pattern of its own that no user's value ever has here.
//! I-EVAL-3  What an answer holds comes in an order that does not depend on chance.
//! Proved by: tests/eval.rs, tests/steps.rs, scripts/ through tests/scripts.rs.

use tinyobs_model::{Resolution, SeriesSource, limits};

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
mod fold;
mod front;
mod grid;
mod histogram;
mod info;
mod label_calls;
mod matching;
mod meter;
mod natural;
mod over_time;
mod plan;
mod points;
mod range_call;
mod ranked;
mod rate;
mod read;
mod regression;
mod rows;
mod selector;
mod set;
mod sort;
mod spread;
mod stats;
mod stream;
mod value;
mod window;
mod xxhash;

pub use answer::{Answer, AnswerValue, NodeStats, ResolutionRead, SeriesPoints, Stats};
pub use control::{Budget, Control};
pub use error::EvalError;

use annotations::Annotations;
use grid::Grid;
use meter::Meter;
use plan::Plan;
use read::Recorded;
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
    /// [`Stats::nodes`] says what each part of the query took.
    pub explain: bool,
    /// Threads that may work on it at once; the answer is the same for any number.
    pub threads: usize,
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
            explain: false,
            threads: spread::usual_threads(),
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
    let mut coarsest = Resolution::Raw;
    let mut moves_left = MOVES_MAX;
    loop {
        let meter = Meter::new(query.budget);
        let mut evaluator = Evaluator::new(query, source, control, &meter, coarsest);
        match evaluator.answer(grid) {
            // What was read is let go of before it is read in another way.
            Err(EvalError::TooManySamples { .. }) if evaluator.could_be_coarser => {
                coarsest = match coarsest {
                    Resolution::Raw => Resolution::FiveMinutes,
                    _ => Resolution::Hour,
                };
            }
            Err(EvalError::Moved) if moves_left > 0 => moves_left -= 1,
            outcome => return outcome,
        }
    }
}

/// How often a query is begun anew because what it read was dropped meanwhile. Retention drops
/// something about once an hour.
const MOVES_MAX: u32 = 3;

/// The work on one query, or the part of it that one thread does.
struct Evaluator<'a> {
    query: &'a Query<'a>,
    source: &'a dyn SeriesSource,
    control: &'a Control,
    meter: &'a Meter,
    annotations: Annotations,
    /// From when on raw samples were there when it began.
    raw_from_ms: i64,
    /// Rows no coarser than this may stand for samples that are there.
    coarsest: Resolution,
    /// Coarser ones could.
    could_be_coarser: bool,
    plan: Plan,
    /// Memory that one series after the other is read into.
    recorded: Recorded,
}

type Evaluated<T> = Result<T, EvalError>;

impl<'a> Evaluator<'a> {
    fn new(
        query: &'a Query<'a>,
        source: &'a dyn SeriesSource,
        control: &'a Control,
        meter: &'a Meter,
        coarsest: Resolution,
    ) -> Self {
        Self {
            query,
            source,
            control,
            meter,
            annotations: Annotations::default(),
            raw_from_ms: source.raw_from_ms(),
            coarsest,
            could_be_coarser: false,
            plan: Plan::default(),
            recorded: Recorded::default(),
        }
    }

    /// For another thread, which does a part of the work.
    fn fork(&self) -> Self {
        Self {
            annotations: Annotations::default(),
            plan: Plan::default(),
            recorded: Recorded::default(),
            ..*self
        }
    }
}

impl Evaluator<'_> {
    /// The value of `expr` at every step of `grid`.
    fn eval(&mut self, expr: &Expr, grid: Grid) -> Evaluated<Value> {
        self.check()?;
        let before = self.meter.bytes();
        let node = self.begin_node(expr);
        let value = self.eval_kind(expr, grid)?;
        // What was taken on the way is given back; the result is all that is left.
        self.meter.settle(before + value.bytes());
        self.end_node(node, value.series());
        Ok(value)
    }

    fn eval_kind(&mut self, expr: &Expr, grid: Grid) -> Evaluated<Value> {
        match &expr.kind {
            ExprKind::Number(number) => Ok(Value::Scalar(self.constant(number.value, grid)?)),
            ExprKind::String(text) => Ok(Value::String(text.clone())),
            ExprKind::Vector(selector) => self.vector_selector(selector, expr.span, grid),
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
    fn constant(&self, value: f64, grid: Grid) -> Evaluated<Vec<f64>> {
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
    fn take_bytes(&self, bytes: u64) -> Evaluated<()> {
        self.meter.take_bytes(bytes)
    }

    /// A column of `value`, counted.
    fn column(&self, value: f64, grid: Grid) -> Evaluated<Vec<f64>> {
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
