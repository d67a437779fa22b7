//! Window: what a function of a range vector sees, and what such a function is.

use std::collections::BTreeSet;

use tinyobs_model::is_stale_marker;
use tinyobs_promql::{Call, Expr, ExprKind, Extension, Function, RangeSelector, Subquery};

use super::numbers::{deviation, linear, mean, quantile, sum};
use super::{Naive, Origins, Point, Result, Value, Windows, distinct, fail, rate};

/// The samples of one series for one moment.
#[derive(Debug, Clone)]
pub struct Window {
    /// Those of the range, its left edge left out, without stale markers.
    pub samples: Vec<(i64, f64)>,
    /// With those next to the range that an extension asks for.
    pub wide: Vec<(i64, f64)>,
    pub extension: Option<Extension>,
    pub start: i64,
    pub end: i64,
    pub at: i64,
}

impl Window {
    pub fn seconds(&self) -> f64 {
        (self.end - self.start) as f64 / 1_000.0
    }

    fn values(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.1).collect()
    }
}

/// The value at `moment` of the line through two samples; of one sample, if they are the same.
pub fn line(before: (i64, f64), after: (i64, f64), moment: i64) -> f64 {
    if before.0 == after.0 {
        return before.1;
    }
    before.1 + (after.1 - before.1) * (moment - before.0) as f64 / (after.0 - before.0) as f64
}

impl Naive<'_> {
    /// A range vector.
    pub fn windows(&self, expr: &Expr, at: &[i64]) -> Result<Windows> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.windows(inner, at),
            ExprKind::Matrix(range) => self.of_selector(range, at),
            ExprKind::Subquery(subquery) => self.of_subquery(subquery, at),
            _ => fail("no range vector"),
        }
    }

    fn of_selector(&self, matrix: &RangeSelector, at: &[i64]) -> Result<Windows> {
        let RangeSelector { selector, range } = matrix;
        let range = self.length(range)?;
        let lookback = self.case.lookback_ms;
        let (before, after) = match selector.extension {
            None => (0, 0),
            Some(Extension::Anchored) => (lookback, 0),
            Some(Extension::Smoothed) => (lookback, lookback),
        };
        let mut all = Windows::new();
        for series in self.matching(selector)? {
            let mut windows = Vec::new();
            for &at in at {
                let end = self.moment(&selector.time, at)?;
                let start = end - range;
                windows.push(Window {
                    samples: between(&series.samples, start, end),
                    wide: between(&series.samples, start - before, end + after),
                    extension: selector.extension,
                    start,
                    end,
                    at,
                });
            }
            all.push((Point::new(series.tags.clone(), 0.0), windows));
        }
        Ok(all)
    }

    fn of_subquery(&self, subquery: &Subquery, at: &[i64]) -> Result<Windows> {
        let range = self.length(&subquery.range)?;
        let step = match &subquery.step {
            Some(step) => self.length(step)?,
            None => self.case.subquery_step_ms,
        };
        let mut ends = Vec::new();
        for &at in at {
            ends.push(self.moment(&subquery.time, at)?);
        }
        // The inside is evaluated at all multiples of the step from the first range to the last.
        let (Some(first), Some(last)) = (ends.first(), ends.last()) else {
            return Ok(Windows::new());
        };
        let moments: Vec<i64> = multiples(step, first - range, *last);
        let inner = self.vector(&subquery.expr, &moments)?;
        let mut known: Vec<&Point> = Vec::new();
        let mut seen = BTreeSet::new();
        for point in inner.iter().flatten() {
            if seen.insert(&point.tags) {
                known.push(point);
            }
        }
        let mut all = Windows::new();
        for one in known {
            let mut series = Vec::new();
            for (&moment, points) in moments.iter().zip(&inner) {
                let here = points.iter().find(|point| point.tags == one.tags);
                series.extend(here.map(|point| (moment, point.value)));
            }
            let window = |(&at, &end): (&i64, &i64)| {
                let inside = |(time, _): &&(i64, f64)| *time > end - range && *time <= end;
                let samples: Vec<(i64, f64)> = series.iter().filter(inside).copied().collect();
                let wide = samples.clone();
                Window {
                    samples,
                    wide,
                    extension: None,
                    start: end - range,
                    end,
                    at,
                }
            };
            all.push((one.clone(), at.iter().zip(&ends).map(window).collect()));
        }
        Ok(all)
    }

    /// A function of a range vector.
    pub fn over_time(&self, call: &Call, at: &[i64]) -> Result<Vec<Value>> {
        let matrix = usize::from(call.function == Function::QuantileOverTime);
        let mut numbers = Vec::new();
        for (i, arg) in call.args.iter().enumerate() {
            if i != matrix {
                numbers.push(self.scalar(arg, at)?);
            }
        }
        if call.function == Function::DoubleExponentialSmoothing {
            let bad = |factor: &&f64| !(**factor > 0.0 && **factor < 1.0);
            if numbers.iter().flatten().find(bad).is_some() {
                return fail("a smoothing factor is out of range");
            }
        }
        let keeps_name = matches!(
            call.function,
            Function::FirstOverTime | Function::LastOverTime
        );
        let mut steps = vec![Vec::new(); at.len()];
        let mut origins = Origins::default();
        for (series, windows) in self.windows(&call.args[matrix], at)? {
            let mut becomes = series.clone();
            if !keeps_name {
                self.rename(&mut becomes);
            }
            for (i, window) in windows.iter().enumerate() {
                let numbers: Vec<f64> = numbers.iter().map(|of_steps| of_steps[i]).collect();
                if let Some(value) = of_window(call.function, window, &numbers) {
                    origins.note(&series.tags, &becomes.tags)?;
                    steps[i].push(Point {
                        value,
                        ..becomes.clone()
                    });
                }
            }
        }
        distinct(steps)
    }
}

