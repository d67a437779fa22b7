//! Decimal: floats that people would write with few digits, as integers over a power of ten.
//!
//!   ┌ exponent ┐┌ exceptions ┐┌ (gap, 64 bits) × exceptions ┐┌─ ints ─┐
//!
//! 12.34, 7 and −0.5 become 1234, 700 and −50 over 10². A value takes part only if the reader's
//! division gives back its very bits, so nothing is lost: NaN, ±Inf, −0 and long fractions are
//! exceptions, kept as their bits beside the column. Too many of those and it is not a decimal
//! column at all.

use super::ints;
use crate::bytes::{Reader, put_varint};

/// 10^0 … 10^15: beyond, the products leave the 53 bits in which f64 counts exactly.
const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];
/// The largest integer up to which every integer is an f64.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// One exception in so many values is worth it: it costs about ten bytes, bit patterns cost about
/// seven for every value.
const VALUES_PER_EXCEPTION: usize = 8;

/// A column of floats as scaled integers.
pub struct Scaled {
    exponent: usize,
    column: Vec<i64>,
    /// Place and bits of each value that is not in the column.
    exceptions: Vec<(usize, u64)>,
}

impl Scaled {
    /// The values as decimals, unless too many of them are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let allowed = values.len() / VALUES_PER_EXCEPTION + 1;
        let exponent = common_exponent(values, allowed)?;
        let mut column = Vec::with_capacity(values.len());
        let mut exceptions = Vec::new();
        // An exception repeats its predecessor in the column, which costs nothing as a difference.
        let mut previous = 0;
        for (place, &value) in values.iter().enumerate() {
            if let Some(scaled) = scale(value, exponent) {
                previous = scaled;
            } else {
                exceptions.push((place, value.to_bits()));
            }
            column.push(previous);
        }
        (exceptions.len() <= allowed).then_some(Self {
            exponent,
            column,
            exceptions,
        })
    }

    /// Appends the column to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.exponent as u8);
        put_varint(out, self.exceptions.len() as u64);
        let mut next = 0;
        for &(place, bits) in &self.exceptions {
            put_varint(out, (place - next) as u64);
            out.extend_from_slice(&bits.to_le_bytes());
            next = place + 1;
        }
        ints::encode(&self.column, out);
    }
}

/// Appends `count` values to `out`; none when the bytes are malformed.
pub fn decode(reader: &mut Reader<'_>, count: usize, out: &mut Vec<f64>) -> Option<()> {
    let power = *POWERS.get(usize::from(reader.u8()?))?;
    let exceptions = reader.len(9)?;
    if exceptions > count {
        return None;
    }
    let mut places = Vec::with_capacity(exceptions);
    let mut next = 0usize;
    for _ in 0..exceptions {
        let place = next.checked_add(usize::try_from(reader.varint()?).ok()?)?;
        places.push((place, reader.u64()?));
        next = place.checked_add(1)?;
    }
    let mut column = Vec::with_capacity(count);
    ints::decode(reader, count, &mut column)?;
    let from = out.len();
    out.extend(column.iter().map(|&scaled| scaled as f64 / power));
    for (place, bits) in places {
        *out.get_mut(from + place)? = f64::from_bits(bits);
    }
    Some(())
}

/// The smallest exponent that holds every value but `allowed` ones.
fn common_exponent(values: &[f64], allowed: usize) -> Option<usize> {
    let mut exponent = 0;
    let mut misfits = 0;
    for &value in values {
        if scale(value, exponent).is_some() {
            continue;
        }
        match (exponent + 1..POWERS.len()).find(|&e| scale(value, e).is_some()) {
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
fn scale(value: f64, exponent: usize) -> Option<i64> {
    let power = POWERS[exponent];
    let rounded = (value * power).round();
    if rounded.is_nan() || rounded.abs() >= EXACT {
        return None;
    }
    let scaled = rounded as i64;
    (scaled as f64 / power)
        .to_bits()
        .eq(&value.to_bits())
        .then_some(scaled)
}
