//! Modifiers: what stands behind an operand (`[5m]`, `offset`, `@`) or an operator (`on`, `fill`).

use super::{Parser, Read, node};
use crate::ast::{At, Expr, ExprKind, Extension, RangeSelector, Selector, Subquery, TimeShift};
use crate::binary::{BinaryOp, Cardinality, Matching};
use crate::error::{Fault, quoted};
use crate::lexer::TokenKind;
use crate::number::Number;
use crate::span::Span;

/// Milliseconds that `@` reaches from the epoch, either way: 71,000 years, and every one of them is
/// a whole number of them as a float.
const AT_MS_MAX: f64 = (1_i64 << 51) as f64;

impl Parser<'_> {
    /// `operand` with everything that belongs to it.
    pub(super) fn postfix(&mut self, mut operand: Box<Expr>) -> Read {
        loop {
            let token = self.peek();
            operand = match (token.kind, self.keyword().as_str()) {
                (TokenKind::Symbol("["), _) => self.range(operand)?,
                (TokenKind::Symbol("@"), _) => {
                    self.next();
                    let at = self.moment()?;
                    let set = |time: &mut TimeShift| time.at.replace(at).is_none();
                    self.shift(operand, token.span, "@", set)?
                }
                (_, "offset") => {
                    self.next();
                    // No offset at all is the same, and one of 0 is not shown.
                    let offset = Some(self.offset()?).filter(|offset| !offset.is_zero());
                    let set = |time: &mut TimeShift| {
                        let first = time.offset.is_none();
                        time.offset = offset;
                        first
                    };
                    self.shift(operand, token.span, "offset", set)?
                }
                (_, "anchored") => self.extend(operand, Extension::Anchored)?,
                (_, "smoothed") => self.extend(operand, Extension::Smoothed)?,
                _ => return Ok(operand),
            };
        }
    }

    /// `[5m]` or `[5m:1m]`
    fn range(&mut self, operand: Box<Expr>) -> Read {
        let open = self.next().span;
        let range = self.duration(0)?;
        if !self.take(":") {
            self.expect("]", "behind a range")?;
            let span = self.span_from(operand.span);
            let selector = plain_selector(*operand, self.span_from(open))?;
            return node(ExprKind::Matrix(RangeSelector { selector, range }), span);
        }
        let step = if self.is_symbol(0, "]") {
            None
        } else {
            Some(self.duration(0)?)
        };
        self.expect("]", "behind the step of a subquery")?;
        let span = self.span_from(operand.span);
        let subquery = Subquery {
            expr: operand,
            range,
            step,
            time: TimeShift::default(),
        };
        node(ExprKind::Subquery(subquery), span)
    }

    /// `operand` with its time changed by `set`, which says whether that was the first time.
    fn shift(
        &self,
        mut operand: Box<Expr>,
        place: Span,
        what: &str,
        set: impl FnOnce(&mut TimeShift) -> bool,
    ) -> Read {
        let time = match &mut operand.kind {
            ExprKind::Vector(selector) | ExprKind::Matrix(RangeSelector { selector, .. }) => {
                &mut selector.time
            }
            ExprKind::Subquery(subquery) => &mut subquery.time,
            _ => {
                let reason = format!("{what} must follow a selector or subquery directly");
                return Err(Fault::new(place, reason));
            }
        };
        if !set(time) {
            return Err(Fault::new(place, format!("{what} is there twice")));
        }
        let span = self.span_from(operand.span);
        node(operand.kind, span)
    }

    /// `anchored` or `smoothed`
    fn extend(&mut self, mut operand: Box<Expr>, extension: Extension) -> Read {
        let place = self.next().span;
        let (ExprKind::Vector(selector) | ExprKind::Matrix(RangeSelector { selector, .. })) =
            &mut operand.kind
        else {
            let name = extension.name();
            return Err(Fault::new(
                place,
                format!("{name} must follow a selector directly"),
            ));
        };
        if selector.extension.replace(extension).is_some() {
            return Err(Fault::new(place, "anchored or smoothed may be there once"));
        }
        operand.span = self.span_from(operand.span);
        Ok(operand)
    }

    /// The moment behind `@`.
    fn moment(&mut self) -> Result<At, Fault> {
        let called = self.is_symbol(1, "(") && self.is_symbol(2, ")");
        let at = match self.keyword().as_str() {
            "start" if called => At::Start,
            "end" if called => At::End,
            _ => {
                let place = self.peek().span;
                let number =
                    self.signed_number("behind @", "a time in seconds, start() or end()")?;
                let ms = (number.value * 1_000.0).round();
                if ms.is_nan() || ms.abs() > AT_MS_MAX {
                    return Err(Fault::new(place, "the time behind @ is out of range"));
                }
                return Ok(At::Time(ms as i64));
            }
        };
        self.at += 3;
        Ok(at)
    }

    /// A number that may have a sign.
    fn signed_number(&mut self, place: &str, wanted: &str) -> Result<Number, Fault> {
        let negative = self.take("-");
        if !negative {
            self.take("+");
        }
        if self.peek().kind != TokenKind::Number {
            return Err(self.unexpected(place, wanted));
        }
        let number = self.number()?;
        Ok(if negative { number.negated() } else { number })
    }

    /// Everything between an operator and its right operand.
    pub(super) fn matching(&mut self, op: BinaryOp) -> Result<(bool, Matching), Fault> {
        let return_bool = self.take_keyword("bool");
        let mut matching = Matching::default();
        if op.is_set() {
            matching.cardinality = Cardinality::ManyToMany;
        }
        matching.on = self.keyword() == "on";
        if matching.on || self.keyword() == "ignoring" {
            self.next();
            matching.labels = self.labels()?;
            let cardinality = match self.keyword().as_str() {
                "group_left" => Some(Cardinality::ManyToOne),
                "group_right" => Some(Cardinality::OneToMany),
                _ => None,
            };
            if let Some(cardinality) = cardinality {
                self.next();
                matching.cardinality = cardinality;
                if self.is_symbol(0, "(") {
                    matching.include = self.labels()?;
                }
            }
        }
        self.fill(&mut matching)?;
        Ok((return_bool, matching))
    }

    /// `fill(0)`, or `fill_left(0)` and `fill_right(0)` in any order.
    fn fill(&mut self, matching: &mut Matching) -> Result<(), Fault> {
        // Metrics may have these names too; then nothing is in parentheses behind.
        while self.is_symbol(1, "(") {
            let place = self.peek().span;
            let (left, right) = match self.keyword().as_str() {
                "fill" => (true, true),
                "fill_left" => (true, false),
                "fill_right" => (false, true),
                _ => return Ok(()),
            };
            self.at += 2;
            let value = Some(self.signed_number("as the value of a fill", "a number")?);
            self.expect(")", "behind the value of a fill")?;
            let twice =
                left && matching.fill_left.is_some() || right && matching.fill_right.is_some();
            if twice {
                return Err(Fault::new(place, "a side can be filled once"));
            }
            if left {
                matching.fill_left = value;
            }
            if right {
                matching.fill_right = value;
            }
        }
        Ok(())
    }

    /// `(a, "b.c")`; a comma may stand behind the last.
    pub(super) fn labels(&mut self) -> Result<Vec<String>, Fault> {
        self.expect("(", "where a list of labels begins")?;
        let mut labels = Vec::new();
        while !self.take(")") {
            let token = self.peek();
            let label = match token.kind {
                TokenKind::Word => {
                    self.next();
                    self.text_of(token).to_owned()
                }
                TokenKind::String => self.string()?,
                _ => return Err(self.unexpected("in a list of labels", "a label")),
            };
            if label.is_empty() || token.kind == TokenKind::Word && label.contains(':') {
                let label = quoted(&label);
                return Err(Fault::new(token.span, format!("{label} is no label name")));
            }
            labels.push(label);
            self.separator(")", "in a list of labels")?;
        }
        Ok(labels)
    }
}

/// The selector that a range stands behind; nothing may be between the two.
fn plain_selector(operand: Expr, range: Span) -> Result<Selector, Fault> {
    let ExprKind::Vector(selector) = operand.kind else {
        let reason = "a range must follow a selector directly, \
                      a subquery needs a colon: [5m:] or [5m:1m]";
        return Err(Fault::new(range, reason));
    };
    if selector.time != TimeShift::default() || selector.extension.is_some() {
        let reason = "offset, @, anchored and smoothed stand behind the range";
        return Err(Fault::new(range, reason));
    }
    Ok(selector)
}
