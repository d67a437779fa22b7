//! What rolling up does where raw samples can no longer be read.

use std::path::Path;
use std::sync::Arc;

use tinyobs_model::{Kind, Resolution, Sample};

use super::job;
use super::tests::{MINUTE, flush, stored};
use crate::engine::{Engine, Partition, TableEngine};
use crate::files::RealFiles;

const SERIES: u64 = 30;

fn open(dir: &Path) -> TableEngine {
    TableEngine::open(Arc::new(RealFiles), dir).expect("opens")
}

/// A day of each series, in two tables, rolled up; values that do not compress, so that there are
/// several blocks. Then a bit of the older table's middle is not what it was.
fn damaged(dir: &Path) -> TableEngine {
    let engine = open(dir);
    for half in [0..700, 700..1_440] {
        let samples = |id: u64| -> Vec<Sample> {
            let value =
                |i: i64| f64::from((id as u32 * 1_440 + i as u32).wrapping_mul(0x9e37_79b9));
            half.clone()
                .map(|i| Sample::new(i * MINUTE, value(i)))
                .collect()
        };
        let all: Vec<_> = (0..SERIES).map(|id| (id, samples(id))).collect();
        let all: Vec<_> = all.iter().map(|(id, all)| (*id, &all[..])).collect();
        flush(&engine, &all);
    }
    assert!(rolled(&engine).windows > 0);
    let tables = engine.view().snapshot().tables;
    let raw = tables
        .iter()
        .find(|table| table.line().partition == Partition::raw(0));
    let path = raw.expect("a raw table").path().to_path_buf();
    drop((tables, engine));
    let mut bytes = std::fs::read(&path).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("writes");
    open(dir)
}

fn rolled(engine: &TableEngine) -> job::Rolled {
    job::run(engine, &|_| Kind::Gauge, &|_, _| {}).expect("rolls up")
}

fn unreadable(engine: &TableEngine) -> usize {
    let view = engine.view();
    let mut reader = view.reader(Partition::raw(0), 0).expect("opens");
    let mut errors = 0;
    loop {
        match reader.next() {
            Ok(None) => return errors,
            Ok(Some(_)) => {}
            Err(_) => errors += 1,
        }
    }
}

#[test]
fn i_job_1_a_late_sample_beside_damage_takes_nothing_from_a_row() {
    let dir = tempfile::tempdir().expect("makes a directory");
    let engine = damaged(dir.path());
    assert!(unreadable(&engine) > 0, "the flip must hit a block");
    let before: Vec<_> = (0..SERIES)
        .map(|id| stored(&engine, Resolution::Hour, id)[1])
        .collect();
    let late = [Sample::new(90 * MINUTE + 1, -5.0)];
    let all: Vec<_> = (0..SERIES).map(|id| (id, &late[..])).collect();
    flush(&engine, &all);
    let done = rolled(&engine);
    assert!(done.windows > 0);
    for (id, before) in (0..SERIES).zip(before) {
        let row = stored(&engine, Resolution::Hour, id)[1];
        assert_eq!((row.count, row.min), (61, -5.0), "series {id}");
        assert_eq!(
            (row.max, row.first, row.last),
            (before.max, before.first, before.last)
        );
        let rows = stored(&engine, Resolution::FiveMinutes, id);
        let counts: u64 = rows.iter().map(|row| row.count).sum();
        assert_eq!(counts, 1_441, "series {id}");
    }
    // I-JOB-2
    assert_eq!(rolled(&engine).windows, 0, "the watermark has moved");
}

#[test]
fn a_table_that_cannot_be_opened_leaves_its_rows_alone() {
    let dir = tempfile::tempdir().expect("makes a directory");
    let engine = damaged(dir.path());
    let tables = engine.view().snapshot().tables;
    let raw = tables
        .iter()
        .find(|table| table.line().partition == Partition::raw(0));
    let path = raw.expect("a raw table").path().to_path_buf();
    drop((tables, engine));
    std::fs::remove_file(&path).expect("removes");
    let engine = open(dir.path());
    assert_eq!(engine.damage().len(), 1, "{:?}", engine.damage());
    let late = [Sample::new(90 * MINUTE + 1, -5.0)];
    flush(&engine, &[(7, &late)]);
    assert_eq!(
        rolled(&engine).damaged,
        1,
        "the missing table is passed over"
    );
    let row = stored(&engine, Resolution::Hour, 7)[1];
    assert_eq!((row.count, row.min), (61, -5.0));
}
