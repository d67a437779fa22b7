//! Compare: one query, answered by both.
//!
//! What must be the same: whether there is an answer, the series, the moments at which they have
//! values, and the values: bit by bit but for the last one, and NaN is NaN. Where the naive evaluator
//! itself says something else when it takes series in another order (a sum that rounds, a tie that
//! `topk` breaks), the order decides, and such a point is counted apart instead of compared.

use std::collections::BTreeMap;
use std::fmt;

use tinyobs_model::Sample;
use tinyobs_promql::{
    Answer, AnswerValue, Control, EvalError, Expr, ExprKind, Function, Query, SeriesPoints,
    ValueType, evaluate, parse,
};

use crate::data::{Case, Tags};
use crate::naive::{Failure, Naive, Point, Value, unnamed};

/// Series by their labels, each with its samples.
pub type Found = BTreeMap<Tags, Vec<(i64, f64)>>;

/// What a query comes to.
#[derive(Debug, Clone)]
pub enum Outcome {
    Error(String),
    /// No answer at all should look like this.
    Broken(String),
    Text(String),
    Scalar(f64),
    Series(Found),
}

/// What comparing came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same, with that many values.
    Same(usize),
    /// Both have no answer.
    SameError,
    /// The same but for points that depend on the order of series.
    Undetermined,
    /// It cannot be read.
    NotAQuery,
    /// Not the same, and in what.
    Different(String),
}

/// Other orders that are tried.
const SHUFFLES: u64 = 24;

pub fn compare(case: &Case) -> Verdict {
    let Ok(expr) = parse(&case.text) else {
        return Verdict::NotAQuery;
    };
    let ours = ours(case, &expr);
    let naive = naive(case, &expr, 0);
    let Some(difference) = difference(&ours, &naive) else {
        return match naive {
            Outcome::Error(_) => Verdict::SameError,
            Outcome::Series(found) => Verdict::Same(found.values().map(Vec::len).sum()),
            _ => Verdict::Same(1),
        };
    };
    let others: Vec<Outcome> = (1..=SHUFFLES)
        .map(|shuffle| self::naive(case, &expr, shuffle))
        .collect();
    if others
        .iter()
        .any(|other| self::difference(&ours, other).is_none())
    {
        return Verdict::Undetermined;
    }
    if is_steady(&ours, &naive, &others) {
        return Verdict::Different(difference);
    }
    Verdict::Undetermined
}

/// Whether the two differ in anything that is the same in all orders.
fn is_steady(ours: &Outcome, naive: &Outcome, others: &[Outcome]) -> bool {
    let (Outcome::Series(ours), Outcome::Series(naive)) = (ours, naive) else {
        return others
            .iter()
            .all(|other| difference(naive, other).is_none());
    };
    let point = |found: &Found, tags: &Tags, time: i64| {
        let samples = found.get(tags)?;
        samples
            .iter()
            .find(|sample| sample.0 == time)
            .map(|sample| sample.1)
    };
    let all: Vec<Option<&Found>> = others
        .iter()
        .map(|other| match other {
            Outcome::Series(found) => Some(found),
            _ => None,
        })
        .collect();
    let places = ours
        .iter()
        .chain(naive)
        .flat_map(|(tags, samples)| samples.iter().map(move |sample| (tags, sample.0)));
    for (tags, time) in places {
        let (a, b) = (point(ours, tags, time), point(naive, tags, time));
        let steady =
            |other: Option<&Found>| other.is_some_and(|found| same(point(found, tags, time), b));
        if !same(a, b) && all.iter().copied().all(steady) {
            return true;
        }
    }
    false
}

fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => is_near(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// No farther apart than two neighbouring numbers; 0 and -0 are not the same.
pub fn is_near(a: f64, b: f64) -> bool {
    if a.is_nan() || b.is_nan() {
        return a.is_nan() && b.is_nan();
    }
    a.to_bits() == b.to_bits()
        || a.is_sign_negative() == b.is_sign_negative() && a.to_bits().abs_diff(b.to_bits()) <= 1
}

/// The first thing in which they differ.
fn difference(ours: &Outcome, naive: &Outcome) -> Option<String> {
    let same = match (ours, naive) {
        (Outcome::Error(_), Outcome::Error(_)) => true,
        (Outcome::Text(a), Outcome::Text(b)) => a == b,
        (Outcome::Scalar(a), Outcome::Scalar(b)) => is_near(*a, *b),
        (Outcome::Series(a), Outcome::Series(b)) => return of_series(a, b),
        _ => false,
    };
    (!same).then(|| format!("it is {ours}, by definition {naive}"))
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(why) => write!(f, "an error ({why})"),
            Self::Broken(why) => write!(f, "no answer at all ({why})"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Scalar(value) => write!(f, "{value:?}"),
            Self::Series(found) => write!(f, "{found:?}"),
        }
    }
}

