//! Kind: what the numbers of a metric mean, and the other facts kept per metric name.

use std::fmt;
use std::str::FromStr;

use crate::limits;

/// What the numbers of a metric mean. Metadata of the metric *name*, not part of a series' identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Kind {
    /// Nobody said.
    #[default]
    Unknown = 0,
    /// Only grows, and restarts at 0 with its process.
    Counter = 1,
    /// Goes up and down.
    Gauge = 2,
    /// A part of a classic histogram: `_bucket`, `_sum` or `_count`.
    Histogram = 3,
    /// A part of a summary: quantiles, `_sum` or `_count`.
    Summary = 4,
}

impl Kind {
    /// Every kind, in the order of its byte.
    pub const ALL: [Self; 5] = [
        Self::Unknown,
        Self::Counter,
        Self::Gauge,
        Self::Histogram,
        Self::Summary,
    ];

    /// The name used in JSON and in the Prometheus text format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }

    /// The kind stored as `byte`, or none when a newer version wrote it.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// Whether values of this kind grow from 0 at the start of a process.
    pub const fn is_cumulative(self) -> bool {
        matches!(self, Self::Counter | Self::Histogram)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(())
    }
}

/// What is known about a metric name besides its series.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// What the numbers mean.
    pub kind: Kind,
    /// Base unit, such as `seconds`; empty when unknown.
    pub unit: String,
    /// One sentence for people; empty when unknown.
    pub help: String,
}

/// `text` as it is kept in [`Metadata`]: up to `limits::METADATA_BYTES`, whole characters.
pub fn metadata_text(text: &str) -> &str {
    &text[..text.floor_char_boundary(limits::METADATA_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_cut_at_a_character() {
        assert_eq!(metadata_text("Help."), "Help.");
        assert_eq!(metadata_text(&"é".repeat(513)), "é".repeat(512));
        assert_eq!(metadata_text(&format!("a{}", "é".repeat(512))).len(), 1_023);
    }

    #[test]
    fn every_kind_survives_its_name_and_its_byte() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(Kind::from_byte(kind as u8), Some(kind));
        }
        assert_eq!("Counter".parse::<Kind>(), Err(()));
        assert_eq!(Kind::from_byte(5), None);
    }
}
