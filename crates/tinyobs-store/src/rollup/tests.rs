use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use tinyobs_model::{Columns, Kind, Resolution, Rollup, Sample, TimeRange, stale_marker};

use super::job::{self, read_rows};
use super::rows;
use super::windows::{Roller, join};
use crate::engine::{Commit, Counters, Engine, Partition, Space, Summary, TableEngine};
use crate::files::memory::MemoryFiles;
use crate::flush::put_chunk;

pub const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn roll(resolution: Resolution, is_gauge: bool, samples: &[Sample]) -> Vec<Rollup> {
    let mut roller = Roller::new(resolution, is_gauge);
    for sample in samples {
        roller.push(*sample);
    }
    roller.close();
    let times: Vec<i64> = samples.iter().map(|sample| sample.time_ms).collect();
    let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
    let mut by_columns = Roller::new(resolution, is_gauge);
    let border = samples.len() / 3;
    by_columns.extend(&times[..border], &values[..border]);
    by_columns.extend(&times[border..], &values[border..]);
    by_columns.close();
    assert_eq!(by_columns.rows, roller.rows, "as columns");
    roller.rows
}

fn sample(minute: i64, value: f64) -> Sample {
    Sample::new(minute * MINUTE, value)
}

#[test]
fn i_rollup_1_windows_are_aligned_and_hold_what_they_should() {
    let samples = [
        sample(4, 10.0),
        sample(5, 12.0),
        sample(7, 3.0),
        sample(9, 8.0),
        sample(10, 9.0),
    ];
    let rows = roll(Resolution::FiveMinutes, false, &samples);
    let starts: Vec<i64> = rows.iter().map(|row| row.start_ms / MINUTE).collect();
    assert_eq!(starts, [0, 5, 10]);
    let middle = Rollup {
        start_ms: 5 * MINUTE,
        count: 3,
        sum: 23.0,
        min: 3.0,
        max: 12.0,
        first: samples[1],
        last: samples[3],
        // 12 → 3 is a restart at 0: 3, then 5 more. The step from 10 to 12 is the reader's.
        increase: 8.0,
        ended: false,
    };
    assert_eq!(rows[1], middle);
    assert!(roll(Resolution::Hour, true, &samples)[0].increase.is_nan());
}

#[test]
fn i_rollup_1_stale_markers_end_a_window_and_are_not_counted() {
    let end = |minute| Sample::new(minute * MINUTE, stale_marker());
    let rows = roll(
        Resolution::FiveMinutes,
        false,
        &[sample(1, 7.0), end(2), sample(3, 9.0), end(4), end(5)],
    );
    assert_eq!((rows[0].count, rows[0].sum, rows[0].ended), (2, 16.0, true));
    assert_eq!((rows[1].count, rows[1].ended), (0, true));
    let back = roll(Resolution::FiveMinutes, false, &[end(0), sample(1, 1.0)]);
    assert!(!back[0].ended);
}

#[test]
fn a_nan_is_passed_over_by_all_but_count_and_sum() {
    let rows = roll(
        Resolution::Hour,
        false,
        &[
            sample(0, f64::NAN),
            sample(1, 4.0),
            sample(2, f64::NAN),
            sample(3, 6.0),
        ],
    );
    let row = rows[0];
    assert_eq!(
        (row.count, row.min, row.max, row.increase),
        (4, 4.0, 6.0, 2.0)
    );
    assert!(row.sum.is_nan() && row.first.value.is_nan());
}

#[test]
fn parts_that_follow_one_another_join_to_the_whole() {
    let samples: Vec<Sample> = [5.0, 9.0, 2.0, 4.0, 4.0, 1.0, 8.0]
        .into_iter()
        .zip(0..)
        .map(|(value, minute)| sample(minute, value))
        .collect();
    let whole = roll(Resolution::Hour, false, &samples)[0];
    for cut in 1..samples.len() {
        let (a, b) = samples.split_at(cut);
        let (a, b) = (
            roll(Resolution::Hour, false, a)[0],
            roll(Resolution::Hour, false, b)[0],
        );
        assert_eq!(join(&a, &b), whole, "cut at {cut}");
        assert_eq!(join(&b, &a), whole, "cut at {cut}");
    }
}

