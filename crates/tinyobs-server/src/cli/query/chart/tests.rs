use serde_json::json;

use super::*;

fn series(name: &str, values: &[&str]) -> Value {
    let points = values.iter().enumerate();
    let points: Vec<Value> = points.map(|(at, value)| json!([at * 15, value])).collect();
    json!({"metric": {"__name__": name}, "values": points})
}

#[test]
fn several_series_are_a_line_each() {
    let result = json!([
        series("a", &["0", "1", "2", "3", "4", "5", "6", "7"]),
        series("b", &["7", "7"]),
        series("c", &["NaN"]),
    ]);
    let lines = [
        "a  min 0  max 7  last 7",
        "  ▁▂▃▄▅▆▇█",
        "b  min 7  max 7  last 7",
        "  ▅▅",
        "c",
        "  no numbers",
        "",
    ];
    assert_eq!(text(&result, 80), lines.join("\n"));
    assert_eq!(text(&json!([]), 80), "nothing\n");
}

#[test]
fn i_chart_1_the_highest_of_a_column_is_shown() {
    let mut values = vec!["1"; 1_000];
    values[503] = "9";
    let drawn = text(&json!([series("a", &values), series("b", &["1"])]), 80);
    let line = drawn.lines().nth(1).unwrap();
    assert_eq!(line.chars().count(), 2 + columns(80));
    assert_eq!(line.chars().filter(|&c| c == '█').count(), 1, "{line}");
}

#[test]
fn one_series_is_a_chart() {
    let drawn = text(&json!([series("a", &["0", "50", "100"])]), 80);
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines[0], "a");
    assert_eq!(lines[1], "      100 ┤  █");
    assert_eq!(lines[ROWS], "        0 ┤▁██");
    assert_eq!(lines[ROWS + 1], "          └───");
    assert_eq!(
        lines[ROWS + 2],
        "           1970-01-01T00:00:00.000Z … 1970-01-01T00:00:30.000Z"
    );
    assert_eq!(lines[ROWS + 3], "           min 0  max 100  last 100");
}

#[test]
fn figures_are_short() {
    for (value, text) in [
        (0.0, "0"),
        (0.1 + 0.2, "0.300"),
        (1234.5, "1234.5"),
        (123_456_789_012.0, "1.23e11"),
        (1.0 / 3e7, "3.33e-8"),
    ] {
        assert_eq!(short(value), text);
    }
}

#[test]
fn extremes_are_drawn() {
    let huge = format!("{}", f64::MAX);
    let drawn = text(&json!([series("a", &[&huge, "0", "1"])]), 80);
    assert!(drawn.contains("1.80e308"), "{drawn}");
}
