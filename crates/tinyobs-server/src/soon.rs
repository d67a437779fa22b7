//! Scratch: the store's API as it will be. Deleted when it is there.
#![allow(missing_docs, dead_code, clippy::pedantic)]
use std::io::Read;

use tinyobs_model::Resolution;
use tinyobs_store::{Store, StoreError};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Maintained {
    pub rolled_windows: u64,
    pub merged_tables: u64,
    pub dropped_partitions: u64,
    pub freed_bytes: u64,
    pub expired_series: u64,
    pub took_ms: u64,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Flush,
    Rollup,
    Merge,
    Retention,
}
#[derive(Debug, Clone, Default)]
pub struct MaintenanceStatus {
    pub phase: Option<Phase>,
    pub done: u64,
    pub total: u64,
    pub last: Option<Maintained>,
    pub last_success_ms: Option<i64>,
    pub last_attempt_ms: Option<i64>,
    pub consecutive_errors: u64,
    pub last_error: Option<String>,
    pub rolled_until_ms: Option<i64>,
    pub lag_ms: i64,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Normal,
    Warn80,
    Warn90,
    Full,
}
#[derive(Debug, Clone)]
pub struct SpaceInfo {
    pub resolution: Resolution,
    pub tables: u64,
    pub bytes: u64,
    pub samples_or_rows: u64,
    pub oldest_ms: Option<i64>,
    pub newest_ms: Option<i64>,
    pub dropped_until_ms: Option<i64>,
}
#[derive(Debug, Clone)]
pub struct Storage {
    pub used_bytes: u64,
    pub max_bytes: u64,
    pub level: Level,
    pub spaces: Vec<SpaceInfo>,
    pub wal_bytes: u64,
    pub reserve_bytes: u64,
}
#[derive(Debug, Clone)]
pub struct LabelSize {
    pub label: String,
    pub values: u64,
    pub series: u64,
}
#[derive(Debug, Clone)]
pub struct Growth {
    pub since_ms: i64,
    pub series_added: u64,
    pub metrics: Vec<(String, u64)>,
    pub labels: Vec<(String, u64)>,
}
#[derive(Debug, Clone)]
pub struct LastRefusal {
    pub at_ms: i64,
    pub metric: String,
    pub label: String,
    pub values: u64,
    pub rule: tinyobs_model::Refusal,
}
#[derive(Debug, Clone)]
pub struct Cardinality {
    pub series: u64,
    pub max_series: u64,
    pub max_series_per_metric: u64,
    pub metrics: Vec<(String, u64)>,
    pub labels: Vec<LabelSize>,
    pub growth: Growth,
    pub refused: u64,
    pub last_refusal: Option<LastRefusal>,
    pub expired: u64,
}
pub struct Backup;
pub struct BackupFile {
    pub name: String,
    pub size: u64,
    pub content: Box<dyn Read + Send>,
}
impl Backup {
    pub fn size(&self) -> u64 {
        0
    }
    pub fn files(&self) -> impl Iterator<Item = Result<BackupFile, StoreError>> {
        Vec::new().into_iter()
    }
}
pub trait Soon {
    fn maintain(&self) -> Result<Maintained, StoreError>;
    fn maintenance(&self) -> MaintenanceStatus;
    fn storage(&self) -> Storage;
    fn cardinality(&self) -> Cardinality;
    fn backup(&self) -> Result<Backup, StoreError>;
}
impl Soon for Store {
    fn maintain(&self) -> Result<Maintained, StoreError> {
        self.flush()?;
        Ok(Maintained::default())
    }
    fn maintenance(&self) -> MaintenanceStatus {
        MaintenanceStatus::default()
    }
    fn storage(&self) -> Storage {
        let stats = self.stats();
        Storage {
            used_bytes: stats.disk_bytes,
            max_bytes: 1 << 30,
            level: Level::Normal,
            spaces: Resolution::ALL
                .map(|resolution| SpaceInfo {
                    resolution,
                    tables: 0,
                    bytes: 0,
                    samples_or_rows: 0,
                    oldest_ms: None,
                    newest_ms: None,
                    dropped_until_ms: None,
                })
                .to_vec(),
            wal_bytes: stats.wal_bytes,
            reserve_bytes: 0,
        }
    }
    fn cardinality(&self) -> Cardinality {
        let mut metrics: Vec<_> = self
            .metrics()
            .into_iter()
            .map(|m| (m.name, m.series))
            .collect();
        metrics.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Cardinality {
            series: self.stats().series,
            max_series: self.max_series(),
            max_series_per_metric: 0,
            metrics,
            labels: Vec::new(),
            growth: Growth {
                since_ms: 0,
                series_added: 0,
                metrics: Vec::new(),
                labels: Vec::new(),
            },
            refused: self.refused_series(),
            last_refusal: None,
            expired: 0,
        }
    }
    fn backup(&self) -> Result<Backup, StoreError> {
        Ok(Backup)
    }
}
