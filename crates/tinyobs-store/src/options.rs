//! StoreOptions: what a store needs to know before it opens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use tinyobs_model::{Resolution, limits};

use crate::clock::{Clock, SystemClock};
use crate::files::{Files, RealFiles};

/// Where samples are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// In a directory.
    Disk,
    /// In memory, until the process ends.
    Memory,
}

/// What an acknowledged sample survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A killed process; a power cut may take the last second.
    Interval,
    /// A power cut too: each acknowledgement waits for an fsync, shared by all that wait.
    Sync,
}

/// How long data is kept, by resolution, in milliseconds; 0 = for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Samples as they were sent.
    pub raw_ms: i64,
    /// Windows of five minutes.
    pub five_minutes_ms: i64,
    /// Windows of an hour.
    pub hour_ms: i64,
}

/// How to open a store.
#[derive(Clone)]
pub struct StoreOptions {
    /// Where samples are kept.
    pub engine: EngineKind,
    /// The directory of [`EngineKind::Disk`]; made when missing.
    pub data_dir: PathBuf,
    /// What an acknowledged sample survives.
    pub durability: Durability,
    /// Series at most.
    pub max_series: u64,
    /// Series of one metric at most; 0 = no limit of its own.
    pub max_series_per_metric: u64,
    /// How long data is kept.
    pub retention: Retention,
    /// Bytes of all files together; 0 = as many as there are.
    pub max_bytes: u64,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// How files are reached.
    pub files: Arc<dyn Files>,
}

impl StoreOptions {
    /// A store in directory `dir`, everything else as usual.
    pub fn disk(dir: impl Into<PathBuf>) -> Self {
        Self {
            engine: EngineKind::Disk,
            data_dir: dir.into(),
            durability: Durability::Interval,
            max_series: limits::SERIES_DEFAULT,
            max_series_per_metric: 0,
            retention: Retention::default(),
            max_bytes: limits::STORAGE_BYTES_DEFAULT,
            clock: Arc::new(SystemClock),
            files: Arc::new(RealFiles),
        }
    }

    /// A store that forgets everything with the process.
    pub fn memory() -> Self {
        Self {
            engine: EngineKind::Memory,
            ..Self::disk("")
        }
    }
}

impl Retention {
    /// Everything for ever.
    pub const FOR_EVER: Self = Self {
        raw_ms: 0,
        five_minutes_ms: 0,
        hour_ms: 0,
    };

    /// How long data of a resolution is kept; 0 = for ever.
    pub const fn of(&self, resolution: Resolution) -> i64 {
        match resolution {
            Resolution::Raw => self.raw_ms,
            Resolution::FiveMinutes => self.five_minutes_ms,
            Resolution::Hour => self.hour_ms,
        }
    }
}

/// Two weeks of samples, three months of five minutes, a year of hours.
impl Default for Retention {
    fn default() -> Self {
        const DAY_MS: i64 = 24 * 3_600 * 1_000;
        Self {
            raw_ms: 14 * DAY_MS,
            five_minutes_ms: 90 * DAY_MS,
            hour_ms: 365 * DAY_MS,
        }
    }
}

impl EngineKind {
    /// The name used in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Memory => "memory",
        }
    }
}

impl Durability {
    /// The name used in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interval => "interval",
            Self::Sync => "sync",
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EngineKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "disk" => Ok(Self::Disk),
            "memory" => Ok(Self::Memory),
            _ => Err(format!("{text:?} is neither disk nor memory")),
        }
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "interval" => Ok(Self::Interval),
            "sync" => Ok(Self::Sync),
            _ => Err(format!("{text:?} is neither interval nor sync")),
        }
    }
}
