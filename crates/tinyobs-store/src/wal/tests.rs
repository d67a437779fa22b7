use std::fs;

use tinyobs_model::Sample;

use super::record::put_floats;
use super::segment::{HEADER_BYTES, header, put_frame};
use super::*;
use crate::files::RealFiles;
use crate::files::failing::Failing;

fn frame(value: u64) -> Vec<u8> {
    let (mut payload, mut frame) = (Vec::new(), Vec::new());
    put_floats(
        &mut payload,
        &[(value, Sample::new(value as i64, value as f64))],
    );
    put_frame(&mut frame, MARK, &payload);
    frame
}

/// The mark of the segments that the tests write by hand.
const MARK: Mark = *b"mark";

/// Appends the record of `value`.
fn append(log: &mut SegmentLog, value: u64) -> Result<Position, StoreError> {
    let mut frame = frame(value);
    let mark = log.mark();
    frame[..mark.len()].copy_from_slice(&mark);
    log.append(&frame)
}

fn open(files: Arc<dyn Files>, dir: &Path) -> (SegmentLog, Replayed, Vec<u64>) {
    let mut seen = Vec::new();
    let (log, _, replayed) = SegmentLog::open(files, dir, Durability::Sync, 1, |record| {
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
        let mut copies = fs::read_dir(self.0.path().join("quarantine")).expect("a directory");
        let copy = copies.next().expect("a copy").expect("an entry");
        fs::read(copy.path()).expect("reads")
    }
}

/// A log of records 1 to `count` in its first segment.
fn log_of(count: u64) -> (Dir, PathBuf) {
    let dir = Dir::new();
    let (mut log, _, _) = open(Arc::new(RealFiles), dir.path());
    for value in 1..=count {
        append(&mut log, value).expect("appends");
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
    let two = HEADER_BYTES as usize + 2 * frame(1).len();
    for len in 0..whole.len() {
        dir.clear();
        fs::write(&path, &whole[..len]).expect("writes");
        let (replayed, seen) = reopen(dir.path());
        let kept = len.saturating_sub(HEADER_BYTES as usize) / frame(1).len();
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

/// A record whose write had ended is not torn, whatever bit of it is wrong: it was acknowledged.
#[test]
fn i_wal_2_a_flipped_bit_in_the_last_record_is_no_torn_write() {
    let (dir, path) = log_of(3);
    let whole = fs::read(&path).expect("reads");
    let last = whole.len() - frame(3).len();
    for bit in last * 8..whole.len() * 8 {
        dir.clear();
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bytes).expect("writes");
        let (replayed, seen) = reopen(dir.path());
        assert_eq!(seen, [1, 2], "bit {bit}");
        let [damage] = &replayed.damage[..] else {
            panic!("bit {bit}: {replayed:?}");
        };
        assert!(damage.contains(&format!("from byte {last} on")), "{damage}");
    }
}

/// Whoever sends bytes does not know the mark, so what looks like a record inside of one is none.
#[test]
fn i_wal_3_a_record_inside_a_damaged_one_is_not_taken_for_one() {
    let dir = Dir::new();
    let path = segment_path(dir.path(), 1);
    let mut inner = frame(7);
    inner[..4].copy_from_slice(b"MARK");
    let mut bytes = header(MARK).to_vec();
    put_frame(&mut bytes, MARK, &inner);
    bytes[HEADER_BYTES as usize + 5] ^= 1;
    bytes.extend_from_slice(&frame(2));
    fs::write(&path, &bytes).expect("writes");
    assert_eq!(reopen(dir.path()).1, [2]);
}

#[test]
fn i_wal_2_zeros_at_the_end_were_never_written() {
    let (dir, path) = log_of(3);
    let mut bytes = fs::read(&path).expect("reads");
    bytes.extend_from_slice(&[0; 300]);
    dir.clear();
    fs::write(&path, &bytes).expect("writes");
    let (replayed, seen) = reopen(dir.path());
    assert_eq!((replayed.torn_bytes, seen.len()), (300, 3));
    assert!(replayed.damage.is_empty());
}

/// A power cut can leave the length of a write and the front part of its content.
#[test]
fn i_wal_2_zeros_in_place_of_the_end_of_a_write_are_torn() {
    let (dir, path) = log_of(3);
    let good = fs::read(&path).expect("reads");
    let samples: Vec<_> = (0..20)
        .map(|value| (value, Sample::new(value as i64, 0.1)))
        .collect();
    let (mut payload, mut last) = (Vec::new(), Vec::new());
    put_floats(&mut payload, &samples);
    let mark = *good[12..].first_chunk().expect("a header has a mark");
    put_frame(&mut last, mark, &payload);
    for written in 0..last.len() - 16 {
        let mut bytes = good.clone();
        bytes.extend_from_slice(&last[..written]);
        bytes.resize(good.len() + last.len(), 0);
        dir.clear();
        fs::write(&path, &bytes).expect("writes");
        let (replayed, seen) = reopen(dir.path());
        assert_eq!(
            (replayed.torn_bytes, seen.len(), replayed.damage.len()),
            (last.len() as u64, 3, 0),
            "{written} bytes written"
        );
    }
}

#[test]
fn i_wal_3_a_hole_is_reported_and_the_rest_is_kept() {
    let (dir, path) = log_of(3);
    let good = fs::read(&path).expect("reads");
    let second = HEADER_BYTES as usize + frame(1).len();
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
fn a_newer_version_is_refused() {
    let (dir, path) = log_of(1);
    let mut bytes = fs::read(&path).expect("reads");
    bytes[8] = 3;
    let crc = crc32fast::hash(&bytes[..16]);
    bytes[16..20].copy_from_slice(&crc.to_le_bytes());
    fs::write(&path, &bytes).expect("writes");
    let result = SegmentLog::open(Arc::new(RealFiles), dir.path(), Durability::Sync, 1, |_| ());
    assert!(matches!(
        result.err(),
        Some(StoreError::NewerFormat { found: 3, .. })
    ));
}

#[test]
fn i_wal_3_frames_behind_a_damaged_header_are_kept() {
    let (dir, path) = log_of(2);
    let good = fs::read(&path).expect("reads");
    for bit in 0..HEADER_BYTES as usize * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        dir.clear();
        fs::write(&path, &bad).expect("writes");
        let opened = SegmentLog::open(Arc::new(RealFiles), dir.path(), Durability::Sync, 1, |_| ());
        let (_, _, replayed) = opened.expect("a flip is no newer version");
        assert_eq!(replayed.records, 2, "bit {bit}");
        assert!(replayed.damage[0].contains("header"), "bit {bit}");
        assert_eq!(fs::read(&path).expect("reads"), bad, "bit {bit}");
    }
}

/// The disk fills while a new segment is made: the old one goes on and may still end torn.
#[test]
fn i_wal_2_a_segment_that_was_never_begun_is_not_the_newest() {
    let (dir, path) = log_of(2);
    fs::write(segment_path(dir.path(), 2), &header(MARK)[..5]).expect("writes");
    let good = fs::read(&path).expect("reads");
    fs::write(&path, &good[..good.len() - 3]).expect("writes");
    let (replayed, seen) = reopen(dir.path());
    assert_eq!((seen, replayed.damage), (vec![1], vec![]));
    assert!(replayed.torn_bytes > 0);
}

#[test]
fn i_wal_5_truncation_removes_what_was_rotated_away() {
    let dir = Dir::new();
    let (mut log, _, _) = open(Arc::new(RealFiles), dir.path());
    append(&mut log, 1).expect("appends");
    let before = log.rotate().expect("rotates");
    // A flush is due by this: what it is about to remove must not make another one due.
    assert_eq!(log.newest_bytes(), HEADER_BYTES);
    assert!(log.bytes() > HEADER_BYTES + frame(1).len() as u64);
    assert_eq!(
        log.rotate().expect("rotates"),
        before,
        "an empty segment is kept"
    );
    append(&mut log, 2).expect("appends");
    log.truncate(before).expect("truncates");
    assert_eq!(log.bytes(), HEADER_BYTES + frame(2).len() as u64);
    drop(log);
    assert_eq!(reopen(dir.path()).1, [2]);
}

#[test]
fn i_flush_3_segments_that_a_flush_has_let_go_are_removed_unread() {
    let dir = Dir::new();
    let (mut log, _, _) = open(Arc::new(RealFiles), dir.path());
    append(&mut log, 1).expect("appends");
    let before = log.rotate().expect("rotates");
    append(&mut log, 2).expect("appends");
    drop(log);
    let mut records = 0;
    let opened = SegmentLog::open(
        Arc::new(RealFiles),
        dir.path(),
        Durability::Sync,
        before + 1,
        |_| records += 1,
    );
    drop(opened.expect("opens"));
    assert_eq!(records, 1);
    assert!(!segment_path(dir.path(), before).exists());
    // Numbers go on even when no file is left that tells.
    dir.clear();
    let opened = SegmentLog::open(Arc::new(RealFiles), dir.path(), Durability::Sync, 7, |_| ());
    drop(opened.expect("opens"));
    assert!(segment_path(dir.path(), 7).exists());
}

/// Operations 0 to 3 make the segment; then each record is a write and a sync.
#[test]
fn i_wal_4_any_single_failure_loses_nothing_acknowledged() {
    for failing in 4..=11 {
        let dir = Dir::new();
        let files = Arc::new(Failing::at(failing));
        let (mut log, _, _) = open(files, dir.path());
        let syncer = Arc::clone(&log.syncer);
        let mut acked = Vec::new();
        let mut sync_failed = false;
        for value in 1..=4 {
            let stored = append(&mut log, value).and_then(|position| syncer.wait_durable(position));
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
        // Even operations are writes: one record is refused, the others are stored.
        assert_eq!(sync_failed, failing % 2 == 1, "operation {failing}");
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
