use std::fs;
use std::path::{Path, PathBuf};

use tinyobs_model::{Columns, Kind, LabelsBuilder, Sample, SeriesSource, TimeRange, WriteBatch};

use crate::engine::manifest::Manifest;
use crate::engine::{Partition, Space};
use crate::files::RealFiles;
use crate::{Retention, Store, StoreOptions};

const NOW: i64 = 1_795_306_562_347;

fn open(dir: &Path) -> Store {
    let options = StoreOptions {
        retention: Retention::FOR_EVER,
        ..StoreOptions::disk(dir)
    };
    Store::open(options).expect("opens")
}

fn push(store: &Store, metric: &str, sample: Sample) {
    let mut batch = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    labels.begin(metric);
    batch
        .push(0, &mut labels, Kind::Gauge, sample, None)
        .expect("valid");
    store.append(&batch).expect("appends");
}

/// The samples of all series.
fn held(store: &Store) -> Vec<Sample> {
    let mut held = Vec::new();
    let mut block = Columns::default();
    for mut cursor in store.select(&[], TimeRange::ALL).expect("selects") {
        while cursor.next_block(&mut block).expect("reads") {
            held.extend(block.iter());
        }
    }
    held
}

/// What a killed process leaves.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("makes");
    for entry in fs::read_dir(from).expect("lists") {
        let entry = entry.expect("lists");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copies");
        }
    }
}

fn table_of(dir: &Path, is_it: impl Fn(Partition) -> bool) -> PathBuf {
    let (manifest, _) = Manifest::load(&RealFiles, dir)
        .expect("loads")
        .expect("is there");
    let line = manifest.tables.iter().find(|line| is_it(line.partition));
    dir.join(format!(
        "tables/{:016}.table",
        line.expect("a table").number
    ))
}

fn flip(path: &Path, at: usize) -> Vec<u8> {
    let sound = fs::read(path).expect("reads");
    let mut damaged = sound.clone();
    damaged[at] ^= 1;
    fs::write(path, damaged).expect("writes");
    sound
}

#[test]
fn i_open_1_samples_of_a_damaged_definition_are_kept() {
    let root = tempfile::tempdir().expect("a directory");
    let (live, dir) = (root.path().join("live"), root.path().join("left"));
    let store = open(&live);
    let sent = [Sample::new(NOW, 1.0), Sample::new(NOW + 1, 2.0)];
    push(&store, "a", sent[0]);
    store.maintain().expect("maintains");
    push(&store, "a", sent[1]);
    copy(&live, &dir);
    store.close().expect("closes");

    let catalogue = table_of(&dir, |partition| partition.space == Space::Catalogue);
    let sound = flip(&catalogue, 20);
    let store = open(&dir);
    let damage = store.damage().join("\n");
    assert!(damage.contains("1 samples in the log belong"), "{damage}");
    assert_eq!(held(&store), []);
    // Whoever comes meanwhile gets a number that nobody has.
    push(&store, "b", Sample::new(NOW, 7.0));
    store.maintain().expect("maintains");
    store.close().expect("closes, and lets the log go");

    fs::write(&catalogue, sound).expect("is whole again");
    let store = open(&dir);
    assert_eq!(store.damage(), [] as [String; 0]);
    assert_eq!(held(&store), [sent[0], sent[1], Sample::new(NOW, 7.0)]);
}

#[test]
fn a_log_that_is_gone_is_missed_once() {
    let root = tempfile::tempdir().expect("a directory");
    let store = open(root.path());
    push(&store, "a", Sample::new(NOW, 1.0));
    store.maintain().expect("maintains");
    store.close().expect("closes");
    let store = open(root.path());
    assert_eq!(store.damage(), [] as [String; 0]);
    drop(store);
    fs::remove_dir_all(root.path().join("wal")).expect("removes");
    let store = open(root.path());
    let damage = store.damage().join("\n");
    assert!(damage.contains("all later ones are missing"), "{damage}");
    assert_eq!(held(&store), [Sample::new(NOW, 1.0)]);
    drop(store);
    assert_eq!(open(root.path()).damage(), [] as [String; 0]);
}

#[test]
fn a_table_that_is_gone_costs_only_what_it_held() {
    let root = tempfile::tempdir().expect("a directory");
    let store = open(root.path());
    let day = 86_400_000;
    push(&store, "a", Sample::new(NOW, 1.0));
    push(&store, "a", Sample::new(NOW - 2 * day, 2.0));
    store.maintain().expect("maintains");
    store.close().expect("closes");
    let gone = table_of(root.path(), |partition| partition == Partition::raw(NOW));
    fs::remove_file(gone).expect("removes");
    let store = open(root.path());
    assert_eq!(store.damage().len(), 1, "{:?}", store.damage());
    let before = TimeRange::new(NOW - 3 * day, NOW - day);
    let mut cursors = store.select(&[], before).expect("selects");
    let mut block = Columns::default();
    assert!(cursors[0].next_block(&mut block).expect("reads"));
    assert_eq!(block.values, [2.0]);
}

#[test]
fn damage_that_a_reader_meets_is_told() {
    let root = tempfile::tempdir().expect("a directory");
    let store = open(root.path());
    push(&store, "a", Sample::new(NOW, 1.0));
    store.maintain().expect("maintains");
    store.close().expect("closes");
    let raw = table_of(root.path(), |partition| partition.space == Space::Raw);
    flip(&raw, 20);
    let store = open(root.path());
    assert_eq!(store.damage(), [] as [String; 0], "nobody has looked yet");
    let mut cursors = store.select(&[], TimeRange::ALL).expect("selects");
    let read = cursors[0].next_block(&mut Columns::default());
    assert!(read.is_err());
    let damage = store.damage();
    assert!(damage[0].contains("block checksum"), "{damage:?}");
}
