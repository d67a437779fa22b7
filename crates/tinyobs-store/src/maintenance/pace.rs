//! Pace: when maintenance does what next.
//!
//! I-WORK-2  What fails is tried again, after longer and longer; a full disk soon.
//! Proved by: `cargo xtask crash full`.

use std::time::{Duration, Instant};

/// Everything is done this often at least.
const EVERY: Duration = Duration::from_hours(1);
/// After a failure the next attempt waits, lest a full disk be asked in a loop; but not for long,
/// for there may be room again.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// What goes on failing for another reason than room waits twice as long each time, up to this.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(5);

/// When the thread does what next.
pub struct Pace {
    pub cycle_at: Instant,
    pub wake_at: Instant,
    /// Whether a long log wakes it before that.
    pub heed_raised: bool,
    pub failed: bool,
    retry_after: Duration,
}

impl Pace {
    pub fn new(cycle_at: Instant) -> Self {
        Self {
            cycle_at,
            wake_at: cycle_at,
            heed_raised: true,
            failed: false,
            retry_after: RETRY_AFTER,
        }
    }

    pub fn succeeded(&mut self, was_cycle: bool, is_full: bool) {
        let now = Instant::now();
        if was_cycle {
            self.cycle_at = now + EVERY;
        }
        self.failed = false;
        self.retry_after = RETRY_AFTER;
        // Nothing more may go: do not try for every batch that is refused.
        self.heed_raised = !is_full;
        self.wake_at = if is_full {
            now + RETRY_AFTER
        } else {
            self.cycle_at
        };
    }

    /// I-WORK-2: `is_urgent` is what keeps the log from being written out.
    pub fn failed(&mut self, was_cycle: bool, is_urgent: bool) {
        // Each try may leave a segment and some tables.
        self.retry_after = if is_urgent {
            RETRY_AFTER
        } else {
            (self.retry_after * 2).min(RETRY_AFTER_MAX)
        };
        self.failed = true;
        self.heed_raised = !is_urgent;
        self.wake_at = Instant::now() + self.retry_after;
        if was_cycle {
            self.cycle_at = self.wake_at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(pace: &Pace) -> u64 {
        let wait = pace.wake_at.saturating_duration_since(Instant::now());
        // Rounded up, for some time has passed.
        wait.as_millis().div_ceil(1_000) as u64
    }

    #[test]
    fn i_work_2_what_fails_waits_longer_and_longer_and_a_full_disk_does_not() {
        let mut pace = Pace::new(Instant::now() + EVERY);
        let mut waited = Vec::new();
        for _ in 0..9 {
            pace.failed(false, false);
            waited.push(waits(&pace));
            // The log must not become long meanwhile.
            assert!(pace.heed_raised && pace.failed);
        }
        assert_eq!(waited, [4, 8, 16, 32, 64, 128, 256, 300, 300]);
        pace.failed(false, true);
        assert_eq!((waits(&pace), pace.heed_raised), (2, false));
        pace.failed(false, false);
        assert_eq!(waits(&pace), 4, "room was the trouble in between");

        // A cycle that failed is due again when the wait is over, not in an hour.
        pace.failed(true, false);
        assert_eq!(pace.cycle_at, pace.wake_at);
        pace.succeeded(true, false);
        assert_eq!(waits(&pace), EVERY.as_secs());
        assert!(!pace.failed);
        pace.failed(false, false);
        assert_eq!(waits(&pace), 4, "as after the first failure");
        pace.succeeded(false, true);
        assert_eq!((waits(&pace), pace.heed_raised), (2, false));
    }
}
