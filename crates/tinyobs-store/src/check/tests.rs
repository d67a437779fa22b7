use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tinyobs_model::{Kind, LabelsBuilder, Sample, WriteBatch};

use super::*;
use crate::{Retention, Store, StoreOptions};

const H: i64 = 3_600_000;
const START: i64 = 1_795_305_600_000;

fn options(dir: &Path) -> StoreOptions {
    StoreOptions {
        // The times here are no longer the present one day.
        retention: Retention::FOR_EVER,
        ..StoreOptions::disk(dir)
    }
}

/// Pushes a sample a minute of `series` gauges, in so many hours from `START - back` on.
fn push(store: &Store, series: u32, back_ms: i64, hours: i64) {
    for minute in 0..hours * 60 {
        let mut batch = WriteBatch::new();
        for number in 0..series {
            let label = number.to_string();
            let mut labels = LabelsBuilder::new();
            labels.begin("m");
            labels.push("l", &label);
            let value = f64::from(number) + (minute % 17) as f64 / 8.0;
            let sample = Sample::new(START - back_ms + minute * 60_000, value);
            batch
                .push(0, &mut labels, Kind::Gauge, sample, None)
                .expect("valid");
        }
        batch.describe("m", "seconds", "Help.");
        let stored = store.append(&batch).expect("stored").stored;
        assert_eq!(stored, u64::from(series));
    }
}

