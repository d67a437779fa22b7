//! StoreOptions: what a store needs to know before it opens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use tinyobs_model::limits;

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
