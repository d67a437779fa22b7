//! Number: a literal, remembering whether it was written as a duration.
//!
//!   lexer ─▶ [Number] ─▶ tree ─▶ print
//!
//! I-NUMBER-1  What is printed reads back as the same number.
//! Proved by: number/tests.rs.

/// A literal number.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    /// Its value; a duration in seconds.
    pub value: f64,
    /// Written with units (`1h30m`), and to be printed so.
    pub duration: bool,
}

impl Number {
    /// A number without units.
    pub fn plain(value: f64) -> Self {
        Self {
            value,
            duration: false,
        }
    }

    /// A number of seconds, written with units.
    pub fn seconds(value: f64) -> Self {
        Self {
            value,
            duration: true,
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
