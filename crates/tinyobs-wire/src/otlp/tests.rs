//! What a request becomes; each test reads it in both encodings.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tinyobs_model::{Labels, Refusal, is_stale_marker};

use super::*;

mod deltas;
mod encode;
mod json_places;
mod malformed;

use encode::protobuf;

/// 2026-11-22T00:16:02Z, in milliseconds.
const NOW: i64 = 1_795_306_562_000;

/// A time in nanoseconds, as OTLP's JSON has it.
fn ns(ms: i64) -> String {
    format!("{ms}000000")
}

/// A store that is a list of series.
#[derive(Default)]
struct Shelf(BTreeMap<String, (Vec<u8>, Sample)>, Counted);

impl Stored for Shelf {
    fn newest(&mut self, labels: &[u8]) -> Result<Option<Sample>, String> {
        let found = self.0.values().find(|(known, _)| known == labels);
        Ok(found.map(|(_, newest)| *newest))
    }

    fn value_at(&mut self, labels: &[u8], time_ms: i64) -> Result<Option<f64>, String> {
        let newest = self.newest(labels)?;
        let held = newest.filter(|newest| newest.time_ms == time_ms);
        Ok(held.map(|held| held.value))
    }

    fn counted(&mut self) -> Result<&mut Counted, String> {
        Ok(&mut self.1)
    }

    fn check_time(&mut self, time_ms: i64) -> Result<(), (Refusal, String)> {
        if time_ms > NOW + limits::FUTURE_MS {
            return Err((Refusal::TimeInFuture, "too far ahead".to_owned()));
        }
        Ok(())
    }

    fn bounds(&mut self, labels: &[u8]) -> Result<Vec<f64>, String> {
        let own = |labels: &[u8]| -> (Vec<(String, String)>, Option<f64>) {
            let pairs = tinyobs_model::labels::pairs(labels);
            let (le, rest): (Vec<_>, Vec<_>) = pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .partition(|(name, _)| name == "le");
            (rest, le.first().and_then(|(_, value)| value.parse().ok()))
        };
        let wanted = own(labels).0;
        let all = self.0.values().map(|(known, _)| own(known));
        Ok(all
            .filter(|(rest, _)| *rest == wanted)
            .filter_map(|(_, le)| le)
            .collect())
    }
}

impl Shelf {
    fn put(&mut self, decoded: &Decoded) {
        for row in decoded.batch.rows() {
            let labels = decoded.batch.labels(row);
            let name = Labels::from_canonical(labels).unwrap().to_string();
            self.0.insert(name, (labels.to_vec(), row.sample));
        }
    }
}

/// The request in both encodings, which agree (I-OTLP-2).
fn decoded_with(request: &Value, stored: &mut Shelf) -> Decoded {
    let text = request.to_string();
    let json = decode(Format::Json, text.as_bytes(), stored).unwrap();
    let proto = decode(Format::Protobuf, &protobuf(request), stored).unwrap();
    assert_eq!(shown(&proto), shown(&json));
    assert_eq!(proto.refused, json.refused);
    assert_eq!((proto.items, &proto.source), (json.items, &json.source));
    assert_eq!(proto.batch.metadata(), json.batch.metadata());
    json
}

fn decoded(request: &Value) -> Decoded {
    decoded_with(request, &mut Shelf::default())
}

/// One line a row: labels without those of the resource, kind, value, and times since [`NOW`].
fn shown(decoded: &Decoded) -> Vec<String> {
    let row = |row: &tinyobs_model::Row| {
        let labels = Labels::from_canonical(decoded.batch.labels(row)).unwrap();
        let labels = labels.to_string().replace(",job=\"shop\"", "");
        let labels = labels
            .replace("job=\"shop\",", "")
            .replace("{job=\"shop\"}", "{}");
        let labels = labels
            .replace("service_name=\"shop\"", "")
            .replace(",}", "}");
        let value = row.sample.value;
        let value = if is_stale_marker(value) {
            "stale".to_owned()
        } else {
            value.to_string()
        };
        let start = row
            .start_ms
            .map_or(String::new(), |ms| format!(" from {}", ms - NOW));
        format!(
            "{labels} {} {value} at {}{start}",
            row.kind,
            row.sample.time_ms - NOW
        )
    };
    decoded.batch.rows().iter().map(row).collect()
}

/// A request of these metrics by the service `shop`.
fn request(metrics: &Value) -> Value {
    json!({"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeMetrics": [{"metrics": metrics}]
    }]})
}

/// One metric with one point that has a time and a start besides.
fn one(name: &str, unit: &str, shape: &str, data: &Value, point: &Value) -> Value {
    let mut point = point.clone();
    point["startTimeUnixNano"] = ns(NOW - 60_000).into();
    if point.get("timeUnixNano").is_none() {
        point["timeUnixNano"] = ns(NOW).into();
    }
    let mut data = data.clone();
    data["dataPoints"] = json!([point]);
    request(&json!([{"name": name, "unit": unit, "description": "Help.", shape: data}]))
}

