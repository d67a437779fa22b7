//! Evaluation: every query over any samples has an answer within its bounds or an error, and an
//! answer is in order, each series once, inside of the time asked for.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::{
    Columns, Labels, Matcher, Sample, SelectError, SeriesCursor, SeriesSource, TimeRange,
    is_stale_marker, stale_marker,
};
use tinyobs_promql::{AnswerValue, Budget, Control, Query, SeriesPoints, evaluate, parse};

/// Nothing of so few samples needs more.
const BUDGET: Budget = Budget {
    samples: 100_000,
    bytes: 4 << 20,
    steps: 2_000,
};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    let samples = Samples::new(&mut feed);
    let (start_ms, steps) = (i64::from(feed.u8()) * 5_000, i64::from(feed.u8() % 40));
    let step_ms = i64::from(feed.u8()) * 500;
    let delayed_names = feed.u8().is_multiple_of(4);
    let text = expression(&mut feed, 5);
    let Ok(expr) = parse(&text) else {
        return;
    };
    let end_ms = start_ms + steps * step_ms;
    let mut query = match step_ms {
        0 => Query::instant(&expr, &text, start_ms),
        _ => Query::range(&expr, &text, start_ms, end_ms, step_ms),
    };
    query.budget = BUDGET;
    query.delayed_names = delayed_names;
    let Ok(answer) = evaluate(&query, &samples, &Control::new()) else {
        return;
    };
    assert!(answer.stats.bytes_max <= BUDGET.bytes, "{text}");
    match answer.value {
        AnswerValue::Matrix(series) => {
            assert!(series.is_sorted_by(|a, b| a.labels < b.labels), "{text}");
            for one in &series {
                in_order(one, &text);
            }
        }
        AnswerValue::Vector(series) => {
            for (i, one) in series.iter().enumerate() {
                assert_eq!(one.points.len(), 1, "{text}");
                in_order(one, &text);
                assert!(
                    series[..i].iter().all(|other| other.labels != one.labels),
                    "{text}"
                );
            }
        }
        AnswerValue::Scalar(_) | AnswerValue::String(_) => {}
    }
});

fn in_order(series: &SeriesPoints, text: &str) {
    assert!(!series.points.is_empty(), "{text}");
    assert!(
        series.points.is_sorted_by(|a, b| a.time_ms < b.time_ms),
        "{text}"
    );
    assert!(
        !series
            .points
            .iter()
            .any(|point| is_stale_marker(point.value)),
        "{text}"
    );
    let canonical = Labels::from_canonical(series.labels.as_bytes());
    assert_eq!(canonical.as_ref(), Some(&series.labels), "{text}");
}

/// A query, most often one that fits together.
fn expression(feed: &mut Feed<'_>, depth: u8) -> String {
    let at = feed.u8();
    let piece = |feed: &mut Feed<'_>, list: &[&str]| -> String {
        list[usize::from(feed.u8()) % list.len()].to_owned()
    };
    if depth == 0 || feed.is_empty() {
        return piece(feed, &LEAVES);
    }
    let part = |feed: &mut Feed<'_>| expression(feed, depth - 1);
    match at % 8 {
        0 => piece(feed, &LEAVES),
        1 => format!("{}{})", piece(feed, &OPENINGS), part(feed)),
        2 => format!(
            "{}{}{}",
            piece(feed, &RANGES),
            part(feed),
            piece(feed, &WINDOWS)
        ),
        3 => format!(
            "({} {} {})",
            part(feed),
            piece(feed, &OPERATORS),
            part(feed)
        ),
        4 => format!("({} {} 2)", part(feed), piece(feed, &OPERATORS)),
        5 => format!("{}({}, {})", piece(feed, &PAIRS), part(feed), part(feed)),
        6 => format!(
            "{}{}) {}",
            piece(feed, &OPENINGS),
            part(feed),
            piece(feed, &GROUPS)
        ),
        _ => format!("-{}", part(feed)),
    }
}

