use tinyobs_model::{Columns, Kind, LabelsBuilder, Sample, SeriesSource, TimeRange, WriteBatch};

use super::*;
use crate::{Retention, Store, StoreOptions};

const M: i64 = 60_000;
const H: i64 = 60 * M;
/// The start of an hour.
const START: i64 = 1_795_305_600_000;

fn push(store: &Store, label: &str, minutes: std::ops::Range<i64>) {
    let mut batch = WriteBatch::new();
    for minute in minutes {
        let mut labels = LabelsBuilder::new();
        labels.begin("m");
        labels.push("l", label);
        let sample = Sample::new(START - 30 * H + minute * M, minute as f64 / 4.0);
        batch
            .push(0, &mut labels, Kind::Gauge, sample, None)
            .expect("valid");
    }
    assert_eq!(store.append(&batch).expect("stored").refused, []);
}

#[test]
fn i_inspect_1_what_is_shown_is_what_is_stored() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(StoreOptions {
        retention: Retention::FOR_EVER,
        ..StoreOptions::disk(dir.path())
    })
    .expect("opens");
    push(&store, "a", 0..90);
    push(&store, "b", 0..1);
    store.maintain().expect("maintained");
    push(&store, "a", 90..100);
    store.flush().expect("flushed");
    push(&store, "a", 100..107);
    push(&store, "new", 0..3);

    // Also while it is open.
    let inspector = Inspector::open(dir.path()).expect("a store");
    let overview = inspector.overview().expect("figures");
    assert!(overview.is_in_use);
    assert_eq!(overview.series, 3);
    let of = |space| {
        *overview
            .spaces
            .iter()
            .find(|found| found.0 == space)
            .expect("there")
    };
    assert_eq!(of(Space::Raw).3, 90 + 1 + 10);
    assert_eq!(of(Space::Hour).3, 2 + 1);
    assert_eq!(of(Space::FiveMinutes).3, 18 + 1);
    let tables = inspector.tables();
    assert!(tables.is_sorted_by_key(|table| (table.line.partition, table.line.number)));
    assert!(tables.iter().all(|table| table.path.is_file()));

    let matchers = [Matcher::equal("l", "a")];
    let found = inspector.series(&matchers);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1.to_string(), "m{l=\"a\"}");
    let id = found[0].0;
    let chunks = inspector.chunks(id).expect("chunks");
    let times: Vec<(i64, i64, u64)> = chunks
        .iter()
        .map(|chunk| (chunk.first_ms, chunk.last_ms, chunk.samples))
        .collect();
    let at = |minute: i64| START - 30 * H + minute * M;
    assert_eq!(times, [(at(0), at(89), 90), (at(90), at(99), 10)]);
    for chunk in &chunks {
        let layout = &chunk.layout;
        // A sample a minute, a quarter more each.
        assert!(layout.times.ends_with(", one block"), "{}", layout.times);
        assert_eq!(
            layout.values,
            "decimals of 2 places: differences, one block"
        );
        assert!(layout.times_bytes + layout.values_bytes < chunk.bytes);
        assert!(chunk.bytes < 8 * chunk.samples);
    }
    let hours = inspector.rollups(id, Resolution::Hour).expect("rows");
    let rows: Vec<(i64, u64, f64, f64)> = hours
        .iter()
        .flat_map(|chunk| &chunk.rows)
        .map(|row| (row.start_ms, row.count, row.min, row.max))
        .collect();
    assert_eq!(rows, [(at(0), 60, 0.0, 14.75), (at(60), 30, 15.0, 22.25)]);

    // The log has the rest, and the series that nobody has flushed.
    let mut in_log = Vec::new();
    inspector
        .log(&mut |entry| match entry.record.expect("a known kind") {
            Record::Floats(samples) => in_log.extend(samples),
            Record::Series(series) => assert_eq!(series[0].1.get("l"), Some("new")),
            Record::Metadata(_) => {}
        })
        .expect("a log");
    assert_eq!(in_log.iter().filter(|(of, _)| *of == id).count(), 7);
    let new = inspector.series(&[Matcher::equal("l", "new")])[0].0;
    assert_eq!(inspector.labels(new).expect("known").get("l"), Some("new"));
    assert_eq!(in_log.iter().filter(|(of, _)| *of == new).count(), 3);
    assert_eq!(inspector.chunks(new).expect("none"), []);

    // And a query answers the same.
    let mut cursors = store.select(&matchers, TimeRange::ALL).expect("selected");
    let mut block = Columns::default();
    let mut answered = 0;
    while cursors[0].next_block(&mut block).expect("read") {
        answered += block.len();
    }
    assert_eq!(answered, 90 + 10 + 7);
}
