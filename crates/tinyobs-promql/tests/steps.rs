//! Steps: a step of a range query knows nothing of the others: it is what an instant query says.

use proptest::collection::vec;
use proptest::prelude::*;
use tinyobs_model::{Labels, Sample, stale_marker};
use tinyobs_promql::{
    Answer, AnswerValue, Control, EvalError, Query, SeriesPoints, evaluate, parse,
};

#[path = "scripts/memory.rs"]
mod memory;

use memory::Memory;

fn instant(memory: &Memory, text: &str, at_ms: i64) -> Result<Answer, EvalError> {
    let expr = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    evaluate(&Query::instant(&expr, text, at_ms), memory, &Control::new())
}

/// Queries that look at everything a step could wrongly share with its neighbours.
const QUERIES: [&str; 46] = [
    "x",
    "x offset 1m",
    "x @ 300",
    "x @ end()",
    "x smoothed",
    "timestamp(x)",
    "rate(x[5m])",
    "increase(x[2m30s])",
    "increase(x[3m] anchored)",
    "increase(x[3m] smoothed)",
    "delta(x[3m] offset -1m)",
    "irate(x[4m])",
    "idelta(x[4m])",
    "deriv(x[10m])",
    "predict_linear(x[10m], 60)",
    "changes(x[7m])",
    "resets(x[7m] anchored)",
    "avg_over_time(x[6m])",
    "sum_over_time(x[6m])",
    "stddev_over_time(x[6m])",
    "quantile_over_time(0.3, x[6m])",
    "mad_over_time(x[6m])",
    "min_over_time(x[6m])",
    "ts_of_max_over_time(x[6m])",
    "last_over_time(x[6m])",
    "double_exponential_smoothing(x[9m], 0.4, 0.6)",
    "max_over_time(rate(x[3m])[6m:90s])",
    "sum_over_time(x[5m:1m] offset 2m)",
    "absent(x{n=\"1\"})",
    "absent_over_time(x{n=\"0\"}[1m])",
    "scalar(x{n=\"1\"})",
    "sum(x)",
    "avg by (n) (x)",
    "stddev(x)",
    "quantile(0.4, x)",
    "topk(2, x)",
    "bottomk(1, x)",
    "limitk(2, x)",
    "count_values(\"v\", x > 0)",
    "x + on(n) group_left x",
    "x / ignoring(a) group_right x",
    "x and on(n) (x > 3)",
    "x unless (x > 3)",
    "(x < 3) or (x * 100)",
    "x > bool 4",
    "x + fill(1) (x > 4)",
];

