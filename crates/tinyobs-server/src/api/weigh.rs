//! Weigh: how much work a query is, guessed before it is done.
//!
//!   tree, times, series of each selector ─▶ [weigh] ─▶ samples to read and values to work out
//!
//! Nothing is read for it but the index. It is a guess from above for what is usual (a sample every
//! ten seconds), and need be no better: `lanes.rs` looks at the clock as well.
//!
//! I-WEIGH-1  A tree is walked once; every number saturates.
//! Proved by: api/weigh/tests.rs.

use tinyobs_model::Matcher;
use tinyobs_promql::{Call, Expr, ExprKind, Function, Query, QueryTimes, Selector};

/// How far apart samples are taken to be.
const INTERVAL_MS: u64 = 10_000;
/// Samples of a window that are as much work as one that is read, or one value of a column.
const WINDOW_SAMPLES: u64 = 8;

/// Work to do: samples that are read and values that are worked out.
pub fn weigh(query: &Query<'_>, series: &dyn Fn(&[Matcher]) -> usize) -> u64 {
    let span_ms = query.end_ms.abs_diff(query.start_ms);
    let times = QueryTimes {
        step_ms: query.step_ms,
        range_ms: span_ms as i64,
    };
    let scale = Scale {
        times,
        series,
        query,
    };
    let moments = Moments {
        count: span_ms / query.step_ms.unsigned_abs().max(1) + 1,
        span_ms,
    };
    scale.of(query.expr, moments).work
}

/// The moments at which a part is evaluated.
#[derive(Clone, Copy)]
struct Moments {
    count: u64,
    span_ms: u64,
}

/// A part of the query.
#[derive(Clone, Copy, Default)]
struct Part {
    work: u64,
    /// Series that come out.
    series: u64,
    /// Samples in the window of one step; 0 of what is no range.
    window: u64,
}

struct Scale<'a> {
    times: QueryTimes,
    series: &'a dyn Fn(&[Matcher]) -> usize,
    query: &'a Query<'a>,
}

impl Scale<'_> {
    fn of(&self, expr: &Expr, moments: Moments) -> Part {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::String(_) => Part {
                work: moments.count,
                series: 1,
                window: 0,
            },
            ExprKind::Vector(selector) => {
                let series = self.series(selector);
                let samples = (moments.span_ms + self.lookback_ms()) / INTERVAL_MS + 1;
                Part {
                    work: series.saturating_mul(samples.saturating_add(moments.count)),
                    series,
                    window: 0,
                }
            }
            ExprKind::Matrix(matrix) => {
                let range_ms = known(matrix.range.milliseconds(self.times).ok());
                let series = self.series(&matrix.selector);
                let samples = moments.span_ms.saturating_add(range_ms) / INTERVAL_MS + 1;
                Part {
                    work: series.saturating_mul(samples),
                    series,
                    window: range_ms / INTERVAL_MS + 1,
                }
            }
            ExprKind::Subquery(subquery) => {
                let range_ms = known(subquery.range.milliseconds(self.times).ok());
                let step = subquery.step.as_ref();
                let step_ms = step.and_then(|step| step.milliseconds(self.times).ok());
                let step_ms = known(step_ms.or(Some(self.query.subquery_step_ms))).max(1);
                let span_ms = moments.span_ms.saturating_add(range_ms);
                let inner = Moments {
                    count: span_ms / step_ms + 1,
                    span_ms,
                };
                Part {
                    window: range_ms / step_ms + 1,
                    ..self.of(&subquery.expr, inner)
                }
            }
            _ => self.of_others(expr, moments),
        }
    }

    /// What works out a value for each series and step.
    fn of_others(&self, expr: &Expr, moments: Moments) -> Part {
        let mut sum = Part::default();
        for child in expr.children() {
            let part = self.of(child, moments);
            sum.work = sum.work.saturating_add(part.work);
            sum.series = sum.series.saturating_add(part.series);
            sum.window = sum.window.max(part.window);
        }
        // `time()` has no parts, and a value all the same.
        sum.series = sum.series.max(1);
        let each = match &expr.kind {
            ExprKind::Paren(_) => {
                return sum;
            }
            ExprKind::Call(call) => Self::each_of(call, sum.window),
            _ => 1,
        };
        let values = sum.series.saturating_mul(moments.count);
        Part {
            work: sum.work.saturating_add(values.saturating_mul(each)),
            series: sum.series,
            window: 0,
        }
    }

    /// Work for one value of a function.
    fn each_of(call: &Call, window: u64) -> u64 {
        let of_window = match call.function {
            // These sort it.
            Function::QuantileOverTime | Function::MadOverTime => window.saturating_mul(4),
            Function::Deriv
            | Function::PredictLinear
            | Function::DoubleExponentialSmoothing
            | Function::StddevOverTime
            | Function::StdvarOverTime => window,
            _ => window / WINDOW_SAMPLES,
        };
        of_window.saturating_add(1)
    }

    fn series(&self, selector: &Selector) -> u64 {
        let first = (self.series)(&selector.matchers);
        let others = selector.alternatives.iter().map(|one| (self.series)(one));
        others.fold(first, usize::saturating_add) as u64
    }

    fn lookback_ms(&self) -> u64 {
        self.query.lookback_ms.unsigned_abs()
    }
}

/// What cannot be worked out is refused later.
fn known(ms: Option<i64>) -> u64 {
    ms.unwrap_or_default().unsigned_abs()
}

#[cfg(test)]
mod tests;
