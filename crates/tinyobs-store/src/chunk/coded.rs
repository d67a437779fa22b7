//! Coded: a long column of integers, the usual ones in fewer bits than the rare ones.
//!
//!   ┌ centre ┐┌ first bin ┐┌ bins ┐┌ code lengths ┐┌ bytes × 3 ┐┌─ 4 streams of (code, offset) ─┐
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
/// Bins of one power of two, as a power of two.
const SPLIT: u32 = 1;
/// Distances have at most so many bits: with a code before it, an offset fits [`word_at`].
const DISTANCE_BITS: u32 = 46;
/// The bin of distance 0. Negative distances are below.
const CENTRE: usize = ((DISTANCE_BITS - SPLIT + 1) << SPLIT) as usize;
const BINS: usize = 2 * CENTRE;

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
    /// The code for a column; none when there is nothing to gain from one.
    pub fn of(column: &[i64]) -> Option<Self> {
        let (min, max) = (column.iter().min()?, column.iter().max()?);
        let range = max.wrapping_sub(*min) as u64;
        if column.len() < LEN_MIN || range == 0 || range >> (DISTANCE_BITS - 1) != 0 {
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
        let codes = self.codes();
        let streams: [Vec<u8>; STREAMS] = std::array::from_fn(|stream| {
            let mut bytes = Vec::with_capacity(self.bytes / STREAMS + 64);
            let mut bits = BitWriter::new(&mut bytes);
            for &value in column.iter().skip(stream).step_by(STREAMS) {
                let distance = value.wrapping_sub(self.centre);
                let bin = bin(distance);
                let offset = distance.wrapping_sub(lowest(bin)) as u64;
                let width = offset_bits(bin);
                bits.put(
                    codes[bin] << width | offset,
                    u32::from(self.lengths[bin]) + width,
                );
            }
            bits.finish();
            bytes
        });
        for stream in &streams[..STREAMS - 1] {
            put_varint(out, stream.len() as u64);
        }
        for stream in &streams {
            out.extend_from_slice(stream);
        }
    }

    /// Codes of one length ascend with their bins, and shorter codes come before longer ones.
    fn codes(&self) -> [u64; BINS] {
        let mut codes = [0; BINS];
        let mut next = 0;
        for (bin, length) in in_order(&self.lengths) {
            codes[bin] = next >> (CODE_BITS - length);
            next += 1 << (CODE_BITS - length);
        }
        codes
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
    let table = table(&lengths)?;
    let mut bases = [0i64; BINS];
    for (bin, base) in bases.iter_mut().enumerate() {
        *base = centre.wrapping_add(lowest(bin));
    }
    let mut sizes = [0; STREAMS];
    for size in &mut sizes[..STREAMS - 1] {
        *size = usize::try_from(reader.varint()?).ok()?;
    }
    let mut streams: [&[u8]; STREAMS] = [&[]; STREAMS];
    for i in 0..STREAMS {
        // Each sees those behind it, so that only the last is short of bytes at its end.
        streams[i] = reader.rest();
        let size = if i + 1 < STREAMS {
            sizes[i]
        } else {
            streams[i].len()
        };
        reader.take(size)?;
    }
    let mut at = [0usize; STREAMS];
    let mut read = |stream: usize| {
        let word = word_at(streams[stream], at[stream]);
        let entry = table[(word >> (64 - CODE_BITS)) as usize];
        let (length, width) = (entry & 0xf, entry >> 4 & 0x3f);
        at[stream] += (length + width) as usize;
        let offset = (word << length) >> 1 >> (63 - width);
        bases[(entry >> 16) as usize].wrapping_add(offset as i64)
    };
    out.reserve(count);
    for _ in 0..count / STREAMS {
        let four: [i64; STREAMS] = std::array::from_fn(&mut read);
        out.extend_from_slice(&four);
    }
    out.extend((0..count % STREAMS).map(read));
    Some(())
}

/// What the next bits begin with: bin, offset bits and code length.
fn table(lengths: &[u8; BINS]) -> Option<[u32; TABLE]> {
    let mut table = [0; TABLE];
    let mut next = 0;
    for (bin, length) in in_order(lengths) {
        let entry = (bin as u32) << 16 | offset_bits(bin) << 4 | length;
        let end = next + (1 << CODE_BITS.checked_sub(length)?);
        table.get_mut(next..end)?.fill(entry);
        next = end;
    }
    (next == TABLE).then_some(table)
}

fn in_order(lengths: &[u8; BINS]) -> impl Iterator<Item = (usize, u32)> {
    (1..16).flat_map(|length| {
        let bins = lengths.iter().enumerate();
        bins.filter(move |(_, known)| u32::from(**known) == length)
            .map(move |(bin, _)| (bin, length))
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
