use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tinyobs_model::{
    Kind, LabelsBuilder, Matcher, Refusal, ResolvedCursor, Sample, SeriesSource, Stretch,
    TimeRange, WriteBatch,
};

use crate::clock::Clock;
use crate::engine::Space;
use crate::inner::lock;
use crate::options::{Retention, StoreOptions};
use crate::storage::Level;
use crate::{Store, StoreError};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Midnight of a day that begins partitions of all widths.
const START: i64 = 20_400 * DAY;

struct At(AtomicI64);

impl Clock for At {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct World {
    clock: Arc<At>,
    options: StoreOptions,
}

impl World {
    fn new(retention: Retention) -> Self {
        let clock = Arc::new(At(START.into()));
        let options = StoreOptions {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            retention,
            ..StoreOptions::memory()
        };
        Self { clock, options }
    }

    fn on_disk(retention: Retention, dir: &std::path::Path) -> Self {
        let Self { clock, options } = Self::new(retention);
        let options = StoreOptions {
            clock: options.clock,
            retention: options.retention,
            ..StoreOptions::disk(dir)
        };
        Self { clock, options }
    }

    fn open(&self) -> Store {
        Store::open(self.options.clone()).expect("opens")
    }

    fn go_to(&self, now_ms: i64) {
        self.clock.0.store(now_ms, Ordering::SeqCst);
    }
}

const SHORT: Retention = Retention {
    raw_ms: DAY,
    five_minutes_ms: 20 * DAY,
    hour_ms: 120 * DAY,
};

fn batch(label: &str, times: impl Iterator<Item = i64>) -> WriteBatch {
    let mut batch = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    for (item, time_ms) in (0..).zip(times) {
        labels.begin("m");
        labels.push("l", label);
        let sample = Sample::new(time_ms, f64::from(item));
        batch
            .push(item, &mut labels, Kind::Counter, sample, None)
            .expect("valid");
    }
    batch
}

/// Count of samples by resolution, as a reader with that step sees them.
fn counts(store: &Store, step_ms: i64) -> Vec<(&'static str, u64)> {
    let matchers = [Matcher::equal("__name__", "m")];
    let cursors = store.select_resolved(&matchers, TimeRange::ALL, step_ms);
    let mut found: Vec<(&'static str, u64)> = Vec::new();
    let mut stretch = Stretch::default();
    for mut cursor in cursors.expect("selects") {
        let cursor: &mut dyn ResolvedCursor = cursor.as_mut();
        while cursor.next_stretch(&mut stretch).expect("reads") {
            let rows: u64 = stretch.rollups.iter().map(|row| row.count).sum();
            let count = rows + stretch.samples.len() as u64;
            match found.last_mut() {
                Some((name, all)) if *name == stretch.resolution.as_str() => *all += count,
                _ => found.push((stretch.resolution.as_str(), count)),
            }
        }
    }
    found
}

#[test]
fn i_retention_1_raw_goes_when_it_is_old_and_its_rollups_stay() {
    let world = World::new(SHORT);
    let store = world.open();
    let day = |day: i64| (0..288).map(move |i| START + day * DAY + i * 5 * MINUTE);
    world.go_to(START + DAY + HOUR);
    store.append(&batch("a", day(0))).expect("appends");
    store.append(&batch("a", day(1).take(12))).expect("appends");
    let done = store.maintain().expect("maintains");
    assert_eq!(done.dropped_partitions, 0, "a day is kept from its end on");
    assert_eq!(counts(&store, 0), [("raw", 300)]);
    assert_eq!(store.raw_from_ms(), i64::MIN);

    world.go_to(START + 2 * DAY);
    assert_eq!(store.maintain().expect("maintains").dropped_partitions, 1);
    assert_eq!(counts(&store, 0), [("5m", 288), ("raw", 12)]);
    assert_eq!(store.raw_from_ms(), START + DAY);
    assert_eq!(counts(&store, 5 * MINUTE), [("5m", 300)]);
    assert_eq!(counts(&store, HOUR), [("1h", 300)]);

    // The five minutes of ten days, twenty days after their end; then the hours.
    world.go_to(START + 30 * DAY);
    store.maintain().expect("maintains");
    assert_eq!(counts(&store, 0), [("1h", 300)]);
    world.go_to(START + 180 * DAY);
    store.maintain().expect("maintains");
    assert_eq!(counts(&store, 0), []);
    assert_eq!(store.stats().series, 0, "I-RETENTION-2");
    assert_eq!(store.cardinality().expired, 1);
}

#[test]
fn what_is_too_old_for_raw_goes_into_rollups_and_what_is_too_old_for_all_is_refused() {
    let world = World::new(SHORT);
    let store = world.open();
    let old = |n: i64| (0..n).map(|i| START + i * MINUTE);
    world.go_to(START + 2 * HOUR);
    store.append(&batch("a", old(30))).expect("appends");
    world.go_to(START + 5 * DAY);
    store.maintain().expect("maintains");
    assert_eq!(counts(&store, 0), [("5m", 30)]);
    // Half an hour more, and the series that nobody had then.
    let late = (30..60).map(|i| START + i * MINUTE);
    store.append(&batch("a", late)).expect("appends");
    store.append(&batch("b", old(7))).expect("appends");
    store.maintain().expect("maintains");
    assert_eq!(counts(&store, 0), [("5m", 67)]);
    assert_eq!(counts(&store, HOUR), [("1h", 67)]);

    world.go_to(START + 400 * DAY);
    let refused = store.append(&batch("a", old(1))).expect("answers").refused;
    assert_eq!(refused[0].rule, Refusal::TimeExpired);
    assert!(
        refused[0].message.contains("--retention-1h"),
        "{}",
        refused[0].message
    );
}

#[test]
fn i_work_3_late_samples_do_not_wait_for_the_next_cycle() {
    let world = World::new(SHORT);
    let store = world.open();
    let some = |from: i64, to: i64| (from..to).map(|i| START + i * MINUTE);
    world.go_to(START + 2 * HOUR);
    store.append(&batch("a", some(0, 30))).expect("appends");
    world.go_to(START + 5 * DAY);
    store.maintain().expect("maintains");
    assert_eq!(counts(&store, 0), [("5m", 30)]);
    // Nobody sees what is older than raw samples that are kept before it is part of a window.
    store.append(&batch("a", some(30, 60))).expect("appends");
    assert_eq!(counts(&store, 0), [("5m", 30)]);
    let raw_from_ms = store.raw_from_ms();
    let lag_ms = raw_from_ms - START - 30 * MINUTE;
    assert_eq!(store.maintenance().lag_ms, lag_ms);
    // Not at once after the last rollup, but long before one is due for younger samples.
    store.inner.catch_up().expect("catches up");
    assert_eq!(counts(&store, 0), [("5m", 30)]);
    assert_eq!(store.maintenance().lag_ms, lag_ms);
    let later = || {
        let mut late = lock(&store.inner.journal.late);
        let before = |since: Instant| since.checked_sub(Duration::from_secs(121));
        late.since = late.since.and_then(before);
    };
    later();
    store.inner.catch_up().expect("catches up");
    assert_eq!(counts(&store, 0), [("5m", 60)]);
    assert_eq!(counts(&store, HOUR), [("1h", 60)]);
    assert_eq!(store.maintenance().lag_ms, 0);
    // Those of today wait.
    let today = (0..6).map(|i| START + 5 * DAY + i * MINUTE);
    store.append(&batch("a", today)).expect("appends");
    later();
    store.inner.catch_up().expect("catches up");
    assert_eq!(counts(&store, HOUR), [("1h", 60), ("raw", 6)]);
    assert_eq!(store.maintenance().lag_ms, 5 * MINUTE);
}

#[test]
fn i_resolve_3_what_is_damaged_is_answered_by_what_else_there_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = World::on_disk(SHORT, dir.path());
    let store = world.open();
    let day = |day: i64| (0..24).map(move |i| START + day * DAY + i * HOUR);
    world.go_to(START + 3 * DAY);
    for n in 0..3 {
        store.append(&batch("a", day(n))).expect("appends");
    }
    store.maintain().expect("maintains");
    // The windows of all three days, the samples of the last one.
    assert_eq!(store.raw_from_ms(), START + 2 * DAY);
    assert_eq!(counts(&store, HOUR), [("1h", 72)]);
    store.close().expect("closes");
    drop(store);
    let read = |store: &Store, from: i64| {
        let range = TimeRange::new(START + from * DAY, START + 3 * DAY);
        let mut cursors = store.select_resolved(&[], range, HOUR).expect("selects");
        let mut stretch = Stretch::default();
        let mut found = Vec::new();
        while cursors[0].next_stretch(&mut stretch)? {
            let samples = stretch.samples.iter().map(|sample| sample.value);
            let values: Vec<f64> = samples
                .chain(stretch.rollups.iter().map(|row| row.sum))
                .collect();
            found.push((stretch.resolution.as_str(), values));
        }
        Ok::<_, tinyobs_model::SelectError>(found)
    };
    let day: Vec<f64> = (0..24).map(f64::from).collect();
    damage_tables(dir.path(), Space::Hour);
    let store = world.open();
    // One that no row holds yet, in the head.
    let now = batch("a", std::iter::once(START + 3 * DAY));
    store.append(&now).expect("appends");
    let of_two = [&day[..], &day].concat();
    let expected = [("5m", of_two), ("raw", vec![0.0])];
    assert_eq!(read(&store, 1).expect("is there"), expected);
    store.close().expect("closes");
    drop(store);
    damage_tables(dir.path(), Space::FiveMinutes);
    let store = world.open();
    store.append(&now).expect("appends");
    let read_raw = read(&store, 2).expect("samples are there");
    assert!(read_raw.iter().all(|(resolution, _)| *resolution == "raw"));
    let values: Vec<f64> = read_raw
        .into_iter()
        .flat_map(|(_, values)| values)
        .collect();
    assert_eq!(values, [&day[..], &[0.0]].concat());
    // Where there are none it is an error: a part of the answer would be missing.
    let error = read(&store, 1).expect_err("nothing else has it");
    assert!(error.message.contains("is damaged at byte"), "{error}");
    assert_eq!(store.damage().len(), 2, "{:?}", store.damage());
}

/// Makes the tables of a space such that they cannot be opened.
fn damage_tables(dir: &std::path::Path, space: Space) {
    let manifest = crate::engine::manifest::Manifest::load(&crate::files::RealFiles, dir);
    let (manifest, _) = manifest.expect("loads").expect("is there");
    let of_space = |line: &&crate::engine::manifest::TableLine| line.partition.space == space;
    let tables: Vec<_> = manifest.tables.iter().filter(of_space).collect();
    assert!(!tables.is_empty());
    for line in tables {
        let path = dir.join(format!("tables/{:016}.table", line.number));
        std::fs::write(path, b"damaged").expect("writes");
    }
}

#[test]
fn i_retention_3_a_series_that_comes_back_is_a_new_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(At(START.into()));
    let options = StoreOptions {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        retention: SHORT,
        ..StoreOptions::disk(dir.path())
    };
    let store = Store::open(options.clone()).expect("opens");
    store
        .append(&batch("a", START..START + 3))
        .expect("appends");
    store.maintain().expect("maintains");
    clock.0.store(START + 300 * DAY, Ordering::SeqCst);
    assert_eq!(store.maintain().expect("maintains").expired_series, 1);
    let now = START + 300 * DAY;
    store.append(&batch("a", now..now + 2)).expect("appends");
    assert_eq!(counts(&store, 0), [("raw", 2)]);
    store.close().expect("closes");
    drop(store);
    let store = Store::open(options).expect("opens");
    assert_eq!(counts(&store, 0), [("raw", 2)]);
    assert_eq!(store.stats().series, 1);
}

