//! DiskEngine: tables in a directory, named by a manifest.
//!
//!   commit: write tables ─▶ sync each ─▶ sync directory ─▶ replace manifest ─▶ readers see them
//!
//!   <data dir>/MANIFEST            which tables count
//!   <data dir>/tables/0…07.table   immutable, sorted
//!
//! A crash before the manifest is replaced leaves files that nobody names; the next start removes
//! them. A crash after it leaves nothing to do. There is no other case (I-ENGINE-1).

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::manifest::{Manifest, TableLine};
use super::open_files::OpenFiles;
use super::table::{self, Table};
use super::{Commit, Counters, Engine, Load, Partition, Summary, Visit};
use crate::error::StoreError;
use crate::files::Files;

/// Tables in a directory.
pub struct DiskEngine {
    files: Arc<dyn Files>,
    open_files: Arc<OpenFiles>,
    dir: PathBuf,
    /// Held by whoever writes, over the whole change.
    writing: Mutex<Writing>,
    /// What readers see; replaced as a whole, so a scan keeps the tables it began with.
    tables: RwLock<Arc<Tables>>,
}

struct Writing {
    /// The manifest in force.
    manifest: Manifest,
    /// The first failed sync: since then nobody knows which manifest the device holds, so nothing
    /// may be written or removed any more.
    failed: Option<String>,
}

type Tables = BTreeMap<Partition, Part>;

/// The tables of one partition.
#[derive(Clone)]
struct Part {
    /// Oldest first.
    tables: Vec<Arc<Table>>,
    summary: Summary,
}

impl Part {
    const EMPTY: Self = Self {
        tables: Vec::new(),
        summary: Summary::EMPTY,
    };

    fn add(&mut self, line: &TableLine, table: Arc<Table>) {
        self.tables.push(table);
        self.summary = self.summary.and(line.summary);
    }
}

