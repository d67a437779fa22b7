use axum::response::IntoResponse;
use tinyobs_model::{Columns, LabelsBuilder, WriteBatch};
use tinyobs_store::{Retention, StoreOptions};

use super::*;

mod stitched;

/// Series of as many samples as there are milliseconds, all of one value.
struct Flat {
    series: usize,
    blocks: usize,
    block_len: usize,
    value: f64,
}

struct FlatCursor {
    labels: Labels,
    blocks_left: usize,
    block_len: usize,
    time_ms: i64,
    value: f64,
}

impl SeriesSource for Flat {
    fn select(
        &self,
        _: &[Matcher],
        _: TimeRange,
    ) -> Result<Vec<Box<dyn SeriesCursor>>, SelectError> {
        let cursor = |i: usize| -> Box<dyn SeriesCursor> {
            let number = format!("{i:05}");
            Box::new(FlatCursor {
                labels: Labels::new("m", [("l", number.as_str())]).unwrap(),
                blocks_left: self.blocks,
                block_len: self.block_len,
                time_ms: 0,
                value: self.value,
            })
        };
        Ok((0..self.series).map(cursor).collect())
    }
}

impl SeriesCursor for FlatCursor {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn next_block(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        out.clear();
        if self.blocks_left == 0 {
            return Ok(false);
        }
        self.blocks_left -= 1;
        for _ in 0..self.block_len {
            out.push(Sample::new(self.time_ms, self.value));
            self.time_ms += 1;
        }
        Ok(true)
    }
}

const RANGE: TimeRange = TimeRange::new(0, 100_000_000);

fn read(source: &Flat, max_points: usize) -> Result<Vec<Line>, u16> {
    let all = vec![Vec::new()];
    lines(
        source,
        &HashMap::new(),
        &all,
        RANGE,
        max_points,
        &Cancel::default(),
    )
    .map_err(|error| error.into_response().status().as_u16())
}

#[test]
fn i_range_2_points_are_counted_while_they_are_read() {
    let flat = |series| Flat {
        series,
        blocks: 1,
        block_len: 5_000,
        value: 1.0,
    };
    let fits = limits::QUERY_POINTS / 5_000;
    assert_eq!(read(&flat(fits), 5_000).unwrap().len(), fits);
    assert_eq!(read(&flat(fits + 1), 5_000).err(), Some(422));
    assert_eq!(read(&flat(fits + 1), 4_000).unwrap().len(), fits + 1);
}

#[test]
fn i_range_2_samples_are_counted_while_they_are_read() {
    let cancel = Cancel::default();
    let mut budget = Budget::new(&cancel);
    let half = (limits::QUERY_SAMPLES / 2) as usize;
    budget.spend(half).unwrap();
    budget.spend(half).unwrap();
    let status = budget.spend(1).unwrap_err().into_response().status();
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn i_range_3_selectors_that_overlap_give_each_series_once() {
    let flat = Flat {
        series: 3,
        blocks: 2,
        block_len: 10,
        value: 1.0,
    };
    let twice = vec![Vec::new(), Vec::new()];
    let lines = lines(
        &flat,
        &HashMap::new(),
        &twice,
        RANGE,
        100,
        &Cancel::default(),
    )
    .unwrap();
    let labels: Vec<String> = lines.iter().map(|line| line.labels.to_string()).collect();
    assert_eq!(
        labels,
        ["m{l=\"00000\"}", "m{l=\"00001\"}", "m{l=\"00002\"}"]
    );
    assert!(lines.iter().all(|line| line.points.len() == 20));
}

#[test]
fn a_series_without_a_finite_value_is_left_out() {
    let flat = Flat {
        series: 2,
        blocks: 1,
        block_len: 5,
        value: f64::NAN,
    };
    assert_eq!(read(&flat, 100).unwrap().len(), 0);
}

/// A store in memory after pushes of these series at these times, in this order.
fn store_of(pushes: &[(&str, i64)]) -> Store {
    let options = StoreOptions {
        // The times here are of 1970.
        retention: Retention::FOR_EVER,
        ..StoreOptions::memory()
    };
    let store = Store::open(options).unwrap();
    for (label, time_ms) in pushes {
        let mut builder = LabelsBuilder::new();
        builder.begin("m");
        builder.push("l", label);
        let mut batch = WriteBatch::new();
        let sample = Sample::new(*time_ms, *time_ms as f64);
        batch
            .push(0, &mut builder, Kind::Gauge, sample, None)
            .unwrap();
        assert_eq!(store.append(&batch).unwrap().stored, 1);
    }
    store
}

fn selected(store: &Store, range: TimeRange) -> Vec<(String, Vec<i64>)> {
    let mut block = Columns::default();
    let read = |mut cursor: Box<dyn SeriesCursor>| {
        let mut times = Vec::new();
        while cursor.next_block(&mut block).unwrap() {
            times.extend(block.iter().map(|sample| sample.time_ms));
        }
        let label = cursor.labels().get("l").unwrap_or_default();
        (label.to_owned(), times)
    };
    let cursors = store.select(&[], range).unwrap();
    cursors.into_iter().map(read).collect()
}

#[test]
fn i_source_1_cursors_come_in_the_order_of_their_labels() {
    // In canonical bytes the short one would be first.
    let store = store_of(&[("b", 1), ("aa", 1), ("c", 1), ("a", 1)]);
    let labels: Vec<String> = selected(&store, TimeRange::ALL)
        .into_iter()
        .map(|(label, _)| label)
        .collect();
    assert_eq!(labels, ["a", "aa", "b", "c"]);
}

#[test]
fn i_source_2_times_ascend_once_and_inside_the_range() {
    let times = [50, 10, 40, 40, 20, 60, 30, 10];
    let store = store_of(&times.map(|time_ms| ("a", time_ms)));
    let at = |range| selected(&store, range).remove(0).1;
    assert_eq!(at(TimeRange::ALL), [10, 20, 30, 40, 50, 60]);
    assert_eq!(at(TimeRange::new(20, 50)), [20, 30, 40, 50]);
    // And the same when a part of them is in a table.
    store.flush().unwrap();
    assert_eq!(at(TimeRange::new(20, 50)), [20, 30, 40, 50]);
}

#[test]
fn i_source_3_a_cursor_sees_what_was_acknowledged_before() {
    let store = store_of(&[]);
    for time_ms in 1..50 {
        let mut batch = WriteBatch::new();
        let mut builder = LabelsBuilder::new();
        builder.begin("m");
        let sample = Sample::new(time_ms, 0.0);
        batch
            .push(0, &mut builder, Kind::Gauge, sample, None)
            .unwrap();
        store.append(&batch).unwrap();
        if time_ms % 7 == 0 {
            store.flush().unwrap();
        }
        let expected: Vec<i64> = (1..=time_ms).collect();
        assert_eq!(selected(&store, TimeRange::ALL)[0].1, expected);
    }
}
