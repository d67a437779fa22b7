use std::path::Path;
use std::sync::atomic::AtomicI64;

use tinyobs_model::{Columns, LabelsBuilder, Metadata, Refusal, Refused, stale_marker};

use super::*;
use crate::clock::Clock;
use crate::files::failing::{Failing, quick_dir};
use crate::options::{Durability, Retention, StoreOptions};

const NOW: i64 = 1_795_306_562_347;

struct At(AtomicI64);

impl Clock for At {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

fn options(dir: &Path) -> StoreOptions {
    StoreOptions {
        clock: Arc::new(At(NOW.into())),
        retention: Retention::FOR_EVER,
        ..StoreOptions::disk(dir)
    }
}

fn memory() -> Store {
    let options = StoreOptions {
        clock: Arc::new(At(NOW.into())),
        retention: Retention::FOR_EVER,
        ..StoreOptions::memory()
    };
    Store::open(options).expect("opens")
}

#[test]
fn i_itemtimes_1_and_i_batch_3_times_of_a_loose_item_are_its_samples_own() {
    let late = NOW + tinyobs_model::limits::FUTURE_MS + 1;
    let times = [NOW - 2, late, NOW - 1, late + 1, NOW];
    let stored = |is_loose| {
        let store = memory();
        let mut batch = WriteBatch::new();
        if is_loose {
            batch.set_loose();
        }
        let mut labels = LabelsBuilder::new();
        labels.begin("m");
        let first = Sample::new(times[0], 0.0);
        batch
            .push(7, &mut labels, Kind::Gauge, first, None)
            .expect("within limits");
        for (value, time_ms) in (1..).zip(&times[1..]) {
            batch.push_same_series(Sample::new(*time_ms, f64::from(value)));
        }
        let appended = store.append(&batch).expect("appends");
        let refused = appended.refused;
        assert_eq!(refused.len(), 1);
        assert_eq!(
            (refused[0].item, refused[0].rule),
            (7, Refusal::TimeInFuture)
        );
        (appended.stored, refused[0].message.clone(), store)
    };
    let (count, message, store) = stored(true);
    assert_eq!(count, 3);
    assert!(
        message.starts_with(&format!("sample 1, and 1 more: time {late} lies")),
        "{message}"
    );
    let labels = Labels::new("m", []).expect("within limits");
    let held = times.map(|time_ms| store.value_at(labels.as_bytes(), time_ms).expect("reads"));
    assert_eq!(held, [Some(0.0), None, Some(2.0), None, Some(4.0)]);
    let (count, message, store) = stored(false);
    assert_eq!(count, 0);
    assert!(
        message.starts_with(&format!("time {late} lies")),
        "{message}"
    );
    assert_eq!(store.stats().series, 0);
}

#[derive(Clone, Copy)]
struct Line<'a> {
    series: &'a str,
    label: &'a str,
    kind: Kind,
    time_ms: i64,
    value: f64,
    start_ms: Option<i64>,
}

const LINE: Line<'_> = Line {
    series: "m",
    label: "",
    kind: Kind::Gauge,
    time_ms: NOW,
    value: 1.0,
    start_ms: None,
};

