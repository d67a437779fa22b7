//! Stream: the series of a vector one after the other, for whoever need not hold them all.
//!
//!   selector, range function ─▶ series by series ─▶ sink          all else ─▶ a vector ─▶ sink
//!
//! I-STREAM-1  The sink meets the series that evaluation as a whole would give, in the same order,
//!             and is told of the same errors.
//! Proved by: tests/steps.rs, scripts/aggregates.test.

use std::collections::HashSet;

use tinyobs_model::Labels;

use super::grid::Grid;
use super::spread::Sink;
use super::value::{Series, same_labels};
use super::{Evaluated, Evaluator};
use crate::ast::{Call, Expr, ExprKind, ValueType};
use crate::functions::Function;
use crate::span::Span;

impl<'e> Evaluator<'e> {
    /// Hands every series of `expr` to `sink`, which gives its memory back.
    pub(super) fn each_vector(
        &mut self,
        expr: &Expr,
        grid: Grid,
        sink: Sink<'_, 'e, Series>,
    ) -> Evaluated<()> {
        let inner = expr.without_parens();
        self.check()?;
        let mut count = 0;
        let mut counted = |evaluator: &mut Self, series: Series| {
            count += 1;
            sink(evaluator, series)
        };
        match &inner.kind {
            ExprKind::Vector(selector) => {
                let node = self.begin_node(inner);
                let look = self.look(selector, inner.span)?;
                self.each_column(look, grid, &mut counted)?;
                self.end_node(node, count);
            }
            ExprKind::Call(call) if is_range_call(call) => {
                let node = self.begin_node(inner);
                self.each_of_range_call(call, inner.span, grid, &mut counted)?;
                self.end_node(node, count);
            }
            _ => {
                for series in self.eval_vector(inner, grid)? {
                    counted(self, series)?;
                }
            }
        }
        Ok(())
    }

    fn each_of_range_call(
        &mut self,
        call: &Call,
        span: Span,
        grid: Grid,
        sink: Sink<'_, 'e, Series>,
    ) -> Evaluated<()> {
        if self.query.delayed_names {
            return self.each_range_call(call, grid, sink);
        }
        let mut seen: HashSet<Labels> = HashSet::new();
        self.each_range_call(call, grid, &mut |evaluator, series| {
            if !seen.insert(series.labels.clone()) {
                return Err(same_labels(span, &series.labels));
            }
            sink(evaluator, series)
        })
    }
}

/// Whether `Evaluator::range_call` evaluates it.
fn is_range_call(call: &Call) -> bool {
    let is_matrix = |arg: &Expr| arg.value_type() == ValueType::Matrix;
    call.function != Function::AbsentOverTime && call.args.iter().any(is_matrix)
}
