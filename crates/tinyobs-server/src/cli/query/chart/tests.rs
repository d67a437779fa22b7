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
        "  not drawn: 1 NaN",
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
fn i_chart_2_what_has_no_height_is_counted() {
    let values = ["0", "+Inf", "8", "NaN", "-Inf", "+Inf"];
    let summary = "min 0  max 8  last +Inf  not drawn: 2 +Inf, 1 -Inf, 1 NaN";
    let drawn = text(&json!([series("a", &values), series("b", &["-Inf"])]), 80);
    assert_eq!(
        drawn,
        format!("a  {summary}\n  ▁█\nb\n  not drawn: 1 -Inf\n")
    );
    let drawn = text(&json!([series("a", &values)]), 80);
    assert_eq!(
        drawn.lines().last(),
        Some(format!("           {summary}").as_str())
    );
}

#[test]
fn i_chart_3_ends_are_told_apart() {
    let drawn = text(&json!([series("a", &["1000000.25", "1000000.75"])]), 80);
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines[1], "1000000.75 ┤ █");
    assert_eq!(lines[ROWS], "1000000.25 ┤▁█");
    assert_eq!(
        lines[ROWS + 3],
        "            min 1000000.25  max 1000000.75  last 1000000.75"
    );
    // A line that is flat has one figure, a single point one time.
    let drawn = text(&json!([series("a", &["7", "7"])]), 80);
    let sevens: Vec<usize> = (0..=ROWS)
        .filter(|&row| drawn.lines().nth(row).unwrap().contains('7'))
        .collect();
    assert_eq!(sevens, [ROWS / 2]);
    let drawn = text(&json!([series("a", &["7"])]), 80);
    assert_eq!(
        drawn.lines().nth(ROWS + 2),
        Some("           1970-01-01T00:00:00.000Z")
    );
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