fn append(store: &Store, lines: &[Line<'_>]) -> Appended {
    let mut batch = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    for (item, line) in (0..).zip(lines) {
        labels.begin(line.series);
        labels.push("l", line.label);
        let sample = Sample::new(line.time_ms, line.value);
        batch
            .push(item, &mut labels, line.kind, sample, line.start_ms)
            .expect("valid");
    }
    store.append(&batch).expect("appends")
}

/// Everything of a metric, all its series after one another.
fn samples(store: &Store, metric: &str) -> Vec<Sample> {
    let matchers = [Matcher::equal("__name__", metric)];
    let mut all = Vec::new();
    let mut columns = Columns::default();
    for mut cursor in store.select(&matchers, TimeRange::ALL).expect("selects") {
        while cursor.next_block(&mut columns).expect("reads") {
            all.extend(columns.iter());
        }
    }
    all
}

#[test]
fn samples_survive_reopening_with_and_without_a_clean_stop() {
    let dir = tempfile::tempdir().expect("a directory");
    let lines = [
        Line {
            value: 1e-300,
            time_ms: NOW - 1,
            ..LINE
        },
        Line {
            label: "a,b=\"{}\n🙂",
            ..LINE
        },
    ];
    let stored = [Sample::new(NOW - 1, 1e-300), Sample::new(NOW, 1.0)];
    let store = Store::open(options(dir.path())).expect("opens");
    assert_eq!(
        append(&store, &lines),
        Appended {
            stored: 2,
            refused: vec![]
        }
    );
    assert_eq!(samples(&store, "m"), stored);
    // As after a killed process: the threads end, nothing is written.
    store.inner.closed.store(true, Ordering::SeqCst);
    store.inner.wake.stop();
    lock(&store.inner.lock).take();
    drop(store);

    let store = Store::open(options(dir.path())).expect("opens from the log");
    assert_eq!(samples(&store, "m"), stored);
    assert_eq!(store.stats().samples, 2);
    store.close().expect("closes");
    store.close().expect("again is harmless");
    drop(store);

    let store = Store::open(options(dir.path())).expect("opens from tables");
    assert_eq!(samples(&store, "m"), stored);
    assert_eq!(store.stats().tables, 2, "the catalogue and one day");
    assert_eq!((store.stats().samples, store.stats().head_samples), (2, 0));
    assert_eq!(store.label_values("l"), ["a,b=\"{}\n🙂"]);
    assert_eq!(store.metrics()[0].metadata.kind, Kind::Gauge);
}

#[test]
fn i_store_1_a_directory_belongs_to_one_process() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = Store::open(options(dir.path())).expect("opens");
    let second = Store::open(options(dir.path()));
    assert!(matches!(second.err(), Some(StoreError::Locked { .. })));
    first.close().expect("closes");
    assert!(matches!(first.flush(), Err(StoreError::Closed)));
    assert!(Store::open(options(dir.path())).is_ok());
}

#[test]
fn i_append_2_refused_items_do_not_take_their_neighbours_with_them() {
    let store = memory();
    let future = NOW + tinyobs_model::limits::FUTURE_MS;
    let lines = [
        Line {
            time_ms: future + 1,
            ..LINE
        },
        Line {
            time_ms: future,
            value: 2.0,
            ..LINE
        },
        Line {
            time_ms: i64::MAX,
            ..LINE
        },
        Line {
            time_ms: i64::MIN,
            value: 3.0,
            ..LINE
        },
    ];
    let appended = append(&store, &lines);
    assert_eq!(appended.stored, 2);
    let refused: Vec<(u32, Refusal)> = appended
        .refused
        .iter()
        .map(|Refused { item, rule, .. }| (*item, *rule))
        .collect();
    assert_eq!(
        refused,
        [(0, Refusal::TimeInFuture), (2, Refusal::TimeInFuture)]
    );
    assert_eq!(
        samples(&store, "m"),
        [Sample::new(i64::MIN, 3.0), Sample::new(future, 2.0)]
    );
}

#[test]
fn i_append_3_the_series_limit_counts_exactly() {
    let options = StoreOptions {
        max_series: 3,
        retention: Retention::FOR_EVER,
        ..StoreOptions::memory()
    };
    let store = Store::open(options).expect("opens");
    let labels: Vec<String> = (0..6).map(|i| i.to_string()).collect();
    let mut lines: Vec<Line<'_>> = labels
        .iter()
        .map(|label| Line {
            label,
            time_ms: 1,
            ..LINE
        })
        .collect();
    // A known series comes after the refused ones, and a new one twice.
    lines.push(Line {
        label: "0",
        time_ms: 2,
        ..LINE
    });
    lines.push(Line {
        label: "5",
        time_ms: 2,
        ..LINE
    });
    let appended = append(&store, &lines);
    assert_eq!(appended.stored, 4);
    let items: Vec<u32> = appended
        .refused
        .iter()
        .map(|refused| refused.item)
        .collect();
    assert_eq!(items, [3, 4, 5, 7]);
    assert!(
        appended
            .refused
            .iter()
            .all(|refused| refused.rule == Refusal::SeriesLimit)
    );
    assert_eq!((store.stats().series, store.refused_series()), (3, 4));
    // Refused series leave nothing behind, and known ones go on.
    assert_eq!(
        append(
            &store,
            &[Line {
                label: "2",
                time_ms: 3,
                ..LINE
            }]
        )
        .stored,
        1
    );
    assert_eq!(store.label_values("l"), ["0", "1", "2"]);
}

