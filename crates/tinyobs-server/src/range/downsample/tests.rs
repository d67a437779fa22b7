use proptest::prelude::*;

use super::*;

fn run(range: TimeRange, max_points: usize, samples: &[Sample]) -> Vec<Sample> {
    run_as(Keep::Extremes, range, max_points, samples)
}

fn run_as(keep: Keep, range: TimeRange, max_points: usize, samples: &[Sample]) -> Vec<Sample> {
    let mut downsampler = Downsampler::new(range, max_points, keep);
    for sample in samples {
        downsampler.push(*sample);
    }
    assert!(downsampler.points.capacity() <= 2 * max_points + 4);
    downsampler.finish()
}

fn samples(values: &[f64]) -> Vec<Sample> {
    let times = 1_000_000_i64..;
    times.zip(values).map(|(t, v)| Sample::new(t, *v)).collect()
}

const RANGE: TimeRange = TimeRange::new(1_000_000, 1_000_099);

#[test]
fn what_fits_is_kept_as_it_is() {
    let all = samples(&[1.0, 1.0, 1.0, 5.0]);
    assert_eq!(run(RANGE, 4, &all), all);
    assert_eq!(run(RANGE, 5_000, &all), all);
}

#[test]
fn a_spike_and_a_flat_lines_ends_survive() {
    let mut values = vec![1.0; 100];
    values[37] = 99.0;
    let all = samples(&values);
    // Buckets of 50 ms at multiples of 50: two touch the window.
    let points = run(RANGE, 6, &all);
    let got: Vec<(i64, f64)> = points
        .iter()
        .map(|s| (s.time_ms - 1_000_000, s.value))
        .collect();
    assert_eq!(got, [(0, 1.0), (37, 99.0), (50, 1.0), (99, 1.0)]);
}

#[test]
fn i_down_3_memory_follows_the_points() {
    let range = TimeRange::new(0, 1_000_000);
    let mut downsampler = Downsampler::new(range, 10, Keep::Extremes);
    for time_ms in 0..=1_000_000 {
        downsampler.push(Sample::new(time_ms, (time_ms % 100) as f64));
    }
    assert!(downsampler.points.capacity() <= 24);
    assert!(downsampler.finish().len() <= 10);
}

#[test]
fn one_point_is_the_newest() {
    let all = samples(&[1.0, 9.0, 3.0]);
    assert_eq!(run(RANGE, 1, &all), [all[2]]);
}

#[test]
fn i_down_1_holds_around_1970() {
    let all = [-2, -1, 0, 1].map(|time_ms| Sample::new(time_ms, 0.0));
    assert_eq!(run(TimeRange::new(-2, 1), 2, &all), [all[0], all[3]]);
}

#[test]
fn nothing_but_finite_values_comes_out() {
    let stale = tinyobs_model::stale_marker();
    let all = samples(&[f64::NAN, f64::INFINITY, 1.0, f64::NEG_INFINITY, stale]);
    assert_eq!(run(RANGE, 3, &all), [all[2]]);
}

/// What a counter grew by, a drop being a restart at 0.
fn increase(samples: &[Sample]) -> f64 {
    let values = samples
        .windows(2)
        .map(|pair| (pair[0].value, pair[1].value));
    values
        .map(|(before, after)| {
            if after < before {
                after
            } else {
                after - before
            }
        })
        .sum()
}

#[test]
fn i_down_4_the_points_of_a_bucket_with_a_restart() {
    let all = samples(&[5.0, 6.0, 7.0, 9.0, 0.0, 1.0, 1.0, 4.0]);
    let kept = |max_points| -> Vec<f64> {
        let points = run_as(Keep::Increase, RANGE, max_points, &all);
        points.iter().map(|point| point.value).collect()
    };
    assert_eq!(kept(1), [4.0]);
    assert_eq!(kept(2), [5.0, 4.0]);
    assert_eq!(kept(3), [5.0, 4.0]);
    assert_eq!(kept(4), [5.0, 9.0, 0.0, 4.0]);
    assert_eq!(kept(7), [5.0, 9.0, 0.0, 4.0]);
    // Of two restarts the larger is kept: what the other lost is not in the increase.
    let twice = samples(&[0.0, 3.0, 1.0, 9.0, 2.0, 4.0]);
    let points = run_as(Keep::Increase, RANGE, 4, &twice);
    assert_eq!((increase(&points), increase(&twice)), (13.0, 16.0));
}

