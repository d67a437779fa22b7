//! Rate: how much a window's values change, by its first and last samples.
//!
//! I-RATE-1  Samples rarely lie on the edges of the range: the change is extended to an edge that is
//!           no farther away than 1.1 usual distances, else by half such a distance; and a counter
//!           not to before it was 0.
//! I-RATE-2  A counter seldom falls: where it does is looked for once in a series, not in each of the
//!           windows, which share most of their samples.
//! Proved by: scripts/windows.test, tests/steps.rs.

use super::extended;
use super::window::Window;

/// The places of a series' samples that are less than the one before: I-RATE-2.
#[derive(Debug, Default)]
pub(super) struct Falls(Vec<usize>);

impl Falls {
    pub fn of(values: &[f64]) -> Self {
        let pairs = values.windows(2).enumerate();
        let falls = pairs.filter(|(_, pair)| pair[1] < pair[0]);
        Self(falls.map(|(place, _)| place + 1).collect())
    }

    /// `change` and what the counter had counted each time it fell inside of a window, one after the
    /// other: added up on its own first it would round in another way than Prometheus does.
    fn add_to(&self, change: f64, window: Window<'_>) -> f64 {
        if self.0.is_empty() {
            return change;
        }
        let end = window.place + window.values.len();
        let first = self.0.partition_point(|&place| place <= window.place);
        let inside = self.0[first..].iter().take_while(|&&place| place < end);
        let lost = inside.map(|place| window.values[place - 1 - window.place]);
        lost.fold(change, |sum, lost| sum + lost)
    }
}

/// How much a counter grows; per second, if so.
pub(super) fn growth(window: Window<'_>, falls: &Falls, per_second: bool) -> Option<f64> {
    change(window, Some(falls), per_second)
}

/// How much a gauge changes.
pub(super) fn delta(window: Window<'_>, _: [f64; 2]) -> Option<f64> {
    change(window, None, false)
}

/// Of a counter, if its falls are given.
fn change(window: Window<'_>, falls: Option<&Falls>, per_second: bool) -> Option<f64> {
    let is_counter = falls.is_some();
    if window.extension.is_some() {
        return extended::change(window, is_counter, per_second);
    }
    let (&[first, .., last], &[first_ms, .., last_ms]) = (window.values, window.times) else {
        return None;
    };
    let mut change = last - first;
    if let Some(falls) = falls {
        change = falls.add_to(change, window);
    }
    let seconds = |ms: i64| ms as f64 / 1_000.0;
    let sampled = seconds(last_ms - first_ms);
    let usual = sampled / (window.values.len() - 1) as f64;
    let near = usual * 1.1;
    let mut to_start = seconds(first_ms - window.start_ms);
    let mut to_end = seconds(window.end_ms - last_ms);
    // I-RATE-1
    if to_start >= near {
        to_start = usual / 2.0;
    }
    if is_counter {
        let mut to_zero = to_start;
        if change > 0.0 && first >= 0.0 {
            to_zero = sampled * (first / change);
        }
        if to_zero < to_start {
            to_start = to_zero;
        }
    }
    if to_end >= near {
        to_end = usual / 2.0;
    }
    let mut factor = (sampled + to_start + to_end) / sampled;
    if per_second {
        factor /= seconds(window.range_ms);
    }
    Some(change * factor)
}

/// How much a counter grew between the last two samples, per second.
pub(super) fn irate(window: Window<'_>, _: [f64; 2]) -> Option<f64> {
    last_change(window, true)
}

/// How much a gauge changed between the last two samples.
pub(super) fn idelta(window: Window<'_>, _: [f64; 2]) -> Option<f64> {
    last_change(window, false)
}

fn last_change(window: Window<'_>, is_rate: bool) -> Option<f64> {
    let (&[.., before, last], &[.., before_ms, last_ms]) = (window.values, window.times) else {
        return None;
    };
    let change = if is_rate && last < before {
        last
    } else {
        last - before
    };
    if !is_rate {
        return Some(change);
    }
    Some(change / ((last_ms - before_ms) as f64 / 1_000.0))
}
