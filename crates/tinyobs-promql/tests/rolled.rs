//! Rolled: queries over rollups of a real store: exact where they can be, else as the rows say.

use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use tinyobs_model::{
    Kind, Matcher, Resolution, ResolvedCursor, Rollup, Sample, SelectError, SeriesCursor,
    SeriesSource, Stretch, TimeRange,
};
use tinyobs_promql::{Budget, Control, Query, evaluate, parse};
use tinyobs_store::Store;

#[path = "rolled/world.rs"]
mod world;

use world::{BORDER, DAY, HOUR, Line, MINUTE, World, points, range};

const FIVE: i64 = 5 * MINUTE;

/// A sample every `interval_ms`, never where windows meet, with gaps and, of counters, restarts.
fn line(label: &'static str, kind: Kind, interval_ms: i64, steps: &[u8]) -> Line {
    let (mut time_ms, mut value) = (BORDER - 6 * HOUR + 1 + interval_ms / 3, 0.0);
    let mut samples = Vec::new();
    for &step in steps {
        match step {
            0 => time_ms += 40 * MINUTE,
            1 if kind == Kind::Counter => value = 3.0,
            _ if kind == Kind::Counter => value += f64::from(step),
            _ => value = f64::from(step) - 100.0,
        }
        time_ms += interval_ms;
        if time_ms % FIVE != 0 {
            samples.push(Sample::new(time_ms, value));
        }
    }
    Line {
        label,
        kind,
        samples,
    }
}

fn steady(interval_ms: i64, hours: i64) -> Line {
    let count = hours * HOUR / interval_ms;
    let steps: Vec<u8> = (0..count).map(|i| 2 + (i % 7) as u8).collect();
    line("a", Kind::Counter, interval_ms, &steps)
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let steps = || {
        let step = prop_oneof![1 => Just(0u8), 1 => Just(1u8), 60 => 2..200u8];
        prop::collection::vec(step, 50..900)
    };
    let interval = || prop::sample::select(vec![15_000, 30_000, 60_000, 7_919]);
    (steps(), interval(), steps(), interval()).prop_map(|(a, every_a, b, every_b)| {
        vec![
            line("a", Kind::Counter, every_a, &a),
            line("b", Kind::Gauge, every_b, &b),
        ]
    })
}

