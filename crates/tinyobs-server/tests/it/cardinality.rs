//! How many series there are, who makes them, and who is refused.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::server::TestServer;

fn push(client: Client, metric: &str, users: std::ops::Range<u32>) -> Answer {
    let items: Vec<Value> = users
        .map(|user| {
            let labels = json!({"service": "shop", "user": format!("u{user}")});
            json!({"name": metric, "type": "counter", "value": 1, "labels": labels})
        })
        .collect();
    client.push(&json!({ "metrics": items }).to_string())
}

#[test]
fn i_card_2_the_label_that_grows_is_named_from_the_first_request_on() {
    let server = TestServer::with(|config| {
        config.max_series = 50;
        config.max_series_per_metric = 20;
    });
    let client = server.client();
    let push = |metric: &dyn Fn(u32) -> String| {
        let items = (0..30).map(|user| {
            // One of the two is the same for all.
            let labels = json!({"user": user.to_string(), "zone": "a"});
            json!({"name": metric(user), "value": 1, "labels": labels})
        });
        let body = json!({ "metrics": items.collect::<Vec<_>>() });
        let answer = client.push(&body.to_string()).json();
        answer["errors"][0]["message"].as_str().unwrap().to_owned()
    };
    let message = push(&|_| "logins".to_owned());
    assert!(
        message.contains("the metric holds 20 of at most 20"),
        "{message}"
    );
    assert!(
        message.contains("its label \"user\" has 20 values already"),
        "{message}"
    );
    assert_eq!(
        client.get_json("/v1/cardinality")["last_refusal"]["label"],
        "user"
    );
    // What the same request has brought counts: there was room for five of its series.
    push_many(client, 25);
    let message = push(&|user| format!("m{user}"));
    assert!(
        message.contains("the store holds 50 of at most 50"),
        "{message}"
    );
}

/// A series whose labels nobody had before is one too many for what others have: a label without a
/// single value is not to blame.
#[test]
fn i_card_2_a_label_that_nobody_had_is_not_blamed() {
    let server = TestServer::with(|config| config.max_series = 5);
    let client = server.client();
    assert_eq!(push(client, "logins", 0..5).status, 200);
    let labels = json!({"job": "new", "service": "shop", "user": "u1"});
    let item = json!({"name": "m", "value": 1, "labels": labels});
    let message = client
        .push(&json!({ "metrics": [item] }).to_string())
        .error(429);
    assert!(
        message.contains("its label \"user\" has 5 values already"),
        "{message}"
    );
    let item = json!({"name": "m", "value": 1, "labels": {"job": "new"}});
    let message = client
        .push(&json!({ "metrics": [item] }).to_string())
        .error(429);
    assert!(
        message.contains("(--max-series): see /v1/cardinality"),
        "{message}"
    );
}

/// So many metrics of one series.
fn push_many(client: Client, count: u32) {
    let items = (0..count).map(|i| json!({"name": format!("single{i}"), "value": 1}));
    let body = json!({ "metrics": items.collect::<Vec<_>>() });
    assert_eq!(client.push(&body.to_string()).status, 200);
}

