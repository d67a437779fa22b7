use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use std::collections::BTreeMap;

use super::*;
use crate::engine::manifest::TableLine;
use crate::engine::tables::similar;
use crate::files::failing::{Failing, quick_dir};
use crate::files::memory::MemoryFiles;
use crate::files::{Files, RealFiles};

const DAY_MS: i64 = 86_400_000;

fn disk(dir: &Path) -> TableEngine {
    TableEngine::open(Arc::new(RealFiles), dir).expect("opens")
}

fn memory() -> TableEngine {
    TableEngine::open(Arc::new(MemoryFiles::default()), Path::new("")).expect("opens")
}

const COUNTERS: Counters = Counters {
    next_series: 3,
    next_sequence: 4,
    first_segment: 5,
    rolled: 2,
    dropped_ms: [7, i64::MIN, 9],
};

/// Runs a test on an empty engine of each kind.
fn each_engine(test: impl Fn(&dyn Engine)) {
    let dir = quick_dir();
    test(&memory());
    test(&disk(dir.path()));
}

/// A finished table.
fn table(engine: &dyn Engine, partition: Partition, entries: &[(&str, &str)]) -> Finished {
    table_of(engine, partition, entries, 1)
}

fn table_of(
    engine: &dyn Engine,
    partition: Partition,
    entries: &[(&str, &str)],
    sequence: u64,
) -> Finished {
    let mut draft = engine.draft(partition);
    for (key, value) in entries {
        draft.put(key.as_bytes(), value.as_bytes()).expect("puts");
    }
    draft
        .finish(summary(entries.len(), sequence))
        .expect("finishes")
}

fn summary(samples: usize, sequence: u64) -> Summary {
    Summary {
        samples: samples as u64,
        first_ms: 1,
        last_ms: 2,
        sequence,
    }
}

fn commit(engine: &dyn Engine, partition: Partition, entries: &[(&str, &str)]) {
    let tables = vec![table(engine, partition, entries)];
    engine.commit(commit_of(tables)).expect("commits");
}

fn commit_of(tables: Vec<Finished>) -> Commit {
    Commit {
        tables,
        drops: Vec::new(),
        counters: COUNTERS,
    }
}

fn all(engine: &dyn Engine, partition: Partition, from: &str, to: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    engine
        .view()
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
        commit(engine, day, &[("a", "1"), ("b", "1"), ("d", "1")]);
        commit(engine, day, &[("b", "2"), ("c", "2")]);
        assert_eq!(
            all(engine, day, "a", "z"),
            pairs(&[("a", "1"), ("b", "2"), ("c", "2"), ("d", "1")])
        );
        assert_eq!(all(engine, day, "b", "d"), pairs(&[("b", "2"), ("c", "2")]));
        assert_eq!(all(engine, day, "d", "b"), pairs(&[]));
        assert_eq!(all(engine, Partition::CATALOGUE, "a", "z"), pairs(&[]));
        assert_eq!(engine.view().counters(), COUNTERS);
    });
}

#[test]
fn i_engine_3_partitions_are_dropped_whole() {
    each_engine(|engine| {
        let (one, two) = (Partition::raw(0), Partition::raw(DAY_MS));
        commit(engine, one, &[("a", "1")]);
        commit(engine, two, &[("b", "1")]);
        let drop_one = Commit {
            drops: vec![one],
            ..commit_of(Vec::new())
        };
        engine.commit(drop_one).expect("drops");
        assert_eq!(all(engine, one, "a", "z"), pairs(&[]));
        assert_eq!(all(engine, two, "a", "z"), pairs(&[("b", "1")]));
        let left = engine.view().partitions();
        assert_eq!(left.len(), 1);
        assert_eq!((left[0].0, left[0].1.tables), (two, 1));
    });
}

