//! Maintenance on demand, and where its progress shows.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::server::{TestServer, now_ms};

fn ask(client: Client, query: &str, body: &str) -> Answer {
    let json = [("content-type", "application/json")];
    let headers = if body.is_empty() { &[][..] } else { &json[..] };
    let path = format!("/v1/admin/maintenance{query}");
    client.send("POST", &path, headers, body.as_bytes())
}

#[test]
fn a_cycle_on_demand_says_what_it_did() {
    for server in TestServer::both_engines() {
        let client = server.client();
        client.push(r#"{"metrics":[{"name":"m","type":"gauge","value":1}]}"#);
        let done = ask(client, "", "").json();
        assert_eq!(done["status"], "success");
        let mut names: Vec<&str> = done
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "dropped_partitions",
                "expired_series",
                "freed_bytes",
                "merged_tables",
                "rolled_windows",
                "status",
                "took_ms"
            ]
        );
        assert_eq!(done["dropped_partitions"], 0);
        // What was flushed is no longer in memory.
        let page = client.get("/metrics");
        assert!(page.text().contains("\ntinyobs_store_head_samples 0\n"));
    }
}

#[test]
fn nobody_needs_to_wait() {
    let server = TestServer::start();
    let client = server.client();
    for (query, body) in [("?wait=false", ""), ("", r#"{"async":true}"#)] {
        client.push(r#"{"metrics":[{"name":"m","type":"gauge","value":1}]}"#);
        let answer = ask(client, query, body);
        assert_eq!(answer.status, 202);
        assert_eq!(answer.json(), json!({"status": "started"}));
        let begun = Instant::now();
        while !client
            .get("/metrics")
            .text()
            .contains("\ntinyobs_store_head_samples 0\n")
        {
            assert!(begun.elapsed() < Duration::from_secs(20), "it never came");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn i_admin_2_those_who_come_meanwhile_wait_their_turn() {
    let server = TestServer::start();
    let client = server.client();
    let answers: Vec<u16> = thread::scope(|scope| {
        let asked: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| ask(client, "", "").status))
            .collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(answers, [200; 4]);
}

#[test]
fn a_wish_must_be_readable() {
    let server = TestServer::start();
    let client = server.client();
    assert_eq!(
        ask(client, "?wait=maybe", "").error(400),
        "parameter \"wait\": \"maybe\" is neither true nor false"
    );
    let message = ask(client, "", r#"{"sync":true}"#).error(400);
    assert!(
        message.starts_with("the field `sync` is not known, only `async`"),
        "{message}"
    );
    assert!(
        message.ends_with("the body is {\"async\": true}, or nothing"),
        "{message}"
    );
    assert_eq!(
        ask(client, "", &" ".repeat(2_000)).error(413),
        "body has more than 1024 bytes"
    );
    let path = "/v1/admin/maintenance";
    let plain = client.send("POST", path, &[("content-type", "text/plain")], b"{}");
    assert_eq!(
        plain.error(415),
        "send the header `content-type: application/json`"
    );
    // Another site's page can send no body at all without asking first.
    let origin = [("origin", "http://evil.example")];
    client.send("POST", path, &origin, b"").error(403);
    let host = [("host", "evil.example")];
    client.send("POST", path, &host, b"").error(403);
}

#[test]
fn progress_shows_in_health_and_stats() {
    let server = TestServer::start();
    let client = server.client();
    let before = client.get_json("/v1/health");
    assert_eq!(before["status"], "healthy");
    assert_eq!(before["compaction"]["healthy"], true);
    assert_eq!(before["compaction"]["consecutive_errors"], 0);
    assert_eq!(
        before["storage"],
        json!({"healthy": true, "level": "normal", "warnings": []})
    );
    let now = now_ms();
    client.push(&format!(
        r#"{{"metrics":[{{"name":"m","type":"gauge","value":1,"timestamp":{}}}]}}"#,
        now - 1_000
    ));
    assert_eq!(ask(client, "", "").status, 200);
    let progress = client.get_json("/v1/admin/maintenance");
    assert_eq!(progress["running"], false);
    assert_eq!(progress["phase"], Value::Null);
    assert_eq!(progress["consecutive_errors"], 0);
    let stats = client.get_json("/v1/stats");
    assert_eq!(stats["TotalMetrics"], 1);
    assert_eq!(
        (&stats["Rollups5m"], &stats["Rollups1h"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(stats["RollupLagSeconds"], 0.0);
    assert_eq!(stats["RolledUntil"], stats["NewestMetric"]);
    let health = client.get_json("/v1/health")["compaction"].clone();
    assert_eq!(health["rolled_until"], stats["NewestMetric"]);
    assert!(health["last_success"].is_string(), "{health}");
    let page = client.get("/metrics");
    for line in [
        "tinyobs_rollup_windows_total 2",
        "tinyobs_rollup_lag_seconds 0",
        "tinyobs_maintenance_cycles_total 1",
        "tinyobs_maintenance_failures_total 0",
        "tinyobs_maintenance_partitions_dropped_total 0",
        "tinyobs_maintenance_running{phase=\"rollup\"} 0",
        "tinyobs_storage_max_bytes 1073741824",
        "tinyobs_storage_rows{resolution=\"raw\"} 1",
        "tinyobs_storage_rows{resolution=\"1h\"} 1",
        "tinyobs_storage_tables{resolution=\"5m\"} 1",
        "tinyobs_store_series_expired_total 0",
        "tinyobs_store_series_growth 1",
    ] {
        assert!(
            page.text().contains(&format!("\n{line}\n")),
            "{line}: {}",
            page.text()
        );
    }
}
