//! Label calls: `label_replace` and `label_join`, which look at labels only.

use regex::{Regex, RegexBuilder};
use tinyobs_model::{Labels, MatchOp, Matcher, limits};

use super::grid::Grid;
use super::value::{Series, Value, distinct};
use super::{EvalError, Evaluated, Evaluator};
use crate::ast::Expr;
use crate::span::Span;

impl Evaluator<'_> {
    /// `label_replace(v, target, replacement, source, regex)`
    pub(super) fn label_replace(
        &mut self,
        args: &[Expr],
        span: Span,
        grid: Grid,
    ) -> Evaluated<Value> {
        let mut series = self.eval_vector(&args[0], grid)?;
        let target = self.label_name(&args[1], grid)?;
        let replacement = self.eval_string(&args[2], grid)?;
        let source = self.eval_string(&args[3], grid)?;
        let pattern = self.eval_string(&args[4], grid)?;
        let regex =
            compile(&pattern).map_err(|reason| EvalError::execution(args[4].span, reason))?;
        for one in &mut series {
            self.check()?;
            let value = one.labels.get(&source).unwrap_or_default();
            let Some(found) = regex.captures(value) else {
                continue;
            };
            let mut new = String::new();
            found.expand(&replacement, &mut new);
            relabel(one, &target, &new, args[2].span)?;
        }
        distinct(series, span).map(Value::Vector)
    }

    /// `label_join(v, target, separator, source…)`
    pub(super) fn label_join(&mut self, args: &[Expr], span: Span, grid: Grid) -> Evaluated<Value> {
        let mut series = self.eval_vector(&args[0], grid)?;
        let target = self.label_name(&args[1], grid)?;
        let separator = self.eval_string(&args[2], grid)?;
        let mut sources = Vec::new();
        for arg in &args[3..] {
            sources.push(self.label_name(arg, grid)?);
        }
        for one in &mut series {
            self.check()?;
            let value = |source: &String| one.labels.get(source).unwrap_or_default();
            let values: Vec<&str> = sources.iter().map(value).collect();
            let new = values.join(&separator);
            relabel(one, &target, &new, args[1].span)?;
        }
        distinct(series, span).map(Value::Vector)
    }

    fn label_name(&mut self, arg: &Expr, grid: Grid) -> Evaluated<String> {
        let name = self.eval_string(arg, grid)?;
        if name.is_empty() {
            return Err(EvalError::execution(arg.span, "a label needs a name"));
        }
        Ok(name)
    }
}

/// Sets a label. Not to anything longer than a stored one: nested joins would double it each time.
fn relabel(series: &mut Series, name: &str, value: &str, span: Span) -> Evaluated<()> {
    let most = limits::LABEL_VALUE_BYTES;
    if value.len() > most {
        let reason = format!("a label of the result has more than {most} bytes");
        return Err(EvalError::execution(span, reason));
    }
    let labels: Labels = series.labels.with(name, value);
    if name == tinyobs_model::METRIC_NAME {
        // A name that was given on purpose stays.
        series.drop_name = false;
    }
    series.labels = labels;
    Ok(())
}

/// A regular expression of the whole value, with the bounds that those of matchers have.
fn compile(pattern: &str) -> Result<Regex, String> {
    Matcher::new(MatchOp::Regex, "", pattern).map_err(|error| error.to_string())?;
    RegexBuilder::new(&format!("^(?s:{pattern})$"))
        .size_limit(limits::REGEX_BYTES)
        .dfa_size_limit(limits::REGEX_BYTES)
        .build()
        .map_err(|error| format!("the regular expression is not usable: {error}"))
}