fn attribute(key: &str, value: &str) -> Value {
    json!([{"key": key, "value": {"stringValue": value}}])
}

#[test]
fn gauges() {
    let double = json!({"asDouble": 21.5, "attributes": attribute("room.name", "hall")});
    let got = decoded(&one(
        "room.temperature",
        "Cel",
        "gauge",
        &json!({}),
        &double,
    ));
    assert_eq!(
        shown(&got),
        ["room_temperature_celsius{room_name=\"hall\"} gauge 21.5 at 0"]
    );
    assert_eq!(got.items, 1);
    assert_eq!(
        got.batch.metadata(),
        [(
            "room_temperature_celsius".into(),
            "celsius".into(),
            "Help.".into()
        )]
    );
    for (int, expected) in [(json!("-3"), "-3"), (json!(7), "7")] {
        let got = decoded(&one("m", "", "gauge", &json!({}), &json!({"asInt": int})));
        assert_eq!(shown(&got), [format!("m{{}} gauge {expected} at 0")]);
    }
    for special in ["NaN", "Infinity", "-Infinity"] {
        let point = json!({"asDouble": special.replace("inity", "")});
        let proto = protobuf(&one("m", "", "gauge", &json!({}), &point));
        let got = decode(Format::Protobuf, &proto, &mut Shelf::default()).unwrap();
        let text = one("m", "", "gauge", &json!({}), &json!({"asDouble": special})).to_string();
        let json = decode(Format::Json, text.as_bytes(), &mut Shelf::default()).unwrap();
        assert_eq!(shown(&got), shown(&json), "{special}");
    }
}

#[test]
fn cumulative_sums() {
    let point = json!({"asInt": "42", "exemplars": [{"timeUnixNano": ns(NOW), "asDouble": 1.0}]});
    for temporality in [json!(2), json!("AGGREGATION_TEMPORALITY_CUMULATIVE")] {
        let sum = json!({"aggregationTemporality": temporality, "isMonotonic": true});
        let got = decoded(&one("http.requests", "{request}", "sum", &sum, &point));
        assert_eq!(
            shown(&got),
            ["http_requests_total{} counter 42 at 0 from -60000"]
        );
        let sum = json!({"aggregationTemporality": temporality});
        let got = decoded(&one("queue.size", "", "sum", &sum, &point));
        assert_eq!(shown(&got), ["queue_size{} gauge 42 at 0"]);
    }
}

