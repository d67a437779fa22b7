//! Storage: how much room everything takes, how much it may, and who goes first.
//!
//!   commit ─▶ [Usage::set] ◀─ append: is there room?        maintenance ─▶ [Inner::make_room]
//!
//! When the budget is spent the oldest raw partition goes, then the oldest of five minutes, then of
//! hours; only what is rolled up, and never the day that is being written. When nothing may go,
//! nothing is accepted.
//!
//! I-STORAGE-1  A batch that would go beyond the budget is refused before it is logged.
//! I-STORAGE-2  The reserve is given back before anything that frees room needs some: a full disk
//!              can always be emptied.
//! Proved by: retention/tests.rs, `cargo xtask crash full`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tinyobs_model::Resolution;

use crate::engine::{Commit, Counters, Partition, PartitionInfo, Space, Summary};
use crate::error::StoreError;
use crate::files::Files;
use crate::inner::{Inner, of_space};
use crate::maintenance::LOG_BYTES_MAX;
use crate::options::EngineKind;

/// Bytes held back on the device while the store runs. A flush of a full log, its rollups and a new
/// manifest fit in. It is taken a while after the start: short lives do not need it.
const RESERVE_BYTES: u64 = 4 << 20;
/// Its file in the data directory.
pub(crate) const RESERVE: &str = "RESERVE";
/// Of a small budget the reserve takes this part at most.
const RESERVE_PART: u64 = 16;
/// The log may take this part of a small budget before it is flushed.
const LOG_PART: u64 = 8;

/// What is used, as far as it is known without looking at the device.
#[derive(Default)]
pub(crate) struct Usage {
    /// Bytes of tables, manifest and reserve after the last look.
    settled: AtomicU64,
    reserve: AtomicU64,
}

/// How full the budget is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Below 80 %, or there is no budget.
    Normal,
    /// From 80 % on.
    Warn80,
    /// From 90 % on.
    Warn90,
    /// All of it: nothing is accepted until something has gone.
    Full,
}

/// What one resolution takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceInfo {
    /// Which one.
    pub resolution: Resolution,
    /// Its tables.
    pub tables: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Samples, or windows of rollups. What stands in two tables counts twice until they are merged.
    pub samples_or_rows: u64,
    /// Earliest time, in ms.
    pub oldest_ms: Option<i64>,
    /// Latest time, in ms.
    pub newest_ms: Option<i64>,
    /// Everything before has been dropped, in ms.
    pub dropped_until_ms: Option<i64>,
}

/// How much room everything takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Bytes that all files occupy.
    pub used_bytes: u64,
    /// Bytes that they may; 0 = as many as there are.
    pub max_bytes: u64,
    /// How full that is.
    pub level: Level,
    /// By resolution.
    pub spaces: Vec<SpaceInfo>,
    /// Bytes of the log.
    pub wal_bytes: u64,
    /// Bytes held back.
    pub reserve_bytes: u64,
    /// Why writes are refused for want of room, if they are.
    pub refusing: Option<String>,
}

impl Level {
    fn of(used: u64, max: u64) -> Self {
        match used.saturating_mul(100) / max.max(1) {
            _ if max == 0 => Self::Normal,
            ..80 => Self::Normal,
            80..90 => Self::Warn80,
            90..100 => Self::Warn90,
            _ => Self::Full,
        }
    }

    /// The name used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Warn80 => "warning_80",
            Self::Warn90 => "warning_90",
            Self::Full => "full",
        }
    }
}

impl Inner {
    fn is_on_disk(&self) -> bool {
        self.options.engine == EngineKind::Disk
    }

    /// The log is flushed when it is this long.
    pub(crate) fn log_bytes_max(&self, most: u64) -> u64 {
        match self.options.max_bytes {
            0 => most,
            budget => most.min(budget / LOG_PART),
        }
    }

    /// I-STORAGE-1.
    pub(crate) fn check_room(&self, log_bytes: u64) -> Result<(), StoreError> {
        let max = self.options.max_bytes;
        let used = self.usage.settled.load(Ordering::Relaxed) + log_bytes;
        if max == 0 || used < max {
            return Ok(());
        }
        // Something may go meanwhile.
        self.wake.raise();
        Err(StoreError::Budget { used, max })
    }

