//! OTLP over HTTP: what is not stored costs no more than it must, and is said and counted.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::ingest::values;
use crate::otlp::{gauge, point, push_json, request};
use crate::server::{TestServer, now_ms};

/// Gives the resource an attribute that only its `target_info` has.
fn on_host(request: &mut Value, host: &str) {
    let attributes = &mut request["resourceMetrics"][0]["resource"]["attributes"];
    let host = json!({"key": "host.name", "value": {"stringValue": host}});
    attributes.as_array_mut().unwrap().push(host);
}

/// The line of `/metrics/self` for items refused by this rule.
fn refused(client: Client, rule: &str) -> u64 {
    let text = client.get("/metrics/self");
    let series = format!("tinyobs_ingest_items_refused_total{{rule=\"{rule}\"}} ");
    let mut lines = text.text().lines();
    let found = lines.find_map(|line| line.strip_prefix(&series));
    found.map_or(0, |count| count.parse().unwrap())
}

#[test]
fn i_otlp_http_1_a_point_from_the_future_costs_only_itself_and_is_counted_once() {
    let server = TestServer::with(|config| config.max_series = 3);
    let client = server.client();
    let now = now_ms();
    let at = |ms: i64| json!({"timeUnixNano": format!("{ms}000000"), "asDouble": 1.0});
    let mut body = request(&json!([gauge("m", &[at(now + 3_600_000), at(now)])]));
    on_host(&mut body, "h");
    let answer = push_json(client, &body);
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedDataPoints"], "1");
    let message = partial["errorMessage"].as_str().unwrap();
    assert!(
        message.starts_with("data point 0: time ") && message.ends_with("(time_in_future)"),
        "{message}"
    );
    let target = client.get_json("/v1/query?metric=target_info");
    assert_eq!(target["metrics"][0]["labels"]["host_name"], "h", "{target}");
    assert_eq!(refused(client, "time_in_future"), 1);
    // A `target_info` too many is told, and is no point: neither here nor there.
    let mut body = request(&json!([gauge("m", &[at(now)])]));
    on_host(&mut body, "other");
    let answer = push_json(client, &body);
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedDataPoints"], "0", "{}", answer.text());
    assert_eq!(refused(client, "series_limit"), 0);
}

#[test]
fn i_otlp_delta_1_what_comes_too_late_is_said_and_a_repeat_is_not() {
    for server in TestServer::both_engines() {
        let client = server.client();
        let now = now_ms();
        let points = |points: &[(i64, u32)]| {
            let points = points.iter().map(|(ago_ms, add)| {
                json!({"timeUnixNano": format!("{}000000", now - ago_ms), "asInt": add})
            });
            let sum = json!({
                "aggregationTemporality": 1, "isMonotonic": true,
                "dataPoints": points.collect::<Vec<Value>>(),
            });
            push_json(client, &request(&json!([{"name": "c", "sum": sum}])))
        };
        // In any order, and all of it a second time.
        let some = [(1_000, 4), (3_000, 1), (2_000, 2)];
        for _ in 0..2 {
            assert_eq!(points(&some).text(), "{}");
            assert_eq!(values(client, "c_total"), [1.0, 3.0, 7.0]);
        }
        let answer = points(&[(2_500, 8), (500, 16)]);
        let partial = &answer.json()["partialSuccess"];
        assert_eq!(partial["rejectedDataPoints"], "1");
        let message = format!(
            "data point 0: a delta of \"c_total\" ends at {}, and what ends by {} has been counted: \
             it comes too late (delta_late)",
            now - 2_500,
            now - 1_000
        );
        assert_eq!(partial["errorMessage"], message);
        assert_eq!(values(client, "c_total"), [1.0, 3.0, 7.0, 23.0]);
        assert_eq!(refused(client, "delta_late"), 1);
    }
}

/// Pushes deltas of `c`, each with how long ago it began and ended, in ns.
fn push_deltas(client: Client, now: i64, deltas: &[(i64, i64, Value)]) -> Answer {
    let ns = |ago: &i64| (now * 1_000_000 - ago).to_string();
    let points = deltas.iter().map(|(began, ended, add)| {
        json!({"startTimeUnixNano": ns(began), "timeUnixNano": ns(ended), "asDouble": add})
    });
    let sum = json!({
        "aggregationTemporality": 1, "isMonotonic": true,
        "dataPoints": points.collect::<Vec<Value>>(),
    });
    push_json(client, &request(&json!([{"name": "c", "sum": sum}])))
}

