//! Write-ahead log: what is in it has been acknowledged, or is about to be.
//!
//!   store::append ─▶ [Log::append] ─▶ wal::segment ─▶ files       (replay runs right to left)
//!
//! In reading order: [`record`] says what is logged, [`segment`] how a file holds it, [`syncer`]
//! when it reaches the device. This file strings them together.
//!
//! I-WAL-1  `append` returns after the bytes are with the operating system, so a killed process
//!          loses nothing; `wait_durable` returns after they are on the device.
//! I-WAL-4  After a failed append nothing of it stays in the file; if it cannot be cut away, the
//!          log accepts nothing any more.
//! I-WAL-5  A segment is removed only when its samples and definitions stand in the engine.
//! Damage on reading: I-WAL-2 and I-WAL-3 in [`segment`].
//! I-WAL-6  A segment with a hole is copied to `quarantine/` before anything can remove it.
//! I-WAL-7  A log opens without any room on the device: the first append that has some makes the
//!          segment, and until then each is refused.
//! Proved by: wal/tests.rs, room/tests.rs (I-WAL-7), and by killing the process in `cargo xtask crash`.

pub mod record;
pub mod segment;
pub mod syncer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::record::Record;
use self::segment::{Header, Mark};
use self::syncer::{Position, Syncer};
use crate::engine::Counters;
use crate::error::StoreError;
use crate::files::{self, Files, WriteFile};
use crate::options::Durability;

/// A log that batches are written to before they are acknowledged.
///
/// Segment files now; a bucket can take their place.
pub trait Log: Send {
    /// Hands one batch of framed records to the operating system (I-WAL-1).
    fn append(&mut self, frames: &[u8]) -> Result<Position, StoreError>;
    /// Starts a new segment, unless the newest is empty, and returns the number of the one before.
    fn rotate(&mut self) -> Result<u64, StoreError>;
    /// Removes every segment up to `number`: the engine has their content (I-WAL-5).
    fn truncate(&mut self, number: u64) -> Result<(), StoreError>;
    /// What frames begin with, until the next rotation.
    fn mark(&self) -> Mark;
    /// Bytes in all segments.
    fn bytes(&self) -> u64;
    /// Bytes in the newest segment.
    fn newest_bytes(&self) -> u64;
    /// Bytes that all segments take on the device.
    fn bytes_on_device(&self) -> u64 {
        self.bytes()
    }
}

/// What a replay met.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Whole records read.
    pub records: u64,
    /// Bytes cut from the end of the newest segment.
    pub torn_bytes: u64,
    /// Holes, one sentence each with file and offset.
    pub damage: Vec<String>,
}

/// Segment files in one directory.
pub struct SegmentLog {
    files: Arc<dyn Files>,
    dir: PathBuf,
    syncer: Arc<Syncer>,
    /// None while there has been no room to make it.
    newest: Option<Newest>,
    mark: Mark,
    /// The next segment's number; above every number that was ever tried.
    next: u64,
    /// Number and bytes of each older segment.
    older: Vec<(u64, u64)>,
    /// Why nothing can be appended any more.
    broken: Option<String>,
}

/// The segment that is being written.
struct Newest {
    file: Box<dyn WriteFile>,
    number: u64,
    /// Bytes that hold whole frames.
    written: u64,
}

impl SegmentLog {
    /// Removes the segments before `first`, replays the others of `dir` into `apply`, then starts
    /// a new one if there is room for it (I-WAL-7).
    ///
    /// # Errors
    /// A file cannot be read or written, or a later version wrote it.
    pub fn open(
        files: Arc<dyn Files>,
        dir: &Path,
        durability: Durability,
        first: u64,
        apply: impl FnMut(Record),
    ) -> Result<(Self, Arc<Syncer>, Replayed), StoreError> {
        files
            .create_dir(dir)
            .map_err(|e| StoreError::io("create", dir, e))?;
        let (older, replayed) = replay(files.as_ref(), dir, first, apply)?;
        let syncer = Arc::new(Syncer::new(durability));
        let mut log = Self {
            files,
            dir: dir.to_path_buf(),
            syncer: Arc::clone(&syncer),
            newest: None,
            mark: segment::new_mark(),
            next: older.last().map_or(first, |(number, _)| number + 1),
            older,
            broken: None,
        };
        match log.begin(log.mark) {
            Ok(newest) => log.newest = Some(newest),
            Err(error) if error.is_full() => {
                tracing::warn!("no room for a log: nothing can be stored until there is: {error}");
            }
            Err(error) => return Err(error),
        }
        Ok((log, syncer, replayed))
    }

