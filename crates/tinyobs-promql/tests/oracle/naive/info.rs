//! Info: labels that info series have about the same instance and job.

use std::collections::BTreeMap;

use tinyobs_model::Matcher;
use tinyobs_promql::{Call, Expr, ExprKind, Selector, TimeShift};

use super::{Naive, Point, Result, Value, distinct, fail, matches_all};
use crate::data::Tags;

impl Naive<'_> {
    pub fn info(&self, call: &Call, at: &[i64]) -> Result<Vec<Value>> {
        let matchers = match call.args.get(1).map(|arg| &arg.kind) {
            Some(ExprKind::Vector(selector)) => selector.matchers.clone(),
            _ => Vec::new(),
        };
        let (mut names, conditions): (Vec<Matcher>, Vec<Matcher>) = matchers
            .into_iter()
            .partition(|matcher| matcher.name() == "__name__");
        if names.is_empty() {
            names.push(Matcher::equal("__name__", "target_info"));
        }
        let selector = Selector {
            matchers: names.iter().chain(&conditions).cloned().collect(),
            ..Selector::default()
        };
        let shifts = shifts(&call.args[0]).unwrap_or_default();
        let all = self.matching(&selector)?;
        let mut steps = Vec::new();
        for (points, &at) in self.vector(&call.args[0], at)?.into_iter().zip(at) {
            let mut moment = at;
            for shift in &shifts {
                moment = self.moment(shift, moment)?;
            }
            let known = self.select(&selector, &all, moment, |time, _| time as f64)?;
            let mut out = Vec::new();
            for point in points {
                if matches_all(&names, &point.tags)? {
                    out.push(point);
                } else if let Some(tags) = enriched(&point.tags, &known, &conditions)? {
                    out.push(Point { tags, ..point });
                }
            }
            steps.push(out);
        }
        distinct(steps)
    }
}

/// What moves the first selector of `expr` in time, from the outside in.
fn shifts(expr: &Expr) -> Option<Vec<TimeShift>> {
    match &expr.kind {
        ExprKind::Vector(selector) => Some(vec![selector.time.clone()]),
        ExprKind::Matrix(range) => Some(vec![range.selector.time.clone()]),
        ExprKind::Subquery(subquery) => {
            let inner = shifts(&subquery.expr).unwrap_or_default();
            Some([vec![subquery.time.clone()], inner].concat())
        }
        _ => expr.children().find_map(shifts),
    }
}

/// `tags` with what is known; none if something was asked for that is not there.
fn enriched(tags: &Tags, known: &[Point], conditions: &[Matcher]) -> Result<Option<Tags>> {
    let about = |tags: &Tags| [tags.get("instance").cloned(), tags.get("job").cloned()];
    // Of each info metric the newest sample.
    let mut newest: BTreeMap<&String, &Point> = BTreeMap::new();
    for point in known
        .iter()
        .filter(|point| about(&point.tags) == about(tags))
    {
        match newest.get(&point.tags["__name__"]) {
            Some(other) if other.value == point.value => return fail("two are the newest"),
            Some(other) if other.value > point.value => {}
            _ => {
                newest.insert(&point.tags["__name__"], point);
            }
        }
    }
    if newest.is_empty() && !conditions.iter().all(|condition| condition.matches("")) {
        return Ok(None);
    }
    let mut more = Tags::new();
    for (name, value) in newest.values().flat_map(|point| &point.tags) {
        let wanted = conditions.is_empty() || conditions.iter().any(|c| c.name() == name);
        if name == "__name__" || !wanted || tags.contains_key(name) {
            continue;
        }
        if more
            .insert(name.clone(), value.clone())
            .is_some_and(|other| other != *value)
        {
            return fail("info series contradict each other");
        }
    }
    more.extend(tags.clone());
    Ok(Some(more))
}
