//! Points: what an instant selector looks back to: samples, or what is known of them from rows.
//!
//!   [Recorded] ─▶ [Points]: first and last of each window, and samples, in the order of time
//!
//! I-POINTS-1  The latest value known counts: of a window its first and its last, each at its own
//!             time, so that at a window's borders nothing differs from what samples would say.
//! I-POINTS-2  It counts for as long as the look-back says, or for the width of its window, if that
//!             is more. Where a window says that the series ended, it ends.
//! Proved by: tests/rolled.rs.

use tinyobs_model::{Columns, Sample, stale_marker};

use super::read::{Recorded, Row};

/// Samples, each with how long it is looked back to.
pub(super) struct Points<'a> {
    pub samples: &'a Columns,
    lookback_ms: i64,
    /// Where not all are the same.
    of_each: &'a [i64],
}

/// Memory for the points of rows.
#[derive(Debug, Default)]
pub(super) struct Woven {
    samples: Columns,
    of_each: Vec<i64>,
}

impl<'a> Points<'a> {
    /// Of samples and rows; what both come to together is put into `woven`.
    pub fn of(recorded: &'a Recorded, lookback_ms: i64, woven: &'a mut Woven) -> Self {
        if recorded.rows.is_empty() {
            return Self {
                samples: &recorded.samples,
                lookback_ms,
                of_each: &[],
            };
        }
        woven.weave(recorded, lookback_ms);
        Self {
            samples: &woven.samples,
            lookback_ms,
            of_each: &woven.of_each,
        }
    }

    /// For how long point `i` is looked back to.
    pub fn lookback(&self, i: usize) -> i64 {
        self.of_each.get(i).copied().unwrap_or(self.lookback_ms)
    }
}

impl Woven {
    fn weave(&mut self, recorded: &Recorded, lookback_ms: i64) {
        let mut samples = recorded.samples.iter().peekable();
        for row in &recorded.rows {
            while let Some(sample) = samples.next_if(|it| it.time_ms < row.rollup.start_ms) {
                self.push(sample, lookback_ms);
            }
            self.push_row(row, lookback_ms.max(row.resolution.width_ms()));
        }
        for sample in samples {
            self.push(sample, lookback_ms);
        }
    }

    fn push_row(&mut self, row: &Row, lookback_ms: i64) {
        let row = &row.rollup;
        if row.count == 0 {
            // Somewhere in the window stands a marker and nothing else.
            return self.push(Sample::new(row.start_ms, stale_marker()), lookback_ms);
        }
        self.push(row.first, lookback_ms);
        if row.last.time_ms > row.first.time_ms {
            self.push(row.last, lookback_ms);
        }
        if row.ended {
            let after = Sample::new(row.last.time_ms + 1, stale_marker());
            self.push(after, lookback_ms);
        }
    }

    fn push(&mut self, sample: Sample, lookback_ms: i64) {
        self.samples.push(sample);
        self.of_each.push(lookback_ms);
    }
}
