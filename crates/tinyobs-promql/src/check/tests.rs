use crate::parser::parse;

/// What is wrong with `text`, from its place on.
fn wrong(text: &str) -> String {
    let error = parse(text).expect_err(text);
    let place = &text[error.span.start..error.span.end];
    format!("{place}: {}", error.reason)
}

#[test]
fn i_check_1_arguments_have_their_types() {
    for (text, expected) in [
        (
            "rate(x)",
            "x: argument 1 of rate must be of type range vector, not instant vector, put a range behind it: [5m], or [5m:1m]",
        ),
        (
            "abs(x[5m])",
            "x[5m]: argument 1 of abs must be of type instant vector, not range vector, take its range away or aggregate over it",
        ),
        (
            "abs(1)",
            "1: argument 1 of abs must be of type instant vector, not scalar, make one with vector()",
        ),
        (
            "vector(x)",
            "x: argument 1 of vector must be of type scalar, not instant vector, make one with scalar()",
        ),
        (
            "clamp(x, 1, \"a\")",
            "\"a\": argument 3 of clamp must be of type scalar, not string",
        ),
        (
            "label_join(x, \"a\", \",\", \"b\", 1)",
            "1: argument 5 of label_join must be of type string, not scalar",
        ),
        (
            "histogram_quantiles(x, \"q\", 0.5, x)",
            "x: argument 4 of histogram_quantiles must be of type scalar, not instant vector, make one with scalar()",
        ),
        (
            "sum(1)",
            "1: sum must be of type instant vector, not scalar, make one with vector()",
        ),
        (
            "sum(x[5m])",
            "x[5m]: sum must be of type instant vector, not range vector, take its range away or aggregate over it",
        ),
        (
            "topk(\"1\", x)",
            "\"1\": the parameter of topk must be of type scalar, not string",
        ),
        (
            "count_values(1, x)",
            "1: the parameter of count_values must be of type string, not scalar",
        ),
        (
            "1[5m:]",
            "1: a subquery must be of type instant vector, not scalar, make one with vector()",
        ),
        (
            "x[5m][5m:]",
            "x[5m]: a subquery must be of type instant vector, not range vector, take its range away or aggregate over it",
        ),
        (
            "-x[5m]",
            "x[5m]: a sign needs scalars or instant vectors, not a range vector",
        ),
        (
            "-\"a\"",
            "\"a\": a sign needs scalars or instant vectors, not a string",
        ),
        (
            "1 + \"a\"",
            "\"a\": + needs scalars or instant vectors, not a string",
        ),
        (
            "x[5m] > 1",
            "x[5m]: > needs scalars or instant vectors, not a range vector",
        ),
        // However deep.
        (
            "sum(1 + (abs(-rate(x))))",
            "x: argument 1 of rate must be of type range vector, not instant vector, put a range behind it: [5m], or [5m:1m]",
        ),
        (
            "topk(scalar(1), x)",
            "1: argument 1 of scalar must be of type instant vector, not scalar, make one with vector()",
        ),
    ] {
        assert_eq!(wrong(text), expected, "{text}");
    }
}

#[test]
fn i_check_1_functions_get_as_many_arguments_as_they_take() {
    for (text, expected) in [
        ("time(1)", "time takes no arguments, not 1"),
        ("abs()", "abs takes 1 argument, not 0"),
        ("clamp(x, 1)", "clamp takes 3 arguments, not 2"),
        ("round(x, 1, 2)", "round takes 1 to 2 arguments, not 3"),
        ("hour(x, x)", "hour takes 0 to 1 arguments, not 2"),
        (
            "label_join(x, \"a\")",
            "label_join takes at least 3 arguments, not 2",
        ),
    ] {
        assert_eq!(wrong(text), format!("{text}: {expected}"));
    }
    for text in [
        "hour()",
        "round(x)",
        "label_join(x, \"a\", \"b\")",
        "sort_by_label(x)",
        "pi()",
    ] {
        parse(text).expect(text);
    }
    let ten = "histogram_quantiles(x, \"q\", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)";
    parse(ten).expect(ten);
    parse(&ten.replace(", 0)", ", 0, 0)")).expect_err("eleven");
}

