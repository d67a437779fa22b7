//! Prometheus' HTTP API: what the server says of itself, and who pushes.

use serde_json::{Value, json};

use crate::api::{failure, server, success};
use crate::server::TestServer;

#[test]
fn what_there_is_none_of_is_empty() {
    let server = TestServer::start();
    let client = server.client();
    for (path, data) in [
        ("rules", r#"{"groups":[]}"#),
        ("alerts", r#"{"alerts":[]}"#),
        (
            "alertmanagers",
            r#"{"activeAlertmanagers":[],"droppedAlertmanagers":[]}"#,
        ),
        (
            "targets",
            r#"{"activeTargets":[],"droppedTargetCounts":{},"droppedTargets":[]}"#,
        ),
        ("labels", "[]"),
        ("metadata", "{}"),
    ] {
        let expected = format!("{{\"status\":\"success\",\"data\":{data}}}");
        assert_eq!(success(client, &format!("/api/v1/{path}")), expected);
    }
    assert_eq!(client.get("/-/healthy").status, 200);
    assert_eq!(client.get("/-/ready").status, 200);
}

#[test]
fn i_api_2_what_is_wrong_with_a_question_for_rules_is_named() {
    let server = TestServer::start();
    let client = server.client();
    for fine in [
        "type=Alert&exclude_alerts=true",
        "group_limit=3&group_next_token=x",
        "match[]=up",
    ] {
        let answer = success(client, &format!("/api/v1/rules?{fine}"));
        assert_eq!(answer, r#"{"status":"success","data":{"groups":[]}}"#);
    }
    for (wrong, message) in [
        (
            "type=x",
            "invalid parameter \"type\": \"x\" is none of alert, record",
        ),
        (
            "exclude_alerts=maybe",
            "invalid parameter \"exclude_alerts\": \"maybe\" is none of true, false, t, f, 1, 0",
        ),
        (
            "group_limit=0",
            "invalid parameter \"group_limit\": it must be a number greater than 0",
        ),
        (
            "group_limit=x",
            "invalid parameter \"group_limit\": it must be a number greater than 0",
        ),
        (
            "group_next_token=x",
            "invalid parameter \"group_next_token\": it goes on where a group_limit ended, which is missing",
        ),
        (
            "match[]={",
            "invalid parameter \"match[]\": 1:2: parse error: ",
        ),
    ] {
        let (status, kind, found) = failure(&client.get(&format!("/api/v1/rules?{wrong}")));
        assert_eq!((status, kind.as_str()), (400, "bad_data"));
        assert!(found.starts_with(message), "{found}");
    }
}

#[test]
fn i_status_1_builds_flags_and_sizes() {
    let server = server();
    let client = server.client();
    let data = |path: &str| client.get_json(&format!("/api/v1/status/{path}"))["data"].clone();
    let build = data("buildinfo");
    assert_eq!(build["version"], "3.14.0");
    assert_eq!(build["application"], "TinyObs");
    // Grafana would take a server with features for another product.
    assert_eq!(build["features"], Value::Null);
    let runtime = data("runtimeinfo");
    assert_eq!(runtime["reloadConfigSuccess"], true);
    assert_eq!(runtime["corruptionCount"], 0);
    assert_eq!(runtime["storageRetention"], "for ever");
    let flags = data("flags");
    assert_eq!(flags["engine"], "disk");
    assert_eq!(flags["max-series"], "10000");
    let yaml = data("config")["yaml"].as_str().unwrap().to_owned();
    assert!(yaml.contains("\nengine: \"disk\"\n"), "{yaml}");
    assert_eq!(
        data("tsdb?limit=2"),
        json!({
            "headStats": {
                "numSeries": 3, "numLabelPairs": 6,
                "minTime": 1_700_000_000_000_i64, "maxTime": 1_700_000_300_000_i64,
            },
            "seriesCountByMetricName": [
                {"name": "requests_total", "value": 2}, {"name": "temperature", "value": 1},
            ],
            "labelValueCountByLabelName": [
                {"name": "__name__", "value": 2}, {"name": "code", "value": 2},
            ],
            "memoryInBytesByLabelName": [
                {"name": "__name__", "value": 25}, {"name": "job", "value": 9},
            ],
            "seriesCountByLabelValuePair": [
                {"name": "__name__=requests_total", "value": 2}, {"name": "job=shop", "value": 2},
            ],
        })
    );
}

#[test]
fn who_pushes_is_a_target() {
    let server = TestServer::start();
    let client = server.client();
    let body = json!({
        "source": {"service": "shop", "instance": "a:1", "interval_ms": 5_000},
        "metrics": [{"name": "x", "value": 1}],
    });
    assert_eq!(client.push(&body.to_string()).status, 200);
    let data = |path: &str| client.get_json(&format!("/api/v1/targets{path}"))["data"].clone();
    let mut target = data("")["activeTargets"][0].clone();
    let last = target["lastScrape"].take();
    assert!(last.as_str().unwrap().ends_with('Z'));
    assert_eq!(
        target,
        json!({
            "discoveredLabels": {"job": "shop", "instance": "a:1"},
            "labels": {"job": "shop", "instance": "a:1"},
            "scrapePool": "shop", "scrapeUrl": "", "globalUrl": "",
            "lastError": "", "lastScrape": null, "lastScrapeDuration": 0, "health": "up",
            "scrapeInterval": "5000ms", "scrapeTimeout": "5000ms",
        })
    );
    assert_eq!(
        data("?state=active")["activeTargets"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(data("?state=dropped")["activeTargets"], json!([]));
    assert_eq!(data("?scrapePool=other")["activeTargets"], json!([]));
    let (status, _, message) = failure(&client.get("/api/v1/targets?state=gone"));
    assert_eq!(status, 400);
    assert_eq!(
        message,
        "invalid parameter \"state\": \"gone\" is none of any, active, dropped"
    );
}
