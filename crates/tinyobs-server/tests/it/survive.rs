//! What must come out as it went in: odd labels, tiny numbers, the SDK's own pushes.

use serde_json::{Value, json};
use tinyobs_wire::encode::{self, PushBody};

use crate::ingest::values;
use crate::server::{TestServer, escape, now_ms};

#[test]
fn label_values_stay_apart() {
    let texts = [
        "a,b=c",
        "a",
        "b=c",
        "\"",
        "\\\"",
        "{}",
        "{a=\"b\"}",
        "\n",
        "\\n",
        "😀",
        " ",
        "<b>",
    ];
    for mut server in TestServer::both_engines() {
        let client = server.client();
        let items: Vec<Value> = texts
            .iter()
            .enumerate()
            .map(|(i, text)| json!({"name": "m", "value": i, "labels": {"l": text, "x,y=": "1"}}))
            .collect();
        client.push(&json!({ "metrics": items }).to_string());
        for (i, text) in texts.iter().enumerate() {
            let selector = format!("m{{l={}}}", json!(text));
            let path = format!("/v1/query?match[]={}", escape(&selector));
            let rows = client.get_json(&path)["metrics"].clone();
            assert_eq!(rows[0]["value"], i, "{text:?}");
            assert_eq!(rows[0]["labels"], json!({"l": text, "x,y=": "1"}));
            assert_eq!(rows[1], Value::Null);
        }
        assert_eq!(client.get_json("/v1/stats")["TotalSeries"], texts.len());
        if server.data_dir().exists() {
            server.restart();
            assert_eq!(
                server.client().get_json("/v1/stats")["TotalSeries"],
                texts.len()
            );
        }
    }
}

#[test]
fn tiny_values_and_milliseconds_survive() {
    let now = now_ms();
    for server in TestServer::both_engines() {
        let client = server.client();
        for (i, text) in [
            "1e-300",
            "5e-324",
            "1e-13",
            "0.1",
            "-0.0",
            "1.7976931348623157e308",
        ]
        .iter()
        .enumerate()
        {
            let time = now - 1_000 + i as i64;
            let name = format!("m{i}");
            let body =
                format!(r#"{{"metrics":[{{"name":"{name}","value":{text},"timestamp":{time}}}]}}"#);
            assert_eq!(client.push(&body).status, 200);
            let expected: f64 = text.parse().unwrap();
            assert_eq!(
                values(client, &name)[0].to_bits(),
                expected.to_bits(),
                "{text}"
            );
            let range = client.get_json(&format!("/v1/query/range?metric={name}"));
            assert_eq!(range["data"][0]["points"][0]["t"], time);
            let value = range["data"][0]["points"][0]["v"].as_f64().unwrap();
            assert_eq!(value.to_bits(), expected.to_bits(), "{text}");
        }
    }
}

/// What the SDK writes arrives as what it meant.
#[test]
fn a_push_of_the_sdk() {
    let now = now_ms();
    for server in TestServer::both_engines() {
        let client = server.client();
        let push = |is_final: bool, at: i64, count: f64| {
            let mut body = PushBody::new();
            body.begin(Some(&encode::Source {
                service: "shop",
                instance: "h:1",
                start_ms: now - 60_000,
                interval_ms: 5_000,
                is_final,
            }));
            let item = |name, value| encode::Item {
                name,
                timestamp_ms: at,
                start_ms: Some(now - 50_000),
                unit: "seconds",
                help: "Help.",
                value,
            };
            body.push(
                &item("orders_total", encode::Value::Counter(count)),
                [("kind", "web")],
            )
            .unwrap();
            let histogram = encode::Value::Histogram {
                bounds: &[0.005, 1.0],
                cumulative: &[3, 7, 9],
                sum: 1.5,
            };
            body.push(&item("d", histogram), []).unwrap();
            let text = std::str::from_utf8(body.finish()).unwrap().to_owned();
            assert_eq!(client.push(&text).status, 200);
        };
        push(false, now - 10_000, 42.0);
        assert_eq!(client.get_json("/v1/stats")["Clients"], 1);
        assert_eq!(client.get_json("/v1/stats")["Services"], json!(["shop"]));
        // A new counter was 0 when it began.
        let line = &client.get_json("/v1/query/range?metric=orders_total")["data"][0];
        assert_eq!(
            line["labels"],
            json!({"instance": "h:1", "kind": "web", "service": "shop"})
        );
        assert_eq!(
            line["points"],
            json!([{"t": now - 50_000, "v": 0}, {"t": now - 10_000, "v": 42}])
        );
        push(true, now - 5_000, 50.0);
        assert_eq!(client.get_json("/v1/stats")["Clients"], 0);
        let points = &client.get_json("/v1/query/range?metric=orders_total")["data"][0]["points"];
        assert_eq!(points[2], json!({"t": now - 5_000, "v": 50}));
        assert_eq!(points[3], Value::Null, "the stale marker is no point");
        let buckets = client.get_json("/v1/query/range?metric=d_bucket")["data"].clone();
        let got: Vec<(String, f64)> = buckets
            .as_array()
            .unwrap()
            .iter()
            .map(|line| {
                let le = line["labels"]["le"].as_str().unwrap().to_owned();
                (le, line["points"][2]["v"].as_f64().unwrap())
            })
            .collect();
        assert_eq!(
            got,
            [
                ("+Inf".to_owned(), 9.0),
                ("0.005".to_owned(), 3.0),
                ("1".to_owned(), 7.0)
            ]
        );
        let details = client.get_json("/v1/metrics/list?service=shop")["details"].clone();
        assert_eq!(
            details[3],
            json!({"name": "orders_total", "type": "counter", "help": "Help.",
                   "unit": "seconds", "series": 1, "services": ["shop"]})
        );
        let nobody = client.get_json("/v1/metrics/list?service=nobody");
        assert_eq!(nobody, json!({"metrics": [], "count": 0, "details": []}));
    }
}
