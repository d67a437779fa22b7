//! `GET /metrics`: what was pushed, and what the server counts.

use serde_json::json;

use crate::server::{TestServer, escape, now_ms};

/// The lines before our own families.
fn pushed(page: &str) -> &str {
    page.split("# HELP tinyobs_build_info").next().unwrap()
}

#[test]
fn live_series_with_types_and_help() {
    let now = now_ms();
    for server in TestServer::both_engines() {
        let client = server.client();
        let items = json!([
            {"name": "orders_total", "type": "counter", "value": 1, "timestamp": now - 9_000, "help": "Orders\ntaken."},
            {"name": "orders_total", "type": "counter", "value": 2, "timestamp": now - 8_000},
            {"name": "old", "type": "gauge", "value": 1, "timestamp": now - 6 * 60_000},
            {"name": "a.b", "type": "gauge", "value": 0.5, "labels": {"l": "x\"y\\\n"}},
            {"name": "d", "labels": {"e": "/"}, "buckets": [[0.5, 1], [10, 2]], "sum": 3.5, "count": 4},
        ]);
        assert_eq!(
            client.push(&json!({ "metrics": items }).to_string()).status,
            200
        );
        let answer = client.get("/metrics");
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; version=0.0.4; charset=utf-8")
        );
        assert_eq!(
            pushed(answer.text()),
            "# TYPE a_b gauge\n\
             a_b{l=\"x\\\"y\\\\\\n\"} 0.5\n\
             # TYPE d histogram\n\
             d_bucket{e=\"/\",le=\"0.5\"} 1\n\
             d_bucket{e=\"/\",le=\"10\"} 2\n\
             d_bucket{e=\"/\",le=\"+Inf\"} 4\n\
             d_sum{e=\"/\"} 3.5\n\
             d_count{e=\"/\"} 4\n\
             # HELP orders_total Orders\\ntaken.\n\
             # TYPE orders_total counter\n\
             orders_total 2\n"
        );
    }
}

#[test]
fn i_expo_1_parts_without_their_label_are_families_of_their_own() {
    let server = TestServer::start();
    let client = server.client();
    let items = json!([
        {"name": "hz", "buckets": [[1, 1]], "sum": 0.5, "count": 2},
        {"name": "hz_bucket", "type": "histogram", "value": 7},
        {"name": "rpc", "type": "summary", "value": 1, "labels": {"quantile": "0.5"}},
        {"name": "rpc", "type": "summary", "value": 2},
        {"name": "rpc_count", "type": "summary", "value": 3},
    ]);
    let answer = client.push(&json!({ "metrics": items }).to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let lines = "hz_bucket 7\nhz_bucket{le=\"1\"} 1\nhz_bucket{le=\"+Inf\"} 2\n# TYPE hz_count untyped\n\
         hz_count 2\n# TYPE hz_sum untyped\nhz_sum 0.5\n# TYPE rpc untyped\nrpc 2\n\
         rpc{quantile=\"0.5\"} 1\n# TYPE rpc_count untyped\nrpc_count 3\n";
    let page = format!("# TYPE hz_bucket untyped\n{lines}");
    assert_eq!(pushed(client.get("/metrics").text()), page);
    let open = [("accept", "application/openmetrics-text")];
    let answer = client.send("GET", "/metrics", &open, b"");
    assert_eq!(pushed(answer.text()), page.replace("untyped", "unknown"));
}

#[test]
fn a_final_push_takes_its_series_off_the_page() {
    for server in TestServer::both_engines() {
        let client = server.client();
        let push = |is_final: bool| {
            let source = json!({"service": "s", "instance": "i", "final": is_final});
            let items = json!([{"name": "m", "value": 1}]);
            let body = json!({"source": source, "metrics": items});
            assert_eq!(client.push(&body.to_string()).status, 200);
        };
        push(false);
        let page = client.get("/metrics");
        assert!(pushed(page.text()).contains("m{instance=\"i\",service=\"s\"} 1\n"));
        std::thread::sleep(std::time::Duration::from_millis(5));
        push(true);
        assert_eq!(pushed(client.get("/metrics").text()), "");
    }
}

#[test]
fn i_scrape_1_our_own_names_are_ours() {
    let server = TestServer::start();
    let client = server.client();
    let items = json!([
        {"name": "tinyobs_build_info", "value": 7},
        {"name": "tinyobs.uptime.seconds", "value": 7},
        {"name": "tinyobs_http_request_duration_seconds_bucket", "value": 7},
        {"name": "tinyobs_mine", "value": 7},
        {"name": "", "value": 7},
    ]);
    client.push(&json!({ "metrics": items }).to_string());
    client.get(&format!("/v1/query?match[]={}", escape("{")));
    client.get(&format!("/{}", "x".repeat(50)));
    let page = client.get("/metrics");
    let page = page.text();
    assert_eq!(
        pushed(page),
        "# TYPE tinyobs_mine untyped\ntinyobs_mine 7\n"
    );
    for line in [
        "tinyobs_build_info{version=\"0.1.0\",engine=\"disk\",durability=\"interval\"} 1",
        "tinyobs_ingest_samples_stored_total 4",
        "tinyobs_ingest_items_refused_total{rule=\"name_empty\"} 1",
        "tinyobs_http_requests_total{route=\"/v1/ingest\",status=\"200\"} 1",
        "tinyobs_http_requests_total{route=\"/v1/query\",status=\"400\"} 1",
        "tinyobs_http_requests_total{route=\"other\",status=\"404\"} 1",
        "tinyobs_http_request_duration_seconds_count{route=\"/v1/ingest\"} 1",
        "tinyobs_http_request_duration_seconds_bucket{route=\"/v1/ingest\",le=\"+Inf\"} 1",
        "tinyobs_store_series 4",
        "tinyobs_store_healthy 1",
        "tinyobs_exposition_skipped_series 0",
    ] {
        assert!(
            page.lines().any(|one| one == line),
            "{line} is not in\n{page}"
        );
    }
    let types: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("# TYPE"))
        .collect();
    let distinct: std::collections::BTreeSet<&&str> = types.iter().collect();
    assert_eq!(distinct.len(), types.len());
}

#[test]
fn i_count_1_what_clients_make_up_is_one_label() {
    let server = TestServer::start();
    let client = server.client();
    for i in 0..30 {
        client.get(&format!("/made/up/{i}"));
        client.send(&format!("METHOD{i}"), "/v1/stats", &[], b"");
    }
    let page = client.get("/metrics");
    let lines = |start: &str| {
        page.text()
            .lines()
            .filter(|line| line.starts_with(start))
            .count()
    };
    assert_eq!(lines("tinyobs_http_requests_total{"), 2);
    assert_eq!(lines("tinyobs_http_request_duration_seconds_count{"), 2);
    let line = "tinyobs_http_requests_total{route=\"other\",status=\"404\"} 30\n";
    assert!(page.text().contains(line), "{}", page.text());
}
