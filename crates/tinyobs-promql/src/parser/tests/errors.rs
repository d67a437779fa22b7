//! Errors: what a person reads who wrote something else than a query.

use crate::parser::parse;

#[test]
fn errors_name_the_place_and_what_is_missing() {
    for (text, expected) in REFUSED {
        let error = parse(text).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
}

const REFUSED: [(&str, &str); 46] = [
    ("", "1:1: parse error: the query is empty"),
    ("# only a comment", "1:17: parse error: the query is empty"),
    (
        "a b",
        "1:3: parse error: unexpected \"b\" behind an expression, expected an operator or the end",
    ),
    (
        "a = b",
        "1:3: parse error: unexpected \"=\" behind an expression, expected an operator or the end, equality is written ==",
    ),
    (
        "1 +",
        "1:4: parse error: unexpected end of the query where an expression begins, expected a metric, function or number",
    ),
    (
        "(a",
        "1:3: parse error: unexpected end of the query behind an expression, expected \")\"",
    ),
    (
        "a)",
        "1:2: parse error: unexpected \")\" behind an expression, expected an operator or the end",
    ),
    (
        "rate(a[5m],)",
        "1:12: parse error: unexpected \")\" where an expression begins, expected a metric, function or number",
    ),
    (
        "ratee(a[5m])",
        "1:1: parse error: unknown function \"ratee\", did you mean \"rate\"?",
    ),
    (
        "Rate(a[5m])",
        "1:1: parse error: unknown function \"Rate\", did you mean \"rate\"?",
    ),
    (
        "summ(a)",
        "1:1: parse error: unknown function \"summ\", did you mean \"sum\"?",
    ),
    (
        "summ by (b) (a)",
        "1:1: parse error: unknown aggregation \"summ\", did you mean \"sum\"?",
    ),
    (
        "nonsense(a)",
        "1:1: parse error: unknown function \"nonsense\"",
    ),
    (
        "a{b}",
        "1:4: parse error: unexpected \"}\" behind a label, expected one of = != =~ !~",
    ),
    (
        "a{b==\"1\"}",
        "1:4: parse error: unexpected \"==\" behind a label, expected one of = != =~ !~",
    ),
    (
        "a{b=1}",
        "1:5: parse error: unexpected \"1\" behind a label, expected a value in quotes",
    ),
    (
        "a{b=\"1\" c=\"2\"}",
        "1:9: parse error: unexpected \"c\" between conditions, expected \",\" or \"}\"",
    ),
    (
        "sum(a b)",
        "1:7: parse error: unexpected \"b\" among the arguments of sum, expected \",\" or \")\"",
    ),
    (
        "a 'b'",
        "1:3: parse error: unexpected text behind an expression, expected an operator or the end",
    ),
    (
        "a{,}",
        "1:3: parse error: unexpected \",\" in braces, expected a label",
    ),
    ("a{\"\"=\"1\"}", "1:3: parse error: a label needs a name"),
    (
        "a{\"b\"}",
        "1:1: parse error: the metric is named twice: \"a\" and \"b\"",
    ),
    (
        "a[5m",
        "1:5: parse error: unexpected end of the query behind a range, expected \"]\"",
    ),
    (
        "a[]",
        "1:3: parse error: unexpected \"]\" where a duration begins, expected a duration like 5m, a number of seconds, step() or range()",
    ),
    (
        "sum(a)[5m]",
        "1:7: parse error: a range must follow a selector directly, a subquery needs a colon: [5m:] or [5m:1m]",
    ),
    (
        "a offset 1m[5m]",
        "1:12: parse error: offset, @, anchored and smoothed stand behind the range",
    ),
    (
        "a smoothed[5m]",
        "1:11: parse error: offset, @, anchored and smoothed stand behind the range",
    ),
    (
        "sum(a) offset 5m",
        "1:8: parse error: offset must follow a selector or subquery directly",
    ),
    (
        "(a) @ 5",
        "1:5: parse error: @ must follow a selector or subquery directly",
    ),
    (
        "a[5m:] anchored",
        "1:8: parse error: anchored must follow a selector directly",
    ),
    (
        "a offset 1m offset 2m",
        "1:13: parse error: offset is there twice",
    ),
    ("a @ 1 @ 2", "1:7: parse error: @ is there twice"),
    (
        "a anchored smoothed",
        "1:12: parse error: anchored or smoothed may be there once",
    ),
    (
        "a @ b",
        "1:5: parse error: unexpected \"b\" behind @, expected a time in seconds, start() or end()",
    ),
    (
        "a @ Inf",
        "1:5: parse error: the time behind @ is out of range",
    ),
    (
        "sum(a, b)",
        "1:1: parse error: sum takes one argument, the vector, not 2",
    ),
    (
        "sum()",
        "1:1: parse error: sum takes one argument, the vector, not 0",
    ),
    (
        "topk(a)",
        "1:1: parse error: topk takes two arguments, a parameter and the vector, not 1",
    ),
    (
        "sum by b (a)",
        "1:8: parse error: unexpected \"b\" where a list of labels begins, expected \"(\"",
    ),
    (
        "sum by (1) (a)",
        "1:9: parse error: unexpected \"1\" in a list of labels, expected a label",
    ),
    (
        "sum by (a:b) (a)",
        "1:9: parse error: \"a:b\" is no label name",
    ),
    (
        "sum by (a) (b) by (c)",
        "1:16: parse error: unexpected \"by\" behind an expression, expected an operator or the end",
    ),
    (
        "a + group_left b",
        "1:5: parse error: \"group_left\" is a keyword, write {\"group_left\"} for a metric of this name",
    ),
    (
        "a + fill(b) c",
        "1:10: parse error: unexpected \"b\" as the value of a fill, expected a number",
    ),
    (
        "a + fill(1) fill_left(2) c",
        "1:13: parse error: a side can be filled once",
    ),
    (
        "x[step]",
        "1:3: parse error: unexpected \"step\" where a duration begins, expected a duration like 5m, a number of seconds, step() or range()",
    ),
];
