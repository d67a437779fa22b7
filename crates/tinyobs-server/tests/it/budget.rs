//! The disk budget: who goes first, and what is said when nobody may.

use std::path::Path;

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::server::{TestServer, now_ms};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Less than the flag allows, so that it is soon spent.
const BUDGET: u64 = 256 << 10;

/// Values that hardly compress, one a second up to `end`.
fn push(client: Client, seed: u64, count: i64, step: i64, end: i64) -> Answer {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let items: Vec<Value> = (0..count)
        .map(|i| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let value = state as f64 / 3.0;
            let time = end - (count - i) * step;
            json!({"name": "noise", "type": "gauge", "value": value, "timestamp": time})
        })
        .collect();
    client.push(&json!({ "metrics": items }).to_string())
}

fn with_budget(dir: &Path, bytes: u64) -> TestServer {
    TestServer::with(|config| {
        config.data_dir = dir.to_path_buf();
        config.max_storage_bytes = bytes;
    })
}

fn maintain(client: Client) -> Value {
    client
        .send("POST", "/v1/admin/maintenance", &[], b"")
        .json()
}

#[test]
fn when_nothing_may_go_pushes_are_507_and_reads_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let now = now_ms();
    let mut stored = 0;
    {
        let server = with_budget(dir.path(), BUDGET);
        let client = server.client();
        let refused = loop {
            // All of today: the day that is being written stays.
            let answer = push(client, stored, 5_000, 1, now + stored as i64);
            if answer.status != 200 {
                break answer;
            }
            stored += 5_000;
            assert!(stored < 1_000_000, "a budget that is never spent");
        };
        assert_eq!(refused.header("retry-after"), Some("5"));
        let message = refused.error(507);
        assert!(
            message.contains("of at most 262144; raise --max-storage"),
            "{message}"
        );
        assert!(message.ends_with("nothing of this push was kept, send it again later"));
        let storage = client.get_json("/v1/storage");
        assert_eq!(storage["level"], "full");
        assert!(storage["percent"].as_f64().unwrap() >= 100.0, "{storage}");
        let warning = storage["warnings"][0].as_str().unwrap();
        assert!(
            warning.contains(" of the disk budget of 256 KiB are used"),
            "{warning}"
        );
        assert!(warning.contains("raise --max-storage"), "{warning}");
        let health = client.get("/v1/health");
        assert_eq!(health.status, 503);
        assert_eq!(health.json()["storage"]["healthy"], false);
        let store = health.json()["store"].clone();
        assert_eq!(store["healthy"], false);
        let why = store["last_error"].as_str().unwrap();
        assert!(why.contains("of at most 262144"), "{why}");
        let page = client.get("/metrics/self");
        assert!(page.text().contains("\ntinyobs_store_healthy 0\n"));
        assert_eq!(client.get("/readyz").status, 200);
        let (from, to) = (now - DAY, now + DAY);
        let path = format!("/v1/query?limit=1000000&start={from}&end={to}");
        assert_eq!(client.get_json(&path)["count"], stored);
    }
    let server = with_budget(dir.path(), 64 << 20);
    assert_eq!(
        server.client().get_json("/v1/stats")["TotalMetrics"],
        stored
    );
    let answer = push(server.client(), 1, 10, 1, now + stored as i64);
    assert_eq!(answer.status, 200);
    assert_eq!(server.client().get("/v1/health").status, 200);
}

#[test]
fn the_oldest_samples_go_first_and_their_windows_stay() {
    let dir = tempfile::tempdir().unwrap();
    let server = with_budget(dir.path(), BUDGET);
    let client = server.client();
    let today = now_ms() - now_ms().rem_euclid(DAY);
    // Ten days of about 70 KiB each.
    for day in (1..=10).rev() {
        let end = today - (day - 1) * DAY;
        for part in 0..3 {
            let until = end - part as i64 * DAY / 3;
            // As a sender does: what is refused comes again once there is room.
            while push(client, part + 3 * day as u64, 2_880, 10_000, until).status == 507 {
                maintain(client);
            }
        }
        maintain(client);
    }
    let storage = client.get_json("/v1/storage");
    assert!(
        storage["used_bytes"].as_u64().unwrap() < BUDGET,
        "{storage}"
    );
    let space = |resolution: usize| storage["resolutions"][resolution].clone();
    assert!(space(0)["dropped_until"].is_string(), "{storage}");
    assert_eq!(space(2)["dropped_until"], Value::Null, "{storage}");
    // Hours of all ten days.
    assert_eq!(space(2)["rows"], 10 * 24);
    let start = today - 10 * DAY;
    let path = format!(
        "/v1/query/range?metric=noise&start={start}&end={}&maxPoints=200",
        today - 1
    );
    let line = client.get_json(&path)["data"][0].clone();
    assert_eq!(
        line["stretches"],
        json!([{"start": start, "end": today - 1, "resolution": "1h"}])
    );
}

#[test]
fn warnings_come_before_the_budget_is_spent() {
    let dir = tempfile::tempdir().unwrap();
    let used = {
        let server = with_budget(dir.path(), 0);
        let now = now_ms();
        for round in 0..10_u64 {
            let answer = push(
                server.client(),
                round,
                10_000,
                1,
                now + 10_000 * round as i64,
            );
            assert_eq!(answer.status, 200);
        }
        maintain(server.client());
        let storage = server.client().get_json("/v1/storage");
        assert_eq!(
            (&storage["max_bytes"], &storage["percent"]),
            (&json!(0), &json!(0.0))
        );
        assert_eq!(storage["level"], "normal");
        // The reserve depends on the budget.
        storage["used_bytes"].as_u64().unwrap() - storage["reserve_bytes"].as_u64().unwrap()
    };
    for (percent, level) in [(50, "normal"), (85, "warning_80"), (95, "warning_90")] {
        let server = with_budget(dir.path(), 100 * used / percent);
        let storage = server.client().get_json("/v1/storage");
        assert_eq!(storage["level"], level, "{storage}");
        let warned = storage["warnings"].as_array().unwrap().len();
        assert_eq!(warned, usize::from(level != "normal"), "{storage}");
        // A warning is none that takes a server out of service.
        let health = server.client().get_json("/v1/health");
        assert_eq!(health["storage"]["warnings"], storage["warnings"]);
        assert_eq!(health["status"], "healthy");
    }
}
