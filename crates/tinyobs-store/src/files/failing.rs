//! Failing: files of which one operation fails, half done, and all others work. For tests.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Files, ReadFile, RealFiles, SyncFile, WriteFile};

/// A directory in memory where the system has such, for tests that open many stores: they are about
/// what is synced, not about how long that takes.
pub fn quick_dir() -> tempfile::TempDir {
    let made = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    made.expect("a directory")
}

/// The system's files, but the operation of that number fails. Reads are not counted.
#[derive(Clone)]
pub struct Failing {
    done: Arc<AtomicUsize>,
    failing: usize,
}

impl Failing {
    /// Operation `failing`, counted from 0, will fail.
    pub fn at(failing: usize) -> Self {
        let done = Arc::new(AtomicUsize::new(0));
        Self { done, failing }
    }

    /// Whether the operation to fail has come.
    pub fn has_failed(&self) -> bool {
        self.done.load(Ordering::SeqCst) > self.failing
    }

    /// An error when it is this operation's turn.
    fn next(&self) -> io::Result<()> {
        if self.done.fetch_add(1, Ordering::SeqCst) == self.failing {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

struct FailingFile(Box<dyn WriteFile>, Failing);
struct FailingSync(Box<dyn SyncFile>, Failing);

impl WriteFile for FailingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.1.next() {
            self.0.append(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.0.append(bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }

    fn syncer(&self) -> io::Result<Box<dyn SyncFile>> {
        Ok(Box::new(FailingSync(self.0.syncer()?, self.1.clone())))
    }
}

impl SyncFile for FailingSync {
    fn sync(&self) -> io::Result<()> {
        self.1.next()?;
        self.0.sync()
    }
}

impl Files for Failing {
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.next()?;
        Ok(Box::new(FailingFile(RealFiles.create(path)?, self.clone())))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        RealFiles.open(path)
    }

    fn cut(&self, path: &Path, len: u64) -> io::Result<()> {
        self.next()?;
        RealFiles.cut(path, len)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.next()?;
        RealFiles.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.next()?;
        RealFiles.remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        RealFiles.list(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealFiles.create_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.next()?;
        RealFiles.sync_dir(dir)
    }

    fn allocated(&self, path: &Path) -> io::Result<u64> {
        RealFiles.allocated(path)
    }
}
