//! Key: where a chunk stands, as bytes whose order is the order of reading.
//!
//!   partition  tenant u32 · space u8 · start i64        chunk   series u64 · start i64 · sequence u64
//!
//! All big-endian, signed numbers with their sign bit flipped, so that byte order is number order.

use std::fmt;

use tinyobs_model::Resolution;

use crate::wal::record::SeriesId;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// What a partition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Space {
    /// Series definitions and metadata.
    Catalogue = 0,
    /// Chunks of samples as they were sent.
    Raw = 1,
    /// Rollups of five minutes.
    FiveMinutes = 2,
    /// Rollups of an hour.
    Hour = 3,
}

/// A part of the engine that is dropped as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// Whose data; 0 until tenants come.
    pub tenant: u32,
    /// What it holds.
    pub space: Space,
    /// First millisecond of its stretch of time.
    pub start_ms: i64,
}

impl Partition {
    /// Series definitions and metadata.
    pub const CATALOGUE: Self = Self {
        tenant: 0,
        space: Space::Catalogue,
        start_ms: 0,
    };

    /// The partition of `space` that holds `time_ms`.
    pub const fn of(space: Space, time_ms: i64) -> Self {
        let start_ms = time_ms.saturating_sub(time_ms.rem_euclid(space.width_ms()));
        Self {
            tenant: 0,
            space,
            start_ms,
        }
    }

    /// The raw partition that holds `time_ms`.
    pub const fn raw(time_ms: i64) -> Self {
        Self::of(Space::Raw, time_ms)
    }

    /// The first millisecond after its stretch of time.
    pub const fn end_ms(self) -> i64 {
        self.start_ms.saturating_add(self.space.width_ms())
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}",
            self.tenant,
            self.space.as_str(),
            self.start_ms
        )
    }
}

impl Space {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Catalogue, Self::Raw, Self::FiveMinutes, Self::Hour];

    /// The space that holds what has this resolution.
    pub const fn of(resolution: Resolution) -> Self {
        match resolution {
            Resolution::Raw => Self::Raw,
            Resolution::FiveMinutes => Self::FiveMinutes,
            Resolution::Hour => Self::Hour,
        }
    }

    /// Width of its time partitions. Retention drops whole ones, and each is read as a tree of its
    /// own: wide enough for a few thousand windows of a series, narrow enough to let go of. Every
    /// width is a multiple of an hour, so no window crosses a border.
    pub const fn width_ms(self) -> i64 {
        match self {
            Self::Catalogue => i64::MAX,
            Self::Raw => DAY_MS,
            Self::FiveMinutes => 10 * DAY_MS,
            Self::Hour => 60 * DAY_MS,
        }
    }

    /// Its name in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Raw => "raw",
            Self::FiveMinutes => "5m",
            Self::Hour => "1h",
        }
    }

    /// The space of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|space| space.as_str() == text)
    }
}

/// The key of a chunk.
pub fn chunk_key(series: SeriesId, start_ms: i64, sequence: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(24);
    key.extend_from_slice(&series.to_be_bytes());
    key.extend_from_slice(&((start_ms as u64) ^ (1 << 63)).to_be_bytes());
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// The series in a chunk's key.
pub fn chunk_series(key: &[u8]) -> Option<SeriesId> {
    Some(u64::from_be_bytes(*key.first_chunk()?))
}

/// The start in a chunk's key, in ms.
pub fn chunk_start_ms(key: &[u8]) -> Option<i64> {
    let start = u64::from_be_bytes(*key.get(8..)?.first_chunk()?);
    Some((start ^ (1 << 63)) as i64)
}

/// The sequence number in a chunk's key.
pub fn chunk_sequence(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*key.get(16..)?.first_chunk()?))
}

/// The range of keys that holds every chunk of `series` starting at `end_ms` or before.
pub fn chunk_range(series: SeriesId, end_ms: i64) -> (Vec<u8>, Vec<u8>) {
    let mut end = chunk_key(series, end_ms, u64::MAX);
    end.push(0);
    (chunk_key(series, i64::MIN, 0), end)
}

const DEFINITION: u8 = 1;
const METADATA: u8 = 2;

/// The key of a series' definition in the catalogue.
pub fn definition_key(series: SeriesId) -> Vec<u8> {
    let mut key = vec![DEFINITION];
    key.extend_from_slice(&series.to_be_bytes());
    key
}

/// The key of a metric's metadata in the catalogue.
pub fn metadata_key(metric: &str) -> Vec<u8> {
    let mut key = vec![METADATA];
    key.extend_from_slice(metric.as_bytes());
    key
}

/// A key of the catalogue, read.
#[derive(Debug, PartialEq, Eq)]
pub enum CatalogueKey<'a> {
    /// Of a series' definition.
    Definition(SeriesId),
    /// Of a metric's metadata.
    Metadata(&'a str),
}

/// Reads a key of the catalogue.
pub fn catalogue_key(key: &[u8]) -> Option<CatalogueKey<'_>> {
    let (&kind, rest) = key.split_first()?;
    match kind {
        DEFINITION => Some(CatalogueKey::Definition(u64::from_be_bytes(
            rest.try_into().ok()?,
        ))),
        METADATA => Some(CatalogueKey::Metadata(std::str::from_utf8(rest).ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_is_time_order() {
        let keys = [i64::MIN, -1, 0, 1, i64::MAX].map(|start| chunk_key(5, start, 9));
        assert!(keys.is_sorted());
        assert!(chunk_key(5, i64::MAX, u64::MAX) < chunk_key(6, i64::MIN, 0));
        assert_eq!(chunk_sequence(&keys[0]), Some(9));
        assert_eq!(chunk_series(&keys[0]), Some(5));
        let starts = keys.map(|key| chunk_start_ms(&key));
        assert_eq!(starts, [i64::MIN, -1, 0, 1, i64::MAX].map(Some));
    }

    #[test]
    fn partitions_begin_at_midnight_utc_also_before_1970() {
        assert_eq!(Partition::raw(0).start_ms, 0);
        assert_eq!(Partition::raw(DAY_MS - 1).start_ms, 0);
        assert_eq!(Partition::raw(-1).start_ms, -DAY_MS);
        assert_eq!(Partition::raw(i64::MIN).start_ms, i64::MIN);
    }

    #[test]
    fn catalogue_keys_survive() {
        let definition = definition_key(7);
        assert_eq!(
            catalogue_key(&definition),
            Some(CatalogueKey::Definition(7))
        );
        let metadata = metadata_key("m");
        assert_eq!(catalogue_key(&metadata), Some(CatalogueKey::Metadata("m")));
        assert_eq!(catalogue_key(b"\x09x"), None);
    }
}
