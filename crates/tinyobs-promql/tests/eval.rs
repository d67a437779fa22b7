//! Eval: what holds for every query: bounds, bits, order, places.

use std::time::Instant;

use tinyobs_model::Labels;
use tinyobs_promql::{
    Answer, AnswerValue, Budget, Control, EvalError, Query, SeriesPoints, Span, evaluate, parse,
};

#[path = "scripts/memory.rs"]
mod memory;

use memory::Memory;

const MINUTE: i64 = 60_000;

fn instant(memory: &Memory, text: &str, at_ms: i64) -> Result<Answer, EvalError> {
    let expr = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    evaluate(&Query::instant(&expr, text, at_ms), memory, &Control::new())
}

fn vector(memory: &Memory, text: &str, at_ms: i64) -> Vec<SeriesPoints> {
    match instant(memory, text, at_ms).expect("an answer").value {
        AnswerValue::Vector(series) => series,
        other => panic!("{text}: {other:?}"),
    }
}

/// `x{n="0"}`, `x{n="1"}`, … with a sample every minute.
fn counters(series: usize, minutes: i64) -> Memory {
    let mut memory = Memory::default();
    for n in 0..series {
        let labels = Labels::of_pairs([("__name__", "x"), ("n", n.to_string().as_str())]);
        for minute in 0..minutes {
            memory.insert(&labels, minute * MINUTE, (minute * n as i64) as f64);
        }
    }
    memory
}

fn limited(memory: &Memory, text: &str, budget: Budget) -> EvalError {
    let expr = parse(text).expect("a query");
    let mut query = Query::range(&expr, text, 0, 10 * MINUTE, MINUTE);
    query.budget = budget;
    evaluate(&query, memory, &Control::new()).expect_err("too much")
}

#[test]
fn i_eval_1_samples_are_counted_as_they_are_read() {
    let memory = counters(10, 11);
    let samples = |most| Budget {
        samples: most,
        ..Budget::default()
    };
    let error = limited(&memory, "sum(x)", samples(109));
    assert!(matches!(error, EvalError::TooManySamples { most: 109 }));
    let expr = parse("sum(x)").expect("a query");
    let mut query = Query::range(&expr, "sum(x)", 0, 10 * MINUTE, MINUTE);
    query.budget = samples(110);
    let answer = evaluate(&query, &memory, &Control::new()).expect("enough");
    assert_eq!((answer.stats.samples, answer.stats.series), (110, 10));
}

#[test]
fn i_eval_1_memory_is_counted_before_it_is_taken() {
    let memory = counters(100, 3);
    let budget = Budget {
        bytes: 20_000,
        ..Budget::default()
    };
    let error = limited(&memory, "x", budget);
    assert!(
        matches!(error, EvalError::TooManyBytes { most: 20_000 }),
        "{error}"
    );
    // Each of them alone is small: what a part took on the way is given back.
    let text = vec!["count(x{n=\"1\"})"; 100].join(" + ");
    let expr = parse(&text).expect("a query");
    let mut query = Query::instant(&expr, &text, MINUTE);
    query.budget = budget;
    let answer = evaluate(&query, &memory, &Control::new()).expect("enough");
    assert!(answer.stats.bytes_max < 20_000);
    assert_eq!(answer.stats.samples, 200);
}

#[test]
fn i_eval_1_steps_are_counted_those_of_subqueries_too() {
    let memory = counters(1, 3);
    let budget = Budget {
        steps: 100,
        ..Budget::default()
    };
    let error = limited(&memory, "count_over_time(vector(1)[1y:1s])", budget);
    assert!(
        error
            .to_string()
            .contains("31536600 moments, more than the 100"),
        "{error}"
    );
    let default = limited(
        &memory,
        "sum_over_time(vector(1)[100y:1ms])",
        Budget::default(),
    );
    // The subquery is meant.
    assert!(matches!(default, EvalError::Execution { .. }));
    assert_eq!(default.span(), Some(Span::new(14, 33)));
}

#[test]
fn i_eval_1_deadline_and_cancellation_end_a_query() {
    let memory = counters(2, 3);
    let expr = parse("rate(x[5m])").expect("a query");
    let query = Query::instant(&expr, "", 2 * MINUTE);
    let late = Control::new().with_deadline(Instant::now());
    assert!(matches!(
        evaluate(&query, &memory, &late),
        Err(EvalError::Timeout)
    ));
    let control = Control::new();
    assert!(evaluate(&query, &memory, &control).is_ok());
    control.clone().cancel();
    assert!(matches!(
        evaluate(&query, &memory, &control),
        Err(EvalError::Cancelled)
    ));
}

#[test]
fn i_eval_2_every_bit_of_a_value_comes_through() {
    let odd = [
        f64::NAN.to_bits() | 0xbeef,
        (-0.0_f64).to_bits(),
        f64::NEG_INFINITY.to_bits(),
        1,
        0xfff0_0000_0000_0001,
    ];
    for bits in odd {
        let mut memory = Memory::default();
        let labels = Labels::of_pairs([("__name__", "x")]);
        memory.insert(&labels, 0, f64::from_bits(bits));
        for text in [
            "x",
            "last_over_time(x[1m])",
            "topk(1, x)",
            "max(x)",
            "x or y",
        ] {
            let series = vector(&memory, text, 30_000);
            assert_eq!(series[0].points[0].value.to_bits(), bits, "{text}");
        }
    }
}

