//! `POST /v1/ingest`: what is stored, what is refused, and what is said about it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{TestServer, escape, now_ms};

pub fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// (index, rule) of each refused item.
fn rules(answer: &Value) -> Vec<(u64, String)> {
    let errors = answer["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|one| {
            (
                one["index"].as_u64().unwrap(),
                one["rule"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

pub fn values(client: Client, metric: &str) -> Vec<f64> {
    let answer = client.get_json(&format!("/v1/query?metric={}", escape(metric)));
    let rows = answer["metrics"].as_array().unwrap();
    assert_eq!(answer["count"], rows.len());
    rows.iter()
        .map(|row| row["value"].as_f64().unwrap())
        .collect()
}

#[test]
fn i_ingest_1_and_i_refuse_1_good_items_of_a_bad_batch_are_stored() {
    let now = now_ms();
    let many_labels: serde_json::Map<String, Value> =
        (0..65).map(|i| (format!("l{i}"), json!("v"))).collect();
    let bad = [
        (json!({"name": "", "value": 1}), "name_empty"),
        (
            json!({"name": "m", "value": 1, "labels": {"": "v"}}),
            "label_name_empty",
        ),
        (json!({"name": "m", "value": "NaN"}), "value_not_a_number"),
        (
            json!({"name": "m", "value": 1, "timestamp": now + 11 * 60_000}),
            "time_in_future",
        ),
        (
            json!({"name": "m", "value": 1, "timestamp": i64::MAX}),
            "time_in_future",
        ),
        (
            json!({"name": "m", "value": 1, "timestamp": now / 1_000}),
            "time_invalid",
        ),
        (
            json!({"name": "m", "value": 1, "labels": many_labels}),
            "too_many_labels",
        ),
        (
            json!({"name": "m", "value": 1, "type": "speed"}),
            "type_unknown",
        ),
        (json!({"name": 5, "value": 1}), "malformed"),
        (
            json!({"name": "m", "value": 1, "labels": {"l": 200}}),
            "malformed",
        ),
        (
            json!({"name": "m", "value": 1, "labels": {"__tinyobs_x": "v"}}),
            "label_name_reserved",
        ),
        (
            json!({"name": "m".repeat(257), "value": 1}),
            "name_too_long",
        ),
        (
            json!({"name": "h", "buckets": [[2, 1], [1, 2]], "sum": 1, "count": 2}),
            "histogram_invalid",
        ),
        (json!(null), "malformed"),
    ];
    for server in TestServer::both_engines() {
        let client = server.client();
        let mut items = Vec::new();
        let mut expected = Vec::new();
        for (i, (item, rule)) in bad.iter().enumerate() {
            items.push(json!({"name": format!("good_{i}"), "value": i}));
            items.push(item.clone());
            expected.push((2 * i as u64 + 1, (*rule).to_owned()));
        }
        let answer = client.push(&json!({ "metrics": items }).to_string());
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        assert_eq!(answer["status"], "success");
        assert_eq!(answer["count"], bad.len());
        assert_eq!(answer["refused"], bad.len());
        assert_eq!(rules(&answer), expected);
        for i in 0..bad.len() {
            assert_eq!(values(client, &format!("good_{i}")), [i as f64]);
        }
        let list = client.get_json("/v1/metrics/list");
        assert_eq!(list["count"], bad.len(), "{list}");
    }
}

#[test]
fn nothing_sent_is_a_success_and_nothing_stored_is_not() {
    let server = TestServer::start();
    let client = server.client();
    for body in ["{}", "{\"metrics\":[]}", "{\"metrics\":null}"] {
        let answer = client.push(body).json();
        assert_eq!(
            answer,
            json!({"status": "success", "count": 0, "refused": 0, "errors": []})
        );
    }
    let answer = client.push(r#"{"metrics":[{"name":""},{"name":"m","value":null}]}"#);
    assert_eq!(
        answer.error(400),
        "none of 2 items was stored; the first: metric name is empty"
    );
    assert_eq!(
        rules(&answer.json()),
        [
            (0, "name_empty".to_owned()),
            (1, "value_not_a_number".to_owned())
        ]
    );
}

#[test]
fn i_ingest_2_only_json_is_taken() {
    let server = TestServer::start();
    let client = server.client();
    let body = br#"{"metrics":[{"name":"m","value":1}]}"#;
    let send = |headers: &[(&str, &str)]| client.send("POST", "/v1/ingest", headers, body);
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "",
    ] {
        assert_eq!(
            send(&[("content-type", content_type)]).error(415),
            "send the header `content-type: application/json`"
        );
    }
    send(&[]).error(415);
    let brotli = [
        ("content-type", "application/json"),
        ("content-encoding", "br"),
    ];
    assert_eq!(
        send(&brotli).error(415),
        "content-encoding \"br\" is not taken here; it may be gzip, zstd, snappy, identity"
    );
    assert_eq!(client.get_json("/v1/stats")["TotalMetrics"], 0);
    let charset = [("content-type", "Application/JSON; charset=utf-8")];
    assert_eq!(send(&charset).status, 200);
    assert_eq!(values(client, "m"), [1.0]);
}

#[test]
fn broken_bodies_are_400_and_store_nothing() {
    let server = TestServer::start();
    let client = server.client();
    let item = r#"{"name":"m","value":1}"#;
    let too_many = format!("{{\"metrics\":[{}]}}", vec![item; 10_001].join(","));
    for (body, part) in [
        (String::new(), "body ends too early"),
        (
            format!("{{\"metrics\":[{item}"),
            "body ends too early, at line 1, column 34",
        ),
        (
            format!("{{\"metrics\":[{item}]}}garbage"),
            "something stands behind its end at line 1, column 37",
        ),
        ("[".repeat(1_000_000), "body is not a push"),
        (
            format!("{{\"metrics\":{}", "[".repeat(1_000_000)),
            "body ends too early",
        ),
        (
            "{\"metrics\":{}}".to_owned(),
            "a list of items in `metrics` is expected",
        ),
        (item.to_owned(), "`metrics` is missing"),
        (too_many, "more than 10000 items"),
    ] {
        let message = client.push(&body).error(400);
        assert!(message.contains(part), "{message}");
    }
    let deep = format!(
        "{{\"metrics\":[{}{}]}}",
        "[".repeat(1_000_000),
        "]".repeat(1_000_000)
    );
    let answer = client.push(&deep);
    answer.error(400);
    assert_eq!(rules(&answer.json()), [(0, "malformed".to_owned())]);
    assert_eq!(client.get_json("/v1/stats")["TotalMetrics"], 0);
}

#[test]
fn gzip_is_taken_and_damage_is_not() {
    let server = TestServer::start();
    let client = server.client();
    let headers = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let packed = gzip(br#"{"metrics":[{"name":"m","value":7}]}"#);
    assert_eq!(
        client.send("POST", "/v1/ingest", &headers, &packed).status,
        200
    );
    assert_eq!(values(client, "m"), [7.0]);
    let cut = &packed[..packed.len() - 4];
    let message = client.send("POST", "/v1/ingest", &headers, cut).error(400);
    assert!(message.starts_with("body is not valid gzip"), "{message}");
}

#[test]
fn the_series_limit_is_429_and_known_series_go_on() {
    let server = TestServer::with(|config| config.max_series = 2);
    let client = server.client();
    let push = |names: &[&str]| {
        let items: Vec<Value> = names
            .iter()
            .map(|name| json!({"name": name, "value": 1}))
            .collect();
        client.push(&json!({ "metrics": items }).to_string())
    };
    assert_eq!(push(&["a", "b"]).json()["count"], 2);
    let answer = push(&["c", "d"]);
    answer.error(429);
    assert_eq!(answer.header("retry-after"), Some("60"));
    let limit = "series_limit".to_owned();
    assert_eq!(
        rules(&answer.json()),
        [(0, limit.clone()), (1, limit.clone())]
    );
    let answer = push(&["c", "a"]);
    assert_eq!(answer.status, 200);
    assert_eq!(rules(&answer.json()), [(0, limit)]);
    let cardinality = client.get_json("/v1/cardinality");
    assert_eq!(cardinality["total_series"], 2);
    assert_eq!(cardinality["series_limit"], 2);
    assert_eq!(cardinality["utilization_percent"], 100.0);
    assert_eq!(cardinality["refused_total"], 3);
}
