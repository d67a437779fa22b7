//! Rows: windows of one series as bytes, column by column.
//!
//!   ┌ ver ┐┌ type ┐┌ res ┐┌ same ┐┌ count ┐┌ first ┐┌ starts, counts, first and last offsets ┐┌ values ┐┌ crc ┐
//!   │  1  ││  1   ││ 1,2 ││  u8  ││varint ││ signed││        four columns of integers        ││ below  ││ u32 │
//!   └─────┘└──────┘└─────┘└──────┘└───────┘└───────┘└────────────────────────────────────────┘└────────┘└─────┘
//!
//! Starts are numbers of windows after the first; offsets are milliseconds after the start. Then come
//! the columns of values: last, and, unless `same` says that they follow from others in every row,
//! first, min, max, sum and increase. A counter without a restart in any window has min = first,
//! max = last and increase = last − first; a gauge has no increase at all.
//!
//! The version byte is that of chunks of samples, and the type byte tells the two apart.
//!
//! I-ROWS-1  decode(encode(rows)) is rows, bit for bit.
//! I-ROWS-2  No bytes make decoding panic or reserve memory beyond [`chunk::SAMPLES_MAX`] rows.
//! Proved by: rollup/tests.rs, `cargo xtask fuzz`.

use tinyobs_model::{Resolution, Rollup, Sample};

use crate::bytes::{Reader, put_signed, put_varint};
use crate::chunk::values::{put_values, read_values};
use crate::chunk::{self, ChunkError, ints};

const VERSION: u8 = 1;
const TYPE_ROLLUP: u8 = 1;
const CHECKSUM_BYTES: usize = 4;

const ENDED_NEVER: u8 = 1;
const MIN_IS_FIRST: u8 = 1 << 1;
const MAX_IS_LAST: u8 = 1 << 2;
const INCREASE_IS_STEP: u8 = 1 << 3;
const NO_INCREASE: u8 = 1 << 4;
const FIRST_IS_LAST: u8 = 1 << 5;

/// Compresses rows of one series, 1..=[`chunk::SAMPLES_MAX`] of them, windows ascending.
pub fn encode(resolution: Resolution, rows: &[Rollup], out: &mut Vec<u8>) {
    let Some(first) = rows.first() else {
        unreachable!("a chunk holds at least one row");
    };
    debug_assert!(rows.len() <= chunk::SAMPLES_MAX);
    let from = out.len();
    let same = sameness(rows);
    out.extend_from_slice(&[VERSION, TYPE_ROLLUP, resolution as u8, same]);
    put_varint(out, rows.len() as u64);
    let width_ms = resolution.width_ms();
    let first_window = first.start_ms.div_euclid(width_ms);
    put_signed(out, first_window);
    let mut ints_of = |of: &dyn Fn(&Rollup) -> i64| {
        let column: Vec<i64> = rows.iter().map(of).collect();
        ints::encode(&column, out);
    };
    ints_of(&|row| row.start_ms.div_euclid(width_ms) - first_window);
    ints_of(&|row| row.count as i64);
    ints_of(&|row| row.first.time_ms - row.start_ms);
    ints_of(&|row| row.last.time_ms - row.start_ms);
    if same & ENDED_NEVER == 0 {
        ints_of(&|row| i64::from(row.ended));
    }
    let mut values_of = |unless: u8, of: &dyn Fn(&Rollup) -> f64| {
        if same & unless == 0 {
            let column: Vec<f64> = rows.iter().map(of).collect();
            put_values(out, &column);
        }
    };
    values_of(0, &|row| row.last.value);
    values_of(FIRST_IS_LAST, &|row| row.first.value);
    values_of(MIN_IS_FIRST, &|row| row.min);
    values_of(MAX_IS_LAST, &|row| row.max);
    values_of(0, &|row| row.sum);
    values_of(INCREASE_IS_STEP | NO_INCREASE, &|row| row.increase);
    let checksum = crc32fast::hash(&out[from..]);
    out.extend_from_slice(&checksum.to_le_bytes());
}

