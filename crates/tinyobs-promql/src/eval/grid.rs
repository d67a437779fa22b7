//! Grid: the moments at which an expression is evaluated.

use super::{EvalError, Query};
use crate::span::Span;

/// Milliseconds from the epoch, either way, at which a query may be: far enough away from what
/// cannot be counted to need no thought in the rest.
const TIME_MS_MAX: u64 = 1 << 53;

/// Moments at equal distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    /// The first.
    pub start_ms: i64,
    /// Between two of them; more than 0.
    pub step_ms: i64,
    /// How many there are; none is possible.
    pub count: usize,
}

impl Grid {
    pub(super) fn of_query(query: &Query<'_>) -> Result<Self, EvalError> {
        let bad = |reason: &str| {
            Err(EvalError::BadQuery {
                reason: reason.to_owned(),
            })
        };
        if [query.start_ms, query.end_ms]
            .iter()
            .any(|ms| ms.unsigned_abs() > TIME_MS_MAX)
        {
            return bad("the time is out of range");
        }
        if query.step_ms < 0 || query.step_ms == 0 && query.start_ms != query.end_ms {
            return bad("the step must be greater than 0");
        }
        if query.end_ms < query.start_ms {
            return bad("the end must not be before the start");
        }
        let step_ms = query.step_ms.max(1);
        Self::new(
            query.start_ms,
            query.end_ms,
            step_ms,
            query.expr.span,
            query,
        )
    }

    /// From `start_ms` to no later than `end_ms`, for what stands at `span`; counted before memory is
    /// taken for it.
    pub(super) fn new(
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
        span: Span,
        query: &Query<'_>,
    ) -> Result<Self, EvalError> {
        let last = i128::from(end_ms) - i128::from(start_ms);
        let count = if last < 0 {
            0
        } else {
            last / i128::from(step_ms) + 1
        };
        let most = query.budget.steps;
        match u64::try_from(count) {
            Ok(count) if count <= most => Ok(Self {
                start_ms,
                step_ms,
                count: count as usize,
            }),
            _ => {
                let reason = format!(
                    "the query is evaluated at {count} moments, more than the {most} that are \
                     allowed, ask for less time or a larger step"
                );
                Err(EvalError::execution(span, reason))
            }
        }
    }

    /// The moment of step `i`.
    pub fn time(&self, i: usize) -> i64 {
        self.start_ms + self.step_ms * i as i64
    }

    /// The last moment, or the first when there are none.
    pub fn end_ms(&self) -> i64 {
        self.time(self.count.saturating_sub(1))
    }

    /// All of them.
    pub fn times(self) -> impl Iterator<Item = i64> {
        (0..self.count).map(move |i| self.time(i))
    }
}
