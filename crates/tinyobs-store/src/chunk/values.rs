//! Values: a column of floats, as decimals where they are some, else as their bits.
//!
//!   floats ─▶ [`decimal`] │ bits ─▶ [`ints`]
//!
//!   ┌ encoding ┐┌ count ┐┌ (gap, 64 bits) × count ┐┌─ column ─┐
//!   │    u8    ││ if there are exceptions         ││   ints   │
//!   └──────────┘└───────┘└────────────────────────┘└──────────┘
//!
//! The encoding is the exponent of a decimal column, with 16 added when it has exceptions; 32 is a
//! column of 64-bit patterns. Chunks of samples and of rollups are made of such columns and of
//! [`ints`].

use super::{decimal, ints};
use crate::bytes::{Reader, put_varint};

const EXCEPTIONS: u8 = 16;
const BITS: u8 = 32;

/// Appends the column to `out`. Its length is not written: the reader knows it.
pub fn put_values(out: &mut Vec<u8>, values: &[f64]) {
    let Some(scaled) = decimal::Scaled::of(values) else {
        out.push(BITS);
        let bits: Vec<i64> = values.iter().map(|value| value.to_bits() as i64).collect();
        ints::encode(&bits, out);
        return;
    };
    if scaled.exceptions.is_empty() {
        out.push(scaled.exponent as u8);
    } else {
        out.push(scaled.exponent as u8 | EXCEPTIONS);
        put_varint(out, scaled.exceptions.len() as u64);
        let mut next = 0;
        for (place, bits) in scaled.exceptions {
            put_varint(out, (place - next) as u64);
            out.extend_from_slice(&bits.to_le_bytes());
            next = place + 1;
        }
    }
    ints::encode(&scaled.column, out);
}

/// Appends `count` values to `out`; none when the bytes are malformed.
pub fn read_values(reader: &mut Reader<'_>, count: usize, out: &mut Vec<f64>) -> Option<()> {
    let encoding = reader.u8()?;
    let mut exceptions = Vec::new();
    if encoding & EXCEPTIONS != 0 {
        let len = reader.len(9)?;
        let mut next = out.len();
        for _ in 0..len {
            let place = next.checked_add(usize::try_from(reader.varint()?).ok()?)?;
            exceptions.push((place, reader.u64()?));
            next = place.checked_add(1)?;
        }
    }
    let mut column = Vec::new();
    ints::decode(reader, count, &mut column)?;
    match encoding & !EXCEPTIONS {
        0 => out.extend(column.iter().map(|&scaled| scaled as f64)),
        BITS => out.extend(column.iter().map(|&bits| f64::from_bits(bits as u64))),
        exponent => {
            let power = *decimal::POWERS.get(usize::from(exponent))?;
            out.extend(column.iter().map(|&scaled| scaled as f64 / power));
        }
    }
    for (place, bits) in exceptions {
        *out.get_mut(place)? = f64::from_bits(bits);
    }
    Some(())
}

/// How the column that `reader` stands before is encoded, for people; none when it is malformed.
pub fn describe(reader: &mut Reader<'_>) -> Option<String> {
    let encoding = reader.u8()?;
    let what = match encoding & !EXCEPTIONS {
        0 => "whole numbers".to_owned(),
        BITS => "bits".to_owned(),
        exponent => format!("decimals of {exponent} places"),
    };
    if encoding & EXCEPTIONS != 0 {
        let len = reader.len(9)?;
        for _ in 0..len {
            reader.varint()?;
            reader.u64()?;
        }
        let how = ints::describe(reader.u8()?);
        return Some(format!("{what} but {len}: {how}"));
    }
    Some(format!("{what}: {}", ints::describe(reader.u8()?)))
}