#[test]
fn i_storage_1_a_spent_budget_lets_the_oldest_go_and_refuses_when_nothing_may() {
    let mut world = World::new(Retention::FOR_EVER);
    world.options.max_bytes = 600_000;
    let store = world.open();
    // Numbers that do not compress: about 7 bytes each.
    let noise = |day: i64| {
        let mut batch = WriteBatch::new();
        let mut labels = LabelsBuilder::new();
        for item in 0..17_280u32 {
            labels.begin("m");
            labels.push("l", "noise");
            let time_ms = START + day * DAY + i64::from(item) * 5_000;
            let bits = (u64::from(item) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2;
            let sample = Sample::new(time_ms, f64::from_bits(bits | 1 << 61));
            batch
                .push(item % 9_000, &mut labels, Kind::Gauge, sample, None)
                .expect("valid");
        }
        batch
    };
    let mut stored = 0;
    for day in 0..6 {
        world.go_to(START + (day + 1) * DAY);
        stored += store.append(&noise(day)).expect("there is room").stored;
        store.maintain().expect("maintains");
        assert!(
            store.storage().used_bytes < 600_000,
            "{:?}",
            store.storage()
        );
    }
    assert_eq!(stored, 6 * 17_280);
    // Raw went, every sample is still counted in its hour.
    let hourly: u64 = counts(&store, HOUR).iter().map(|(_, count)| count).sum();
    assert_eq!(hourly, stored);
    let raw = store.storage().spaces[0].clone();
    assert!(raw.dropped_until_ms >= Some(START + DAY), "{raw:?}");

    // All of it in one day: nothing of that may go.
    world.options.max_bytes = 100_000;
    world.go_to(START + DAY - 1);
    let store = world.open();
    store.append(&noise(0)).expect("appends");
    store.maintain().expect("maintains");
    assert_eq!(store.storage().level, Level::Full);
    let refused = store.append(&batch("x", START..=START));
    assert!(
        matches!(refused, Err(StoreError::Budget { max: 100_000, .. })),
        "{refused:?}"
    );
    assert!(!counts(&store, 0).is_empty(), "reads keep working");
}

#[test]
fn i_retention_4_a_date_that_jumps_ahead_is_believed_when_it_stays() {
    let mut calendar = super::Calendar::new(START, 0);
    assert!(calendar.believe(START + HOUR, HOUR));
    // Ten years for a minute.
    assert!(!calendar.believe(START + 3_650 * DAY, HOUR));
    assert!(calendar.believe(START + HOUR + MINUTE, HOUR + MINUTE));
    assert!(!calendar.believe(START + 3_650 * DAY, 2 * HOUR));
    // It is another jump that stays: a machine that slept for two days.
    let slept = |elapsed: i64| START + 2 * DAY + elapsed;
    assert!(!calendar.believe(slept(3 * HOUR), 3 * HOUR));
    assert!(!calendar.believe(slept(3 * HOUR + 29 * MINUTE), 3 * HOUR + 29 * MINUTE));
    assert!(calendar.believe(slept(4 * HOUR), 4 * HOUR));
    // Back is no danger.
    assert!(calendar.believe(START, 5 * HOUR));
}

#[test]
fn i_storage_1_what_readers_still_hold_costs_nothing_else_its_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut world = World::on_disk(Retention::FOR_EVER, dir.path());
    world.options.max_bytes = 0;
    world.go_to(START + 10 * DAY);
    let store = world.open();
    for day in 0..5 {
        let times = (0..500).map(|i| START + day * DAY + i * MINUTE);
        store.append(&batch("a", times)).expect("appends");
    }
    store.maintain().expect("maintains");
    let used = store.storage().used_bytes - store.storage().reserve_bytes;
    store.close().expect("closes");
    drop(store);
    // As much again would not fit, and a backup keeps everything that is merged away meanwhile.
    world.options.max_bytes = 8 * used;
    let store = world.open();
    let backup = store.backup().expect("backs up");
    for round in 0..4 {
        let late = START + 4 * DAY + 600 * MINUTE + round;
        store.append(&batch("a", late..=late)).expect("appends");
        store.maintain().expect("maintains");
    }
    assert_eq!(store.storage().spaces[0].dropped_until_ms, None);
    assert_eq!(counts(&store, 0), [("raw", 2_504)]);
    drop(backup);
}