#[test]
fn i_check_2_selectors_need_a_condition() {
    let reason = "a selector needs a metric name or a condition that an absent label does not \
                  satisfy, such as job=~\".+\"";
    for text in [
        "{}",
        "{a=\"\"}",
        "{a!=\"b\"}",
        "{a=~\".*\"}",
        "{a!~\".+\"}",
        "{\"\"}",
        "{}[5m]",
        "{a=\"1\" or b=\"\"}",
    ] {
        assert_eq!(wrong(text), format!("{text}: {reason}"));
    }
    for text in [
        "a{}",
        "{a!=\"\"}",
        "{a=~\".+\"}",
        "{a=~\".*\",b=\"c\"}",
        "{__name__=~\"a\"}",
    ] {
        parse(text).expect(text);
    }
}

#[test]
fn metrics_are_named_once() {
    for text in [
        "a{__name__=\"b\"}",
        "a{__name__=~\"b\"}",
        "{\"a\",__name__=\"b\"}",
        "{__name__=\"a\",__name__=\"b\"}",
    ] {
        assert_eq!(
            wrong(text),
            format!("{text}: the metric is named twice: \"a\" and \"b\"")
        );
    }
    parse("{__name__=~\"a.*\",__name__!=\"ab\"}").expect("no name, only conditions on it");
}

#[test]
fn operators_between_scalars_and_vectors() {
    for (text, reason) in [
        (
            "1 == 2",
            "between scalars write == bool, there is nothing to filter",
        ),
        ("1 </ 2", "</ is for histograms, not for two scalars"),
        ("1 and 2", "and is between vectors, make one with vector()"),
        ("x or 2", "or is between vectors, make one with vector()"),
        (
            "1 + bool 2",
            "bool has no meaning for +, only for comparisons",
        ),
        (
            "x and bool y",
            "bool has no meaning for and, only for comparisons",
        ),
        (
            "x + on (a) 1",
            "on, ignoring, group and fill are between two vectors only",
        ),
        (
            "x + fill (0) 1",
            "on, ignoring, group and fill are between two vectors only",
        ),
        (
            "x and on (a) group_left y",
            "and takes no group_left or group_right",
        ),
        ("x or fill (0) y", "or has no gaps to fill"),
        (
            "x + on (a, b) group_left (b) y",
            "label \"b\" stands in on and in group, it may be in one of them",
        ),
    ] {
        assert_eq!(wrong(text), format!("{text}: {reason}"));
    }
    for text in [
        "1 == bool 2",
        "x == 2",
        "x </ 2",
        "x + ignoring (b) group_left (b) y",
        "x + on () y",
        "x and on (a) y",
        "x > bool 1",
        "2 atan2 x",
    ] {
        parse(text).expect(text);
    }
}

#[test]
fn info_takes_conditions_that_nothing_may_satisfy() {
    for text in [
        "info(x)",
        "info(x, {a=~\".*\"})",
        "info(x, {})",
        "info(x, {__name__=~\".+_info\",a=\"b\"})",
    ] {
        parse(text).expect(text);
    }
    for arg in [
        "y",
        "y{a=\"b\"}",
        "{a=\"b\"} offset 1m",
        "{a=\"b\"}[5m]",
        "1",
        "({a=\"b\"})",
    ] {
        assert_eq!(
            wrong(&format!("info(x, {arg})")),
            format!(
                "{arg}: argument 2 of info must be conditions in braces, such as {{version=~\".+\"}}"
            )
        );
    }
}

#[test]
fn samples_beside_the_range_mean_something_to_few() {
    for text in [
        "rate(x[5m] anchored)",
        "changes((x[5m] anchored))",
        "resets(x[5m] anchored)",
        "delta(x[5m] smoothed)",
        "x smoothed",
        "sum(x anchored)",
        "x[5m] smoothed",
        "sum_over_time((x smoothed)[5m:])",
    ] {
        parse(text).expect(text);
    }
    assert_eq!(
        wrong("changes(x[5m] smoothed)"),
        "x[5m] smoothed: smoothed has no meaning for changes, only for delta, increase and rate"
    );
    assert_eq!(
        wrong("sum_over_time(x[5m] anchored)"),
        "x[5m] anchored: anchored has no meaning for sum_over_time, only for changes, delta, \
         increase, rate and resets"
    );
}
