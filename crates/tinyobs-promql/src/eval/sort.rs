//! Sort: the order of an instant vector; a range has an order at each step and can show none.

use std::cmp::Ordering;

use super::grid::Grid;
use super::natural::natural;
use super::value::{Series, Value};
use super::{Evaluated, Evaluator};
use crate::aggregate::AggregateOp;
use crate::ast::{Expr, ExprKind};
use crate::functions::Function;
use crate::span::Span;

impl Evaluator<'_> {
    /// Says so where sorting does nothing.
    fn note_range(&mut self, function: Function, span: Span) {
        if !self.query.is_instant() {
            let name = function.name();
            let text =
                format!("{name} has no effect in a range query, which is in order of labels");
            self.warn(span, &text);
        }
    }

    pub(super) fn sort_values(
        &mut self,
        arg: &Expr,
        function: Function,
        grid: Grid,
    ) -> Evaluated<Value> {
        let mut series = self.eval_vector(arg, grid)?;
        self.note_range(function, arg.span);
        let value = |series: &Series| series.values.first().copied().unwrap_or(f64::NAN);
        if grid.count == 1 {
            series.sort_by(|a, b| {
                let (a, b) = (value(a), value(b));
                let order = match (a.is_nan(), b.is_nan()) {
                    (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
                    // At the end either way.
                    (a, b) => return a.cmp(&b),
                };
                if function == Function::SortDesc {
                    order.reverse()
                } else {
                    order
                }
            });
        }
        Ok(Value::Vector(series))
    }

    /// By the values of labels, then by all of them.
    pub(super) fn sort_labels(
        &mut self,
        args: &[Expr],
        function: Function,
        grid: Grid,
    ) -> Evaluated<Value> {
        let mut series = self.eval_vector(&args[0], grid)?;
        self.note_range(function, args[0].span);
        let mut names = Vec::new();
        for arg in &args[1..] {
            names.push(self.eval_string(arg, grid)?);
        }
        let by_labels = |a: &Series, b: &Series| {
            let of = |series: &Series, name: &str| -> String {
                series.labels.get(name).unwrap_or_default().to_owned()
            };
            for name in &names {
                let order = natural(&of(a, name), &of(b, name));
                if order != Ordering::Equal {
                    return order;
                }
            }
            a.labels.cmp(&b.labels)
        };
        if grid.count == 1 {
            series.sort_by(by_labels);
            if function == Function::SortByLabelDesc {
                series.reverse();
            }
        }
        Ok(Value::Vector(series))
    }
}

/// Whether the order of the result was asked for.
pub(super) fn is_ordered(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => is_ordered(inner),
        ExprKind::Binary(binary) => is_ordered(&binary.lhs) || is_ordered(&binary.rhs),
        ExprKind::Aggregate(aggregate) => {
            matches!(aggregate.op, AggregateOp::Topk | AggregateOp::Bottomk)
        }
        ExprKind::Call(call) => match call.function {
            Function::Sort
            | Function::SortDesc
            | Function::SortByLabel
            | Function::SortByLabelDesc => true,
            _ => call.args.iter().any(is_ordered),
        },
        _ => false,
    }
}
