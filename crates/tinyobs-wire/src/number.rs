//! Number: a finite `f64` in decimal, as every text of ours has it.
//!
//!   encode, answers, exposition ─▶ [Short]
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

#[cfg(test)]
mod tests;
