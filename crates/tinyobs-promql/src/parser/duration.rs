//! Duration: lengths of time and arithmetic with them.

use tinyobs_model::limits;

use super::{Parser, too_deep};
use crate::duration::{DurationExpr, DurationKind, DurationOp};
use crate::error::Fault;
use crate::lexer::TokenKind;
use crate::span::Span;

/// What may stand where a duration begins.
const WANTED: &str = "a duration like 5m, a number of seconds, step() or range()";
/// How tightly a sign binds: like `*`.
const SIGN: u8 = DurationOp::Pow.precedence();

impl Parser<'_> {
    /// Arithmetic of operators that bind at least as tightly as `least`.
    pub(super) fn duration(&mut self, least: u8) -> Result<DurationExpr, Fault> {
        let whole = self.duration_of(least)?;
        Ok(whole.simplified())
    }

    /// What stands behind `offset`. Usually a single value, because `x offset 5m * 2` is a product
    /// of `x`. What begins with a parenthesis goes on as far as it can, as it does in Prometheus:
    /// there `x offset (5m) * 2` looks back ten minutes, and so it does here.
    pub(super) fn offset(&mut self) -> Result<DurationExpr, Fault> {
        let whole = if self.is_symbol(0, "(") {
            self.duration_of(0)?
        } else {
            self.duration_operand(true)?
        };
        Ok(whole.simplified())
    }

    fn duration_of(&mut self, least: u8) -> Result<DurationExpr, Fault> {
        let mut lhs = self.duration_operand(false)?;
        while let Some(op) = self.duration_operator() {
            if op.precedence() < least {
                break;
            }
            self.next();
            let next = op.precedence() + u8::from(op != DurationOp::Pow);
            let rhs = self.deeper(|parser| parser.duration_of(next))?;
            let span = lhs.span.to(rhs.span);
            let (lhs_box, rhs_box) = (Box::new(lhs), Box::new(rhs));
            lhs = node(DurationKind::Binary(op, lhs_box, rhs_box), span)?;
        }
        Ok(lhs)
    }

    fn duration_operator(&self) -> Option<DurationOp> {
        match self.peek().kind {
            TokenKind::Symbol(symbol) => DurationOp::of(symbol),
            _ => None,
        }
    }

    /// A value and its sign; `alone`, a `^` behind it is not taken.
    fn duration_operand(&mut self, alone: bool) -> Result<DurationExpr, Fault> {
        let start = self.peek().span;
        let negative = self.is_symbol(0, "-");
        if !negative && !self.is_symbol(0, "+") {
            return self.duration_primary();
        }
        self.next();
        let inner = if alone {
            self.deeper(|parser| parser.duration_operand(true))?
        } else {
            self.deeper(|parser| parser.duration_of(SIGN))?
        };
        let span = start.to(inner.span);
        let kind = match (negative, inner.kind) {
            (false, kind) => kind,
            (true, DurationKind::Number(number)) => DurationKind::Number(number.negated()),
            (true, kind) => DurationKind::Negative(Box::new(DurationExpr::new(kind, inner.span))),
        };
        node(kind, span)
    }

    fn duration_primary(&mut self) -> Result<DurationExpr, Fault> {
        let token = self.peek();
        let called = self.is_symbol(1, "(");
        let kind = match (token.kind, self.keyword().as_str()) {
            (TokenKind::Number, _) => DurationKind::Number(self.number()?),
            (TokenKind::Symbol("("), _) => {
                self.next();
                let inner = self.deeper(|parser| parser.duration_of(0))?;
                self.expect(")", "behind a duration in parentheses")?;
                DurationKind::Paren(Box::new(inner))
            }
            (_, word @ ("step" | "range")) if called && self.is_symbol(2, ")") => {
                self.at += 3;
                match word {
                    "step" => DurationKind::Step,
                    _ => DurationKind::Range,
                }
            }
            (_, word @ ("min_of" | "max_of" | "min" | "max")) if called => {
                self.at += 2;
                let a = Box::new(self.deeper(|parser| parser.duration_of(0))?);
                self.expect(",", "between two durations")?;
                let b = Box::new(self.deeper(|parser| parser.duration_of(0))?);
                self.expect(")", "behind two durations")?;
                match word {
                    "min_of" | "min" => DurationKind::Min(a, b),
                    _ => DurationKind::Max(a, b),
                }
            }
            _ => return Err(self.unexpected("where a duration begins", WANTED)),
        };
        node(kind, self.span_from(token.span))
    }
}

/// A node, if the tree does not become too high by it (I-PARSER-1).
fn node(kind: DurationKind, span: Span) -> Result<DurationExpr, Fault> {
    let duration = DurationExpr::new(kind, span);
    // The selector that it belongs to is one more.
    if duration.height() >= limits::QUERY_DEPTH {
        return Err(too_deep(span));
    }
    Ok(duration)
}
