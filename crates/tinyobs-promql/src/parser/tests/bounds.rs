//! Bounds: what is too deep, too long or too much.

use super::*;

#[test]
fn i_parser_1_depth_is_bounded() {
    let most = limits::QUERY_DEPTH as usize;
    let too_deep = |text: &str| {
        let error = parse(text).expect_err("too deep");
        assert_eq!(
            error.reason,
            "the query is nested deeper than 256, operators in a row included"
        );
    };
    let nested = |open: &str, close: &str, levels: usize| {
        format!("{}x{}", open.repeat(levels), close.repeat(levels))
    };
    for (open, close) in [
        ("(", ")"),
        ("-", ""),
        ("sum(", ")"),
        ("1+(", ")"),
        ("x[5m:1]or(", ""),
    ] {
        too_deep(&nested(open, close, 5_000));
    }
    too_deep(&nested("(", ")", 10_000));
    assert_eq!(tree(&nested("(", ")", most - 1)).height() as usize, most);
    too_deep(&nested("(", ")", most));
    assert_eq!(tree(&nested("-", "", most - 1)).height() as usize, most);
    too_deep(&nested("-", "", most));
    // In a row, to either side.
    assert_eq!(
        tree(&format!("{}1", "1+".repeat(most - 1))).height() as usize,
        most
    );
    too_deep(&format!("{}1", "1+".repeat(most)));
    too_deep(&format!("{}1", "1^".repeat(most)));
    // Durations.
    let duration = |open: &str, close: &str, levels: usize| {
        format!("x[{}5m{}]", open.repeat(levels), close.repeat(levels))
    };
    for (open, close) in [
        ("(", ")"),
        ("1+", ""),
        ("1^", ""),
        ("-", ""),
        ("max_of(1,", ")"),
    ] {
        too_deep(&duration(open, close, 5_000));
        parse(&duration(open, close, 100)).map_or_else(
            |error| assert!(error.reason.contains("greater than 0"), "{error}"),
            |expr| assert!(expr.height() > 100 || matches!(open, "-" | "(")),
        );
    }
    too_deep(&format!("x offset {}5m", "-".repeat(10_000)));
}

#[test]
fn i_parser_2_length_and_regexes_are_bounded() {
    let most = limits::QUERY_BYTES;
    assert_eq!(tree(&format!("x{}", " ".repeat(most - 1))), tree("x"));
    let error = parse(&format!("x{}", " ".repeat(most))).expect_err("too long");
    assert_eq!(error.reason, "the query is longer than 65536 bytes");

    let regexes = |count: usize| format!("{{{}}}", "a=~\"x\",".repeat(count));
    assert_eq!(
        conditions(&regexes(limits::QUERY_REGEXES)).len(),
        limits::QUERY_REGEXES
    );
    let error = parse(&regexes(limits::QUERY_REGEXES + 1)).expect_err("too many");
    assert_eq!(
        error.reason,
        "the query has more than 64 regular expressions"
    );
    let error = parse("{a=~\"(\"}").expect_err("no regular expression");
    assert_eq!(
        error.to_string(),
        "1:5: parse error: regular expression \"(\" is not usable: unclosed group"
    );
}

#[test]
fn i_ast_2_what_is_not_refused_can_be_walked() {
    let most = limits::QUERY_DEPTH as usize;
    for (open, inner, close, each) in [
        ("(", "x", ")", 1),
        ("-", "x", "", 1),
        ("sum(", "x", ")", 1),
        ("abs(", "x", ")", 1),
        ("topk(1,", "x", ")", 1),
        ("1+(", "x", ")", 2),
        ("x^", "x", "", 1),
        ("max_over_time(abs(", "x", ")[5m:])", 3),
    ] {
        let levels = (most - 1) / each;
        let tree = tree(&format!(
            "{}{inner}{}",
            open.repeat(levels),
            close.repeat(levels)
        ));
        assert!(tree.height() as usize >= most - each, "{open}");
        assert!(parse(&tree.to_string()) == Ok(tree.clone()), "{open}");
        // Its indents may make it longer than a query may be, but it says nothing else.
        let without_blanks = |text: String| -> String { text.split_whitespace().collect() };
        assert!(
            without_blanks(tree.pretty()) == without_blanks(tree.to_string()),
            "{open}"
        );
        let mut nodes = 0;
        tree.walk(&mut |_| nodes += 1);
        assert!(nodes >= levels, "{nodes}");
    }
}
