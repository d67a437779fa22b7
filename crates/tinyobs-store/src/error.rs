//! StoreError: what can go wrong, and which of it is final.
//!
//! I-ERROR-1  A failed fsync is final: the kernel may have dropped the pages and marked them clean,
//!            so neither a retry nor a later success proves anything. Nothing is acknowledged after.

use std::io;
use std::path::{Path, PathBuf};

use tinyobs_model::SelectError;

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No space is left on the device. Reads keep working; the write was not kept.
    #[error("no space left for {}: {source}", path.display())]
    Full {
        /// The file being written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An fsync failed; the store accepts nothing any more (I-ERROR-1).
    #[error("the store has stopped accepting writes: {reason}")]
    Fatal {
        /// The first failure, naming the file.
        reason: String,
    },
    /// Another process has the directory open.
    #[error("{} is in use by another tinyobs process", dir.display())]
    Locked {
        /// The data directory.
        dir: PathBuf,
    },
    /// A later version of TinyObs wrote the directory.
    #[error("{} has format {found}, this version reads up to {known}: use the newer tinyobs that wrote it", path.display())]
    NewerFormat {
        /// The file that says so.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// A version of TinyObs before the first release wrote the directory.
    #[error("{} has format {found}, from before the first release; this version reads {known}: start with a new data directory", path.display())]
    OlderFormat {
        /// The file that says so.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The format known here.
        known: u32,
    },
    /// There is no store.
    #[error("there is no store in {}: it has no MANIFEST", dir.display())]
    NoStore {
        /// Where it should be.
        dir: PathBuf,
    },
    /// Stored bytes are damaged.
    #[error("{} is damaged at byte {offset}: {what}", path.display())]
    Corrupt {
        /// The damaged file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What does not hold.
        what: String,
    },
    /// The log holds more than may wait to be written out: flushes are slow, or fail.
    #[error("{bytes} bytes of the log wait to be written out; see the server's log for why")]
    Backlog {
        /// Bytes in the log.
        bytes: u64,
    },
    /// The disk budget is spent, and nothing more may be let go of.
    #[error(
        "{used} bytes are stored, of at most {max}; raise --max-storage, or keep raw samples for less long"
    )]
    Budget {
        /// Bytes that all files occupy.
        used: u64,
        /// Bytes that they may.
        max: u64,
    },
    /// Any other trouble with a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A fault in this program.
    #[error("maintenance panicked; the log says where. Reading and writing go on")]
    Panicked,
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ) {
            return Self::Full { path, source };
        }
        Self::Io {
            action,
            path,
            source,
        }
    }

    /// Of a failed read at `offset`: damage where the error says something about the file, and trouble
    /// of ours (too many open files) where it does not.
    pub(crate) fn read(path: &Path, offset: u64, source: io::Error) -> Self {
        use io::ErrorKind::{NotFound, UnexpectedEof};
        // 5: EIO, which has no kind of its own. It is how a device, or a file system with checksums,
        // says that a sector is lost.
        let is_damage = matches!(source.kind(), NotFound | UnexpectedEof);
        if is_damage || source.raw_os_error() == Some(5) {
            return Self::corrupt(path, offset, format!("it cannot be read: {source}"));
        }
        Self::io("read", path, source)
    }

    /// Of a failed sync of a file or a directory (I-ERROR-1).
    pub(crate) fn sync(path: &Path, source: &io::Error) -> Self {
        Self::Fatal {
            reason: format!("fsync of {} failed: {source}", path.display()),
        }
    }

    pub(crate) fn corrupt(path: &Path, offset: u64, what: impl Into<String>) -> Self {
        Self::Corrupt {
            path: path.to_path_buf(),
            offset,
            what: what.into(),
        }
    }

    /// Whether there is no room: the sender should try again later.
    pub fn is_full(&self) -> bool {
        matches!(
            self,
            Self::Full { .. } | Self::Backlog { .. } | Self::Budget { .. }
        )
    }

    /// Whether the process should end: nothing will be acknowledged any more.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Fatal { .. })
    }
}

impl From<StoreError> for SelectError {
    fn from(error: StoreError) -> Self {
        Self {
            message: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_sector_is_damage_and_too_many_open_files_are_not() {
        let read = |code| StoreError::read(Path::new("t"), 7, io::Error::from_raw_os_error(code));
        let (eio, enoent, emfile) = (5, 2, 24);
        for code in [eio, enoent] {
            let error = read(code);
            assert!(
                matches!(error, StoreError::Corrupt { offset: 7, .. }),
                "{error}"
            );
        }
        assert!(matches!(read(emfile), StoreError::Io { .. }));
    }
}
