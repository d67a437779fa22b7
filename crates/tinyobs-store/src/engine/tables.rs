//! TableEngine: tables in a directory, named by a manifest.
//!
//!   commit: finished tables ─▶ sync directory ─▶ replace manifest ─▶ readers see them
//!
//!   <data dir>/MANIFEST            which tables count
//!   <data dir>/tables/0…07.table   immutable, sorted
//!
//! A crash before the manifest is replaced leaves files that nobody names; the next start removes
//! them. A crash after it leaves nothing to do. There is no other case (I-ENGINE-1).
//!
//! The directory may be one in memory: see [`crate::files::memory`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tinyobs_model::TimeRange;

use super::manifest::{Manifest, TableLine};
use super::merged::Merged;
use super::open_files::OpenFiles;
use super::table::Table;
use super::table::cursor::Cursor;
use super::table::writer::{DraftFile, Writer};
use super::{
    Commit, Counters, Draft, Engine, EntryReader, Partition, PartitionInfo, Pick, Readable,
    Rewrite, Space, Summary, View,
};
use crate::error::StoreError;
use crate::files::Files;

/// Similar tables, this many at least, are merged: see [`Pick::Similar`].
const MERGE_TABLES: usize = 4;
/// A little less than that many tables, which are never quite of one weight.
const GROWTH: u64 = 3;
/// Readers look into each table of a partition.
const TABLES_MANY: usize = 12;
/// What is added to a settled partition is merged when it is larger than this part of it.
const SMALL_PART: u64 = 16;
/// Entries between two looks at whether a merge should go on.
const LOOK_EVERY: u64 = 1_024;

/// Tables in a directory.
pub struct TableEngine {
    files: Arc<dyn Files>,
    open_files: Arc<OpenFiles>,
    dir: PathBuf,
    /// The number of the next table. One that failed keeps its number.
    next_table: AtomicU64,
    /// Held by whoever changes the manifest. The first failed sync stands in it: since then nobody
    /// knows which manifest the device holds, so nothing may be written or removed any more.
    writing: Mutex<Option<String>>,
    /// What readers see; replaced as a whole, so a reader keeps the tables it began with.
    state: RwLock<Arc<State>>,
    /// What was damaged at the start but for tables, which are with the open files.
    damage: Vec<String>,
}

/// A manifest and its tables.
struct State {
    manifest: Manifest,
    parts: BTreeMap<Partition, Part>,
    /// What the manifest says of each partition.
    partitions: Vec<(Partition, PartitionInfo)>,
}

/// The tables of one partition.
#[derive(Clone, Default)]
struct Part {
    /// Oldest first.
    tables: Vec<Arc<Table>>,
    /// Why some of its tables cannot be read (I-ENGINE-5).
    broken: Option<Broken>,
}

#[derive(Clone)]
struct Broken {
    path: PathBuf,
    offset: u64,
    what: String,
}

/// A table that is written, synced and not yet committed.
pub struct Finished {
    line: TableLine,
    draft: DraftFile,
}

impl Finished {
    pub(super) fn new(line: TableLine, draft: DraftFile) -> Self {
        Self { line, draft }
    }
}

/// The manifest at one moment, and its tables, which stay readable as long as this lives.
pub struct Snapshot {
    /// What the manifest says, as its file does, but for the log, which is not a part of it.
    pub manifest: String,
    /// The tables, oldest first.
    pub tables: Vec<Arc<Table>>,
}

impl State {
    fn new(manifest: Manifest, parts: BTreeMap<Partition, Part>) -> Self {
        let mut found: BTreeMap<Partition, PartitionInfo> = BTreeMap::new();
        for line in &manifest.tables {
            let info = found.entry(line.partition).or_insert(PartitionInfo {
                summary: Summary::EMPTY,
                tables: 0,
                bytes: 0,
            });
            info.summary = info.summary.and(line.summary);
            info.tables += 1;
            info.bytes += line.bytes;
        }
        Self {
            manifest,
            parts,
            partitions: found.into_iter().collect(),
        }
    }

    fn part(&self, partition: Partition) -> Option<&Part> {
        self.parts.get(&partition)
    }

    fn lines(&self, partition: Partition) -> impl Iterator<Item = &TableLine> {
        let tables = self.manifest.tables.iter();
        tables.filter(move |line| line.partition == partition)
    }
}