/// What rows say exactly, as long as ranges begin and end where windows do.
const EXACT: [&str; 14] = [
    "count_over_time({l=~\"a|b\"}[R])",
    "sum_over_time({l=~\"a|b\"}[R])",
    "min_over_time({l=~\"a|b\"}[R])",
    "max_over_time({l=~\"a|b\"}[R])",
    "avg_over_time({l=~\"a|b\"}[R])",
    "last_over_time({l=~\"a|b\"}[R])",
    "first_over_time({l=~\"a|b\"}[R])",
    "present_over_time({l=~\"a|b\"}[R])",
    "ts_of_first_over_time({l=~\"a|b\"}[R])",
    "ts_of_last_over_time({l=~\"a|b\"}[R])",
    "delta({l=~\"a|b\"}[R])",
    "increase(m_total{l=\"a\"}[R])",
    "rate(m_total{l=\"a\"}[R] offset 10m)",
    "absent_over_time(m_total{l=\"a\"}[R])",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn i_rows_3_at_the_borders_of_windows_rows_say_what_samples_say(
        lines in lines(),
        windows in 1..30_i64,
        step in 1..12_i64,
        shift in 0..12_i64,
    ) {
        let world = World::of(&lines);
        let steps = (BORDER - 7 * HOUR + shift * FIVE, BORDER + 3 * HOUR, step * FIVE);
        for text in EXACT {
            let text = text.replace('R', &format!("{}m", windows * 5));
            let raw = range(&world.raw, &text, steps).expect("an answer");
            let rolled = range(&world.rolled, &text, steps).expect("an answer");
            prop_assert_eq!(points(&raw), points(&rolled), "{}", &text);
            prop_assert_eq!(&rolled.warnings, &raw.warnings, "{}", &text);
        }
    }

    #[test]
    fn i_points_1_at_the_borders_of_windows_an_instant_is_what_samples_say(
        lines in lines(),
        step in 1..12_i64,
    ) {
        let world = World::of(&lines);
        let steps = (BORDER - 7 * HOUR, BORDER + 3 * HOUR, step * FIVE);
        for text in ["{l=~\"a|b\"}", "timestamp({l=~\"a|b\"})"] {
            let raw = points(&range(&world.raw, text, steps).expect("an answer"));
            let rolled = points(&range(&world.rolled, text, steps).expect("an answer"));
            // The look-back and the width of a window are the same here.
            prop_assert_eq!(raw, rolled, "{}", text);
        }
    }

    #[test]
    fn anywhere_rows_say_what_they_naively_come_to(
        lines in lines(),
        range_ms in 600_000..9_000_000_i64,
        step_ms in 100_000..2_000_000_i64,
        shift in 0..300_000_i64,
    ) {
        let world = World::of(&lines);
        // Nothing here reaches beyond the border.
        let steps = (BORDER - 6 * HOUR + shift, BORDER, step_ms);
        let rows = rows_of(&world.rolled, "a");
        for (name, naive) in NAIVE {
            let text = format!("{name}(m_total{{l=\"a\"}}[{range_ms}ms])");
            let answer = range(&world.rolled, &text, steps).expect("an answer");
            let mut expected = Vec::new();
            let mut at = steps.0;
            while at <= steps.1 {
                let ends = |row: &&Rollup| {
                    let end_ms = row.start_ms + FIVE;
                    at - range_ms < end_ms && end_ms <= at
                };
                let inside: Vec<Rollup> = rows.iter().filter(ends).copied().collect();
                // A range that meets no row's window has none, whatever ends in it.
                if let Some(value) = naive(&inside) {
                    expected.push(("a".to_owned(), at, value));
                }
                at += step_ms;
            }
            prop_assert_eq!(points(&answer), expected, "{}", text);
        }
    }
}

type Naive = fn(&[Rollup]) -> Option<f64>;

const NAIVE: [(&str, Naive); 5] = [
    ("count_over_time", |rows| {
        let count: u64 = rows.iter().map(|row| row.count).sum();
        (count > 0).then_some(count as f64)
    }),
    ("sum_over_time", |rows| {
        (!rows.is_empty()).then(|| rows.iter().map(|row| row.sum).sum())
    }),
    ("max_over_time", |rows| {
        rows.iter().map(|row| row.max).reduce(f64::max)
    }),
    ("last_over_time", |rows| {
        rows.last().map(|row| row.last.value)
    }),
    ("changes", |rows| {
        let lasts = rows.windows(2);
        let changed = lasts.filter(|pair| pair[0].last.value != pair[1].last.value);
        (!rows.is_empty()).then_some(changed.count() as f64)
    }),
];

fn rows_of(store: &Store, label: &str) -> Vec<Rollup> {
    let matchers = [Matcher::equal("l", label)];
    let cursors = store.select_resolved(&matchers, TimeRange::ALL, 1);
    let (mut rows, mut stretch) = (Vec::new(), Stretch::default());
    for mut cursor in cursors.expect("selects") {
        let cursor: &mut dyn ResolvedCursor = cursor.as_mut();
        while cursor.next_stretch(&mut stretch).expect("reads") {
            rows.append(&mut stretch.rollups);
        }
    }
    rows
}

#[test]
fn i_read_1_where_there_are_samples_nothing_is_different() {
    let world = World::of(&[steady(15_000, 12)]);
    for text in [
        "m_total",
        "rate(m_total[5m])",
        "quantile_over_time(0.3, m_total[7m])",
        "stddev_over_time(m_total[1m])",
    ] {
        // The first range begins at the border, its left edge left out.
        let steps = (BORDER + 7 * MINUTE, BORDER + 2 * HOUR, 17_000);
        let raw = range(&world.raw, text, steps).expect("an answer");
        let rolled = range(&world.rolled, text, steps).expect("an answer");
        assert_eq!(points(&raw), points(&rolled), "{text}");
        assert_eq!(rolled.warnings, raw.warnings);
        let [read] = rolled.stats.resolutions[..] else {
            panic!("{:?}", rolled.stats.resolutions);
        };
        assert_eq!(read.resolution, Resolution::Raw);
        assert_eq!(rolled.stats.samples, raw.stats.samples);
    }
}

