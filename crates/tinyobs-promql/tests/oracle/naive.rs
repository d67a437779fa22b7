//! Naive: a query answered moment by moment, series by series, by what the documentation says.
//!
//!   tree, moments ─▶ [Naive::eval] ─▶ one [Value] for each moment
//!
//! Nothing is shared between moments, nothing slides, nothing is kept: each window is looked up among
//! all samples. The only thing that is known of several moments at once is whether series come to
//! have the same labels, because that is an error of the whole query.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use tinyobs_model::{MatchOp, Matcher, is_stale_marker};
use tinyobs_promql::{
    At, DurationExpr, DurationKind, DurationOp, Expr, ExprKind, Extension, Selector, TimeShift,
    UnaryOp,
};

use crate::data::{Case, Series, Tags};

mod aggregate;
mod binary;
mod call;
mod date;
mod histogram;
mod info;
mod labels;
pub mod numbers;
mod rate;
mod window;

/// What an expression is at one moment.
#[derive(Debug, Clone)]
pub enum Value {
    Scalar(f64),
    Vector(Vec<Point>),
    Text(String),
}

/// A series at one moment.
#[derive(Debug, Clone)]
pub struct Point {
    pub tags: Tags,
    pub value: f64,
    /// Its name goes at the end.
    pub drop: bool,
}

impl Point {
    pub fn new(tags: Tags, value: f64) -> Self {
        Self {
            tags,
            value,
            drop: false,
        }
    }
}

/// A query without an answer, and why.
#[derive(Debug)]
pub struct Failure(pub String);

pub type Result<T> = std::result::Result<T, Failure>;

pub fn fail<T>(why: impl Into<String>) -> Result<T> {
    Err(Failure(why.into()))
}

/// The work on one query.
pub struct Naive<'a> {
    pub case: &'a Case,
    /// Other than 0: where the order of series decides (sums, ties), another order.
    pub shuffle: u64,
}

/// A range vector: each series with its window at each moment; the value of the point says nothing.
pub type Windows = Vec<(Point, Vec<window::Window>)>;