impl State {
    /// Reads those of a partition's tables that are wanted and can be read, and says why the others
    /// cannot.
    fn readable_where(
        &self,
        partition: Partition,
        wanted: &dyn Fn(&Summary) -> bool,
    ) -> Result<Readable, StoreError> {
        let Some(part) = self.part(partition) else {
            return Ok((Box::new(Merged::new(Vec::new())), None));
        };
        let tables = part.tables.iter();
        let tables = tables.filter(|table| wanted(&table.line().summary));
        let broken = part.broken.as_ref();
        let mut broken = broken.map(|it| StoreError::corrupt(&it.path, it.offset, it.what.clone()));
        let mut cursors = Vec::new();
        for table in tables {
            match Cursor::new(Arc::clone(table)) {
                Ok(cursor) => cursors.push(cursor),
                // It could be opened at the start, and cannot any more.
                Err(error @ StoreError::Corrupt { .. }) => {
                    broken.get_or_insert(error);
                }
                Err(other) => return Err(other),
            }
        }
        Ok((Box::new(Merged::new(cursors)), broken))
    }
}

impl TableEngine {
    /// Opens the tables of `dir`, or makes an empty store there.
    ///
    /// # Errors
    /// The manifest is damaged twice over, of another format, or a file cannot be read.
    pub fn open(files: Arc<dyn Files>, dir: &Path) -> Result<Self, StoreError> {
        let tables_dir = dir.join("tables");
        files
            .create_dir(&tables_dir)
            .map_err(|e| StoreError::io("create", &tables_dir, e))?;
        let (manifest, what) = match Manifest::load(files.as_ref(), dir)? {
            Some(found) => found,
            None => (first_manifest(files.as_ref(), dir, &tables_dir)?, None),
        };
        let engine = Self {
            open_files: Arc::new(OpenFiles::new(Arc::clone(&files))),
            files,
            dir: dir.to_path_buf(),
            next_table: manifest.next_table.into(),
            writing: Mutex::new(None),
            state: RwLock::new(Arc::new(State::new(Manifest::default(), BTreeMap::new()))),
            damage: what.into_iter().collect(),
        };
        let parts = engine.open_tables(&manifest)?;
        engine.remove_orphans(&manifest, &tables_dir)?;
        engine.publish(State::new(manifest, parts));
        Ok(engine)
    }

    fn open_tables(&self, manifest: &Manifest) -> Result<BTreeMap<Partition, Part>, StoreError> {
        let mut parts: BTreeMap<Partition, Part> = BTreeMap::new();
        for line in &manifest.tables {
            let part = parts.entry(line.partition).or_default();
            let path = table_path(&self.dir, line.number);
            match Table::open(&self.open_files, line.clone(), &path) {
                Ok(table) => part.tables.push(Arc::new(table)),
                // I-ENGINE-5: whatever is wrong with this one, the others are readable.
                Err(error) => {
                    if let StoreError::Io { .. } = &error {
                        return Err(error);
                    }
                    let lost = line.summary.samples;
                    let what = format!("{error} ({lost} samples of {})", line.partition);
                    self.open_files.note_damage(line.number, 0, what);
                    // Not an error inside an error: it names its file and place itself.
                    part.broken = Some(match error {
                        StoreError::Corrupt { path, offset, what } => Broken { path, offset, what },
                        other => Broken {
                            path,
                            offset: 0,
                            what: other.to_string(),
                        },
                    });
                }
            }
        }
        Ok(parts)
    }

