//! Found: what the model has found wrong in the store, each as the shortest test that shows it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tinyobs_model::TimeRange;
use tinyobs_store::{Durability, Retention, Store};

use crate::answers::read_raw;
use crate::disk::{Disk, Leaves};
use crate::oracle::{DAY, Put};
use crate::steps::{Setting, Step, draw};
use crate::world::{Batch, ManualClock, World, encode};

const HOUR: i64 = 3_600_000;
const NOON: i64 = 20_000 * DAY + 12 * HOUR;

fn setting() -> Setting {
    Setting {
        engine: tinyobs_store::EngineKind::Disk,
        retention: Retention {
            raw_ms: 2 * DAY,
            ..Retention::FOR_EVER
        },
        max_series: 100,
        max_series_per_metric: 0,
        now_ms: NOON,
        ..draw(0, 0).0
    }
}

fn put(time_ms: i64, value: f64, start_ms: Option<i64>) -> Put {
    Put {
        series: 0,
        time_ms,
        bits: value.to_bits(),
        start_ms,
    }
}

fn append(store: &Store, puts: &[Put]) {
    let batch = Batch {
        items: puts.iter().map(|put| vec![put.clone()]).collect(),
        unnamed: false,
    };
    store.append(&encode(&batch)).expect("appends");
}

fn samples(store: &Store) -> Vec<(i64, f64)> {
    let samples = read_raw(store, 0, TimeRange::ALL).expect("reads");
    let number = |(at, bits)| (at, f64::from_bits(bits));
    samples.into_iter().map(number).collect()
}

/// FOUND-1: the head remembered every time that it had ever held.
#[test]
fn statistics_name_no_time_at_which_nothing_is_left() {
    let world = World::new(setting()).expect("opens");
    append(world.store(), &[put(NOON - 18 * DAY, 1.0, None)]);
    world.store().maintain().expect("maintains");
    let stats = world.store().stats();
    assert_eq!(
        (stats.samples, stats.oldest_ms, stats.newest_ms),
        (0, None, None)
    );
    append(world.store(), &[put(NOON, 1.0, None)]);
    let stats = world.store().stats();
    assert_eq!(stats.oldest_ms, Some(NOON));
}

/// FOUND-2 (I-APPEND-4): only the head was asked, not what the same batch had brought.
#[test]
fn i_append_4_a_zero_takes_no_sample_s_place_in_its_own_batch() {
    let world = World::new(setting()).expect("opens");
    let began = Some(NOON - HOUR);
    let first = put(NOON - HOUR, 5.0, began);
    let second = put(NOON, 7.0, began);
    append(world.store(), &[first, second]);
    assert_eq!(samples(world.store()), [(NOON - HOUR, 5.0), (NOON, 7.0)]);
}

/// FOUND-3 (I-APPEND-4): after a restart a late sample passed for the newest one.
#[test]
fn i_append_4_a_late_sample_after_a_restart_brings_no_zero_into_the_past() {
    let mut world = World::new(setting()).expect("opens");
    append(world.store(), &[put(NOON - 2 * HOUR, 100.0, None)]);
    world.take(&Step::Restart).expect("opens again");
    append(world.store(), &[put(NOON - 4 * HOUR, 80.0, None)]);
    append(world.store(), &[put(NOON, 101.0, Some(NOON - 3 * HOUR))]);
    let expected = [
        (NOON - 4 * HOUR, 80.0),
        (NOON - 2 * HOUR, 100.0),
        (NOON, 101.0),
    ];
    assert_eq!(samples(world.store()), expected);
}

/// FOUND-5: a start after an idle stop made an empty segment the last but one, and a power cut then
/// took its header.
#[test]
fn a_power_cut_after_an_idle_life_is_no_damage() {
    let disk = Disk::default();
    let on = |durability| Setting {
        durability,
        max_bytes: 16 << 20,
        ..setting()
    };
    let mut world = World::closed(on(Durability::Sync), Some(disk));
    for _ in 0..3 {
        world.open().expect("opens");
        world.store = None;
    }
    world.open().expect("opens");
    let found = world
        .disk
        .as_ref()
        .expect("a disk")
        .crash(Leaves::OnlySynced);
    world.store = None;
    world.disk = Some(found);
    world.open().expect("opens without damage");
}

/// A clock that a test moves is the one that the store reads.
#[test]
fn the_clock_is_ours() {
    let world = World::new(setting()).expect("opens");
    let clock: Arc<ManualClock> = Arc::clone(&world.clock);
    clock.0.store(NOON - DAY, Ordering::SeqCst);
    let future = Batch {
        items: vec![vec![put(NOON, 1.0, None)]],
        unnamed: false,
    };
    let appended = world.store().append(&encode(&future)).expect("answers");
    assert_eq!((appended.stored, appended.refused.len()), (0, 1));
}

/// FOUND-10: the common factor of the steps of a column, 2^63 down and then 1 down, was looked for with
/// a sign: the lowest number divided by −1 panics.
#[test]
fn zeros_of_both_signs_beside_a_nan_of_many_bits_can_be_compressed() {
    let world = World::new(setting()).expect("opens");
    let values = [0, 0, (-0.0f64).to_bits(), i64::MAX as u64];
    for (number, bits) in (0..).zip(values) {
        let at_ms = NOON - HOUR + number * 1_000;
        append(world.store(), &[put(at_ms, f64::from_bits(bits), None)]);
    }
    world.store().maintain().expect("maintains");
    let samples = read_raw(world.store(), 0, TimeRange::ALL).expect("reads");
    let stored: Vec<u64> = samples.iter().map(|(_, bits)| *bits).collect();
    assert_eq!(stored, values);
}