impl Writing {
    fn check(&self) -> Result<(), StoreError> {
        match &self.failed {
            Some(reason) => Err(StoreError::Fatal {
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }

    fn note(&mut self, error: &StoreError) {
        if let StoreError::Fatal { reason } = error {
            self.failed = Some(reason.clone());
        }
    }
}

impl DiskEngine {
    /// Opens the tables of `dir`, or makes an empty store there.
    ///
    /// # Errors
    /// A file is missing, damaged, or of a newer format.
    pub fn open(files: Arc<dyn Files>, dir: &Path) -> Result<Self, StoreError> {
        let tables_dir = dir.join("tables");
        files
            .create_dir(&tables_dir)
            .map_err(|e| StoreError::io("create", &tables_dir, e))?;
        let manifest = if let Some(manifest) = Manifest::load(files.as_ref(), dir)? {
            manifest
        } else {
            Self::first_manifest(files.as_ref(), dir, &tables_dir)?
        };
        let open_files = Arc::new(OpenFiles::new(Arc::clone(&files)));
        let mut tables = Tables::new();
        for line in &manifest.tables {
            let path = table_path(dir, line.number);
            let table = Table::open(&open_files, line.number, &path, line.crc)?;
            tables
                .entry(line.partition)
                .or_insert(Part::EMPTY)
                .add(line, Arc::new(table));
        }
        let engine = Self {
            files,
            open_files,
            dir: dir.to_path_buf(),
            writing: Mutex::new(Writing {
                manifest,
                failed: None,
            }),
            tables: RwLock::new(Arc::new(tables)),
        };
        engine.remove_orphans(&tables_dir)?;
        Ok(engine)
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

    /// Removes what a crash between writing and naming has left.
    fn remove_orphans(&self, tables_dir: &Path) -> Result<(), StoreError> {
        let manifest = &self.writing().manifest;
        let found = self
            .files
            .list(tables_dir)
            .map_err(|e| StoreError::io("list", tables_dir, e))?;
        for path in found {
            if !manifest
                .tables
                .iter()
                .any(|line| table_path(&self.dir, line.number) == path)
            {
                tracing::info!(file = %path.display(), "removing a table that was never committed");
                self.files
                    .remove(&path)
                    .map_err(|e| StoreError::io("remove", &path, e))?;
            }
        }
        Ok(())
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self) -> Arc<Tables> {
        Arc::clone(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes one table and opens it.
    fn write_table(
        &self,
        number: u64,
        partition: Partition,
        load: &Load,
    ) -> Result<(TableLine, Arc<Table>), StoreError> {
        let path = table_path(&self.dir, number);
        let (bytes, crc) = table::write(self.files.as_ref(), &path, &load.entries)?;
        let table = Arc::new(Table::open(&self.open_files, number, &path, crc)?);
        let entries = table.entries();
        let summary = load.summary;
        Ok((
            TableLine {
                number,
                partition,
                crc,
                bytes,
                entries,
                summary,
            },
            table,
        ))
    }

    fn write_tables(
        &self,
        commit: &Commit,
        next: &mut Manifest,
        tables: &mut Tables,
    ) -> Result<(), StoreError> {
        for (&partition, load) in commit
            .loads
            .iter()
            .filter(|(_, load)| !load.entries.is_empty())
        {
            let number = next.next_table;
            next.next_table += 1;
            let (line, table) = self.write_table(number, partition, load)?;
            tables
                .entry(partition)
                .or_insert(Part::EMPTY)
                .add(&line, table);
            next.tables.push(line);
        }
        let dir = self.dir.join("tables");
        self.files
            .sync_dir(&dir)
            .map_err(|e| StoreError::sync(&dir, &e))
    }

    fn publish(&self, tables: Tables) {
        *self.tables.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tables);
    }
}

impl Engine for DiskEngine {
    fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let mut writing = self.writing();
        writing.check()?;
        let first_new = writing.manifest.next_table;
        let mut next = writing.manifest.clone();
        next.counters = commit.counters;
        let mut tables = Tables::clone(&self.snapshot());
        let written = self
            .write_tables(&commit, &mut next, &mut tables)
            .and_then(|()| next.store(self.files.as_ref(), &self.dir));
        if let Err(error) = written {
            writing.note(&error);
            // The numbers are used up: what cannot be removed must not be in the way of the next.
            writing.manifest.next_table = next.next_table;
            if writing.failed.is_none() {
                // Free the space at once; what cannot be removed now is an orphan for the next
                // start.
                for number in first_new..next.next_table {
                    let _ = self.files.remove(&table_path(&self.dir, number));
                }
            }
            return Err(error);
        }
        writing.manifest = next;
        self.publish(tables);
        Ok(())
    }

    fn scan(
        &self,
        partition: Partition,
        from: &[u8],
        to: &[u8],
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        let snapshot = self.snapshot();
        match snapshot
            .get(&partition)
            .map_or(&[][..], |part| part.tables.as_slice())
        {
            [] => Ok(()),
            [table] => table.scan(from, to, visit).map(|_| ()),
            tables => scan_merged(tables, from, to, visit),
        }
    }

    fn partitions(&self) -> Vec<(Partition, Summary)> {
        self.snapshot()
            .iter()
            .map(|(&partition, part)| (partition, part.summary))
            .collect()
    }

    fn drop_partition(&self, partition: Partition) -> Result<(), StoreError> {
        let mut writing = self.writing();
        writing.check()?;
        let mut next = writing.manifest.clone();
        next.tables.retain(|line| line.partition != partition);
        let stored = next.store(self.files.as_ref(), &self.dir);
        stored.inspect_err(|error| writing.note(error))?;
        writing.manifest = next;
        let mut tables = Tables::clone(&self.snapshot());
        let dropped = tables.remove(&partition).unwrap_or(Part::EMPTY);
        self.publish(tables);
        for table in dropped.tables {
            table.remove(self.files.as_ref())?;
        }
        Ok(())
    }

    fn counters(&self) -> Counters {
        self.writing().manifest.counters
    }

    fn footprint(&self) -> (u64, u64) {
        let snapshot = self.snapshot();
        let tables = snapshot.values().flat_map(|part| &part.tables);
        tables.fold((0, 0), |(count, bytes), table| {
            (count + 1, bytes + table.bytes())
        })
    }
}

/// Collects from the oldest table to the newest, so that the newest of equal keys stays
/// (I-ENGINE-2). A scan covers one series' chunks or one catalogue, which fit in memory.
fn scan_merged(
    tables: &[Arc<Table>],
    from: &[u8],
    to: &[u8],
    visit: &mut Visit<'_>,
) -> Result<(), StoreError> {
    let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for table in tables {
        let _ = table.scan(from, to, &mut |key, value| {
            merged.insert(key.to_vec(), value.to_vec());
            ControlFlow::Continue(())
        })?;
    }
    for (key, value) in &merged {
        if visit(key, value).is_break() {
            break;
        }
    }
    Ok(())
}

fn table_path(dir: &Path, number: u64) -> PathBuf {
    dir.join("tables").join(format!("{number:016}.table"))
}
