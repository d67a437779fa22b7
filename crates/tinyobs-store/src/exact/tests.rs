use tinyobs_model::{Kind, LabelsBuilder, WriteBatch, stale_marker};

use super::*;
use crate::StoreOptions;

const NOW: i64 = 1_795_306_562_000;

fn labels(metric: &str, value: &str) -> Vec<u8> {
    let labels = Labels::new(metric, [("k", value)]).expect("within limits");
    labels.as_bytes().to_vec()
}

fn put(store: &Store, value: &str, samples: &[(i64, f64)]) {
    let mut batch = WriteBatch::new();
    for (ago_ms, number) in samples {
        let mut builder = LabelsBuilder::new();
        builder.begin("m");
        builder.push("k", value);
        let sample = Sample::new(NOW - ago_ms, *number);
        batch
            .push(0, &mut builder, Kind::Counter, sample, None)
            .expect("within limits");
    }
    assert_eq!(store.append(&batch).expect("appends").refused, []);
}

fn newest(store: &Store, value: &str) -> Option<(i64, f64)> {
    let newest = store.newest(&labels("m", value)).expect("reads");
    newest.map(|newest| (NOW - newest.time_ms, newest.value))
}

#[test]
fn the_newest_sample_is_found_wherever_it_stands() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = StoreOptions::disk(dir.path());
    let store = Store::open(options.clone()).expect("opens");
    assert_eq!(newest(&store, "a"), None);
    put(&store, "a", &[(9_000, 1.0), (5_000, 2.0), (7_000, 3.0)]);
    put(&store, "ab", &[(1_000, 9.0)]);
    assert_eq!(newest(&store, "a"), Some((5_000, 2.0)));
    // In the engine alone, then late and early samples in the head beside it.
    store.flush().expect("flushes");
    assert_eq!(newest(&store, "a"), Some((5_000, 2.0)));
    put(&store, "a", &[(6_000, 4.0)]);
    assert_eq!(newest(&store, "a"), Some((5_000, 2.0)));
    put(&store, "a", &[(4_000, 5.0)]);
    assert_eq!(newest(&store, "a"), Some((4_000, 5.0)));
    store.close().expect("closes");
    drop(store);
    let store = Store::open(options).expect("opens");
    assert_eq!(newest(&store, "a"), Some((4_000, 5.0)));
    assert_eq!(newest(&store, "ab"), Some((1_000, 9.0)));
    assert_eq!((store.metric_series("m"), store.metric_series("n")), (2, 0));
}

#[test]
fn a_sample_is_held_at_its_very_time() {
    let store = Store::open(StoreOptions::memory()).expect("opens");
    put(&store, "a", &[(9_000, 1.0), (5_000, 2.0)]);
    put(&store, "a", &[(3_000, stale_marker())]);
    let value_at = |value, ago_ms: i64| {
        let held = store.value_at(&labels("m", value), NOW - ago_ms);
        held.expect("reads")
    };
    for _ in 0..2 {
        let held = [9_000, 8_999, 5_000, 5_001, 3_000].map(|ago_ms| value_at("a", ago_ms));
        assert_eq!(held, [Some(1.0), None, Some(2.0), None, None]);
        assert_eq!(value_at("b", 5_000), None);
        store.flush().expect("flushes");
    }
}

#[test]
fn an_end_has_a_time_and_the_value_before_it() {
    let store = Store::open(StoreOptions::memory()).expect("opens");
    put(
        &store,
        "a",
        &[(9_000, 1.0), (5_000, 2.0), (4_000, stale_marker())],
    );
    put(&store, "b", &[(4_000, stale_marker())]);
    for _ in 0..2 {
        assert_eq!(newest(&store, "a"), Some((4_000, 2.0)));
        assert_eq!(newest(&store, "b"), Some((4_000, 0.0)));
        store.flush().expect("flushes");
    }
}
