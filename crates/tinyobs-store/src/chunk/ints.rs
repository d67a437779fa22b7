//! Ints: a column of integers, as differences in as few bits as they need.
//!
//!   integers ─▶ themselves │ differences ─▶ without common factor ─▶ packed │ coded
//!
//!   ┌ how ┐┌ first value ┐┌ base, factor ┐┌─ one block │ blocks of 128 │ coded ─┐
//!   │ u8  ││ if by diff. ││ if a factor  ││                                     │
//!   └─────┘└─────────────┘└──────────────┘└─────────────────────────────────────┘
//!
//! Counters and clocks are short as differences, noise is as it is. What is left is written in the
//! layout that takes the fewest bytes: one block for all or blocks of 128, each with its own frame
//! (see [`packed`]), or a code (see [`coded`]).
//!
//! All arithmetic wraps, so every i64 survives.

use super::coded::{self, Code};
use super::packed::{self, Frame};
use crate::bytes::{Reader, put_signed, put_varint};

/// Values that share a frame where one frame for all would be too wide.
const BLOCK: usize = 128;

/// Bits of the first byte.
const DIFFERENCES: u8 = 1;
const FACTOR: u8 = 2;
const BLOCKS: u8 = 4;
const CODED: u8 = 8;

/// Appends the column to `out`. Its length is not written: the reader knows it.
pub fn encode(column: &[i64], out: &mut Vec<u8>) {
    let how = out.len();
    out.push(0);
    let mut differences: Vec<i64> = column
        .windows(2)
        .map(|pair| pair[1].wrapping_sub(pair[0]))
        .collect();
    let mut rest;
    if !column.is_empty() && plain_bytes(&differences) < plain_bytes(column) {
        out[how] |= DIFFERENCES;
        put_signed(out, column[0]);
        rest = differences;
    } else {
        differences.clear();
        differences.extend_from_slice(column);
        rest = differences;
    }
    if let Some((base, factor)) = common_factor(&rest) {
        out[how] |= FACTOR;
        put_signed(out, base);
        put_varint(out, factor);
        for value in &mut rest {
            *value = value.wrapping_sub(base) / factor as i64;
        }
    }
    out[how] |= encode_layout(&rest, out);
}

fn encode_layout(rest: &[i64], out: &mut Vec<u8>) -> u8 {
    if rest.is_empty() {
        return 0;
    }
    let one = Frame::of(rest);
    let mut bytes = one.bytes;
    let blocks: Vec<Frame> = if rest.len() > BLOCK {
        rest.chunks(BLOCK).map(Frame::of).collect()
    } else {
        Vec::new()
    };
    let bytes_of_blocks = blocks.iter().map(|frame| frame.bytes).sum();
    let by_blocks = !blocks.is_empty() && bytes_of_blocks < bytes;
    if by_blocks {
        bytes = bytes_of_blocks;
    }
    if let Some(code) = Code::of(rest).filter(|code| code.bytes < bytes) {
        code.encode(rest, out);
        return CODED;
    }
    if by_blocks {
        for (block, frame) in rest.chunks(BLOCK).zip(blocks) {
            frame.encode(block, out);
        }
        return BLOCKS;
    }
    one.encode(rest, out);
    0
}

/// Appends `count` integers to `out`; none when the bytes are malformed.
pub fn decode(reader: &mut Reader<'_>, count: usize, out: &mut Vec<i64>) -> Option<()> {
    let how = reader.u8()?;
    let from = out.len();
    out.reserve(count);
    if how & DIFFERENCES != 0 {
        out.push(reader.signed()?);
    }
    let factor = if how & FACTOR != 0 {
        Some((reader.signed()?, reader.varint()? as i64))
    } else {
        None
    };
    let rest = out.len();
    let mut left = count.checked_sub(rest - from)?;
    match how & !(DIFFERENCES | FACTOR) {
        CODED => coded::decode(reader, left, out)?,
        0 if left > 0 => packed::decode(reader, left, out)?,
        0 => {}
        BLOCKS => {
            while left > 0 {
                let len = left.min(BLOCK);
                packed::decode(reader, len, out)?;
                left -= len;
            }
        }
        _ => return None,
    }
    if let Some((base, factor)) = factor {
        for value in &mut out[rest..] {
            *value = value.wrapping_mul(factor).wrapping_add(base);
        }
    }
    if how & DIFFERENCES != 0 {
        let mut sum = 0i64;
        for value in &mut out[from..] {
            sum = sum.wrapping_add(*value);
            *value = sum;
        }
    }
    Some(())
}

/// Bytes in blocks without exceptions: good enough to tell which of two columns is shorter.
fn plain_bytes(column: &[i64]) -> usize {
    let blocks = column.chunks(BLOCK);
    blocks.map(|block| Frame::all(block).bytes).sum()
}

/// The first value and the largest factor, above 1, of all distances from it.
fn common_factor(rest: &[i64]) -> Option<(i64, u64)> {
    let base = *rest.first()?;
    let mut factor = 0;
    for value in rest {
        // Wrapped distances are left alone: they would not divide.
        let mut distance = value.checked_sub(base)?.unsigned_abs();
        if factor != 0 && distance % factor == 0 {
            continue;
        }
        while distance != 0 {
            (factor, distance) = (distance, factor % distance);
        }
        if factor == 1 {
            return None;
        }
    }
    (factor > 1 && i64::try_from(factor).is_ok()).then_some((base, factor))
}
