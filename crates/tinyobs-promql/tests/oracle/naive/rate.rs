//! Rate: how values change within a window.

use tinyobs_promql::{Extension, Function};

use super::window::{Window, line};

pub fn of_window(function: Function, window: &Window) -> Option<f64> {
    let counter = matches!(function, Function::Rate | Function::Increase);
    match function {
        Function::Rate | Function::Increase | Function::Delta => {
            let change = if window.extension.is_some() {
                extended(window, counter)?
            } else {
                return extrapolated(window, counter, function == Function::Rate);
            };
            Some(if function == Function::Rate {
                change / window.seconds()
            } else {
                change
            })
        }
        Function::Irate | Function::Idelta => last_two(window, function == Function::Irate),
        Function::Changes => count(window, |a, b| a != b && !(a.is_nan() && b.is_nan())),
        _ => count(window, |a, b| b < a),
    }
}

/// The change between the first and the last sample, stretched to the edges of the range: all the
/// way if samples are usually that far apart (and a bit), else by half that distance; a counter no
/// farther than to where it was 0.
fn extrapolated(window: &Window, counter: bool, per_second: bool) -> Option<f64> {
    let samples = &window.samples;
    if samples.len() < 2 {
        return None;
    }
    let (first, last) = (samples[0], samples[samples.len() - 1]);
    let mut change = last.1 - first.1;
    for pair in samples.windows(2) {
        if counter && pair[1].1 < pair[0].1 {
            change += pair[0].1;
        }
    }
    let seconds = |from: i64, to: i64| (to - from) as f64 / 1_000.0;
    let covered = seconds(first.0, last.0);
    let usual = covered / (samples.len() - 1) as f64;
    let stretch = |gap: f64| if gap >= usual * 1.1 { usual / 2.0 } else { gap };
    let mut before = stretch(seconds(window.start, first.0));
    let after = stretch(seconds(last.0, window.end));
    if counter && change > 0.0 && first.1 >= 0.0 {
        let to_zero = covered * (first.1 / change);
        if to_zero < before {
            before = to_zero;
        }
    }
    let mut factor = (covered + before + after) / covered;
    if per_second {
        factor /= window.seconds();
    }
    Some(change * factor)
}

/// The change between the edges of the range, where the samples next to it are known.
fn extended(window: &Window, counter: bool) -> Option<f64> {
    let smoothed = window.extension == Some(Extension::Smoothed);
    let (start, end) = (window.start, window.end);
    let before = window
        .wide
        .iter()
        .rev()
        .find(|sample| sample.0 <= start)
        .copied();
    let after = window
        .wide
        .iter()
        .find(|sample| sample.0 >= end)
        .copied()
        .filter(|_| smoothed);
    let inner: Vec<(i64, f64)> = window.samples.clone();
    // There is something after the start, and something not after the end.
    let latest = inner.last().copied().or(after)?;
    let earliest = before
        .or(inner.first().copied())
        .filter(|sample| sample.0 <= end)?;
    let left = if smoothed && before.is_some() && earliest.0 < start {
        let next = inner.first().copied().or(after)?;
        let from = if counter && next.1 < earliest.1 {
            (earliest.0, 0.0)
        } else {
            earliest
        };
        line(from, next, start)
    } else {
        earliest.1
    };
    let right = match after {
        Some(after) if after.0 > end => {
            let from = inner.last().copied().or(before).unwrap_or(after);
            if from.0 == after.0 {
                after.1
            } else {
                let from = if counter && after.1 < from.1 {
                    (from.0, 0.0)
                } else {
                    from
                };
                line(from, after, end)
            }
        }
        Some(after) => after.1,
        None => latest.1,
    };
    let mut change = right - left;
    if counter {
        let mut lost = 0.0;
        let mut previous = left;
        let seen = inner
            .iter()
            .filter(|sample| sample.0 < end)
            .map(|sample| sample.1);
        for value in seen.chain([right]) {
            if value < previous {
                lost += previous;
            }
            previous = value;
        }
        change += lost;
    }
    Some(change)
}

fn last_two(window: &Window, is_rate: bool) -> Option<f64> {
    let [.., before, last] = window.samples.as_slice() else {
        return None;
    };
    if !is_rate {
        return Some(last.1 - before.1);
    }
    let grown = if last.1 < before.1 {
        last.1
    } else {
        last.1 - before.1
    };
    Some(grown / ((last.0 - before.0) as f64 / 1_000.0))
}

/// How often `counts` holds of a value and the one before it; an anchored range knows the value at
/// its start.
fn count(window: &Window, counts: impl Fn(f64, f64) -> bool) -> Option<f64> {
    window.samples.first()?;
    let anchored = window.extension.is_some();
    let anchor = window
        .wide
        .iter()
        .rev()
        .find(|sample| sample.0 <= window.start);
    let all = anchor
        .filter(|_| anchored)
        .into_iter()
        .chain(&window.samples);
    let values: Vec<f64> = all.map(|sample| sample.1).collect();
    Some(
        values
            .windows(2)
            .filter(|pair| counts(pair[0], pair[1]))
            .count() as f64,
    )
}
