use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use tinyobs_model::Sample;

use super::record::put_floats;
use super::segment::{HEADER, put_frame};
use super::*;
use crate::files::{ReadFile, RealFiles, SyncFile};

fn frame(value: u64) -> Vec<u8> {
    let (mut payload, mut frame) = (Vec::new(), Vec::new());
    put_floats(
        &mut payload,
        &[(value, Sample::new(value as i64, value as f64))],
    );
    put_frame(&mut frame, &payload);
    frame
}

fn open(files: Arc<dyn Files>, dir: &Path) -> (SegmentLog, Replayed, Vec<u64>) {
    let mut seen = Vec::new();
    let (log, _, replayed) = SegmentLog::open(files, dir, Durability::Sync, |record| {
        if let Record::Floats(samples) = record {
            seen.extend(samples.iter().map(|(id, _)| *id));
        }
    })
    .expect("opens");
    (log, replayed, seen)
}

fn reopen(dir: &Path) -> (Replayed, Vec<u64>) {
    let (_, replayed, seen) = open(Arc::new(RealFiles), dir);
    (replayed, seen)
}

/// A directory for a log, inside one that is removed in the end.
struct Dir(tempfile::TempDir, PathBuf);

impl Dir {
    fn new() -> Self {
        let outer = tempfile::tempdir().expect("a directory");
        let dir = outer.path().join("wal");
        fs::create_dir(&dir).expect("creates");
        Self(outer, dir)
    }

    fn path(&self) -> &Path {
        &self.1
    }

    fn clear(&self) {
        fs::remove_dir_all(self.path()).expect("removes");
        fs::create_dir(self.path()).expect("creates");
    }

    fn quarantined(&self) -> Vec<u8> {
        fs::read(self.0.path().join("quarantine/0000000000000001.wal")).expect("a copy")
    }
}

/// A log of records 1 to `count` in its first segment.
fn log_of(count: u64) -> (Dir, PathBuf) {
    let dir = Dir::new();
    let (mut log, _, _) = open(Arc::new(RealFiles), dir.path());
    for value in 1..=count {
        log.append(&frame(value)).expect("appends");
    }
    let path = segment_path(dir.path(), 1);
    (dir, path)
}

#[test]
fn i_wal_1_what_was_appended_is_replayed_in_order() {
    let (dir, _) = log_of(3);
    let (replayed, seen) = reopen(dir.path());
    assert_eq!(seen, [1, 2, 3]);
    assert_eq!((replayed.records, replayed.torn_bytes), (3, 0));
    assert!(replayed.damage.is_empty());
}

#[test]
fn i_wal_2_the_newest_segment_may_be_torn_anywhere() {
    let (dir, path) = log_of(3);
    let whole = fs::read(&path).expect("reads");
    let two = HEADER.len() + 2 * frame(1).len();
    for len in 0..whole.len() {
        dir.clear();
        fs::write(&path, &whole[..len]).expect("writes");
        let (replayed, seen) = reopen(dir.path());
        let kept = len.saturating_sub(HEADER.len()) / frame(1).len();
        assert_eq!(seen.len(), kept, "cut at {len}");
        assert!(replayed.damage.is_empty(), "cut at {len}");
        // The second start finds a clean end, though this segment is not the newest any more.
        let (again, seen) = reopen(dir.path());
        assert_eq!(
            (again.torn_bytes, seen.len()),
            (0, kept),
            "cut at {len}, again"
        );
        assert!(again.damage.is_empty(), "cut at {len}, again");
    }
    assert!(two < whole.len());
}

#[test]
fn i_wal_3_a_hole_is_reported_and_the_rest_is_kept() {
    let (dir, path) = log_of(3);
    let good = fs::read(&path).expect("reads");
    let second = HEADER.len() + frame(1).len();
    for bit in second * 8..(second + frame(2).len()) * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        dir.clear();
        fs::write(&path, &bad).expect("writes");
        let (replayed, seen) = reopen(dir.path());
        assert_eq!(seen, [1, 3], "bit {bit}");
        let expected = format!("{} bytes from byte {second} on", frame(2).len());
        assert!(
            replayed.damage[0].contains(&expected),
            "{:?}",
            replayed.damage
        );
    }
}

#[test]
fn i_wal_3_damage_at_the_end_of_an_older_segment_is_a_hole_too() {
    let (dir, path) = log_of(2);
    reopen(dir.path());
    let good = fs::read(&path).expect("reads");
    fs::write(&path, &good[..good.len() - 1]).expect("writes");
    let (replayed, seen) = reopen(dir.path());
    assert_eq!(seen, [1]);
    assert_eq!(replayed.damage.len(), 1);
    assert_eq!(dir.quarantined(), good[..good.len() - 1], "I-WAL-6");
}

