//! Call: functions and aggregations with what stands in their parentheses.

use super::{Parser, Read, node};
use crate::aggregate::AggregateOp;
use crate::ast::{Aggregate, Call, Expr, ExprKind, Grouping};
use crate::error::{Fault, did_you_mean, quoted};
use crate::functions::{self, Function};
use crate::span::Span;

impl Parser<'_> {
    /// `rate(x[5m])`
    pub(super) fn call(&mut self) -> Read {
        let token = self.next();
        let name = self.text_of(token);
        let function = Function::named(name).ok_or_else(|| unknown(name, token.span))?;
        let args = self.args(function.name())?;
        let span = self.span_from(token.span);
        node(ExprKind::Call(Call { function, args }), span)
    }

    /// `sum by (job) (x)` or `sum(x) by (job)`
    pub(super) fn aggregate(&mut self, op: AggregateOp) -> Read {
        let token = self.next();
        let before = self.grouping()?;
        let args = self.args(op.name())?;
        let grouping = match before {
            Some(before) => before,
            None => self.grouping()?.unwrap_or_default(),
        };
        aggregated(op, grouping, args, self.span_from(token.span))
    }

    /// `by (…)` or `without (…)`, if it comes next.
    fn grouping(&mut self) -> Result<Option<Grouping>, Fault> {
        let without = match self.keyword().as_str() {
            "by" => false,
            "without" => true,
            _ => return Ok(None),
        };
        self.next();
        let labels = self.labels()?;
        Ok(Some(Grouping { without, labels }))
    }

    /// What stands between the parentheses of `name`.
    fn args(&mut self, name: &str) -> Result<Vec<Expr>, Fault> {
        self.expect("(", &format!("behind {name}"))?;
        let mut args = Vec::new();
        if self.take(")") {
            return Ok(args);
        }
        loop {
            args.push(*self.deeper(|parser| parser.expr(0))?);
            if self.take(")") {
                return Ok(args);
            }
            self.separator(")", &format!("among the arguments of {name}"))?;
        }
    }
}

fn aggregated(op: AggregateOp, grouping: Grouping, args: Vec<Expr>, span: Span) -> Read {
    let wanted = 1 + usize::from(op.param_type().is_some());
    let given = args.len();
    let mut args = args.into_iter().map(Box::new);
    let (param, expr) = match (wanted, given, args.next(), args.next()) {
        (1, 1, Some(expr), None) => (None, expr),
        (2, 2, Some(param), Some(expr)) => (Some(param), expr),
        _ => {
            let name = op.name();
            let what = if wanted == 1 {
                "one argument, the vector"
            } else {
                "two arguments, a parameter and the vector"
            };
            return Err(Fault::new(
                span,
                format!("{name} takes {what}, not {given}"),
            ));
        }
    };
    let aggregate = Aggregate {
        op,
        grouping,
        param,
        expr,
    };
    node(ExprKind::Aggregate(aggregate), span)
}

fn unknown(name: &str, span: Span) -> Fault {
    let functions = functions::ALL.iter().map(|(_, signature)| signature.name);
    let aggregations = AggregateOp::ALL.map(AggregateOp::name);
    let hint = did_you_mean(name, functions.chain(aggregations));
    let name = quoted(name);
    Fault::new(span, format!("unknown function {name}{hint}"))
}