/// Copies a directory as it stands, its lock left out.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_name() != "LOCK" {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// A store of tables of every sort, and two segments of the log.
fn specimen(dir: &Path) {
    let origin = dir.join("origin");
    let store = Store::open(options(&origin)).expect("opens");
    push(&store, 5, 50 * H, 30);
    store.maintain().expect("maintained");
    push(&store, 7, 20 * H, 2);
    store.flush().expect("flushed");
    push(&store, 3, 10 * H, 1);
    copy(&origin, &dir.join("data"));
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.file_name().is_some_and(|name| name != "RESERVE") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn report(dir: &Path) -> Report {
    check(dir, &mut |_, _| {}).expect("a report")
}

#[test]
fn i_check_3_a_sound_store_has_no_damage_and_exact_counts() {
    let outer = tempfile::tempdir().expect("a directory");
    specimen(outer.path());
    let dir = outer.path().join("data");
    let mut calls = Vec::new();
    let found = check(&dir, &mut |done, total| calls.push((done, total))).expect("a report");
    assert_eq!(found.damage, []);
    assert_eq!(found.notes, [""; 0]);
    assert_eq!(found.series, 7);
    assert_eq!(found.samples, 5 * 30 * 60 + 7 * 2 * 60);
    // 30 hours of five series, in windows of five minutes and of an hour.
    assert_eq!(found.windows, 5 * 30 * 13);
    assert!(found.tables >= 5, "{found:?}");
    assert_eq!(found.records, 60);
    assert!(calls.is_sorted(), "{calls:?}");
    let (done, total) = *calls.last().expect("some progress");
    assert_eq!((done, total), (found.table_bytes + found.log_bytes, total));
    assert_eq!(done, total);
}

#[test]
fn i_check_1_a_flipped_bit_is_named_with_its_file() {
    let outer = tempfile::tempdir().expect("a directory");
    specimen(outer.path());
    let dir = outer.path().join("data");
    let all = files(&dir);
    assert!(all.len() >= 7, "{all:?}");
    for path in &all {
        let bytes = fs::read(path).expect("read");
        let step = (bytes.len() / 60).max(1);
        let ends = [0, 8, bytes.len().saturating_sub(1)];
        for at in (0..bytes.len()).step_by(step).chain(ends) {
            if at >= bytes.len() {
                continue;
            }
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(path, &flipped).expect("written");
            let found = report(&dir);
            let named = found.damage.iter().any(|one| one.path == *path);
            // The last record of the log cannot be told from one that was being written.
            let torn = found.notes.iter().any(|note| {
                note.starts_with(&path.display().to_string()) && note.contains("was being written")
            });
            assert!(named || torn, "{} byte {at}: {found:?}", path.display());
            assert!(
                found.damage.iter().all(|one| one.path == *path),
                "{found:?}"
            );
        }
        fs::write(path, &bytes).expect("written");
    }
    assert_eq!(report(&dir).damage, []);
}

#[test]
fn i_check_2_damage_in_one_place_hides_none_in_another() {
    let outer = tempfile::tempdir().expect("a directory");
    let origin = outer.path().join("origin");
    let store = Store::open(options(&origin)).expect("opens");
    // Enough for many blocks.
    push(&store, 2_000, 3 * H, 1);
    store.flush().expect("flushed");
    store.close().expect("closes");
    let table = files(&origin.join("tables"))
        .into_iter()
        .max_by_key(|path| fs::metadata(path).expect("there").len())
        .expect("a table");
    let mut bytes = fs::read(&table).expect("read");
    let places = [1, 4, 7].map(|tenth| bytes.len() * tenth / 10);
    for place in places {
        bytes[place] ^= 0x10;
    }
    fs::write(&table, &bytes).expect("written");
    let found = report(&origin);
    let offsets: Vec<u64> = found.damage.iter().map(|one| one.offset).collect();
    assert_eq!(offsets.len(), 3, "{found:?}");
    for (place, offset) in places.iter().zip(&offsets) {
        // The start of the block that holds it.
        let before = *place as u64 - offset;
        assert!(before < 9_000, "{place}: {offset}");
    }
    assert!(
        found.chunks > 500 && found.chunks < 2_000,
        "{}",
        found.chunks
    );
}

#[test]
fn files_that_are_missing_short_or_strange() {
    let outer = tempfile::tempdir().expect("a directory");
    specimen(outer.path());
    let dir = outer.path().join("data");
    let tables = files(&dir.join("tables"));
    let whole = fs::read(&tables[0]).expect("read");
    fs::write(&tables[0], &whole[..whole.len() - 1]).expect("written");
    let found = report(&dir).damage;
    assert_eq!((found.len(), &found[0].path), (1, &tables[0]));
    let what = format!(
        "it has {} bytes and should have {}",
        whole.len() - 1,
        whole.len()
    );
    assert_eq!(found[0].what, what);

    fs::remove_file(&tables[0]).expect("removed");
    let found = report(&dir).damage;
    assert_eq!((found.len(), &found[0].path), (1, &tables[0]));
    assert!(
        found[0].what.starts_with("it cannot be read: "),
        "{}",
        found[0].what
    );
    fs::write(&tables[0], &whole).expect("written");

    fs::write(dir.join("tables/0000000000009999.table"), b"x").expect("written");
    let found = report(&dir);
    assert_eq!(found.damage, []);
    assert_eq!(
        found.notes,
        ["1 file in tables/ is not named by the manifest; the next start removes it"]
    );

    // What a newer version wrote is not damaged.
    let log = files(&dir.join("wal")).pop().expect("a segment");
    let mut bytes = fs::read(&log).expect("read");
    bytes[8] = 3;
    let crc = crc32fast::hash(&bytes[..16]);
    bytes[16..20].copy_from_slice(&crc.to_le_bytes());
    fs::write(&log, &bytes).expect("written");
    let newer = check(&dir, &mut |_, _| {}).expect_err("of a newer version");
    let message = format!(
        "{} has format 3, this version reads up to 2: ",
        log.display()
    );
    assert!(newer.to_string().starts_with(&message), "{newer}");
    let none = check(&dir.join("tables"), &mut |_, _| {}).expect_err("no store");
    assert!(
        none.to_string().starts_with("there is no store in "),
        "{none}"
    );
}

#[test]
fn i_check_3_a_store_that_is_being_written_has_no_damage() {
    let outer = tempfile::tempdir().expect("a directory");
    let dir = outer.path().join("data");
    let store = Arc::new(Store::open(options(&dir)).expect("opens"));
    push(&store, 3, 40 * H, 1);
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
        std::thread::spawn(move || {
            for round in 0.. {
                push(&store, 3, 30 * H - round * H, 1);
                store.maintain().expect("maintained");
                if stop.load(Ordering::SeqCst) {
                    return;
                }
            }
        })
    };
    for _ in 0..50 {
        let found = report(&dir);
        assert_eq!(found.damage, []);
        assert!(found.notes[0].starts_with("a server has this store open"));
    }
    stop.store(true, Ordering::SeqCst);
    writer.join().expect("no panic");
    store.close().expect("closes");
    assert_eq!(report(&dir).damage, []);
    assert_eq!(report(&dir).notes, [""; 0]);
}