#[test]
fn i_eval_3_series_come_in_the_order_of_their_labels() {
    let memory = counters(12, 2);
    let order = |text: &str| -> Vec<String> {
        let series = vector(&memory, text, 0);
        let label = |one: &SeriesPoints| one.labels.get("n").unwrap_or("").to_owned();
        series.iter().map(label).collect()
    };
    let sorted = ["0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9"];
    assert_eq!(order("x"), sorted);
    assert_eq!(order("sum by (n) (x)"), sorted);
    let natural: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    assert_eq!(order("sort_by_label(x, \"n\")"), natural);
}

#[test]
fn errors_and_annotations_name_the_place() {
    let memory = counters(2, 10);
    let text = "1 + (x + on() x)";
    let error = instant(&memory, text, MINUTE).expect_err("many to many");
    assert_eq!(error.span(), Some(Span::new(5, 15)));
    assert!(
        error
            .to_string()
            .contains("the right side has several series for {}"),
        "{error}"
    );

    let answer = instant(&memory, "sum(\n  rate(x[5m])\n)", 9 * MINUTE).expect("an answer");
    assert_eq!(
        answer.infos,
        [
            "PromQL info: metric might not be a counter, its name does not end in \
          _total/_sum/_count/_bucket: \"x\" (2:8)"
        ]
    );
    let answer = instant(&memory, "quantile(2, x)", MINUTE).expect("an answer");
    assert_eq!(
        answer.warnings,
        ["PromQL warning: a quantile is between 0 and 1, not 2 (1:10)"]
    );
    let AnswerValue::Vector(series) = answer.value else {
        panic!("a vector");
    };
    assert_eq!(series[0].points[0].value, f64::INFINITY);
}

#[test]
fn a_quantile_out_of_range_is_told_once_and_only_of_data() {
    let memory = counters(3, 200);
    let warnings = |text: &str| {
        let expr = parse(text).expect("a query");
        let query = Query::range(&expr, text, 0, 100 * MINUTE, MINUTE);
        let answer = evaluate(&query, &memory, &Control::new());
        answer.expect("an answer").warnings
    };
    let warning = |q: &str, place| {
        format!("PromQL warning: a quantile is between 0 and 1, not {q} ({place})")
    };
    assert_eq!(warnings("quantile(time(), x)"), [warning("6000", "1:10")]);
    assert_eq!(
        warnings("quantile_over_time(time() - 60, x[5m])"),
        [warning("-60", "1:20"), warning("5940", "1:20")]
    );
    assert_eq!(
        warnings("quantile(0 / (time() - 60) + 7, x)"),
        [warning("7", "1:10"), warning("NaN", "1:10")]
    );
    assert_eq!(warnings("quantile_over_time(2, y[5m])"), [""; 0]);
    let ratio = |ratio: &str, near: &str| {
        let not = format!("not {ratio}, {near} is taken (1:13)");
        format!("PromQL warning: a ratio is between -1 and 1, {not}")
    };
    assert_eq!(
        warnings("limit_ratio(time() - 60, x)"),
        [ratio("-60", "-1"), ratio("5940", "1")]
    );
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let memory = counters(1, 1);
    let range = |text: &str, start_ms, end_ms, step_ms| {
        let expr = parse(text).expect("a query");
        let query = Query::range(&expr, text, start_ms, end_ms, step_ms);
        evaluate(&query, &memory, &Control::new()).map(|answer| answer.value)
    };
    for (text, start, end, step) in [
        ("x[5m]", 0, 1, 1),
        ("\"text\"", 0, 1, 1),
        ("x", 0, 1, 0),
        ("x", 0, 1, -1),
        ("x", 1, 0, 1),
        ("x", i64::MIN, 0, 1),
        ("x", 0, i64::MAX, 1),
    ] {
        let refused = range(text, start, end, step);
        assert!(
            matches!(refused, Err(EvalError::BadQuery { .. })),
            "{text} {start}"
        );
    }
    assert_eq!(
        range("y", 0, 1, 1).expect("nothing"),
        AnswerValue::Matrix(Vec::new())
    );
}

#[test]
fn i_value_1_a_stale_marker_with_a_sign_is_a_value() {
    let mut memory = Memory::default();
    let labels = Labels::of_pairs([("__name__", "x")]);
    let signed = f64::from_bits(tinyobs_model::STALE_MARKER_BITS | 1 << 63);
    memory.insert(&labels, 0, signed);
    for text in ["-x", "abs(x)", "vector(-scalar(x))", "-(-x)"] {
        let series = vector(&memory, text, 30_000);
        assert!(series[0].points[0].value.is_nan(), "{text}");
    }
}

/// The first name of an answer whose names go late.
fn late_name(text: &str) -> String {
    let memory = counters(2, 1);
    let expr = parse(text).expect("a query");
    let mut query = Query::instant(&expr, text, 0);
    query.delayed_names = true;
    let answer = evaluate(&query, &memory, &Control::new()).expect("an answer");
    let AnswerValue::Vector(series) = answer.value else {
        panic!("a vector");
    };
    series[0].labels.metric_name().to_owned()
}

#[test]
fn names_go_late_where_they_go_at_all() {
    assert_eq!(late_name("-x"), "");
    assert_eq!(late_name("x"), "x");
    // Made on purpose.
    assert_eq!(late_name("count_values(\"__name__\", -x)"), "-0");
    // What has no value lost no name.
    assert_eq!(late_name("clamp(x, 1, 0) or x"), "x");
    assert_eq!(late_name("clamp(x, 0, 1) or x"), "");
}
