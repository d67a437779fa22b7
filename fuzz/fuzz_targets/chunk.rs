//! Chunks: decode gives back the very bits that were encoded, and takes any bytes without harm.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::{Columns, Sample};
use tinyobs_store::chunk::{Chunk, SAMPLES_MAX, encode};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'b' => any_bytes(feed.rest().to_vec()),
        b'd' => damaged(&mut feed),
        _ => {
            round_trip(&samples(&mut feed));
        }
    }
});

/// Past the checksum: what a fuzzer would hardly guess is made right.
fn any_bytes(mut bytes: Vec<u8>) {
    let _ = Chunk::open(&bytes);
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    if let Some(samples) = decoded(&bytes) {
        let ascending = samples
            .windows(2)
            .all(|pair| pair[0].time_ms < pair[1].time_ms);
        if ascending {
            round_trip(&samples);
        }
    }
}

/// A valid chunk with a few bytes changed and its checksum made right again.
fn damaged(feed: &mut Feed<'_>) {
    let mut changes = Feed::new(feed.take(9));
    let mut bytes = round_trip(&samples(feed));
    bytes.truncate(bytes.len() - 4);
    while !changes.is_empty() {
        let at = changes.place(bytes.len());
        bytes[at] = changes.u8();
    }
    any_bytes(bytes);
}

/// Returns the encoded chunk.
fn round_trip(samples: &[Sample]) -> Vec<u8> {
    let mut bytes = vec![7; 3];
    encode(samples, &mut bytes);
    let bytes = bytes.split_off(3);
    let chunk = Chunk::open(&bytes).expect("what was encoded can be opened");
    let ends = (samples[0].time_ms, samples[samples.len() - 1].time_ms);
    assert_eq!((chunk.first_ms, chunk.last_ms), ends);
    assert_eq!(chunk.count, samples.len());
    let decoded = decoded(&bytes).expect("what was encoded can be decoded");
    let pairs = samples.iter().zip(&decoded);
    let wrong = pairs
        .enumerate()
        .find(|(_, (sample, found))| sample != found);
    assert_eq!(wrong, None, "the first that is not as it was");
    bytes
}

fn decoded(bytes: &[u8]) -> Option<Vec<Sample>> {
    let chunk = Chunk::open(bytes).ok()?;
    // Others' samples stand before, and must go on standing there.
    let before = Sample::new(i64::MIN, f64::NAN);
    let mut columns = Columns::default();
    columns.times.push(before.time_ms);
    columns.values.push(before.value);
    let result = chunk.decode(&mut columns);
    assert_eq!(columns.times.len(), columns.values.len());
    let mut samples: Vec<Sample> = columns.iter().collect();
    assert_eq!(samples.remove(0), before);
    if result.is_err() {
        assert_eq!(samples, [], "an error leaves something behind");
        return None;
    }
    assert_eq!(samples.len(), chunk.count);
    assert!(samples.len() <= SAMPLES_MAX);
    Some(samples)
}

/// Samples in runs: so many steps of a time and a value each, as series are made of them, some of
/// them with noise.
fn samples(feed: &mut Feed<'_>) -> Vec<Sample> {
    let mut time_ms = feed.any_size();
    let mut value = 0f64;
    let mut noise = Noise(feed.u64() | 1);
    let mut samples = vec![Sample::new(time_ms, f64::from_bits(feed.u64()))];
    while !feed.is_empty() && samples.len() < SAMPLES_MAX {
        let (way, run) = (feed.u8(), feed.run());
        let step_ms = feed.any_size().unsigned_abs().max(1);
        let number = feed.any_size();
        let digits = POWERS[usize::from(feed.u8()) % POWERS.len()];
        for _ in 0..run.min(SAMPLES_MAX - samples.len()) {
            let jitter_ms = if way & 1 == 0 { 0 } else { noise.next(step_ms) };
            let next_ms = step_ms.checked_add(jitter_ms);
            let Some(next_ms) = next_ms.and_then(|step| time_ms.checked_add_unsigned(step)) else {
                return samples;
            };
            time_ms = next_ms;
            value = match (way >> 1) % 6 {
                0 => number as f64 / digits,
                1 => value + number as f64 / digits,
                2 => f64::from_bits(number as u64),
                3 => f64::from_bits(value.to_bits() ^ noise.next(number.unsigned_abs())),
                4 => noise.next(number.unsigned_abs()) as f64 / digits,
                _ => f64::from_bits(feed.u64()),
            };
            samples.push(Sample::new(time_ms, value));
        }
    }
    samples
}

const POWERS: [f64; 8] = [1.0, 10.0, 100.0, 1e3, 1e6, 1e9, 1e15, 3.0];

/// Xorshift: the same from the same bytes.
struct Noise(u64);

impl Noise {
    /// Below `limit`; 0 when that is 0.
    fn next(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.checked_rem(limit).unwrap_or(0)
    }
}