#[test]
fn i_append_3_a_series_is_refused_once_for_all_its_samples_in_a_row() {
    let options = StoreOptions {
        max_series: 1,
        retention: Retention::FOR_EVER,
        ..StoreOptions::memory()
    };
    let store = Store::open(options).expect("opens");
    let mut batch = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    for (item, name) in [(0, "a"), (3, "b"), (6, "c"), (9, "a")] {
        labels.begin(name);
        let sample = Sample::new(i64::from(item), 1.0);
        batch
            .push(item, &mut labels, Kind::Gauge, sample, None)
            .expect("within limits");
        for next in item + 1..item + 3 {
            batch.push_next(next, Sample::new(i64::from(next), 2.0));
        }
    }
    let appended = store.append(&batch).expect("appends");
    assert_eq!(appended.stored, 6);
    let said = appended.refused.iter();
    let said: Vec<(u32, bool, bool)> = said
        .map(|one| {
            let names = |name: &str| one.message.starts_with(&format!("metric {name:?} needs 1"));
            (one.item, names("b"), names("c"))
        })
        .collect();
    let of = |name: &str, items: [u32; 3]| items.map(|item| (item, name == "b", name == "c"));
    assert_eq!(said, [of("b", [3, 4, 5]), of("c", [6, 7, 8])].concat());
    // Two series were too many, not six.
    assert_eq!((store.stats().series, store.refused_series()), (1, 2));
}

#[test]
fn i_append_4_a_counter_begins_at_zero() {
    let counter = Line {
        kind: Kind::Counter,
        start_ms: Some(NOW - 500),
        ..LINE
    };
    let store = memory();
    append(
        &store,
        &[Line {
            value: 7.0,
            ..counter
        }],
    );
    append(
        &store,
        &[Line {
            value: 9.0,
            time_ms: NOW + 10,
            ..counter
        }],
    );
    let first = [
        Sample::new(NOW - 500, 0.0),
        Sample::new(NOW, 7.0),
        Sample::new(NOW + 10, 9.0),
    ];
    assert_eq!(
        samples(&store, "m"),
        first,
        "one zero, before the first sample"
    );
    // The process restarts and soon counts more than before: without the zero nobody could tell.
    append(
        &store,
        &[Line {
            value: 20.0,
            time_ms: NOW + 90,
            start_ms: Some(NOW + 50),
            ..LINE
        }],
    );
    assert_eq!(samples(&store, "m").len(), 4, "a gauge has no start");
    let again = Line {
        value: 30.0,
        time_ms: NOW + 200,
        start_ms: Some(NOW + 150),
        ..counter
    };
    append(&store, &[again]);
    let tail = [Sample::new(NOW + 150, 0.0), Sample::new(NOW + 200, 30.0)];
    assert_eq!(samples(&store, "m")[4..], tail);
}

#[test]
fn i_append_4_holds_across_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let counter = Line {
        kind: Kind::Counter,
        start_ms: Some(NOW - 500),
        value: 7.0,
        ..LINE
    };
    let store = Store::open(options(dir.path())).expect("opens");
    append(&store, &[counter]);
    store.close().expect("closes");
    let store = Store::open(options(dir.path())).expect("opens");
    let same = Line {
        time_ms: NOW + 5,
        kind: Kind::Counter,
        start_ms: Some(NOW - 500),
        ..LINE
    };
    append(&store, &[same]);
    assert_eq!(
        samples(&store, "m").len(),
        3,
        "the same process needs no second zero"
    );
    let next = Line {
        time_ms: NOW + 9,
        kind: Kind::Counter,
        start_ms: Some(NOW + 7),
        ..LINE
    };
    append(&store, &[next]);
    assert_eq!(samples(&store, "m")[3], Sample::new(NOW + 7, 0.0));
}

