//! The ways out: ranges, dumps, series, in order and within their limits.

use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{TestServer, escape, now_ms};

/// Pushes one series of values, a second apart, the last one at `end_ms`.
fn push_line(client: Client, name: &str, labels: &Value, values: &[f64], end_ms: i64) {
    let first = end_ms - 1_000 * (values.len() as i64 - 1);
    let items: Vec<Value> = values
        .iter()
        .enumerate()
        .map(|(i, value)| {
            let time = first + 1_000 * i as i64;
            json!({"name": name, "type": "gauge", "value": value, "labels": labels, "timestamp": time})
        })
        .collect();
    for part in items.chunks(10_000) {
        let answer = client.push(&json!({ "metrics": part }).to_string());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[test]
fn i_range_1_points_are_capped_and_spikes_kept() {
    let now = now_ms();
    for server in TestServer::both_engines() {
        let client = server.client();
        let mut values: Vec<f64> = (0..3_000).map(|i| f64::from(i % 7)).collect();
        values[1_234] = 1e6;
        values[2_345] = -1e6;
        push_line(client, "m", &json!({}), &values, now);
        for max_points in [1, 2, 3, 700, 1_000, 1_999, 2_999, 3_000, 5_000] {
            let path = format!("/v1/query/range?metric=m&maxPoints={max_points}");
            let answer = client.get_json(&path);
            let points = answer["data"][0]["points"].as_array().unwrap();
            assert!(
                points.len() <= max_points,
                "{} for {max_points}",
                points.len()
            );
            assert_eq!(answer["data"][0]["resolution"], "raw");
            let of = |key: &str| {
                points
                    .iter()
                    .map(|p| p[key].as_f64().unwrap())
                    .collect::<Vec<_>>()
            };
            assert!(of("t").windows(2).all(|pair| pair[0] < pair[1]));
            if max_points == 1 {
                assert_eq!(points[0]["t"], now);
            } else {
                assert!(
                    of("v").contains(&1e6) && of("v").contains(&-1e6),
                    "{max_points}"
                );
            }
            if max_points >= 3_000 {
                assert_eq!(of("v"), values);
            }
        }
        assert_eq!(
            client
                .get("/v1/query/range?metric=m&maxPoints=5001")
                .error(400),
            "parameter \"maxPoints\": it must be between 1 and 5000"
        );
    }
}

#[test]
fn i_range_4_a_restart_inside_a_bucket_takes_nothing_from_a_counter() {
    let now = now_ms();
    // Three a sample, and a new process in the middle of everything.
    let values: Vec<f64> = (0..1_000_u32)
        .map(|i| f64::from(3 * if i < 517 { i } else { i - 517 }))
        .collect();
    let items: Vec<Value> = (now - 999 * 1_000..)
        .step_by(1_000)
        .zip(&values)
        .map(|(time, value)| {
            json!({"name": "c", "type": "counter", "value": value, "timestamp": time})
        })
        .collect();
    for server in TestServer::both_engines() {
        let client = server.client();
        client.push(&json!({ "metrics": items }).to_string());
        for max_points in [4, 12, 16, 24, 40, 1_000] {
            let path = format!("/v1/query/range?metric=c&maxPoints={max_points}");
            let answer = client.get_json(&path);
            let points = answer["data"][0]["points"].as_array().unwrap();
            assert!(points.len() <= max_points, "{}", points.len());
            let kept: Vec<f64> = points.iter().map(|p| p["v"].as_f64().unwrap()).collect();
            let increase = |values: &[f64]| -> f64 {
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
            };
            assert_eq!(increase(&kept), increase(&values), "{max_points} points");
        }
    }
}

#[test]
fn i_range_3_series_come_once_and_in_order() {
    let now = now_ms();
    for server in TestServer::both_engines() {
        let client = server.client();
        for (i, service) in ["b", "a", "c", "aa"].iter().enumerate() {
            push_line(client, "m", &json!({"service": service}), &[i as f64], now);
        }
        push_line(client, "n", &json!({"service": "a"}), &[9.0], now);
        let services = |query: &str| -> Vec<String> {
            let data = client.get_json(&format!("/v1/query/range?{query}"))["data"].clone();
            let lines = data.as_array().unwrap();
            lines
                .iter()
                .map(|line| {
                    let metric = line["metric"].as_str().unwrap();
                    format!("{metric}:{}", line["labels"]["service"].as_str().unwrap())
                })
                .collect()
        };
        let all = ["m:a", "m:aa", "m:b", "m:c"];
        assert_eq!(services("metric=m"), all);
        let union = format!(
            "match[]={}&match[]={}&match[]=m",
            escape("{service=\"a\"}"),
            escape("{service=~\"a.*\",__name__=\"m\"}")
        );
        assert_eq!(services(&format!("metric=m&{union}")), all);
        assert_eq!(services(&union), ["m:a", "m:aa", "m:b", "m:c", "n:a"]);
        assert_eq!(services("metric=m&match[]=n"), [""; 0]);
        assert_eq!(
            services(&format!("match[]={}", escape("{service!~\"a|aa\"}"))),
            ["m:b", "m:c"]
        );
        let series = client.get_json("/v1/series?metric=m&limit=2");
        assert_eq!(
            (&series["count"], &series["truncated"]),
            (&json!(2), &json!(true))
        );
        assert_eq!(
            series["series"][1],
            json!({"metric": "m", "type": "gauge", "labels": {"service": "aa"}, "last": {"t": now, "v": 3}})
        );
        assert_eq!(client.get_json("/v1/series")["count"], 5);
    }
}

#[test]
fn lists_are_never_null() {
    for server in TestServer::both_engines() {
        let client = server.client();
        assert_eq!(
            client.get_json("/v1/query/range?metric=none"),
            json!({"data": []})
        );
        assert_eq!(
            client.get_json("/v1/query"),
            json!({"metrics": [], "count": 0, "truncated": false})
        );
        assert_eq!(
            client.get_json("/v1/metrics/list"),
            json!({"metrics": [], "count": 0, "details": []})
        );
        assert_eq!(
            client.get_json("/v1/series"),
            json!({"series": [], "count": 0, "truncated": false})
        );
        let stats = client.get_json("/v1/stats");
        assert_eq!(stats["Services"], json!([]));
        assert_eq!(stats["OldestMetric"], Value::Null);
        let cardinality = client.get_json("/v1/cardinality");
        assert_eq!(cardinality["top_metrics"], json!([]));
        assert_eq!(cardinality["max_series_metric"], "");
    }
}

#[test]
fn a_dump_is_cut_where_it_is_asked_to() {
    let server = TestServer::start();
    let client = server.client();
    let now = now_ms();
    push_line(client, "m", &json!({"l": "\"\n"}), &[1.0, 2.5, 3.0], now);
    let two = client.get_json("/v1/query?metric=m&limit=2");
    assert_eq!(
        (&two["count"], &two["truncated"]),
        (&json!(2), &json!(true))
    );
    let three = client.get_json("/v1/query?metric=m&limit=3");
    assert_eq!(
        (&three["count"], &three["truncated"]),
        (&json!(3), &json!(false))
    );
    let row = &three["metrics"][1];
    assert_eq!(
        (&row["name"], &row["type"], &row["value"]),
        (&json!("m"), &json!("gauge"), &json!(2.5))
    );
    assert_eq!(row["labels"], json!({"l": "\"\n"}));
    let time = row["timestamp"].as_str().unwrap();
    assert_eq!(time.len(), "2026-11-22T00:16:02.347Z".len());
    let again = client.get_json(&format!("/v1/query?metric=m&start={time}&end={time}"));
    assert_eq!(again["metrics"], json!([row]));
}

#[test]
fn windows_are_what_was_asked() {
    let server = TestServer::start();
    let client = server.client();
    let now = now_ms();
    push_line(client, "m", &json!({}), &[1.0, 2.0, 3.0], now - 7_200_000);
    assert_eq!(
        client.get_json("/v1/query/range?metric=m"),
        json!({"data": []})
    );
    let at = |start: &str, end: &str| {
        let path = format!("/v1/query/range?metric=m&start={start}&end={end}");
        client.get_json(&path)["data"][0]["points"].clone()
    };
    let last = now - 7_200_000;
    let milliseconds = |ms: i64| ms.to_string();
    let seconds = |ms: i64| format!("{}.{:03}", ms / 1_000, ms % 1_000);
    assert_eq!(
        at(&milliseconds(last), &milliseconds(last)),
        json!([{"t": last, "v": 3}])
    );
    assert_eq!(
        at(&seconds(last - 1_000), &seconds(last - 1)),
        json!([{"t": last - 1_000, "v": 2}])
    );
    for (query, message) in [
        ("metric=m&start=5&end=4", "end must not lie before start"),
        ("metric=m&start=0", "query window too large (max 10 years)"),
        ("start=5", "parameter \"metric\" or \"match[]\" is required"),
    ] {
        let answer = client.get(&format!("/v1/query/range?{query}"));
        assert_eq!(answer.error(400), message);
    }
    let message = client
        .get("/v1/query/range?metric=m&end=yesterday")
        .error(400);
    assert!(
        message.starts_with("parameter \"end\": \"yesterday\" is not a time"),
        "{message}"
    );
    let message = client.get("/v1/series?match[]=%7Ba").error(400);
    assert_eq!(
        message,
        "parameter \"match[]\": expected `=`, `!=`, `=~` or `!~` at character 3"
    );
}

#[test]
fn the_small_answers() {
    let server = TestServer::start();
    let client = server.client();
    let now = now_ms();
    push_line(client, "m", &json!({"service": "s"}), &[1.0, 2.0], now);
    let stats = client.get_json("/v1/stats");
    assert_eq!(stats["TotalMetrics"], 2);
    assert_eq!(stats["TotalSeries"], 1);
    assert_eq!(stats["Metrics"], 1);
    assert_eq!(stats["Services"], json!(["s"]));
    assert_eq!(stats["Clients"], 0);
    assert!(stats["SizeBytes"].as_u64().unwrap() > 0);
    let storage = client.get_json("/v1/storage");
    assert_eq!(storage["engine"], "disk");
    assert_eq!(storage["max_bytes"], 1 << 30);
    assert_eq!(storage["level"], "normal");
    assert_eq!(storage["warnings"], json!([]));
    let kept: Vec<(&str, &str)> = storage["resolutions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|space| {
            (
                space["resolution"].as_str().unwrap(),
                space["retention"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(kept, [("raw", "14d"), ("5m", "90d"), ("1h", "1y")]);
    assert_eq!(storage["data_dir"], server.data_dir().display().to_string());
    let health = client.get_json("/v1/health");
    assert_eq!(
        (&health["status"], &health["store"]),
        (&json!("healthy"), &json!({"healthy": true, "damage": []}))
    );
    assert_eq!(
        (&health["engine"], &health["durability"]),
        (&json!("disk"), &json!("interval"))
    );
    let limits = client.get_json("/v1/limits")["limits"].clone();
    let value = |name: &str| {
        let found = limits
            .as_array()
            .unwrap()
            .iter()
            .find(|limit| limit["name"] == name);
        found.unwrap()["value"].as_u64().unwrap()
    };
    assert_eq!(value("items_per_request"), 10_000);
    assert_eq!(value("series"), 10_000);
    assert_eq!(value("series_per_metric"), 0);
    assert_eq!(value("storage_bytes"), 1 << 30);
    assert_eq!(value("retention_raw_seconds"), 14 * 24 * 3_600);
    assert_eq!(value("retention_5m_seconds"), 90 * 24 * 3_600);
    assert_eq!(value("retention_1h_seconds"), 365 * 24 * 3_600);
    assert_eq!(client.get("/healthz").text(), "ok\n");
    assert_eq!(client.get("/readyz").text(), "ready\n");
}

#[test]
fn gzip_answers_hold_the_same() {
    let server = TestServer::start();
    let client = server.client();
    push_line(client, "m", &json!({}), &[1.0; 500], now_ms());
    let path = "/v1/query?metric=m";
    let plain = client.get(path);
    assert_eq!(plain.header("content-encoding"), None);
    let packed = client.send("GET", path, &[("accept-encoding", "gzip")], b"");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("vary"), Some("accept-encoding"));
    assert!(packed.body.len() * 5 < plain.body.len());
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&*packed.body);
    std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
    assert_eq!(text, plain.text());
}
