//! Back-off: how long to wait after a failure. Pure arithmetic; the flusher does the waiting.
//!
//! I-BACKOFF-1  Waits double from one failure to the next up to a bound, and are spread at random
//!              over half of their length, so that many clients do not come back in step.
//! I-BACKOFF-2  A server's `Retry-After` is the least to wait, up to a bound of ours. Who may wait
//!              less is the flusher's business (I-PUSH-5).
//! Proved by: the tests below.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::limits::{BACKOFF_FIRST, BACKOFF_LONGEST, RETRY_AFTER_LONGEST};

/// Counts failures in a row.
#[derive(Debug)]
pub(crate) struct Backoff {
    failures: u32,
    random: u64,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        // The standard library's hasher keys are its only source of random numbers.
        Self {
            failures: 0,
            random: RandomState::new().hash_one(()),
        }
    }

    /// Forgets the failures.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure.
    pub(crate) fn next(&mut self, retry_after: Option<Duration>) -> Duration {
        let doubled = BACKOFF_FIRST.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let longest = doubled.min(BACKOFF_LONGEST);
        let jittered = longest / 2 + (longest / 2).mul_f64(self.next_random());
        retry_after.map_or(jittered, |after| {
            jittered.max(after.min(RETRY_AFTER_LONGEST))
        })
    }

    /// A number from 0 to 1 (SplitMix64).
    fn next_random(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i_backoff_1_waits_double_within_their_bounds() {
        let mut backoff = Backoff::new();
        for expected_ms in [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000] {
            let wait = backoff.next(None);
            let longest = Duration::from_millis(expected_ms);
            assert!(
                wait >= longest / 2 && wait <= longest,
                "{wait:?} of {longest:?}"
            );
        }
        backoff.reset();
        assert!(backoff.next(None) <= BACKOFF_FIRST);
    }

    #[test]
    fn i_backoff_1_clients_are_out_of_step() {
        let waits: Vec<_> = (0..20).map(|_| Backoff::new().next(None)).collect();
        let distinct: std::collections::HashSet<_> = waits.iter().collect();
        assert!(distinct.len() > 15, "{waits:?}");
    }

    #[test]
    fn i_backoff_2_retry_after_is_a_lower_bound_with_a_limit() {
        let mut backoff = Backoff::new();
        assert_eq!(
            backoff.next(Some(Duration::from_secs(7))),
            Duration::from_secs(7)
        );
        assert_eq!(
            backoff.next(Some(Duration::from_hours(24))),
            RETRY_AFTER_LONGEST
        );
        assert!(backoff.next(Some(Duration::ZERO)) >= Duration::from_millis(500));
    }
}