#[test]
fn a_newer_version_is_refused_and_a_foreign_file_is_reported() {
    let (dir, path) = log_of(1);
    let mut bytes = fs::read(&path).expect("reads");
    bytes[8] = 2;
    fs::write(&path, &bytes).expect("writes");
    let result = SegmentLog::open(Arc::new(RealFiles), dir.path(), Durability::Sync, |_| ());
    assert!(matches!(
        result.err(),
        Some(StoreError::NewerFormat { found: 2, .. })
    ));
    fs::write(&path, b"something else entirely").expect("writes");
    assert_eq!(reopen(dir.path()).0.damage.len(), 1);
}

#[test]
fn i_wal_5_truncation_removes_what_was_rotated_away() {
    let dir = Dir::new();
    let (mut log, _, _) = open(Arc::new(RealFiles), dir.path());
    log.append(&frame(1)).expect("appends");
    let before = log.rotate().expect("rotates");
    log.append(&frame(2)).expect("appends");
    log.truncate(before).expect("truncates");
    assert_eq!(log.bytes(), (HEADER.len() + frame(2).len()) as u64);
    drop(log);
    assert_eq!(reopen(dir.path()).1, [2]);
}

/// Files of which the write or sync number `failing` fails, half done.
struct Failing {
    operations: Arc<AtomicUsize>,
    failing: usize,
}

struct FailingFile(Box<dyn WriteFile>, Arc<AtomicUsize>, usize);
struct FailingSync(Box<dyn SyncFile>, Arc<AtomicUsize>, usize);

fn due(operations: &AtomicUsize, failing: usize) -> bool {
    operations.fetch_add(1, Ordering::SeqCst) == failing
}

impl WriteFile for FailingFile {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if due(&self.1, self.2) {
            self.0.append(&bytes[..bytes.len() / 2])?;
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.0.append(bytes)
    }
    fn truncate(&mut self, len: u64) -> std::io::Result<()> {
        self.0.truncate(len)
    }
    fn syncer(&self) -> std::io::Result<Box<dyn SyncFile>> {
        Ok(Box::new(FailingSync(
            self.0.syncer()?,
            Arc::clone(&self.1),
            self.2,
        )))
    }
}

impl SyncFile for FailingSync {
    fn sync(&self) -> std::io::Result<()> {
        if due(&self.1, self.2) {
            return Err(std::io::Error::other("injected"));
        }
        self.0.sync()
    }
}

impl Files for Failing {
    fn create(&self, path: &Path) -> std::io::Result<Box<dyn WriteFile>> {
        let file = RealFiles.create(path)?;
        Ok(Box::new(FailingFile(
            file,
            Arc::clone(&self.operations),
            self.failing,
        )))
    }
    fn open(&self, path: &Path) -> std::io::Result<Box<dyn ReadFile>> {
        RealFiles.open(path)
    }
    fn cut(&self, path: &Path, len: u64) -> std::io::Result<()> {
        RealFiles.cut(path, len)
    }
    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        RealFiles.rename(from, to)
    }
    fn remove(&self, path: &Path) -> std::io::Result<()> {
        RealFiles.remove(path)
    }
    fn list(&self, dir: &Path) -> std::io::Result<Vec<PathBuf>> {
        RealFiles.list(dir)
    }
    fn create_dir(&self, dir: &Path) -> std::io::Result<()> {
        RealFiles.create_dir(dir)
    }
    fn sync_dir(&self, dir: &Path) -> std::io::Result<()> {
        RealFiles.sync_dir(dir)
    }
    fn allocated(&self, path: &Path) -> std::io::Result<u64> {
        RealFiles.allocated(path)
    }
}

/// Operation 0 is the header; then each record is a write and a sync.
#[test]
fn i_wal_4_any_single_failure_loses_nothing_acknowledged() {
    for failing in 1..=8 {
        let dir = Dir::new();
        let operations = Arc::new(AtomicUsize::new(0));
        let files = Arc::new(Failing {
            operations,
            failing,
        });
        let (mut log, _, _) = open(files, dir.path());
        let syncer = Arc::clone(&log.syncer);
        let mut acked = Vec::new();
        let mut sync_failed = false;
        for value in 1..=4 {
            let stored = log
                .append(&frame(value))
                .and_then(|position| syncer.wait_durable(position));
            match stored {
                Ok(()) => {
                    assert!(
                        !sync_failed,
                        "I-ERROR-1: no acknowledgement after a failed sync"
                    );
                    acked.push(value);
                }
                Err(error) => sync_failed |= error.is_fatal(),
            }
        }
        // Odd operations are writes: one record is refused, the others are stored.
        assert_eq!(sync_failed, failing % 2 == 0, "operation {failing}");
        drop(log);
        let (replayed, seen) = reopen(dir.path());
        assert!(
            replayed.damage.is_empty() && replayed.torn_bytes == 0,
            "operation {failing}"
        );
        assert!(
            acked.iter().all(|value| seen.contains(value)),
            "operation {failing}: {seen:?}"
        );
        if !sync_failed {
            assert_eq!(seen, acked, "operation {failing}");
        }
    }
}
