//! Run: samples of one series by ascending time, packed so that the next one is cheap to append.
//!
//!   ┌ (time − time expected) ┐┌ value's bits ⊕ those before, without zero bytes at either end ┐ …
//!   │         signed         ││  zero bytes behind × 16 + bytes kept, then these              │
//!   └────────────────────────┘└──────────────────────────────────────────────────────────────┘
//!
//! A plain sample is 16 bytes, here most take 2 to 6. Expected is the interval before, once more.
//! What does not come at the end is put in its place by unpacking and packing again.

use tinyobs_model::Sample;

use crate::bytes::{Reader, put_signed};

/// Room asked for at a time: doubling would leave half of it unused.
const GROWTH: usize = 96;
/// The most that one sample takes.
const SAMPLE_BYTES_MAX: usize = 19;

/// Samples by ascending time.
#[derive(Debug, Default)]
pub struct Run {
    bytes: Vec<u8>,
    count: u32,
    first_ms: i64,
    /// Of the last sample.
    last_ms: i64,
    interval_ms: i64,
    bits: u64,
}

impl Run {
    /// Samples in it.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Puts a sample in its place; the same time again replaces the value. Returns whether the time
    /// is new.
    pub fn put(&mut self, sample: Sample) -> bool {
        if self.count == 0 || self.last_ms < sample.time_ms {
            self.push(sample);
            return true;
        }
        if self.last_ms == sample.time_ms && self.bits == sample.value.to_bits() {
            return false;
        }
        let mut samples = self.to_vec();
        let found = samples.binary_search_by_key(&sample.time_ms, |known| known.time_ms);
        match found {
            Ok(place) => samples[place] = sample,
            Err(place) => samples.insert(place, sample),
        }
        self.clear();
        for sample in samples {
            self.push(sample);
        }
        found.is_err()
    }

    fn push(&mut self, sample: Sample) {
        if self.bytes.capacity() - self.bytes.len() < SAMPLE_BYTES_MAX {
            self.bytes.reserve_exact(GROWTH);
        }
        if self.count == 0 {
            self.first_ms = sample.time_ms;
        }
        let interval_ms = sample.time_ms.wrapping_sub(self.last_ms);
        put_signed(&mut self.bytes, interval_ms.wrapping_sub(self.interval_ms));
        let changed = sample.value.to_bits() ^ self.bits;
        let behind = changed.trailing_zeros() / 8 % 8;
        let kept = 8 - changed.leading_zeros() / 8 - if changed == 0 { 0 } else { behind };
        self.bytes.push((behind << 4 | kept) as u8);
        let shifted = (changed >> (behind * 8)).to_le_bytes();
        self.bytes.extend_from_slice(&shifted[..kept as usize]);
        (self.last_ms, self.interval_ms) = (sample.time_ms, interval_ms);
        self.bits = sample.value.to_bits();
        self.count += 1;
    }

    /// First and last time, in ms; none when it is empty.
    pub fn span(&self) -> Option<(i64, i64)> {
        (self.count > 0).then_some((self.first_ms, self.last_ms))
    }

    /// Whether there is a sample of that time.
    pub fn has(&self, time_ms: i64) -> bool {
        self.count > 0
            && (self.first_ms..=self.last_ms).contains(&time_ms)
            && self.iter().any(|sample| sample.time_ms == time_ms)
    }

    /// The samples.
    pub fn iter(&self) -> impl Iterator<Item = Sample> {
        let mut reader = Reader::new(&self.bytes);
        let (mut time_ms, mut interval_ms, mut bits) = (0i64, 0i64, 0u64);
        std::iter::from_fn(move || {
            interval_ms = interval_ms.wrapping_add(reader.signed()?);
            time_ms = time_ms.wrapping_add(interval_ms);
            let form = reader.u8()?;
            let mut shifted = [0; 8];
            let kept = usize::from(form & 0xf);
            shifted.get_mut(..kept)?.copy_from_slice(reader.take(kept)?);
            bits ^= u64::from_le_bytes(shifted) << (form >> 4 << 3);
            Some(Sample::new(time_ms, f64::from_bits(bits)))
        })
    }

    /// The samples, unpacked.
    pub fn to_vec(&self) -> Vec<Sample> {
        let mut samples = Vec::with_capacity(self.len());
        samples.extend(self.iter());
        samples
    }

    /// Forgets the samples but keeps the memory.
    pub fn clear(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        *self = Self {
            bytes,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_run_is_a_sorted_map(
            rows in proptest::collection::vec((prop_oneof![-50i64..50, any::<i64>()], any::<u64>()), 0..200),
        ) {
            let (mut run, mut map) = (Run::default(), BTreeMap::new());
            for (time_ms, bits) in rows {
                let new = run.put(Sample { time_ms, value: f64::from_bits(bits) });
                prop_assert_eq!(new, map.insert(time_ms, bits).is_none());
                prop_assert!(run.has(time_ms));
            }
            let read: Vec<_> = run.iter().map(|s| (s.time_ms, s.value.to_bits())).collect();
            prop_assert_eq!(run.len(), map.len());
            let ends = map.keys().next().copied().zip(map.keys().last().copied());
            prop_assert_eq!(run.span(), ends);
            prop_assert_eq!(read, map.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn steady_samples_take_few_bytes() {
        let mut run = Run::default();
        for i in 0..128 {
            run.put(Sample::new(
                1_795_306_562_347 + i * 15_000,
                (1_000_000 + i * 37) as f64,
            ));
        }
        // Time 1, form 1, value 2 to 3, after a first sample of 6 + 1 + 3.
        assert!(run.bytes.len() < 128 * 5, "{}", run.bytes.len());
        assert!(run.bytes.capacity() - run.bytes.len() < GROWTH + SAMPLE_BYTES_MAX);
    }
}
