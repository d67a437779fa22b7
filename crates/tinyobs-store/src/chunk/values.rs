//! Values: a column of floats, as decimals where they are some, else as their bits.
//!
//!   floats ─▶ [`decimal`] │ bits ─▶ [`ints`]
//!
//!   ┌ encoding ┐┌─ column ─┐
//!   │  1 or 2  ││          │
//!   └──────────┘└──────────┘
//!
//! Chunks of samples and of rollups are made of such columns and of [`ints`].

use super::{decimal, ints};
use crate::bytes::Reader;

const DECIMAL: u8 = 1;
const BITS: u8 = 2;

/// Appends the column to `out`. Its length is not written: the reader knows it.
pub fn put_values(out: &mut Vec<u8>, values: &[f64]) {
    if let Some(scaled) = decimal::Scaled::of(values) {
        out.push(DECIMAL);
        scaled.encode(out);
    } else {
        out.push(BITS);
        let bits: Vec<i64> = values.iter().map(|value| value.to_bits() as i64).collect();
        ints::encode(&bits, out);
    }
}

/// Appends `count` values to `out`; none when the bytes are malformed.
pub fn read_values(reader: &mut Reader<'_>, count: usize, out: &mut Vec<f64>) -> Option<()> {
    match reader.u8()? {
        DECIMAL => decimal::decode(reader, count, out),
        BITS => {
            let mut bits = Vec::with_capacity(count);
            ints::decode(reader, count, &mut bits)?;
            out.extend(bits.iter().map(|&bits| f64::from_bits(bits as u64)));
            Some(())
        }
        _ => None,
    }
}
