//! Print: a tree to text.
//!
//!   [Expr] ─▶ [Display] ─▶ one line, the same for every way of writing the same
//!          ─▶ [Expr::pretty] ─▶ lines, where one would be too long
//!
//! Both look as Prometheus' own do, which other tools compare with.
//!
//! I-PRINT-1  What is printed parses to the same tree. Nothing is put in parentheses that was not:
//!            a tree that nobody could have written may print as another. Many lines with deep
//!            indents can be longer than a query may be.
//! Proved by: print/tests.rs, fuzz `promql`.

use std::fmt::{self, Display, Formatter, Write};

use tinyobs_model::{MatchOp, Matcher};

use crate::ast::{
    Aggregate, At, Binary, Expr, ExprKind, RangeSelector, Selector, Subquery, TimeShift, UnaryOp,
};
use crate::binary::{BinaryOp, Cardinality, Matching};
use crate::duration::{DurationExpr, DurationKind};
use crate::number::Number;

mod pretty;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number(number) => number.fmt(f),
            ExprKind::String(text) => Quoted(text).fmt(f),
            ExprKind::Vector(selector) => selector.fmt(f),
            ExprKind::Matrix(RangeSelector { selector, range }) => {
                write_conditions(f, selector)?;
                write!(f, "[{range}]")?;
                write_behind(f, selector)
            }
            ExprKind::Subquery(subquery) => {
                write!(f, "{}{}", subquery.expr, SubqueryTime(subquery))
            }
            ExprKind::Paren(inner) => write!(f, "({inner})"),
            ExprKind::Unary(op, inner) => write!(f, "{op}{inner}"),
            ExprKind::Binary(binary) => {
                write!(f, "{} {} {}", Left(binary), Operator(binary), binary.rhs)
            }
            ExprKind::Call(call) => {
                write!(f, "{}(", call.function.name())?;
                write_list(f, &call.args)?;
                f.write_str(")")
            }
            ExprKind::Aggregate(aggregate) => {
                write!(f, "{}(", Head(aggregate))?;
                if let Some(param) = &aggregate.param {
                    write!(f, "{param}, ")?;
                }
                write!(f, "{})", aggregate.expr)
            }
        }
    }
}

impl Display for UnaryOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plus => "+",
            Self::Minus => "-",
        })
    }
}

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_conditions(f, self)?;
        write_behind(f, self)
    }
}

/// A selector without what stands behind a range; conditions in the order of their texts.
fn write_conditions(f: &mut Formatter<'_>, selector: &Selector) -> fmt::Result {
    f.write_str(selector.name.as_deref().unwrap_or_default())?;
    let mut separator = "{";
    let lists = std::iter::once(&selector.matchers).chain(&selector.alternatives);
    for list in lists {
        let written = list.len() - usize::from(selector.name.is_some());
        let mut texts: Vec<String> = list.iter().take(written).map(condition).collect();
        texts.sort_unstable();
        for text in texts {
            write!(f, "{separator}{text}")?;
            separator = ",";
        }
        separator = if separator == "{" { "{" } else { " or " };
    }
    match separator {
        "{" if selector.name.is_some() => Ok(()),
        "{" => f.write_str("{}"),
        _ => f.write_str("}"),
    }
}

/// `label="value"`
fn condition(matcher: &Matcher) -> String {
    let op = match matcher.op() {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Regex => "=~",
        MatchOp::NotRegex => "!~",
    };
    format!("{}{op}{}", Label(matcher.name()), Quoted(matcher.value()))
}

/// What stands behind a selector, or behind its range.
fn write_behind(f: &mut Formatter<'_>, selector: &Selector) -> fmt::Result {
    if let Some(extension) = selector.extension {
        write!(f, " {}", extension.name())?;
    }
    selector.time.fmt(f)
}

impl Display for TimeShift {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.at {
            None => {}
            Some(At::Start) => f.write_str(" @ start()")?,
            Some(At::End) => f.write_str(" @ end()")?,
            Some(At::Time(ms)) => {
                let sign = if ms < 0 { "-" } else { "" };
                let (seconds, rest) = (ms.unsigned_abs() / 1_000, ms.unsigned_abs() % 1_000);
                write!(f, " @ {sign}{seconds}.{rest:03}")?;
            }
        }
        match &self.offset {
            Some(offset) => write!(f, " offset {offset}"),
            None => Ok(()),
        }
    }
}

/// `[5m:1m] offset 5m`
struct SubqueryTime<'a>(&'a Subquery);

impl Display for SubqueryTime<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "[{}:", self.0.range)?;
        if let Some(step) = &self.0.step {
            step.fmt(f)?;
        }
        write!(f, "]{}", self.0.time)
    }
}