#[test]
fn i_window_4_one_millisecond_decides_at_the_border() {
    let world = World::of(&[steady(15_000, 12)]);
    let text = "count_over_time(m_total[1m])";
    let count = |at| points(&range(&world.rolled, text, (at, at, 1)).expect("an answer"))[0].2;
    // Four samples a minute. A range that has the last millisecond of a window in it, its left edge
    // left out, has all of the window.
    assert_eq!(count(BORDER + MINUTE), 4.0);
    assert_eq!(count(BORDER + MINUTE - 1), 4.0);
    assert_eq!(count(BORDER + MINUTE - 2), 20.0 + 4.0);
    assert_eq!(count(BORDER), 20.0);
}

#[test]
fn i_rows_4_a_range_narrower_than_a_window_is_widened_and_says_so() {
    let world = World::of(&[steady(15_000, 12)]);
    let steps = (BORDER - 2 * HOUR, BORDER - HOUR, FIVE);
    let narrow = range(&world.rolled, "rate(m_total[1m])", steps).expect("an answer");
    let wide = range(&world.rolled, "rate(m_total[5m])", steps).expect("an answer");
    assert_eq!(points(&narrow), points(&wide));
    assert_eq!(points(&narrow).len(), 13);
    assert_eq!(wide.warnings, [""; 0]);
    assert_eq!(
        narrow.warnings,
        [
            "PromQL warning: windows of 5m are all there is from 2025-11-08T21:55:00Z to \
          2025-11-08T23:00:00Z: the range of 60s is widened to 300s (1:6)"
        ]
    );
}

#[test]
fn i_rows_6_a_range_that_takes_in_what_is_before_it_says_so() {
    let world = World::of(&[steady(15_000, 12)]);
    let warned = |text: &str, steps| {
        let answer = range(&world.rolled, text, steps).expect("an answer");
        (points(&answer)[0].2, answer.warnings)
    };
    // Two windows are in seven minutes, forty samples in place of twenty-eight.
    let at = BORDER - 2 * HOUR;
    let once = (at, at, 1);
    let warning = "PromQL warning: windows of 5m are all there is from 2025-11-08T21:50:00Z to \
                   2025-11-08T22:00:00Z: the range of 420s takes in up to 300s before it";
    let (count, warnings) = warned("count_over_time(m_total[7m])", once);
    assert_eq!((count, warnings), (40.0, vec![format!("{warning} (1:17)")]));
    let (_, warnings) = warned("sum(sum_over_time(m_total[7m]))", once);
    assert_eq!(warnings, [format!("{warning} (1:19)")]);
    // What knows how much it is, or is not touched by it, has nothing to say; nor has a range that is
    // as wide as its windows, wherever they begin, or that holds one window only.
    let later = (at + 2 * MINUTE, at + 2 * MINUTE, 1);
    for (text, steps) in [
        ("rate(m_total[7m])", once),
        ("increase(m_total[7m])", once),
        ("last_over_time(m_total[7m])", once),
        ("count_over_time(m_total[10m])", once),
        ("count_over_time(m_total[10m])", later),
        ("count_over_time(m_total[7m])", later),
    ] {
        assert_eq!(warned(text, steps).1, [""; 0], "{text}");
    }
    // Ten minutes, seven of them windows: the first begins three minutes before.
    let (count, warnings) = warned(
        "count_over_time(m_total[10m])",
        (BORDER + 3 * MINUTE, BORDER + 3 * MINUTE, 1),
    );
    assert_eq!(count, 40.0 + 12.0);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("the range of 600s takes in up to 300s before it"));
}

