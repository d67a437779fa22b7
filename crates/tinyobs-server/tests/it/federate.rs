//! `GET /federate`, and which format a scraper gets.

use serde_json::json;

use crate::client::Client;
use crate::server::{TestServer, escape, now_ms};

fn push(client: Client, now: i64) {
    let items = json!([
        {"name": "orders_total", "type": "counter", "value": 1, "timestamp": now - 9_000},
        {"name": "orders_total", "type": "counter", "value": 2, "timestamp": now - 8_000, "help": "Orders."},
        {"name": "old", "value": 1, "timestamp": now - 6 * 60_000},
        {"name": "load", "type": "gauge", "value": 0.5, "labels": {"instance": "a", "job": "x"}, "timestamp": now - 1_000},
        {"name": "d_seconds", "labels": {"job": "x"}, "buckets": [[1, 2]], "sum": 3.5, "count": 4,
         "unit": "seconds", "timestamp": now - 1_000},
    ]);
    assert_eq!(
        client.push(&json!({ "metrics": items }).to_string()).status,
        200
    );
    let source = json!({"service": "s", "instance": "i", "final": true});
    let ended = json!({"source": source, "metrics": [{"name": "ended", "value": 1, "timestamp": now - 2_000}]});
    assert_eq!(client.push(&ended.to_string()).status, 200);
}

#[test]
fn i_federate_1_the_latest_values_with_their_times() {
    let now = now_ms();
    for server in TestServer::both_engines() {
        let client = server.client();
        push(client, now);
        let federate = |selectors: &[&str]| {
            let pairs = selectors
                .iter()
                .map(|text| format!("match[]={}", escape(text)));
            let answer = client.get(&format!(
                "/federate?{}",
                pairs.collect::<Vec<_>>().join("&")
            ));
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(
                answer.header("content-type"),
                Some("text/plain; version=0.0.4; charset=utf-8")
            );
            answer.text().to_owned()
        };
        let orders = format!(
            "# HELP orders_total Orders.\n# TYPE orders_total counter\n\
             orders_total{{instance=\"\"}} 2 {}\n",
            now - 8_000
        );
        assert_eq!(federate(&["orders_total"]), orders);
        assert_eq!(
            federate(&["orders_total", "{__name__=~\"orders.*\"}"]),
            orders
        );
        let at = now - 1_000;
        assert_eq!(
            federate(&["{job=\"x\"}", "orders_total", "load"]),
            format!(
                "# TYPE d_seconds histogram\n\
                 d_seconds_bucket{{job=\"x\",le=\"1\",instance=\"\"}} 2 {at}\n\
                 d_seconds_bucket{{job=\"x\",le=\"+Inf\",instance=\"\"}} 4 {at}\n\
                 d_seconds_sum{{job=\"x\",instance=\"\"}} 3.5 {at}\n\
                 d_seconds_count{{job=\"x\",instance=\"\"}} 4 {at}\n\
                 # TYPE load gauge\nload{{instance=\"a\",job=\"x\"}} 0.5 {at}\n{orders}"
            )
        );
        assert_eq!(federate(&["old", "ended", "absent"]), "");
        let message = client.get("/federate").error(400);
        assert!(message.contains("\"match[]\" is required"), "{message}");
        assert!(
            client
                .get("/federate?match[]=%7B")
                .error(400)
                .contains("match[]")
        );
    }
}

#[test]
fn i_scrape_2_a_scraper_gets_what_it_prefers() {
    let server = TestServer::start();
    let client = server.client();
    push(client, now_ms());
    let page = |path: &str, accept: &str| client.send("GET", path, &[("accept", accept)], b"");
    let open = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2";
    let answer = page("/metrics", open);
    assert_eq!(
        answer.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    let text = answer.text();
    let pushed = text.split("# HELP tinyobs_build_info").next().unwrap();
    assert_eq!(
        pushed,
        "# TYPE d_seconds histogram\n# UNIT d_seconds seconds\n\
         d_seconds_bucket{job=\"x\",le=\"1.0\"} 2\nd_seconds_bucket{job=\"x\",le=\"+Inf\"} 4\n\
         d_seconds_sum{job=\"x\"} 3.5\nd_seconds_count{job=\"x\"} 4\n\
         # TYPE load gauge\nload{instance=\"a\",job=\"x\"} 0.5\n\
         # HELP orders Orders.\n# TYPE orders counter\norders_total 2\n"
    );
    assert!(text.ends_with("\n# EOF\n"));
    assert!(text.contains("# TYPE tinyobs_http_requests counter\ntinyobs_http_requests_total{"));
    assert!(text.contains("le=\"10.0\"}"));
    let own = page("/metrics/self", open);
    assert!(
        own.text()
            .starts_with("# HELP tinyobs_build_info The running version.\n")
    );
    assert!(own.text().ends_with("\n# EOF\n") && !own.text().contains("load"));
    let plain = page("/metrics/self", "*/*");
    assert_eq!(
        plain.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert!(
        plain
            .text()
            .contains("# TYPE tinyobs_http_requests_total counter\n")
    );
    assert!(!plain.text().contains("EOF"));
}
