//! Backup: everything acknowledged up to now, as files to copy while the store goes on.
//!
//! The head is flushed, and what stands then is a manifest and tables, which are never written
//! again. They stay on the device as long as the backup lives, whatever is merged or dropped.
//!
//! I-BACKUP-1  A restored backup holds exactly what was acknowledged before it, and nothing that was
//!             not sent.
//! Proved by: backup/tests.rs.

use std::io::{self, Read};
use std::sync::Arc;

use crate::engine::Snapshot;
use crate::engine::table::Table;
use crate::error::StoreError;
use crate::files::ReadFile;
use crate::inner::{Inner, lock};

/// A consistent picture of a store.
pub struct Backup {
    snapshot: Snapshot,
}

/// One file of a backup.
pub struct BackupFile {
    /// Its path inside a data directory.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Its content.
    pub content: Box<dyn Read + Send>,
}

impl Inner {
    pub(crate) fn backup(&self) -> Result<Backup, StoreError> {
        let _one_at_a_time = lock(&self.working);
        self.check_open()?;
        let flushed = self.flush();
        self.journal.end();
        flushed?;
        Ok(Backup {
            snapshot: self.engine.view().snapshot(),
        })
    }
}

impl Backup {
    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        let tables = self.snapshot.tables.iter();
        self.snapshot.manifest.len() as u64 + tables.map(|table| table.line().bytes).sum::<u64>()
    }

    /// The files, the manifest last: a copy that was broken off has none, and is no store.
    ///
    /// # Errors
    /// A table cannot be opened.
    pub fn files(&self) -> impl Iterator<Item = Result<BackupFile, StoreError>> {
        let tables = self.snapshot.tables.iter().map(|table| {
            let name = table.path().file_name().unwrap_or_default();
            Ok(BackupFile {
                name: format!("tables/{}", name.to_string_lossy()),
                size: table.line().bytes,
                content: Box::new(Content::new(Arc::clone(table))?),
            })
        });
        let manifest = self.snapshot.manifest.clone().into_bytes();
        let manifest = BackupFile {
            name: "MANIFEST".into(),
            size: manifest.len() as u64,
            content: Box::new(io::Cursor::new(manifest)),
        };
        tables.chain(std::iter::once(Ok(manifest)))
    }
}

/// Reads a table from its start to its end, and keeps it meanwhile.
struct Content {
    _table: Arc<Table>,
    file: Arc<dyn ReadFile>,
    at: u64,
    size: u64,
}

impl Content {
    fn new(table: Arc<Table>) -> Result<Self, StoreError> {
        let (file, size) = (table.file()?, table.line().bytes);
        Ok(Self {
            _table: table,
            file,
            at: 0,
            size,
        })
    }
}

impl Read for Content {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
        let len = out.len().min(left);
        self.file.read_at(self.at, &mut out[..len])?;
        self.at += len as u64;
        Ok(len)
    }
}

#[cfg(test)]
mod tests;
