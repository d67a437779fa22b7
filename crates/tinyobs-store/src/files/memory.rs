//! MemoryFiles: a directory that lives in memory, for runs that may forget and for tests.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::{Files, ReadFile, SyncFile, WriteFile};

type Content = Arc<RwLock<Vec<u8>>>;

/// Files by path. Clones are the same directory.
#[derive(Clone, Default)]
pub struct MemoryFiles {
    files: Arc<Mutex<BTreeMap<PathBuf, Content>>>,
}

struct MemoryFile(Content);

impl MemoryFiles {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Content>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, path: &Path) -> io::Result<Content> {
        let found = self.lock().get(path).cloned();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn read(content: &Content) -> std::sync::RwLockReadGuard<'_, Vec<u8>> {
    content.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(content: &Content) -> std::sync::RwLockWriteGuard<'_, Vec<u8>> {
    content.write().unwrap_or_else(PoisonError::into_inner)
}

impl WriteFile for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        write(&self.0).extend_from_slice(bytes);
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        write(&self.0).truncate(len as usize);
        Ok(())
    }

    fn syncer(&self) -> io::Result<Box<dyn SyncFile>> {
        Ok(Box::new(Self(Arc::clone(&self.0))))
    }
}

impl SyncFile for MemoryFile {
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl ReadFile for MemoryFile {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let content = read(&self.0);
        let from = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let part = from
            .checked_add(out.len())
            .and_then(|to| content.get(from..to))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(part);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(read(&self.0).len() as u64)
    }
}

impl Files for MemoryFiles {
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let mut files = self.lock();
        if files.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let content = Content::default();
        files.insert(path.to_path_buf(), Arc::clone(&content));
        Ok(Box::new(MemoryFile(content)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        Ok(Box::new(MemoryFile(self.get(path)?)))
    }

    fn cut(&self, path: &Path, len: u64) -> io::Result<()> {
        write(&self.get(path)?).truncate(len as usize);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = self.lock();
        let content = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_path_buf(), content);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = self.lock().remove(path);
        removed
            .map(|_| ())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let files = self.lock();
        let paths = files.keys().filter(|path| path.parent() == Some(dir));
        Ok(paths.cloned().collect())
    }

    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn allocated(&self, path: &Path) -> io::Result<u64> {
        Ok(read(&self.get(path)?).len() as u64)
    }
}
