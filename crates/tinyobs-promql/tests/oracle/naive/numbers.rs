//! Numbers: sums, means, spreads and quantiles, in the order of operations that Prometheus documents.
//!
//! A sum depends on how it is added up, so the way is part of the meaning: compensated, one after the
//! other. That this way is a good one is checked on every sum that a run comes by: beside it stands
//! the sum without any rounding ([`exact`]), which it may miss by no more than theory allows.

/// A compensated sum: what is added, and what rounding lost on the way.
pub fn compensated(inc: f64, sum: f64, lost: f64) -> (f64, f64) {
    let new = sum + inc;
    if new.is_infinite() {
        return (new, 0.0);
    }
    if sum.abs() >= inc.abs() {
        (new, lost + ((sum - new) + inc))
    } else {
        (new, lost + ((inc - new) + sum))
    }
}

pub fn sum(values: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0, 0.0);
    for &value in values {
        (sum, lost) = compensated(value, sum, lost);
    }
    let total = if f64::is_infinite(sum) {
        sum
    } else {
        sum + lost
    };
    near_exact(values, total);
    total
}

/// The same, beginning with the first value, so that the sum of -0 is -0.
pub fn sum_of_group(values: &[f64]) -> f64 {
    let (mut sum, mut lost) = (values[0], 0.0);
    for &value in &values[1..] {
        (sum, lost) = compensated(value, sum, lost);
    }
    let total = if sum.is_infinite() { sum } else { sum + lost };
    near_exact(values, total);
    total
}

/// The sum divided by the count; where the sum would overflow, a mean that is kept up to date.
pub fn mean(values: &[f64]) -> f64 {
    let (mut sum, mut lost, mut running) = (values[0], 0.0, false);
    for (i, &value) in values.iter().enumerate().skip(1) {
        let (before, count) = (i as f64, (i + 1) as f64);
        if !running {
            let (new, new_lost) = compensated(value, sum, lost);
            if !new.is_infinite() {
                (sum, lost) = (new, new_lost);
                continue;
            }
            running = true;
            (sum, lost) = (sum / before, lost / before);
        }
        let share = before / count;
        (sum, lost) = compensated(value / count, share * sum, share * lost);
    }
    if running {
        return sum + lost;
    }
    let count = values.len() as f64;
    sum / count + lost / count
}

/// The variance of a window, by Welford's way, compensated.
pub fn deviation(values: &[f64]) -> f64 {
    let (mut mean, mut mean_lost) = (0.0, 0.0);
    let (mut squares, mut squares_lost) = (0.0, 0.0);
    for (i, &value) in values.iter().enumerate() {
        let delta = value - (mean + mean_lost);
        (mean, mean_lost) = compensated(delta / (i + 1) as f64, mean, mean_lost);
        let rest = value - (mean + mean_lost);
        (squares, squares_lost) = compensated(delta * rest, squares, squares_lost);
    }
    (squares + squares_lost) / values.len() as f64
}

/// The variance of a group, by Welford's way.
pub fn group_deviation(values: &[f64]) -> f64 {
    let mut mean = values[0];
    let mut squares = if mean.is_finite() { 0.0 } else { f64::NAN };
    for (i, &value) in values.iter().enumerate().skip(1) {
        let delta = value - mean;
        mean += delta / (i + 1) as f64;
        squares += delta * (value - mean);
    }
    squares / values.len() as f64
}

/// Between the two values next to its rank; what is no number is less than everything.
pub fn quantile(q: f64, values: &[f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if !(0.0..=1.0).contains(&q) {
        return if q < 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (true, true) => std::cmp::Ordering::Equal,
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
        (false, false) => a.partial_cmp(b).expect("numbers"),
    });
    let rank = q * (sorted.len() - 1) as f64;
    let lower = rank.floor() as usize;
    let upper = (lower + 1).min(sorted.len() - 1);
    let weight = rank - rank.floor();
    sorted[lower] * (1.0 - weight) + sorted[upper] * weight
}

/// The line of least squares: its slope per second, and its value at `origin`.
pub fn linear(samples: &[(i64, f64)], origin: i64) -> (f64, f64) {
    let first = samples[0].1;
    if samples.iter().all(|sample| sample.1 == first) {
        // A level is a level, whatever rounding would make of it.
        let none = first.is_infinite();
        return if none {
            (f64::NAN, f64::NAN)
        } else {
            (0.0, first)
        };
    }
    let seconds = |ms: i64| (ms - origin) as f64 / 1_000.0;
    let total = |of: &dyn Fn(f64, f64) -> f64| {
        let (mut sum, mut lost) = (0.0, 0.0);
        for &(time, value) in samples {
            (sum, lost) = compensated(of(seconds(time), value), sum, lost);
        }
        sum + lost
    };
    let n = samples.len() as f64;
    let (x, y) = (total(&|x, _| x), total(&|_, y| y));
    let (xy, xx) = (total(&|x, y| x * y), total(&|x, _| x * x));
    let covariance = xy - x * y / n;
    let variance = xx - x * x / n;
    let slope = covariance / variance;
    (slope, y / n - slope * x / n)
}

/// The larger one, as Go says: an infinity is larger than what is no number, 0 larger than -0.
pub fn go_max(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        return f64::INFINITY;
    }
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if a == 0.0 && b == 0.0 {
        return if a.is_sign_negative() { b } else { a };
    }
    if a > b { a } else { b }
}

pub fn go_min(a: f64, b: f64) -> f64 {
    -go_max(-a, -b)
}

/// As Go's `strconv` writes it without an exponent.
pub fn go_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    format!("{value}")
}

/// Whether `total` is the sum of `values` but for what compensation may miss: half a unit in the
/// last place of the sum, and the square of the rounding of all that was added.
fn near_exact(values: &[f64], total: f64) {
    let size: f64 = values.iter().map(|value| value.abs()).sum();
    if !size.is_finite() || size > 1e300 {
        return;
    }
    let exact = exact(values);
    let n = values.len() as f64;
    let allowed = exact.abs() * f64::EPSILON + size * (n * f64::EPSILON).powi(2) + 1e-320;
    assert!(
        (total - exact).abs() <= allowed,
        "the sum of {values:?} is {exact:?}, not {total:?}"
    );
}

/// The sum without rounding: parts that do not overlap, as Shewchuk keeps them.
fn exact(values: &[f64]) -> f64 {
    let mut parts: Vec<f64> = Vec::new();
    for &value in values {
        let mut carry = value;
        let mut kept = Vec::new();
        for part in parts {
            let (large, small) = if carry.abs() < part.abs() {
                (part, carry)
            } else {
                (carry, part)
            };
            let high = large + small;
            let low = small - (high - large);
            if low != 0.0 {
                kept.push(low);
            }
            carry = high;
        }
        kept.push(carry);
        parts = kept;
    }
    parts.iter().rev().fold(0.0, |sum, part| sum + part)
}
