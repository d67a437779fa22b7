//! Packed: a block of integers less their frame, each in as few bits as most of them need.
//!
//!   ┌ frame ┐┌ width + 128 if exceptions ┐┌─ n × width bits ─┐┌ count ┐┌ (gap, high part) × count ┐
//!   │ signed││            u8             ││                  ││varint ││    varint, signed        │
//!   └───────┘└───────────────────────────┘└──────────────────┘└───────┘└──────────────────────────┘
//!
//! Subtracting the frame ("frame of reference") leaves small numbers. The few that are not, such
//! as the reset of a counter or the gap in a clock, do not widen all others: what the width does
//! not hold of them follows behind ("patched").

use super::bits::{BitWriter, word_at};
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
    min: i64,
    max: i64,
    len: usize,
    exceptions: usize,
    exception_bytes: usize,
}

impl Frame {
    /// The frame that holds every value.
    pub fn all(block: &[i64]) -> Self {
        let (mut min, mut max) = (i64::MAX, i64::MIN);
        for &value in block {
            min = min.min(value);
            max = max.max(value);
        }
        Self {
            min,
            max,
            len: block.len(),
            exceptions: 0,
            exception_bytes: 0,
        }
    }

    /// The frame that holds every value of both blocks.
    pub fn and(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            len: self.len + other.len,
            ..self
        }
    }

    /// Bits of a value less the frame.
    pub fn width(self) -> u32 {
        64 - (self.max.wrapping_sub(self.min) as u64).leading_zeros()
    }

    /// Bytes that the block takes.
    pub fn bytes(self) -> usize {
        let packed = (self.len * self.width() as usize).div_ceil(8);
        varint_len(zigzag(self.min)) + 1 + packed + self.exception_bytes
    }

    /// The frame that takes the fewest bytes, or nearly so, when this one holds all of the block.
    pub fn patched(self, block: &[i64]) -> Self {
        if self.width() == 0 {
            return self;
        }
        let mut probes: [i64; PROBES] = std::array::from_fn(|i| block[i * block.len() / PROBES]);
        probes.sort_unstable();
        let usual = Self::all(&probes).width();
        // Most blocks end here. Where most values need no bits at all, a few bits are many.
        if self.width() <= usual + u32::from(usual > 0) {
            return self;
        }
        let (low, high) = without_outliers(block, probes[PROBES / 2]);
        let most = Self::between(block, low, high);
        if most.bytes() < self.bytes() {
            most
        } else {
            self
        }
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
        let mut frame = Self {
            min,
            max,
            ..Self::all(block)
        };
        for &value in block {
            let high = frame.high_part(value);
            if high != 0 {
                frame.exceptions += 1;
                frame.exception_bytes += 1 + varint_len(zigzag(high));
            }
        }
        frame.exception_bytes += usize::from(frame.exceptions > 0);
        frame
    }

    /// What the width does not hold of a value.
    fn high_part(self, value: i64) -> i64 {
        let above = value.wrapping_sub(self.min);
        above.checked_shr(self.width()).unwrap_or(0)
    }

    /// Appends the block to `out`.
    pub fn encode(self, block: &[i64], out: &mut Vec<u8>) {
        let (frame, width) = (self.min, self.width());
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

/// Reads `len` values of `width` bits.
fn unpack(packed: &[u8], width: u32, len: usize, frame: i64, out: &mut Vec<i64>) {
    let from = out.len();
    out.resize(from + len, 0);
    let out = &mut out[from..];
    macro_rules! of_width {
        ($($known:literal)*) => {
            match width {
                $($known => unpack_narrow::<$known>(packed, frame, out),)*
                _ => unpack_wide(packed, width as usize, frame, out),
            }
        };
    }
    of_width!(
        1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33
        34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56
    );
}

/// Eight values begin at a whole byte again. With the width known beforehand, so are their places
/// from there: this is what queries spend their time in.
fn unpack_narrow<const WIDTH: usize>(packed: &[u8], frame: i64, out: &mut [i64]) {
    const WINDOW: usize = 64;
    for (group, values) in out.chunks_mut(8).enumerate() {
        let rest = packed.get(group * WIDTH..).unwrap_or_default();
        let mut padded = [0; WINDOW];
        let window = rest.first_chunk().unwrap_or_else(|| {
            padded[..rest.len()].copy_from_slice(rest);
            &padded
        });
        let eight: [i64; 8] = std::array::from_fn(|i| {
            let word = word_at(window, i * WIDTH) >> (64 - WIDTH);
            frame.wrapping_add(word as i64)
        });
        match values.first_chunk_mut() {
            Some(values) => *values = eight,
            None => values.copy_from_slice(&eight[..values.len()]),
        }
    }
}

/// Wider ones than one word is sure to hold are read in two parts.
fn unpack_wide(packed: &[u8], width: usize, frame: i64, out: &mut [i64]) {
    for (i, value) in out.iter_mut().enumerate() {
        let top = word_at(packed, i * width) >> (96 - width);
        let low = word_at(packed, i * width + width - 32) >> 32;
        *value = frame.wrapping_add((top << 32 | low) as i64);
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
    loop {
        let (min, max) = (lowest(low), highest(high));
        let width = 64 - (max.wrapping_sub(min) as u64).leading_zeros() as usize;
        let bits = block.len() * width + exceptions * EXCEPTION_BYTES * 8;
        if bits < best_bits {
            (best, best_bits) = ((low, high), bits);
        }
        if low == high {
            break;
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
