//! Cases: the ways in which the original lost data, and that none of them does here.
//!
//! There, what came late or was written while nobody aggregated was deleted before it stood in an
//! aggregate, and what had expired was deleted row by row, faster than it could be.

use std::sync::atomic::Ordering;

use tinyobs_model::{Kind, LabelsBuilder, Resolution, Sample, TimeRange, WriteBatch};
use tinyobs_store::{EngineKind, Retention, Store};

use crate::answers::read_resolved;
use crate::oracle::{DAY, Series};
use crate::resolved::Item;
use crate::steps::{Burst, Setting, Step, draw};
use crate::world::World;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn setting() -> Setting {
    Setting {
        engine: EngineKind::Disk,
        retention: Retention {
            raw_ms: DAY,
            five_minutes_ms: 30 * DAY,
            hour_ms: 360 * DAY,
        },
        max_series: 1_000,
        max_series_per_metric: 0,
        now_ms: 20_000 * DAY + 7 * HOUR + 3 * MINUTE,
        ..draw(0, 0).0
    }
}

/// A counter every 15 s, from so long ago on.
fn burst(series: Series, ago_ms: i64, length_ms: i64) -> Burst {
    let values = 0..length_ms / 15_000;
    Burst {
        series,
        ago_ms,
        step_ms: 15_000,
        values: values.map(|number| (number as f64).to_bits()).collect(),
        began_ago_ms: None,
        together: false,
        unnamed: false,
        backwards: false,
    }
}

fn take(world: &mut World, steps: impl IntoIterator<Item = Step>) {
    for step in steps {
        world.take(&step).unwrap_or_else(|what| panic!("{what}"));
    }
}

/// Samples in all windows of an hour of a series, and how much it went up by inside of them.
fn hours(store: &Store, series: Series) -> (u64, f64) {
    let items = read_resolved(store, series, TimeRange::ALL, HOUR).expect("reads");
    let rows = items.iter().map(|item| match item {
        Item::Row(Resolution::Hour, row) => (row.count, row.increase),
        other => panic!("not a window of an hour: {other:?}"),
    });
    rows.fold((0, 0.0), |(count, up), (more, by)| (count + more, up + by))
}

/// I-RETENTION-1: nobody rolled up, raw is too old, and it is rolled up before it goes.
#[test]
fn i_retention_1_after_a_day_and_more_without_a_server_everything_stands_in_rollups() {
    for down_ms in [DAY, 2 * DAY, 20 * DAY] {
        let mut world = World::new(setting()).expect("opens");
        let bursts = (0..8).map(|series| burst(series, 3 * HOUR, 3 * HOUR));
        take(&mut world, [Step::Write(bursts.collect()), Step::Kill]);
        take(&mut world, [Step::Advance(down_ms), Step::Restart]);
        take(&mut world, [Step::Maintain, Step::Compare]);
        for series in 0..8 {
            // 720 samples, each 1 above the one before. They stand in four windows, so three of the
            // steps are junctions.
            let expected = if series % 4 == 1 { f64::NAN } else { 716.0 };
            let (count, up) = hours(world.store(), series);
            assert_eq!(count, 720, "series {series} after {down_ms} ms");
            assert!(up == expected || up.is_nan() && expected.is_nan(), "{up}");
        }
    }
}

/// I-ROLLUP-4: an import inside raw retention.
#[test]
fn i_rollup_4_an_import_of_data_twenty_hours_old_is_rolled_up_before_it_is_dropped() {
    let mut world = World::new(setting()).expect("opens");
    take(
        &mut world,
        [Step::Write(vec![burst(0, HOUR, HOUR)]), Step::Maintain],
    );
    // The hours around it have been rolled up long ago.
    let import = (0..4).map(|series| burst(series, 20 * HOUR, 2 * HOUR));
    take(&mut world, [Step::Write(import.collect()), Step::Flush]);
    take(
        &mut world,
        [Step::Advance(3 * DAY), Step::Maintain, Step::Compare],
    );
    assert_eq!(world.store().stats().samples, 0);
    assert_eq!(hours(world.store(), 0).0, 240 + 480);
    assert_eq!(hours(world.store(), 2).0, 480);
}

