//! Info: `info(v, {…})`: labels that another metric has about the same thing.
//!
//!   series of v ─▶ info series of the same `instance` and `job`, at the moment that v looks at ─▶
//!   the same series with more labels
//!
//! I-INFO-1  Of several info series for one thing, the newest sample tells.
//! I-INFO-2  A label that a series has already is never replaced.
//! Proved by: scripts/info.test.

use std::collections::{BTreeMap, HashMap};

use tinyobs_model::{Labels, METRIC_NAME, Matcher};

use super::grid::Grid;
use super::selector::{Look, Shift, Wanted};
use super::value::{ABSENT, Series, Value, distinct, is_present};
use super::{EvalError, Evaluated, Evaluator};
use crate::ast::{Expr, ExprKind, Selector};
use crate::span::Span;

/// The labels that say what a series is about.
const IDENTIFYING: [&str; 2] = ["instance", "job"];
/// The info metric unless another is asked for.
const DEFAULT_METRIC: &str = "target_info";

/// What is asked of info series.
struct Wish<'a> {
    names: Vec<Matcher>,
    /// The labels to take over; all if there are none.
    labels: Vec<&'a Matcher>,
}

/// Info series by what they are about, those of one metric together.
type Known = HashMap<Labels, BTreeMap<String, Vec<Series>>>;

impl Evaluator<'_> {
    pub(super) fn info(&mut self, args: &[Expr], span: Span, grid: Grid) -> Evaluated<Value> {
        let base = self.eval_vector(&args[0], grid)?;
        let matchers: &[Matcher] = match args.get(1).map(|arg| &arg.kind) {
            Some(ExprKind::Vector(selector)) => &selector.matchers,
            _ => &[],
        };
        let wish = Wish::new(matchers);
        let shift = self.shift_of(&args[0], Shift::default())?;
        let known = self.known(&wish, shift, span, grid)?;
        let mut out = Vec::new();
        for series in base {
            self.check()?;
            let is_info = |matcher: &Matcher| matcher.matches_labels(&series.labels);
            if wish.names.iter().all(is_info) {
                out.push(series);
                continue;
            }
            self.enrich(&series, &wish, &known, span, grid, &mut out)?;
        }
        distinct(out, span).map(Value::Vector)
    }

    /// The moment that the first selector of `expr` looks at.
    fn shift_of(&self, expr: &Expr, outer: Shift) -> Evaluated<Shift> {
        match &expr.kind {
            ExprKind::Vector(selector) => Ok(outer.then(self.shift(&selector.time)?)),
            ExprKind::Matrix(range) => Ok(outer.then(self.shift(&range.selector.time)?)),
            ExprKind::Subquery(subquery) => {
                let shift = outer.then(self.shift(&subquery.time)?);
                self.shift_of(&subquery.expr, shift)
            }
            _ => match expr.children().find(|child| has_selector(child)) {
                Some(child) => self.shift_of(child, outer),
                None => Ok(outer),
            },
        }
    }

    /// The info series with the times of their samples.
    fn known(&mut self, wish: &Wish<'_>, shift: Shift, span: Span, grid: Grid) -> Evaluated<Known> {
        let labels = wish.labels.iter().map(|matcher| (*matcher).clone());
        let selector = Selector {
            matchers: wish.names.iter().cloned().chain(labels).collect(),
            ..Selector::default()
        };
        let mut known = Known::new();
        let look = Look {
            selector: &selector,
            shift,
            wanted: Wanted::Time,
            span,
        };
        for series in self.select_columns(look, grid)? {
            let about = identity(&series.labels);
            let name = series.labels.metric_name().to_owned();
            let metrics = known.entry(about).or_default();
            metrics.entry(name).or_default().push(series);
        }
        Ok(known)
    }

    /// One series for each set of labels that `series` comes to have.
    fn enrich(
        &mut self,
        series: &Series,
        wish: &Wish<'_>,
        known: &Known,
        span: Span,
        grid: Grid,
        out: &mut Vec<Series>,
    ) -> Evaluated<()> {
        let metrics = known.get(&identity(&series.labels));
        let mut places: HashMap<Labels, usize> = HashMap::new();
        for (i, &value) in series.values.iter().enumerate() {
            if !is_present(value) {
                continue;
            }
            let mut found = Vec::new();
            for all in metrics.into_iter().flat_map(BTreeMap::values) {
                found.extend(newest(all, i, span)?);
            }
            if found.is_empty() && !wish.may_lack() {
                continue;
            }
            let labels = wish.joined(&series.labels, &found, span)?;
            let at = if let Some(&at) = places.get(&labels) {
                at
            } else {
                let mut one = Series::new(labels.clone(), self.column(ABSENT, grid)?);
                one.drop_name = series.drop_name;
                places.insert(labels, out.len());
                out.push(one);
                out.len() - 1
            };
            out[at].values[i] = value;
        }
        Ok(())
    }
}

impl<'a> Wish<'a> {
    fn new(matchers: &'a [Matcher]) -> Self {
        let is_name = |matcher: &&Matcher| matcher.name() == METRIC_NAME;
        let mut names: Vec<Matcher> = matchers.iter().filter(is_name).cloned().collect();
        if names.is_empty() {
            names.push(Matcher::equal(METRIC_NAME, DEFAULT_METRIC));
        }
        let labels = matchers
            .iter()
            .filter(|matcher| !is_name(matcher))
            .collect();
        Self { names, labels }
    }

    /// Whether a series stays as it is when nothing is known about it.
    fn may_lack(&self) -> bool {
        self.labels.iter().all(|matcher| matcher.matches(""))
    }

    fn wants(&self, name: &str) -> bool {
        let all = self.labels.is_empty();
        name != METRIC_NAME && (all || self.labels.iter().any(|matcher| matcher.name() == name))
    }

    /// The labels of `base` and of `found`.
    fn joined(&self, base: &Labels, found: &[&Labels], span: Span) -> Evaluated<Labels> {
        let mut more: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, value) in found.iter().flat_map(|labels| labels.iter()) {
            // I-INFO-2
            if !self.wants(name) || base.get(name).is_some() {
                continue;
            }
            if let Some(other) = more.insert(name, value)
                && other != value
            {
                let reason = format!(
                    "conflicting label: info metrics say {name} is {other:?} and {value:?}, name \
                     one of them in the second argument"
                );
                return Err(EvalError::execution(span, reason));
            }
        }
        Ok(Labels::of_pairs(base.iter().chain(more)))
    }
}

/// What a series is about.
fn identity(labels: &Labels) -> Labels {
    labels.filtered(|name| IDENTIFYING.contains(&name))
}

fn has_selector(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |expr| {
        found |= matches!(expr.kind, ExprKind::Vector(_) | ExprKind::Matrix(_));
    });
    found
}

/// I-INFO-1
fn newest(series: &[Series], i: usize, span: Span) -> Evaluated<Option<&Labels>> {
    let mut newest: Option<&Series> = None;
    for one in series.iter().filter(|one| is_present(one.values[i])) {
        match newest {
            Some(known) if known.values[i] > one.values[i] => {}
            Some(known) if known.values[i] == one.values[i] => {
                let reason = format!(
                    "two info series are about the same thing at the same time: {} and {}",
                    known.labels, one.labels
                );
                return Err(EvalError::execution(span, reason));
            }
            _ => newest = Some(one),
        }
    }
    Ok(newest.map(|series| &series.labels))
}
