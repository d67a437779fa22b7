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
/// The largest integer up to which every integer is an f64.
const EXACT: i64 = 1 << 53;
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
        let exponent = common_exponent(values, allowed)?;
        let mut column = Vec::with_capacity(values.len());
        let mut exceptions = Vec::new();
        let mut previous = 0;
        for &value in values {
            if let Some(scaled) = scale(value, POWERS[exponent]) {
                previous = scaled;
            } else {
                exceptions.push((column.len(), value.to_bits()));
            }
            column.push(previous);
        }
        (exceptions.len() <= allowed).then_some(Self {
            exponent,
            column,
            exceptions,
        })
    }
}

/// The smallest exponent that holds every value but `allowed` ones.
fn common_exponent(values: &[f64], allowed: usize) -> Option<usize> {
    // From all over the column: where most are no decimals, no more needs to be known.
    let probes = (0..PROBES.min(values.len())).map(|i| values[i * values.len() / PROBES]);
    let no_decimal = |value: &f64| POWERS.iter().all(|&power| scale(*value, power).is_none());
    if probes.filter(no_decimal).count() > PROBES / 2 {
        return None;
    }
    let mut exponent = 0;
    let mut misfits = 0;
    for &value in values {
        if scale(value, POWERS[exponent]).is_some() {
            continue;
        }
        match (exponent + 1..POWERS.len()).find(|&e| scale(value, POWERS[e]).is_some()) {
            Some(found) => exponent = found,
            None => misfits += 1,
        }
        if misfits > allowed {
            return None;
        }
    }
    Some(exponent)
}

/// The integer that, divided by 10^exponent, is `value` bit for bit.
#[inline]
fn scale(value: f64, power: f64) -> Option<i64> {
    // Rounded by hand: what the standard library offers is a call on older processors.
    let scaled = (value * power + f64::copysign(0.5, value)) as i64;
    let is_same = (scaled as f64 / power).to_bits() == value.to_bits();
    (is_same && scaled.unsigned_abs() < EXACT as u64).then_some(scaled)
}
