//! Operators: whether operands and what stands between them fit.

use std::collections::HashSet;

use super::check;
use crate::ast::{Binary, Expr, ValueType};
use crate::binary::{Cardinality, Matching};
use crate::error::{Fault, quoted};
use crate::span::Span;

/// Behind a sign stands a number or a vector.
pub(super) fn sign(inner: &Expr) -> Result<(), Fault> {
    operand(inner, "a sign")?;
    check(inner)
}

fn operand(expr: &Expr, place: &str) -> Result<(), Fault> {
    let found = expr.value_type();
    if matches!(found, ValueType::Scalar | ValueType::Vector) {
        return Ok(());
    }
    let found = found.description();
    let reason = format!("{place} needs scalars or instant vectors, not a {found}");
    Err(Fault::new(expr.span, reason))
}

pub(super) fn binary(binary: &Binary, span: Span) -> Result<(), Fault> {
    let (op, symbol) = (binary.op, binary.op.symbol());
    let fault = |reason: String| Err(Fault::new(span, reason));
    let sides = [&binary.lhs, &binary.rhs];
    for side in sides {
        operand(side, symbol)?;
    }
    let scalars = sides.map(|side| side.value_type() == ValueType::Scalar);
    if op.is_set() && scalars != [false, false] {
        return fault(format!(
            "{symbol} is between vectors, make one with vector()"
        ));
    }
    if scalars == [true, true] && op.is_comparison() && !binary.return_bool {
        return fault(format!(
            "between scalars write {symbol} bool, there is nothing to filter"
        ));
    }
    if scalars == [true, true] && op.is_trim() {
        return fault(format!("{symbol} is for histograms, not for two scalars"));
    }
    if binary.return_bool && !op.is_comparison() {
        return fault(format!(
            "bool has no meaning for {symbol}, only for comparisons"
        ));
    }
    if let Some(matching) = &binary.matching {
        if scalars != [false, false] {
            return fault("on, ignoring, group and fill are between two vectors only".to_owned());
        }
        self::matching(matching, op.is_set(), symbol, span)?;
    }
    check(&binary.lhs)?;
    check(&binary.rhs)
}

fn matching(matching: &Matching, set: bool, symbol: &str, span: Span) -> Result<(), Fault> {
    let fault = |reason: String| Err(Fault::new(span, reason));
    if set && matching.cardinality != Cardinality::ManyToMany {
        return fault(format!("{symbol} takes no group_left or group_right"));
    }
    if set && (matching.fill_left.is_some() || matching.fill_right.is_some()) {
        return fault(format!("{symbol} has no gaps to fill"));
    }
    // A set, because both lists may be as long as a query.
    let on: HashSet<&String> = matching.labels.iter().collect();
    let twice = |label: &&String| matching.on && on.contains(label);
    if let Some(label) = matching.include.iter().find(twice) {
        let label = quoted(label);
        return fault(format!(
            "label {label} stands in on and in group, it may be in one of them"
        ));
    }
    Ok(())
}
