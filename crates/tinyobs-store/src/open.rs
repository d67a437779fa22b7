//! Open: a directory becomes a store again.
//!
//!   lock ─▶ manifest and tables ─▶ catalogue into the index ─▶ log replayed into index and head
//!
//! Nothing here needs a hand: a killed process, a torn last record, a table that was never
//! committed are all put right without asking. What cannot be put right is named with file and
//! offset, and reported: a hole in the log, a table, one of the two manifests. Only a store without
//! any manifest left is refused.
//!
//! I-OPEN-1  What was acknowledged is kept even where nobody can name it any more: samples whose
//!           series' definition is damaged stay under their number.
//! Proved by: store/tests.rs, `cargo xtask crash flip`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use tinyobs_model::Labels;

use crate::bytes::Reader;
use crate::engine::key::{CatalogueKey, catalogue_key};
use crate::engine::{Engine, EntryReader, EntryRef, Partition, TableEngine};
use crate::error::StoreError;
use crate::files::Files;
use crate::files::memory::MemoryFiles;
use crate::head::Head;
use crate::index::Index;
use crate::inner::Writer;
use crate::options::{EngineKind, StoreOptions};
use crate::storage::RESERVE;
use crate::wal::record::{self, Record};
use crate::wal::syncer::Syncer;
use crate::wal::{Log, NoLog, SegmentLog};

/// The parts of an open store.
pub(crate) struct Opened {
    pub(crate) head: Head,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) index: Index,
    pub(crate) writer: Writer,
    pub(crate) syncer: Option<Arc<Syncer>>,
    pub(crate) lock: Option<File>,
    pub(crate) damage: Vec<String>,
    /// Whether series may be missing that way.
    pub(crate) lost_definitions: bool,
    pub(crate) obsolete: HashSet<record::SeriesId>,
}

/// Opens what the options name.
pub(crate) fn open(options: &StoreOptions) -> Result<Opened, StoreError> {
    match options.engine {
        EngineKind::Memory => {
            let files: Arc<dyn Files> = Arc::new(MemoryFiles::default());
            let engine = Arc::new(TableEngine::open(files, &options.data_dir)?);
            let replay = Replay::new(engine.as_ref())?;
            Ok(replay.finish(engine, Box::new(NoLog::default()), None, None))
        }
        EngineKind::Disk => open_disk(options),
    }
}

fn open_disk(options: &StoreOptions) -> Result<Opened, StoreError> {
    let dir = &options.data_dir;
    let is_new = !dir.exists();
    options
        .files
        .create_dir(dir)
        .map_err(|e| StoreError::io("create", dir, e))?;
    let lock = lock_dir(dir)?;
    let engine = Arc::new(TableEngine::open(Arc::clone(&options.files), dir)?);
    let mut replay = Replay::new(engine.as_ref())?;
    // What a killed process held back: a start needs no room (I-WAL-7), but what comes after it does
    // (I-STORAGE-2).
    let _ = options.files.remove(&dir.join(RESERVE));
    let files = Arc::clone(&options.files);
    let first = engine.view().counters().first_segment;
    let (log, syncer, replayed) = SegmentLog::open(
        files,
        &dir.join("wal"),
        options.durability,
        first,
        |record| {
            replay.apply(record);
        },
    )?;
    sync_names(options.files.as_ref(), dir, is_new)?;
    // In a hole of the log there may have been definitions.
    replay.lost_definitions |= !replayed.damage.is_empty() || replay.strangers > 0;
    replay.damage.extend(replayed.damage);
    if replay.strangers > 0 {
        let samples = replay.strangers;
        replay.damage.push(format!(
            "{samples} samples in the log belong to series whose definition is damaged: they are kept, \
             and cannot be seen until the catalogue is whole again"
        ));
    }
    tracing::info!(
        series = replay.index.len(),
        samples_from_log = replay.head.extent().0,
        "store is open"
    );
    let in_tables = engine.damage().into_iter();
    let in_tables: Vec<String> = in_tables
        .filter(|what| !replay.damage.contains(what))
        .collect();
    for what in replay.damage.iter().chain(&in_tables) {
        tracing::error!("damage in the store: {what}");
    }
    Ok(replay.finish(engine, Box::new(log), Some(syncer), Some(lock)))
}

/// Makes the directory's own names durable: a synced file in a directory that nobody can find
/// again after a power cut would be worth nothing.
fn sync_names(files: &dyn Files, dir: &Path, is_new: bool) -> Result<(), StoreError> {
    let sync = |dir: &Path| files.sync_dir(dir).map_err(|e| StoreError::sync(dir, &e));
    sync(dir)?;
    match dir
        .parent()
        .filter(|parent| is_new && !parent.as_os_str().is_empty())
    {
        Some(parent) => sync(parent),
        None if is_new => sync(Path::new(".")),
        None => Ok(()),
    }
}

/// I-STORE-1.
fn lock_dir(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("LOCK");
    let open = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = open.map_err(|e| StoreError::io("open", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
            dir: dir.to_path_buf(),
        }),
        Err(TryLockError::Error(e)) => Err(StoreError::io("lock", &path, e)),
    }
}

/// The next entry that can be read; what cannot is noted.
fn next_readable<'a>(
    reader: &'a mut dyn EntryReader,
    damage: &mut Vec<String>,
) -> Result<Option<EntryRef<'a>>, StoreError> {
    while let Err(error) = reader.advance() {
        match error {
            StoreError::Corrupt { .. } => damage.push(error.to_string()),
            other => return Err(other),
        }
    }
    Ok(reader.current())
}

