//! Time as the wire carries it: milliseconds since the epoch.
//!
//! I-CLOCK-1  Two snapshots never carry the same millisecond, and none is earlier than the one
//!            before, unless the host's clock was really set back.
//! Proved by: the tests below.

use std::time::{SystemTime, UNIX_EPOCH};

/// A clock this far behind the last snapshot was set back on purpose; less than that is time
/// synchronisation at work, and time just stands still until it is over.
const SET_BACK_MS: i64 = 60_000;

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

/// Hands out the times of snapshots.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    last_ms: Option<i64>,
}

impl Timeline {
    /// The time of a snapshot taken at `now_ms`.
    pub(crate) fn stamp(&mut self, now_ms: i64) -> i64 {
        let stamp = match self.last_ms {
            Some(last) if now_ms <= last && last - now_ms < SET_BACK_MS => last + 1,
            _ => now_ms,
        };
        self.last_ms = Some(stamp);
        stamp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i_clock_1_time_goes_on() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.stamp(1_000_000), 1_000_000);
        assert_eq!(timeline.stamp(1_000_000), 1_000_001);
        assert_eq!(timeline.stamp(995_000), 1_000_002);
        assert_eq!(timeline.stamp(1_000_500), 1_000_500);
    }

    #[test]
    fn i_clock_1_a_clock_set_back_is_followed() {
        let mut timeline = Timeline::default();
        timeline.stamp(10_000_000);
        assert_eq!(timeline.stamp(6_400_000), 6_400_000);
        assert_eq!(timeline.stamp(6_400_001), 6_400_001);
    }
}
