//! Extended: `anchored` and `smoothed` ranges, which know the samples next to them; also what
//! counts from one sample to the next.
//!
//!          start             end
//!   ●────────┃───●─────●──────┃────●     anchored: the sample before stands at the start
//!                                        smoothed: both edges have values on the lines

use super::window::Window;
use crate::ast::Extension;

/// The change between the edges of a range.
pub(super) fn change(window: Window<'_>, is_counter: bool, per_second: bool) -> Option<f64> {
    let (times, values) = (window.times, window.values);
    let smoothed = window.extension == Some(Extension::Smoothed);
    let mut first = first_place(window);
    let mut last = times.len().checked_sub(1)?;
    if smoothed {
        last = times
            .partition_point(|&time| time < window.end_ms)
            .min(last);
    }
    if times[last] <= window.start_ms || times[first] > window.end_ms {
        return None;
    }
    let left = if smoothed && times[first] < window.start_ms && first < last {
        between(window, first, window.start_ms, is_counter)
    } else {
        values[first]
    };
    let right = if smoothed && last > 0 && times[last] > window.end_ms {
        between(window, last - 1, window.end_ms, is_counter)
    } else {
        values[last]
    };
    let mut change = right - left;
    if is_counter {
        // The edges have their values already; only what lies between them can fall.
        first += usize::from(times[first] <= window.start_ms);
        let end = last + usize::from(times[last] < window.end_ms);
        let inner = values.get(first..end).unwrap_or_default();
        change += lost_to_resets(left, inner, right);
    }
    if per_second {
        change /= window.range_ms as f64 / 1_000.0;
    }
    Some(change)
}

/// The sample at the start of the range or before it, or the first.
fn first_place(window: Window<'_>) -> usize {
    let before = window.times.len().saturating_sub(1);
    let behind = window.times[..before].partition_point(|&time| time <= window.start_ms);
    behind.saturating_sub(1)
}

/// The value at `at` between sample `i` and the next.
fn between(window: Window<'_>, i: usize, at: i64, is_counter: bool) -> f64 {
    let (t0, t1) = (window.times[i], window.times[i + 1]);
    let (mut v0, v1) = (window.values[i], window.values[i + 1]);
    if is_counter && v1 < v0 {
        v0 = 0.0;
    }
    v0 + (v1 - v0) * (at - t0) as f64 / (t1 - t0) as f64
}

fn lost_to_resets(left: f64, inner: &[f64], right: f64) -> f64 {
    let (mut lost, mut before) = (0.0, left);
    for &value in inner.iter().chain(std::iter::once(&right)) {
        if value < before {
            lost += before;
        }
        before = value;
    }
    lost
}

/// How often the value differs from the one before it.
pub(super) fn changes(window: Window<'_>, _: [f64; 2]) -> Option<f64> {
    let differs = |a: f64, b: f64| a != b && !(a.is_nan() && b.is_nan());
    count_pairs(window, differs)
}

/// How often the value is less than the one before it.
pub(super) fn resets(window: Window<'_>, _: [f64; 2]) -> Option<f64> {
    count_pairs(window, |before, value| value < before)
}

fn count_pairs(window: Window<'_>, counts: impl Fn(f64, f64) -> bool) -> Option<f64> {
    let mut values = window.values;
    if window.extension.is_some() {
        let inside = |&time: &i64| time > window.start_ms;
        window.times.last().filter(|time| inside(time))?;
        values = &values[first_place(window)..];
    }
    let pairs = values.windows(2).filter(|pair| counts(pair[0], pair[1]));
    Some(pairs.count() as f64)
}