/// A fast program pushes within the millisecond in which its counter began.
#[test]
fn i_otlp_row_4_a_start_in_the_same_millisecond_is_before_the_value() {
    let sum = json!({"aggregationTemporality": 2, "isMonotonic": true});
    let time_ns = NOW as u64 * 1_000_000 + 700_000;
    let pushed = |start_ns: u64| {
        let mut pushed = one("m", "", "sum", &sum, &json!({"asInt": "3"}));
        let metric = &mut pushed["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
        let point = &mut metric["sum"]["dataPoints"][0];
        point["timeUnixNano"] = time_ns.to_string().into();
        point["startTimeUnixNano"] = start_ns.to_string().into();
        shown(&decoded(&pushed))
    };
    assert_eq!(pushed(time_ns - 1), ["m_total{} counter 3 at 0 from -1"]);
    assert_eq!(pushed(time_ns), ["m_total{} counter 3 at 0"], "not known");
}

#[test]
fn cumulative_histograms() {
    let point = json!({
        "count": "6", "sum": 4.5, "min": 0.1, "max": 2,
        "bucketCounts": ["1", 2, "3"], "explicitBounds": [0.5, 1],
        "attributes": attribute("k", "v"),
    });
    let data = json!({"aggregationTemporality": 2});
    let got = decoded(&one("latency", "s", "histogram", &data, &point));
    assert_eq!(
        shown(&got),
        [
            "latency_seconds_bucket{k=\"v\",le=\"0.5\"} histogram 1 at 0 from -60000",
            "latency_seconds_bucket{k=\"v\",le=\"1\"} histogram 3 at 0 from -60000",
            "latency_seconds_bucket{k=\"v\",le=\"+Inf\"} histogram 6 at 0 from -60000",
            "latency_seconds_sum{k=\"v\"} histogram 4.5 at 0 from -60000",
            "latency_seconds_count{k=\"v\"} histogram 6 at 0 from -60000",
        ]
    );
    let described: Vec<&str> = got.batch.metadata().iter().map(|m| &*m.0).collect();
    assert_eq!(
        described,
        [
            "latency_seconds_bucket",
            "latency_seconds_sum",
            "latency_seconds_count"
        ]
    );
    // Without buckets and without a sum.
    let point = json!({"count": 2});
    assert_eq!(
        shown(&decoded(&one("h", "", "histogram", &data, &point))),
        [
            "h_bucket{le=\"+Inf\"} histogram 2 at 0 from -60000",
            "h_count{} histogram 2 at 0 from -60000",
        ]
    );
}

#[test]
fn cumulative_exponential_histograms() {
    let point = json!({
        "count": "12", "sum": -1.5, "scale": 1, "zeroCount": 2,
        "positive": {"offset": -2, "bucketCounts": ["1", 1, 0, 4]},
        "negative": {"offset": 0, "bucketCounts": [4]},
    });
    let data = json!({"aggregationTemporality": 2});
    let got = decoded(&one("h", "", "exponentialHistogram", &data, &point));
    let buckets = [
        ("-2", 0),
        ("-1", 4),
        ("0", 6),
        ("0.5", 6),
        ("1", 8),
        ("2", 12),
        ("+Inf", 12),
    ];
    let mut expected: Vec<String> = buckets
        .iter()
        .map(|(le, below)| format!("h_bucket{{le=\"{le}\"}} histogram {below} at 0 from -60000"))
        .collect();
    expected.push("h_sum{} histogram -1.5 at 0 from -60000".to_owned());
    expected.push("h_count{} histogram 12 at 0 from -60000".to_owned());
    assert_eq!(shown(&got), expected);
}

#[test]
fn summaries() {
    let point = json!({
        "count": "5", "sum": 3.5,
        "quantileValues": [{"quantile": 0.5, "value": 0.25}, {"quantile": 0.99, "value": 2}],
    });
    let got = decoded(&one("rpc", "s", "summary", &json!({}), &point));
    assert_eq!(
        shown(&got),
        [
            "rpc_seconds{quantile=\"0.5\"} summary 0.25 at 0",
            "rpc_seconds{quantile=\"0.99\"} summary 2 at 0",
            "rpc_seconds_sum{} summary 3.5 at 0",
            "rpc_seconds_count{} summary 5 at 0",
        ]
    );
}

#[test]
fn i_otlp_row_3_points_without_a_value_end_their_series() {
    let end = json!({"flags": 1});
    let got = decoded(&one("m", "", "gauge", &json!({}), &end));
    assert_eq!(shown(&got), ["m{} gauge stale at 0"]);
    let data = json!({"aggregationTemporality": 2});
    let mut shelf = Shelf::default();
    let point = json!({"count": 1, "sum": 1, "bucketCounts": [1, 0], "explicitBounds": [5]});
    shelf.put(&decoded(&one("h", "", "histogram", &data, &point)));
    let got = decoded_with(&one("h", "", "histogram", &data, &end), &mut shelf);
    assert_eq!(
        shown(&got),
        [
            "h_bucket{le=\"5\"} histogram stale at 0",
            "h_bucket{le=\"+Inf\"} histogram stale at 0",
            "h_sum{} histogram stale at 0",
            "h_count{} histogram stale at 0",
        ]
    );
}

#[test]
fn resources_and_scopes() {
    let key = |key: &str, value: Value| json!({"key": key, "value": value});
    let point = |ms: i64| json!({"gauge": {"dataPoints": [{"timeUnixNano": ns(ms), "asInt": 1}]}, "name": "m"});
    let got = decoded(&json!({"resourceMetrics": [
        {
            "scopeMetrics": [
                {"scope": {"name": "io.http", "version": "2"}, "metrics": [point(NOW - 5)]},
                {"metrics": [point(NOW - 1), point(NOW - 9)], "schemaUrl": "x"},
            ],
            "resource": {"attributes": [
                key("service.name", json!({"stringValue": "cart"})),
                key("service.namespace", json!({"stringValue": "shop"})),
                key("service.instance.id", json!({"stringValue": "i1"})),
                key("process.pid", json!({"intValue": "77"})),
                key("process.command_args", json!({"arrayValue": {"values": [
                    {"stringValue": "a"}, {"intValue": 2}, {"doubleValue": 0.5},
                ]}})),
                key("labels", json!({"kvlistValue": {"values": [
                    {"key": "k", "value": {"boolValue": true}},
                ]}})),
                key("nothing", json!({})),
            ]},
        },
        {"scopeMetrics": [{"metrics": [point(NOW)]}]},
        {"resource": {"attributes": [key("host.name", json!({"stringValue": "idle"}))]}},
    ]}));
    let own = "instance=\"i1\",job=\"shop/cart\"";
    let service = "service_instance_id=\"i1\",service_name=\"cart\",service_namespace=\"shop\"";
    assert_eq!(
        shown(&got),
        [
            format!(
                "m{{{own},otel_scope_name=\"io.http\",otel_scope_version=\"2\",{service}}} gauge 1 at -5"
            ),
            format!("m{{{own},{service}}} gauge 1 at -1"),
            format!("m{{{own},{service}}} gauge 1 at -9"),
            format!(
                "target_info{{{own},labels=\"{{\\\"k\\\":true}}\",\
                 process_command_args=\"[\\\"a\\\",2,0.5]\",process_pid=\"77\"}} gauge 1 at -1"
            ),
            "m{job=\"unknown_service\"} gauge 1 at 0".to_owned(),
        ]
    );
    assert_eq!(got.items, 4);
    let source = got.source.unwrap();
    assert_eq!((&*source.service, &*source.instance), ("shop/cart", "i1"));
}