    /// Removes what a crash between writing and naming has left.
    fn remove_orphans(&self, manifest: &Manifest, tables_dir: &Path) -> Result<(), StoreError> {
        let named: Vec<PathBuf> = manifest
            .tables
            .iter()
            .map(|line| table_path(&self.dir, line.number))
            .collect();
        let found = self
            .files
            .list(tables_dir)
            .map_err(|e| StoreError::io("list", tables_dir, e))?;
        for path in found.into_iter().filter(|path| !named.contains(path)) {
            tracing::info!(file = %path.display(), "removing a table that was never committed");
            self.files
                .remove(&path)
                .map_err(|e| StoreError::io("remove", &path, e))?;
        }
        Ok(())
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn publish(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    /// The right to change the manifest.
    fn writing(&self) -> Result<MutexGuard<'_, Option<String>>, StoreError> {
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match &*writing {
            Some(reason) => Err(StoreError::Fatal {
                reason: reason.clone(),
            }),
            None => Ok(writing),
        }
    }

    /// Replaces the manifest: `gone` tables and `drops` partitions leave it, `finished` ones come in
    /// at the place of the first that left, or at the end.
    fn replace(
        &self,
        finished: Vec<Finished>,
        gone: &[u64],
        drops: &[Partition],
        counters: Option<Counters>,
    ) -> Result<(), StoreError> {
        let mut writing = self.writing()?;
        let before = self.state();
        let mut manifest = before.manifest.clone();
        manifest.counters = counters.unwrap_or(manifest.counters);
        let leaves =
            |line: &TableLine| gone.contains(&line.number) || drops.contains(&line.partition);
        let place = manifest.tables.iter().position(leaves);
        manifest.tables.retain(|line| !leaves(line));
        let place = place.unwrap_or(manifest.tables.len());
        let lines = finished.iter().map(|finished| finished.line.clone());
        manifest.tables.splice(place..place, lines);
        manifest.next_table = self.next_table.load(Ordering::SeqCst);

        let mut opened = Vec::new();
        for finished in &finished {
            let line = finished.line.clone();
            opened.push(Table::open(&self.open_files, line, finished.draft.path())?);
        }
        let dir = self.dir.join("tables");
        let stored = self
            .files
            .sync_dir(&dir)
            .map_err(|e| StoreError::sync(&dir, &e))
            .and_then(|()| manifest.store(self.files.as_ref(), &self.dir));
        if let Err(error) = stored {
            if let StoreError::Fatal { reason } = &error {
                *writing = Some(reason.clone());
                // The new manifest may be the one that the device holds.
                keep(finished);
            }
            return Err(error);
        }
        keep(finished);
        let parts = parts_of(&before, &manifest, opened);
        self.publish(State::new(manifest, parts));
        for table in before.parts.values().flat_map(|part| &part.tables) {
            if leaves(table.line()) {
                table.retire();
            }
        }
        self.remove_broken(&before, drops);
        Ok(())
    }

    /// Files of dropped tables that could not even be opened.
    fn remove_broken(&self, before: &State, drops: &[Partition]) {
        for &partition in drops {
            let broken = before
                .part(partition)
                .is_some_and(|part| part.broken.is_some());
            for line in before.lines(partition).filter(|_| broken) {
                let path = table_path(&self.dir, line.number);
                if before.part(partition).is_some_and(|part| {
                    part.tables
                        .iter()
                        .all(|table| table.line().number != line.number)
                }) {
                    self.open_files.remove(line.number, &path);
                }
            }
        }
    }
}

/// From now on the files stay: a manifest names them, or may.
fn keep(finished: Vec<Finished>) {
    for mut one in finished {
        one.draft.keep();
    }
}

/// The tables of the new manifest: those that were open, and the new ones.
fn parts_of(before: &State, manifest: &Manifest, opened: Vec<Table>) -> BTreeMap<Partition, Part> {
    let known = before
        .parts
        .values()
        .flat_map(|part| part.tables.iter().cloned());
    let opened = opened.into_iter().map(Arc::new);
    let by_number: BTreeMap<u64, Arc<Table>> = known
        .chain(opened)
        .map(|table| (table.line().number, table))
        .collect();
    let mut parts: BTreeMap<Partition, Part> = BTreeMap::new();
    for line in &manifest.tables {
        let part = parts.entry(line.partition).or_insert_with(|| Part {
            tables: Vec::new(),
            broken: before
                .part(line.partition)
                .and_then(|part| part.broken.clone()),
        });
        part.tables.extend(by_number.get(&line.number).cloned());
    }
    parts
}

impl Engine for TableEngine {
    fn draft(&self, partition: Partition) -> Box<dyn Draft> {
        let number = self.next_table.fetch_add(1, Ordering::SeqCst);
        let path = table_path(&self.dir, number);
        Box::new(Writer::new(
            Arc::clone(&self.files),
            number,
            partition,
            path,
        ))
    }

    fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.replace(commit.tables, &[], &commit.drops, Some(commit.counters))
    }

    fn merge(
        &self,
        partition: Partition,
        pick: Pick,
        rewrite: &mut dyn Rewrite,
        go_on: &dyn Fn() -> bool,
    ) -> Result<u64, StoreError> {
        let picked = match self.state().part(partition) {
            Some(part) if part.broken.is_none() => pick.of(&part.tables),
            _ => return Ok(0),
        };
        if picked.is_empty() {
            return Ok(0);
        }
        let gone: Vec<u64> = picked.iter().map(|table| table.line().number).collect();
        let cursors = picked.into_iter().map(Cursor::new);
        let mut merged = Merged::new(cursors.collect::<Result<_, _>>()?);
        let mut draft = self.draft(partition);
        let mut seen = 0u64;
        while let Some((key, value)) = merged.next()? {
            rewrite.entry(key, value, draft.as_mut())?;
            seen += 1;
            if seen.is_multiple_of(LOOK_EVERY) && !go_on() {
                return Ok(0);
            }
        }
        let summary = rewrite.finish(draft.as_mut())?;
        let finished = draft.finish(summary)?;
        self.replace(vec![finished], &gone, &[], None)?;
        Ok(gone.len() as u64)
    }

    fn view(&self) -> Arc<dyn View> {
        self.state()
    }

    fn damage(&self) -> Vec<String> {
        let state = self.state();
        let is_there = |number| {
            let mut lines = state.manifest.tables.iter();
            lines.any(|line| line.number == number)
        };
        let found = self.open_files.damage();
        let found = found.iter().filter(|((number, _), _)| is_there(*number));
        let found = found.map(|(_, what)| what.clone());
        self.damage.iter().cloned().chain(found).collect()
    }
}

