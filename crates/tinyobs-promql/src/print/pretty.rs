//! Pretty: a tree over several lines, as `format_query` gives it.
//!
//! What fits into a line of [`LINE`] bytes stays on it; else its parts stand below it, deeper.

use std::fmt::Write;

use super::{Head, Left, Operator, SubqueryTime};
use crate::ast::{Expr, ExprKind};

/// Bytes of a line that is not split.
const LINE: usize = 100;

impl Expr {
    /// The expression over as many lines as it needs.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.pretty_at(0, &mut out);
        out
    }

    fn pretty_at(&self, level: usize, out: &mut String) {
        let line = self.to_string();
        let indent = "  ".repeat(level);
        if line.len() <= LINE {
            out.push_str(&indent);
            out.push_str(&line);
            return;
        }
        // Writing to a String cannot fail.
        match &self.kind {
            ExprKind::Binary(binary) => {
                if Left(binary).is_unsigned() {
                    let _ = write!(out, "{indent}  {}", Left(binary));
                } else {
                    binary.lhs.pretty_at(level + 1, out);
                }
                let _ = writeln!(out, "\n{indent}{}", Operator(binary));
                binary.rhs.pretty_at(level + 1, out);
            }
            ExprKind::Call(call) => {
                let _ = write!(out, "{indent}{}(", call.function.name());
                lines(call.args.iter(), level, out);
            }
            ExprKind::Aggregate(aggregate) => {
                let _ = write!(out, "{indent}{}(", Head(aggregate));
                let param = aggregate.param.as_deref();
                lines(param.into_iter().chain([&*aggregate.expr]), level, out);
            }
            ExprKind::Paren(inner) => {
                let _ = write!(out, "{indent}(");
                lines([&**inner], level, out);
            }
            ExprKind::Unary(op, inner) => {
                let mut below = String::new();
                inner.pretty_at(level, &mut below);
                let _ = write!(out, "{indent}{op}{}", below.trim_start());
            }
            ExprKind::Subquery(subquery) => {
                subquery.expr.pretty_at(level, out);
                let _ = write!(out, "{}", SubqueryTime(subquery));
            }
            _ => {
                let _ = write!(out, "{indent}{line}");
            }
        }
    }
}

/// One line for each of `items`, and a closing parenthesis.
fn lines<'a>(items: impl IntoIterator<Item = &'a Expr>, level: usize, out: &mut String) {
    for (i, item) in items.into_iter().enumerate() {
        out.push_str(if i > 0 { ",\n" } else { "\n" });
        item.pretty_at(level + 1, out);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(level));
    out.push(')');
}
