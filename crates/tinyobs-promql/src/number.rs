//! Number: a literal, remembering whether it was written as a duration.
//!
//!   lexer ─▶ [Number] ─▶ tree ─▶ print
//!
//! I-NUMBER-1  What is printed reads back as the same number.
//! Proved by: number/tests.rs.

use std::fmt;

/// A literal number.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    /// Its value; a duration in seconds.
    pub value: f64,
    /// Written with units (`1h30m`), and to be printed so.
    pub duration: bool,
}

/// Units of durations in milliseconds, from large to small; a year is 365 days.
pub const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest duration: what Prometheus holds, 2^63 nanoseconds.
pub(crate) const MILLISECONDS_MAX: i64 = i64::MAX / 1_000_000;

impl Number {
    /// A number without units.
    pub fn plain(value: f64) -> Self {
        Self {
            value,
            duration: false,
        }
    }

    /// A duration of so many milliseconds.
    pub fn milliseconds(ms: i64) -> Self {
        Self {
            // In this order, as Prometheus comes to its seconds.
            value: (ms / 1_000) as f64 + (ms % 1_000) as f64 / 1_000.0,
            duration: true,
        }
    }

    /// With units, if it is whole milliseconds.
    #[must_use]
    pub(crate) fn with_units(self) -> Self {
        let ms = (self.value * 1_000.0).round();
        let whole = Self::milliseconds(ms as i64);
        if whole.value == self.value && ms.abs() <= MILLISECONDS_MAX as f64 {
            whole
        } else {
            self
        }
    }

    /// The other way round.
    #[must_use]
    pub(crate) fn negated(self) -> Self {
        Self {
            value: -self.value,
            ..self
        }
    }
}

/// Bit by bit, but NaN equals NaN.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        let same = self.value.to_bits() == other.value.to_bits();
        self.duration == other.duration && (same || self.value.is_nan() && other.value.is_nan())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.duration {
            return write_float(f, self.value);
        }
        if self.value.is_sign_negative() {
            f.write_str("-")?;
        }
        write_duration(f, (self.value.abs() * 1_000.0).round() as i64)
    }
}

/// As Prometheus writes it: as short as it reads back, never with an exponent.
fn write_float(f: &mut fmt::Formatter<'_>, value: f64) -> fmt::Result {
    if value.is_nan() {
        return f.write_str("NaN");
    }
    if value.is_infinite() {
        return f.write_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
    write!(f, "{value}")
}

/// `1h30m`; years and weeks only where nothing is left over.
fn write_duration(f: &mut fmt::Formatter<'_>, ms: i64) -> fmt::Result {
    if ms == 0 {
        return f.write_str("0s");
    }
    let mut left = ms;
    for (unit, unit_ms) in UNITS {
        let only_whole = matches!(unit, "y" | "w");
        if left < unit_ms || only_whole && left % unit_ms != 0 {
            continue;
        }
        write!(f, "{}{unit}", left / unit_ms)?;
        left %= unit_ms;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