/// A store whose newest raw table cannot be opened.
fn damaged_day(world: &World, dir: &std::path::Path) -> Store {
    let store = world.open();
    store
        .append(&batch("a", (0..10).map(|i| START + i * MINUTE)))
        .expect("appends");
    store.maintain().expect("maintains");
    store.close().expect("closes");
    drop(store);
    damage_tables(dir, Space::Raw);
    let store = world.open();
    assert_eq!(store.damage().len(), 1, "{:?}", store.damage());
    // One error, not one inside another.
    assert_eq!(store.damage()[0].matches("is damaged at byte").count(), 1);
    let range = TimeRange::new(START, START + HOUR);
    let mut cursors = store.select(&[], range).expect("selects");
    let read = cursors[0].next_block(&mut tinyobs_model::Columns::default());
    let message = read.expect_err("is damaged").to_string();
    assert_eq!(
        message.matches("is damaged at byte").count(),
        1,
        "{message}"
    );
    store
}

#[test]
fn what_a_cycle_writes_does_not_hide_what_it_frees() {
    let world = World::new(SHORT);
    let store = world.open();
    world.go_to(START + DAY + HOUR);
    let old = (0..288).map(|i| START + i * 5 * MINUTE);
    store.append(&batch("a", old)).expect("appends");
    store.maintain().expect("maintains");
    // More comes than goes.
    world.go_to(START + 2 * DAY + HOUR);
    let new = (0..DAY / 5_000).map(|i| START + DAY + HOUR + i * 5_000);
    store.append(&batch("b", new)).expect("appends");
    let done = store.maintain().expect("maintains");
    assert_eq!(done.dropped_partitions, 1);
    assert!(done.freed_bytes > 0, "{done:?}");
}