/// Index and head while they are filled.
struct Replay {
    index: Index,
    head: Head,
    next_series: u64,
    unsaved_series: Vec<record::Definition>,
    unsaved_metadata: BTreeMap<String, tinyobs_model::Metadata>,
    /// Samples of series that nobody has defined.
    strangers: u64,
    /// Definitions that newer ones with the same labels have replaced.
    obsolete: HashSet<record::SeriesId>,
    damage: Vec<String>,
    /// Whether some of the damage may have held definitions of series.
    lost_definitions: bool,
}

impl Replay {
    /// Begins with what the engine's catalogue holds.
    fn new(engine: &dyn Engine) -> Result<Self, StoreError> {
        let view = engine.view();
        let counters = view.counters();
        let mut replay = Self {
            index: Index::default(),
            head: Head::new(),
            next_series: counters.next_series,
            unsaved_series: Vec::new(),
            unsaved_metadata: BTreeMap::new(),
            strangers: 0,
            obsolete: HashSet::new(),
            damage: Vec::new(),
            lost_definitions: false,
        };
        // Metadata first, so that series know their kind: it stands behind the definitions.
        let mut definitions = Vec::new();
        let mut wrong = 0;
        let (mut reader, broken) = view.readable(Partition::CATALOGUE, 0)?;
        while let Some((key, value)) = next_readable(reader.as_mut(), &mut replay.damage)? {
            match catalogue_key(key) {
                Some(CatalogueKey::Definition(id)) => match Labels::from_canonical(value) {
                    Some(labels) => definitions.push((id, labels)),
                    None => wrong += 1,
                },
                Some(CatalogueKey::Metadata(name)) => {
                    match record::read_meta_value(&mut Reader::new(value)) {
                        Some(metadata) => replay.index.describe(name.to_owned(), metadata),
                        None => wrong += 1,
                    }
                }
                None => wrong += 1,
            }
        }
        // A table of the catalogue that is damaged as a whole is among the engine's damage.
        replay.lost_definitions = wrong > 0 || broken.is_some() || !replay.damage.is_empty();
        if wrong > 0 {
            replay
                .damage
                .push(format!("{wrong} entries of the catalogue make no sense"));
        }
        replay.define_all(definitions);
        Ok(replay)
    }

    /// Of several with the same labels the newest counts: the process ended before the old ones were
    /// taken out (I-RETENTION-3).
    fn define_all(&mut self, definitions: Vec<record::Definition>) {
        let newest: HashMap<&[u8], record::SeriesId> = definitions
            .iter()
            .map(|(id, labels)| (labels.as_bytes(), *id))
            .collect();
        let is_newest = |(id, labels): &record::Definition| newest[labels.as_bytes()] == *id;
        let keep: Vec<bool> = definitions.iter().map(is_newest).collect();
        for ((id, labels), keep) in definitions.into_iter().zip(keep) {
            if keep {
                self.define(id, labels);
            } else {
                self.obsolete.insert(id);
            }
        }
    }

    fn define(&mut self, id: record::SeriesId, labels: Labels) -> bool {
        self.next_series = self.next_series.max(id.saturating_add(1));
        if self.index.labels(id).is_some() {
            return false;
        }
        if self.index.find(labels.as_bytes()).is_some() {
            // In the log, too: the series had been forgotten and came back, and the process ended before the old
            // definition was taken out (I-RETENTION-3).
            if let Some((older, _)) = self.index.find(labels.as_bytes()) {
                self.obsolete.insert(older);
            }
            self.index.replace(id, labels);
            return true;
        }
        self.index.insert(id, labels)
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::Series(series) => {
                for (id, labels) in series {
                    if self.define(id, labels.clone()) {
                        self.unsaved_series.push((id, labels));
                    }
                }
            }
            Record::Metadata(metrics) => {
                for (name, metadata) in metrics {
                    self.index.describe(name.clone(), metadata.clone());
                    self.unsaved_metadata.insert(name, metadata);
                }
            }
            Record::Floats(samples) => {
                // Also of a series whose definition is lost: its number is not given out again.
                let highest = samples.iter().map(|(id, _)| *id).max().unwrap_or(0);
                self.next_series = self.next_series.max(highest.saturating_add(1));
                let is_known = |(id, _): &&(_, _)| self.index.labels(*id).is_some();
                let known = samples.iter().filter(is_known).count();
                self.strangers += (samples.len() - known) as u64;
                // I-OPEN-1
                self.head.put(&samples);
            }
        }
    }

    fn finish(
        self,
        engine: Arc<dyn Engine>,
        log: Box<dyn Log>,
        syncer: Option<Arc<Syncer>>,
        lock: Option<File>,
    ) -> Opened {
        let writer = Writer {
            log,
            next_series: self.next_series,
            unsaved_series: self.unsaved_series,
            unsaved_metadata: self.unsaved_metadata,
            expiries: 0,
            frames: Vec::new(),
            payload: Vec::new(),
        };
        let Self {
            head,
            index,
            damage,
            lost_definitions,
            obsolete,
            ..
        } = Self {
            unsaved_series: Vec::new(),
            unsaved_metadata: BTreeMap::new(),
            ..self
        };
        Opened {
            head,
            engine,
            index,
            writer,
            syncer,
            lock,
            damage,
            lost_definitions,
            obsolete,
        }
    }
}

#[cfg(test)]
mod tests;
