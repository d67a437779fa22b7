//! Over time: functions of the samples in a window.

use super::rate::Growth;
use super::stats::{Mean, Spread, Sum, quantile};
use super::window::Window;
use super::{extended, rate, regression};
use crate::functions::Function;

/// A function of a window and up to two scalars; a window holds one sample at least.
pub(super) type RangeFunction = fn(Window<'_>, [f64; 2]) -> Option<f64>;

/// How `function` works on a window.
pub(super) fn function(function: Function) -> RangeFunction {
    use Function as F;
    match function {
        F::AvgOverTime => |w, _| Some(Mean::of_all(w.values)),
        F::SumOverTime => |w, _| Some(Sum::of_all(w.values).value()),
        F::CountOverTime => |w, _| Some(w.values.len() as f64),
        F::PresentOverTime => |_, _| Some(1.0),
        F::FirstOverTime => |w, _| w.values.first().copied(),
        F::LastOverTime => |w, _| w.values.last().copied(),
        F::MaxOverTime => |w, _| Some(w.values[best_of(w.values, |a, b| a > b)]),
        F::MinOverTime => |w, _| Some(w.values[best_of(w.values, |a, b| a < b)]),
        F::TsOfFirstOverTime => |w, _| w.times.first().map(|&time| seconds(time)),
        F::TsOfLastOverTime => |w, _| w.times.last().map(|&time| seconds(time)),
        // The last of several that are equal.
        F::TsOfMaxOverTime => |w, _| Some(seconds(w.times[best_of(w.values, |a, b| a >= b)])),
        F::TsOfMinOverTime => |w, _| Some(seconds(w.times[best_of(w.values, |a, b| a <= b)])),
        F::StddevOverTime => |w, _| Some(variance(w.values).sqrt()),
        F::StdvarOverTime => |w, _| Some(variance(w.values)),
        F::QuantileOverTime => |w, [q, _]| Some(quantile(q, &mut w.values.to_vec())),
        F::MadOverTime => |w, _| Some(median_deviation(w.values)),
        F::Changes => extended::changes,
        F::Resets => extended::resets,
        // Of a window on its own, as rows have them.
        F::Rate => |w, _| Growth::of(w.values, true).in_window(w),
        F::Increase => |w, _| Growth::of(w.values, false).in_window(w),
        F::Delta => rate::delta,
        F::Irate => rate::irate,
        F::Idelta => rate::idelta,
        F::Deriv => regression::deriv,
        F::PredictLinear => regression::predict_linear,
        F::DoubleExponentialSmoothing => regression::smoothed,
        // All others are not about windows.
        _ => |_, _| None,
    }
}

fn seconds(time_ms: i64) -> f64 {
    time_ms as f64 / 1_000.0
}

fn best_of(values: &[f64], better: impl Fn(f64, f64) -> bool) -> usize {
    best(values.len(), |i| values[i], better)
}

/// The place of the value that is better than all before it; whatever is not a number is worse.
pub(super) fn best(
    count: usize,
    value: impl Fn(usize) -> f64,
    better: impl Fn(f64, f64) -> bool,
) -> usize {
    let mut at = 0;
    for i in 1..count {
        if better(value(i), value(at)) || value(at).is_nan() {
            at = i;
        }
    }
    at
}

fn variance(values: &[f64]) -> f64 {
    let mut spread = Spread::default();
    for &value in values {
        spread.add(value);
    }
    spread.variance()
}

/// The median of the distances from the median; not a number if one of the values is none.
fn median_deviation(values: &[f64]) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let mut sorted = values.to_vec();
    let median = quantile(0.5, &mut sorted);
    for value in &mut sorted {
        *value = (*value - median).abs();
    }
    quantile(0.5, &mut sorted)
}