    /// Makes the next segment.
    fn begin(&mut self, mark: Mark) -> Result<Newest, StoreError> {
        let number = self.next;
        self.next += 1;
        let path = segment_path(&self.dir, number);
        let file = create_segment(self.files.as_ref(), &self.dir, &path, mark)?;
        let handle = file
            .syncer()
            .map_err(|e| StoreError::io("open", &path, e))?;
        self.syncer.follow(handle, path);
        Ok(Newest {
            file,
            number,
            written: segment::HEADER_BYTES,
        })
    }

    /// Says why nothing can be appended, if a failed append could not be undone (I-WAL-4).
    fn check(&self) -> Result<(), StoreError> {
        match &self.broken {
            Some(reason) => Err(StoreError::Fatal {
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }
}

impl Log for SegmentLog {
    fn append(&mut self, frames: &[u8]) -> Result<Position, StoreError> {
        self.syncer.check()?;
        self.check()?;
        let newest = if let Some(newest) = &mut self.newest {
            newest
        } else {
            let newest = self.begin(self.mark)?;
            self.newest.insert(newest)
        };
        if let Err(error) = newest.file.append(frames) {
            let path = segment_path(&self.dir, newest.number);
            // Takes back what it may have left (I-WAL-4).
            if let Err(second) = newest.file.truncate(newest.written) {
                let path = path.display();
                self.broken = Some(format!(
                    "{path}: write failed ({error}), so did its undoing ({second})"
                ));
            }
            return Err(StoreError::io("write", &path, error));
        }
        newest.written += frames.len() as u64;
        Ok(self.syncer.wrote(frames.len() as u64))
    }

    fn rotate(&mut self) -> Result<u64, StoreError> {
        if let Some(Newest {
            number, written, ..
        }) = &self.newest
        {
            if *written == segment::HEADER_BYTES {
                return Ok(number - 1);
            }
            // The old segment is synced before a newer one takes samples: only the newest may be
            // torn.
            self.syncer.sync_now()?;
        }
        let mark = segment::new_mark();
        let newest = self.begin(mark)?;
        let before = newest.number - 1;
        self.mark = mark;
        let old = self.newest.replace(newest);
        self.older.extend(old.map(|old| (old.number, old.written)));
        Ok(before)
    }

    fn truncate(&mut self, number: u64) -> Result<(), StoreError> {
        while let Some(&(oldest, _)) = self.older.first().filter(|(oldest, _)| *oldest <= number) {
            let path = segment_path(&self.dir, oldest);
            match self.files.remove(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::io("remove", &path, error));
                }
                _ => {}
            }
            self.older.remove(0);
        }
        Ok(())
    }

    fn mark(&self) -> Mark {
        self.mark
    }

    fn bytes(&self) -> u64 {
        self.newest_bytes() + self.older.iter().map(|(_, bytes)| bytes).sum::<u64>()
    }

    fn newest_bytes(&self) -> u64 {
        self.newest.as_ref().map_or(0, |newest| newest.written)
    }
}

/// The log of a store that keeps nothing.
#[derive(Debug, Default)]
pub struct NoLog {
    written: u64,
    number: u64,
}

impl Log for NoLog {
    fn append(&mut self, frames: &[u8]) -> Result<Position, StoreError> {
        // Counted all the same: the size of the log is what makes a store write its head out.
        self.written += frames.len() as u64;
        Ok(Position::default())
    }

    fn rotate(&mut self) -> Result<u64, StoreError> {
        self.number += 1;
        self.written = 0;
        Ok(self.number)
    }

    fn truncate(&mut self, _number: u64) -> Result<(), StoreError> {
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark::default()
    }

    fn bytes(&self) -> u64 {
        self.written
    }

    fn newest_bytes(&self) -> u64 {
        self.written
    }

    fn bytes_on_device(&self) -> u64 {
        0
    }
}

fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016}.wal"))
}

pub(crate) fn segment_number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".wal")?;
    name.parse().ok()
}

fn create_segment(
    files: &dyn Files,
    dir: &Path,
    path: &Path,
    mark: Mark,
) -> Result<Box<dyn WriteFile>, StoreError> {
    let mut file = files
        .create(path)
        .map_err(|e| StoreError::io("create", path, e))?;
    if let Err(error) = file.append(&segment::header(mark)) {
        // Or it would look like a newer segment than the one that goes on being written.
        let _ = files.remove(path);
        return Err(StoreError::io("create", path, error));
    }
    let syncer = file
        .syncer()
        .map_err(|e| StoreError::io("create", path, e))?;
    syncer.sync().map_err(|e| StoreError::sync(path, &e))?;
    files.sync_dir(dir).map_err(|e| StoreError::sync(dir, &e))?;
    Ok(file)
}

