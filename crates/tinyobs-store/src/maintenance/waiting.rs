//! Waiting: what has been written and does not stand in rollups yet, and when that is due.
//!
//!   head, tables above the watermark ─▶ oldest sample that waits ─▶ due? how far behind?
//!
//! Samples that are younger than the raw ones that are kept are answered as they are until they are
//! rolled up, so that can wait. Older ones are late: their time is answered from windows alone, and
//! nobody sees them before they are part of one.
//!
//! I-WORK-3  Late samples are rolled up when they have waited for two or three minutes, and while more
//!           and more come less and less often, down to every quarter of an hour: each time writes the
//!           whole head out. Until then they count as lag.
//! Proved by: retention/tests.rs, waiting/tests.rs.

use std::time::{Duration, Instant};

use tinyobs_model::Resolution;

use crate::engine::{Space, View};
use crate::inner::{Inner, lock, of_space};

/// Between two cycles a long log is rolled up no sooner than so long after the last time: each time
/// computes the hours under way again from all their samples, so doing it with every flush would cost
/// the more the faster samples come.
const ROLL_UP_EVERY: Duration = Duration::from_mins(15);
/// So long late samples have time to become complete: what is rolled up in parts is less exact, and
/// what is sent once more behind it is counted once more.
const LATE_AFTER: Duration = Duration::from_mins(2);

/// How long late samples have waited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Late {
    /// When they were seen.
    pub(crate) since: Option<Instant>,
    /// How long they wait this time.
    wait: Duration,
}

impl Default for Late {
    fn default() -> Self {
        Self {
            since: None,
            wait: LATE_AFTER,
        }
    }
}

impl Late {
    /// Is told now and then whether there are some, and says whether they have waited for long enough.
    fn look(&mut self, waits: bool, now: Instant) -> bool {
        if !waits {
            *self = Self::default();
            return false;
        }
        now.duration_since(*self.since.get_or_insert(now)) >= self.wait
    }

    /// Is told of each rollup. The next ones wait for longer, unless none are seen meanwhile.
    pub(super) fn rolled_up(&mut self) {
        if self.since.take().is_some() {
            self.wait = (2 * self.wait).min(ROLL_UP_EVERY);
        }
    }
}

impl Inner {
    pub(super) fn is_rollup_due(&self) -> bool {
        let last = *lock(&self.journal.rolled_up);
        last.is_none_or(|last| last.elapsed() >= ROLL_UP_EVERY) || self.is_late_due()
    }

    /// I-WORK-3: whether late samples wait, and have done so for long enough.
    pub(super) fn is_late_due(&self) -> bool {
        let waits = self.has_late();
        lock(&self.journal.late).look(waits, Instant::now())
    }

    fn has_late(&self) -> bool {
        let view = self.engine.view();
        let waits_ms = self.waits_ms(view.as_ref());
        waits_ms.is_some_and(|waits_ms| waits_ms < raw_from_ms(view.as_ref()))
    }

    /// The time of the oldest sample that waits.
    fn waits_ms(&self, view: &dyn View) -> Option<i64> {
        let in_tables_ms = view.first_ms_after(Space::Raw, view.counters().rolled, i64::MIN);
        let (in_head, first_ms, _) = self.head.extent();
        let in_head_ms = (in_head > 0).then_some(first_ms);
        in_tables_ms.into_iter().chain(in_head_ms).min()
    }

    /// From the windows that there are, or from the oldest sample that waits if that is later, to the
    /// newest sample: what is rolled up already makes no lag. A late sample counts from its own time, for
    /// it is not answered at all.
    pub(super) fn rollup_lag_ms(&self, view: &dyn View, rolled_until_ms: Option<i64>) -> i64 {
        let Some(waits_ms) = self.waits_ms(view) else {
            return 0;
        };
        let raw = of_space(view, Space::Raw).summary;
        let (_, _, in_head_ms) = self.head.extent();
        let newest_ms = in_head_ms.max(raw.last_ms);
        let raw_from_ms = raw_from_ms(view);
        let (from_ms, until_ms) = if waits_ms < raw_from_ms {
            (waits_ms, newest_ms.max(raw_from_ms))
        } else {
            (waits_ms.max(rolled_until_ms.unwrap_or(waits_ms)), newest_ms)
        };
        until_ms.saturating_sub(from_ms).max(0)
    }
}

fn raw_from_ms(view: &dyn View) -> i64 {
    view.counters().dropped_ms[Resolution::Raw as usize]
}

#[cfg(test)]
mod tests;
