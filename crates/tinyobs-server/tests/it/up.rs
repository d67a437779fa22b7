//! `up` of who pushes: 1, 0, and the end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::pushgateway::{shown, stored};
use crate::server::TestServer;

fn push(client: Client, source: &Value, name: &str) {
    let items = json!([{"name": name, "value": 1}]);
    let body = json!({"source": source, "metrics": items});
    assert_eq!(client.push(&body.to_string()).status, 200);
}

fn values(client: Client) -> Vec<f64> {
    stored(client, "up").iter().map(|row| row.1).collect()
}

#[test]
fn i_client_2_up_of_an_sdk_process() {
    for server in TestServer::both_engines() {
        let client = server.client();
        let source = json!({"service": "shop", "instance": "h:1", "interval_ms": 1_000});
        push(client, &source, "m");
        push(client, &source, "m");
        let labels = json!({"job": "shop", "instance": "h:1"});
        assert_eq!(stored(client, "up"), [(labels, 1.0)]);
        assert_eq!(
            shown(client, "up{"),
            ["up{instance=\"h:1\",job=\"shop\"} 1"]
        );
        let begun = Instant::now();
        while values(client).len() < 2 {
            assert!(begun.elapsed() < Duration::from_secs(10), "it is still up");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(begun.elapsed() > Duration::from_millis(2_500), "too early");
        assert_eq!(values(client), [1.0, 0.0]);
        push(client, &source, "m");
        assert_eq!(values(client), [1.0, 0.0, 1.0]);
        std::thread::sleep(Duration::from_millis(5));
        let last = json!({"service": "shop", "instance": "h:1", "final": true});
        push(client, &last, "m");
        assert_eq!(shown(client, "up{"), [""; 0]);
        assert_eq!(client.get_json("/v1/stats")["Clients"], 0);
    }
}

#[test]
fn i_client_3_a_pushed_up_wins() {
    let server = TestServer::start();
    let client = server.client();
    let source = json!({"service": "shop", "instance": "h:1", "interval_ms": 1_000});
    push(client, &source, "up");
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(
        stored(client, "up"),
        [(json!({"service": "shop", "instance": "h:1"}), 1.0)]
    );
}

#[test]
fn who_says_nothing_of_itself_has_no_up() {
    let server = TestServer::start();
    let client = server.client();
    assert_eq!(
        client
            .push(r#"{"metrics":[{"name":"m","value":1}]}"#)
            .status,
        200
    );
    push(client, &json!({}), "m");
    assert_eq!(stored(client, "up"), []);
}

/// A collector speaks for several resources at once.
#[test]
fn i_client_2_up_of_opentelemetry_resources() {
    let server = TestServer::start();
    let client = server.client();
    let time = format!("{}000000", crate::server::now_ms());
    let resource = |service: &str, instance: &str| {
        let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
        let attributes = [
            text("service.name", service),
            text("service.instance.id", instance),
        ];
        let point = json!({"timeUnixNano": time, "asDouble": 1});
        let metric = json!({"name": "m", "gauge": {"dataPoints": [point]}});
        json!({"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": [metric]}]})
    };
    let body =
        json!({"resourceMetrics": [resource("a", "1"), resource("a", "2"), resource("b", "1")]});
    let headers = [("content-type", "application/json")];
    let answer = client.send("POST", "/v1/metrics", &headers, body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let ups = stored(client, "up");
    let labels = |job: &str, instance: &str| (json!({"job": job, "instance": instance}), 1.0);
    assert_eq!(ups, [labels("a", "1"), labels("b", "1"), labels("a", "2")]);
    assert_eq!(client.get_json("/v1/stats")["Clients"], 3);
}
