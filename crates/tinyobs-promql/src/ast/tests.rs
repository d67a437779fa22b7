use super::*;
use crate::parser::parse;

#[test]
fn i_ast_1_places_make_no_difference() {
    let close = parse("a+NaN").expect("parses");
    let apart = parse("a  +\n nan").expect("parses");
    assert_eq!(close, apart);
    assert_ne!(close.span, apart.span);
    for (a, b) in [
        ("0", "-0"),
        ("60", "1m"),
        ("a", "(a)"),
        ("a", "{__name__=\"a\"}"),
        ("a{x=\"1\"}", "a{x!=\"1\"}"),
        ("a{x=\"1\"}", "a{x=\"2\"}"),
        ("a{x=\"1\",y=\"2\"}", "a{x=\"1\" or y=\"2\"}"),
        ("a offset 1m", "a"),
        ("a anchored", "a smoothed"),
        ("a + on () b", "a + b"),
        ("sum(a)", "sum without () (a)"),
    ] {
        assert_ne!(parse(a).expect(a), parse(b).expect(b), "{a} {b}");
    }
    for (a, b) in [
        ("x[60]", "x[1m]"),
        ("{\"a\"}", "{__name__=\"a\"}"),
        ("a{x=\"1\",y=\"2\"}", "a{y=\"2\",x=\"1\"}"),
        ("sum(a)", "sum by () (a)"),
    ] {
        assert_eq!(parse(a).expect(a), parse(b).expect(b), "{a} {b}");
    }
}

#[test]
fn i_ast_2_height_counts_nodes() {
    for (text, height) in [
        ("1", 1),
        ("x", 1),
        ("x[5m]", 2),
        ("x[(5m + 1m) * 2]", 5),
        ("x offset (5m)", 2),
        ("x offset (step())", 3),
        ("-x", 2),
        ("((x))", 3),
        ("1 + 2 + 3", 3),
        ("1 + (2 + 3)", 4),
        ("2 ^ 3 ^ 4", 3),
        ("rate(x[5m])", 3),
        ("topk(1, (x))", 3),
        ("time()", 1),
    ] {
        assert_eq!(parse(text).expect(text).height(), height, "{text}");
    }
}

#[test]
fn i_ast_3_children_are_in_the_order_written() {
    let children = |text: &str| -> Vec<String> {
        let expr = parse(text).expect(text);
        expr.children().map(ToString::to_string).collect()
    };
    assert_eq!(children("a + b"), ["a", "b"]);
    assert_eq!(children("topk(1, a)"), ["1", "a"]);
    assert_eq!(children("clamp(a, 1, 2)"), ["a", "1", "2"]);
    assert_eq!(children("(a)"), ["a"]);
    assert_eq!(children("a[1m:]"), ["a"]);
    assert_eq!(children("a"), [""; 0]);
    let mut seen = Vec::new();
    parse("sum(-a) / 2")
        .expect("parses")
        .walk(&mut |expr| seen.push(expr.to_string()));
    assert_eq!(seen, ["sum(-a) / 2", "sum(-a)", "-a", "a", "2"]);
}

#[test]
fn types_follow_from_the_parts() {
    use ValueType::{Matrix, Scalar, String, Vector};
    for (text, expected) in [
        ("1", Scalar),
        ("-(1)", Scalar),
        ("1 + 2", Scalar),
        ("1 + x", Vector),
        ("x > bool x", Vector),
        ("\"a\"", String),
        ("x", Vector),
        ("(x)", Vector),
        ("x[5m]", Matrix),
        ("x[5m:]", Matrix),
        ("sum(x)", Vector),
        ("scalar(x)", Scalar),
        ("vector(1)", Vector),
        ("time()", Scalar),
    ] {
        assert_eq!(parse(text).expect(text).value_type(), expected, "{text}");
    }
}

#[test]
fn spans_are_what_was_written() {
    let text = "sum by (a) ( -x [5m:] offset 1m ) / 2";
    let spans = |text: &str| {
        let mut spans: Vec<String> = Vec::new();
        let _ = parse(text).map(|expr| {
            expr.walk(&mut |expr| spans.push(text[expr.span.start..expr.span.end].to_owned()));
        });
        spans
    };
    assert_eq!(spans(text), [""; 0], "a sign needs a vector");
    assert_eq!(
        spans("count by (a) ( -x offset 1m ) / rate( (x) [5m:] @ 5 )"),
        [
            "count by (a) ( -x offset 1m ) / rate( (x) [5m:] @ 5 )",
            "count by (a) ( -x offset 1m )",
            "-x offset 1m",
            "x offset 1m",
            "rate( (x) [5m:] @ 5 )",
            "(x) [5m:] @ 5",
            "(x)",
            "x",
        ]
    );
    assert_eq!(spans("sum(x) by (a) "), ["sum(x) by (a)", "x"]);
}
