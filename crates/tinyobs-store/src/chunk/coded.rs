//! Coded: a long column of integers, the usual ones in fewer bits than the rare ones.
//!
//!   ┌ centre ┐┌ first bin ┐┌ bins ┐┌ code lengths ┐┌ bytes × 4 ┐┌─ 4 streams of (code, offset) ─┐
//!   │ signed ││    u8     ││  u8  ││ 4 bits each  ││  varints  ││                               │
//!   └────────┘└───────────┘└──────┘└──────────────┘└───────────┘└───────────────────────────────┘
//!
//! Every integer falls into a bin by its distance from the centre: bins double in width every two
//! steps away from it. Its bin is written as a Huffman code, short for the bins that many fall
//! into, and its place in the bin as plain bits behind the code. Four streams take turns, so that
//! the reader can work on four integers at a time.

use super::bits::{BitWriter, word_at};
use crate::bytes::{Reader, put_signed, put_varint, varint_len, zigzag};

/// Columns shorter than that are not worth the code lengths.
pub const LEN_MIN: usize = 256;

const STREAMS: usize = 4;
/// The longest code: the reader's table has 2^10 entries.
const CODE_BITS: u32 = 10;
const TABLE: usize = 1 << CODE_BITS;
/// What four bits can say.
const LENGTH_MAX: u32 = 15;
/// Bins of one power of two, as a power of two.
const SPLIT: u32 = 1;
/// Distances have at most so many bits: with a code before it, an offset fits [`word_at`].
const DISTANCE_BITS: u32 = 46;
/// The bin of distance 0. Negative distances are below.
const CENTRE: usize = ((DISTANCE_BITS - SPLIT + 1) << SPLIT) as usize;
const BINS: usize = 2 * CENTRE;
/// As many as a byte can tell apart, so that looking one up needs no check.
const BASES: usize = 256;

/// How a column is coded.
pub struct Code {
    centre: i64,
    /// First and last bin that occurs.
    first: usize,
    last: usize,
    /// Bits of each bin's code; 0 where the bin does not occur.
    lengths: [u8; BINS],
    /// Bytes that the column takes, but for the ends of the streams.
    pub bytes: usize,
}

impl Code {
    /// The code for a column whose range is `width` bits; none when there is nothing to gain from one.
    pub fn of(column: &[i64], width: u32) -> Option<Self> {
        if column.len() < LEN_MIN || !(1..DISTANCE_BITS).contains(&width) {
            return None;
        }
        let centre = usual(column);
        let mut counts = [0u32; BINS];
        for value in column {
            counts[bin(value.wrapping_sub(centre))] += 1;
        }
        let first = counts.iter().position(|&count| count > 0)?;
        let last = counts.iter().rposition(|&count| count > 0)?;
        let lengths = code_lengths(&counts);
        let bits: usize = (first..=last)
            .map(|bin| {
                counts[bin] as usize * (usize::from(lengths[bin]) + offset_bits(bin) as usize)
            })
            .sum();
        let header = varint_len(zigzag(centre)) + 2 + (last - first + 1).div_ceil(2) + 2 * STREAMS;
        (first < last).then_some(Self {
            centre,
            first,
            last,
            lengths,
            bytes: header + bits.div_ceil(8),
        })
    }

    /// Appends the column to `out`.
    pub fn encode(&self, column: &[i64], out: &mut Vec<u8>) {
        put_signed(out, self.centre);
        let used = &self.lengths[self.first..=self.last];
        out.extend_from_slice(&[self.first as u8, used.len() as u8]);
        let mut bits = BitWriter::new(out);
        for &length in used {
            bits.put(u64::from(length), 4);
        }
        bits.finish();
        // For each bin what its integers begin with, code and all, and how many bits they take.
        let mut starts = [(0i64, 0); BINS];
        for (bin, length, code) in codes(&self.lengths) {
            let width = offset_bits(bin);
            let above = (code << width) as i64;
            starts[bin] = (above.wrapping_sub(lowest(bin)), length + width);
        }
        let mut streams: [Vec<u8>; STREAMS] = Default::default();
        for (place, stream) in streams.iter_mut().enumerate() {
            stream.reserve(self.bytes / STREAMS + 64);
            let mut bits = BitWriter::new(stream);
            for four in column.chunks(STREAMS) {
                if let Some(value) = four.get(place) {
                    let distance = value.wrapping_sub(self.centre);
                    let (start, width) = starts[bin(distance)];
                    bits.put(start.wrapping_add(distance) as u64, width);
                }
            }
            bits.finish();
        }
        for stream in &streams {
            put_varint(out, stream.len() as u64);
        }
        for stream in &streams {
            out.extend_from_slice(stream);
        }
    }
}