fn between(samples: &[(i64, f64)], start: i64, end: i64) -> Vec<(i64, f64)> {
    let inside =
        |(time, value): &&(i64, f64)| *time > start && *time <= end && !is_stale_marker(*value);
    samples.iter().filter(inside).copied().collect()
}

/// The multiples of `step` after `start`, up to `end`.
fn multiples(step: i64, start: i64, end: i64) -> Vec<i64> {
    let mut moment = start - start.rem_euclid(step) + step;
    let mut moments = Vec::new();
    while moment <= end {
        moments.push(moment);
        moment += step;
    }
    moments
}

/// What `function` makes of a window; nothing of one without samples.
fn of_window(function: Function, window: &Window, numbers: &[f64]) -> Option<f64> {
    use Function as F;
    match function {
        F::Rate | F::Increase | F::Delta | F::Irate | F::Idelta | F::Changes | F::Resets => {
            return rate::of_window(function, window);
        }
        _ => {}
    }
    let (values, samples) = (window.values(), &window.samples);
    let (&(first_ms, first), &(last_ms, last)) = (samples.first()?, samples.last()?);
    Some(match function {
        F::AvgOverTime => mean(&values),
        F::SumOverTime => sum(&values),
        F::CountOverTime => values.len() as f64,
        F::PresentOverTime => 1.0,
        F::MinOverTime => samples[extreme(&values, |new, old| new < old)].1,
        F::MaxOverTime => samples[extreme(&values, |new, old| new > old)].1,
        F::TsOfMinOverTime => time(samples[extreme(&values, |new, old| new <= old)].0),
        F::TsOfMaxOverTime => time(samples[extreme(&values, |new, old| new >= old)].0),
        F::FirstOverTime => first,
        F::LastOverTime => last,
        F::TsOfFirstOverTime => time(first_ms),
        F::TsOfLastOverTime => time(last_ms),
        F::StddevOverTime => deviation(&values).sqrt(),
        F::StdvarOverTime => deviation(&values),
        F::QuantileOverTime => quantile(numbers[0], &values),
        F::MadOverTime if values.iter().any(|value| value.is_nan()) => f64::NAN,
        F::MadOverTime => {
            let median = quantile(0.5, &values);
            let away: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
            quantile(0.5, &away)
        }
        F::Deriv | F::PredictLinear if samples.len() < 2 => return None,
        F::Deriv => linear(samples, first_ms).0,
        F::PredictLinear => {
            let (slope, intercept) = linear(samples, window.at);
            slope * numbers[0] + intercept
        }
        F::DoubleExponentialSmoothing => return smooth(&values, numbers[0], numbers[1]),
        other => panic!("{} is no function of a range vector", other.name()),
    })
}

/// The place of the value that is better than all before it; anything is better than NaN.
fn extreme(values: &[f64], better: impl Fn(f64, f64) -> bool) -> usize {
    let mut best = 0;
    for (i, &value) in values.iter().enumerate() {
        if i > 0 && (better(value, values[best]) || values[best].is_nan()) {
            best = i;
        }
    }
    best
}

fn time(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

/// Holt's linear smoothing: a level and a trend, each a weighted mean of what is seen and foreseen.
fn smooth(values: &[f64], level_weight: f64, trend_weight: f64) -> Option<f64> {
    let (&[first, second, ..], mut before) = (values, 0.0) else {
        return None;
    };
    let (mut level, mut trend) = (first, second - first);
    for (i, &value) in values.iter().enumerate().skip(1) {
        if i > 1 {
            trend = trend_weight * (level - before) + (1.0 - trend_weight) * trend;
        }
        before = level;
        level = level_weight * value + (1.0 - level_weight) * (level + trend);
    }
    Some(level)
}
