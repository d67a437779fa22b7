//! Interval: how long it is between two pushes of one client, said or watched.

use tinyobs_model::limits;

/// A client that missed this many pushes is gone.
pub const INTERVALS_MISSED: i64 = 3;
/// Until a second push of a client that does not say: as long as OpenTelemetry's exporters wait.
const FIRST_MS: i64 = 60_000;
/// Requests that follow each other faster than this are parts of one push.
const ONE_PUSH_MS: i64 = 1_000;
/// The least that is concluded from watching.
const WATCHED_MS_MIN: i64 = 15_000;

/// How long it is between two pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    ms: i64,
    is_said: bool,
}

impl Interval {
    /// Of the first push of a client, with what it says.
    pub fn new(said_ms: Option<u64>) -> Self {
        let mut interval = Self {
            ms: FIRST_MS,
            is_said: false,
        };
        interval.saw(said_ms, 0);
        interval
    }

    /// In milliseconds.
    pub fn ms(self) -> i64 {
        self.ms
    }

    /// A push that came `gap_ms` after the one before it.
    pub fn saw(&mut self, said_ms: Option<u64>, gap_ms: i64) {
        if let Some(said_ms) = said_ms {
            self.is_said = true;
            self.ms = said_ms.clamp(1_000, limits::CLIENT_INTERVAL_MS_MAX) as i64;
        } else if !self.is_said && gap_ms >= ONE_PUSH_MS {
            // At once to a longer one, step by step to a shorter one: a false 0 is worse than a
            // late one.
            let watched_ms = if gap_ms > self.ms {
                gap_ms
            } else {
                (self.ms * 3 + gap_ms) / 4
            };
            self.ms = watched_ms.clamp(WATCHED_MS_MIN, limits::CLIENT_INTERVAL_MS_MAX as i64);
        }
    }
}
