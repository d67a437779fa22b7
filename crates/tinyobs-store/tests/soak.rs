//! Soak: weeks of the demo app's load through the real store, in minutes, under a clock of our own.
//!
//!   [`load`]: the demo's series every few seconds ─▶ store, maintained every hour ─▶ figures, day 1 again
//!
//! The app is deployed anew every week: its series end, its counters begin at 0 under another instance.
//! Twice: with the default budget, and with one so small that raw samples must go for it. Passes when
//! nothing was ever refused, memory and disk stayed within their bounds in every hour, and every
//! window of an hour of the first day still holds what the samples said.
//!
//! `cargo test` takes three days; `cargo xtask soak --days 53` all of them. Alone in its binary, because
//! it measures the memory of its process.

#[path = "soak/load.rs"]
mod load;
#[path = "model/steps.rs"]
#[allow(dead_code, reason = "only the random numbers are of use here")]
mod steps;
#[path = "model/window.rs"]
mod window;

mod oracle {
    //! What `steps` needs of the oracle.
    use tinyobs_model::Kind;
    pub const DAY: i64 = 24 * 3_600 * 1_000;
    pub type Series = u16;
    pub fn metric(_: Series) -> (&'static str, Kind) {
        ("", Kind::Unknown)
    }
}

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use tinyobs_model::{Resolution, SeriesSource, Stretch, TimeRange, WriteBatch};
use tinyobs_store::{Clock, Store, StoreOptions};

use load::Load;
use oracle::DAY;
use window::{Expected, Part};

const HOUR: i64 = 3_600_000;
const MIB: u64 = 1 << 20;
/// What the process may take, this test included.
const MEMORY_MAX: u64 = 150 * MIB;

#[derive(Default)]
struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A number from the environment, where `cargo xtask soak` puts it.
fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok().and_then(|text| text.parse().ok());
    given.unwrap_or(otherwise)
}

/// A line of `/proc/self/status`, in bytes; 0 where there is no such file.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line));
    let kib = found.and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}

/// What a run met.
#[derive(Default)]
struct Figures {
    samples: u64,
    memory_max: u64,
    disk_max: u64,
    maintenance_ms: u64,
    maintenance_ms_max: u64,
    dropped: u64,
    expired: u64,
}

struct Soak {
    store: Store,
    clock: Arc<ManualClock>,
    load: Load,
    budget: u64,
    figures: Figures,
    /// By series and hour, of the first day and of every tenth.
    expected: BTreeMap<(usize, i64), Expected>,
    /// Of the hour under way, by series.
    hour: BTreeMap<usize, Part>,
    begun_ms: i64,
}

impl Soak {
    fn begin(dir: &std::path::Path, budget: u64, push_ms: i64) -> Self {
        let begun_ms = 20_000 * DAY;
        let clock = Arc::new(ManualClock(begun_ms.into()));
        let store = Store::open(StoreOptions {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            max_bytes: budget,
            ..StoreOptions::disk(dir)
        });
        Self {
            store: store.expect("opens"),
            clock,
            load: Load::new(push_ms, begun_ms),
            budget,
            figures: Figures::default(),
            expected: BTreeMap::new(),
            hour: BTreeMap::new(),
            begun_ms,
        }
    }

    /// Days since the start of the day that holds `at_ms`.
    fn day(&self, at_ms: i64) -> i64 {
        (at_ms - self.begun_ms) / DAY
    }

    fn is_watched(&self, at_ms: i64) -> bool {
        self.day(at_ms) % 10 == 0
    }

    /// One hour of pushes, and the maintenance at its end.
    fn hour(&mut self, from_ms: i64) {
        let mut batch = WriteBatch::new();
        let mut at_ms = from_ms;
        while at_ms < from_ms + HOUR {
            self.clock.0.store(at_ms, Ordering::SeqCst);
            batch = WriteBatch::new();
            let values = self.load.push(at_ms, &mut batch);
            let appended = self.store.append(&batch).expect("there is always room");
            assert_eq!(
                (appended.stored, appended.refused),
                (batch.len() as u64, vec![])
            );
            self.figures.samples += batch.len() as u64;
            if self.is_watched(from_ms) {
                for (series, time_ms, bits) in values {
                    self.hour.entry(series).or_default().insert(time_ms, bits);
                }
            }
            at_ms += self.load.push_ms;
        }
        drop(batch);
        for (series, part) in std::mem::take(&mut self.hour) {
            let is_gauge = self.load.is_gauge(series);
            let expected = Expected::of(&[part], is_gauge);
            self.expected.insert((series, from_ms), expected);
        }
        self.clock.0.store(from_ms + HOUR, Ordering::SeqCst);
        let begun = Instant::now();
        let done = self.store.maintain().expect("maintains");
        let took_ms = begun.elapsed().as_millis() as u64;
        self.note(took_ms, done.dropped_partitions, done.expired_series);
    }