#[test]
fn i_engine_1_a_commit_survives_reopening() {
    let dir = quick_dir();
    let day = Partition::raw(0);
    commit(&disk(dir.path()), day, &[("a", "1")]);
    let engine = disk(dir.path());
    assert_eq!(all(&engine, day, "a", "z"), pairs(&[("a", "1")]));
    assert_eq!(engine.view().counters(), COUNTERS);
    let found = engine.view().partitions();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0, found[0].1.summary), (day, summary(1, 1)));
}

#[test]
fn i_engine_1_what_no_manifest_names_is_removed() {
    let dir = quick_dir();
    let day = Partition::raw(0);
    commit(&disk(dir.path()), day, &[("a", "1")]);
    let orphan = dir.path().join("tables/0000000000000009.table");
    std::fs::write(&orphan, b"half a table").expect("writes");
    let engine = disk(dir.path());
    assert!(!orphan.exists());
    assert_eq!(all(&engine, day, "a", "z"), pairs(&[("a", "1")]));
}

#[test]
fn i_table_1_every_flipped_bit_is_found_or_harmless() {
    let dir = quick_dir();
    let day = Partition::raw(0);
    let entries: Vec<(String, String)> = (0u32..20)
        .map(|i| (format!("key{i:05}"), i.to_string().repeat(10)))
        .collect();
    let list: Vec<_> = entries
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    commit(&disk(dir.path()), day, &list);
    let path = dir.path().join("tables/0000000000000001.table");
    let good = std::fs::read(&path).expect("reads");
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &bad).expect("writes");
        // I-ENGINE-5: it opens.
        let engine = disk(dir.path());
        let mut found = Vec::new();
        let scanned = engine.view().scan(day, b"", b"z", &mut |key, value| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
            found.push((text(key), text(value)));
            ControlFlow::Continue(())
        });
        match scanned {
            Err(StoreError::Corrupt { path: named, .. }) => assert_eq!(named, path),
            // The magic is for people: nothing depends on it.
            Ok(()) => assert!(bit < 64 && found == entries, "bit {bit}"),
            Err(other) => panic!("bit {bit}: {other}"),
        }
    }
}

#[test]
fn i_table_1_a_whole_table_in_the_place_of_another_is_found() {
    let files = MemoryFiles::default();
    let open = || TableEngine::open(Arc::new(files.clone()), Path::new("")).expect("opens");
    let engine = open();
    for value in ["1", "2"] {
        commit(&engine, Partition::raw(0), &[("a", value)]);
    }
    // Of the same length, with as many entries and a footer that says the same.
    let tables = files.list(Path::new("tables")).expect("lists");
    files.remove(&tables[1]).expect("removes");
    let other = crate::files::read_all(&files, &tables[0]).expect("reads");
    let mut file = files.create(&tables[1]).expect("creates");
    file.append(&other).expect("appends");
    let engine = open();
    let read = engine.view().reader(Partition::raw(0), 0);
    let error = read.err().expect("is not believed").to_string();
    assert!(
        error.contains("not the table that the manifest names"),
        "{error}"
    );
}

#[test]
fn i_engine_5_a_damaged_table_is_reported_and_the_others_answer() {
    let dir = quick_dir();
    let (one, two) = (Partition::raw(0), Partition::raw(DAY_MS));
    commit(&disk(dir.path()), one, &[("a", "1")]);
    commit(&disk(dir.path()), two, &[("b", "2")]);
    let path = dir.path().join("tables/0000000000000001.table");
    std::fs::write(&path, b"short").expect("writes");
    let engine = disk(dir.path());
    assert!(
        engine.damage()[0].contains("0000000000000001.table"),
        "{:?}",
        engine.damage()
    );
    assert_eq!(all(&engine, two, "a", "z"), pairs(&[("b", "2")]));
    assert!(engine.view().reader(one, 0).is_err());
    // It stays until its partition is dropped.
    let commit_drop = Commit {
        drops: vec![one],
        ..commit_of(Vec::new())
    };
    engine.commit(commit_drop).expect("drops");
    assert!(!path.exists());
    assert_eq!(disk(dir.path()).damage(), Vec::<String>::new());
}

