//! Directory: a store's files, looked at without opening the store.
//!
//!   check, inspect ─▶ [Directory] ─▶ manifest, tables, log
//!
//! I-LOOK-1  Nothing is written, cut, renamed or removed, whatever is found.
//! I-LOOK-2  While a server has the store open, what its manifest names is what there is: a file
//!           that goes meanwhile, or grows, is no damage.
//! Proved by: check/tests.rs, inspect/tests.rs.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::TableLine;
use crate::engine::manifest::Manifest;
use crate::engine::open_files::OpenFiles;
use crate::engine::table::Table;
use crate::error::StoreError;
use crate::files::{self, Files, RealFiles};
use crate::wal;

/// A store's files.
pub(crate) struct Directory {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) dir: PathBuf,
    pub(crate) manifest: Manifest,
    /// What is wrong with the manifest's other copy.
    pub(crate) manifest_damage: Option<String>,
    /// Whether a server has the store open.
    pub(crate) is_in_use: bool,
    /// Held so that no server starts meanwhile.
    _lock: Option<File>,
    open_files: Arc<OpenFiles>,
}

impl Directory {
    /// Looks at the store in `dir`.
    ///
    /// # Errors
    /// There is none, or its manifest cannot be read.
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        let (lock, is_in_use) = lock(dir)?;
        let opened = Self::of(Arc::new(RealFiles), dir)?;
        Ok(Self {
            is_in_use,
            _lock: lock,
            ..opened
        })
    }

    /// Looks at a store in `dir` of `files` that nobody else has open.
    ///
    /// # Errors
    /// There is none, or its manifest cannot be read.
    pub(crate) fn of(files: Arc<dyn Files>, dir: &Path) -> Result<Self, StoreError> {
        let Some((manifest, manifest_damage)) = Manifest::load(files.as_ref(), dir)? else {
            return Err(StoreError::NoStore {
                dir: dir.to_path_buf(),
            });
        };
        Ok(Self {
            open_files: Arc::new(OpenFiles::new(Arc::clone(&files))),
            files,
            dir: dir.to_path_buf(),
            manifest,
            manifest_damage,
            is_in_use: false,
            _lock: None,
        })
    }

    /// The table of a line of the manifest; none when it has gone meanwhile (I-LOOK-2).
    ///
    /// # Errors
    /// It is not there, or damaged.
    pub(crate) fn table(&self, line: &TableLine) -> Result<Option<Arc<Table>>, StoreError> {
        let path = self.table_path(line.number);
        match Table::open(&self.open_files, line.clone(), &path) {
            Ok(table) => Ok(Some(Arc::new(table))),
            Err(_) if self.has_gone(line.number) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The file of a table.
    pub(crate) fn table_path(&self, number: u64) -> PathBuf {
        self.dir.join("tables").join(format!("{number:016}.table"))
    }

    /// Whether the manifest that stands now names the table no longer.
    fn has_gone(&self, number: u64) -> bool {
        let now = || {
            Manifest::load(self.files.as_ref(), &self.dir)
                .ok()
                .flatten()
        };
        self.is_in_use
            && now().is_some_and(|(now, _)| now.tables.iter().all(|line| line.number != number))
    }

    /// Number, file and bytes of each segment of the log, the oldest first.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub(crate) fn segments(&self) -> Result<Vec<(u64, PathBuf, u64)>, StoreError> {
        let dir = self.dir.join("wal");
        let paths = match self.files.list(&dir) {
            Ok(paths) => paths,
            // A backup has none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(StoreError::io("list", &dir, error)),
        };
        let numbered = |path: PathBuf| {
            let number = wal::segment_number(&path)?;
            let bytes = self.files.open(&path).and_then(|file| file.size());
            Some((number, path, bytes.unwrap_or(0)))
        };
        Ok(paths.into_iter().filter_map(numbered).collect())
    }

    /// The bytes of a segment; none when it has gone meanwhile.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn segment(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        match files::read_all(self.files.as_ref(), path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if self.is_in_use && error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("read", path, error)),
        }
    }
}

/// Takes the lock of a store that nobody has open. A backup has no lock file, and gets none.
fn lock(dir: &Path) -> Result<(Option<File>, bool), StoreError> {
    let path = dir.join("LOCK");
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((None, false)),
        Err(error) => return Err(StoreError::io("open", &path, error)),
    };
    match file.try_lock() {
        Ok(()) => Ok((Some(file), false)),
        Err(TryLockError::WouldBlock) => Ok((None, true)),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &path, error)),
    }
}
