//! Chunk: a sealed run of one series' samples, compressed without loss.
//!
//!   head::series ─▶ [chunk::encode] ─▶ engine value ─▶ [Chunk::decode] ─▶ select
//!
//!   ┌ ver ┐┌ type ┐┌ times ┐┌ count ┐┌ first ┐┌ span ┐┌─ times ─┐┌─ values ─┐┌ crc ┐
//!   │  1  ││  0   ││   1   ││varint ││ signed││varint││  ints   ││          ││ u32 │
//!   └─────┘└──────┘└───────┘└───────┘└───────┘└──────┘└─────────┘└──────────┘└─────┘
//!
//! Times are one column of integers (see [`ints`]), values one column of floats (see [`values`]),
//! which begins with a byte for its encoding. That and the sample type (0 = float) leave room for
//! native histograms and better codecs without a second format.
//!
//! I-CHUNK-1  decode(encode(x)) is x, bit for bit, for every f64 and every ascending i64 times.
//! I-CHUNK-2  No bytes make decoding panic or reserve memory beyond [`SAMPLES_MAX`] samples.
//! I-CHUNK-3  A flipped bit anywhere is found by the checksum.
//! Proved by: chunk/tests.rs.

pub mod values;

mod bits;
mod coded;
mod decimal;
pub mod ints;
pub mod layout;
mod packed;

use tinyobs_model::{Columns, Sample};

use crate::bytes::{Reader, put_signed, put_varint};

/// Samples of one chunk at most; bounds what a damaged count can ask for.
pub const SAMPLES_MAX: usize = 4_096;

const VERSION: u8 = 1;
const TYPE_FLOAT: u8 = 0;
const TIMES_INTS: u8 = 1;
const CHECKSUM_BYTES: usize = 4;

/// Bytes that are not a chunk, or not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The checksum does not match.
    #[error("chunk checksum does not match")]
    Checksum,
    /// The checksum matches but the content makes no sense, or a newer version wrote it.
    #[error("chunk has an unknown version, type or encoding, or a malformed body")]
    Malformed,
}

/// A chunk's bytes with its header read.
#[derive(Debug, Clone)]
pub struct Chunk<'a> {
    /// Samples in it, at least one.
    pub count: usize,
    /// Time of the first sample, in ms.
    pub first_ms: i64,
    /// Time of the last sample, in ms.
    pub last_ms: i64,
    body: &'a [u8],
}

/// Compresses samples, which must be 1..=[`SAMPLES_MAX`] with strictly ascending times.
pub fn encode(samples: &[Sample], out: &mut Vec<u8>) {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        unreachable!("a chunk holds at least one sample");
    };
    debug_assert!(samples.len() <= SAMPLES_MAX);
    debug_assert!(
        samples
            .windows(2)
            .all(|pair| pair[0].time_ms < pair[1].time_ms)
    );
    let from = out.len();
    out.extend_from_slice(&[VERSION, TYPE_FLOAT, TIMES_INTS]);
    put_varint(out, samples.len() as u64);
    put_signed(out, first.time_ms);
    put_varint(out, last.time_ms.wrapping_sub(first.time_ms) as u64);

    let line = Line::through(first.time_ms, last.time_ms, samples.len());
    let times = samples.iter().zip(line);
    let times: Vec<i64> = times
        .map(|(sample, on_line)| sample.time_ms.wrapping_sub(on_line))
        .collect();
    ints::encode(&times, out);

    let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
    values::put_values(out, &values);
    let checksum = crc32fast::hash(&out[from..]);
    out.extend_from_slice(&checksum.to_le_bytes());
}

impl<'a> Chunk<'a> {
    /// Checks the checksum and reads the header.
    ///
    /// # Errors
    /// The bytes are damaged, or of a newer version.
    pub fn open(bytes: &'a [u8]) -> Result<Self, ChunkError> {
        let (body, checksum) = bytes
            .split_last_chunk::<CHECKSUM_BYTES>()
            .ok_or(ChunkError::Checksum)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return Err(ChunkError::Checksum);
        }
        Self::read_header(body).ok_or(ChunkError::Malformed)
    }

    /// Reads the header of bytes whose checksum was checked before.
    ///
    /// # Errors
    /// The bytes are of a newer version.
    pub fn reopen(bytes: &'a [u8]) -> Result<Self, ChunkError> {
        let (body, _) = bytes
            .split_last_chunk::<CHECKSUM_BYTES>()
            .ok_or(ChunkError::Checksum)?;
        Self::read_header(body).ok_or(ChunkError::Malformed)
    }

    fn read_header(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let [version, sample_type, times] = *reader.take(3)?.first_chunk()?;
        if (version, sample_type, times) != (VERSION, TYPE_FLOAT, TIMES_INTS) {
            return None;
        }
        let count = usize::try_from(reader.varint()?).ok()?;
        if count == 0 || count > SAMPLES_MAX {
            return None;
        }
        let first_ms = reader.signed()?;
        let last_ms = first_ms.wrapping_add(reader.varint()? as i64);
        Some(Self {
            count,
            first_ms,
            last_ms,
            body: reader.rest(),
        })
    }

    /// Appends the samples to `out`.
    ///
    /// # Errors
    /// The body is malformed; `out` is as before.
    pub fn decode(&self, out: &mut Columns) -> Result<(), ChunkError> {
        let before = out.len();
        let decoded = self.decode_columns(out);
        if decoded.is_none() {
            out.times.truncate(before);
            out.values.truncate(before);
        }
        decoded.ok_or(ChunkError::Malformed)
    }

    fn decode_columns(&self, out: &mut Columns) -> Option<()> {
        let mut reader = Reader::new(self.body);
        let before = out.times.len();
        ints::decode(&mut reader, self.count, &mut out.times)?;
        let line = Line::through(self.first_ms, self.last_ms, self.count);
        for (time, on_line) in out.times[before..].iter_mut().zip(line) {
            *time = time.wrapping_add(on_line);
        }
        values::read_values(&mut reader, self.count, &mut out.values)?;
        reader.is_empty().then_some(())
    }
}

/// The times of a clock that ticks evenly from the first to the last sample, in whole ms. Real ones
/// stay near it: nothing is left of a steady interval, and of one with jitter only the jitter.
struct Line {
    next: i64,
    step: i64,
}

impl Line {
    fn through(first_ms: i64, last_ms: i64, count: usize) -> Self {
        let steps = (count as u64).saturating_sub(1).max(1);
        let span = last_ms.wrapping_sub(first_ms) as u64;
        Self {
            next: first_ms,
            step: (span.wrapping_add(steps / 2) / steps) as i64,
        }
    }
}

impl Iterator for Line {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let on_line = self.next;
        self.next = on_line.wrapping_add(self.step);
        Some(on_line)
    }
}

#[cfg(test)]
mod tests;
