//! Archive: a backup as one file, a tar that any other tool reads too.
//!
//!   store::backup, pushed groups ─▶ [write] ─▶ tar, over HTTP or into a file ─▶ [unpack] ─▶ a directory
//!
//! I-ARCHIVE-1  Only the files of a store are unpacked, by their exact names, each once, and nothing
//!              is written outside the directory, whatever the archive says.
//! I-ARCHIVE-2  The manifest comes last: an archive that was cut short is an error.
//! I-ARCHIVE-3  What is unpacked is on the device when [`unpack`] returns.
//! Proved by: archive/tests.rs, tests/it/backup.rs.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use tar::{Archive, Builder, EntryType, Header};
use tinyobs_model::limits;
use tinyobs_store::{Backup, BackupFile, StoreError};

use crate::groups;

mod files;

pub use files::TarFiles;

const BLOCK: u64 = 512;
const MANIFEST: &str = "MANIFEST";
const GROUPS: &str = groups::file::NAME;
const TABLES: &str = "tables";
/// A manifest of a million tables is smaller.
const MANIFEST_BYTES_MAX: u64 = 1 << 30;
/// What is pushed is bounded in memory, and takes a few times that as text.
const GROUPS_BYTES_MAX: u64 = 16 * limits::PUSHED_BYTES as u64;

/// Why an archive cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is no tar, or breaks off.
    #[error("it cannot be read: {0}")]
    Read(io::Error),
    /// It holds what no backup does (I-ARCHIVE-1).
    #[error("it holds {0:?}, which is no file of a store: this is not a backup of TinyObs")]
    Stranger(String),
    /// The same name again.
    #[error("it holds {0} twice")]
    Twice(String),
    /// I-ARCHIVE-2
    #[error("it ends before its manifest: the backup was broken off, make another one")]
    CutShort,
    /// The directory cannot be written.
    #[error("cannot write {0}: {1}")]
    Write(String, io::Error),
}

/// What goes into one archive.
pub struct Content {
    store: Backup,
    /// The pushed groups as text, if there are some.
    groups: Option<String>,
}

impl Content {
    /// The store, and the groups as of a moment after it: what was pushed in between is sampled
    /// again from there.
    pub fn new(store: Backup, groups: Option<String>) -> Self {
        Self { store, groups }
    }

    /// The manifest last (I-ARCHIVE-2).
    fn files(&self) -> impl Iterator<Item = Result<BackupFile, StoreError>> {
        let groups = self.groups.as_ref().map(|text| {
            Ok(BackupFile {
                name: GROUPS.to_owned(),
                size: text.len() as u64,
                content: Box::new(io::Cursor::new(text.clone().into_bytes())),
            })
        });
        groups.into_iter().chain(self.store.files())
    }
}

/// Bytes of the archive that [`write`] makes.
pub fn size(content: &Content) -> Result<u64, StoreError> {
    let padded = |file: BackupFile| BLOCK + file.size.next_multiple_of(BLOCK);
    let files = content.files().map(|file| file.map(padded));
    let bytes: u64 = files.sum::<Result<u64, StoreError>>()?;
    Ok(bytes + 2 * BLOCK)
}

/// Writes the content as a tar. `written_s` is the time that its files get, in seconds.
pub fn write(content: &Content, out: impl Write, written_s: u64) -> io::Result<()> {
    let mut tar = Builder::new(out);
    for file in content.files() {
        let file = file.map_err(io::Error::other)?;
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(file.size);
        header.set_mode(0o600);
        header.set_mtime(written_s);
        tar.append_data(&mut header, &file.name, file.content)?;
    }
    tar.into_inner()?.flush()
}

/// Unpacks a backup into `dir`, which is there and empty.
pub fn unpack(archive: impl Read, dir: &Path) -> Result<(), ArchiveError> {
    let mut seen = BTreeSet::new();
    let tables = dir.join(TABLES);
    make(&tables, |path| fs::create_dir(path))?;
    let mut tar = Archive::new(archive);
    for entry in tar.entries().map_err(ArchiveError::Read)? {
        let mut entry = entry.map_err(ArchiveError::Read)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let is_file = entry.header().entry_type() == EntryType::Regular;
        if !is_file || !is_of_a_store(&name) {
            return Err(ArchiveError::Stranger(name.chars().take(128).collect()));
        }
        let is_large = match name.as_str() {
            MANIFEST => entry.size() > MANIFEST_BYTES_MAX,
            GROUPS => entry.size() > GROUPS_BYTES_MAX,
            _ => false,
        };
        if is_large {
            return Err(ArchiveError::Stranger(name));
        }
        if !seen.insert(name.clone()) {
            return Err(ArchiveError::Twice(name));
        }
        unpack_one(&mut entry, &dir.join(&name))?;
    }
    if !seen.contains(MANIFEST) {
        return Err(ArchiveError::CutShort);
    }
    for dir in [&tables, dir] {
        make(dir, |path| File::open(path)?.sync_all())?;
    }
    Ok(())
}

/// `MANIFEST`, `pushed-groups.json`, or `tables/` and sixteen digits and `.table`: nothing that could lead elsewhere.
fn is_of_a_store(name: &str) -> bool {
    let number = name
        .strip_prefix("tables/")
        .and_then(|name| name.strip_suffix(".table"));
    let is_number = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    name == MANIFEST || name == GROUPS || number.is_some_and(is_number)
}

fn unpack_one(entry: &mut tar::Entry<'_, impl Read>, path: &Path) -> Result<(), ArchiveError> {
    let mut file = make(path, |path| File::create_new(path))?;
    let mut buffer = vec![0; 256 << 10];
    let mut left = entry.size();
    while left > 0 {
        let len = entry.read(&mut buffer).map_err(ArchiveError::Read)?;
        if len == 0 {
            return Err(ArchiveError::CutShort);
        }
        make(path, |_| file.write_all(&buffer[..len]))?;
        left -= len as u64;
    }
    make(path, |_| file.sync_all())
}

fn make<T>(path: &Path, action: impl FnOnce(&Path) -> io::Result<T>) -> Result<T, ArchiveError> {
    action(path).map_err(|error| ArchiveError::Write(path.display().to_string(), error))
}

#[cfg(test)]
mod tests;
