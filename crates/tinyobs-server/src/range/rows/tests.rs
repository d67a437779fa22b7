use proptest::prelude::*;
use tinyobs_model::rollup::junction;

use super::*;

/// The plainest rollup there is.
fn row(samples: &[Sample]) -> Rollup {
    let values = || samples.iter().map(|sample| sample.value);
    let steps = samples.windows(2);
    Rollup {
        start_ms: 0,
        count: samples.len() as u64,
        sum: values().sum(),
        min: values().fold(f64::MAX, f64::min),
        max: values().fold(f64::MIN, f64::max),
        first: samples[0],
        last: samples[samples.len() - 1],
        increase: steps
            .map(|pair| junction(pair[0].value, pair[1].value))
            .sum(),
        ended: false,
    }
}

fn samples(values: &[f64]) -> Vec<Sample> {
    let times = (0..).step_by(1_000);
    times.zip(values).map(|(t, v)| Sample::new(t, *v)).collect()
}

fn drawn(values: &[f64], keep: Keep, range: TimeRange) -> Vec<(i64, f64)> {
    let points = points(&row(&samples(values)), keep, range);
    points.map(|point| (point.time_ms, point.value)).collect()
}

#[test]
fn i_points_3_what_nobody_counted_had_no_restart() {
    // Rolled up while it was taken for a gauge.
    let row = Rollup {
        increase: f64::NAN,
        ..row(&samples(&[100.0, 150.0, 200.0]))
    };
    let drawn: Vec<f64> = points(&row, Keep::Increase, TimeRange::ALL)
        .map(|point| point.value)
        .collect();
    assert_eq!(drawn, [100.0, 200.0]);
}

#[test]
fn i_points_2_the_lowest_and_the_highest_stand_between_the_ends() {
    let all = |values: &[f64]| drawn(values, Keep::Extremes, TimeRange::ALL);
    let rising = [3.0, 9.0, 1.0, 4.0];
    assert_eq!(
        all(&rising),
        [(0, 3.0), (1_000, 1.0), (2_000, 9.0), (3_000, 4.0)]
    );
    let falling = [4.0, 9.0, 1.0, 3.0];
    assert_eq!(
        all(&falling),
        [(0, 4.0), (1_000, 9.0), (2_000, 1.0), (3_000, 3.0)]
    );
    assert_eq!(
        all(&[3.0, 9.0, 5.0]),
        [(0, 3.0), (1_000, 9.0), (2_000, 5.0)]
    );
    assert_eq!(all(&[3.0, 4.0, 5.0]), [(0, 3.0), (2_000, 5.0)]);
    assert_eq!(all(&[7.0]), [(0, 7.0)]);
}

#[test]
fn i_points_1_a_range_that_cuts_a_row() {
    let cut = |from, to| {
        drawn(
            &[3.0, 9.0, 1.0, 4.0],
            Keep::Extremes,
            TimeRange::new(from, to),
        )
    };
    // The spike may have been before: better a little late than not at all.
    assert_eq!(
        cut(2_500, 9_000),
        [(2_666, 1.0), (2_833, 9.0), (3_000, 4.0)]
    );
    assert_eq!(cut(0, 300), [(0, 3.0), (100, 1.0), (201, 9.0)]);
    assert_eq!(cut(1_000, 1_300), [(1_100, 1.0), (1_200, 9.0)]);
    assert_eq!(cut(3_001, 9_000), []);
    assert_eq!(cut(3_000, 3_000), [(3_000, 4.0)]);
    assert_eq!(cut(-9, -1), []);
    let counter = |from, to| {
        drawn(
            &[3.0, 9.0, 1.0, 4.0],
            Keep::Increase,
            TimeRange::new(from, to),
        )
    };
    assert_eq!(counter(0, 1_000), [(0, 3.0)]);
    assert_eq!(counter(1_500, 3_000), [(1_500, 9.0), (3_000, 4.0)]);
}