#[test]
fn what_was_rolled_up_long_ago_makes_no_lag() {
    let world = World::new(Retention::FOR_EVER);
    let store = world.open();
    world.go_to(START + 101 * DAY);
    let one = |time_ms: i64| batch("a", time_ms..=time_ms);
    store.append(&one(START)).expect("appends");
    store.maintain().expect("maintains");
    assert_eq!(store.maintenance().lag_ms, 0);
    let now = START + 100 * DAY;
    for (time_ms, lag_ms) in [(now, 0), (now + 7_000, 7_000)] {
        store.append(&one(time_ms)).expect("appends");
        assert_eq!(store.maintenance().lag_ms, lag_ms, "not 100 days");
    }
    store.maintain().expect("maintains");
    assert_eq!(store.maintenance().lag_ms, 0);
}

#[test]
fn i_engine_5_a_damaged_day_holds_up_neither_pushes_nor_rollups_nor_expiry() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = World::on_disk(SHORT, dir.path());
    world.go_to(START + 2 * HOUR);
    let store = damaged_day(&world, dir.path());
    // A counter that says when it began, of a series whose newest time nobody can read.
    let mut push = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    labels.begin("m");
    labels.push("l", "a");
    let sample = Sample::new(START + 2 * HOUR, 20.0);
    push.push(0, &mut labels, Kind::Counter, sample, Some(START + HOUR))
        .expect("valid");
    assert_eq!(store.append(&push).expect("appends").stored, 1);
    let done = store.maintain().expect("maintains");
    assert!(done.rolled_windows > 0);
    assert!(store.maintenance().damaged > 0);
    // The hour that was written before the damage, and the new one without a 0 in its past.
    let rolled = counts(&store, HOUR);
    assert_eq!(rolled, [("1h", 11)]);
    // And it goes when its time has come.
    world.go_to(START + 4 * DAY);
    assert_eq!(store.maintain().expect("maintains").dropped_partitions, 1);
    assert_eq!(counts(&store, 0), [("5m", 11)]);
}

