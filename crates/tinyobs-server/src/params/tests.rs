use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::*;

const KNOWN: &[&str] = &["metric", "match[]", "start", "end", "limit"];

fn params(query: &str) -> Params {
    Params::parse(Some(query), KNOWN).unwrap()
}

fn selection(query: &str) -> Result<Selection, ApiError> {
    params(query).selection(&Cancel::default())
}

fn message(error: ApiError) -> String {
    let shown = format!("{error:?}");
    assert_eq!(error.into_response().status(), StatusCode::BAD_REQUEST);
    shown
}

#[test]
fn values_are_decoded() {
    let params = params("metric=a%2Bb+c%C3%A9&limit=5&");
    assert_eq!(params.text("metric"), Some("a+b cé"));
    assert_eq!(params.count("limit", 1, 10).unwrap(), 5);
    assert_eq!(params.text("start"), None);
    assert_eq!(params.count("end", 7, 10).unwrap(), 7);
}

#[test]
fn i_param_1_errors_name_the_parameter() {
    for (query, part) in [
        (
            "metrics=a",
            r#"unknown parameter \"metrics\"; known: metric, match[], start"#,
        ),
        (
            "metric=a&metric=b",
            r#"parameter \"metric\": it is given twice"#,
        ),
        ("metric=", r#"parameter \"metric\": it is empty"#),
        ("metric", r#"parameter \"metric\": it is empty"#),
        (
            "metric=%zz",
            r#"parameter \"metric\": its value is not UTF-8"#,
        ),
        (
            "metric=%ff",
            r#"parameter \"metric\": its value is not UTF-8"#,
        ),
        (
            "metric=%4",
            r#"parameter \"metric\": its value is not UTF-8"#,
        ),
    ] {
        let shown = message(Params::parse(Some(query), KNOWN).unwrap_err());
        assert!(shown.contains(part), "{query}: {shown}");
    }
    for (query, part) in [
        (
            "limit=0",
            r#"parameter \"limit\": it must be between 1 and 10"#,
        ),
        (
            "limit=11",
            r#"parameter \"limit\": it must be between 1 and 10"#,
        ),
        (
            "limit=-1",
            r#"parameter \"limit\": \"-1\" is not an integer between 1 and 10"#,
        ),
        (
            "limit=abc",
            r#"parameter \"limit\": \"abc\" is not an integer between 1 and 10"#,
        ),
    ] {
        let shown = message(params(query).count("limit", 1, 10).unwrap_err());
        assert!(shown.contains(part), "{query}: {shown}");
    }
}

#[test]
fn ranges_default_to_the_hour_before_their_end() {
    let now = 1_795_306_562_347;
    assert_eq!(
        params("").range(now).unwrap(),
        TimeRange::new(now - 3_600_000, now)
    );
    assert_eq!(
        params("end=1795306500").range(now).unwrap(),
        TimeRange::new(1_795_302_900_000, 1_795_306_500_000)
    );
    assert_eq!(
        params("start=1795306500&end=1795306500")
            .range(now)
            .unwrap(),
        TimeRange::new(1_795_306_500_000, 1_795_306_500_000)
    );
    assert!(
        params("start=1795306501&end=1795306500")
            .range(now)
            .is_err()
    );
    assert!(params("start=1h").range(now).is_err());
}

#[test]
fn a_metric_narrows_every_selector() {
    let shown = |query| -> Vec<Vec<String>> {
        let selection = selection(query).unwrap();
        let list = |matchers: &Vec<Matcher>| matchers.iter().map(ToString::to_string).collect();
        selection.iter().map(list).collect()
    };
    assert_eq!(shown(""), [[""; 0]]);
    assert_eq!(shown("metric=m"), [[r#"__name__="m""#]]);
    assert_eq!(
        shown("match[]={a=\"1\"}&match%5B%5D=n&metric=m"),
        [
            [r#"a="1""#, r#"__name__="m""#],
            [r#"__name__="n""#, r#"__name__="m""#]
        ]
    );
    assert!(selection("match[]={a").is_err());
    let long = format!("metric={}", "x".repeat(257));
    assert!(selection(&long).is_err());
}

/// A query of `selectors` selectors, each with `conditions` conditions.
fn query(selectors: usize, conditions: usize, condition: &str) -> String {
    let list = vec![condition; conditions].join(",");
    format!("match[]={{{list}}}&").repeat(selectors)
}

#[test]
fn i_param_2_and_i_limit_1_conditions_are_counted_before_one_is_compiled() {
    // No regular expression, so compiling one would say something else.
    let broken = "a=~\"(\"";
    for (many, part) in [
        (query(65, 0, ""), "the request has more than 64 selectors"),
        (query(64, 5, "a!=\"1\""), "more than 256 matchers"),
        (query(1, 33, broken), "more than 32 regular expressions"),
        (query(11, 3, broken), "more than 32 regular expressions"),
        (query(1, 32, broken), "unclosed group at character 5"),
    ] {
        let shown = message(selection(&many).unwrap_err());
        assert!(shown.contains(part), "{shown}");
    }
    let most = query(64, 4, "a!=\"1\"");
    assert_eq!(selection(&most).unwrap().len(), 64);
    let most = query(1, 32, "a=~\"b|c\"");
    assert_eq!(selection(&most).unwrap()[0].len(), 32);
}

#[test]
fn nothing_is_compiled_for_a_client_that_left() {
    let selection = params("match[]={a=~\"b|c\"}").selection(&Cancel::cancelled());
    let status = selection.unwrap_err().into_response().status();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}