/// Appends `count` integers to `out`; none when the bytes are malformed.
pub fn decode(reader: &mut Reader<'_>, count: usize, out: &mut Vec<i64>) -> Option<()> {
    let centre = reader.signed()?;
    let (first, used) = (usize::from(reader.u8()?), usize::from(reader.u8()?));
    let nibbles = reader.take(used.div_ceil(2))?;
    let mut lengths = [0; BINS];
    for (i, length) in lengths.get_mut(first..first + used)?.iter_mut().enumerate() {
        *length = nibbles[i / 2] >> (4 - i % 2 * 4) & 0xf;
    }
    // What the next bits begin with: the bin, above the bits of its code and offset. Its base is the
    // lowest integer in it less its code, which stands above the offset in the same bits.
    let mut table = [0; TABLE];
    let mut bases = [0; BASES];
    let mut next = 0;
    for (bin, length, code) in codes(&lengths) {
        let width = offset_bits(bin);
        let end = next + (1 << CODE_BITS.checked_sub(length)?);
        table
            .get_mut(next..end)?
            .fill((bin as u16) << 8 | (length + width) as u16);
        next = end;
        let above = code << width;
        bases[bin] = centre.wrapping_add(lowest(bin)).wrapping_sub(above as i64);
    }
    if next != TABLE {
        return None;
    }
    let mut sizes = [0; STREAMS];
    for size in &mut sizes {
        *size = reader.len(1)?;
    }
    let bytes = reader.rest();
    let mut from = 0;
    // Where each stream goes on, in bits. Each is read on into the next, whose bits do no harm.
    let [mut a, mut b, mut c, mut d] = sizes.map(|size| {
        let at = from * 8;
        from += size;
        at
    });
    reader.take(from)?;
    let first = out.len();
    out.resize(first + count, 0);
    let next = |at: &mut usize| {
        let word = word_at(bytes, *at);
        let entry = table[(word >> (64 - CODE_BITS)) as usize];
        let width = usize::from(entry & 0xff);
        *at += width;
        bases[usize::from(entry >> 8)].wrapping_add((word >> (64 - width)) as i64)
    };
    let (fours, rest) = out[first..].as_chunks_mut::<STREAMS>();
    for four in fours {
        *four = [next(&mut a), next(&mut b), next(&mut c), next(&mut d)];
    }
    for (value, at) in rest.iter_mut().zip([&mut a, &mut b, &mut c]) {
        *value = next(at);
    }
    Some(())
}

/// Each bin with the length of its code and its code. Those of one length ascend with their bins,
/// and shorter ones come before longer ones.
fn codes(lengths: &[u8; BINS]) -> impl Iterator<Item = (usize, u32, u64)> {
    let bins = lengths.iter().enumerate();
    let mut used: Vec<(u32, usize)> = bins
        .filter(|(_, length)| **length > 0)
        .map(|(bin, length)| (u32::from(*length), bin))
        .collect();
    used.sort_unstable();
    let mut next = 0;
    used.into_iter().map(move |(length, bin)| {
        let code = next >> (LENGTH_MAX - length);
        next += 1 << (LENGTH_MAX - length);
        (bin, length, code)
    })
}

/// The middle one of some values.
fn usual(column: &[i64]) -> i64 {
    const PROBES: usize = 63;
    let mut probes: [i64; PROBES] = std::array::from_fn(|i| column[i * column.len() / PROBES]);
    *probes.select_nth_unstable(PROBES / 2).1
}

fn bin(distance: i64) -> usize {
    let size = distance.unsigned_abs();
    let bits = (64 - size.leading_zeros()).max(SPLIT + 1);
    let shift = bits - 1 - SPLIT;
    // Sizes below 2^SPLIT have bins of their own.
    let place = ((shift as usize) << SPLIT) + (size >> shift) as usize;
    if distance < 0 {
        CENTRE - place
    } else {
        CENTRE + place
    }
}

fn offset_bits(bin: usize) -> u32 {
    (bin.abs_diff(CENTRE) as u32 >> SPLIT).saturating_sub(1)
}

/// The lowest distance in a bin.
fn lowest(bin: usize) -> i64 {
    let place = bin.abs_diff(CENTRE) as i64;
    let width = offset_bits(bin);
    let size = (place - (i64::from(width) << SPLIT)) << width;
    if bin < CENTRE {
        -(size + (1 << width) - 1)
    } else {
        size
    }
}

/// Bits of each bin's code: Huffman's, with the rare bins taken for less rare until no code is too
/// long.
fn code_lengths(counts: &[u32; BINS]) -> [u8; BINS] {
    let mut weights = *counts;
    loop {
        let lengths = huffman(&weights);
        if lengths.iter().all(|&length| u32::from(length) <= CODE_BITS) {
            return lengths;
        }
        for weight in &mut weights {
            *weight = weight.div_ceil(2);
        }
    }
}

fn huffman(weights: &[u32; BINS]) -> [u8; BINS] {
    // Trees in the order of their weight: bins ready-made, joined ones in the order of joining,
    // which is that of their weight, too.
    let mut leaves: Vec<(u32, usize)> = (0..BINS)
        .filter(|&bin| weights[bin] > 0)
        .map(|bin| (weights[bin], bin))
        .collect();
    leaves.sort_unstable();
    let mut nodes: Vec<(u32, [usize; 2])> = Vec::with_capacity(leaves.len());
    let (mut leaf, mut node) = (0, 0);
    let mut lightest = |nodes: &[(u32, [usize; 2])]| {
        let next_leaf = leaves.get(leaf).map_or(u32::MAX, |(weight, _)| *weight);
        let next_node = nodes.get(node).map_or(u32::MAX, |(weight, _)| *weight);
        if next_leaf <= next_node {
            leaf += 1;
            (next_leaf, leaf - 1)
        } else {
            node += 1;
            (next_node, leaves.len() + node - 1)
        }
    };
    for _ in 1..leaves.len() {
        let (a, b) = (lightest(&nodes), lightest(&nodes));
        nodes.push((a.0 + b.0, [a.1, b.1]));
    }
    let mut lengths = [0; BINS];
    let mut depths = vec![0u8; nodes.len()];
    for (place, (_, children)) in nodes.iter().enumerate().rev() {
        for &child in children {
            let depth = depths[place] + 1;
            match child.checked_sub(leaves.len()) {
                Some(node) => depths[node] = depth,
                None => lengths[leaves[child].1] = depth,
            }
        }
    }
    lengths
}