#[test]
fn a_late_sample_inside_a_window_changes_no_increase_and_all_else() {
    let window = roll(Resolution::Hour, false, &[sample(0, 10.0), sample(2, 14.0)])[0];
    let late = roll(Resolution::Hour, false, &[sample(1, 11.0)])[0];
    let joined = join(&window, &late);
    assert_eq!((joined.count, joined.sum, joined.increase), (3, 35.0, 4.0));
    assert_eq!((joined.first, joined.last), (window.first, window.last));
}

fn any_row() -> impl Strategy<Value = Rollup> {
    let value = prop_oneof![
        any::<f64>(),
        any::<u64>().prop_map(f64::from_bits),
        (-1_000i64..1_000).prop_map(|n| n as f64 / 100.0),
        Just(7.0),
    ];
    (
        0u64..2_000,
        (value.clone(), value.clone(), value.clone()),
        (value.clone(), value.clone(), value),
        (0i64..300_000, 0i64..300_000),
        any::<bool>(),
    )
        .prop_map(
            |(count, (sum, min, max), (first, last, increase), (a, b), ended)| Rollup {
                start_ms: 0,
                count,
                sum,
                min,
                max,
                first: Sample::new(a, first),
                last: Sample::new(b, last),
                increase,
                ended,
            },
        )
}

proptest! {
    #[test]
    fn i_rows_1_any_rows_survive(
        rows in proptest::collection::vec(any_row(), 1..50),
        starts in proptest::collection::btree_set(-5_000i64..5_000, 50),
        hourly: bool,
    ) {
        let resolution = if hourly { Resolution::Hour } else { Resolution::FiveMinutes };
        let width = resolution.width_ms();
        let mut rows = rows;
        for (row, start) in rows.iter_mut().zip(starts) {
            row.start_ms = start * width;
            row.first.time_ms += row.start_ms;
            row.last.time_ms += row.start_ms;
        }
        let mut bytes = Vec::new();
        rows::encode(resolution, &rows, &mut bytes);
        let mut decoded = Vec::new();
        prop_assert_eq!(rows::decode(&bytes, &mut decoded).expect("decodes"), resolution);
        prop_assert_eq!(decoded, rows);
    }

    #[test]
    fn i_rows_2_any_bytes_do_no_harm(mut bytes: Vec<u8>) {
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        let _ = rows::decode(&bytes, &mut Vec::new());
    }
}

#[test]
fn a_counter_without_restarts_takes_two_columns_of_values() {
    let counter: Vec<Sample> = (0..288 * 20)
        .map(|i| Sample::new(i * 15_000, (i * 7) as f64))
        .collect();
    let rows = roll(Resolution::FiveMinutes, false, &counter);
    let mut bytes = Vec::new();
    rows::encode(Resolution::FiveMinutes, &rows, &mut bytes);
    let per_sample = bytes.len() as f64 / counter.len() as f64;
    assert!(per_sample < 0.05, "{per_sample} bytes a sample");
}

fn engine() -> TableEngine {
    TableEngine::open(Arc::new(MemoryFiles::default()), Path::new("")).expect("opens")
}

/// What a flush does: one table a day, the next sequence number.
pub fn flush(engine: &TableEngine, series: &[(u64, &[Sample])]) {
    let before = engine.view().counters();
    let sequence = before.next_sequence;
    let mut days = std::collections::BTreeMap::new();
    for (id, samples) in series {
        for day in samples.chunk_by(|a, b| Partition::raw(a.time_ms) == Partition::raw(b.time_ms)) {
            let partition = Partition::raw(day[0].time_ms);
            let (draft, summary) = days
                .entry(partition)
                .or_insert_with(|| (engine.draft(partition), Summary::EMPTY));
            let put = put_chunk(draft.as_mut(), *id, sequence, day, &mut Vec::new());
            *summary = summary.and(put.expect("puts"));
        }
    }
    let tables = days
        .into_values()
        .map(|(draft, summary)| draft.finish(summary).expect("finishes"));
    let commit = Commit {
        tables: tables.collect(),
        drops: Vec::new(),
        counters: Counters {
            next_sequence: sequence + 1,
            ..before
        },
    };
    engine.commit(commit).expect("commits");
}

