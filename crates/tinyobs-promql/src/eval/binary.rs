//! Binary: an operator between numbers, between a vector and a number; two vectors are for
//! `matching` and `set`.

use super::grid::Grid;
use super::value::{Series, Value, distinct};
use super::{Evaluated, Evaluator, mistyped};
use crate::ast::{Binary, ValueType};
use crate::binary::{BinaryOp, Matching};
use crate::span::Span;

impl Evaluator<'_> {
    pub(super) fn binary(&mut self, binary: &Binary, span: Span, grid: Grid) -> Evaluated<Value> {
        let lhs = self.eval(&binary.lhs, grid)?;
        let rhs = self.eval(&binary.rhs, grid)?;
        if binary.op.is_trim() {
            let symbol = binary.op.symbol();
            self.inform(
                span,
                &format!("{symbol} is for native histograms, floats have no result"),
            );
        }
        match (lhs, rhs) {
            (Value::Scalar(mut a), Value::Scalar(b)) => {
                for (a, b) in a.iter_mut().zip(b) {
                    let (value, holds) = apply(binary.op, *a, b);
                    *a = if binary.op.is_comparison() {
                        f64::from(u8::from(holds))
                    } else {
                        value
                    };
                }
                Ok(Value::Scalar(a))
            }
            (Value::Vector(series), Value::Scalar(numbers)) => {
                self.with_numbers(binary, series, &numbers, false, span)
            }
            (Value::Scalar(numbers), Value::Vector(series)) => {
                self.with_numbers(binary, series, &numbers, true, span)
            }
            (Value::Vector(lhs), Value::Vector(rhs)) => {
                let fallback = Matching::default();
                let matching = binary.matching.as_ref().unwrap_or(&fallback);
                let series = match binary.op {
                    BinaryOp::And => self.and(lhs, &rhs, matching, true, grid)?,
                    BinaryOp::Unless => self.and(lhs, &rhs, matching, false, grid)?,
                    BinaryOp::Or => self.or(lhs, rhs, matching, grid)?,
                    _ => self.matched(binary, matching, lhs, rhs, span, grid)?,
                };
                distinct(series, span).map(Value::Vector)
            }
            _ => Err(mistyped(&binary.lhs, ValueType::Vector)),
        }
    }

    /// A vector and a number for each step, which is left of the operator if `swapped`.
    fn with_numbers(
        &mut self,
        binary: &Binary,
        mut series: Vec<Series>,
        numbers: &[f64],
        swapped: bool,
        span: Span,
    ) -> Evaluated<Value> {
        let op = binary.op;
        let changed = changes_metric(op) || binary.return_bool;
        for one in &mut series {
            one.filter_map(|i, value| {
                let number = numbers[i];
                let (result, holds) = if swapped {
                    apply(op, number, value)
                } else {
                    apply(op, value, number)
                };
                if binary.return_bool {
                    return Some(f64::from(u8::from(holds)));
                }
                // A filter lets the value of the vector through, whichever side it is on.
                holds.then_some(if op.is_comparison() { value } else { result })
            });
            if changed {
                self.drop_name(one);
            }
        }
        series.retain(|one| !one.is_empty());
        distinct(series, span).map(Value::Vector)
    }
}

/// Whether the result is something else than the metric was.
pub(super) fn changes_metric(op: BinaryOp) -> bool {
    !op.is_comparison() && !op.is_set() && !op.is_trim()
}

/// What comes out, and whether a comparison holds; all else always does.
pub(super) fn apply(op: BinaryOp, a: f64, b: f64) -> (f64, bool) {
    let value = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Mod => a % b,
        BinaryOp::Pow => a.powf(b),
        BinaryOp::Atan2 => a.atan2(b),
        BinaryOp::Eq => return (a, a == b),
        BinaryOp::Ne => return (a, a != b),
        BinaryOp::Gt => return (a, a > b),
        BinaryOp::Lt => return (a, a < b),
        BinaryOp::Ge => return (a, a >= b),
        BinaryOp::Le => return (a, a <= b),
        // Only histograms can be trimmed, and set operators look at no values.
        BinaryOp::TrimUpper
        | BinaryOp::TrimLower
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Unless => return (a, false),
    };
    (value, true)
}
