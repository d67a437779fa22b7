//! Lines whose stretches come in different resolutions, from a source that follows a script.

use std::sync::Mutex;

use tinyobs_model::Rollup;

use super::*;

const M: i64 = 60_000;
const H: i64 = 60 * M;

/// One series of these stretches; remembers the step it was asked for.
#[derive(Default)]
struct Script {
    stretches: Vec<Stretch>,
    step_ms: Mutex<Option<i64>>,
}

struct ScriptCursor {
    labels: Labels,
    rest: Vec<Stretch>,
}

impl SeriesSource for Script {
    fn select(
        &self,
        _: &[Matcher],
        _: TimeRange,
    ) -> Result<Vec<Box<dyn SeriesCursor>>, SelectError> {
        panic!("a chart is read by select_resolved")
    }

    fn select_resolved(
        &self,
        _: &[Matcher],
        _: TimeRange,
        step_ms: i64,
    ) -> Result<Vec<Box<dyn ResolvedCursor>>, SelectError> {
        *self.step_ms.lock().unwrap() = Some(step_ms);
        let mut rest = self.stretches.clone();
        rest.reverse();
        let labels = Labels::new("m", []).unwrap();
        Ok(vec![Box::new(ScriptCursor { labels, rest })])
    }
}

impl ResolvedCursor for ScriptCursor {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn next_stretch(&mut self, out: &mut Stretch) -> Result<bool, SelectError> {
        *out = Stretch::default();
        let Some(stretch) = self.rest.pop() else {
            return Ok(false);
        };
        *out = stretch;
        Ok(true)
    }
}

fn raw(samples: &[(i64, f64)]) -> Stretch {
    let mut stretch = Stretch::default();
    for (time_ms, value) in samples {
        stretch.samples.push(Sample::new(*time_ms, *value));
    }
    stretch
}

/// Rows of ten samples between the second and the last second of their window.
fn rows(resolution: Resolution, windows: &[(i64, [f64; 4], f64)]) -> Stretch {
    let row = |(start_ms, [first, min, max, last], increase): &(i64, [f64; 4], f64)| Rollup {
        start_ms: *start_ms,
        count: 10,
        sum: 10.0 * first,
        min: *min,
        max: *max,
        first: Sample::new(start_ms + 1_000, *first),
        last: Sample::new(start_ms + resolution.width_ms() - 1_000, *last),
        increase: *increase,
        ended: false,
    };
    Stretch {
        resolution,
        rollups: windows.iter().map(row).collect(),
        ..Stretch::default()
    }
}

