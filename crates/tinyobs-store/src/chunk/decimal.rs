//! Decimal: floats that people would write with few digits, as integers over a power of ten.
//!
//! 12.34, 7 and −0.5 become 1234, 700 and −50 over 10². A value takes part only if the reader's
//! division gives back its very bits, so nothing is lost: NaN, ±Inf, −0 and long fractions are
//! exceptions, kept as their bits beside the column. Too many of those and it is not a decimal
//! column at all.

/// 10^0 … 10^15: beyond, the products leave the 53 bits in which f64 counts exactly.
pub const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];
/// Adding it to a float of less than half its size rounds that to an integer, which then stands in
/// the lowest bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// Integers in the column are smaller than that, 2^51.
const SCALED_MAX: f64 = 2_251_799_813_685_248.0;
/// One exception in so many values is worth it: it costs about ten bytes, bit patterns cost about
/// seven for every value.
const VALUES_PER_EXCEPTION: usize = 8;
/// Values looked at before all others.
const PROBES: usize = 16;

/// A column of floats as scaled integers.
pub struct Scaled {
    /// Which of [`POWERS`] the integers are over.
    pub exponent: usize,
    /// The integers. An exception repeats its predecessor, which costs nothing as a difference.
    pub column: Vec<i64>,
    /// Place and bits of each value that is not in the column.
    pub exceptions: Vec<(usize, u64)>,
}

impl Scaled {
    /// The values as decimals, unless too many of them are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let allowed = values.len() / VALUES_PER_EXCEPTION + 1;
        let mut exponent = usual_exponent(values)?;
        let mut column = Vec::with_capacity(values.len());
        let mut exceptions = Vec::new();
        let mut previous = 0;
        while let Some(&value) = values.get(column.len()) {
            if let Some(scaled) = scale(value, POWERS[exponent]) {
                previous = scaled;
            } else if let Some(needed) = exponent_of(value).filter(|&needed| needed > exponent) {
                // All over again: what fitted before still does, or becomes an exception.
                exponent = needed;
                column.clear();
                exceptions.clear();
                previous = 0;
                continue;
            } else {
                exceptions.push((column.len(), value.to_bits()));
                if exceptions.len() > allowed {
                    return None;
                }
            }
            column.push(previous);
        }
        Some(Self {
            exponent,
            column,
            exceptions,
        })
    }
}

/// The exponent for some values from all over the column; none where most of them have none.
fn usual_exponent(values: &[f64]) -> Option<usize> {
    let count = PROBES.min(values.len());
    let probes = (0..count).map(|i| exponent_of(values[i * values.len() / count]));
    let (found, missing): (Vec<_>, Vec<_>) = probes.partition(Option::is_some);
    if missing.len() > found.len() + 1 {
        return None;
    }
    Some(found.into_iter().flatten().max().unwrap_or(0))
}

/// The smallest exponent at which `value` is an integer.
fn exponent_of(value: f64) -> Option<usize> {
    POWERS
        .iter()
        .position(|&power| scale(value, power).is_some())
}

/// The integer that, divided by the power, is `value` bit for bit.
#[inline]
fn scale(value: f64, power: f64) -> Option<i64> {
    let product = value * power;
    let sum = product + ROUND;
    // False for what is no number. −0 becomes 0, whose bits are others.
    let is_same =
        product.abs() < SCALED_MAX && ((sum - ROUND) / power).to_bits() == value.to_bits();
    is_same.then(|| sum.to_bits() as i64 - ROUND.to_bits() as i64)
}