impl View for State {
    fn counters(&self) -> Counters {
        self.manifest.counters
    }

    fn partitions(&self) -> Vec<(Partition, PartitionInfo)> {
        self.partitions.clone()
    }

    fn first_ms_after(&self, space: Space, after: u64, from_ms: i64) -> Option<i64> {
        let waiting = self.manifest.tables.iter().filter(|line| {
            let summary = line.summary;
            let is_new = summary.sequence > after && summary.last_ms >= from_ms;
            line.partition.space == space && is_new
        });
        waiting.map(|line| line.summary.first_ms).min()
    }

    fn reader(&self, partition: Partition, after: u64) -> Result<Box<dyn EntryReader>, StoreError> {
        match self.readable(partition, after)? {
            // What is left of a damaged catalogue is better than none: nothing can be named without
            // it, and what is lost stands in the damage.
            (_, Some(broken)) if partition.space != Space::Catalogue => Err(broken),
            (reader, _) => Ok(reader),
        }
    }

    fn reader_in(
        &self,
        partition: Partition,
        range: TimeRange,
    ) -> Result<Box<dyn EntryReader>, StoreError> {
        let holds = |of: &Summary| range.overlaps(of.first_ms, of.last_ms);
        match self.readable_where(partition, &holds)? {
            (_, Some(broken)) => Err(broken),
            (reader, None) => Ok(reader),
        }
    }

    fn readable(&self, partition: Partition, after: u64) -> Result<Readable, StoreError> {
        self.readable_where(partition, &|of| after == 0 || of.sequence > after)
    }

    fn snapshot(&self) -> Snapshot {
        let tables = self.parts.values().flat_map(|part| part.tables.clone());
        let tables: Vec<Arc<Table>> = tables.collect();
        // Those that cannot be opened stay named: a copy must not answer with nothing where this
        // store answers with an error.
        let mut manifest = self.manifest.clone();
        // The log is not copied: nobody must miss it.
        manifest.counters.first_segment = Counters::default().first_segment;
        Snapshot {
            manifest: manifest.to_text(),
            tables,
        }
    }
}

impl Pick {
    /// The tables to merge, neighbours in age: between two of them none may be left out, or an old
    /// value would come to stand above a newer one.
    fn of(self, tables: &[Arc<Table>]) -> Vec<Arc<Table>> {
        let settled = || {
            let weights = tables.iter().map(|table| table.line().weight());
            let (largest, all) = (weights.clone().max().unwrap_or(0), weights.sum::<u64>());
            tables.len() >= MERGE_TABLES || all - largest > largest / SMALL_PART
        };
        let count = match self {
            Self::Rewrite => tables.len(),
            Self::All if tables.len() > 1 => tables.len(),
            Self::Settled if tables.len() > 1 && settled() => tables.len(),
            Self::All | Self::Settled => 0,
            Self::Similar => similar(tables.iter().rev().map(|table| table.line().weight())),
        };
        tables[tables.len() - count..].to_vec()
    }
}

/// How many of the newest tables to merge, by their weights, the newest first: as many as weigh
/// [`GROWTH`] times as much as the heaviest of them, which is how much larger the table becomes into
/// which a sample is rewritten. Where there are many tables all the same, twice is enough.
pub(super) fn similar(weights: impl Iterator<Item = u64>) -> usize {
    let (mut sum, mut heaviest, mut found) = (0u64, 0u64, [0; 2]);
    let mut tables = 0;
    for weight in weights {
        tables += 1;
        sum = sum.saturating_add(weight);
        heaviest = heaviest.max(weight);
        for (growth, found) in [GROWTH, 2].into_iter().zip(&mut found) {
            if tables >= MERGE_TABLES && sum >= heaviest.saturating_mul(growth) {
                *found = tables;
            }
        }
    }
    match found {
        [0, less] if tables > TABLES_MANY => less,
        [enough, _] => enough,
    }
}

fn first_manifest(
    files: &dyn Files,
    dir: &Path,
    tables_dir: &Path,
) -> Result<Manifest, StoreError> {
    let found = files
        .list(tables_dir)
        .map_err(|e| StoreError::io("list", tables_dir, e))?;
    if !found.is_empty() {
        let what = "there are tables but no manifest that names them";
        return Err(StoreError::corrupt(&dir.join("MANIFEST"), 0, what));
    }
    let manifest = Manifest {
        next_table: 1,
        ..Manifest::default()
    };
    manifest.store(files, dir)?;
    Ok(manifest)
}

fn table_path(dir: &Path, number: u64) -> PathBuf {
    dir.join("tables").join(format!("{number:016}.table"))
}