/// Keeps every entry but those of one key.
struct Without(&'static str, u64);

impl Rewrite for Without {
    fn entry(&mut self, key: &[u8], value: &[u8], out: &mut dyn Draft) -> Result<(), StoreError> {
        if key == self.0.as_bytes() {
            return Ok(());
        }
        self.1 += 1;
        out.put(key, value)
    }

    fn finish(&mut self, _: &mut dyn Draft) -> Result<Summary, StoreError> {
        Ok(summary(self.1 as usize, 9))
    }
}

#[test]
fn i_engine_4_a_view_outlives_merges_and_drops() {
    each_engine(|engine| {
        let day = Partition::raw(0);
        commit(engine, day, &[("a", "1"), ("b", "1")]);
        commit(engine, day, &[("b", "2"), ("c", "2")]);
        let before = engine.view();
        let merged = engine.merge(day, Pick::All, &mut Without("c", 0), &|| true);
        assert_eq!(merged.expect("merges"), 2);
        assert_eq!(all(engine, day, "a", "z"), pairs(&[("a", "1"), ("b", "2")]));
        assert_eq!(engine.view().partitions()[0].1.tables, 1);
        let drop = Commit {
            drops: vec![day],
            ..commit_of(Vec::new())
        };
        engine.commit(drop).expect("drops");
        let mut reader = before.reader(day, 0).expect("reads");
        let mut found = Vec::new();
        while let Some((key, value)) = reader.next().expect("reads") {
            found.push((key.to_vec(), value.to_vec()));
        }
        let expected = [("a", "1"), ("b", "2"), ("c", "2")];
        let expected = expected.map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()));
        assert_eq!(found, expected);
    });
}

#[test]
fn a_merge_that_should_not_go_on_changes_nothing() {
    each_engine(|engine| {
        let day = Partition::raw(0);
        let keys: Vec<String> = (0..3_000).map(|i| format!("{i:05}")).collect();
        let entries: Vec<_> = keys.iter().map(|key| (key.as_str(), "v")).collect();
        commit(engine, day, &entries);
        commit(engine, day, &[("00000", "w")]);
        let merged = engine.merge(day, Pick::All, &mut Without("", 0), &|| false);
        assert_eq!(merged.expect("breaks off"), 0);
        assert_eq!(engine.view().partitions()[0].1.tables, 2);
    });
}

#[test]
fn a_merge_of_similar_tables_waits_until_there_are_enough() {
    each_engine(|engine| {
        let day = Partition::raw(0);
        for round in 1..=3 {
            commit(engine, day, &[("a", "1")]);
            let merged = engine.merge(day, Pick::Similar, &mut Without("", 0), &|| true);
            assert_eq!(merged.expect("looks"), 0, "round {round}");
        }
        commit(engine, day, &[("a", "4")]);
        let merged = engine.merge(day, Pick::Similar, &mut Without("", 0), &|| true);
        assert_eq!(merged.expect("merges"), 4);
        assert_eq!(all(engine, day, "a", "z"), pairs(&[("a", "4")]));
        // One table alone is merged only to leave something out.
        let merged = engine.merge(day, Pick::All, &mut Without("", 0), &|| true);
        assert_eq!(merged.expect("looks"), 0);
        let merged = engine.merge(day, Pick::Rewrite, &mut Without("a", 0), &|| true);
        assert_eq!(merged.expect("rewrites"), 1);
        assert_eq!(all(engine, day, "a", "z"), pairs(&[]));
    });
}