#[test]
fn the_offender_of_a_refusal_is_named() {
    let server = TestServer::with(|config| {
        config.max_series = 8;
        config.max_series_per_metric = 5;
    });
    let client = server.client();
    assert_eq!(push(client, "logins_total", 0..5).status, 200);
    let calm = client.get_json("/v1/cardinality");
    assert_eq!(
        (&calm["last_refusal"], &calm["refused_total"]),
        (&Value::Null, &json!(0))
    );

    // One metric too many of its own.
    let refused = push(client, "logins_total", 0..7);
    assert_eq!(refused.status, 200, "{}", refused.text());
    let answer = refused.json();
    assert_eq!(
        (&answer["count"], &answer["refused"]),
        (&json!(5), &json!(2))
    );
    assert_eq!(answer["errors"][0]["rule"], "metric_series_limit");
    assert_eq!(answer["errors"][0]["index"], 5);
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("its label \"user\" has 5 values already"),
        "those of its own request count: {message}"
    );
    let all_refused = push(client, "logins_total", 7..9);
    assert_eq!(all_refused.header("retry-after"), Some("60"));
    let message = all_refused.error(429);
    assert!(message.contains("logins_total"), "{message}");
    let after = client.get_json("/v1/cardinality");
    assert_eq!(after["per_metric_limit"], 5);
    assert_eq!(after["refused_total"], 4);
    let last = &after["last_refusal"];
    assert_eq!(
        (
            &last["metric"],
            &last["label"],
            &last["values"],
            &last["rule"]
        ),
        (
            &json!("logins_total"),
            &json!("user"),
            &json!(5),
            &json!("metric_series_limit")
        )
    );
    assert!(last["at"].as_str().unwrap().ends_with('Z'));

    // And one too many of all.
    assert_eq!(push(client, "orders_total", 0..3).status, 200);
    push(client, "orders_total", 3..4).error(429);
    let full = client.get_json("/v1/cardinality");
    assert_eq!(
        (&full["total_series"], &full["series_limit"]),
        (&json!(8), &json!(8))
    );
    assert_eq!(full["utilization_percent"], 100.0);
    assert_eq!(full["unique_metrics"], 2);
    assert_eq!(full["last_refusal"]["rule"], "series_limit");
    assert_eq!(full["last_refusal"]["metric"], "orders_total");
    assert_eq!(
        full["top_metrics"],
        json!([{"metric": "logins_total", "series": 5}, {"metric": "orders_total", "series": 3}])
    );
    assert_eq!(full["max_series_metric"], "logins_total");
    assert_eq!(
        full["top_labels"],
        json!([
            {"label": "user", "values": 5, "series": 8},
            {"label": "service", "values": 1, "series": 8},
        ])
    );
    let growth = &full["growth"];
    assert_eq!(growth["series_added"], 8);
    assert_eq!(
        growth["metrics"][0],
        json!({"metric": "logins_total", "series": 5})
    );
    assert_eq!(
        growth["labels"][0],
        json!({"label": "user", "values_added": 5})
    );
    // Known series go on.
    assert_eq!(push(client, "logins_total", 0..5).json()["count"], 5);
    let page = client.get("/metrics");
    for line in [
        "tinyobs_store_series_refused_total 5",
        "tinyobs_store_series_per_metric_max 5",
        "tinyobs_ingest_items_refused_total{rule=\"metric_series_limit\"} 4",
        "tinyobs_ingest_items_refused_total{rule=\"series_limit\"} 1",
    ] {
        assert!(page.text().contains(&format!("\n{line}\n")), "{line}");
    }
}

#[test]
fn series_without_data_are_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let with = |hours: i64| {
        let data_dir = dir.path().to_path_buf();
        TestServer::with(move |config| {
            config.data_dir = data_dir;
            config.retention.raw_ms = hours * 3_600_000;
            config.retention.five_minutes_ms = hours * 3_600_000;
            config.retention.hour_ms = hours * 3_600_000;
        })
    };
    {
        let server = with(0);
        let old = crate::server::now_ms() - 100 * 24 * 3_600_000;
        let items: Vec<Value> = (0..20)
            .map(|i| json!({"name": "old", "value": 1, "labels": {"i": i.to_string()}, "timestamp": old}))
            .collect();
        let answer = server
            .client()
            .push(&json!({ "metrics": items }).to_string());
        assert_eq!(answer.status, 200);
        assert_eq!(push(server.client(), "new", 0..2).status, 200);
    }
    let server = with(24);
    let client = server.client();
    let done = client
        .send("POST", "/v1/admin/maintenance", &[], b"")
        .json();
    assert_eq!(done["expired_series"], 20, "{done}");
    assert!(done["dropped_partitions"].as_u64().unwrap() >= 1, "{done}");
    let after = client.get_json("/v1/cardinality");
    assert_eq!(
        (&after["total_series"], &after["expired_total"]),
        (&json!(2), &json!(20))
    );
    assert_eq!(client.get_json("/v1/series?metric=old")["count"], 0);
}