/// I-ROLLUP-5: an import of what has been dropped, into hours that hold something already.
#[test]
fn i_rollup_5_an_import_of_data_twenty_days_old_joins_what_is_there() {
    let mut world = World::new(setting()).expect("opens");
    let old = |series: Series| burst(series, 2 * HOUR, HOUR);
    take(
        &mut world,
        [Step::Write(vec![old(0), old(2)]), Step::Maintain],
    );
    take(&mut world, [Step::Advance(20 * DAY), Step::Maintain]);
    assert_eq!(world.store().stats().samples, 0);
    // The half hour after it, so that nothing overlaps; and a series that is new.
    let ago_ms = 20 * DAY + HOUR;
    let more = Step::Write(vec![burst(0, ago_ms, HOUR / 2), burst(3, ago_ms, HOUR / 2)]);
    take(&mut world, [more, Step::Maintain, Step::Compare]);
    take(
        &mut world,
        [Step::Maintain, Step::Kill, Step::Maintain, Step::Compare],
    );
    assert_eq!(hours(world.store(), 0).0, 240 + 120);
    assert_eq!(hours(world.store(), 2).0, 240);
    assert_eq!(hours(world.store(), 3).0, 120);
}

/// 100 series, so many samples each, a second apart.
fn million(store: &Store, first_ms: i64) {
    const SERIES: usize = 100;
    const EACH: i64 = 10_000;
    let pods: Vec<String> = (0..SERIES).map(|number| format!("pod-{number}")).collect();
    for from in (0..EACH).step_by(100) {
        let mut batch = WriteBatch::new();
        for pod in &pods {
            let mut labels = LabelsBuilder::new();
            labels.begin("requests_total");
            labels.push("pod", pod);
            let sample = |at: i64| Sample::new(first_ms + at * 1_000, at as f64);
            batch
                .push(0, &mut labels, Kind::Counter, sample(from), None)
                .expect("valid");
            for at in from + 1..from + 100 {
                batch.push_same_series(sample(at));
            }
        }
        assert_eq!(store.append(&batch).expect("appends").stored, 10_000);
    }
}

/// I-RETENTION-1: what has expired goes at once, however much it is, and its room is free.
#[test]
fn i_retention_1_one_maintenance_removes_a_million_expired_samples() {
    let setting = setting();
    let first_ms = setting.now_ms - 4 * HOUR;
    let world = World::new(setting).expect("opens");
    let store = world.store();
    million(store, first_ms);
    store.maintain().expect("maintains");
    assert_eq!(store.stats().samples, 1_000_000);
    let full = store.storage();
    let raw_bytes = full.spaces[0].bytes;

    // Raw has expired; the windows have not.
    world.clock.0.fetch_add(3 * DAY, Ordering::SeqCst);
    let done = store.maintain().expect("maintains");
    assert_eq!((store.stats().samples, done.dropped_partitions), (0, 1));
    assert!(done.freed_bytes >= raw_bytes, "{done:?}, raw {raw_bytes}");
    let smaller = store.storage();
    assert_eq!((smaller.spaces[0].tables, smaller.spaces[0].bytes), (0, 0));
    assert!(smaller.used_bytes + raw_bytes <= full.used_bytes);
    for pod in 0..100 {
        // The series numbers of the model: counters are every fourth.
        let (count, up) = hours(store, pod * 4);
        // 10,000 seconds from 3:03 on: in the windows 3:00, 4:00 and 5:00, two junctions.
        assert_eq!((count, up), (10_000, 9_999.0 - 2.0), "pod {pod}");
    }

    // Everything has expired, and the series with it.
    world.clock.0.fetch_add(500 * DAY, Ordering::SeqCst);
    let done = store.maintain().expect("maintains");
    assert_eq!((done.dropped_partitions, done.expired_series), (2, 100));
    assert_eq!((store.series(&[]).len(), store.stats().tables), (0, 1));
    assert!(store.storage().used_bytes < 5 << 20);
    println!("{done:?}");
}