#[test]
fn i_points_3_the_points_of_a_row_with_a_restart() {
    let all = |values: &[f64]| drawn(values, Keep::Increase, TimeRange::ALL);
    assert_eq!(all(&[3.0, 4.0, 6.0]), [(0, 3.0), (2_000, 6.0)]);
    assert_eq!(
        all(&[3.0, 6.0, 1.0, 4.0]),
        [(0, 3.0), (1_500, 6.0), (3_000, 4.0)]
    );
    // What came after hides the restart: without the 0 it would not be seen.
    assert_eq!(
        all(&[3.0, 6.0, 1.0, 9.0]),
        [(0, 3.0), (1_000, 6.0), (2_000, 0.0), (3_000, 9.0)]
    );
    // The first sample was the last before the restart.
    assert_eq!(all(&[6.0, 1.0, 4.0]), [(0, 6.0), (2_000, 4.0)]);
    assert_eq!(
        all(&[6.0, 1.0, 9.0]),
        [(0, 6.0), (1_000, 0.0), (2_000, 9.0)]
    );
    assert_eq!(all(&[6.0, 1.0]), [(0, 6.0), (1_000, 1.0)]);
    // Of two restarts no more than the highest value is drawn.
    let twice = [5.0, 10.0, 0.0, 8.0, 0.0, 3.0];
    assert_eq!(all(&twice), [(0, 5.0), (2_500, 10.0), (5_000, 3.0)]);
}

#[test]
fn rounding_is_no_restart() {
    let values: Vec<f64> = (0..3_600_u32).map(|i| f64::from(i) * 0.1).collect();
    let points = drawn(&values, Keep::Increase, TimeRange::ALL);
    assert_eq!(points, [(0, 0.0), (3_599_000, 3_599_f64 * 0.1)]);
}

#[test]
fn a_window_without_samples_draws_nothing() {
    let mut empty = row(&samples(&[1.0]));
    empty.count = 0;
    empty.ended = true;
    assert_eq!(points(&empty, Keep::Extremes, TimeRange::ALL).count(), 0);
    assert_eq!(points(&empty, Keep::Increase, TimeRange::ALL).count(), 0);
}

fn any_row() -> impl Strategy<Value = Vec<Sample>> {
    let steps = proptest::collection::vec((1_i64..5, -1e3_f64..1e3), 1..40);
    (-500_i64..500, steps).prop_map(|(start_ms, steps)| {
        let mut time_ms = start_ms;
        let sample = |(step_ms, value): (i64, f64)| {
            time_ms += step_ms;
            Sample::new(time_ms, value.round())
        };
        steps.into_iter().map(sample).collect()
    })
}

fn increase(points: &[Sample]) -> f64 {
    let steps = points.windows(2);
    steps
        .map(|pair| junction(pair[0].value, pair[1].value))
        .sum()
}

proptest! {
    #[test]
    fn i_points_1_and_i_points_2_hold_for_any_row(
        all in any_row(),
        from_ms in -600_i64..600,
        len_ms in 0_i64..1_000,
    ) {
        for range in [TimeRange::ALL, TimeRange::new(from_ms, from_ms + len_ms)] {
            let row = row(&all);
            let points: Vec<Sample> = points(&row, Keep::Extremes, range).collect();
            prop_assert!(points.windows(2).all(|pair| pair[0].time_ms < pair[1].time_ms));
            prop_assert!(points.iter().all(|point| range.contains(point.time_ms)
                && (row.first.time_ms..=row.last.time_ms).contains(&point.time_ms)));
            let overlap = row.last.time_ms.min(range.end_ms) - row.first.time_ms.max(range.start_ms);
            if range == TimeRange::ALL || overlap >= 4 {
                for value in [row.min, row.max] {
                    prop_assert!(points.iter().any(|point| point.value == value), "{points:?}");
                }
            }
        }
    }

    #[test]
    fn i_points_3_holds_for_any_counter(
        steps in proptest::collection::vec((1_i64..5, 0_u32..100), 1..40),
        lives in proptest::collection::vec(1_usize..30, 0..4),
    ) {
        let mut ends: Vec<usize> = lives.iter().scan(0, |at, life| { *at += life; Some(*at) }).collect();
        ends.retain(|end| *end < steps.len());
        let (mut time_ms, mut total) = (0, 0.0);
        let all: Vec<Sample> = steps.iter().enumerate().map(|(i, (step_ms, grown))| {
            time_ms += step_ms;
            if ends.contains(&i) {
                total = 0.0;
            }
            total += f64::from(*grown);
            Sample::new(time_ms, total)
        }).collect();
        let row = row(&all);
        let points: Vec<Sample> = points(&row, Keep::Increase, TimeRange::ALL).collect();
        prop_assert!(points.windows(2).all(|pair| pair[0].time_ms < pair[1].time_ms));
        if ends.len() <= 1 {
            prop_assert_eq!(increase(&points), row.increase);
        } else {
            prop_assert!(increase(&points) <= row.increase);
        }
    }
}
