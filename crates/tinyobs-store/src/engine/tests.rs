use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::disk::DiskEngine;
use super::memory::MemoryEngine;
use super::*;
use crate::files::failing::Failing;
use crate::files::{Files, RealFiles};

fn disk(dir: &Path) -> DiskEngine {
    DiskEngine::open(Arc::new(RealFiles), dir).expect("opens")
}

/// Runs a test on an empty engine of each kind.
fn each_engine(test: impl Fn(&dyn Engine)) {
    let dir = tempfile::tempdir().expect("a directory");
    test(&MemoryEngine::default());
    test(&disk(dir.path()));
}

fn commit_of(partition: Partition, entries: &[(&str, &str)]) -> Commit {
    let entries: Vec<Entry> = entries
        .iter()
        .map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()))
        .collect();
    let summary = Summary {
        samples: entries.len() as u64,
        first_ms: 1,
        last_ms: 2,
    };
    let loads = [(partition, Load { entries, summary })].into();
    Commit {
        loads,
        counters: Counters {
            next_series: 3,
            next_sequence: 4,
            first_segment: 5,
        },
    }
}

fn all(engine: &dyn Engine, partition: Partition, from: &str, to: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    engine
        .scan(
            partition,
            from.as_bytes(),
            to.as_bytes(),
            &mut |key, value| {
                found.push((text(key), text(value)));
                ControlFlow::Continue(())
            },
        )
        .expect("scans");
    found
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

#[test]
fn i_engine_2_the_last_commit_wins() {
    each_engine(|engine| {
        let day = Partition::raw(0);
        engine
            .commit(commit_of(day, &[("a", "1"), ("b", "1"), ("d", "1")]))
            .expect("commits");
        engine
            .commit(commit_of(day, &[("b", "2"), ("c", "2")]))
            .expect("commits");
        assert_eq!(
            all(engine, day, "a", "z"),
            pairs(&[("a", "1"), ("b", "2"), ("c", "2"), ("d", "1")])
        );
        assert_eq!(all(engine, day, "b", "d"), pairs(&[("b", "2"), ("c", "2")]));
        assert_eq!(all(engine, day, "d", "b"), pairs(&[]));
        assert_eq!(all(engine, Partition::CATALOGUE, "a", "z"), pairs(&[]));
        assert_eq!(
            engine.counters(),
            Counters {
                next_series: 3,
                next_sequence: 4,
                first_segment: 5,
            }
        );
    });
}

#[test]
fn i_engine_3_partitions_are_dropped_whole() {
    each_engine(|engine| {
        let (one, two) = (Partition::raw(0), Partition::raw(key::RAW_PARTITION_MS));
        engine
            .commit(commit_of(one, &[("a", "1")]))
            .expect("commits");
        engine
            .commit(commit_of(two, &[("b", "1")]))
            .expect("commits");
        engine.drop_partition(one).expect("drops");
        assert_eq!(all(engine, one, "a", "z"), pairs(&[]));
        assert_eq!(all(engine, two, "a", "z"), pairs(&[("b", "1")]));
        let left: Vec<Partition> = engine.partitions().into_iter().map(|(p, _)| p).collect();
        assert_eq!(left, [two]);
        assert_eq!(engine.footprint().0, 1);
    });
}

#[test]
fn i_engine_1_a_commit_survives_reopening() {
    let dir = tempfile::tempdir().expect("a directory");
    let day = Partition::raw(0);
    disk(dir.path())
        .commit(commit_of(day, &[("a", "1")]))
        .expect("commits");
    let engine = disk(dir.path());
    assert_eq!(all(&engine, day, "a", "z"), pairs(&[("a", "1")]));
    assert_eq!(
        engine.counters(),
        Counters {
            next_series: 3,
            next_sequence: 4,
            first_segment: 5,
        }
    );
    let summary = Summary {
        samples: 1,
        first_ms: 1,
        last_ms: 2,
    };
    assert_eq!(engine.partitions(), [(day, summary)]);
}

#[test]
fn i_engine_1_what_no_manifest_names_is_removed() {
    let dir = tempfile::tempdir().expect("a directory");
    let day = Partition::raw(0);
    disk(dir.path())
        .commit(commit_of(day, &[("a", "1")]))
        .expect("commits");
    let orphan = dir.path().join("tables/0000000000000009.table");
    std::fs::write(&orphan, b"half a table").expect("writes");
    let engine = disk(dir.path());
    assert!(!orphan.exists());
    assert_eq!(all(&engine, day, "a", "z"), pairs(&[("a", "1")]));
}

#[test]
fn i_table_1_every_flipped_bit_is_found_or_harmless() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("t");
    let entries: Vec<Entry> = (0u32..60)
        .map(|i| (format!("key{i:05}").into_bytes(), vec![i as u8; 20]))
        .collect();
    let (_, crc) = table::write(&RealFiles, &path, &entries).expect("writes");
    let good = std::fs::read(&path).expect("reads");
    let read = || -> Result<Vec<Entry>, StoreError> {
        let files = Arc::new(open_files::OpenFiles::new(Arc::new(RealFiles)));
        let table = table::Table::open(&files, 1, &path, crc)?;
        let mut found = Vec::new();
        let _ = table.scan(b"", b"z", &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    };
    assert_eq!(read().expect("good"), entries);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &bad).expect("writes");
        match read() {
            Err(StoreError::Corrupt { .. } | StoreError::NewerFormat { .. }) => {}
            // The magic is for people: nothing depends on it.
            Ok(found) => assert!(bit < 64 && found == entries, "bit {bit}"),
            Err(other) => panic!("bit {bit}: {other}"),
        }
    }
}