#[test]
fn i_rows_5_what_has_no_column_is_made_of_last_values_and_says_so() {
    let world = World::of(&[steady(15_000, 12)]);
    let steps = (BORDER - 2 * HOUR, BORDER - HOUR, HOUR);
    let text = "quantile_over_time(1, m_total[30m])";
    let answer = range(&world.rolled, text, steps).expect("an answer");
    let last = range(&world.rolled, "last_over_time(m_total[30m])", steps).expect("an answer");
    assert_eq!(points(&answer), points(&last));
    assert_eq!(
        answer.warnings,
        [
            "PromQL warning: windows of 5m are all there is from 2025-11-08T21:30:00Z to \
          2025-11-08T23:00:00Z, which have no column for quantile_over_time: their last values are \
          taken (1:23)"
        ]
    );
    assert_eq!(last.warnings, [""; 0]);
    // A gauge has no increase.
    let steps: Vec<u8> = (2..200).cycle().take(720).collect();
    let world = World::of(&[line("b", Kind::Gauge, 15_000, &steps)]);
    let grid = (BORDER - 4 * HOUR, BORDER - 3 * HOUR, HOUR);
    for (text, at) in [("increase(g[1h])", "1:10"), ("sum(rate(g[1h]))", "1:10")] {
        let answer = range(&world.rolled, text, grid).expect("an answer");
        let what = if text.contains("rate") {
            "rate"
        } else {
            "increase"
        };
        assert_eq!(
            answer.warnings,
            [format!(
                "PromQL warning: windows of 5m are all there is from 2025-11-08T19:00:00Z to \
                 2025-11-08T21:00:00Z, which have no column for {what} of a gauge: their first and \
                 last values are taken ({at})"
            )]
        );
    }
}

#[test]
fn hours_answer_where_nothing_else_is_kept() {
    let world = World::of_hours(&[steady(15_000, 5)]);
    let steps = (BORDER - 5 * HOUR, BORDER - 2 * HOUR, HOUR);
    for text in [
        "increase(m_total[2h])",
        "sum_over_time(m_total[1h])",
        "m_total",
    ] {
        let raw = range(&world.raw, text, steps).expect("an answer");
        let rolled = range(&world.rolled, text, steps).expect("an answer");
        assert_eq!(points(&raw), points(&rolled), "{text}");
        let read = &rolled.stats.resolutions;
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].resolution, Resolution::Hour);
        assert_eq!(rolled.stats.samples, read[0].count);
    }
    // Within an hour its first value is the latest that is known; five minutes later too.
    let within = (BORDER - 5 * HOUR + 59 * MINUTE, BORDER - 3 * HOUR, HOUR);
    let text = "timestamp(m_total)";
    let found = points(&range(&world.rolled, text, within).expect("an answer"));
    let first = (BORDER - 5 * HOUR + 15_000 - 9_999) as f64 / 1_000.0;
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].2, first);
}

#[test]
fn i_points_2_a_series_that_ended_is_not_looked_back_to() {
    let mut ended = steady(60_000, 2);
    let last_ms = ended.samples.last().expect("samples").time_ms;
    ended
        .samples
        .push(Sample::new(last_ms + 1_000, tinyobs_model::stale_marker()));
    let steps = (last_ms - 2_000, last_ms + 4 * MINUTE, 500);
    let world = World::of_hours(&[ended]);
    let found = points(&range(&world.rolled, "timestamp(m_total)", steps).expect("an answer"));
    // The marker's own time is not kept, only that it came after the last sample.
    let at_end: Vec<i64> = found
        .iter()
        .map(|point| point.1)
        .filter(|&at| at >= last_ms)
        .collect();
    assert_eq!(at_end, [last_ms]);

    // Without a marker, for as long as the window is wide.
    let world = World::of_hours(&[steady(60_000, 2)]);
    let steps = (last_ms, last_ms + 2 * HOUR, MINUTE);
    let found = points(&range(&world.rolled, "m_total", steps).expect("an answer"));
    assert_eq!(found.len(), 60);
}

