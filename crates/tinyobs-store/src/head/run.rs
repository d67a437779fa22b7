//! Run: samples of one series by ascending time, packed so that the next one is cheap to append.
//!
//!   ┌ (time − time expected) ┐┌ value's bits ⊕ those before, without zero bytes at either end ┐ …
//!   │         signed         ││  zero bytes behind × 16 + bytes kept, then these              │
//!   └────────────────────────┘└──────────────────────────────────────────────────────────────┘
//!
//! A plain sample is 16 bytes, here most take 2 to 6. Expected is the interval before, once more.
//! What does not come at the end is put in its place by unpacking and packing again.
//!
//! The newest samples stand beside the counters, in memory that is at hand whenever one is added;
//! the others far away, where only every tenth sample or so has to go.
//!
//! I-RUN-1  A packed sample stands whole in `far` or whole in `near`.
//! Proved by: the tests below, head/tests.rs.

use tinyobs_model::Sample;

use crate::bytes::{Reader, write_signed};

/// Room asked for at a time: doubling would leave half of it unused.
const GROWTH: usize = 96;
/// The most that one sample takes.
const SAMPLE_BYTES_MAX: usize = 19;

/// Three samples of any kind, and ten of most.
const NEAR_BYTES: usize = 59;

/// Samples by ascending time.
#[derive(Debug)]
pub struct Run {
    /// What came before `near`.
    far: Vec<u8>,
    near: [u8; NEAR_BYTES],
    near_len: u8,
    count: u32,
    first_ms: i64,
    /// Of the last sample.
    last_ms: i64,
    interval_ms: i64,
    bits: u64,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            far: Vec::new(),
            near: [0; NEAR_BYTES],
            near_len: 0,
            count: 0,
            first_ms: 0,
            last_ms: 0,
            interval_ms: 0,
            bits: 0,
        }
    }
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
        if usize::from(self.near_len) + SAMPLE_BYTES_MAX > NEAR_BYTES {
            self.send_far();
        }
        if self.count == 0 {
            self.first_ms = sample.time_ms;
        }
        let interval_ms = sample.time_ms.wrapping_sub(self.last_ms);
        let packed = &mut self.near[usize::from(self.near_len)..];
        let mut len = write_signed(packed, interval_ms.wrapping_sub(self.interval_ms));
        let changed = sample.value.to_bits() ^ self.bits;
        let behind = changed.trailing_zeros() / 8 % 8;
        let kept = 8 - changed.leading_zeros() / 8 - if changed == 0 { 0 } else { behind };
        packed[len] = (behind << 4 | kept) as u8;
        len += 1;
        packed[len..len + 8].copy_from_slice(&(changed >> (behind * 8)).to_le_bytes());
        len += kept as usize;
        self.near_len += len as u8;
        (self.last_ms, self.interval_ms) = (sample.time_ms, interval_ms);
        self.bits = sample.value.to_bits();
        self.count += 1;
    }

    fn send_far(&mut self) {
        let near = &self.near[..self.near_len.into()];
        if self.far.capacity() - self.far.len() < near.len() {
            self.far.reserve_exact(GROWTH);
        }
        self.far.extend_from_slice(near);
        self.near_len = 0;
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
        let mut reader = Reader::new(&self.far);
        let mut near = &self.near[..self.near_len.into()];
        let (mut time_ms, mut interval_ms, mut bits) = (0i64, 0i64, 0u64);
        std::iter::from_fn(move || {
            if reader.is_empty() {
                // I-RUN-1. Once: then there is nothing near any more.
                reader = Reader::new(std::mem::take(&mut near));
            }
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
        let mut far = std::mem::take(&mut self.far);
        far.clear();
        *self = Self {
            far,
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
        let packed = run.far.len() + usize::from(run.near_len);
        assert!(packed < 128 * 5, "{packed}");
        assert!(run.far.capacity() - run.far.len() < GROWTH + NEAR_BYTES);
    }

    #[test]
    fn a_short_run_takes_no_room_of_its_own() {
        let mut run = Run::default();
        for i in 0..6 {
            run.put(Sample::new(1_795_306_562_347 + i * 15_000, i as f64));
        }
        assert_eq!(run.far.capacity(), 0);
        assert_eq!(run.len(), 6);
    }
}
