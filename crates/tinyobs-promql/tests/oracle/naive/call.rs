//! Call: every function that is not about a range, one line of its definition each.

use std::f64::consts::PI;

use tinyobs_model::{MatchOp, Matcher};
use tinyobs_promql::{Call, Expr, ExprKind, Function};

use super::numbers::{go_max, go_min};
use super::{Naive, Point, Result, Value, date, distinct};
use crate::data::Tags;

impl Naive<'_> {
    pub fn call(&self, call: &Call, at: &[i64]) -> Result<Vec<Value>> {
        use Function as F;
        let scalars = |values: Vec<f64>| Ok(values.into_iter().map(Value::Scalar).collect());
        let seconds = |ms: i64| ms as f64 / 1_000.0;
        let all = |value: f64| scalars(vec![value; at.len()]);
        match call.function {
            F::Time => scalars(at.iter().map(|&at| seconds(at)).collect()),
            F::Pi => all(PI),
            F::Start => all(seconds(self.case.start_ms)),
            F::End => all(seconds(self.case.end_ms)),
            F::Step => all(seconds(self.case.step_ms)),
            F::Range => all(seconds(self.case.end_ms - self.case.start_ms)),
            F::MinOf | F::MaxOf => {
                let (a, b) = (
                    self.scalar(&call.args[0], at)?,
                    self.scalar(&call.args[1], at)?,
                );
                let of = |a: f64, b: f64| match call.function {
                    _ if a.is_nan() || b.is_nan() => f64::NAN,
                    F::MinOf => go_min(a, b),
                    _ => go_max(a, b),
                };
                scalars(a.into_iter().zip(b).map(|(a, b)| of(a, b)).collect())
            }
            F::Scalar => {
                let steps = self.vector(&call.args[0], at)?;
                let only = |points: Vec<Point>| match points.as_slice() {
                    [point] => point.value,
                    _ => f64::NAN,
                };
                scalars(steps.into_iter().map(only).collect())
            }
            F::Vector => {
                let values = self.scalar(&call.args[0], at)?;
                let unlabelled = |value| vec![Point::new(Tags::new(), value)];
                distinct(values.into_iter().map(unlabelled).collect())
            }
            F::Absent => {
                let steps = self.vector(&call.args[0], at)?;
                let there = steps.iter().map(|points| !points.is_empty());
                distinct(there.map(|there| absent(there, &call.args[0])).collect())
            }
            F::AbsentOverTime => {
                let windows = self.windows(&call.args[0], at)?;
                let there = |i: usize| {
                    windows
                        .iter()
                        .any(|(_, of_steps)| !of_steps[i].samples.is_empty())
                };
                distinct(
                    (0..at.len())
                        .map(|i| absent(there(i), &call.args[0]))
                        .collect(),
                )
            }
            F::Timestamp => self.timestamps(&call.args[0], at),
            F::LabelJoin | F::LabelReplace => self.relabelled(call, at),
            F::HistogramQuantile | F::HistogramQuantiles | F::HistogramFraction => {
                self.of_histograms(call, at)
            }
            F::HistogramAvg
            | F::HistogramCount
            | F::HistogramStddev
            | F::HistogramStdvar
            | F::HistogramSum => {
                // No number is a native histogram.
                self.vector(&call.args[0], at)?;
                distinct(vec![Vec::new(); at.len()])
            }
            F::Info => self.info(call, at),
            F::Sort | F::SortDesc | F::SortByLabel | F::SortByLabelDesc => {
                distinct(self.vector(&call.args[0], at)?)
            }
            _ if takes_range(call.function) => self.over_time(call, at),
            _ => self.of_values(call, at),
        }
    }

    /// Functions of each value for itself, and of the moment if there is no argument.
    fn of_values(&self, call: &Call, at: &[i64]) -> Result<Vec<Value>> {
        let mut steps = if let Some(arg) = call.args.first() {
            self.vector(arg, at)?
        } else {
            let now = |&at: &i64| vec![Point::new(Tags::new(), at as f64 / 1_000.0)];
            at.iter().map(now).collect()
        };
        let mut numbers = Vec::new();
        for arg in call.args.iter().skip(1) {
            numbers.push(self.scalar(arg, at)?);
        }
        for (i, points) in steps.iter_mut().enumerate() {
            let numbers: Vec<f64> = numbers.iter().map(|of_steps| of_steps[i]).collect();
            if call.function == Function::Clamp && numbers[1] < numbers[0] {
                points.clear();
            }
            for point in points {
                self.rename(point);
                point.value = of_value(call.function, point.value, &numbers);
            }
        }
        distinct(steps)
    }

    /// When the samples of a selector were taken; of anything else, the moment of evaluation.
    fn timestamps(&self, arg: &Expr, at: &[i64]) -> Result<Vec<Value>> {
        let mut steps = Vec::new();
        let selector = match &arg.without_parens().kind {
            ExprKind::Vector(selector) => Some((selector, self.matching(selector)?)),
            _ => None,
        };
        let values = self.vector(arg, at)?;
        for (&at, mut values) in at.iter().zip(values) {
            if let Some((selector, all)) = &selector {
                values = self.select(selector, all, at, |time, _| time as f64 / 1_000.0)?;
            } else {
                for point in &mut values {
                    point.value = at as f64 / 1_000.0;
                }
            }
            for point in &mut values {
                self.rename(point);
            }
            steps.push(values);
        }
        distinct(steps)
    }
}

