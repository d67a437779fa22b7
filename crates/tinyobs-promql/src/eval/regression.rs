//! Regression: a straight line through the samples of a window, and a curve that follows them.

use super::stats::Sum;
use super::window::Window;

/// How steep the line is, per second.
pub(super) fn deriv(window: Window<'_>, _: [f64; 2]) -> Option<f64> {
    if window.values.len() < 2 {
        return None;
    }
    let first = *window.times.first()?;
    Some(line(window, first).0)
}

/// Where the line is `seconds` after the moment of evaluation.
pub(super) fn predict_linear(window: Window<'_>, [seconds, _]: [f64; 2]) -> Option<f64> {
    if window.values.len() < 2 {
        return None;
    }
    let (slope, intercept) = line(window, window.at_ms);
    Some(slope * seconds + intercept)
}

/// Slope, and height at `zero_ms`, of the line nearest to all samples.
fn line(window: Window<'_>, zero_ms: i64) -> (f64, f64) {
    let first = window.values[0];
    if window.values.iter().all(|&value| value == first) {
        // Exactly level, whatever rounding would make of it.
        return if first.is_infinite() {
            (f64::NAN, f64::NAN)
        } else {
            (0.0, first)
        };
    }
    let [mut x, mut y, mut xy, mut xx] = [Sum::default(); 4];
    for (&time, &value) in window.times.iter().zip(window.values) {
        let at = (time - zero_ms) as f64 / 1_000.0;
        x = x.plus(at);
        y = y.plus(value);
        xy = xy.plus(at * value);
        xx = xx.plus(at * at);
    }
    let n = window.values.len() as f64;
    let [x, y, xy, xx] = [x, y, xy, xx].map(|sum| sum.sum + sum.lost);
    let slope = (xy - x * y / n) / (xx - x * x / n);
    (slope, y / n - slope * x / n)
}

/// `double_exponential_smoothing`: the level at the end, by how much newer samples weigh more, and
/// by how much newer trends do.
pub(super) fn smoothed(window: Window<'_>, [factor, trend_factor]: [f64; 2]) -> Option<f64> {
    let [first, second, ..] = *window.values else {
        return None;
    };
    let (mut before, mut level, mut trend) = (0.0, first, second - first);
    for (i, &value) in window.values[1..].iter().enumerate() {
        let raw = factor * value;
        if i > 0 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        let follows = (1.0 - factor) * (level + trend);
        (before, level) = (level, raw + follows);
    }
    Some(level)
}
