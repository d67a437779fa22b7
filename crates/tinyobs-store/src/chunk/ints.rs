//! Ints: a column of integers, as differences packed into as few bits as they need.
//!
//!   integers ─▶ none │ delta │ delta of delta ─▶ blocks of 128: minimum + width + bits
//!
//!   ┌ order ┐┌ first values ┐ then per block ┌ minimum ┐┌ width ┐┌─ n × width bits ─┐
//!   │ 0,1,2 ││ signed × order│               │ signed  ││  u8   ││ lowest bit first │
//!   └───────┘└──────────────┘                └─────────┘└───────┘└──────────────────┘
//!
//! The order of differences is the one that takes the fewest bytes: 2 for a steady clock, 1 for a
//! counter, 0 for noise. Subtracting each block's minimum ("frame of reference") makes every
//! residual unsigned, and no residual is ever wider than 64 bits.
//!
//! All arithmetic wraps, so every i64 survives.

use crate::bytes::{Reader, put_signed, varint_len, zigzag};

/// Residuals that share a minimum and a width.
const BLOCK: usize = 128;
/// The highest order of differences.
const ORDER_MAX: usize = 2;

/// Appends the column to `out`. Its length is not written: the reader knows it.
pub fn encode(column: &[i64], out: &mut Vec<u8>) {
    let mut best = column.to_vec();
    let mut best_order = 0;
    let mut best_cost = cost(&best);
    let mut residuals = best.clone();
    for order in 1..=ORDER_MAX.min(column.len()) {
        difference(&mut residuals, order);
        let heads: usize = residuals[..order]
            .iter()
            .map(|&head| varint_len(zigzag(head)))
            .sum();
        let cost = heads + cost(&residuals[order..]);
        if cost < best_cost {
            best.clone_from(&residuals);
            (best_order, best_cost) = (order, cost);
        }
    }
    out.reserve(best_cost + 1);
    out.push(best_order as u8);
    let (heads, packed) = best.split_at(best_order);
    for &head in heads {
        put_signed(out, head);
    }
    for block in packed.chunks(BLOCK) {
        encode_block(block, out);
    }
}

/// Appends `count` integers to `out`; none when the bytes are malformed.
pub fn decode(reader: &mut Reader<'_>, count: usize, out: &mut Vec<i64>) -> Option<()> {
    let order = usize::from(reader.u8()?);
    if order > ORDER_MAX || order > count {
        return None;
    }
    let from = out.len();
    out.reserve(count);
    for _ in 0..order {
        out.push(reader.signed()?);
    }
    let mut left = count - order;
    while left > 0 {
        let len = left.min(BLOCK);
        decode_block(reader, len, out)?;
        left -= len;
    }
    for order in (1..=order).rev() {
        undo_difference(&mut out[from..], order);
    }
    Some(())
}

/// Replaces everything after the first `order` − 1 values by the difference to its predecessor.
fn difference(column: &mut [i64], order: usize) {
    for i in (order..column.len()).rev() {
        column[i] = column[i].wrapping_sub(column[i - 1]);
    }
}

fn undo_difference(column: &mut [i64], order: usize) {
    let mut sum = column[order - 1];
    for value in &mut column[order..] {
        sum = sum.wrapping_add(*value);
        *value = sum;
    }
}

/// The smallest value of a block and the bits that hold any value less that.
fn frame(block: &[i64]) -> (i64, u32) {
    let min = block.iter().copied().min().unwrap_or(0);
    let max = block.iter().copied().max().unwrap_or(0);
    (min, 64 - (max.wrapping_sub(min) as u64).leading_zeros())
}

fn cost(residuals: &[i64]) -> usize {
    let block_cost = |block: &[i64]| {
        let (min, width) = frame(block);
        varint_len(zigzag(min)) + 1 + (block.len() * width as usize).div_ceil(8)
    };
    residuals.chunks(BLOCK).map(block_cost).sum()
}

fn encode_block(block: &[i64], out: &mut Vec<u8>) {
    let (min, width) = frame(block);
    put_signed(out, min);
    out.push(width as u8);
    // At most 7 bits wait in `pending` before a value of at most 64 joins them.
    let (mut pending, mut bits) = (0u128, 0);
    for &value in block {
        pending |= u128::from(value.wrapping_sub(min) as u64) << bits;
        bits += width;
        while bits >= 8 {
            out.push(pending as u8);
            pending >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        out.push(pending as u8);
    }
}

fn decode_block(reader: &mut Reader<'_>, len: usize, out: &mut Vec<i64>) -> Option<()> {
    let min = reader.signed()?;
    let width = u32::from(reader.u8()?);
    match width {
        0 => out.extend(std::iter::repeat_n(min, len)),
        1..=64 => {
            let packed = reader.take((len * width as usize).div_ceil(8))?;
            unpack(packed, width, len, min, out);
        }
        _ => return None,
    }
    Some(())
}

/// Reads `len` values of `width` bits. Words are loaded eight bytes at a time: the inner loop is
/// what every query spends its time in.
fn unpack(packed: &[u8], width: u32, len: usize, min: i64, out: &mut Vec<i64>) {
    let mask = u64::MAX >> (64 - width);
    let mut words = packed.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    let (mut word, mut left) = (0u64, 0);
    for _ in 0..len {
        let mut value = word;
        if left < width {
            let next = words.next().unwrap_or(0);
            value |= next.checked_shl(left).unwrap_or(0);
            let taken = width - left;
            word = next.checked_shr(taken).unwrap_or(0);
            left = 64 - taken;
        } else {
            word = word.checked_shr(width).unwrap_or(0);
            left -= width;
        }
        out.push(min.wrapping_add((value & mask) as i64));
    }
}