const LEAVES: [&str; 16] = [
    "x",
    "y",
    "{n=\"1\"}",
    "x offset 7s",
    "x @ 30",
    "y @ end()",
    "h",
    "time()",
    "1",
    "NaN",
    "\"n\"",
    "vector(3)",
    "x smoothed",
    "x[20s]",
    "x[9s] anchored",
    "x[30s] smoothed",
];
const OPENINGS: [&str; 30] = [
    "sum(",
    "avg by (n) (",
    "topk(2, ",
    "bottomk(x, ",
    "quantile(0.3, ",
    "count_values(\"v\", ",
    "limitk(1, ",
    "limit_ratio(0.5, ",
    "stddev(",
    "abs(",
    "timestamp(",
    "absent(",
    "scalar(",
    "vector(",
    "hour(",
    "round(",
    "sort(",
    "sort_by_label(",
    "histogram_quantile(0.9, ",
    "histogram_fraction(0, 1, ",
    "info(",
    "rate(",
    "increase(",
    "changes(",
    "delta(",
    "absent_over_time(",
    "label_replace(",
    "clamp(",
    "histogram_quantiles(",
    "year(",
];
const RANGES: [&str; 12] = [
    "rate((",
    "irate((",
    "avg_over_time((",
    "max_over_time((",
    "last_over_time((",
    "deriv((",
    "quantile_over_time(0.5, (",
    "predict_linear((",
    "resets((",
    "mad_over_time((",
    "ts_of_max_over_time((",
    "absent_over_time((",
];
const WINDOWS: [&str; 5] = [
    ")[20s:5s])",
    ")[1m:])",
    ")[33s:7s] offset -11s)",
    ")[9s:3s] @ 40)",
    ")[5s:1ms])",
];
const OPERATORS: [&str; 22] = [
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "atan2",
    "==",
    "!= bool",
    ">",
    "<= bool",
    "</",
    "and",
    "or",
    "unless",
    "+ on(n)",
    "* on(n) group_left",
    "/ ignoring(n) group_right(m)",
    "+ fill(0)",
    "- on(m) fill_left(1)",
    "and on(n)",
    "or on()",
];
const PAIRS: [&str; 8] = [
    "max_of",
    "clamp_max",
    "round",
    "info",
    "quantile_over_time",
    "predict_linear",
    "topk",
    "label_join",
];
const GROUPS: [&str; 4] = ["", "by (n)", "without (m, n)", "by (__name__, le)"];

/// A few series of any values.
struct Samples(Vec<(Labels, Columns)>);

impl Samples {
    fn new(feed: &mut Feed<'_>) -> Self {
        let mut series = Vec::new();
        for (name, n, le) in [
            ("h", "1", "+Inf"),
            ("h", "1", "1"),
            ("x", "1", ""),
            ("x", "2", ""),
            ("y", "1", ""),
        ] {
            let labels = Labels::of_pairs([("__name__", name), ("n", n), ("le", le), ("m", "a")]);
            let (mut columns, mut time_ms) = (Columns::default(), 0);
            for _ in 0..feed.u8() % 12 {
                time_ms += 1 + i64::from(feed.u8()) * 250;
                let value = match feed.u8() {
                    255 => stale_marker(),
                    254 => f64::NAN,
                    253 => f64::INFINITY,
                    252 => f64::from_bits(feed.u64()),
                    small => f64::from(small) - 20.0,
                };
                columns.push(Sample::new(time_ms, value));
            }
            series.push((labels, columns));
        }
        series.sort_by(|a, b| a.0.cmp(&b.0));
        Self(series)
    }
}

struct Cursor(Labels, Option<Columns>);

impl SeriesCursor for Cursor {
    fn labels(&self) -> &Labels {
        &self.0
    }

    fn next_block(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        *out = self.1.take().unwrap_or_default();
        Ok(!out.is_empty())
    }
}

impl SeriesSource for Samples {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<Box<dyn SeriesCursor>>, SelectError> {
        let mut cursors: Vec<Box<dyn SeriesCursor>> = Vec::new();
        for (labels, columns) in &self.0 {
            if matchers
                .iter()
                .all(|matcher| matcher.matches_labels(labels))
            {
                let mut inside = Columns::default();
                for sample in columns
                    .iter()
                    .filter(|sample| range.contains(sample.time_ms))
                {
                    inside.push(sample);
                }
                cursors.push(Box::new(Cursor(labels.clone(), Some(inside))));
            }
        }
        Ok(cursors)
    }
}