#[test]
fn a_row_is_not_replaced_by_one_of_what_is_left_of_damaged_samples() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = World::on_disk(SHORT, dir.path());
    world.go_to(START + 2 * HOUR);
    let store = damaged_day(&world, dir.path());
    // One more of the hour whose ten samples can no longer be read.
    let late = [START + 30 * MINUTE, START + HOUR];
    store
        .append(&batch("a", late.into_iter()))
        .expect("appends");
    store.maintain().expect("maintains");
    // It joins the row of its hour, and the other one begins the next.
    assert_eq!(counts(&store, HOUR), [("1h", 10 + 1 + 1)]);
}

#[test]
fn i_append_4_a_zero_long_before_raw_samples_is_not_put_in() {
    let world = World::new(SHORT);
    world.go_to(START + 40 * DAY);
    let store = world.open();
    let mut push = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    labels.begin("m");
    let sample = Sample::new(START + 40 * DAY, 20.0);
    push.push(0, &mut labels, Kind::Counter, sample, Some(START))
        .expect("valid");
    store.append(&push).expect("appends");
    assert_eq!(counts(&store, 0), [("raw", 1)]);
}

#[test]
fn i_engine_5_a_damaged_catalogue_holds_up_no_cycle() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = World::on_disk(SHORT, dir.path());
    // Definitions in two blocks: one of them stays readable.
    let store = world.open();
    let mut push = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    // Nothing that could be left out because the one before has it, too.
    let digits = |n: u32, i: u32| n.wrapping_mul(0x9e37_79b9).rotate_left(i) % 9_999;
    let values: Vec<String> = (0..3_000)
        .map(|n| (0..20).map(|i| digits(n, i).to_string()).collect())
        .collect();
    for (n, value) in (0..).zip(&values) {
        labels.begin("m");
        labels.push("l", value);
        push.push(n, &mut labels, Kind::Gauge, Sample::new(START, 1.0), None)
            .expect("valid");
    }
    assert_eq!(store.append(&push).expect("appends").stored, 3_000);
    store.maintain().expect("maintains");
    store.close().expect("closes");
    drop(store);
    let loaded = crate::engine::manifest::Manifest::load(&crate::files::RealFiles, dir.path());
    let (manifest, _) = loaded.expect("loads").expect("is there");
    let mut lines = manifest.tables.iter();
    let line = lines.find(|line| line.partition == crate::engine::Partition::CATALOGUE);
    let number = line.expect("a catalogue").number;
    let path = dir.path().join(format!("tables/{number:016}.table"));
    let mut bytes = std::fs::read(&path).expect("reads");
    bytes[20] ^= 1;
    std::fs::write(&path, bytes).expect("writes");
    // All of them expire.
    world.go_to(START + 200 * DAY);
    let store = world.open();
    let held = store.stats().series;
    assert!((1..3_000).contains(&held), "{held} series");
    world.go_to(START + 202 * DAY);
    for _ in 0..2 {
        store.maintain().expect("maintains");
    }
    assert_eq!(store.stats().series, 0);
    assert_eq!(store.maintenance().consecutive_errors, 0);
    assert!(!store.damage().is_empty());
}

#[test]
fn damage_goes_with_its_partition() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = World::on_disk(SHORT, dir.path());
    world.go_to(START + 2 * HOUR);
    let store = damaged_day(&world, dir.path());
    world.go_to(START + 3 * DAY);
    store.maintain().expect("maintains");
    world.go_to(START + 5 * DAY);
    store.maintain().expect("maintains");
    assert_eq!(store.damage(), [] as [String; 0]);
}
