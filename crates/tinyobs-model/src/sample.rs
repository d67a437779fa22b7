//! Sample: one value of one series at one moment.
//!
//! I-SAMPLE-1  A value is its 64 bits: NaN payloads, −0 and ±Inf survive every path, so values
//!             are compared by `to_bits`, never by `==`.

/// Milliseconds in a second, to keep unit conversions readable.
pub const MS_PER_SECOND: i64 = 1_000;

/// The bits of the NaN that Prometheus writes when a series ends. It is data, not absence:
/// readers end the line there instead of looking back.
///
/// Source: Prometheus `model/value`, "stale NaN".
pub const STALE_MARKER_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The value that marks the end of a series.
pub fn stale_marker() -> f64 {
    f64::from_bits(STALE_MARKER_BITS)
}

/// Whether `value` is the stale marker; an ordinary NaN is not.
pub fn is_stale_marker(value: f64) -> bool {
    value.to_bits() == STALE_MARKER_BITS
}

/// One value of one series at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Milliseconds since the Unix epoch, UTC.
    pub time_ms: i64,
    /// The value, bit-exact.
    pub value: f64,
}

impl Sample {
    /// A sample of `value` at `time_ms`.
    pub const fn new(time_ms: i64, value: f64) -> Self {
        Self { time_ms, value }
    }
}

/// Equality is of bits (I-SAMPLE-1): a NaN equals itself, −0 differs from 0.
impl PartialEq for Sample {
    fn eq(&self, other: &Self) -> bool {
        self.time_ms == other.time_ms && self.value.to_bits() == other.value.to_bits()
    }
}

impl Eq for Sample {}

/// A stretch of time, both ends included, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// First millisecond.
    pub start_ms: i64,
    /// Last millisecond.
    pub end_ms: i64,
}

impl TimeRange {
    /// All of time.
    pub const ALL: Self = Self {
        start_ms: i64::MIN,
        end_ms: i64::MAX,
    };

    /// The range from `start_ms` to `end_ms`, both included; empty when they are reversed.
    pub const fn new(start_ms: i64, end_ms: i64) -> Self {
        Self { start_ms, end_ms }
    }

    /// Whether it ends before it starts, so that nothing lies in it.
    pub const fn is_empty(&self) -> bool {
        self.end_ms < self.start_ms
    }

    /// Whether `time_ms` lies in the range.
    pub const fn contains(&self, time_ms: i64) -> bool {
        self.start_ms <= time_ms && time_ms <= self.end_ms
    }

    /// Whether any moment of `[first_ms, last_ms]` lies in the range.
    pub const fn overlaps(&self, first_ms: i64, last_ms: i64) -> bool {
        first_ms <= self.end_ms && self.start_ms <= last_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i_sample_1_equality_is_of_bits() {
        assert_eq!(Sample::new(1, f64::NAN), Sample::new(1, f64::NAN));
        assert_ne!(Sample::new(1, 0.0), Sample::new(1, -0.0));
        assert_ne!(Sample::new(1, f64::NAN), Sample::new(1, stale_marker()));
        assert!(is_stale_marker(stale_marker()));
        assert!(!is_stale_marker(f64::NAN));
    }

    #[test]
    fn ranges_include_both_ends() {
        let range = TimeRange::new(10, 20);
        assert!(range.contains(10) && range.contains(20));
        assert!(!range.contains(9) && !range.contains(21));
        assert!(range.overlaps(0, 10) && range.overlaps(20, 30) && range.overlaps(0, 30));
        assert!(!range.overlaps(0, 9) && !range.overlaps(21, 30));
    }
}