#[test]
fn too_many_samples_are_read_as_windows_and_the_answer_says_so() {
    let world = World::of(&[steady(15_000, 12)]);
    let text = "sum_over_time(m_total[1h])";
    let expr = parse(text).expect("a query");
    let mut query = Query::range(&expr, text, BORDER + 2 * HOUR, BORDER + 5 * HOUR, HOUR);
    let ask = |query: &Query<'_>| evaluate(query, &world.raw, &Control::new());
    let fine = ask(&query).expect("an answer");
    assert_eq!(fine.stats.resolutions[0].resolution, Resolution::Raw);
    query.budget = Budget {
        samples: fine.stats.samples - 1,
        ..Budget::default()
    };
    let coarse = ask(&query).expect("an answer");
    assert_eq!(
        points(&coarse),
        points(&fine),
        "these ranges are whole windows"
    );
    assert_eq!(
        coarse.stats.resolutions[0].resolution,
        Resolution::FiveMinutes
    );
    assert_eq!(
        coarse.warnings,
        [format!(
            "PromQL warning: raw samples would be more than the {} that a query may read, windows \
             of 5m are read instead where there are any (1:15)",
            query.budget.samples
        )]
    );
    query.budget.samples = coarse.stats.samples - 1;
    let coarser = ask(&query).expect("an answer");
    assert_eq!(points(&coarser), points(&fine));
    assert_eq!(coarser.stats.resolutions[0].resolution, Resolution::Hour);
    query.budget.samples = coarser.stats.samples - 1;
    assert!(ask(&query).is_err(), "there is nothing coarser");

    // A range of a minute needs its samples.
    let text = "sum_over_time(m_total[1m])";
    let expr = parse(text).expect("a query");
    let mut query = Query::range(&expr, text, BORDER, BORDER + DAY / 2, MINUTE);
    query.budget.samples = 100;
    assert!(ask(&query).is_err());
}

#[test]
fn a_steady_counter_is_steady_across_rows_and_samples() {
    let samples = (0..12 * 240).map(|i| {
        let time_ms = BORDER - 6 * HOUR + 4_321 + i * 15_000;
        Sample::new(time_ms, 1_000.0 + 4.0 * i as f64)
    });
    let line = Line {
        label: "a",
        kind: Kind::Counter,
        samples: samples.collect(),
    };
    let world = World::of(&[line]);
    let per_second = 4.0 / 15.0;
    for minutes in [5, 7, 60] {
        let steps = (BORDER - 4 * HOUR, BORDER + 2 * HOUR, 77_777);
        let asked = [("rate", 1.0), ("increase", f64::from(minutes) * 60.0)];
        for (name, seconds) in asked {
            let text = format!("{name}(m_total[{minutes}m])");
            let found = points(&range(&world.rolled, &text, steps).expect("an answer"));
            assert_eq!(found.len(), 278, "{text}");
            for (_, at, value) in found {
                let off = value / (per_second * seconds) - 1.0;
                assert!(off.abs() < 1e-9, "{text} at {at}: {value}");
            }
        }
    }
}

/// Whose raw samples are dropped while the first answer is made.
struct Moving {
    world: World,
    moved: AtomicBool,
}

impl SeriesSource for Moving {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<Box<dyn SeriesCursor>>, SelectError> {
        self.moved.store(true, Ordering::SeqCst);
        self.world.rolled.select(matchers, range)
    }

    fn select_resolved(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        step_ms: i64,
    ) -> Result<Vec<Box<dyn ResolvedCursor>>, SelectError> {
        self.world.rolled.select_resolved(matchers, range, step_ms)
    }

    fn raw_from_ms(&self) -> i64 {
        let moved = self.moved.load(Ordering::SeqCst);
        if moved { BORDER } else { i64::MIN }
    }
}

#[test]
fn i_read_2_what_is_dropped_meanwhile_is_read_as_rows() {
    let world = World::of(&[steady(15_000, 12)]);
    let text = "sum(increase(m_total[1h]))";
    let expr = parse(text).expect("a query");
    let query = Query::range(&expr, text, BORDER - 4 * HOUR, BORDER, HOUR);
    let expected = evaluate(&query, &world.raw, &Control::new()).expect("an answer");
    let moving = Moving {
        world,
        moved: AtomicBool::new(false),
    };
    let found = evaluate(&query, &moving, &Control::new()).expect("an answer");
    assert_eq!(found.value, expected.value);
    assert_eq!(
        found.stats.resolutions[0].resolution,
        Resolution::FiveMinutes
    );
}