/// Neither what other series hold nor a flush or a start in between makes the store forget when a
/// series was last heard of.
#[test]
fn i_append_4_looks_at_the_series_itself() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut store = Store::open(options(dir.path())).expect("opens");
    let counter = Line {
        series: "c",
        kind: Kind::Counter,
        start_ms: Some(NOW - 50_000),
        ..LINE
    };
    let ahead = Line {
        series: "ahead",
        time_ms: NOW + 120_000,
        ..LINE
    };
    append(
        &store,
        &[
            Line {
                value: 7.0,
                ..counter
            },
            ahead,
        ],
    );
    for (round, reopened) in [(1, false), (2, true)] {
        store.flush().expect("flushes");
        if reopened {
            store.close().expect("closes");
            drop(store);
            store = Store::open(options(dir.path())).expect("opens");
        }
        let start_ms = NOW + round * 20_000;
        let restarted = Line {
            value: 20.0,
            time_ms: start_ms + 10,
            start_ms: Some(start_ms),
            ..counter
        };
        append(&store, &[restarted]);
        let found = samples(&store, "c");
        let expected = [Sample::new(start_ms, 0.0), Sample::new(start_ms + 10, 20.0)];
        assert_eq!(found[found.len() - 2..], expected, "round {round}");
        // The same process again, after a flush: no second zero.
        store.flush().expect("flushes");
        append(
            &store,
            &[Line {
                time_ms: start_ms + 20,
                ..restarted
            }],
        );
        assert_eq!(samples(&store, "c").len(), found.len() + 1, "round {round}");
    }
}

#[test]
fn latest_knows_head_tables_and_ends() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(options(dir.path())).expect("opens");
    let lines = [
        Line {
            series: "old",
            time_ms: NOW - 1_000,
            value: 5.0,
            ..LINE
        },
        Line {
            series: "ended",
            value: 1.0,
            ..LINE
        },
        Line {
            series: "ended",
            time_ms: NOW + 1,
            value: stale_marker(),
            ..LINE
        },
        Line {
            series: "live",
            value: 3.0,
            kind: Kind::Counter,
            ..LINE
        },
    ];
    append(&store, &lines);
    let latest = |since_ms| -> Vec<(String, Kind, Sample)> {
        let found = store.latest(&[], since_ms).expect("reads");
        found
            .into_iter()
            .map(|(s, v)| (s.labels.metric_name().to_owned(), s.kind, v))
            .collect()
    };
    let live = ("live".to_owned(), Kind::Counter, Sample::new(NOW, 3.0));
    let old = ("old".to_owned(), Kind::Gauge, Sample::new(NOW - 1_000, 5.0));
    assert_eq!(latest(NOW - 10), std::slice::from_ref(&live));
    assert_eq!(latest(NOW - 1_000), [live.clone(), old.clone()]);
    store.flush().expect("flushes");
    assert_eq!(latest(NOW - 1_000), [live.clone(), old.clone()]);
    // A late sample in the head does not hide a newer one in a table.
    append(
        &store,
        &[Line {
            series: "live",
            time_ms: NOW - 900,
            value: 2.0,
            ..LINE
        }],
    );
    assert_eq!(latest(NOW - 1_000)[0].2, live.2);
}

#[test]
fn metadata_is_kept_and_changes_are_noticed() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(options(dir.path())).expect("opens");
    let describe = |help: &str| {
        let mut batch = WriteBatch::new();
        let mut labels = LabelsBuilder::new();
        labels.begin("m");
        batch
            .push(0, &mut labels, Kind::Counter, Sample::new(1, 1.0), None)
            .expect("valid");
        batch.describe("m", "seconds", help);
        batch.describe("nobody", "", "no series, no metadata");
        store.append(&batch).expect("appends");
    };
    describe("first");
    store.flush().expect("flushes");
    describe("second");
    append(
        &store,
        &[Line {
            kind: Kind::Gauge,
            ..LINE
        }],
    );
    store.close().expect("closes");
    let store = Store::open(options(dir.path())).expect("opens");
    let metrics = store.metrics();
    assert_eq!(metrics.len(), 1);
    let expected = Metadata {
        kind: Kind::Gauge,
        unit: "seconds".into(),
        help: "second".into(),
    };
    assert_eq!(metrics[0].metadata, expected);
}

#[test]
fn series_without_a_service_are_not_hidden_by_those_with_one() {
    let store = memory();
    let mut batch = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    for (item, (metric, service)) in (0..).zip([("both", "shop"), ("both", ""), ("one", "shop")]) {
        labels.begin(metric);
        labels.push("service", service);
        batch
            .push(item, &mut labels, Kind::Gauge, Sample::new(NOW, 1.0), None)
            .expect("valid");
    }
    store.append(&batch).expect("appends");
    let metrics = store.metrics();
    assert_eq!(metrics[0].services, ["", "shop"]);
    assert_eq!(metrics[1].services, ["shop"]);
}

