use super::*;
use crate::parser::parse;

fn caret(text: &str) -> String {
    parse(text).expect_err(text).caret(text)
}

#[test]
fn i_error_1_a_caret_stands_under_the_place() {
    assert_eq!(caret("rate(x)"), "rate(x)\n     ^");
    assert_eq!(
        caret("a +\n\trat(x[5m]) + b\n- c"),
        "\trat(x[5m]) + b\n\t^^^"
    );
    assert_eq!(caret("sum("), "sum(\n    ^");
    assert_eq!(caret(""), "\n^");
    assert_eq!(caret("{é=\"1\"}"), "{é=\"1\"}\n ^");
    assert_eq!(caret("\"äöü\" + x"), "\"äöü\" + x\n^^^^^");
    // A place over several lines is shown on its first.
    assert_eq!(caret("rate(sum(\nx\n))"), "rate(sum(\n     ^^^^");
}

#[test]
fn i_error_1_positions_count_lines_and_bytes() {
    let position = |text: &str| {
        let error = parse(text).expect_err(text);
        error
            .to_string()
            .split(": ")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(position("foo("), "1:1");
    assert_eq!(position("a +\n  foo(x)"), "2:3");
    assert_eq!(position("\"ä\" + foo(x)"), "1:8");
    assert_eq!(position("a + "), "1:5");
}

#[test]
fn i_error_2_messages_do_not_grow_with_the_query() {
    let long = "ä".repeat(500);
    for text in [
        format!("{}(x)", "a".repeat(1_000)),
        format!("x \"{long}\""),
        format!("{{\"{long}\",\"{long}\"}}"),
        format!("1{}", "0x".repeat(500)),
        format!("x{{__name__=\"{long}\"}}"),
        format!("x{{a=~\"({long}\"}}"),
        format!("a + on (b) group_left (b) x {long}"),
    ] {
        let error = parse(&text).expect_err("refused");
        assert!(error.to_string().len() < 300, "{error}");
        let caret = error.caret(&text);
        assert!(caret.chars().count() < 260, "{caret}");
    }
}

#[test]
fn near_names_are_suggested() {
    let names = ["rate", "irate", "count_over_time", "abs"];
    let suggestion = |name: &str| did_you_mean(name, names.into_iter());
    assert_eq!(suggestion("RATE"), ", did you mean \"rate\"?");
    assert_eq!(suggestion("rates"), ", did you mean \"rate\"?");
    assert_eq!(
        suggestion("countovertime"),
        ", did you mean \"count_over_time\"?"
    );
    assert_eq!(suggestion("ab"), ", did you mean \"abs\"?");
    assert_eq!(suggestion("nothing"), "");
    assert_eq!(suggestion(&"rate".repeat(100)), "");
}

#[test]
fn distances() {
    for (a, b, expected) in [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "", 3),
        ("abc", "abc", 0),
        ("abc", "axc", 1),
        ("kitten", "sitting", 3),
        ("sum", "summ", 1),
    ] {
        assert_eq!(distance(a, b), expected, "{a} {b}");
    }
}
