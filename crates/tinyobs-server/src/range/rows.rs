//! Rows: what a chart draws of a window of which only a summary is left.
//!
//!   store::select_resolved ─▶ rollup rows ─▶ [points] ─▶ [`downsample`](super::downsample)
//!
//! A row knows when its first and last samples were, but not when the lowest, the highest, or a
//! restart was: those are drawn between the two, a third of the way from either.
//!
//! I-POINTS-1  The points of a row stand between its first and its last sample, in time order, each
//!           at a time of its own, inside the asked range.
//! I-POINTS-2  Of what goes up and down the lowest and the highest value of each row are among its
//!           points, also where the range cuts the row.
//! I-POINTS-3  Of what only grows the points have the row's increase over its first sample, while it
//!           holds at most one restart; further restarts take from it, and nothing adds to it.
//! Proved by: range/rows/tests.rs.

use tinyobs_model::{Rollup, Sample, TimeRange};

use super::downsample::Keep;

/// The points of `row` inside `range`, in time order.
pub fn points(row: &Rollup, keep: Keep, range: TimeRange) -> impl Iterator<Item = Sample> + use<> {
    let kept = match keep {
        _ if row.count == 0 => [None; 4],
        Keep::Extremes => extremes(row, range),
        Keep::Increase => increase(row),
    };
    let inside = move |point: &Sample| range.contains(point.time_ms);
    kept.into_iter().flatten().filter(inside)
}

/// First, lowest and highest, last. Where the range cuts the row, the two in the middle are moved
/// into it: a spike a little off its place is better than none (I-POINTS-2).
fn extremes(row: &Rollup, range: TimeRange) -> [Option<Sample>; 4] {
    let (first, last) = (row.first, last(row));
    let is_shown = |value: f64| {
        let mut ends = [Some(first), last].into_iter().flatten();
        ends.any(|end| end.value == value && range.contains(end.time_ms))
    };
    // In the direction in which the row goes, so that the line has few turns.
    let middle = if row.last.value < first.value {
        [row.max, row.min]
    } else {
        [row.min, row.max]
    };
    let from_ms = range.start_ms.max(first.time_ms.saturating_add(1));
    let to_ms = range.end_ms.min(row.last.time_ms.saturating_sub(1));
    let [one, two] = between(
        from_ms,
        to_ms,
        middle.map(|value| Some(value).filter(|_| !is_shown(value))),
    );
    [Some(first), one, two, last]
}

/// First, the peak before a restart, the 0 after it where the last value hides it, last.
fn increase(row: &Rollup) -> [Option<Sample>; 4] {
    // A sum of differences is not quite the difference of the ends.
    const NOISE: f64 = 1e-9;
    let (first, last) = (row.first, last(row));
    // Rolled up while it was taken for a gauge: nobody counted, and no restart is known.
    if row.increase.is_nan() {
        return [Some(first), None, None, last];
    }
    // What the increase is above the difference of the ends is the value before the restart.
    let peak = (row.increase - (row.last.value - first.value)).min(row.max);
    let restarted = peak > NOISE * row.max.abs() && peak >= first.value * (1.0 - NOISE);
    if !restarted {
        return [Some(first), None, None, last];
    }
    let before = Some(peak).filter(|peak| *peak > first.value);
    let after = Some(0.0).filter(|_| peak.max(first.value) <= row.last.value);
    let from_ms = first.time_ms.saturating_add(1);
    let to_ms = row.last.time_ms.saturating_sub(1);
    let [one, two] = between(from_ms, to_ms, [before, after]);
    [Some(first), one, two, last]
}

/// None when it is the first one, too.
fn last(row: &Rollup) -> Option<Sample> {
    Some(row.last).filter(|last| last.time_ms > row.first.time_ms)
}

/// The values at times of their own in `from_ms..=to_ms`, as far as there are such times.
fn between(from_ms: i64, to_ms: i64, values: [Option<f64>; 2]) -> [Option<Sample>; 2] {
    let Some(width_ms) = to_ms.checked_sub(from_ms).filter(|width_ms| *width_ms >= 0) else {
        return [None; 2];
    };
    match values {
        [Some(one), Some(two)] if width_ms > 0 => [
            Some(Sample::new(from_ms + width_ms / 3, one)),
            Some(Sample::new(to_ms - width_ms / 3, two)),
        ],
        [one, two] => {
            let at = |value| Sample::new(from_ms + width_ms / 2, value);
            [one.or(two).map(at), None]
        }
    }
}

#[cfg(test)]
mod tests;