    /// Whether the budget is as good as spent.
    pub(crate) fn is_filling(&self) -> bool {
        let level = Level::of(self.used_bytes(), self.options.max_bytes);
        matches!(level, Level::Warn90 | Level::Full)
    }

    /// Whether the budget is spent.
    pub(crate) fn is_full(&self) -> bool {
        Level::of(self.used_bytes(), self.options.max_bytes) == Level::Full
    }

    /// Looks how much room everything but the log takes. Of tables those count that the manifest
    /// names: what a merge or a drop has let go is on the device as long as somebody reads it, and no
    /// more dropping would bring it back sooner.
    pub(crate) fn measure(&self) {
        let partitions = self.engine.view().partitions();
        let tables: u64 = partitions.iter().map(|(_, info)| info.bytes).sum();
        let mut used = tables;
        if self.is_on_disk() {
            let (dir, files) = (&self.options.data_dir, self.options.files.as_ref());
            let parts = [dir.clone(), dir.join("quarantine")];
            used += parts.iter().map(|part| allocated(files, part)).sum::<u64>();
        }
        self.usage.settled.store(used, Ordering::Relaxed);
    }

    /// Bytes that all files occupy.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.usage.settled.load(Ordering::Relaxed) + self.wal_bytes()
    }

    fn settled_bytes(&self) -> u64 {
        self.usage.settled.load(Ordering::Relaxed)
    }

    /// Bytes of the log that are on the device.
    pub(crate) fn wal_bytes(&self) -> u64 {
        self.writer().log.bytes_on_device()
    }

    pub(crate) fn storage(&self) -> Storage {
        let view = self.engine.view();
        let counters = view.counters();
        let space = |resolution: Resolution| {
            let PartitionInfo {
                summary,
                tables,
                bytes,
            } = of_space(view.as_ref(), Space::of(resolution));
            let any = summary.first_ms <= summary.last_ms;
            let dropped_ms = counters.dropped_ms[resolution as usize];
            SpaceInfo {
                resolution,
                tables,
                bytes,
                samples_or_rows: summary.samples,
                oldest_ms: any.then_some(summary.first_ms),
                newest_ms: any.then_some(summary.last_ms),
                dropped_until_ms: (dropped_ms != i64::MIN).then_some(dropped_ms),
            }
        };
        self.measure();
        let (used_bytes, max_bytes) = (self.used_bytes(), self.options.max_bytes);
        Storage {
            used_bytes,
            max_bytes,
            level: Level::of(used_bytes, max_bytes),
            spaces: Resolution::ALL.map(space).into(),
            wal_bytes: self.wal_bytes(),
            reserve_bytes: self.usage.reserve.load(Ordering::Relaxed),
            refusing: self.refusing(),
        }
    }

    /// Says so when the budget is nearly spent.
    pub(crate) fn warn_of_budget(&self) {
        let (used, max) = (self.used_bytes(), self.options.max_bytes);
        match Level::of(used, max) {
            Level::Normal => {}
            Level::Warn80 => tracing::warn!(used, max, "80 % of --max-storage is used"),
            Level::Warn90 => tracing::warn!(used, max, "90 % of --max-storage is used"),
            Level::Full => tracing::error!(used, max, "--max-storage is used up"),
        }
    }

    /// Drops the oldest partitions until the budget holds, and returns how many went. A little more
    /// than needed goes, so that not every batch meets the limit again.
    pub(crate) fn make_room(&self) -> Result<u64, StoreError> {
        let max = self.options.max_bytes;
        let enough = max - max / 20;
        let mut dropped = 0;
        self.measure();
        // The log may grow until it is flushed; before that nobody should be refused.
        let log_bytes = self.log_bytes_max(LOG_BYTES_MAX);
        while max > 0 && self.used_bytes().max(self.settled_bytes() + log_bytes) >= enough {
            let Some(victim) = self.victim() else { break };
            let bytes = self.used_bytes();
            tracing::warn!(partition = %victim, bytes, max, "dropped: --max-storage is as good as used up, with what the log may take until it is written out");
            self.drop_partitions(&[victim])?;
            dropped += 1;
            self.measure();
        }
        Ok(dropped)
    }

    /// Who goes first: of raw, of five minutes, of hours, the oldest partition, if it may. Never one
    /// behind another that stays, for a mark would pass over that (see [`crate::rollup`]).
    fn victim(&self) -> Option<Partition> {
        let view = self.engine.view();
        let rolled = view.counters().rolled;
        let now_ms = self.believed_now_ms();
        let may_go = |(partition, info): &(Partition, PartitionInfo)| {
            let is_rolled = partition.space != Space::Raw || info.summary.sequence <= rolled;
            is_rolled && partition.end_ms() <= now_ms
        };
        let partitions = view.partitions();
        let oldest = |resolution: Resolution| {
            let space = Space::of(resolution);
            partitions
                .iter()
                .find(|(partition, _)| partition.space == space)
        };
        let found = Resolution::ALL.into_iter().filter_map(oldest);
        found.copied().find(may_go).map(|(partition, _)| partition)
    }

    /// Drops partitions, and moves the marks behind which nothing is kept.
    pub(crate) fn drop_partitions(&self, drops: &[Partition]) -> Result<(), StoreError> {
        let mut counters: Counters = self.engine.view().counters();
        for partition in drops {
            let place = Resolution::ALL
                .into_iter()
                .find(|resolution| Space::of(*resolution) == partition.space);
            if let Some(resolution) = place {
                let mark = &mut counters.dropped_ms[resolution as usize];
                *mark = partition.end_ms().max(*mark);
            }
        }
        let commit = |counters| Commit {
            tables: Vec::new(),
            drops: drops.to_vec(),
            counters,
        };
        self.journal.expiry_due.store(true, Ordering::SeqCst);
        match self.engine.commit(commit(counters)) {
            Err(error) if error.is_full() => {
                // I-STORAGE-2.
                self.release_reserve();
                self.engine.commit(commit(counters))
            }
            other => other,
        }
    }

    /// Holds some room back, if there is any.
    pub(crate) fn take_reserve(&self) {
        if !self.is_on_disk() || self.usage.reserve.load(Ordering::Relaxed) > 0 {
            return;
        }
        let bytes = match self.options.max_bytes {
            0 => RESERVE_BYTES,
            budget => RESERVE_BYTES.min(budget / RESERVE_PART),
        };
        let path = self.reserve_path();
        match write_reserve(self.options.files.as_ref(), &path, bytes) {
            Ok(()) => {
                self.usage.reserve.store(bytes, Ordering::Relaxed);
                self.room.written();
            }
            // There is none to hold back. The next maintenance tries again.
            Err(_) => self.release_reserve(),
        }
    }

    /// Gives it back.
    pub(crate) fn release_reserve(&self) {
        if self.is_on_disk() {
            let _ = self.options.files.remove(&self.reserve_path());
            self.usage.reserve.store(0, Ordering::Relaxed);
        }
    }

    fn reserve_path(&self) -> PathBuf {
        self.options.data_dir.join(RESERVE)
    }
}

/// Writes bytes that no file system can leave out or squeeze.
fn write_reserve(files: &dyn Files, path: &Path, bytes: u64) -> std::io::Result<()> {
    const PIECE: usize = 1 << 20;
    let _ = files.remove(path);
    let mut file = files.create(path)?;
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut piece = Vec::with_capacity(PIECE);
    let mut left = bytes as usize;
    while left > 0 {
        piece.clear();
        let wanted = left.min(PIECE);
        while piece.len() < wanted {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            piece.extend_from_slice(&state.to_le_bytes());
        }
        // A small budget has a small reserve, and not one byte more.
        piece.truncate(wanted);
        file.append(&piece)?;
        left -= wanted;
    }
    Ok(())
}

/// Bytes that the files directly in `dir` occupy. A file that vanishes meanwhile counts nothing.
fn allocated(files: &dyn Files, dir: &Path) -> u64 {
    let listed = files.list(dir).unwrap_or_default();
    listed
        .iter()
        .map(|path| files.allocated(path).unwrap_or(0))
        .sum()
}

impl Summary {
    /// Whether it covers any time.
    pub fn has_times(&self) -> bool {
        self.first_ms <= self.last_ms
    }
}
