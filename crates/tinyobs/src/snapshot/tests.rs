use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Value as Json, json};

use super::*;
use crate::key::OwnLabels;

fn registry() -> Registry {
    Registry::new(OwnLabels::default(), 10, Arc::default())
}

fn items(snapshot: &Snapshot) -> Vec<Json> {
    let mut body = PushBody::new();
    body.begin(None);
    for index in 0..snapshot.len() {
        snapshot.encode(index, &mut body);
    }
    let read: Json = serde_json::from_slice(body.finish()).unwrap();
    read["metrics"].as_array().unwrap().clone()
}

fn fix_starts(registry: &Registry, start_ms: i64) {
    for name in ["c", "h"] {
        registry.set_start(name, start_ms);
    }
}

#[test]
fn i_snapshot_1_values_are_cumulative() {
    let registry = registry();
    let counter = registry.counter("c", &[("kind", "web")]);
    let histogram = registry.histogram("h", &[], Some(&[1.0, 2.0]));
    fix_starts(&registry, 500);
    registry.describe("c", "orders", "Orders.");
    for (at_ms, count) in [(1_000, 1), (2_000, 2)] {
        counter.inc();
        histogram.observe(1.5);
        histogram.observe(9.5);
        assert_eq!(
            items(&Snapshot::take(&registry, at_ms)),
            [
                json!({"name": "c", "type": "counter", "labels": {"kind": "web"}, "value": count,
                       "timestamp": at_ms, "start": 500, "unit": "orders", "help": "Orders."}),
                json!({"name": "h", "type": "histogram", "timestamp": at_ms, "start": 500,
                       "buckets": [[1, 0], [2, count]], "count": 2 * count, "sum": 11 * count}),
            ]
        );
    }
}

#[test]
fn i_snapshot_2_what_json_cannot_carry_is_left_out_and_counted() {
    let registry = registry();
    registry.gauge("bad", &[]).set(f64::NAN);
    registry.gauge("worse", &[]).set(f64::INFINITY);
    registry.gauge("good", &[]).set(-0.5);
    let huge = registry.histogram("h", &[], Some(&[]));
    huge.observe(f64::MAX);
    huge.observe(f64::MAX);
    let snapshot = Snapshot::take(&registry, 1_000);
    assert_eq!(snapshot.skipped, 3);
    assert_eq!(
        items(&snapshot),
        [json!({"name": "good", "type": "gauge", "timestamp": 1_000, "value": -0.5})]
    );
}

#[test]
fn i_snapshot_3_a_start_is_before_its_sample() {
    let registry = registry();
    registry.counter("c", &[]);
    fix_starts(&registry, 5_000);
    // As when the clock was set back between the two.
    let items = items(&Snapshot::take(&registry, 3_000));
    assert_eq!(items[0]["start"], 2_999);
    let fresh = registry.counter("d", &[]);
    fresh.inc();
    let series = registry.read().series[1].clone();
    assert!(series.start_ms.load(Relaxed) < crate::clock::now_ms());
}

/// The start of `c` in a snapshot of each of these times.
fn starts_at<const N: usize>(registry: &Registry, times: [i64; N]) -> [i64; N] {
    times.map(|at_ms| {
        let start_ms = items(&Snapshot::take(registry, at_ms))[0]["start"].clone();
        start_ms.as_i64().unwrap()
    })
}

// Each start that moves makes the server write another 0 into a counter that never was 0 there.
#[test]
fn i_snapshot_4_a_clock_set_back_after_the_registration_moves_the_start_once() {
    let registry = registry();
    registry.counter("c", &[]);
    fix_starts(&registry, 5_000);
    let starts = starts_at(&registry, [3_000, 3_001, 4_000, 5_000, 9_000]);
    assert_eq!(starts, [2_999; 5]);
}

#[test]
fn i_snapshot_4_a_clock_set_back_between_snapshots_moves_the_start_once() {
    let registry = registry();
    registry.counter("c", &[]);
    fix_starts(&registry, 5_000);
    let starts = starts_at(&registry, [8_000, 9_000, 3_000, 4_000, 9_500]);
    assert_eq!(starts, [5_000, 5_000, 2_999, 2_999, 2_999]);
}

#[test]
fn a_snapshot_sent_again_says_the_same() {
    let registry = registry();
    registry.counter("c", &[]);
    fix_starts(&registry, 5_000);
    let snapshot = Snapshot::take(&registry, 6_000);
    let first = items(&snapshot);
    Snapshot::take(&registry, 3_000);
    assert_eq!(items(&snapshot), first);
}

#[test]
fn unit_and_help_travel_once_a_metric() {
    let registry = registry();
    registry.describe("c", "", "Help.");
    registry.counter("c", &[("a", "1")]);
    registry.counter("c", &[("a", "2")]);
    let items = items(&Snapshot::take(&registry, 1_000));
    assert_eq!(items[0]["help"], "Help.");
    assert_eq!(items[1].get("help"), None);
}