fn line(source: &Script, kind: Kind, range: TimeRange, max_points: usize) -> Line {
    let kinds = HashMap::from([("m".to_owned(), kind)]);
    let all = vec![Vec::new()];
    let cancel = Cancel::default();
    let mut lines = lines(source, &kinds, &all, range, max_points, &cancel).unwrap();
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

fn points(line: &Line) -> Vec<(i64, f64)> {
    line.points.iter().map(|point| (point.t, point.v)).collect()
}

/// Hour, five minutes, samples; a process restarts in the hour, another in the five minutes.
fn stitched() -> Script {
    Script {
        stretches: vec![
            rows(Resolution::Hour, &[(0, [10.0, 0.0, 90.0, 40.0], 120.0)]),
            rows(
                Resolution::FiveMinutes,
                &[(H, [41.0, 41.0, 50.0, 50.0], 9.0)],
            ),
            rows(
                Resolution::FiveMinutes,
                &[(H + 5 * M, [51.0, 0.0, 60.0, 99.0], 108.0)],
            ),
            raw(&[(H + 10 * M, 100.0), (H + 11 * M, 7.0), (H + 12 * M, 9.0)]),
        ],
        ..Script::default()
    }
}

#[test]
fn i_range_4_increases_add_up_over_every_seam() {
    let line = line(&stitched(), Kind::Counter, TimeRange::new(0, 2 * H), 1_000);
    let values: Vec<f64> = line.points.iter().map(|point| point.v).collect();
    assert_eq!(
        values,
        [
            10.0, 90.0, 40.0, // The hour: 80 up to its restart and 40 after.
            41.0, 50.0, // Five minutes without a restart.
            51.0, 60.0, 0.0, 99.0, // With one that the last value would hide.
            100.0, 7.0, 9.0
        ]
    );
    let steps = values.windows(2);
    let increase: f64 = steps
        .map(|pair| tinyobs_model::rollup::junction(pair[0], pair[1]))
        .sum();
    // Inside the windows, at the four junctions, and in the samples.
    assert_eq!(
        increase,
        (120.0 + 9.0 + 108.0) + (1.0 + 1.0 + 1.0) + (7.0 + 2.0)
    );
}

#[test]
fn i_range_1_a_spike_that_only_a_row_remembers_is_drawn() {
    for max_points in [2, 3, 7, 1_000] {
        let line = line(
            &stitched(),
            Kind::Gauge,
            TimeRange::new(0, 2 * H),
            max_points,
        );
        assert!(line.points.len() <= max_points);
        let values: Vec<f64> = line.points.iter().map(|point| point.v).collect();
        assert!(
            values.contains(&100.0) && values.contains(&0.0),
            "{values:?}"
        );
    }
}

#[test]
fn i_range_5_each_stretch_says_what_answered() {
    let range = TimeRange::new(10 * M, H + 12 * M);
    let line = line(&stitched(), Kind::Gauge, range, 1_000);
    assert_eq!(line.resolution, "1h");
    let answered = |start, end, resolution| Answered {
        start,
        end,
        resolution,
    };
    assert_eq!(
        line.stretches,
        [
            answered(10 * M, H - 1, Resolution::Hour),
            answered(H, H + 10 * M - 1, Resolution::FiveMinutes),
            answered(H + 10 * M, H + 12 * M, Resolution::Raw),
        ]
    );
    let points = points(&line);
    assert!(points.iter().all(|(t, _)| range.contains(*t)), "{points:?}");
    // The first sample of the hour is cut, its spike is not.
    assert_eq!(points[0].1, 0.0);
    assert_eq!(points[1].1, 90.0);
    assert_eq!(points.last(), Some(&(H + 12 * M, 9.0)));
    let text = serde_json::to_value(&line).unwrap();
    assert_eq!(
        text["stretches"][1],
        serde_json::json!({"start": H, "end": H + 10 * M - 1, "resolution": "5m"})
    );
}

#[test]
fn a_window_that_only_ends_the_line_draws_nothing() {
    let mut end = rows(Resolution::FiveMinutes, &[(5 * M, [0.0; 4], 0.0)]);
    end.rollups[0].count = 0;
    end.rollups[0].ended = true;
    let script = Script {
        stretches: vec![
            rows(Resolution::FiveMinutes, &[(0, [1.0, 1.0, 2.0, 2.0], 1.0)]),
            end,
        ],
        ..Script::default()
    };
    let line = line(&script, Kind::Counter, TimeRange::new(0, H), 100);
    assert_eq!(points(&line), [(1_000, 1.0), (5 * M - 1_000, 2.0)]);
}

#[test]
fn i_range_2_rows_are_counted_like_samples() {
    let cancel = Cancel::default();
    let cancelled = Cancel::cancelled();
    let read = |cancel| {
        let all = vec![Vec::new()];
        let range = TimeRange::new(0, H);
        let lines = lines(&stitched(), &HashMap::new(), &all, range, 10, cancel);
        lines
            .map(|lines| lines.len())
            .map_err(|error| error.into_response().status().as_u16())
    };
    assert_eq!(read(&cancel), Ok(1));
    // Asked between two stretches of rows, too.
    assert_eq!(read(&cancelled), Err(503));
}

#[test]
fn the_step_is_the_window_over_the_points() {
    let script = stitched();
    for (window_ms, max_points, step_ms) in [
        (H, 1_000, 3_600),
        (300_000 * 1_000, 1_000, 300_000),
        (300_000 * 1_000 - 1, 1_000, 299_999),
        (H * 1_000, 1_000, H),
        (H * 1_000 - 1, 1_000, H - 1),
        (0, 1, 1),
        (10, 5_000, 1),
    ] {
        let range = TimeRange::new(-5, window_ms - 5);
        let cancel = Cancel::default();
        lines(
            &script,
            &HashMap::new(),
            &vec![Vec::new()],
            range,
            max_points,
            &cancel,
        )
        .unwrap();
        assert_eq!(*script.step_ms.lock().unwrap(), Some(step_ms));
    }
}