fn takes_range(function: Function) -> bool {
    let args = function.signature().args;
    args.contains(&tinyobs_promql::ValueType::Matrix)
}

fn of_value(function: Function, value: f64, numbers: &[f64]) -> f64 {
    use Function as F;
    match function {
        F::Abs => value.abs(),
        F::Acos => value.acos(),
        F::Acosh => value.acosh(),
        F::Asin => value.asin(),
        F::Asinh => value.asinh(),
        F::Atan => value.atan(),
        F::Atanh => value.atanh(),
        F::Ceil => value.ceil(),
        F::Cos => value.cos(),
        F::Cosh => value.cosh(),
        F::Deg => value * 180.0 / PI,
        F::Exp => value.exp(),
        F::Floor => value.floor(),
        F::Ln => value.ln(),
        F::Log10 => value.log10(),
        F::Log2 => value.log2(),
        F::Rad => value * PI / 180.0,
        F::Sgn if value > 0.0 => 1.0,
        F::Sgn if value < 0.0 => -1.0,
        F::Sgn => value,
        F::Sin => value.sin(),
        F::Sinh => value.sinh(),
        F::Sqrt => value.sqrt(),
        F::Tan => value.tan(),
        F::Tanh => value.tanh(),
        F::Clamp => go_max(numbers[0], go_min(numbers[1], value)),
        F::ClampMin => go_max(numbers[0], value),
        F::ClampMax => go_min(numbers[0], value),
        F::Round => {
            let inverse = 1.0 / numbers.first().copied().unwrap_or(1.0);
            (value * inverse + 0.5).floor() / inverse
        }
        _ => date::part(function, value),
    }
}

/// One series where there is none, with the labels that an equality in the selector asks for.
fn absent(there: bool, arg: &Expr) -> Vec<Point> {
    if there {
        return Vec::new();
    }
    let selector = match &arg.without_parens().kind {
        ExprKind::Vector(selector) => Some(selector),
        ExprKind::Matrix(range) => Some(&range.selector),
        _ => None,
    };
    let none: &[Matcher] = &[];
    let matchers = selector
        .filter(|selector| selector.alternatives.is_empty())
        .map_or(none, |selector| &selector.matchers);
    let mut tags = Tags::new();
    // What excludes values is looked at last, whatever was written first.
    let excludes =
        |matcher: &&Matcher| matches!(matcher.op(), MatchOp::NotEqual | MatchOp::NotRegex);
    let (excluding, other): (Vec<&Matcher>, Vec<&Matcher>) = matchers.iter().partition(excludes);
    let mut told: Vec<&str> = Vec::new();
    let all = other.into_iter().chain(excluding);
    for matcher in all.filter(|matcher| matcher.name() != "__name__") {
        // Of a label that two equalities are about, nothing is known.
        let name = matcher.name();
        if matcher.op() == MatchOp::Equal && !told.contains(&name) {
            told.push(name);
            tags.insert(name.to_owned(), matcher.value().to_owned());
        } else {
            tags.remove(name);
        }
    }
    tags.retain(|_, value| !value.is_empty());
    vec![Point::new(tags, 1.0)]
}