/// Which columns follow from others, in every row.
fn sameness(rows: &[Rollup]) -> u8 {
    let bits = f64::to_bits;
    let all = |flag: u8, holds: &dyn Fn(&Rollup) -> bool| {
        if rows.iter().all(holds) { flag } else { 0 }
    };
    let step = |row: &Rollup| row.last.value - row.first.value;
    all(ENDED_NEVER, &|row| !row.ended)
        | all(MIN_IS_FIRST, &|row| bits(row.min) == bits(row.first.value))
        | all(MAX_IS_LAST, &|row| bits(row.max) == bits(row.last.value))
        | all(FIRST_IS_LAST, &|row| {
            bits(row.first.value) == bits(row.last.value)
        })
        | all(INCREASE_IS_STEP, &|row| {
            bits(row.increase) == bits(step(row))
        })
        | all(NO_INCREASE, &|row| bits(row.increase) == bits(f64::NAN))
}

/// Appends the rows of a chunk to `out`, and returns their resolution.
///
/// # Errors
/// The bytes are damaged, or of a newer version.
pub fn decode(bytes: &[u8], out: &mut Vec<Rollup>) -> Result<Resolution, ChunkError> {
    let (body, checksum) = bytes
        .split_last_chunk::<CHECKSUM_BYTES>()
        .ok_or(ChunkError::Checksum)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
        return Err(ChunkError::Checksum);
    }
    decode_body(body, out).ok_or(ChunkError::Malformed)
}

fn decode_body(body: &[u8], out: &mut Vec<Rollup>) -> Option<Resolution> {
    let mut reader = Reader::new(body);
    let [version, row_type, resolution, same] = *reader.take(4)?.first_chunk()?;
    if (version, row_type) != (VERSION, TYPE_ROLLUP) {
        return None;
    }
    let resolution = Resolution::ALL
        .into_iter()
        .find(|known| *known as u8 == resolution && *known != Resolution::Raw)?;
    let count = usize::try_from(reader.varint()?).ok()?;
    if count == 0 || count > chunk::SAMPLES_MAX {
        return None;
    }
    let first_window = reader.signed()?;
    let mut column = || {
        let mut column = Vec::new();
        ints::decode(&mut reader, count, &mut column)?;
        Some(column)
    };
    let (starts, counts, firsts, lasts) = (column()?, column()?, column()?, column()?);
    let ended = match same & ENDED_NEVER {
        0 => column()?,
        _ => vec![0; count],
    };
    let mut values = |unless: u8, instead: &[f64]| {
        if same & unless != 0 {
            return Some(instead.to_vec());
        }
        let mut column = Vec::new();
        read_values(&mut reader, count, &mut column)?;
        Some(column)
    };
    let last = values(0, &[])?;
    let first = values(FIRST_IS_LAST, &last)?;
    let min = values(MIN_IS_FIRST, &first)?;
    let max = values(MAX_IS_LAST, &last)?;
    let sum = values(0, &[])?;
    let increase = match same {
        same if same & NO_INCREASE != 0 => vec![f64::NAN; count],
        same if same & INCREASE_IS_STEP != 0 => last
            .iter()
            .zip(&first)
            .map(|(last, first)| last - first)
            .collect(),
        _ => values(0, &[])?,
    };
    reader.is_empty().then_some(())?;
    for place in 0..count {
        let window = first_window.wrapping_add(starts[place]);
        let start_ms = window.wrapping_mul(resolution.width_ms());
        let at = |offset: i64, value| Sample::new(start_ms.wrapping_add(offset), value);
        out.push(Rollup {
            start_ms,
            count: counts[place] as u64,
            sum: sum[place],
            min: min[place],
            max: max[place],
            first: at(firsts[place], first[place]),
            last: at(lasts[place], last[place]),
            increase: increase[place],
            ended: ended[place] != 0,
        });
    }
    Some(resolution)
}
