use super::*;
use crate::ast::{ExprKind, RangeSelector};
use crate::parser::parse;

const TIMES: QueryTimes = QueryTimes {
    step_ms: 15_000,
    range_ms: 3_600_000,
};

fn range(text: &str) -> DurationExpr {
    match parse(&format!("x[{text}]")).expect(text).kind {
        ExprKind::Matrix(RangeSelector { range, .. }) => range,
        other => panic!("{other:?}"),
    }
}

fn offset(text: &str) -> DurationExpr {
    match parse(&format!("x offset {text}")).expect(text).kind {
        ExprKind::Vector(selector) => selector.time.offset.expect("an offset"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn i_duration_1_arithmetic_is_in_seconds() {
    for (text, ms) in [
        ("5m", 300_000),
        ("300", 300_000),
        ("0.5", 500),
        ("1h30m", 5_400_000),
        ("1.5 * 2m", 180_000),
        ("1h / 4", 900_000),
        ("4h % 3h", 3_600_000),
        ("2 ^ 3 ^ 0", 2_000),
        ("1 + 2 * 3 - 4", 3_000),
        ("(1 + 2) * 3", 9_000),
        ("-5m + 35m", 1_800_000),
        ("-2 ^ 2 + 5", 1_000),
        ("10 - 3 - 2", 5_000),
        ("step()", 15_000),
        ("STEP() * 2", 30_000),
        ("range() / 2", 1_800_000),
        ("min_of(step(), 5s)", 5_000),
        ("max_of(2 * step(), 5s) + 1", 31_000),
        ("min(1m, 2m) + max(1m, 2m)", 180_000),
        ("0.0006 * 1", 1),
    ] {
        let duration = range(text);
        assert_eq!(duration.positive_milliseconds(TIMES), Ok(ms), "{text}");
    }
    assert_eq!(offset("-5m").milliseconds(TIMES), Ok(-300_000));
    assert_eq!(offset("+5m").milliseconds(TIMES), Ok(300_000));
    assert_eq!(offset("-step()").milliseconds(TIMES), Ok(-15_000));
    assert_eq!(offset("(-step() * 2)").milliseconds(TIMES), Ok(-30_000));
    assert_eq!(
        offset("-max_of(step(), 1m)").milliseconds(TIMES),
        Ok(-60_000)
    );
}

#[test]
fn i_duration_2_what_no_query_can_count_with_is_an_error() {
    let instant = QueryTimes::default();
    for (text, reason) in [
        ("step()", "the duration must be greater than 0"),
        ("1m - range()", ""),
        ("1m / step()", "a duration is divided by zero"),
        ("1m % range()", "a duration is divided by zero"),
        ("step() ^ -1", "the duration is out of range"),
        ("(step() - 1) ^ 0.5", "the duration is out of range"),
        ("1y * 1y + step()", "the duration is out of range"),
    ] {
        let result = range(text).positive_milliseconds(instant);
        match reason {
            "" => assert_eq!(result, Ok(60_000)),
            _ => assert_eq!(result.expect_err(text).reason, reason, "{text}"),
        }
    }
}

#[test]
fn i_duration_2_constants_are_refused_while_parsing() {
    for (text, reason) in [
        (
            "x[0]",
            "1:3: parse error: the duration must be greater than 0",
        ),
        (
            "x[-5m]",
            "1:3: parse error: the duration must be greater than 0",
        ),
        (
            "x[5m - 10m]",
            "1:3: parse error: the duration must be greater than 0",
        ),
        (
            "x[5m / 0]",
            "1:8: parse error: a duration is divided by zero",
        ),
        (
            "x[5m:0s]",
            "1:6: parse error: the duration must be greater than 0",
        ),
        ("x[Inf]", "1:3: parse error: the duration is out of range"),
        (
            "x offset 1e20",
            "1:10: parse error: the duration is out of range",
        ),
        (
            "x offset (NaN)",
            "1:10: parse error: the duration is out of range",
        ),
    ] {
        assert_eq!(parse(text).expect_err(text).to_string(), reason, "{text}");
    }
}

#[test]
fn an_offset_ends_where_arithmetic_begins() {
    for (text, printed) in [
        ("x offset -2 ^ 2", "x offset -2s ^ 2"),
        ("x offset 5m * 2", "x offset 5m * 2"),
        ("x offset step() ^ 0", "x offset step() ^ 0"),
        ("x offset -(2 * 3) + 4", "x offset -(2 * 3) + 4"),
        ("x offset (2 * 3) > 4", "x offset (2 * 3) > 4"),
        ("x offset (5) > 4", "x offset 5s > 4"),
    ] {
        let expr = parse(text).expect(text);
        assert!(matches!(expr.kind, ExprKind::Binary(_)), "{text}");
        assert_eq!(expr.to_string(), printed);
    }
}

#[test]
fn an_offset_that_begins_with_a_parenthesis_goes_on() {
    for (text, ms) in [
        ("(2 * 3)", 6_000),
        ("(1m) * 2", 120_000),
        ("(1m) + 2 ^ 3", 68_000),
    ] {
        assert_eq!(offset(text).milliseconds(TIMES), Ok(ms), "{text}");
    }
    let error = parse("x offset (1m) + y").expect_err("a metric is no duration");
    assert_eq!(error.position.column, 17);
    parse("(x offset (1m)) + y").expect("a sum of vectors");
}
