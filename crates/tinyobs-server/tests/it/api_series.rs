//! Prometheus' HTTP API: labels, values, series, metadata.

use serde_json::json;

use crate::api::{T, failure, post, push, server, success};
use crate::server::escape;

#[test]
fn i_series_2_labels_values_and_series_letter_by_letter() {
    let server = server();
    let client = server.client();
    for (path, data) in [
        ("labels", r#"["__name__","code","job"]"#),
        ("labels?match[]=temperature", r#"["__name__","job"]"#),
        ("label/code/values", r#"["200","500"]"#),
        (
            "label/__name__/values",
            r#"["requests_total","temperature"]"#,
        ),
        (
            "label/job/values?match[]=temperature&match[]=nothing",
            r#"["house"]"#,
        ),
        ("label/nothing/values", "[]"),
        ("label/U__co_64_e/values", r#"["200","500"]"#),
        (
            "series?match[]=temperature&match[]={code=\"500\"}",
            r#"[{"__name__":"requests_total","code":"500","job":"shop"},{"__name__":"temperature","job":"house"}]"#,
        ),
        ("series?match[]=nothing", "[]"),
    ] {
        let path = path.replace("{code=\"500\"}", &escape("{code=\"500\"}"));
        let expected = format!("{{\"status\":\"success\",\"data\":{data}}}");
        assert_eq!(
            success(client, &format!("/api/v1/{path}")),
            expected,
            "{path}"
        );
        if !path.starts_with("label/") {
            let (path, form) = path.split_once('?').unwrap_or((&path, ""));
            let answer = post(client, &format!("/api/v1/{path}"), form);
            assert_eq!(answer.text().trim_end(), expected, "{path}");
        }
    }
}

#[test]
fn i_series_1_only_what_has_data_in_the_asked_time() {
    let server = server();
    let client = server.client();
    // One that begins an hour later.
    push(
        client,
        &[
            json!({"name": "late", "value": 1, "labels": {"job": "late", "x": "y"},
                 "timestamp": (T + 3_600) * 1_000}),
        ],
    );
    let data = |path: &str| client.get_json(&format!("/api/v1/{path}"))["data"].clone();
    let early = format!("start={T}&end={}", T + 300);
    let late = format!("start={}&end={}", T + 3_000, T + 4_000);
    let neither = format!("start={}&end={}", T + 1_000, T + 2_000);
    assert_eq!(data("label/job/values"), json!(["house", "late", "shop"]));
    assert_eq!(
        data(&format!("label/job/values?{early}")),
        json!(["house", "shop"])
    );
    assert_eq!(data(&format!("label/job/values?{late}")), json!(["late"]));
    assert_eq!(
        data(&format!("labels?{late}")),
        json!(["__name__", "job", "x"])
    );
    assert_eq!(data(&format!("labels?{neither}")), json!([]));
    let series = data(&format!("series?match[]={}&{late}", escape("{job!=\"\"}")));
    assert_eq!(
        series,
        json!([{"__name__": "late", "job": "late", "x": "y"}])
    );
    // The earliest and the latest time that Prometheus knows.
    let all = "start=-292273086-05-16T16:47:06Z&end=292277025-08-18T07:12:54.999999999Z";
    assert_eq!(
        data(&format!("label/job/values?{all}")),
        json!(["house", "late", "shop"])
    );
}

#[test]
fn i_series_1_what_is_only_left_in_summaries_counts() {
    let mut server = server();
    let client = server.client();
    // Weeks later: the next start drops the raw samples, and keeps their windows.
    push(
        client,
        &[json!({"name": "late", "value": 1, "timestamp": (T + 30 * 86_400) * 1_000})],
    );
    let maintained = client.send("POST", "/v1/admin/maintenance", &[], b"");
    assert_eq!(maintained.status, 200, "{}", maintained.text());
    server.restart();
    let path = format!("/api/v1/label/job/values?start={T}&end={}", T + 300);
    let values = server.client().get_json(&path)["data"].clone();
    assert_eq!(values, json!(["house", "shop"]));
}

#[test]
fn i_series_3_a_limit_is_told() {
    let server = server();
    let client = server.client();
    for (path, data, what) in [
        ("labels", json!(["__name__"]), "entries"),
        ("label/code/values", json!(["200"]), "entries"),
        (
            "series",
            json!([{"__name__": "requests_total", "code": "200", "job": "shop"}]),
            "series",
        ),
    ] {
        let path = format!("/api/v1/{path}?limit=1&match[]=requests_total");
        let answer = client.get_json(&path);
        assert_eq!(answer["data"], data);
        let warning = format!("results truncated due to limit: there are more than 1 {what}");
        assert_eq!(answer["warnings"], json!([warning]));
        let whole = client.get_json(&path.replace("limit=1", "limit=9"));
        assert_eq!(whole["warnings"], json!(null));
    }
}

#[test]
fn selectors_that_are_none_are_named() {
    let server = server();
    let client = server.client();
    for path in ["labels", "label/job/values", "series"] {
        for (selector, place) in [("{", "1:2"), ("{}", "1:1"), ("up[5m]", "1:3"), ("1", "1:1")] {
            let path = format!("/api/v1/{path}?match[]={}", escape(selector));
            let (status, kind, message) = failure(&client.get(&path));
            assert_eq!((status, kind.as_str()), (400, "bad_data"));
            let begins = format!("invalid parameter \"match[]\": {place}: parse error: ");
            assert!(message.starts_with(&begins), "{selector}: {message}");
        }
    }
}

#[test]
fn between_a_start_and_an_earlier_end_there_is_nothing() {
    let server = server();
    let client = server.client();
    let reversed = format!("match[]=requests_total&start={}&end={T}", T + 300);
    for path in ["labels", "label/job/values", "series"] {
        let answer = success(client, &format!("/api/v1/{path}?{reversed}"));
        assert_eq!(answer, r#"{"status":"success","data":[]}"#, "{path}");
    }
    // What Prometheus refuses, too.
    let answer = client.get("/api/v1/query_exemplars?query=x&start=2&end=1");
    let message = "invalid parameter \"end\": it lies before the start".to_owned();
    assert_eq!(failure(&answer), (400, "bad_data".to_owned(), message));
    // For ever, as clients write it.
    for end in ["9999-12-31T23:59:59Z", "1e300", "Inf"] {
        let answer = success(
            client,
            &format!("/api/v1/label/job/values?start={T}&end={end}"),
        );
        let expected = r#"{"status":"success","data":["house","shop"]}"#;
        assert_eq!(answer, expected, "{end}");
    }
}

#[test]
fn metadata_is_by_family() {
    let server = server();
    let client = server.client();
    push(
        client,
        &[
            json!({"name": "seconds", "type": "histogram", "buckets": [[1, 2]], "sum": 3, "count": 2,
                 "timestamp": T * 1_000, "help": "How long."}),
            json!({"name": "plain", "value": 1, "timestamp": T * 1_000}),
        ],
    );
    assert_eq!(
        success(client, "/api/v1/metadata"),
        r#"{"status":"success","data":{"requests_total":[{"type":"counter","help":"Requests so far.","unit":""}],"seconds":[{"type":"histogram","help":"How long.","unit":""}],"temperature":[{"type":"gauge","help":"","unit":"celsius"}]}}"#
    );
    let data = |path: &str| client.get_json(&format!("/api/v1/metadata?{path}"))["data"].clone();
    let keys = |path: &str| {
        let data = data(path);
        let keys: Vec<String> = data.as_object().unwrap().keys().cloned().collect();
        keys
    };
    assert_eq!(keys("limit=1"), ["requests_total"]);
    assert_eq!(keys("limit=-1").len(), 3);
    assert_eq!(keys("metric=temperature"), ["temperature"]);
    assert_eq!(data("metric=nothing"), json!({}));
}
