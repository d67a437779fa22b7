//! Packed: a block of integers less their frame, each in as few bits as most of them need.
//!
//!   ┌ frame ┐┌ width + 128 if exceptions ┐┌─ n × width bits ─┐┌ count ┐┌ (gap, high part) × count ┐
//!   │ signed││            u8             ││                  ││varint ││    varint, signed        │
//!   └───────┘└───────────────────────────┘└──────────────────┘└───────┘└──────────────────────────┘
//!
//! Subtracting the frame ("frame of reference") leaves small numbers. The few that are not, such
//! as the reset of a counter or the gap in a clock, do not widen all others: what the width does
//! not hold of them follows behind ("patched").

use super::bits::{BitWriter, WORD_BITS, word_at};
use crate::bytes::{Reader, put_signed, put_varint, varint_len, zigzag};

/// Set in the width's byte when exceptions follow.
const PATCHED: u8 = 0x80;
/// Bytes of an exception, about: its gap and its high part.
const EXCEPTION_BYTES: usize = 3;
/// Values of a block that are looked at to know what is usual in it.
const PROBES: usize = 15;
/// Distances by their sign and bit length: 0 is in the middle.
const CLASSES: usize = 129;
const MIDDLE: usize = 64;

/// How a block is packed.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    frame: i64,
    width: u32,
    exceptions: usize,
    /// Bytes that the block takes.
    pub bytes: usize,
}

impl Frame {
    /// The frame that takes the fewest bytes, or nearly so.
    pub fn of(block: &[i64]) -> Self {
        let all = Self::all(block);
        let mut probes = [0; PROBES];
        for (i, probe) in probes.iter_mut().enumerate() {
            *probe = block[i * block.len() / PROBES];
        }
        probes.sort_unstable();
        let usual = Self::all(&probes);
        // Most blocks end here. Those of few bits have exceptions only where most have none.
        if all.width <= usual.width + 1 && usual.width > 0 || all.width == 0 {
            return all;
        }
        let (low, high) = without_outliers(block, probes[PROBES / 2]);
        let most = Self::between(block, low, high);
        if most.bytes < all.bytes { most } else { all }
    }

    /// The frame that holds every value.
    pub fn all(block: &[i64]) -> Self {
        let (mut min, mut max) = (i64::MAX, i64::MIN);
        for &value in block {
            min = min.min(value);
            max = max.max(value);
        }
        Self::from(min, max, block.len())
    }

    /// The frame of the values from `low` to `high`, at least one; the others may be exceptions.
    fn between(block: &[i64], low: i64, high: i64) -> Self {
        let (mut min, mut max) = (i64::MAX, i64::MIN);
        for &value in block {
            if low <= value && value <= high {
                min = min.min(value);
                max = max.max(value);
            }
        }
        let mut frame = Self::from(min, max, block.len());
        for &value in block {
            let high = frame.high_part(value);
            if high != 0 {
                frame.exceptions += 1;
                frame.bytes += 1 + varint_len(zigzag(high));
            }
        }
        frame.bytes += usize::from(frame.exceptions > 0);
        frame
    }

    fn from(min: i64, max: i64, len: usize) -> Self {
        let width = 64 - (max.wrapping_sub(min) as u64).leading_zeros();
        Self {
            frame: min,
            width,
            exceptions: 0,
            bytes: varint_len(zigzag(min)) + 1 + (len * width as usize).div_ceil(8),
        }
    }

    /// What the width does not hold of a value.
    fn high_part(self, value: i64) -> i64 {
        let above = value.wrapping_sub(self.frame);
        above.checked_shr(self.width).unwrap_or(0)
    }

    /// Appends the block to `out`.
    pub fn encode(self, block: &[i64], out: &mut Vec<u8>) {
        let Self { frame, width, .. } = self;
        put_signed(out, frame);
        out.push(width as u8 | if self.exceptions > 0 { PATCHED } else { 0 });
        let mask = mask(width);
        if width > 0 {
            let mut bits = BitWriter::new(out);
            for &value in block {
                bits.put(value.wrapping_sub(frame) as u64 & mask, width);
            }
            bits.finish();
        }
        if self.exceptions > 0 {
            put_varint(out, self.exceptions as u64);
            let mut next = 0;
            for (place, &value) in block.iter().enumerate() {
                let high = self.high_part(value);
                if high != 0 {
                    put_varint(out, (place - next) as u64);
                    put_signed(out, high);
                    next = place + 1;
                }
            }
        }
    }
}

