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
use crate::bytes::{Reader, put_signed, put_varint, varint_len, zigzag};

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
    let Some(&first) = column.first() else {
        return;
    };
    let frames = Frames::of(column);
    if frames.all.width() > 0 {
        let pairs = column.windows(2);
        let differences: Vec<i64> = pairs.map(|pair| pair[1].wrapping_sub(pair[0])).collect();
        let frames_of_differences = Frames::of(&differences);
        if frames_of_differences.bytes() + varint_len(zigzag(first)) < frames.bytes() {
            put_signed(out, first);
            out[how] = DIFFERENCES | encode_rest(&differences, &frames_of_differences, out);
            return;
        }
    }
    out[how] = encode_rest(column, &frames, out);
}

/// What the first byte of a column says, for people.
pub fn describe(how: u8) -> String {
    let mut words = vec![if how & DIFFERENCES == 0 {
        "as they are"
    } else {
        "differences"
    }];
    if how & FACTOR != 0 {
        words.push("common factor");
    }
    words.push(match how {
        how if how & CODED != 0 => "coded",
        how if how & BLOCKS != 0 => "blocks",
        _ => "one block",
    });
    words.join(", ")
}

/// The ways to pack a column.
struct Frames {
    /// One frame that holds all values.
    all: Frame,
    /// One frame, with exceptions if that is shorter.
    one: Frame,
    /// Bytes of blocks with a frame each.
    bytes_of_blocks: usize,
}

impl Frames {
    fn of(column: &[i64]) -> Self {
        let (mut all, mut bytes_of_blocks) = (Frame::all(&[]), 0);
        for frame in column.chunks(BLOCK).map(Frame::all) {
            all = all.and(frame);
            bytes_of_blocks += frame.bytes();
        }
        let one = all.patched(column);
        Self {
            all,
            one,
            bytes_of_blocks,
        }
    }

    /// Bytes of the shorter way.
    fn bytes(&self) -> usize {
        self.one.bytes().min(self.bytes_of_blocks)
    }
}

fn encode_rest(rest: &[i64], frames: &Frames, out: &mut Vec<u8>) -> u8 {
    let Some((base, factor)) = common_factor(rest) else {
        return encode_layout(rest, frames, out);
    };
    put_signed(out, base);
    put_varint(out, factor as u64);
    let quotients = rest.iter().map(|value| (value - base) / factor);
    let quotients: Vec<i64> = quotients.collect();
    FACTOR | encode_layout(&quotients, &Frames::of(&quotients), out)
}

fn encode_layout(rest: &[i64], frames: &Frames, out: &mut Vec<u8>) -> u8 {
    let code = Code::of(rest, frames.all.width());
    if let Some(code) = code.filter(|code| code.bytes < frames.bytes()) {
        code.encode(rest, out);
        return CODED;
    }
    if frames.one.bytes() <= frames.bytes_of_blocks {
        if !rest.is_empty() {
            frames.one.encode(rest, out);
        }
        return 0;
    }
    for block in rest.chunks(BLOCK) {
        Frame::all(block).encode(block, out);
    }
    BLOCKS
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

/// The first value and the largest factor, above 1, of all distances from it.
fn common_factor(rest: &[i64]) -> Option<(i64, i64)> {
    let base = *rest.first()?;
    // Without a sign: the lowest number has no opposite, and cannot be divided by −1.
    let mut factor = 0u64;
    for value in rest {
        // Too far apart to divide: left alone.
        let mut distance = value.checked_sub(base)?.unsigned_abs();
        if factor == 0 || distance % factor != 0 {
            while distance != 0 {
                (factor, distance) = (distance, factor % distance);
            }
        }
        if factor == 1 {
            return None;
        }
    }
    i64::try_from(factor)
        .ok()
        .filter(|&factor| factor > 1)
        .map(|factor| (base, factor))
}
