//! Absent: a series where there is none, with the labels that were asked for.

use tinyobs_model::{Labels, METRIC_NAME, MatchOp, Matcher};

use super::grid::Grid;
use super::value::{ABSENT, Series, Value, is_present};
use super::window::Input;
use super::{Evaluated, Evaluator};
use crate::ast::{Expr, ExprKind};

impl Evaluator<'_> {
    pub(super) fn absent(&mut self, arg: &Expr, grid: Grid) -> Evaluated<Value> {
        let series = self.eval_vector(arg, grid)?;
        let mut values = self.column(1.0, grid)?;
        for one in &series {
            for (value, &there) in values.iter_mut().zip(&one.values) {
                if is_present(there) {
                    *value = ABSENT;
                }
            }
        }
        Ok(named(arg, values))
    }

    pub(super) fn absent_over_time(&mut self, arg: &Expr, grid: Grid) -> Evaluated<Value> {
        let mut values = self.column(1.0, grid)?;
        let is_there = |evaluator: &mut Self, input: &Input<'_>| {
            evaluator.take_bytes(grid.count as u64)?;
            let mut there = vec![false; grid.count];
            input.slide(1, |i, _| there[i] = true);
            Ok(Some(there))
        };
        self.each_window_series(arg, grid, &is_there, &mut |evaluator, there| {
            for (value, _) in values.iter_mut().zip(&there).filter(|(_, there)| **there) {
                *value = ABSENT;
            }
            evaluator.meter.give_back(there.len() as u64);
            Ok(())
        })?;
        Ok(named(arg, values))
    }
}

/// The labels that a series would have to have to be there, as far as the selector says.
fn named(arg: &Expr, values: Vec<f64>) -> Value {
    let matchers: &[Matcher] = match &arg.without_parens().kind {
        ExprKind::Vector(selector) if selector.alternatives.is_empty() => &selector.matchers,
        ExprKind::Matrix(range) if range.selector.alternatives.is_empty() => {
            &range.selector.matchers
        }
        _ => &[],
    };
    // What excludes values comes last, whatever was written first, as Prometheus sorts it.
    let excludes =
        |matcher: &&Matcher| matches!(matcher.op(), MatchOp::NotEqual | MatchOp::NotRegex);
    let (excluding, others): (Vec<&Matcher>, Vec<&Matcher>) = matchers.iter().partition(excludes);
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    for matcher in others.into_iter().chain(excluding) {
        let name = matcher.name();
        if name == METRIC_NAME {
            continue;
        }
        // A label of which more is said behind its value has none that is known.
        pairs.retain(|(known, _)| *known != name);
        if matcher.op() == MatchOp::Equal && !told.contains(&name) {
            told.push(name);
            pairs.push((name, matcher.value()));
        }
    }
    let series = Series::new(Labels::of_pairs(pairs), values);
    Value::Vector(if series.is_empty() {
        Vec::new()
    } else {
        vec![series]
    })
}