#[test]
fn i_service_1_services_are_named_by_the_first_label_that_may() {
    let store = memory();
    let mut batch = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    let series: [&[(&str, &str)]; 5] = [
        &[("service", "a"), ("service_name", "x"), ("job", "y")],
        &[("service_name", "b"), ("job", "team/b")],
        &[("job", "b")],
        &[("service_name", "a"), ("instance", "i")],
        &[("job", "c")],
    ];
    for (item, pairs) in (0..).zip(series) {
        // All but the last are of one metric that is of no service without these labels.
        labels.begin(if item == 4 { "other" } else { "m" });
        for (name, value) in pairs {
            labels.push(name, value);
        }
        batch
            .push(item, &mut labels, Kind::Gauge, Sample::new(NOW, 1.0), None)
            .expect("valid");
    }
    store.append(&batch).expect("appends");
    let metrics = store.metrics();
    assert_eq!(metrics[0].services, ["a", "b"]);
    assert_eq!(metrics[1].services, ["c"]);
    assert_eq!(store.services(), ["a", "b", "c"]);
}

/// Every operation on a file fails once, in both durability modes: whatever was acknowledged is
/// there after the next start, which needs no help.
#[test]
fn i_append_1_any_single_failure_loses_nothing_acknowledged() {
    for durability in [Durability::Interval, Durability::Sync] {
        let mut failing = 0;
        while acked_with_failure(failing, durability) {
            failing += 1;
        }
        assert!(failing > 20, "only {failing} operations");
    }
}

/// Runs a small life of a store; false when it ended before the operation that was to fail.
fn acked_with_failure(failing: usize, durability: Durability) -> bool {
    let dir = quick_dir();
    let files = Failing::at(failing);
    let failing_options = StoreOptions {
        files: Arc::new(files.clone()),
        durability,
        ..options(dir.path())
    };
    let mut acked = Vec::new();
    if let Ok(store) = Store::open(failing_options) {
        for i in 0..6 {
            let sample = Sample::new(NOW + i, i as f64);
            let mut batch = WriteBatch::new();
            let mut labels = LabelsBuilder::new();
            labels.begin("m");
            let label = (i / 2).to_string();
            labels.push("l", &label);
            batch
                .push(0, &mut labels, Kind::Gauge, sample, None)
                .expect("valid");
            let failed = store.failure().is_some();
            if store.append(&batch).is_ok() {
                // I-STORE-2
                assert!(
                    !failed,
                    "operation {failing}: acknowledged after a failed sync"
                );
                acked.push(sample);
            }
            match i {
                1 => drop(store.flush()),
                3 | 5 => drop(store.maintain()),
                _ => {}
            }
        }
        let _ = store.close();
    }
    let store = Store::open(options(dir.path())).expect("opens unaided");
    assert!(
        store.damage().is_empty(),
        "operation {failing}: {:?}",
        store.damage()
    );
    let held = samples(&store, "m");
    for sample in &acked {
        assert!(
            held.contains(sample),
            "operation {failing}: {sample:?} is not in {held:?}"
        );
    }
    assert!(
        held.len() as u64 == store.stats().samples,
        "operation {failing}"
    );
    files.has_failed()
}

#[test]
fn sync_mode_syncs_before_it_answers() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = StoreOptions {
        durability: Durability::Sync,
        ..options(dir.path())
    };
    let store = Store::open(options).expect("opens");
    let before = store.stats().fsyncs;
    append(&store, &[LINE]);
    assert_eq!(store.stats().fsyncs, before + 1);
}

#[test]
fn figures_come_without_a_look_at_samples() {
    let store = memory();
    assert_eq!(store.stats().oldest_ms, None);
    append(
        &store,
        &[
            LINE,
            Line {
                series: "n",
                time_ms: NOW - 5,
                ..LINE
            },
        ],
    );
    let stats = store.stats();
    assert_eq!((stats.series, stats.metrics, stats.samples), (2, 2, 2));
    assert_eq!(
        (stats.oldest_ms, stats.newest_ms),
        (Some(NOW - 5), Some(NOW))
    );
    store.flush().expect("flushes");
    let stats = store.stats();
    assert_eq!(
        (stats.samples, stats.head_samples, stats.flushes),
        (2, 0, 1)
    );
    assert_eq!(
        (stats.oldest_ms, stats.newest_ms),
        (Some(NOW - 5), Some(NOW))
    );
}