#[test]
fn i_down_4_a_restart_costs_a_thousand_samples_nothing() {
    let values: Vec<f64> = (0..1_000_u32)
        .map(|i| f64::from(3 * if i < 517 { i + 1 } else { i - 516 }))
        .collect();
    let all = samples(&values);
    let range = TimeRange::new(1_000_000, 1_000_999);
    for max_points in [4, 12, 16, 24, 40, 999] {
        let points = run_as(Keep::Increase, range, max_points, &all);
        assert_eq!(increase(&points), 2_997.0, "{max_points} points");
    }
}

/// A counter that grows by whole numbers and restarts after each `lives` samples.
fn counter(series: &[Sample], lives: &[usize]) -> Vec<Sample> {
    let mut total = 0.0;
    let mut ends = lives.iter().scan(0, |at, life| {
        *at += life;
        Some(*at)
    });
    let mut end = ends.next();
    let step = |(i, sample): (usize, &Sample)| {
        if end == Some(i) {
            total = 0.0;
            end = ends.next();
        }
        total += sample.value.abs();
        Sample::new(sample.time_ms, total)
    };
    series.iter().enumerate().map(step).collect()
}

fn any_series() -> impl Strategy<Value = (TimeRange, Vec<Sample>)> {
    let steps = proptest::collection::vec((1_i64..2_000, -1e3_f64..1e3), 1..400);
    (-2_000_000_i64..2_000_000, steps, 0_i64..5_000).prop_map(|(start_ms, steps, more_ms)| {
        let mut time_ms = start_ms;
        let samples: Vec<Sample> = steps
            .into_iter()
            .map(|(step_ms, value)| {
                time_ms += step_ms;
                Sample::new(time_ms, value.round())
            })
            .collect();
        (TimeRange::new(start_ms, time_ms + more_ms), samples)
    })
}

proptest! {
    /// Against the plainest model there is: a scan over all samples.
    #[test]
    fn i_down_1_and_i_down_2_hold_for_any_series(
        (range, samples) in any_series(),
        max_points in 1_usize..60,
    ) {
        let points = run(range, max_points, &samples);
        prop_assert!(points.len() <= max_points);
        prop_assert!(points.windows(2).all(|pair| pair[0].time_ms < pair[1].time_ms));
        prop_assert!(points.iter().all(|point| samples.contains(point)));
        if samples.len() <= max_points {
            prop_assert_eq!(&points, &samples);
        }
        if max_points == 1 {
            prop_assert_eq!(points[0], *samples.last().unwrap());
        } else {
            let extremes = |samples: &[Sample]| {
                let values = || samples.iter().map(|sample| sample.value);
                (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max))
            };
            prop_assert_eq!(extremes(&points), extremes(&samples));
        }
    }

    /// Against the naive increase over all samples.
    #[test]
    fn i_down_1_and_i_down_4_hold_for_any_counter(
        (range, series) in any_series(),
        lives in proptest::collection::vec(1_usize..200, 0..6),
        max_points in 1_usize..80,
    ) {
        let all = counter(&series, &lives);
        let points = run_as(Keep::Increase, range, max_points, &all);
        prop_assert!(points.len() <= max_points);
        prop_assert!(points.windows(2).all(|pair| pair[0].time_ms < pair[1].time_ms));
        prop_assert!(points.iter().all(|point| all.contains(point)));
        if all.len() <= max_points {
            prop_assert_eq!(&points, &all);
        }
        let buckets = Buckets::new(range, max_points / Keep::Increase.points());
        let restarts: Vec<i128> = all
            .windows(2)
            .filter(|pair| pair[1].value < pair[0].value)
            .map(|pair| buckets.number(pair[1].time_ms))
            .collect();
        let is_exact = all.len() <= max_points
            || (max_points >= 4 && restarts.windows(2).all(|pair| pair[0] != pair[1]))
            || (max_points >= 2 && restarts.is_empty());
        if is_exact {
            prop_assert_eq!(increase(&points), increase(&all));
        } else {
            prop_assert!(increase(&points) <= increase(&all));
        }
    }
}