const SECOND_NS: i64 = 1_000_000_000;

#[test]
fn i_otlp_delta_1_what_ends_where_the_first_began_is_late() {
    for server in TestServer::both_engines() {
        let (client, now) = (server.client(), now_ms());
        let push = |began: i64, ended: i64, add: f64| {
            let one = (began * SECOND_NS, ended * SECOND_NS, json!(add));
            push_deltas(client, now, &[one])
        };
        assert_eq!(push(60, 30, 5.0).text(), "{}");
        // The 0 at its start was no delta's.
        assert_eq!(values(client, "c_total"), [0.0, 5.0]);
        let partial = &push(90, 60, 7.0).json()["partialSuccess"];
        assert_eq!(partial["rejectedDataPoints"], "1");
        assert_eq!(refused(client, "delta_late"), 1);
        assert_eq!(push(30, 10, 2.0).text(), "{}");
        assert_eq!(push(60, 30, 5.0).text(), "{}", "a repeat");
        assert_eq!(values(client, "c_total"), [0.0, 5.0, 7.0]);
    }
}

#[test]
fn i_otlp_delta_4_those_that_end_in_one_millisecond_are_all_counted_once() {
    let mut server = TestServer::start();
    let now = now_ms();
    let some = [
        (9 * SECOND_NS, 700, json!(1)),
        (9 * SECOND_NS, 700, json!(2)),
        (9 * SECOND_NS, 300, json!(4)),
    ];
    let other = [(9 * SECOND_NS, 500, json!(8))];
    for _ in 0..2 {
        for deltas in [&some[..], &other] {
            assert_eq!(push_deltas(server.client(), now, deltas).text(), "{}");
        }
        assert_eq!(values(server.client(), "c_total").last(), Some(&15.0));
    }
    server.restart();
    for deltas in [&some[..], &other] {
        assert_eq!(push_deltas(server.client(), now, deltas).text(), "{}");
    }
    assert_eq!(values(server.client(), "c_total").last(), Some(&15.0));
}

#[test]
fn i_otlp_delta_5_what_is_no_number_leaves_the_total_as_it_is() {
    let server = TestServer::start();
    let (client, now) = (server.client(), now_ms());
    let push = |ended: i64, add: Value| push_deltas(client, now, &[(9 * SECOND_NS, ended, add)]);
    assert_eq!(push(4 * SECOND_NS, json!(5)).text(), "{}");
    for (ago, add) in [(3, json!("NaN")), (2, json!("Infinity"))] {
        let partial = &push(ago * SECOND_NS, add).json()["partialSuccess"];
        assert_eq!(partial["rejectedDataPoints"], "1");
    }
    assert_eq!(push(SECOND_NS, json!(2)).text(), "{}");
    assert_eq!(values(client, "c_total"), [0.0, 5.0, 7.0]);
    assert_eq!(refused(client, "value_not_a_number"), 2);
}

#[test]
fn i_otlp_json_2_one_bad_field_costs_one_point() {
    let server = TestServer::start();
    let client = server.client();
    let mut bad = point(1.0);
    bad["timeUnixNano"] = "yesterday".into();
    let body = request(
        &json!([gauge("m", &[bad, point(2.0)]), {"name": "s", "sum": {
            "aggregationTemporality": "SOMETIMES", "dataPoints": [point(1.0)],
        }}]),
    );
    let answer = push_json(client, &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedDataPoints"], "2");
    let at = "resourceMetrics[0].scopeMetrics[0]";
    let message = format!(
        "data point 0: \"m_seconds\": {at}.metrics[0].gauge.dataPoints[0].timeUnixNano is not a whole \
         number from 0 on: \"yesterday\" (time_invalid); data point 2: \
         {at}.metrics[1].sum.aggregationTemporality is not 1 (AGGREGATION_TEMPORALITY_DELTA) or 2 \
         (AGGREGATION_TEMPORALITY_CUMULATIVE): \"SOMETIMES\" (type_unknown)"
    );
    assert_eq!(partial["errorMessage"], message);
    assert_eq!(values(client, "m_seconds"), [2.0]);
}
