//! Number: an `f64` as text, as every format of ours has it.
//!
//!   encode, answers, exposition ─▶ [Short]
//!   text format, CSV, words in JSON lines ─▶ [read]
//!
//! I-NUMBER-1  What is written reads back bit for bit, −0 among them, and is a JSON number.
//! Proved by: number/tests.rs.

use std::fmt;

/// A finite number, short: whole ones without `.0`, others in the fewest digits that read back to
/// the same bits, with an exponent when that is shorter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Short(pub f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match whole(self.0) {
            Some(whole) => write!(f, "{whole}"),
            // Debug, because Display never writes an exponent.
            None => write!(f, "{:?}", self.0),
        }
    }
}

/// `value` as an integer that says the same. Beyond 2^53 not every whole number is an `f64`, and
/// −0 is not 0.
pub fn whole(value: f64) -> Option<i64> {
    const WHOLE_MAX: u64 = 1 << 53;
    let whole = value as i64;
    (whole.unsigned_abs() <= WHOLE_MAX && (whole as f64).to_bits() == value.to_bits())
        .then_some(whole)
}

/// A number as people and programs write it: decimal, or `NaN`, `Inf` or `Infinity`, small or large,
/// with a sign or without. Digits never mean infinity: what does not fit is none.
pub fn read(text: &str) -> Option<f64> {
    let value = text.parse::<f64>().ok()?;
    if value.is_nan() {
        return Some(f64::NAN);
    }
    let is_word = || !text.contains(|c: char| c.is_ascii_digit());
    (value.is_finite() || is_word()).then_some(value)
}

#[cfg(test)]
mod tests;
