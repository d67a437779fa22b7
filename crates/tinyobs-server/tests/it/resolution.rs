//! Charts over samples and rollups of a real store: which resolution answers, and what survives.

use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{TestServer, now_ms};

const M: i64 = 60_000;
const H: i64 = 60 * M;
/// Ten samples to a window of five minutes.
const STEP: i64 = 30_000;

/// Three days up to `end`, a sample every half minute: a gauge with one spike up and one down, and
/// a counter of three a sample that restarts twice.
fn values(i: i64) -> (i64, i64) {
    let gauge = match i {
        1_237 => 1_000_000,
        5_821 => -1_000_000,
        i => i % 7,
    };
    let since_restart = match i {
        ..3_333 => i,
        3_333..7_001 => i - 3_333,
        _ => i - 7_001,
    };
    (gauge, 3 * since_restart)
}

const SAMPLES: i64 = 3 * 24 * H / STEP;

fn push(client: Client, start: i64, numbers: std::ops::Range<i64>) {
    let numbers: Vec<i64> = numbers.collect();
    for part in numbers.chunks(4_000) {
        let items: Vec<Value> = part
            .iter()
            .flat_map(|&i| {
                let (gauge, counter) = values(i);
                let time = start + i * STEP;
                [
                    json!({"name": "g", "type": "gauge", "value": gauge, "timestamp": time}),
                    json!({"name": "c", "type": "counter", "value": counter, "timestamp": time}),
                ]
            })
            .collect();
        let answer = client.push(&json!({ "metrics": items }).to_string());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

fn maintain(client: Client) {
    let answer = client.send("POST", "/v1/admin/maintenance", &[], b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The only line of a metric.
fn line(client: Client, metric: &str, start: i64, end: i64, max_points: i64) -> Value {
    let path =
        format!("/v1/query/range?metric={metric}&start={start}&end={end}&maxPoints={max_points}");
    let answer = client.get_json(&path);
    assert_eq!(answer["data"].as_array().unwrap().len(), 1, "{answer}");
    answer["data"][0].clone()
}

fn points(line: &Value) -> Vec<(i64, i64)> {
    let points = line["points"].as_array().unwrap();
    let point = |point: &Value| (point["t"].as_i64().unwrap(), point["v"].as_i64().unwrap());
    points.iter().map(point).collect()
}

fn increase(values: impl Iterator<Item = i64>) -> i64 {
    let values: Vec<i64> = values.collect();
    let steps = values.windows(2);
    steps
        .map(|pair| {
            if pair[1] < pair[0] {
                pair[1]
            } else {
                pair[1] - pair[0]
            }
        })
        .sum()
}

/// The last whole hour, so that windows are known.
fn beginning() -> i64 {
    let end = now_ms() - H;
    end - end.rem_euclid(H) - 3 * 24 * H
}

#[test]
fn i_range_4_every_resolution_keeps_spikes_and_increases() {
    for server in TestServer::both_engines() {
        let client = server.client();
        let start = beginning();
        let end = start + 3 * 24 * H - 1;
        push(client, start, 0..SAMPLES);
        maintain(client);
        let exact = increase((0..SAMPLES).map(|i| values(i).1));
        for (max_points, resolution) in [(5_000, "raw"), (800, "5m"), (288, "5m"), (60, "1h")] {
            let gauge = line(client, "g", start, end, max_points);
            assert_eq!(gauge["resolution"], resolution);
            let found = points(&gauge);
            assert!(found.len() <= max_points as usize);
            assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
            assert!(found.iter().all(|(t, _)| (start..=end).contains(t)));
            for spike in [1_000_000, -1_000_000] {
                let i = if spike > 0 { 1_237 } else { 5_821 };
                let drawn = found.iter().find(|(_, v)| *v == spike).unwrap();
                let off = (drawn.0 - (start + i * STEP)).abs();
                assert!(off < H, "{resolution}: the spike is off by {off} ms");
            }
            let counter = line(client, "c", start, end, max_points);
            assert_eq!(counter["resolution"], resolution);
            let found = points(&counter);
            assert!(found.len() <= max_points as usize);
            assert_eq!(
                increase(found.iter().map(|(_, v)| *v)),
                exact,
                "{resolution}"
            );
            assert_eq!(
                counter["stretches"].as_array().unwrap().len(),
                1,
                "{}",
                counter["stretches"]
            );
        }
    }
}

#[test]
fn the_selection_rule_at_its_boundaries() {
    let server = TestServer::start();
    let client = server.client();
    let start = beginning();
    push(client, start, 0..SAMPLES);
    maintain(client);
    for (window, max_points, resolution) in [
        (300_000 * 100 - 1, 100, "raw"),
        (300_000 * 100, 100, "5m"),
        (300_000 * 100 + 99, 100, "5m"),
        (H * 10 - 1, 10, "5m"),
        (H * 10, 10, "1h"),
        (H - 1, 1, "5m"),
        (H, 1, "1h"),
        (5 * M - 1, 1, "raw"),
        (0, 5_000, "raw"),
    ] {
        let line = line(client, "g", start, start + window, max_points);
        assert_eq!(
            line["resolution"], resolution,
            "{window} ms in {max_points}"
        );
    }
}

#[test]
fn i_range_5_what_is_not_rolled_up_yet_is_answered_by_samples() {
    let server = TestServer::start();
    let client = server.client();
    let start = beginning();
    let end = start + 3 * 24 * H - 1;
    // The second half comes after the cycle, and begins a new window of both sorts.
    let half = SAMPLES / 2;
    push(client, start, 0..half);
    maintain(client);
    push(client, start, half..SAMPLES);
    for (max_points, coarse) in [(800, "5m"), (60, "1h")] {
        let line = line(client, "c", start, end, max_points);
        let border = start + half * STEP;
        assert_eq!(
            line["stretches"],
            json!([
                {"start": start, "end": border - 1, "resolution": coarse},
                {"start": border, "end": end + 1 - STEP, "resolution": "raw"},
            ])
        );
        assert_eq!(line["resolution"], coarse);
        let found = points(&line);
        let exact = increase((0..SAMPLES).map(|i| values(i).1));
        assert_eq!(increase(found.iter().map(|(_, v)| *v)), exact);
    }
    maintain(client);
    let whole = line(client, "c", start, end, 60);
    assert_eq!(
        whole["stretches"],
        json!([{"start": start, "end": end, "resolution": "1h"}])
    );
}

#[test]
fn where_samples_are_gone_their_windows_answer() {
    const DAY: i64 = 24 * H;
    let server = TestServer::with(|config| config.retention.raw_ms = DAY);
    let client = server.client();
    let start = beginning();
    let end = start + 3 * DAY - 1;
    push(client, start, 0..SAMPLES);
    maintain(client);
    let storage = client.get_json("/v1/storage");
    let raw = &storage["resolutions"][0];
    assert_eq!(
        (&raw["resolution"], &raw["retention"]),
        (&json!("raw"), &json!("1d"))
    );
    let dropped = raw["dropped_until"].as_str().unwrap();
    assert!(
        dropped.ends_with("T00:00:00.000Z"),
        "whole days go: {dropped}"
    );
    // Asked for samples, the finest that is left answers where they are gone.
    let line = line(client, "c", start, end, 5_000);
    let stretches = line["stretches"].as_array().unwrap();
    let kinds: Vec<&str> = stretches
        .iter()
        .map(|stretch| stretch["resolution"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["5m", "raw"]);
    assert_eq!(line["resolution"], "5m");
    assert_eq!(stretches[0]["start"], start);
    assert_eq!(
        stretches[0]["end"].as_i64().unwrap() + 1,
        stretches[1]["start"].as_i64().unwrap()
    );
    let exact = increase((0..SAMPLES).map(|i| values(i).1));
    assert_eq!(increase(points(&line).iter().map(|(_, v)| *v)), exact);
    let stats = client.get_json("/v1/stats");
    assert_eq!(stats["Rollups1h"], 2 * 3 * 24);
    assert_eq!(stats["Rollups5m"], 2 * 3 * 24 * 12);
    assert_eq!(stats["RollupLagSeconds"], 0.0);
}