#[test]
fn samples_that_take_no_bytes_are_rewritten_no_more_often_than_others() {
    // Tables of a hundred thousand series that never change: as many bytes however many samples.
    let mut tables: Vec<u64> = Vec::new();
    let (flushes, samples, bytes) = (1_024u64, 20_000_000, 3_000_000);
    let mut rewritten = 0;
    for _ in 0..flushes {
        tables.push(samples);
        let line = |&samples: &u64| TableLine {
            number: 1,
            partition: Partition::raw(0),
            crc: 0,
            bytes,
            entries: 100_000,
            summary: summary(samples as usize, 1),
        };
        let count = similar(tables.iter().rev().map(|table| line(table).weight()));
        let merged: u64 = tables.drain(tables.len() - count..).sum();
        rewritten += merged;
        tables.extend((count > 0).then_some(merged));
    }
    assert_eq!(tables.iter().sum::<u64>(), flushes * samples);
    // 1,024 is 4 to the fifth.
    let times = rewritten / (flushes * samples);
    assert!(times <= 5, "each sample was rewritten {times} times");
    assert!(tables.len() <= 15, "{} tables are left", tables.len());
}

/// Flushes of any weight: neither do tables pile up, nor is a sample rewritten again and again.
#[test]
fn tables_of_any_weight_stay_few_and_are_rewritten_seldom() {
    let mut tables: Vec<u64> = Vec::new();
    let (mut state, mut rewritten, mut all, mut most) = (1u64, 0, 0, 0);
    for _ in 0..10_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Most are small, some a thousand times as large.
        let weight = 1 + (state >> 32) % (1 << (state % 11));
        tables.push(weight);
        all += weight;
        let count = similar(tables.iter().rev().copied());
        let merged: u64 = tables.drain(tables.len() - count..).sum();
        rewritten += merged;
        tables.extend((count > 0).then_some(merged));
        most = most.max(tables.len());
    }
    assert_eq!(tables.iter().sum::<u64>(), all);
    // All together weigh a little less than 2^20, and the worst are tables of which each weighs twice the next.
    let times = rewritten as f64 / all as f64;
    assert!(times <= 10.0, "each sample was rewritten {times} times");
    assert!(most <= 28, "{most} tables at once");
}

#[test]
fn a_reader_in_a_range_leaves_alone_what_lies_outside() {
    each_engine(|engine| {
        let day = Partition::raw(0);
        let tables =
            [("a", 10, 20), ("b", 21, 30), ("c", 15, 25)].map(|(key, first_ms, last_ms)| {
                let mut draft = engine.draft(day);
                draft.put(key.as_bytes(), b"1").expect("puts");
                let summary = Summary {
                    first_ms,
                    last_ms,
                    ..summary(1, 1)
                };
                draft.finish(summary).expect("finishes")
            });
        engine.commit(commit_of(tables.into())).expect("commits");
        for (range, wanted) in [
            ((0, 9), ""),
            ((9, 10), "a"),
            ((20, 20), "ac"),
            ((20, 21), "abc"),
            ((26, 40), "b"),
            ((31, 40), ""),
        ] {
            let range = TimeRange::new(range.0, range.1);
            let mut reader = engine.view().reader_in(day, range).expect("reads");
            let mut keys = String::new();
            while let Some((key, _)) = reader.next().expect("reads") {
                keys.push_str(std::str::from_utf8(key).expect("text"));
            }
            assert_eq!(keys, wanted, "{range:?}");
        }
    });
}

