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
