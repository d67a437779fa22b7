use super::*;
use crate::ast::{At, Extension, Grouping, Subquery};
use crate::binary::{BinaryOp, Cardinality};
use crate::duration::{DurationKind, QueryTimes};

mod bounds;
mod errors;

fn tree(text: &str) -> Expr {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{}", error.caret(text)))
}

/// The tree with every operator in parentheses.
fn grouped(text: &str) -> String {
    fn of(expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Binary(binary) => {
                let (lhs, rhs) = (of(&binary.lhs), of(&binary.rhs));
                format!("({lhs} {} {rhs})", binary.op.symbol())
            }
            ExprKind::Unary(op, inner) => format!("({op}{})", of(inner)),
            _ => expr.to_string(),
        }
    }
    of(&tree(text))
}

#[test]
fn operators_bind_by_precedence() {
    for (text, expected) in [
        ("a + b * c", "(a + (b * c))"),
        ("a * b + c", "((a * b) + c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b % c atan2 d", "(((a / b) % c) atan2 d)"),
        ("a ^ b ^ c", "(a ^ (b ^ c))"),
        ("a * b ^ c * d", "((a * (b ^ c)) * d)"),
        ("a or b and c", "(a or (b and c))"),
        ("a unless b or c and d", "((a unless b) or (c and d))"),
        ("a == b and c > d", "((a == b) and (c > d))"),
        ("a + b < c - d", "((a + b) < (c - d))"),
        ("a == bool b == c", "((a == b) == c)"),
        ("a </ 5 >/ 1 == b", "(((a </ 5) >/ 1) == b)"),
        ("a </ 5 * 2", "(a </ (5 * 2))"),
        ("a AND b Or c UNLESS d", "((a and b) or (c unless d))"),
        ("-a ^ b", "(-(a ^ b))"),
        ("-a * b", "((-a) * b)"),
        ("a ^ -b ^ c * d", "((a ^ (-(b ^ c))) * d)"),
        ("a - -b", "(a - (-b))"),
        ("--a", "(-(-a))"),
        ("+a", "(+a)"),
        ("-1 ^ 2", "(-(1 ^ 2))"),
        ("-1 * 2", "(-1 * 2)"),
        ("--1", "1"),
        ("2 ^ -1", "(2 ^ -1)"),
        ("-sum(a) offset", ""),
    ] {
        if expected.is_empty() {
            parse(text).expect_err(text);
        } else {
            assert_eq!(grouped(text), expected, "{text}");
        }
    }
}

fn selector(text: &str) -> Selector {
    match tree(text).kind {
        ExprKind::Vector(selector) => selector,
        ExprKind::Matrix(range) => range.selector,
        other => panic!("{other:?}"),
    }
}

fn conditions(text: &str) -> Vec<String> {
    let selector = selector(text);
    selector.matchers.iter().map(ToString::to_string).collect()
}

#[test]
fn selectors_hold_every_condition() {
    assert_eq!(conditions("a"), ["__name__=\"a\""]);
    assert_eq!(
        conditions("a{b=\"1\", c!='2',d=~`3`,e!~\"4\",}"),
        [
            "b=\"1\"",
            "c!=\"2\"",
            "d=~\"3\"",
            "e!~\"4\"",
            "__name__=\"a\""
        ]
    );
    assert_eq!(conditions("{a=\"1\"}"), ["a=\"1\""]);
    assert_eq!(conditions("a{}"), ["__name__=\"a\""]);
    assert_eq!(
        conditions("{\"a b\", 'c.d'=\"1\"}"),
        ["__name__=\"a b\"", "c.d=\"1\""]
    );
    assert_eq!(conditions("{c=\"1\",\"a\"}"), ["c=\"1\"", "__name__=\"a\""]);
    assert_eq!(conditions("{__name__=\"a\"}"), ["__name__=\"a\""]);
    assert_eq!(selector("{__name__=\"a\"}").name, None);
    assert_eq!(selector("{\"a\"}").name, None);
    assert_eq!(conditions("{__name__=~\"a\",__name__!=\"b\"}").len(), 2);
    // Keywords are labels like any other.
    assert_eq!(
        conditions("{sum=\"1\",or=\"2\",inf=\"3\"}"),
        ["sum=\"1\"", "or=\"2\"", "inf=\"3\""]
    );
}