/// Copies a damaged segment aside: the original goes away with the next flush, and what could not
/// be read in it should not.
fn quarantine(files: &dyn Files, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let outer = path
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new("."));
    let dir = outer.join("quarantine");
    files
        .create_dir(&dir)
        .map_err(|e| StoreError::io("create", &dir, e))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let copy = dir.join(format!("{name}-{:08x}.wal", crc32fast::hash(bytes)));
    // Under its final name only when it is whole: an earlier start may have done it.
    if files.allocated(&copy).is_ok() {
        return Ok(());
    }
    files::write_atomically(files, &copy, bytes)
}

/// Reads every segment in order. Returns number and whole bytes of each.
fn replay(
    files: &dyn Files,
    dir: &Path,
    first: u64,
    mut apply: impl FnMut(Record),
) -> Result<(Vec<(u64, u64)>, Replayed), StoreError> {
    let mut segments = list_segments(files, dir)?;
    // A flush was committed, but the process ended before it had removed them.
    let done = segments.partition_point(|(number, _)| *number < first);
    for (_, path) in segments.drain(..done) {
        files
            .remove(&path)
            .map_err(|e| StoreError::io("remove", &path, e))?;
    }
    let mut replayed = Replayed::default();
    // A flush makes the next segment before the manifest names it.
    if segments.is_empty() && first > Counters::default().first_segment {
        let dir = dir.display();
        replayed.damage.push(format!(
            "{dir}: segment {first} and all later ones are missing, and with them what came after \
             the last flush"
        ));
    }
    let read =
        |path: &Path| files::read_all(files, path).map_err(|e| StoreError::io("read", path, e));
    // The newest ones may have been made but not begun when the process ended.
    while let Some((_, path)) = segments.last() {
        if !matches!(segment::read_header(&read(path)?), Header::Torn) {
            break;
        }
        files
            .remove(path)
            .map_err(|e| StoreError::io("remove", path, e))?;
        segments.pop();
    }
    let newest = segments.last().map_or(0, |(number, _)| *number);
    let mut lengths = Vec::new();
    for (number, path) in segments {
        let bytes = read(&path)?;
        match segment::read_header(&bytes) {
            Header::Known(_) => {}
            Header::Newer(found) => {
                let known = segment::VERSION;
                return Err(StoreError::NewerFormat { path, found, known });
            }
            // Begun just before a power cut, and too short to hold anything.
            Header::Torn => {
                files
                    .remove(&path)
                    .map_err(|e| StoreError::io("remove", &path, e))?;
                continue;
            }
            // The frames may be whole all the same.
            Header::Foreign => {
                quarantine(files, &path, &bytes)?;
                replayed
                    .damage
                    .push(format!("{}: the header is damaged", path.display()));
            }
        }
        let newest = number == newest;
        let len = replay_segment(files, &path, &bytes, newest, &mut apply, &mut replayed)?;
        lengths.push((number, len));
    }
    Ok((lengths, replayed))
}

fn list_segments(files: &dyn Files, dir: &Path) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let paths = files
        .list(dir)
        .map_err(|e| StoreError::io("list", dir, e))?;
    let numbered = |path: PathBuf| segment_number(&path).map(|number| (number, path));
    Ok(paths.into_iter().filter_map(numbered).collect())
}

fn replay_segment(
    files: &dyn Files,
    path: &Path,
    bytes: &[u8],
    newest: bool,
    apply: &mut impl FnMut(Record),
    replayed: &mut Replayed,
) -> Result<u64, StoreError> {
    let mut unknown = None;
    let holes = segment::scan(bytes, |offset, payload| match record::decode(payload) {
        Some(record) => {
            replayed.records += 1;
            apply(record);
        }
        None => unknown = unknown.or(Some(offset)),
    });
    if let Some(offset) = unknown {
        return Err(StoreError::corrupt(
            path,
            offset,
            "a whole record of unknown kind",
        ));
    }
    let mut len = bytes.len() as u64;
    for hole in holes {
        if newest && hole.torn {
            // I-WAL-2.
            replayed.torn_bytes = hole.len;
            len = hole.offset;
            tracing::info!(
                file = %path.display(), offset = hole.offset, bytes = hole.len,
                "cut a record that was being written when the process ended"
            );
        } else {
            // I-WAL-3, I-WAL-6.
            quarantine(files, path, bytes)?;
            replayed.damage.push(format!(
                "{}: {} bytes from byte {} on hold no whole record",
                path.display(),
                hole.len,
                hole.offset
            ));
        }
    }
    // What a killed process has left with the operating system must not be older news than what is
    // synced from now on.
    files
        .cut(path, len)
        .map_err(|e| StoreError::sync(path, &e))?;
    Ok(len)
}

#[cfg(test)]
mod tests;