    fn note(&mut self, took_ms: u64, dropped: u64, expired: u64) {
        let figures = &mut self.figures;
        figures.maintenance_ms += took_ms;
        figures.maintenance_ms_max = figures.maintenance_ms_max.max(took_ms);
        figures.dropped += dropped;
        figures.expired += expired;
        let used = self.store.storage().used_bytes;
        figures.disk_max = figures.disk_max.max(used);
        assert!(
            used <= self.budget,
            "{used} bytes on disk, budget {}",
            self.budget
        );
        let resident = memory("VmRSS");
        figures.memory_max = figures.memory_max.max(resident);
        assert!(resident <= MEMORY_MAX, "{resident} bytes of memory");
    }

    /// Every watched hour of day `day` against what the store says at a step of an hour.
    fn check(&self, day: i64) {
        let from_ms = self.begun_ms + day * DAY;
        let range = TimeRange::new(from_ms, from_ms + DAY - 1);
        let mut found: BTreeMap<(usize, i64), tinyobs_model::Rollup> = BTreeMap::new();
        let mut stretch = Stretch::default();
        let cursors = self.store.select_resolved(&[], range, HOUR);
        for mut cursor in cursors.expect("reads") {
            let series = self.load.number(cursor.labels());
            while cursor.next_stretch(&mut stretch).expect("reads") {
                assert_eq!(stretch.resolution, Resolution::Hour);
                for row in &stretch.rollups {
                    let twice = found.insert((series, row.start_ms), *row);
                    assert!(twice.is_none(), "{:?} of {:?}", row, cursor.labels());
                }
            }
        }
        let expected = self.expected.range(..);
        let expected = expected.filter(|((_, hour), _)| range.contains(*hour));
        let mut windows = 0;
        for (place, expected) in expected {
            let row = found.remove(place);
            let row = row.unwrap_or_else(|| panic!("day {day}: nothing of {place:?}"));
            expected
                .check(&row)
                .unwrap_or_else(|what| panic!("day {day}, {place:?}: {what}"));
            windows += 1;
        }
        assert!(
            found.is_empty(),
            "day {day}: too much, such as {:?}",
            found.first_key_value()
        );
        assert!(windows > 0, "day {day} was not watched");
    }
}

fn soak(days: i64, budget: u64, push_ms: i64) -> Store {
    // In memory where there is such a place: it is not about how fast a device syncs.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let dir = dir.expect("a directory");
    let begun = Instant::now();
    let mut soak = Soak::begin(dir.path(), budget, push_ms);
    for hour in 0..days * 24 {
        soak.hour(soak.begun_ms + hour * HOUR);
        if hour % 240 == 239 {
            soak.check(0);
        }
    }
    for day in (0..days).filter(|day| day % 10 == 0) {
        soak.check(day);
    }
    let figures = &soak.figures;
    let storage = soak.store.storage();
    println!(
        "{days} days, a push every {} s, budget {} MiB: {} samples of {} series in {:.0} s; memory at \
         most {} MiB (peak {} MiB), disk at most {:.1} MiB; maintenance {} ms in all, {} ms at most; \
         {} partitions dropped, {} series expired",
        push_ms / 1_000,
        budget / MIB,
        figures.samples,
        soak.store.stats().series,
        begun.elapsed().as_secs_f64(),
        figures.memory_max / MIB,
        memory("VmHWM") / MIB,
        figures.disk_max as f64 / MIB as f64,
        figures.maintenance_ms,
        figures.maintenance_ms_max,
        figures.dropped,
        figures.expired,
    );
    for space in &storage.spaces {
        println!("  {space:?}");
    }
    // The directory goes; what the store holds open does not matter any more.
    soak.store
}

/// The whole of it, one budget after the other: memory is of the process.
#[test]
fn weeks_of_the_demo_stay_within_memory_and_disk_and_keep_the_first_day() {
    let days = number("TINYOBS_SOAK_DAYS", 3) as i64;
    let push_ms = number("TINYOBS_SOAK_PUSH_S", 60) as i64 * 1_000;
    let small = number("TINYOBS_SOAK_SMALL_KIB", 1_280) * 1_024;
    let roomy = soak(days, 1_024 * MIB, push_ms);
    let kept = &roomy.storage().spaces[0];
    let by_age = 20_000 * DAY + (days - 14).max(0) * DAY;
    assert!(kept.oldest_ms.is_some_and(|at| at <= by_age), "{kept:?}");
    drop(roomy);
    let tight = soak(days, small, push_ms);
    let kept = &tight.storage().spaces[0];
    assert!(
        kept.oldest_ms.is_some_and(|at| at > by_age),
        "raw went for room: {kept:?}"
    );
}