/// Appends `len` integers to `out`; none when the bytes are malformed.
pub fn decode(reader: &mut Reader<'_>, len: usize, out: &mut Vec<i64>) -> Option<()> {
    let frame = reader.signed()?;
    let flags = reader.u8()?;
    let width = u32::from(flags & !PATCHED);
    let from = out.len();
    match width {
        0 => out.resize(from + len, frame),
        1..=64 => {
            let rest = reader.rest();
            reader.take((len * width as usize).div_ceil(8))?;
            unpack(rest, width, len, frame, out);
        }
        _ => return None,
    }
    if flags & PATCHED != 0 {
        let exceptions = reader.len(2)?;
        let mut place = from;
        for _ in 0..exceptions {
            place = place.checked_add(usize::try_from(reader.varint()?).ok()?)?;
            let high = reader.signed()?.checked_shl(width)?;
            let value = out.get_mut(place)?;
            *value = value.wrapping_add(high);
            place += 1;
        }
    }
    Some(())
}

/// Reads `len` values of `width` bits. Each is loaded by itself, so that none waits for the one
/// before: this is what queries spend their time in.
fn unpack(packed: &[u8], width: u32, len: usize, frame: i64, out: &mut Vec<i64>) {
    let step = width as usize;
    if width <= WORD_BITS {
        let shift = 64 - width;
        out.extend(
            (0..len).map(|i| frame.wrapping_add((word_at(packed, i * step) >> shift) as i64)),
        );
    } else {
        let high = width - 32;
        out.extend((0..len).map(|i| {
            let top = word_at(packed, i * step) >> (64 - high);
            let low = word_at(packed, i * step + high as usize) >> 32;
            frame.wrapping_add((top << 32 | low) as i64)
        }));
    }
}

fn mask(width: u32) -> u64 {
    u64::MAX.checked_shr(64 - width).unwrap_or(0)
}

/// The bounds within which it is worth to keep values in the block. They are at powers of two from
/// `middle`, which must be in the block.
fn without_outliers(block: &[i64], middle: i64) -> (i64, i64) {
    let mut counts = [0usize; CLASSES];
    for value in block {
        counts[class(value.saturating_sub(middle))] += 1;
    }
    let (mut low, mut high) = (0, CLASSES - 1);
    let (mut best, mut best_bits) = ((low, high), usize::MAX);
    let mut exceptions = 0;
    // Leaves out the rarer end, step by step. What is in the middle stays.
    while low < high {
        let (min, max) = (lowest(low), highest(high));
        let width = 64 - (max.wrapping_sub(min) as u64).leading_zeros() as usize;
        let bits = block.len() * width + exceptions * EXCEPTION_BYTES * 8;
        if bits < best_bits {
            (best, best_bits) = ((low, high), bits);
        }
        if high == MIDDLE || low < MIDDLE && counts[low] <= counts[high] {
            exceptions += counts[low];
            low += 1;
        } else {
            exceptions += counts[high];
            high -= 1;
        }
    }
    let within = |distance: i64| middle.saturating_add(distance);
    (within(lowest(best.0)), within(highest(best.1)))
}

fn class(distance: i64) -> usize {
    let bits = 64 - distance.unsigned_abs().leading_zeros() as usize;
    if distance < 0 {
        MIDDLE - bits
    } else {
        MIDDLE + bits
    }
}

/// The lowest distance of a class.
fn lowest(class: usize) -> i64 {
    if class > MIDDLE {
        1i64.checked_shl((class - MIDDLE - 1) as u32)
            .unwrap_or(i64::MAX)
    } else {
        -highest(2 * MIDDLE - class)
    }
}

/// The highest distance of a class.
fn highest(class: usize) -> i64 {
    if class >= MIDDLE {
        mask((class - MIDDLE).min(63) as u32) as i64
    } else {
        -(1i64 << (MIDDLE - class - 1).min(62))
    }
}