fn run(engine: &TableEngine) -> u64 {
    let rolled = job::run(engine, &|_| Kind::Counter, &|_, _| {}).expect("rolls up");
    rolled.windows
}

pub fn stored(engine: &TableEngine, resolution: Resolution, id: u64) -> Vec<Rollup> {
    let view = engine.view();
    let mut rows = Vec::new();
    for (partition, _) in view.partitions() {
        if partition.space == Space::of(resolution) {
            let mut reader = view.reader(partition, 0).expect("reads");
            let found = read_rows(reader.as_mut(), id, TimeRange::ALL).expect("reads");
            rows.extend(found.into_values());
        }
    }
    rows
}

#[test]
fn i_rollup_4_what_is_flushed_later_opens_its_hours_again() {
    let engine = engine();
    let early: Vec<Sample> = (0..50).map(|i| sample(i, i as f64)).collect();
    flush(&engine, &[(1, &early), (2, &early[..3])]);
    assert!(run(&engine) > 0);
    assert_eq!(run(&engine), 0, "nothing new, nothing to do");
    // The rest of the hour, a late sample in its middle, and another series at last.
    let mut rest: Vec<Sample> = (50..130).map(|i| sample(i, i as f64)).collect();
    flush(&engine, &[(1, &rest), (3, &rest)]);
    let late = [Sample::new(10 * MINUTE + 1, 10.5)];
    flush(&engine, &[(1, &late)]);
    run(&engine);
    let mut all = early;
    all.append(&mut rest);
    all.push(late[0]);
    all.sort_by_key(|sample| sample.time_ms);
    for resolution in job::ROLLED {
        assert_eq!(
            stored(&engine, resolution, 1),
            roll(resolution, false, &all)
        );
    }
    let counted: u64 = stored(&engine, Resolution::Hour, 1)
        .iter()
        .map(|row| row.count)
        .sum();
    assert_eq!(counted, all.len() as u64);
}

#[test]
fn i_rollup_5_what_comes_after_raw_has_gone_is_joined_once() {
    let engine = engine();
    let early: Vec<Sample> = (0..20).map(|i| sample(i, i as f64)).collect();
    flush(&engine, &[(1, &early)]);
    run(&engine);
    let drop = Commit {
        drops: vec![Partition::raw(0)],
        tables: Vec::new(),
        counters: Counters {
            dropped_ms: [DAY, i64::MIN, i64::MIN],
            ..engine.view().counters()
        },
    };
    engine.commit(drop).expect("drops");
    let late: Vec<Sample> = (20..31).map(|i| sample(i, i as f64)).collect();
    flush(&engine, &[(1, &late), (9, &late)]);
    run(&engine);
    run(&engine);
    let all: Vec<Sample> = early.iter().chain(&late).copied().collect();
    for resolution in job::ROLLED {
        assert_eq!(
            stored(&engine, resolution, 1),
            roll(resolution, false, &all)
        );
        assert_eq!(
            stored(&engine, resolution, 9),
            roll(resolution, false, &late)
        );
    }
    let left = engine.view().partitions();
    assert!(
        left.iter()
            .all(|(partition, _)| partition.space != Space::Raw)
    );
}

#[test]
fn columns_of_samples_and_rollups_cannot_be_mistaken_for_one_another() {
    let mut bytes = Vec::new();
    crate::chunk::encode(&[sample(1, 1.0)], &mut bytes);
    assert!(rows::decode(&bytes, &mut Vec::new()).is_err());
    bytes.clear();
    let row = roll(Resolution::Hour, false, &[sample(1, 1.0)]);
    rows::encode(Resolution::Hour, &row, &mut bytes);
    let opened = crate::chunk::Chunk::open(&bytes);
    assert!(
        opened
            .and_then(|chunk| chunk.decode(&mut Columns::default()))
            .is_err()
    );
}
