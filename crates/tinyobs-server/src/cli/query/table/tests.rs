use serde_json::json;

use super::*;

#[test]
fn values_stand_below_each_other() {
    let result = json!([
        {"metric": {"__name__": "up", "job": "a"}, "value": [1, "1"]},
        {"metric": {}, "value": [1, "123.5"]},
        {"metric": {"__name__": "up"}, "value": [1, "NaN"]},
    ]);
    let lines = [
        "up{job=\"a\"}      1",
        "{}           123.5",
        "up             NaN",
        "",
    ];
    assert_eq!(text(&result, 80), lines.join("\n"));
    assert_eq!(text(&json!([]), 80), "nothing\n");
}

#[test]
fn a_long_name_is_not_cut() {
    let long = "x".repeat(60);
    let result = json!([{"metric": {"__name__": long}, "value": [1, "1"]}]);
    assert_eq!(
        text(&result, 40),
        format!("{long}\n{}  1\n", " ".repeat(37))
    );
}

#[test]
fn i_visible_1_names_are_quoted_where_promql_quotes_them_and_obey_nothing() {
    let of = |metric: Value| name(&metric);
    assert_eq!(
        of(json!({"__name__": "evil\u{1b}[31m", "x\u{1b}[0m": "2\u{9b}"})),
        r#"{"evil\u001b[31m", "x\u001b[0m"="2\u009b"}"#
    );
    assert_eq!(of(json!({"__name__": "new\nline"})), r#"{"new\nline"}"#);
    assert_eq!(
        of(json!({"__name__": "a:b", "c": "q\"\\"})),
        r#"a:b{c="q\"\\"}"#
    );
    assert_eq!(of(json!({"9": "x"})), r#"{"9"="x"}"#);
}