fn of_series(ours: &Found, naive: &Found) -> Option<String> {
    for tags in ours.keys().chain(naive.keys()) {
        let none = Vec::new();
        let (a, b) = (
            ours.get(tags).unwrap_or(&none),
            naive.get(tags).unwrap_or(&none),
        );
        let same = |(a, b): (&(i64, f64), &(i64, f64))| a.0 == b.0 && is_near(a.1, b.1);
        if a.len() != b.len() || !a.iter().zip(b).all(same) {
            return Some(format!("{tags:?} is {a:?}, by definition {b:?}"));
        }
    }
    None
}

/// The answer of the evaluator under test.
fn ours(case: &Case, expr: &Expr) -> Outcome {
    let query = Query {
        lookback_ms: case.lookback_ms,
        subquery_step_ms: case.subquery_step_ms,
        end_ms: case.end_ms,
        step_ms: case.step_ms,
        delayed_names: case.delayed_names,
        ..Query::instant(expr, &case.text, case.start_ms)
    };
    match evaluate(&query, &case.memory(), &Control::new()) {
        Ok(answer) => shown(answer, case, expr),
        Err(error) => {
            let internal = matches!(error, EvalError::Storage(_) | EvalError::Timeout);
            assert!(!internal, "{error} of {case}");
            Outcome::Error(error.to_string())
        }
    }
}

fn shown(answer: Answer, case: &Case, expr: &Expr) -> Outcome {
    let series = match answer.value {
        AnswerValue::String(text) => return Outcome::Text(text),
        AnswerValue::Scalar(sample) => return Outcome::Scalar(sample.value),
        AnswerValue::Vector(series) => {
            assert!(
                in_asked_order(expr, &series),
                "not in order: {series:?} of {case}"
            );
            series
        }
        AnswerValue::Matrix(series) => series,
    };
    let mut found = Found::new();
    for SeriesPoints { labels, points } in series {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let tags: Tags = labels.iter().map(pair).collect();
        let samples = points
            .iter()
            .map(|Sample { time_ms, value }| (*time_ms, *value))
            .collect();
        if found.insert(tags, samples).is_some() {
            return Outcome::Broken(format!("two series are {labels} in one answer"));
        }
    }
    Outcome::Series(found)
}

/// `sort` and `sort_desc` put what is no number last either way.
fn in_asked_order(expr: &Expr, series: &[SeriesPoints]) -> bool {
    let ExprKind::Call(call) = &expr.without_parens().kind else {
        return true;
    };
    let sign = match call.function {
        Function::Sort => 1.0,
        Function::SortDesc => -1.0,
        _ => return true,
    };
    let values = series.iter().map(|one| one.points[0].value * sign);
    values
        .collect::<Vec<_>>()
        .windows(2)
        .all(|pair| pair[1].is_nan() || pair[0] <= pair[1])
}

/// The answer by definition.
fn naive(case: &Case, expr: &Expr, shuffle: u64) -> Outcome {
    let naive = Naive { case, shuffle };
    let instant = case.step_ms == 0;
    let found = match (expr.value_type(), instant) {
        (ValueType::Matrix, true) => raw(&naive, expr),
        _ => by_moments(&naive, expr),
    };
    found.unwrap_or_else(|Failure(why)| Outcome::Error(why))
}

fn raw(naive: &Naive<'_>, expr: &Expr) -> Result<Outcome, Failure> {
    let mut found = Found::new();
    for (Point { tags, .. }, windows) in naive.windows(expr, &[naive.case.start_ms])? {
        let samples: Vec<(i64, f64)> = windows.into_iter().flat_map(|window| window.wide).collect();
        if !samples.is_empty() {
            found.insert(tags, samples);
        }
    }
    Ok(Outcome::Series(found))
}

fn by_moments(naive: &Naive<'_>, expr: &Expr) -> Result<Outcome, Failure> {
    let case = naive.case;
    let mut moments = vec![case.start_ms];
    while case.step_ms > 0 && moments[moments.len() - 1] + case.step_ms <= case.end_ms {
        moments.push(moments[moments.len() - 1] + case.step_ms);
    }
    let mut found = Found::new();
    for (&moment, value) in moments.iter().zip(naive.eval(expr, &moments)?) {
        let points = match value {
            Value::Text(text) => return Ok(Outcome::Text(text)),
            Value::Scalar(value) if case.step_ms == 0 => return Ok(Outcome::Scalar(value)),
            Value::Scalar(value) => vec![Point::new(Tags::new(), value)],
            Value::Vector(points) => points,
        };
        for Point { tags, value, drop } in points {
            let tags = if drop { unnamed(&tags) } else { tags };
            let samples = found.entry(tags).or_default();
            if samples.last().is_some_and(|last| last.0 == moment) {
                return Err(Failure("two series without their names are one".to_owned()));
            }
            samples.push((moment, value));
        }
    }
    Ok(Outcome::Series(found))
}
