//! Rollup: what is kept of a window of a series' samples once the samples themselves may go.
//!
//! Windows are aligned to the epoch in UTC: one of 5 minutes begins at every multiple of 5 minutes,
//! whoever sent the samples and wherever they stand.
//!
//! I-ROLLUP-1  `count` is the number of samples in the window, stale markers not counted.
//! I-ROLLUP-2  `increase` covers the steps between samples inside the window. The step from the last
//!             sample of one window to the first of the next is its reader's: see [`junction`].
//! Proved by: tinyobs-store rollup/tests.rs and tests/model.rs.

use std::fmt;

use crate::sample::Sample;

/// How coarse stored data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Resolution {
    /// Samples as they were sent.
    Raw = 0,
    /// Windows of five minutes.
    FiveMinutes = 1,
    /// Windows of an hour.
    Hour = 2,
}

impl Resolution {
    /// From the finest to the coarsest.
    pub const ALL: [Self; 3] = [Self::Raw, Self::FiveMinutes, Self::Hour];

    /// The name used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::FiveMinutes => "5m",
            Self::Hour => "1h",
        }
    }

    /// Milliseconds of a window; 1 for samples, which need none.
    pub const fn width_ms(self) -> i64 {
        match self {
            Self::Raw => 1,
            Self::FiveMinutes => 5 * 60 * 1_000,
            Self::Hour => 60 * 60 * 1_000,
        }
    }

    /// The start of the window that holds `time_ms`.
    pub const fn window(self, time_ms: i64) -> i64 {
        time_ms.saturating_sub(time_ms.rem_euclid(self.width_ms()))
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is kept of one window of one series.
#[derive(Debug, Clone, Copy)]
pub struct Rollup {
    /// First millisecond of the window.
    pub start_ms: i64,
    /// Samples in it (I-ROLLUP-1). 0 only where there is a stale marker and nothing else; `first` and
    /// `last` mean nothing then.
    pub count: u64,
    /// Their sum, added in the order of time.
    pub sum: f64,
    /// The lowest; a NaN is passed over unless there is nothing else.
    pub min: f64,
    /// The highest; likewise.
    pub max: f64,
    /// The earliest.
    pub first: Sample,
    /// The latest.
    pub last: Sample,
    /// What the value went up by, from sample to sample, a fall counted as a restart at 0
    /// (I-ROLLUP-2). NaN where the series is known to be a gauge.
    pub increase: f64,
    /// Whether a stale marker stands after the last sample: the series ended here.
    pub ended: bool,
}

/// What a counter went up by from one sample to the next, where a fall is a restart at 0.
pub fn junction(before: f64, after: f64) -> f64 {
    if after < before {
        after
    } else {
        after - before
    }
}

/// Equality is of bits, as for samples.
impl PartialEq for Rollup {
    fn eq(&self, other: &Self) -> bool {
        let numbers = |row: &Self| [row.sum, row.min, row.max, row.increase].map(f64::to_bits);
        let ends = (self.first, self.last) == (other.first, other.last);
        (self.start_ms, self.count, self.ended) == (other.start_ms, other.count, other.ended)
            && numbers(self) == numbers(other)
            && (ends || self.count == 0)
    }
}
