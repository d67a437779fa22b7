//! Window: what must be kept of a window of samples, and whether a stored row is that.
//!
//! I-ROLLUP-1 and I-ROLLUP-2 of tinyobs-model, read again: stale markers are not counted, the increase
//! is what the value went up by from sample to sample with a fall counted as a restart at 0, and a NaN
//! is passed over wherever there is something else.

use std::collections::BTreeMap;

use tinyobs_model::{Rollup, is_stale_marker};

/// Samples of a window that were rolled up together, by time.
pub type Part = BTreeMap<i64, u64>;

/// What a row must say. What cannot be known from the parts alone is none.
#[derive(Debug)]
pub struct Expected {
    count: u64,
    sum: f64,
    /// Of the absolute values: how much a different order of adding may matter.
    magnitude: f64,
    min: f64,
    max: f64,
    /// Of several parts that begin at the same time, either.
    first: Vec<(i64, u64)>,
    last: Vec<(i64, u64)>,
    increase: Option<f64>,
    /// There is an increase that is a number, whether or not anybody can say which.
    has_increase: bool,
    ended: Option<bool>,
    is_exact: bool,
}

fn values(part: &Part) -> impl DoubleEndedIterator<Item = (i64, f64)> {
    let all = part.iter().map(|(&at, &bits)| (at, f64::from_bits(bits)));
    all.filter(|(_, value)| !is_stale_marker(*value))
}

impl Expected {
    /// From the parts of a window, in the order in which they came.
    pub fn of(parts: &[Part], is_gauge: bool) -> Self {
        let all: Vec<(i64, f64)> = parts.iter().flat_map(values).collect();
        let numbers = || all.iter().map(|(_, v)| *v).filter(|v| !v.is_nan());
        let extreme = |pick: fn(f64, f64) -> f64| numbers().reduce(pick).unwrap_or(f64::NAN);
        let ends = |pick: &dyn Fn(&Part) -> Option<(i64, f64)>, wanted: i64| {
            let found = parts.iter().filter_map(pick);
            let found = found.filter(|(at, _)| *at == wanted);
            found.map(|(at, value)| (at, value.to_bits())).collect()
        };
        let times = || all.iter().map(|(at, _)| *at);
        let (first_ms, last_ms) = (times().min(), times().max());
        let ended = match parts {
            [only] => only
                .values()
                .next_back()
                .map(|bits| is_stale_marker(f64::from_bits(*bits))),
            _ => None,
        };
        Self {
            count: all.len() as u64,
            sum: all.iter().map(|(_, value)| value).sum(),
            magnitude: numbers().filter(|v| v.is_finite()).map(f64::abs).sum(),
            min: extreme(f64::min),
            max: extreme(f64::max),
            first: ends(&|part| values(part).next(), first_ms.unwrap_or(0)),
            last: ends(&|part| values(part).next_back(), last_ms.unwrap_or(0)),
            increase: if is_gauge {
                Some(f64::NAN)
            } else {
                increase_of(parts)
            },
            has_increase: !is_gauge && numbers().all(f64::is_finite),
            ended,
            is_exact: numbers().all(|v| v.fract() == 0.0 && v.abs() < 1e12),
        }
    }

    /// Says what is wrong with a stored row, if anything is.
    pub fn check(&self, row: &Rollup) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("{what}: got {row:?}, expected {self:?}"));
        if row.count != self.count {
            return wrong("count");
        }
        if self.ended.is_some_and(|ended| ended != row.ended) {
            return wrong("ended");
        }
        if self.count == 0 {
            return Ok(());
        }
        let first = (row.first.time_ms, row.first.value.to_bits());
        let last = (row.last.time_ms, row.last.value.to_bits());
        if !self.first.contains(&first) {
            return wrong("first");
        }
        if !self.last.contains(&last) {
            return wrong("last");
        }
        if !same(row.min, self.min) {
            return wrong("min");
        }
        if !same(row.max, self.max) {
            return wrong("max");
        }
        if !self.close(row.sum, self.sum) {
            return wrong("sum");
        }
        if self
            .increase
            .is_some_and(|it| !self.close(row.increase, it))
        {
            return wrong("increase");
        }
        if self.has_increase && !row.increase.is_finite() {
            return wrong("increase is no number");
        }
        Ok(())
    }

    /// Bit-equal for whole numbers, else as close as adding in another order comes.
    fn close(&self, got: f64, expected: f64) -> bool {
        if same(got, expected) {
            return true;
        }
        let room = 1e-9 * got.abs().max(expected.abs()) + 1e-12 * self.magnitude;
        !self.is_exact && room.is_finite() && (got - expected).abs() <= room
    }
}

/// The same number; a NaN is a NaN, and no zero is lower than another.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a == b || (a.is_nan() && b.is_nan())
}

/// The increase over all parts, if each came wholly before or after those that came before it. When
/// they overlap, or meet at a NaN, nobody can say it from what is kept of them.
fn increase_of(parts: &[Part]) -> Option<f64> {
    let mut so_far: Option<(i64, i64)> = None;
    for part in parts {
        let mut times = values(part).map(|(at, _)| at);
        let Some(first) = times.next() else { continue };
        let last = times.next_back().unwrap_or(first);
        let mut ends = [values(part).next(), values(part).next_back()].into_iter();
        if parts.len() > 1 && ends.any(|end| end.is_some_and(|(_, value)| value.is_nan())) {
            return None;
        }
        so_far = match so_far {
            None => Some((first, last)),
            Some((from, to)) if to < first || last < from => Some((from.min(first), to.max(last))),
            Some(_) => return None,
        };
    }
    let all: BTreeMap<i64, f64> = parts.iter().flat_map(values).collect();
    let numbers: Vec<f64> = all.into_values().filter(|value| !value.is_nan()).collect();
    let steps = numbers.windows(2).map(|pair| match pair {
        [before, after] if after < before => *after,
        [before, after] => after - before,
        _ => 0.0,
    });
    // Not `sum()`, which begins at −0.
    Some(steps.fold(0.0, |all, step| all + step))
}
