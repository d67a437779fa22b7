//! Times: which ones are taken, asked here by the store and by who has to know before.
//!
//!   clock, retention ─▶ [TimesTaken] ─▶ append, `Store::times_taken`
//!
//! Proved by: store/tests.rs, tinyobs-server otlp/deltas/tests.rs.

use tinyobs_model::{Refusal, limits};

use crate::inner::Inner;
use crate::store::Store;

/// The times that a sample may have, as of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimesTaken {
    now_ms: i64,
    expired_before_ms: i64,
}

impl TimesTaken {
    /// Whether a sample of this time is taken.
    ///
    /// # Errors
    /// The rule that it breaks, and the sentence for people.
    pub fn check(self, time_ms: i64) -> Result<(), (Refusal, String)> {
        match self.rule(time_ms) {
            None => Ok(()),
            Some(rule) => Err((rule, self.message(rule, time_ms))),
        }
    }

    /// The rule that a time breaks, if it does.
    pub(super) fn rule(self, time_ms: i64) -> Option<Refusal> {
        if time_ms > self.now_ms.saturating_add(limits::FUTURE_MS) {
            return Some(Refusal::TimeInFuture);
        }
        // Nobody would keep a sample that is older than everything that is kept.
        (time_ms < self.expired_before_ms).then_some(Refusal::TimeExpired)
    }

    /// The sentence for people about a time that breaks this rule.
    pub(super) fn message(self, rule: Refusal, time_ms: i64) -> String {
        if rule == Refusal::TimeInFuture {
            let ahead_s = time_ms.saturating_sub(self.now_ms) / 1_000;
            return format!(
                "time {time_ms} lies {ahead_s} s ahead of the server's clock, at most {} s are \
                 allowed",
                limits::FUTURE_MS / 1_000
            );
        }
        format!(
            "time {time_ms} lies before {}, and nothing so old is kept in any resolution \
             (--retention-raw, --retention-5m, --retention-1h)",
            self.expired_before_ms
        )
    }
}

impl Inner {
    pub(crate) fn times_taken(&self) -> TimesTaken {
        TimesTaken {
            now_ms: self.options.clock.now_ms(),
            expired_before_ms: self.expired_before_ms(),
        }
    }
}

impl Store {
    /// Which times a sample may have now.
    pub fn times_taken(&self) -> TimesTaken {
        self.inner.times_taken()
    }
}