#[test]
fn alternatives_stand_between_or() {
    let found = selector("a{b=\"1\",c=\"2\" or d=\"3\" OR e=\"4\",f=\"5\"}");
    let texts = |all: &[tinyobs_model::Matcher]| -> Vec<String> {
        all.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        texts(&found.matchers),
        ["b=\"1\"", "c=\"2\"", "__name__=\"a\""]
    );
    assert_eq!(texts(&found.alternatives[0]), ["d=\"3\"", "__name__=\"a\""]);
    assert_eq!(
        texts(&found.alternatives[1]),
        ["e=\"4\"", "f=\"5\"", "__name__=\"a\""]
    );
    for text in ["a{or b=\"1\"}", "a{b=\"1\" or}", "{b=\"1\" or c=\"\"}"] {
        parse(text).expect_err(text);
    }
}

#[test]
fn keywords_are_names_where_nothing_else_can_stand() {
    for name in [
        "sum",
        "count_values",
        "by",
        "without",
        "offset",
        "and",
        "or",
        "unless",
        "fill",
        "fill_left",
        "start",
        "end",
        "step",
        "range",
        "anchored",
        "smoothed",
        "rate",
        "min_of",
        "limitk",
        "SUM",
        "a:b",
        ":a",
        "_",
    ] {
        assert_eq!(selector(name).name.as_deref(), Some(name));
        assert_eq!(
            selector(&format!("{name}{{a=\"1\"}}")).name.as_deref(),
            Some(name)
        );
        assert_eq!(
            grouped(&format!("x + {name} + y")),
            format!("((x + {name}) + y)")
        );
        assert_eq!(
            grouped(&format!("{name} or {name}")),
            format!("({name} or {name})")
        );
    }
    for name in [
        "on",
        "bool",
        "ignoring",
        "group_left",
        "group_right",
        "atan2",
        "BOOL",
    ] {
        let error = parse(&format!("{name}{{}}")).expect_err(name);
        assert_eq!(
            error.reason,
            format!("\"{name}\" is a keyword, write {{\"{name}\"}} for a metric of this name")
        );
        assert_eq!(
            conditions(&format!("{{\"{name}\"}}")),
            [format!("__name__=\"{name}\"")]
        );
    }
    let grouping = match tree("sum by (by, on, Sum, \"a.b\", inf_, offset,) (x)").kind {
        ExprKind::Aggregate(aggregate) => aggregate.grouping,
        other => panic!("{other:?}"),
    };
    let labels = ["by", "on", "Sum", "a.b", "inf_", "offset"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(
        grouping,
        Grouping {
            without: false,
            labels
        }
    );
}

#[test]
fn time_shifts_in_any_order() {
    let shifted = selector("a[5m] @ 1.5 offset -1h");
    assert_eq!(shifted, selector("a[5m] offset -1h @ 1.5"));
    assert_eq!(shifted.time.at, Some(At::Time(1_500)));
    let offset = shifted.time.offset.expect("one");
    assert_eq!(offset.milliseconds(QueryTimes::default()), Ok(-3_600_000));
    assert_eq!(selector("a @ -1h").time.at, Some(At::Time(-3_600_000)));
    assert_eq!(selector("a @ +0x10").time.at, Some(At::Time(16_000)));
    assert_eq!(selector("a @ start()").time.at, Some(At::Start));
    assert_eq!(selector("a @ End()").time.at, Some(At::End));
    assert_eq!(
        selector("a[1m] anchored @ 1").extension,
        Some(Extension::Anchored)
    );
    assert_eq!(
        selector("a @ 1 SMOOTHED").extension,
        Some(Extension::Smoothed)
    );
    assert_eq!(grouped("a offset 1m + b @ 2"), "(a offset 1m + b @ 2.000)");
}

#[test]
fn subqueries_have_a_step_or_none() {
    let subquery = |text: &str| match tree(text).kind {
        ExprKind::Subquery(subquery) => subquery,
        other => panic!("{other:?}"),
    };
    let Subquery { expr, step, .. } = subquery("sum(a)[1h:]");
    assert_eq!((expr.to_string().as_str(), step), ("sum(a)", None));
    let Subquery {
        range, step, time, ..
    } = subquery("(a)[1h:1m] offset 5m @ end()");
    assert_eq!(
        range.positive_milliseconds(QueryTimes::default()),
        Ok(3_600_000)
    );
    assert_eq!(step.map(|step| step.to_string()), Some("1m".to_owned()));
    assert_eq!(time.to_string(), " @ end() offset 5m");
    // The operand right before is meant, not all that went before.
    let error = parse("a ^ b[1h:]").expect_err("no vector");
    assert_eq!(error.position.column, 5);
}

#[test]
fn matching_says_which_series_meet() {
    let matching = |text: &str| match tree(text).kind {
        ExprKind::Binary(binary) => (binary.op, binary.return_bool, binary.matching),
        other => panic!("{other:?}"),
    };
    let (op, return_bool, found) =
        matching("a >= bool on(x, y) group_left(z,) fill_left(1) fill_right(-NaN) b");
    let found = found.expect("both are vectors");
    assert_eq!((op, return_bool, found.on), (BinaryOp::Ge, true, true));
    assert_eq!(
        (found.labels, found.include),
        (vec!["x".into(), "y".into()], vec!["z".into()])
    );
    assert_eq!(found.cardinality, Cardinality::ManyToOne);
    assert_eq!(found.fill_left, Some(Number::plain(1.0)));
    assert_eq!(found.fill_right, Some(Number::plain(f64::NAN)));

    let found = matching("a + ignoring(x) group_right b")
        .2
        .expect("vectors");
    assert_eq!(
        (found.cardinality, found.on),
        (Cardinality::OneToMany, false)
    );
    let found = matching("a and b").2.expect("vectors");
    assert_eq!(found.cardinality, Cardinality::ManyToMany);
    let found = matching("a + fill(-1) b").2.expect("vectors");
    assert_eq!(
        (found.fill_left, found.fill_right),
        (found.fill_right, found.fill_left)
    );
    assert_eq!(found.fill_left, Some(Number::plain(-1.0)));
    assert_eq!(matching("a + 1").2, None);
    assert_eq!(matching("1 + on() 2").2, None);
    // Metrics of these names.
    assert_eq!(
        grouped("a + fill + fill_left{x=\"1\"}"),
        "((a + fill) + fill_left{x=\"1\"})"
    );
}

#[test]
fn durations_are_numbers_too() {
    let number = |text: &str| match tree(text).kind {
        ExprKind::Number(number) => number,
        other => panic!("{other:?}"),
    };
    assert_eq!(number("1h30m"), Number::milliseconds(5_400_000));
    assert_eq!(number("-5m"), Number::milliseconds(-300_000));
    assert_eq!(number("- 0x10"), Number::plain(-16.0));
    assert_eq!(number("+Inf"), Number::plain(f64::INFINITY));
}

#[test]
fn selectors_alone() {
    assert_eq!(
        parse_selector(" a{b=\"1\"} # c"),
        Ok(selector("a{b=\"1\"}"))
    );
    assert_eq!(parse_selector("{\"a.b\"}"), Ok(selector("{\"a.b\"}")));
    for text in [
        "",
        "{}",
        "a[5m]",
        "a offset 5m",
        "a @ 1",
        "sum(a)",
        "1",
        "a + b",
        "a smoothed",
    ] {
        parse_selector(text).expect_err(text);
    }
}

#[test]
fn a_sign_belongs_to_a_duration_that_is_a_number() {
    let range = match tree("x[5m + -1m]").kind {
        ExprKind::Matrix(range) => range.range,
        other => panic!("{other:?}"),
    };
    let DurationKind::Binary(_, _, right) = range.kind else {
        panic!("a sum");
    };
    assert_eq!(
        right.kind,
        DurationKind::Number(Number::milliseconds(-60_000))
    );
}