/// Counted in `/proc/self/fd`, which other tests change too: the bound is far from the 400 files
/// that would be open otherwise.
#[test]
fn i_files_1_tables_without_end_need_few_open_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let engine = disk(dir.path());
    let day = |n: i64| Partition::raw(n * key::RAW_PARTITION_MS);
    let mut commit = Commit::default();
    for n in 0..400 {
        commit.loads.extend(commit_of(day(n), &[("a", "1")]).loads);
    }
    engine.commit(commit).expect("commits");
    for n in 0..400 {
        assert_eq!(all(&engine, day(n), "a", "z"), pairs(&[("a", "1")]));
    }
    let open = std::fs::read_dir("/proc/self/fd")
        .expect("lists")
        .filter(|fd| {
            let target = fd
                .as_ref()
                .ok()
                .and_then(|fd| std::fs::read_link(fd.path()).ok());
            target.is_some_and(|target| target.starts_with(dir.path()))
        });
    assert!(open.count() <= 128);
}

#[test]
fn a_missing_manifest_beside_tables_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    disk(dir.path())
        .commit(commit_of(Partition::raw(0), &[("a", "1")]))
        .expect("commits");
    RealFiles
        .remove(&dir.path().join("MANIFEST"))
        .expect("removes");
    let error = DiskEngine::open(Arc::new(RealFiles), dir.path()).err();
    assert!(matches!(error, Some(StoreError::Corrupt { .. })));
}

/// Every operation of a commit fails once: whatever was committed before is there afterwards, and
/// the commit is there entirely if it said so, and entirely or not at all if it did not.
#[test]
fn i_engine_1_a_commit_that_fails_anywhere_is_all_or_nothing() {
    let (one, two) = (Partition::raw(0), Partition::raw(key::RAW_PARTITION_MS));
    let mut failing = 0;
    loop {
        let dir = tempfile::tempdir().expect("a directory");
        disk(dir.path())
            .commit(commit_of(one, &[("a", "1")]))
            .expect("commits");
        let files = Failing::at(failing);
        let engine = DiskEngine::open(Arc::new(files.clone()), dir.path()).expect("opens");
        let mut commit = commit_of(one, &[("b", "2")]);
        commit.loads.extend(commit_of(two, &[("c", "3")]).loads);
        let committed = engine.commit(commit);
        drop(engine);
        let engine = disk(dir.path());
        let found = (all(&engine, one, "a", "z"), all(&engine, two, "a", "z"));
        let without = (pairs(&[("a", "1")]), pairs(&[]));
        let with = (pairs(&[("a", "1"), ("b", "2")]), pairs(&[("c", "3")]));
        match committed {
            Ok(()) => assert_eq!(found, with, "operation {failing}"),
            Err(_) => assert!(
                found == without || found == with,
                "operation {failing}: {found:?}"
            ),
        }
        if !files.has_failed() {
            break;
        }
        failing += 1;
    }
    assert!(failing > 10, "only {failing} operations");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn scans_agree_with_a_sorted_map(
        commits in proptest::collection::vec(
            proptest::collection::btree_map("[ab]{0,6}", ".{0,300}", 1..60), 1..4),
        from in "[ab]{0,4}", to in "[ab]{0,4}",
    ) {
        let mut model = BTreeMap::new();
        let dir = tempfile::tempdir().expect("a directory");
        let engine = disk(dir.path());
        let day = Partition::raw(0);
        for entries in commits {
            let list: Vec<(&str, &str)> =
                entries.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            engine.commit(commit_of(day, &list)).expect("commits");
            model.extend(entries);
        }
        let expected: Vec<_> =
            model.into_iter().filter(|(key, _)| *key >= from && *key < to).collect();
        prop_assert_eq!(all(&engine, day, &from, &to), expected);
    }
}
