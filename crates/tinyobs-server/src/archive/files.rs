//! Files: what a backup holds, read where it lies, without unpacking it.
//!
//!   FILE.tar ─▶ [TarFiles] ─▶ store::check
//!
//! Proved by: archive/tests.rs, tests/it/damaged.rs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tinyobs_store::files::{Files, ReadFile, WriteFile};

/// The files of a tar that lies in a file. They can be read, and nothing else.
pub struct TarFiles {
    tar: Arc<File>,
    /// Where each begins, and how long it is.
    places: BTreeMap<PathBuf, (u64, u64)>,
}

struct Piece {
    tar: Arc<File>,
    at: u64,
    len: u64,
}

impl TarFiles {
    /// Looks where everything is.
    pub fn open(path: &Path) -> io::Result<Self> {
        let tar = File::open(path)?;
        let mut places = BTreeMap::new();
        for entry in tar::Archive::new(&tar).entries_with_seek()? {
            let entry = entry?;
            let place = (entry.raw_file_position(), entry.size());
            places.insert(entry.path()?.into_owned(), place);
        }
        let tar = Arc::new(tar);
        Ok(Self { tar, places })
    }
}

impl ReadFile for Piece {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(out.len() as u64);
        if end.is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.tar.read_exact_at(out, self.at + offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len)
    }
}

impl Files for TarFiles {
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let place = self.places.get(path);
        let &(at, len) = place.ok_or(io::ErrorKind::NotFound)?;
        let tar = Arc::clone(&self.tar);
        Ok(Box::new(Piece { tar, at, len }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let paths = self.places.keys();
        Ok(paths
            .filter(|path| path.parent() == Some(dir))
            .cloned()
            .collect())
    }

    fn allocated(&self, path: &Path) -> io::Result<u64> {
        self.open(path)?.size()
    }

    fn create(&self, _: &Path) -> io::Result<Box<dyn WriteFile>> {
        read_only()
    }

    fn cut(&self, _: &Path, _: u64) -> io::Result<()> {
        read_only()
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        read_only()
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        read_only()
    }

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        read_only()
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        read_only()
    }
}

fn read_only<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}