impl Display for DurationExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            DurationKind::Number(number) => number.fmt(f),
            DurationKind::Step => f.write_str("step()"),
            DurationKind::Range => f.write_str("range()"),
            DurationKind::Paren(inner) => write!(f, "({inner})"),
            DurationKind::Negative(inner) => write!(f, "-{inner}"),
            DurationKind::Binary(op, a, b) => write!(f, "{a} {} {b}", op.symbol()),
            DurationKind::Min(a, b) => write!(f, "min_of({a}, {b})"),
            DurationKind::Max(a, b) => write!(f, "max_of({a}, {b})"),
        }
    }
}

/// A left operand. Infinity has a sign, which would go to the whole power: `+Inf ^ x` is
/// `+(Inf ^ x)`.
struct Left<'a>(&'a Binary);

impl Left<'_> {
    fn is_unsigned(&self) -> bool {
        let infinite = |number: &Number| number.value == f64::INFINITY;
        let left = &self.0.lhs.kind;
        self.0.op == BinaryOp::Pow && matches!(left, ExprKind::Number(number) if infinite(number))
    }
}

impl Display for Left<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_unsigned() {
            return f.write_str("Inf");
        }
        self.0.lhs.fmt(f)
    }
}

/// An operator with everything up to its right operand.
struct Operator<'a>(&'a Binary);

impl Display for Operator<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.op.symbol())?;
        if self.0.return_bool {
            f.write_str(" bool")?;
        }
        let Some(matching) = &self.0.matching else {
            return Ok(());
        };
        write_matching(f, matching)
    }
}

fn write_matching(f: &mut Formatter<'_>, matching: &Matching) -> fmt::Result {
    let group = match matching.cardinality {
        Cardinality::OneToOne | Cardinality::ManyToMany => None,
        Cardinality::ManyToOne => Some("group_left"),
        Cardinality::OneToMany => Some("group_right"),
    };
    if matching.on || !matching.labels.is_empty() || group.is_some() {
        f.write_str(if matching.on { " on (" } else { " ignoring (" })?;
        write_labels(f, &matching.labels)?;
        f.write_str(")")?;
    }
    if let Some(group) = group {
        write!(f, " {group} (")?;
        write_labels(f, &matching.include)?;
        f.write_str(")")?;
    }
    match (matching.fill_left, matching.fill_right) {
        (Some(left), Some(right)) if left == right => write!(f, " fill ({left})"),
        (left, right) => {
            left.map_or(Ok(()), |left| write!(f, " fill_left ({left})"))?;
            right.map_or(Ok(()), |right| write!(f, " fill_right ({right})"))
        }
    }
}

/// An aggregation up to its parenthesis.
struct Head<'a>(&'a Aggregate);

impl Display for Head<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.op.name())?;
        let grouping = &self.0.grouping;
        if !grouping.without && grouping.labels.is_empty() {
            return Ok(());
        }
        f.write_str(if grouping.without {
            " without ("
        } else {
            " by ("
        })?;
        write_labels(f, &grouping.labels)?;
        f.write_str(") ")
    }
}

fn write_list(f: &mut Formatter<'_>, items: &[Expr]) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        f.write_str(if i > 0 { ", " } else { "" })?;
        item.fmt(f)?;
    }
    Ok(())
}

fn write_labels(f: &mut Formatter<'_>, labels: &[String]) -> fmt::Result {
    for (i, label) in labels.iter().enumerate() {
        f.write_str(if i > 0 { ", " } else { "" })?;
        // Those are numbers where lists of labels stand.
        let number = ["inf", "nan"]
            .iter()
            .any(|one| one.eq_ignore_ascii_case(label));
        if number {
            Quoted(label).fmt(f)?;
        } else {
            Label(label).fmt(f)?;
        }
    }
    Ok(())
}

/// A label name, in quotes where it must be.
struct Label<'a>(&'a str);

impl Display for Label<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let digit = |c: char| c.is_ascii_digit();
        if self.0.chars().all(plain) && !self.0.starts_with(digit) {
            return f.write_str(self.0);
        }
        Quoted(self.0).fmt(f)
    }
}

/// Text in double quotes, with the escapes that the lexer knows.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\x07' => f.write_str("\\a")?,
                '\x08' => f.write_str("\\b")?,
                '\x0b' => f.write_str("\\v")?,
                '\x0c' => f.write_str("\\f")?,
                _ if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
                _ if is_shown(c) => f.write_char(c)?,
                _ if c <= '\u{ffff}' => write!(f, "\\u{:04x}", u32::from(c))?,
                _ => write!(f, "\\U{:08x}", u32::from(c))?,
            }
        }
        f.write_str("\"")
    }
}

/// Whether it stands for itself, as letters, marks, numbers, punctuation, symbols and the space do.
fn is_shown(c: char) -> bool {
    // Behind a letter, because a mark alone is written as a number there.
    c.is_ascii() || format!("a{c}").escape_debug().last() == Some(c)
}

#[cfg(test)]
mod tests;