#[test]
fn a_reader_goes_on_behind_a_damaged_block_and_looks_only_at_what_is_newer() {
    let dir = quick_dir();
    let keys: Vec<String> = (0..400).map(|i| format!("{i:05}")).collect();
    // Nothing that neighbours share.
    let noise = |i: u32| format!("{:08x}", i.wrapping_mul(0x9e37_79b9)).repeat(12);
    let values: Vec<String> = (0..400).map(noise).collect();
    let pairs = keys.iter().zip(&values);
    let entries: Vec<_> = pairs.map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let engine = disk(dir.path());
    let tables = vec![table_of(&engine, Partition::CATALOGUE, &entries, 1)];
    engine.commit(commit_of(tables)).expect("commits");
    let tables = vec![table_of(&engine, Partition::CATALOGUE, &[("x", "new")], 2)];
    engine.commit(commit_of(tables)).expect("commits");
    let path = dir.path().join("tables/0000000000000001.table");
    let mut bytes = std::fs::read(&path).expect("reads");
    bytes[10_000] ^= 4;
    std::fs::write(&path, bytes).expect("writes");
    let engine = disk(dir.path());
    let mut reader = engine
        .view()
        .reader(Partition::CATALOGUE, 0)
        .expect("reads");
    let (mut seen, mut damaged) = (0, 0);
    loop {
        match reader.next() {
            Ok(Some(_)) => seen += 1,
            Ok(None) => break,
            Err(_) => damaged += 1,
        }
    }
    assert_eq!(damaged, 1);
    assert!((300..400).contains(&seen), "{seen} entries left");
    // Whoever looks for something in that block is told, also when another one was told before.
    let mut shared = engine
        .view()
        .reader(Partition::CATALOGUE, 0)
        .expect("reads");
    let mut told = 0;
    for (key, value) in &entries {
        match shared.seek(key.as_bytes()).and_then(|()| shared.next()) {
            Ok(found) => assert_eq!(found, Some((key.as_bytes(), value.as_bytes()))),
            Err(_) => told += 1,
        }
    }
    assert_eq!(
        seen - 1 + told,
        400,
        "one of those seen is of the other table"
    );
    let mut newer = engine
        .view()
        .reader(Partition::CATALOGUE, 1)
        .expect("reads");
    assert_eq!(newer.next().expect("reads"), Some((&b"x"[..], &b"new"[..])));
    assert_eq!(newer.next().expect("reads"), None);
}

/// Counted in `/proc/self/fd`, which other tests change too: the bound is far from the 400 files
/// that would be open otherwise.
#[test]
fn i_files_1_tables_without_end_need_few_open_files() {
    let dir = quick_dir();
    let engine = disk(dir.path());
    let day = |n: i64| Partition::raw(n * DAY_MS);
    let tables = (0..400).map(|n| table(&engine, day(n), &[("a", "1")]));
    engine.commit(commit_of(tables.collect())).expect("commits");
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
    let dir = quick_dir();
    commit(&disk(dir.path()), Partition::raw(0), &[("a", "1")]);
    RealFiles
        .remove(&dir.path().join("MANIFEST"))
        .expect("removes");
    let error = TableEngine::open(Arc::new(RealFiles), dir.path()).err();
    assert!(matches!(error, Some(StoreError::Corrupt { .. })));
}

/// Every operation of a commit fails once: whatever was committed before is there afterwards, and
/// the commit is there entirely if it said so, and entirely or not at all if it did not.
#[test]
fn i_engine_1_a_commit_that_fails_anywhere_is_all_or_nothing() {
    let (one, two) = (Partition::raw(0), Partition::raw(DAY_MS));
    let mut failing = 0;
    loop {
        let dir = quick_dir();
        commit(&disk(dir.path()), one, &[("a", "1")]);
        let files = Failing::at(failing);
        let engine = TableEngine::open(Arc::new(files.clone()), dir.path()).expect("opens");
        let finished = [(one, "b", "2"), (two, "c", "3")].map(|(partition, key, value)| {
            let mut draft = engine.draft(partition);
            draft.put(key.as_bytes(), value.as_bytes())?;
            draft.finish(summary(1, 1))
        });
        let finished: Result<Vec<_>, _> = finished.into_iter().collect();
        let committed = finished.and_then(|tables| engine.commit(commit_of(tables)));
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
        let dir = quick_dir();
        let engine = disk(dir.path());
        let day = Partition::raw(0);
        for entries in commits {
            let list: Vec<(&str, &str)> =
                entries.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            commit(&engine, day, &list);
            model.extend(entries);
        }
        let expected: Vec<_> =
            model.into_iter().filter(|(key, _)| *key >= from && *key < to).collect();
        prop_assert_eq!(all(&engine, day, &from, &to), expected);
    }
}
