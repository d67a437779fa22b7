use std::path::Path;

use tinyobs_model::{
    Columns, Kind, LabelsBuilder, Matcher, Sample, SeriesSource, TimeRange, WriteBatch,
};

use super::*;
use crate::{Retention, Store, StoreOptions};

fn open(dir: &Path) -> Store {
    let options = StoreOptions {
        retention: Retention::FOR_EVER,
        ..StoreOptions::disk(dir)
    };
    Store::open(options).expect("opens")
}

fn put(store: &Store, times: std::ops::Range<i64>) {
    let mut batch = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    for (item, time_ms) in (0..).zip(times) {
        labels.begin("m");
        let sample = Sample::new(time_ms, time_ms as f64);
        batch
            .push(item, &mut labels, Kind::Gauge, sample, None)
            .expect("valid");
    }
    store.append(&batch).expect("appends");
}

fn times(store: &Store) -> Vec<i64> {
    let mut all = Vec::new();
    let mut columns = Columns::default();
    let cursors = store.select(&[Matcher::equal("__name__", "m")], TimeRange::ALL);
    for mut cursor in cursors.expect("selects") {
        while cursor.next_block(&mut columns).expect("reads") {
            all.extend_from_slice(&columns.times);
        }
    }
    all
}

#[test]
fn i_backup_1_what_is_copied_later_is_what_stood_when_it_was_asked_for() {
    let (here, there) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let store = open(here.path());
    put(&store, 0..10);
    store.flush().expect("flushes");
    put(&store, 10..20);
    let backup = store.backup().expect("backs up");
    // Everything that the backup names is merged away before it is copied.
    put(&store, 20..30);
    store.maintain().expect("maintains");
    std::fs::create_dir(there.path().join("tables")).expect("creates");
    let mut copied = 0;
    for file in backup.files() {
        let mut file = file.expect("opens");
        let mut bytes = Vec::new();
        file.content.read_to_end(&mut bytes).expect("reads");
        assert_eq!(bytes.len() as u64, file.size, "{}", file.name);
        copied += file.size;
        std::fs::write(there.path().join(file.name), bytes).expect("writes");
    }
    assert_eq!(copied, backup.size());
    let restored = open(there.path());
    assert_eq!(restored.damage(), [] as [String; 0]);
    assert_eq!(times(&restored), (0..20).collect::<Vec<_>>());
    // It goes on from there.
    put(&restored, 20..25);
    assert_eq!(times(&restored), (0..25).collect::<Vec<_>>());
    assert_eq!(times(&store), (0..30).collect::<Vec<_>>());
}

#[test]
fn the_files_of_a_backup_go_with_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let tables = || {
        std::fs::read_dir(dir.path().join("tables"))
            .expect("lists")
            .count()
    };
    put(&store, 0..10);
    store.flush().expect("flushes");
    let backup = store.backup().expect("backs up");
    put(&store, 10..20);
    store.maintain().expect("maintains");
    let pinned = tables();
    drop(backup);
    // One of the catalogue, one of raw, one of each rollup.
    assert!(pinned > tables());
    assert_eq!(tables(), 4);
}
