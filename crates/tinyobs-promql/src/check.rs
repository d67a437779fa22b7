//! Check: whether the parts of a tree fit each other.
//!
//!   parser ─▶ [check] ─▶ evaluation, which may rely on it
//!
//! I-CHECK-1  Behind it, every argument has the type that its place asks for, and there are as many
//!            as the function takes.
//! I-CHECK-2  Behind it, every selector has a condition that an absent label does not satisfy.
//! I-CHECK-3  Behind it, durations that are the same for every query are in range.
//! Proved by: check/tests.rs.

use tinyobs_model::{METRIC_NAME, MatchOp, Matcher};

use crate::ast::{
    Aggregate, Call, Expr, ExprKind, Extension, RangeSelector, Selector, Subquery, TimeShift,
    ValueType,
};
use crate::duration::{DurationExpr, QueryTimes};
use crate::error::{Fault, quoted};
use crate::functions::{ANY, Function};

mod operators;

/// Whether `expr` and everything in it fits.
pub(crate) fn check(expr: &Expr) -> Result<(), Fault> {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => Ok(()),
        ExprKind::Vector(selector) => {
            time(&selector.time)?;
            conditions(selector, expr)
        }
        ExprKind::Matrix(RangeSelector { selector, range }) => {
            positive(range)?;
            time(&selector.time)?;
            conditions(selector, expr)
        }
        ExprKind::Subquery(subquery) => of_subquery(subquery),
        ExprKind::Paren(inner) => check(inner),
        ExprKind::Unary(_, inner) => operators::sign(inner),
        ExprKind::Binary(binary) => operators::binary(binary, expr.span),
        ExprKind::Call(call) => of_call(call, expr),
        ExprKind::Aggregate(aggregate) => of_aggregate(aggregate),
    }
}

/// I-CHECK-3.
fn positive(duration: &DurationExpr) -> Result<(), Fault> {
    if duration.is_constant() {
        duration.positive_milliseconds(QueryTimes::default())?;
    }
    Ok(())
}

fn time(time: &TimeShift) -> Result<(), Fault> {
    match &time.offset {
        Some(offset) if offset.is_constant() => {
            offset.milliseconds(QueryTimes::default()).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// I-CHECK-2, and that a metric is named once.
fn conditions(selector: &Selector, expr: &Expr) -> Result<(), Fault> {
    for all in std::iter::once(&selector.matchers).chain(&selector.alternatives) {
        named_once(selector.name.as_deref(), all, expr)?;
        if all.iter().all(|matcher| matcher.matches("")) {
            return Err(Fault::new(
                expr.span,
                "a selector needs a metric name or a condition that an absent label does not \
                 satisfy, such as job=~\".+\"",
            ));
        }
    }
    Ok(())
}

fn named_once(name: Option<&str>, all: &[Matcher], expr: &Expr) -> Result<(), Fault> {
    let mut first = name;
    let written = all.len() - usize::from(name.is_some() && !all.is_empty());
    for matcher in all.iter().take(written) {
        let is_name = matcher.name() == METRIC_NAME;
        if !is_name || name.is_none() && matcher.op() != MatchOp::Equal {
            continue;
        }
        if let Some(first) = first {
            let (first, second) = (quoted(first), quoted(matcher.value()));
            let reason = format!("the metric is named twice: {first} and {second}");
            return Err(Fault::new(expr.span, reason));
        }
        first = Some(matcher.value());
    }
    Ok(())
}

fn of_subquery(subquery: &Subquery) -> Result<(), Fault> {
    positive(&subquery.range)?;
    if let Some(step) = &subquery.step {
        positive(step)?;
    }
    time(&subquery.time)?;
    typed(&subquery.expr, ValueType::Vector, "a subquery")?;
    check(&subquery.expr)
}

fn of_aggregate(aggregate: &Aggregate) -> Result<(), Fault> {
    let name = aggregate.op.name();
    if let (Some(param), Some(wanted)) = (&aggregate.param, aggregate.op.param_type()) {
        typed(param, wanted, &format!("the parameter of {name}"))?;
        check(param)?;
    }
    typed(&aggregate.expr, ValueType::Vector, name)?;
    check(&aggregate.expr)
}

/// I-CHECK-1.
fn of_call(call: &Call, expr: &Expr) -> Result<(), Fault> {
    let signature = call.function.signature();
    let (name, given) = (signature.name, call.args.len());
    if given < signature.required || given > signature.most {
        let wanted = match (signature.required, signature.most) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "1 argument".to_owned(),
            (least, most) if least == most => format!("{least} arguments"),
            (least, ANY) => format!("at least {least} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        };
        let reason = format!("{name} takes {wanted}, not {given}");
        return Err(Fault::new(expr.span, reason));
    }
    for (i, arg) in call.args.iter().enumerate() {
        if call.function == Function::Info && i == 1 {
            labels_only(arg)?;
            continue;
        }
        let wanted = signature.arg(i).unwrap_or(ValueType::Vector);
        typed(arg, wanted, &format!("argument {} of {name}", i + 1))?;
        check(arg)?;
        extended(call.function, arg)?;
    }
    Ok(())
}

/// The second argument of `info` is conditions on labels, and they may be satisfied by nothing.
fn labels_only(arg: &Expr) -> Result<(), Fault> {
    match &arg.kind {
        ExprKind::Vector(selector) if selector.name.is_none() => {
            let plain = selector.time == TimeShift::default() && selector.extension.is_none();
            if plain && selector.alternatives.is_empty() {
                return named_once(None, &selector.matchers, arg);
            }
        }
        _ => {}
    }
    let reason = "argument 2 of info must be conditions in braces, such as {version=~\".+\"}";
    Err(Fault::new(arg.span, reason))
}

/// Samples beside the range mean something to few functions.
fn extended(function: Function, arg: &Expr) -> Result<(), Fault> {
    use Function::{Changes, Delta, Increase, Rate, Resets};
    let ExprKind::Matrix(RangeSelector { selector, .. }) = &arg.without_parens().kind else {
        return Ok(());
    };
    let (known, names): (&[Function], _) = match selector.extension {
        None => return Ok(()),
        Some(Extension::Anchored) => (
            &[Changes, Delta, Increase, Rate, Resets],
            "changes, delta, increase, rate and resets",
        ),
        Some(Extension::Smoothed) => (&[Delta, Increase, Rate], "delta, increase and rate"),
    };
    if known.contains(&function) {
        return Ok(());
    }
    let extension = selector.extension.map_or("", Extension::name);
    let name = function.name();
    let reason = format!("{extension} has no meaning for {name}, only for {names}");
    Err(Fault::new(arg.span, reason))
}

/// Whether `expr` is of type `wanted`.
fn typed(expr: &Expr, wanted: ValueType, place: &str) -> Result<(), Fault> {
    let found = expr.value_type();
    if found == wanted {
        return Ok(());
    }
    let hint = match (wanted, found) {
        (ValueType::Matrix, ValueType::Vector) => ", put a range behind it: [5m], or [5m:1m]",
        (ValueType::Vector, ValueType::Scalar) => ", make one with vector()",
        (ValueType::Scalar, ValueType::Vector) => ", make one with scalar()",
        (ValueType::Vector, ValueType::Matrix) => ", take its range away or aggregate over it",
        _ => "",
    };
    let (wanted, found) = (wanted.description(), found.description());
    let reason = format!("{place} must be of type {wanted}, not {found}{hint}");
    Err(Fault::new(expr.span, reason))
}

#[cfg(test)]
mod tests;
