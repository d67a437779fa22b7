use std::collections::{BTreeMap, BTreeSet};

use super::{Course, INTERVAL_MS, Kind, Mix};

const END_MS: i64 = 1_800_000_000_000;

fn values(mix: &Mix, series: u32) -> Vec<f64> {
    let mut state = mix.begin(series);
    let steps = 0..mix.steps;
    steps
        .map(|step| mix.next(series, step, &mut state))
        .collect()
}

#[test]
fn i_mix_1_the_same_samples_in_every_run() {
    let (one, two) = (Mix::new(1_200, 40, END_MS), Mix::new(5_000, 40, END_MS));
    for series in 0..1_200 {
        assert_eq!(one.describe(series), two.describe(series));
        assert_eq!(values(&one, series), values(&two, series), "{series}");
    }
    let apart: Vec<f64> = values(&one, 0);
    let each = one.of_target(0).end;
    assert_ne!(apart, values(&one, each), "two targets do not count alike");
}

#[test]
fn i_mix_2_buckets_grow_together_up_to_the_count() {
    let mix = Mix::new(2_000, 60, END_MS);
    let mut histograms: BTreeMap<String, Vec<(f64, Vec<f64>)>> = BTreeMap::new();
    for series in 0..2_000 {
        let (name, _, mut labels) = mix.describe(series);
        let Course::Bucket { bound, .. } = mix.member(series).1.course else {
            continue;
        };
        labels.retain(|(name, _)| *name != "le");
        let family = name.trim_end_matches("_bucket").trim_end_matches("_count");
        let histogram = histograms.entry(format!("{family}{labels:?}")).or_default();
        histogram.push((bound, values(&mix, series)));
    }
    assert!(histograms.len() >= 30);
    for (name, mut buckets) in histograms {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(buckets.len() <= 13, "{name}");
        for pair in buckets.windows(2) {
            let pairs = pair[0].1.iter().zip(&pair[1].1);
            assert!(
                pairs.into_iter().all(|(narrow, wide)| narrow <= wide),
                "{name}"
            );
        }
        if let [.., (_, count), (_, widest)] = &buckets[..]
            && buckets.len() == 13
        {
            assert_eq!(count, widest, "{name}");
            assert!(
                count.windows(2).any(|pair| pair[0] < pair[1]),
                "{name} stands still"
            );
        }
    }
}

#[test]
fn i_mix_3_times_move_forward_and_lie_in_the_past() {
    let mix = Mix::new(3_000, 9, END_MS);
    for target in 0..mix.targets() {
        let times: Vec<i64> = (0..9).map(|step| mix.time_ms(target, step)).collect();
        assert!(
            times
                .windows(2)
                .all(|pair| pair[1] - pair[0] == INTERVAL_MS)
        );
        assert!(times[8] <= END_MS && END_MS - times[8] < INTERVAL_MS);
    }
}

#[test]
fn series_are_distinct_and_have_five_to_eight_labels() {
    let mix = Mix::new(4_321, 1, END_MS);
    let all: BTreeSet<String> = (0..4_321)
        .map(|series| {
            let (name, _, labels) = mix.describe(series);
            assert!((5..=8).contains(&(labels.len() + 1)), "{name}{labels:?}");
            assert!(labels.windows(2).all(|pair| pair[0].0 < pair[1].0));
            format!("{name}{labels:?}")
        })
        .collect();
    assert_eq!(all.len(), 4_321);
    let last = mix.of_target(mix.targets() - 1);
    assert_eq!(last.end, 4_321);
}

#[test]
fn the_mix_is_one_of_real_services() {
    let mix = Mix::new(1, 1, END_MS);
    let all = mix.members.len() as f64;
    let share = |is: &dyn Fn(&Course) -> bool| {
        let count = mix
            .members
            .iter()
            .filter(|member| is(&member.course))
            .count();
        (100.0 * count as f64 / all).round()
    };
    let shares = [
        share(&|course| matches!(course, Course::Constant(_))),
        share(&|course| matches!(course, Course::Bucket { .. } | Course::Sum { .. })),
        share(&|course| matches!(course, Course::Counts { .. })),
        share(&|course| matches!(course, Course::Adds { .. })),
        share(&|course| matches!(course, Course::Wanders { .. })),
        share(&|course| matches!(course, Course::Noise { .. })),
    ];
    assert_eq!((all, shares), (500.0, [14.0, 28.0, 27.0, 9.0, 16.0, 6.0]));
}

#[test]
fn counters_only_fall_to_begin_anew() {
    let mix = Mix::new(500, 300, END_MS);
    for series in 0..500 {
        let (name, kind, _) = mix.describe(series);
        let values = values(&mix, series);
        assert!(values.iter().all(|value| value.is_finite()), "{name}");
        if kind == Kind::Counter {
            let falls = values.windows(2).filter(|pair| pair[1] < pair[0]).count();
            assert!(falls <= 3, "{name} falls {falls} times");
        }
    }
}