/// Queries made of one another, most of which have an answer.
fn query() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(&[
        "x",
        "x{n=~\"[01]\"}",
        "x offset 30s",
        "x @ 400",
        "y",
        "(x > 2)",
        "vector(time())",
    ]);
    let range = prop::sample::select(&["avg", "sum", "max", "last", "stdvar", "ts_of_min"]);
    let rate = prop::sample::select(&["rate", "delta", "irate", "deriv", "changes", "resets"]);
    let call = prop::sample::select(&["abs", "-", "sgn", "timestamp", "absent", "round", "hour"]);
    let fold = prop::sample::select(&[
        "sum",
        "avg",
        "min",
        "count",
        "stddev",
        "group",
        "topk by (n) (1, ",
        "bottomk(2, ",
        "quantile(0.7, ",
        "limit_ratio(0.6, ",
        "count_values(\"v\", ",
    ]);
    let by = prop::sample::select(&["", " by (n)", " without (n)", " by (m)"]);
    let op = prop::sample::select(&[
        "+", "-", "*", "/", "%", "^", "atan2", "==", "!= bool", "<", ">= bool", "and", "or",
        "unless",
    ]);
    let on = prop::sample::select(&["", "on(n)", "ignoring(n)", "on()", "on(n) group_left(m)"]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(4, 12, 3, move |inner| {
            prop_oneof![
                (call.clone(), inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
                (range.clone(), inner.clone())
                    .prop_map(|(f, a)| format!("{f}_over_time(({a})[3m:40s])")),
                (rate.clone(), inner.clone())
                    .prop_map(|(f, a)| format!("{f}(({a})[4m:50s] offset 20s)")),
                (fold.clone(), by.clone(), inner.clone()).prop_map(|(f, by, a)| {
                    let open = if f.ends_with(' ') { "" } else { "(" };
                    let by = if f.contains(" by ") { "" } else { by };
                    format!("{f}{open}{a}){by}")
                }),
                (op.clone(), on.clone(), inner.clone(), inner.clone()).prop_map(
                    |(op, on, a, b)| {
                        let set = matches!(op, "and" | "or" | "unless") && on.contains("group");
                        format!("({a} {op} {} {b})", if set { "" } else { on })
                    }
                ),
                (op.clone(), inner).prop_map(|(op, a)| format!("({a} {op} 2)")),
            ]
        })
}

/// Minutes, series and values that are close together, so that much happens.
fn series() -> impl Strategy<Value = Vec<(i64, u8, f64)>> {
    let value = prop_oneof![
        8 => (0..8_i32).prop_map(f64::from),
        1 => Just(stale_marker()),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
    ];
    vec((0..1_200_i64, 0..4_u8, value), 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_step_of_a_range_is_what_an_instant_query_says(samples in series(), step_s in 20..200_i64) {
        let memory = memory_of(&samples);
        for text in QUERIES {
            let compared = steps_agree(&memory, text, step_s * 1_000)?;
            prop_assert!(compared, "{text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_step_of_any_range_is_what_an_instant_query_says(
        samples in series(),
        text in query(),
        step_s in 20..200_i64,
    ) {
        steps_agree(&memory_of(&samples), &text, step_s * 1_000)?;
    }
}

fn memory_of(samples: &[(i64, u8, f64)]) -> Memory {
    let mut memory = Memory::default();
    for &(second, n, value) in samples {
        let number = n.to_string();
        let labels = Labels::of_pairs([("__name__", "x"), ("n", number.as_str()), ("m", "1")]);
        memory.insert(&labels, second * 1_000, value);
    }
    memory
}

/// Whether there is an answer to compare; if so, it is the same step by step.
fn steps_agree(memory: &Memory, text: &str, step_ms: i64) -> Result<bool, TestCaseError> {
    let (start, end) = (0, 1_300_000);
    let Ok(expr) = parse(text) else {
        return Ok(false);
    };
    let query = Query::range(&expr, text, start, end, step_ms);
    let Ok(Answer {
        value: AnswerValue::Matrix(range),
        ..
    }) = evaluate(&query, memory, &Control::new())
    else {
        return Ok(false);
    };
    let mut at = start;
    while at <= end {
        // The same query, of which `end()` still is the end.
        let alone = text.replace("@ end()", &format!("@ {}", end / 1_000));
        let found =
            instant(memory, &alone, at).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        prop_assert_eq!(at_step(&range, at), bits(found.value), "{} at {}", text, at);
        at += step_ms;
    }
    Ok(true)
}

fn at_step(matrix: &[SeriesPoints], at: i64) -> Vec<(String, u64)> {
    let of = |one: &SeriesPoints| {
        let point = one.points.iter().find(|point| point.time_ms == at)?;
        Some((one.labels.to_string(), plain(point)))
    };
    let mut list: Vec<_> = matrix.iter().filter_map(of).collect();
    list.sort();
    list
}

fn bits(value: AnswerValue) -> Vec<(String, u64)> {
    match value {
        AnswerValue::Scalar(sample) => vec![("{}".to_owned(), plain(&sample))],
        AnswerValue::Vector(series) => {
            let of = |one: SeriesPoints| (one.labels.to_string(), plain(&one.points[0]));
            let mut list: Vec<_> = series.into_iter().map(of).collect();
            list.sort();
            list
        }
        other => panic!("{other:?}"),
    }
}

/// The bits, whatever kind of NaN it is: which of two operands' comes out is not defined.
fn plain(sample: &Sample) -> u64 {
    if sample.value.is_nan() {
        return f64::NAN.to_bits();
    }
    sample.value.to_bits()
}
