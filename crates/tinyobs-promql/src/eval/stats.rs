//! Stats: sums, means, quantiles and spreads, in Prometheus' order of operations.
//!
//! I-STATS-1  Sums are compensated (Kahan's way with Neumaier's improvement), means change to
//!            their running form only where the sum would overflow.
//! Proved by: scripts/windows.test, scripts/aggregates.test.

/// A sum and what rounding took from it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub sum: f64,
    pub lost: f64,
}

impl Sum {
    pub fn of(first: f64) -> Self {
        Self {
            sum: first,
            lost: 0.0,
        }
    }

    /// I-STATS-1
    #[must_use]
    pub fn plus(self, value: f64) -> Self {
        let sum = self.sum + value;
        let lost = if sum.is_infinite() {
            0.0
        } else if self.sum.abs() >= value.abs() {
            self.lost + ((self.sum - sum) + value)
        } else {
            self.lost + ((value - sum) + self.sum)
        };
        Self { sum, lost }
    }

    /// Of all `values`. The same as adding them one by one, without asking each time whether the
    /// sum still is a number: once it is none it stays so, and the slow way tells what it is.
    pub fn of_all(values: &[f64]) -> Self {
        let mut fast = Self::default();
        for &value in values {
            let sum = fast.sum + value;
            let (large, small) = if fast.sum.abs() >= value.abs() {
                (fast.sum, value)
            } else {
                (value, fast.sum)
            };
            fast.lost += (large - sum) + small;
            fast.sum = sum;
        }
        if fast.sum.is_finite() {
            return fast;
        }
        let add = |sum: Self, &value: &f64| sum.plus(value);
        values.iter().fold(Self::default(), add)
    }

    pub fn value(self) -> f64 {
        if self.sum.is_infinite() {
            return self.sum;
        }
        self.sum + self.lost
    }
}

/// A mean that does not overflow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mean {
    count: f64,
    /// Of the values, or their mean so far when `running`.
    sum: Sum,
    running: bool,
}

impl Mean {
    pub fn of(first: f64) -> Self {
        Self {
            count: 1.0,
            sum: Sum::of(first),
            running: false,
        }
    }

    /// Of all `values`; not a number of none.
    pub fn of_all(values: &[f64]) -> f64 {
        let Some((&first, rest)) = values.split_first() else {
            return f64::NAN;
        };
        let (sum, count) = (Sum::of_all(values), values.len() as f64);
        if sum.sum.is_finite() {
            return sum.sum / count + sum.lost / count;
        }
        let mut mean = Self::of(first);
        for &value in rest {
            mean.add(value);
        }
        mean.value()
    }

    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        let before = self.count - 1.0;
        if !self.running {
            let sum = self.sum.plus(value);
            if !sum.sum.is_infinite() {
                self.sum = sum;
                return;
            }
            self.running = true;
            self.sum.sum /= before;
            self.sum.lost /= before;
        }
        let weight = before / self.count;
        let scaled = Sum {
            sum: weight * self.sum.sum,
            lost: weight * self.sum.lost,
        };
        // The mean so far is added to the new part, not the other way round.
        self.sum = scaled.plus(value / self.count);
    }

    pub fn value(self) -> f64 {
        if self.running {
            return self.sum.sum + self.sum.lost;
        }
        self.sum.sum / self.count + self.sum.lost / self.count
    }
}

/// How far values are from their mean, by Welford's way.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spread {
    count: f64,
    mean: Sum,
    squares: Sum,
}

impl Spread {
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - (self.mean.sum + self.mean.lost);
        self.mean = self.mean.plus(delta / self.count);
        let rest = value - (self.mean.sum + self.mean.lost);
        self.squares = self.squares.plus(delta * rest);
    }

    pub fn variance(self) -> f64 {
        (self.squares.sum + self.squares.lost) / self.count
    }
}

/// The `q`-quantile; `values` are sorted on the way.
pub(super) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_unstable_by(|a, b| nan_first(*a, *b));
    let last = (values.len() - 1) as f64;
    let rank = q * last;
    let lower = rank.floor().max(0.0);
    let upper = (lower + 1.0).min(last);
    let weight = rank - rank.floor();
    values[lower as usize] * (1.0 - weight) + values[upper as usize] * weight
}

/// Ascending, what is not a number before everything.
pub(super) fn nan_first(a: f64, b: f64) -> std::cmp::Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// Whether two counts differ by no more than rounding does.
pub(super) fn almost_equal(a: f64, b: f64, tolerance: f64) -> bool {
    if a == b || a.is_nan() && b.is_nan() {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < tolerance * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < tolerance
}

#[cfg(test)]
mod tests;
