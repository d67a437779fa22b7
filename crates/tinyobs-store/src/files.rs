//! Files: the one door between the store and the file system.
//!
//!   wal, engine ─▶ [Files] ─▶ operating system
//!
//! A trait so that a test can make any single write, sync or rename fail, tear or lie. It has just
//! the operations that the store's promises are built from; paths are whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// A file being written from its start to its end.
pub trait WriteFile: Send + Sync {
    /// Appends all of `bytes`.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to `len` bytes and goes on writing there.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// A second handle, to sync without holding up the writer.
    fn syncer(&self) -> io::Result<Box<dyn SyncFile>>;
}

/// A file whose content can be forced to the device.
pub trait SyncFile: Send + Sync {
    /// Returns once everything appended before is on the device.
    fn sync(&self) -> io::Result<()>;
}

/// A finished file.
pub trait ReadFile: Send + Sync {
    /// Fills `out` from `offset` on; an error when the file ends before.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
    /// Bytes in the file.
    fn size(&self) -> io::Result<u64>;
}

/// The operations on files that the store's promises are built from.
pub trait Files: Send + Sync {
    /// Makes a new file; an error when it exists.
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>>;
    /// Opens a finished file.
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>>;
    /// Cuts a file that is not open to `len` bytes, and syncs it.
    fn cut(&self, path: &Path, len: u64) -> io::Result<()>;
    /// Renames, replacing what is there, in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The files of a directory, by name.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;
    /// Makes a directory and its parents.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes creations, renames and removals in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that a file occupies on the device, not what it claims to hold.
    fn allocated(&self, path: &Path) -> io::Result<u64>;
}

/// Reads a whole file.
pub fn read_all(files: &dyn Files, path: &Path) -> io::Result<Vec<u8>> {
    let file = files.open(path)?;
    let mut bytes = vec![0; file.size()? as usize];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

/// Writes a whole file so that after a crash it is there entirely or not at all.
pub fn write_atomically(files: &dyn Files, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let draft = path.with_extension("tmp");
    let fail = |error| StoreError::io("write", &draft, error);
    match files.remove(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let mut file = files.create(&draft).map_err(fail)?;
    file.append(bytes).map_err(fail)?;
    let syncer = file.syncer().map_err(fail)?;
    syncer.sync().map_err(|e| StoreError::sync(&draft, &e))?;
    files
        .rename(&draft, path)
        .map_err(|e| StoreError::io("replace", path, e))?;
    let dir = path.parent().unwrap_or(Path::new("."));
    files.sync_dir(dir).map_err(|e| StoreError::sync(dir, &e))
}

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFiles;

struct RealFile(File);

impl WriteFile for RealFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn syncer(&self) -> io::Result<Box<dyn SyncFile>> {
        Ok(Box::new(Self(self.0.try_clone()?)))
    }
}

impl SyncFile for RealFile {
    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

impl ReadFile for RealFile {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(out, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

impl Files for RealFiles {
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        // Append mode: after `truncate` the next write lands at the new end.
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        Ok(Box::new(RealFile(File::open(path)?)))
    }

    fn cut(&self, path: &Path, len: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(len)?;
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let mut paths = fs::read_dir(dir)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn allocated(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.blocks() * 512)
    }
}

#[cfg(test)]
pub mod failing;
pub mod memory;
