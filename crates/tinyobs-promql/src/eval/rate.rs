//! Rate: how much a window's values change, by its first and last samples.
//!
//! I-RATE-1  Samples rarely lie on the edges of the range: the change is extended to an edge that is
//!           no farther away than 1.1 usual distances, else by half such a distance; and a counter
//!           not to before it was 0.
//! I-RATE-2  A counter seldom falls: where it does is looked for once in a series, not in each of the
//!           windows, which share most of their samples.
//! I-RATE-3  How far a change is extended follows from where the first and the last sample stand in
//!           the window and how many there are: while that is as in the window before, so is the
//!           factor. Samples mostly come at equal distances, as windows do.
//! Proved by: scripts/windows.test, tests/steps.rs.

use super::extended;
use super::window::Window;

/// The growth of a counter, window by window of one series: I-RATE-2, I-RATE-3.
#[derive(Debug, Default)]
pub(super) struct Growth {
    per_second: bool,
    falls: Falls,
    edges: Edges,
}

impl Growth {
    /// Of a series with these values; per second, if so.
    pub fn of(values: &[f64], per_second: bool) -> Self {
        Self {
            per_second,
            falls: Falls::of(values),
            edges: Edges::default(),
        }
    }

    /// In one of its windows.
    #[inline]
    pub fn in_window(&mut self, window: Window<'_>) -> Option<f64> {
        if window.extension.is_some() {
            return extended::change(window, true, self.per_second);
        }
        let &[first, .., last] = window.values else {
            return None;
        };
        let change = self.falls.add_to(last - first, window);
        self.edges.stand_at(window, self.per_second)?;
        Some(change * self.edges.factor_of_counter(first, change))
    }
}

/// The places of a series' samples that are less than the one before.
#[derive(Debug, Default)]
struct Falls {
    places: Vec<usize>,
    /// How many of them lie before the window looked at last, or at its beginning.
    passed: usize,
}

impl Falls {
    fn of(values: &[f64]) -> Self {
        let pairs = values.windows(2).enumerate();
        let falls = pairs.filter(|(_, pair)| pair[1] < pair[0]);
        Self {
            places: falls.map(|(place, _)| place + 1).collect(),
            passed: 0,
        }
    }

    /// `change` and what the counter had counted each time it fell inside of a window, one after the
    /// other: added up on its own first it would round in another way than Prometheus does.
    fn add_to(&mut self, change: f64, window: Window<'_>) -> f64 {
        if self.places.is_empty() {
            return change;
        }
        // Windows go forward.
        let is_passed = |&place: &usize| place <= window.place;
        if self.passed > 0 && !is_passed(&self.places[self.passed - 1]) {
            self.passed = 0;
        }
        while self.places.get(self.passed).is_some_and(is_passed) {
            self.passed += 1;
        }
        let end = window.place + window.values.len();
        let inside = self.places[self.passed..].iter();
        let inside = inside.take_while(|&&place| place < end);
        let lost = inside.map(|place| window.values[place - 1 - window.place]);
        lost.fold(change, |sum, lost| sum + lost)
    }
}

/// Where the first and the last sample stand in a window, and how far the change between them is
/// extended for that.
#[derive(Debug, Default)]
struct Edges {
    /// From the start to the first sample, from the last one to the end, and how many samples.
    to_first_ms: i64,
    from_last_ms: i64,
    count: usize,
    per_second: bool,
    /// The rest follows from these, in seconds.
    range: f64,
    sampled: f64,
    to_start: f64,
    to_end: f64,
    factor: f64,
}

impl Edges {
    /// I-RATE-1, I-RATE-3. None with fewer than two samples.
    #[inline]
    fn stand_at(&mut self, window: Window<'_>, per_second: bool) -> Option<()> {
        let &[first_ms, .., last_ms] = window.times else {
            return None;
        };
        let (to_first_ms, from_last_ms) = (first_ms - window.start_ms, window.end_ms - last_ms);
        let is_same = (to_first_ms, from_last_ms) == (self.to_first_ms, self.from_last_ms);
        if !is_same || self.count != window.values.len() {
            let seconds = |ms: i64| ms as f64 / 1_000.0;
            let sampled = seconds(last_ms - first_ms);
            let usual = sampled / (window.values.len() - 1) as f64;
            let near = usual * 1.1;
            let to_edge = |ms: i64| {
                let seconds = seconds(ms);
                if seconds >= near {
                    usual / 2.0
                } else {
                    seconds
                }
            };
            *self = Self {
                to_first_ms,
                from_last_ms,
                count: window.values.len(),
                per_second,
                range: seconds(window.range_ms),
                sampled,
                to_start: to_edge(to_first_ms),
                to_end: to_edge(from_last_ms),
                factor: 0.0,
            };
            self.factor = self.factor_with(self.to_start);
        }
        Some(())
    }

    fn factor_with(&self, to_start: f64) -> f64 {
        let factor = (self.sampled + to_start + self.to_end) / self.sampled;
        if self.per_second {
            factor / self.range
        } else {
            factor
        }
    }

    /// A counter is not extended to before it was 0.
    #[inline]
    fn factor_of_counter(&self, first: f64, change: f64) -> f64 {
        // It was 0 longer ago than all of the window: so it is for most, and no division is needed to
        // see it.
        if first >= change && self.sampled >= self.to_start || change <= 0.0 || first < 0.0 {
            return self.factor;
        }
        let to_zero = self.sampled * (first / change);
        if to_zero < self.to_start {
            self.factor_with(to_zero)
        } else {
            self.factor
        }
    }
}

/// How much a gauge changes.
pub(super) fn delta(window: Window<'_>, _: [f64; 2]) -> Option<f64> {
    if window.extension.is_some() {
        return extended::change(window, false, false);
    }
    let mut edges = Edges::default();
    edges.stand_at(window, false)?;
    let &[first, .., last] = window.values else {
        return None;
    };
    Some((last - first) * edges.factor)
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