impl Naive<'_> {
    /// `expr` at each of the moments.
    pub fn eval(&self, expr: &Expr, at: &[i64]) -> Result<Vec<Value>> {
        match &expr.kind {
            ExprKind::Number(number) => Ok(vec![Value::Scalar(number.value); at.len()]),
            ExprKind::String(text) => Ok(vec![Value::Text(text.clone()); at.len()]),
            ExprKind::Vector(selector) => {
                let series = self.matching(selector)?;
                let found = at
                    .iter()
                    .map(|&at| self.select(selector, &series, at, |_, value| value));
                found.map(|points| points.map(Value::Vector)).collect()
            }
            ExprKind::Matrix(_) | ExprKind::Subquery(_) => fail("a range vector stands alone"),
            ExprKind::Paren(inner) | ExprKind::Unary(UnaryOp::Plus, inner) => self.eval(inner, at),
            ExprKind::Unary(UnaryOp::Minus, inner) => self.negated(self.eval(inner, at)?),
            ExprKind::Binary(binary) => self.binary(binary, at),
            ExprKind::Call(call) => self.call(call, at),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate, at),
        }
    }

    pub fn vector(&self, expr: &Expr, at: &[i64]) -> Result<Vec<Vec<Point>>> {
        let values = self.eval(expr, at)?.into_iter().map(|value| match value {
            Value::Vector(points) => Ok(points),
            other => fail(format!("{other:?} is no vector")),
        });
        values.collect()
    }

    pub fn scalar(&self, expr: &Expr, at: &[i64]) -> Result<Vec<f64>> {
        let values = self.eval(expr, at)?.into_iter().map(|value| match value {
            Value::Scalar(value) => Ok(value),
            other => fail(format!("{other:?} is no scalar")),
        });
        values.collect()
    }

    fn negated(&self, mut values: Vec<Value>) -> Result<Vec<Value>> {
        let mut origins = Origins::default();
        for value in &mut values {
            match value {
                Value::Scalar(value) => *value = -*value,
                Value::Vector(points) => {
                    for point in points {
                        let from = point.tags.clone();
                        self.rename(point);
                        origins.note(&from, &point.tags)?;
                        point.value = -point.value;
                    }
                }
                Value::Text(_) => return fail("text has no sign"),
            }
        }
        Ok(values)
    }

    /// What `selector` finds at `at` among the series that it means, and what `of` makes of the time
    /// and value of each sample.
    pub fn select(
        &self,
        selector: &Selector,
        all: &[&Series],
        at: i64,
        of: impl Fn(i64, f64) -> f64,
    ) -> Result<Vec<Point>> {
        let moment = self.moment(&selector.time, at)?;
        let mut points = Vec::new();
        for series in all {
            let sample = if selector.extension == Some(Extension::Smoothed) {
                self.smoothed(series, moment).map(|value| (moment, value))
            } else {
                self.latest(series, moment)
            };
            if let Some((time, value)) = sample {
                points.push(Point::new(series.tags.clone(), of(time, value)));
            }
        }
        Ok(points)
    }

    /// The last sample before `moment` or at it, unless it is too old or says that the series ended.
    fn latest(&self, series: &Series, moment: i64) -> Option<(i64, f64)> {
        let mut before = series
            .samples
            .iter()
            .rev()
            .filter(|(time, _)| *time <= moment);
        let (time, value) = *before.next()?;
        let young = time > moment - self.case.lookback_ms;
        (young && !is_stale_marker(value)).then_some((time, value))
    }

    /// The value on the line between the samples around `moment`.
    fn smoothed(&self, series: &Series, moment: i64) -> Option<f64> {
        let lookback = self.case.lookback_ms;
        let near = |(time, value): &&(i64, f64)| {
            *time > moment - lookback && *time <= moment + lookback && !is_stale_marker(*value)
        };
        let near: Vec<(i64, f64)> = series.samples.iter().filter(near).copied().collect();
        let before = near.iter().rev().find(|(time, _)| *time <= moment)?;
        match near.iter().find(|(time, _)| *time >= moment) {
            Some(after) => Some(window::line(*before, *after, moment)),
            None => Some(before.1),
        }
    }

    /// The series that a selector means.
    pub fn matching(&self, selector: &Selector) -> Result<Vec<&Series>> {
        let lists: Vec<&Vec<Matcher>> = if selector.alternatives.is_empty() {
            vec![&selector.matchers]
        } else {
            std::iter::once(&selector.matchers)
                .chain(&selector.alternatives)
                .collect()
        };
        let mut found = Vec::new();
        for series in &self.case.series {
            for list in &lists {
                if matches_all(list, &series.tags)? {
                    found.push(series);
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The moment that a selector looks at.
    pub fn moment(&self, time: &TimeShift, at: i64) -> Result<i64> {
        let moment = match time.at {
            None => at,
            Some(At::Time(ms)) => ms,
            Some(At::Start) => self.case.start_ms,
            Some(At::End) => self.case.end_ms,
        };
        match &time.offset {
            None => Ok(moment),
            Some(offset) => Ok(moment - self.milliseconds(offset)?),
        }
    }

    /// A range or step: longer than nothing.
    pub fn length(&self, duration: &DurationExpr) -> Result<i64> {
        match self.milliseconds(duration)? {
            ms if ms > 0 => Ok(ms),
            _ => fail("a range must be longer than nothing"),
        }
    }

    fn milliseconds(&self, duration: &DurationExpr) -> Result<i64> {
        let ms = (self.seconds(duration)? * 1_000.0).round();
        if ms.is_nan() || ms.abs() > 9.2e12 {
            return fail("a duration is out of range");
        }
        Ok(ms as i64)
    }

    fn seconds(&self, duration: &DurationExpr) -> Result<f64> {
        Ok(match &duration.kind {
            DurationKind::Number(number) => number.value,
            DurationKind::Step => self.case.step_ms as f64 / 1_000.0,
            DurationKind::Range => (self.case.end_ms - self.case.start_ms) as f64 / 1_000.0,
            DurationKind::Paren(inner) => self.seconds(inner)?,
            DurationKind::Negative(inner) => -self.seconds(inner)?,
            DurationKind::Min(a, b) => self.seconds(a)?.min(self.seconds(b)?),
            DurationKind::Max(a, b) => self.seconds(a)?.max(self.seconds(b)?),
            DurationKind::Binary(op, a, b) => {
                let (a, b) = (self.seconds(a)?, self.seconds(b)?);
                match op {
                    DurationOp::Div | DurationOp::Mod if b == 0.0 => {
                        return fail("divided by zero");
                    }
                    DurationOp::Add => a + b,
                    DurationOp::Sub => a - b,
                    DurationOp::Mul => a * b,
                    DurationOp::Div => a / b,
                    DurationOp::Mod => a % b,
                    DurationOp::Pow => a.powf(b),
                }
            }
        })
    }

    /// It is something else than the metric now, so the name goes: now, or at the end.
    pub fn rename(&self, point: &mut Point) {
        if self.case.delayed_names {
            point.drop = true;
        } else {
            point.tags = unnamed(&point.tags);
        }
    }

    /// The order in which members of a group are taken.
    fn ordered(&self, points: &mut [Point]) {
        if self.shuffle == 0 {
            return;
        }
        points.sort_by_key(|point| {
            let mut random = crate::random::Random::new(self.shuffle);
            for byte in point
                .tags
                .iter()
                .flat_map(|(name, value)| name.bytes().chain(value.bytes()))
            {
                let mixed = random.next() ^ u64::from(byte);
                random = crate::random::Random::new(mixed);
            }
            random.next()
        });
    }
}

fn matches_all(matchers: &[Matcher], tags: &Tags) -> Result<bool> {
    for matcher in matchers {
        let bad_regex = |error: regex::Error| Failure(error.to_string());
        let value = tags.get(matcher.name()).map_or("", String::as_str);
        let regex = || Regex::new(&format!("^(?s:{})$", matcher.value()));
        let matches = match matcher.op() {
            MatchOp::Equal => value == matcher.value(),
            MatchOp::NotEqual => value != matcher.value(),
            MatchOp::Regex => regex().map_err(bad_regex)?.is_match(value),
            MatchOp::NotRegex => !regex().map_err(bad_regex)?.is_match(value),
        };
        if !matches {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The text that an argument is.
pub fn text(expr: &Expr) -> Result<String> {
    match &expr.without_parens().kind {
        ExprKind::String(text) => Ok(text.clone()),
        _ => fail("no text"),
    }
}

/// Without the metric name.
pub fn unnamed(tags: &Tags) -> Tags {
    let mut tags = tags.clone();
    tags.remove("__name__");
    tags
}

/// From which series each result comes: two series must not become one.
#[derive(Default)]
pub struct Origins(BTreeMap<Tags, Tags>);

impl Origins {
    pub fn note(&mut self, from: &Tags, to: &Tags) -> Result<()> {
        match self.0.insert(to.clone(), from.clone()) {
            Some(other) if other != *from => {
                fail(format!("{other:?} and {from:?} become one series"))
            }
            _ => Ok(()),
        }
    }
}

/// At each moment each set of labels is there once.
pub fn distinct(mut steps: Vec<Vec<Point>>) -> Result<Vec<Value>> {
    for points in &steps {
        let all: BTreeSet<&Tags> = points.iter().map(|point| &point.tags).collect();
        if all.len() < points.len() {
            return fail("several series have the same labels");
        }
    }
    // A series of which the name goes at one moment loses it at all of them.
    let dropped = steps.iter().flatten().filter(|point| point.drop);
    let dropped: BTreeSet<Tags> = dropped.map(|point| point.tags.clone()).collect();
    for point in steps.iter_mut().flatten() {
        point.drop |= !dropped.is_empty() && dropped.contains(&point.tags);
    }
    Ok(steps.into_iter().map(Value::Vector).collect())
}
