//! OTLP over HTTP: what is stored, what is answered, and where it listens.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::cli::tinyobs;
use crate::client::{Answer, Client};
use crate::ingest::values;
use crate::server::{TestServer, now_ms};

// What the decoder's own tests write protobuf with.
#[path = "../../../tinyobs-wire/src/otlp/tests/encode.rs"]
mod encode;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
const PROTOBUF: [(&str, &str); 1] = [("content-type", "application/x-protobuf")];

pub fn request(metrics: &Value) -> Value {
    let service = json!({"key": "service.name", "value": {"stringValue": "shop"}});
    json!({"resourceMetrics": [{
        "resource": {"attributes": [service]}, "scopeMetrics": [{"metrics": metrics}]
    }]})
}

pub fn gauge(name: &str, points: &[Value]) -> Value {
    json!({"name": name, "unit": "s", "gauge": {"dataPoints": points}})
}

pub fn point(value: f64) -> Value {
    json!({"timeUnixNano": format!("{}000000", now_ms()), "asDouble": value})
}

pub fn push_json(client: Client, request: &Value) -> Answer {
    client.send("POST", "/v1/metrics", &JSON, request.to_string().as_bytes())
}

fn push_protobuf(client: Client, request: &Value) -> Answer {
    client.send("POST", "/v1/metrics", &PROTOBUF, &encode::protobuf(request))
}

#[test]
fn both_encodings_are_stored_on_every_path() {
    for server in TestServer::both_engines() {
        let client = server.client();
        let paths = [
            "/v1/metrics",
            "/api/v1/otlp/v1/metrics",
            "/opentelemetry/v1/metrics",
        ];
        for (i, path) in paths.into_iter().enumerate() {
            let name = |encoding: &str| format!("{encoding}.{i}");
            let body = |encoding: &str| request(&json!([gauge(&name(encoding), &[point(0.5)])]));
            let text = body("json").to_string();
            let answer = client.send("POST", path, &JSON, text.as_bytes());
            assert_eq!((answer.status, answer.text()), (200, "{}"));
            assert_eq!(answer.header("content-type"), Some("application/json"));
            let proto = encode::protobuf(&body("proto"));
            let answer = client.send("POST", path, &PROTOBUF, &proto);
            assert_eq!((answer.status, answer.text()), (200, ""));
            assert_eq!(
                answer.header("content-type"),
                Some("application/x-protobuf")
            );
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            gzip.write_all(&encode::protobuf(&body("gzip"))).unwrap();
            let headers = [PROTOBUF[0], ("content-encoding", "gzip")];
            let answer = client.send("POST", path, &headers, &gzip.finish().unwrap());
            assert_eq!(answer.status, 200);
            for encoding in ["json", "proto", "gzip"] {
                assert_eq!(values(client, &format!("{encoding}_{i}_seconds")), [0.5]);
            }
        }
        let series = client.get_json("/v1/series?metric=json_0_seconds");
        let labels = &series["series"][0]["labels"];
        assert_eq!(labels["job"], "shop", "{series}");
    }
}

#[test]
fn i_otlp_http_1_what_was_not_stored_is_said() {
    let server = TestServer::start();
    let client = server.client();
    let bad = json!({"asDouble": 1.0});
    let body = request(&json!([
        gauge("m", &[bad.clone(), point(2.0), bad.clone(), bad.clone()]),
        gauge("", &[point(1.0)])
    ]));
    let message = "data point 0: a data point of \"m_seconds\" has no time (time_invalid); \
         data point 2: a data point of \"m_seconds\" has no time (time_invalid); \
         data point 3: a data point of \"m_seconds\" has no time (time_invalid); and 1 more";
    let answer = push_json(client, &body);
    assert_eq!(answer.status, 200);
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedDataPoints"], "4");
    assert_eq!(partial["errorMessage"], message);
    let answer = push_protobuf(client, &body);
    assert_eq!(answer.status, 200);
    // ExportMetricsServiceResponse { partial_success { rejected_data_points: 4, error_message } }
    let told = [
        &[
            8,
            4,
            18,
            message.len() as u8 | 0x80,
            (message.len() >> 7) as u8,
        ],
        message.as_bytes(),
    ]
    .concat();
    let len = [told.len() as u8 | 0x80, (told.len() >> 7) as u8];
    assert_eq!(answer.body, [&[10], &len[..], &told].concat());
    assert_eq!(values(client, "m_seconds").last(), Some(&2.0));
}

#[test]
fn i_otlp_http_3_errors_have_the_shape_of_the_protocol() {
    let server = TestServer::with(|config| config.max_series = 1);
    let client = server.client();
    let answer = client.send("POST", "/v1/metrics", &JSON, b"{");
    assert_eq!(answer.status, 400);
    let message = "body is not an OTLP request in JSON: it ends within an object at line 1, \
         column 1";
    assert_eq!(answer.json(), json!({"code": 3, "message": message}));
    let answer = client.send("POST", "/v1/metrics", &JSON, b"[]");
    let message = "body is not an OTLP request in JSON: an object is expected, not a list at line \
         1, column 0";
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json(), json!({"code": 3, "message": message}));
    let answer = client.send("POST", "/v1/metrics", &PROTOBUF, b"\x0a\x05");
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.header("content-type"),
        Some("application/x-protobuf")
    );
    assert!(answer.body.starts_with(&[8, 3, 18]), "{:?}", answer.body);
    assert!(answer.text().ends_with("cut or malformed at byte 2"));
    for headers in [&[("content-type", "text/plain")][..], &[]] {
        let answer = client.send("POST", "/v1/metrics", headers, b"");
        let message =
            "send the header `content-type: application/x-protobuf` or `application/json`";
        assert_eq!(answer.status, 415);
        assert_eq!(answer.json(), json!({"code": 3, "message": message}));
    }
    // One series too many, and nothing else: the sender may come again.
    assert_eq!(
        push_json(client, &request(&json!([gauge("a", &[point(1.0)])]))).status,
        200
    );
    let answer = push_json(client, &request(&json!([gauge("b", &[point(1.0)])])));
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), Some("60"));
    assert_eq!(answer.json()["code"], 8);
    // Beside one that is stored it is a part that was rejected.
    let both = request(&json!([
        gauge("a", &[point(2.0)]),
        gauge("b", &[point(1.0)])
    ]));
    let answer = push_json(client, &both);
    assert_eq!(answer.json()["partialSuccess"]["rejectedDataPoints"], "1");
}

#[test]
fn i_otlp_4_deltas_are_counted_once_and_over_a_restart() {
    let mut server = TestServer::start();
    let began = now_ms() - 100_000;
    let push = |server: &TestServer, turn: i64| {
        let ns = |ms: i64| format!("{}000000", began + ms);
        let with = |point: Value| {
            let mut point = point;
            point["startTimeUnixNano"] = ns(turn * 10_000).into();
            point["timeUnixNano"] = ns((turn + 1) * 10_000).into();
            json!({"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [point]})
        };
        let mut up_down = with(json!({"asInt": "-2"}));
        up_down["isMonotonic"] = false.into();
        let exponential = json!({
            "count": 2, "sum": 1.5, "scale": 1,
            "positive": {"offset": 2 * turn, "bucketCounts": [1, 1]},
        });
        let explicit = json!({
            "count": 3, "sum": 2, "bucketCounts": [1, 2], "explicitBounds": [0.5],
        });
        let body = request(&json!([
            {"name": "c", "sum": with(json!({"asInt": "5"}))},
            {"name": "u", "sum": up_down},
            {"name": "h", "histogram": with(explicit)},
            {"name": "e", "exponentialHistogram": with(exponential)},
        ]));
        for _ in 0..2 {
            assert_eq!(push_json(server.client(), &body).text(), "{}");
            assert_eq!(push_protobuf(server.client(), &body).text(), "");
        }
    };
    for turn in 0..4 {
        push(&server, turn);
        if turn == 1 {
            server.restart();
        }
    }
    let client = server.client();
    // The 0 where the first interval begins, and then one sample an interval.
    assert_eq!(values(client, "c_total"), [0.0, 5.0, 10.0, 15.0, 20.0]);
    assert_eq!(values(client, "u"), [-2.0, -4.0, -6.0, -8.0]);
    assert_eq!(values(client, "h_count"), [0.0, 3.0, 6.0, 9.0, 12.0]);
    assert_eq!(values(client, "h_sum"), [0.0, 2.0, 4.0, 6.0, 8.0]);
    let bucket = |metric: &str, le: &str| {
        let selector = format!("{metric}_bucket{{le=\"{le}\"}}");
        let path = format!("/v1/query?match[]={}", crate::server::escape(&selector));
        let rows = client.get_json(&path);
        let rows = rows["metrics"].as_array().unwrap();
        rows.iter()
            .map(|row| row["value"].as_f64().unwrap())
            .collect::<Vec<f64>>()
    };
    assert_eq!(bucket("h", "0.5"), [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(bucket("h", "+Inf"), [0.0, 3.0, 6.0, 9.0, 12.0]);
    // Each turn two values more, a power of two higher.
    assert_eq!(bucket("e", "2"), [0.0, 2.0, 2.0, 2.0, 2.0]);
    assert_eq!(bucket("e", "4"), [4.0, 4.0, 4.0]);
    assert_eq!(bucket("e", "16"), [8.0]);
    assert_eq!(bucket("e", "+Inf"), [0.0, 2.0, 4.0, 6.0, 8.0]);
}

#[test]
fn i_service_1_what_is_pushed_is_listed_under_its_service() {
    let server = TestServer::start();
    let client = server.client();
    let body = request(&json!([gauge("m", &[point(1.0)])]));
    assert_eq!(push_json(client, &body).status, 200);
    assert_eq!(client.get_json("/v1/stats")["Services"], json!(["shop"]));
    let list = client.get_json("/v1/metrics/list?service=shop");
    // `up` has the job alone.
    assert_eq!(list["metrics"], json!(["m_seconds", "up"]));
    assert_eq!(list["details"][0]["services"], json!(["shop"]));
}

#[test]
fn i_add_1_requests_that_add_do_not_lose_each_others() {
    let server = TestServer::start();
    let client = server.client();
    let now = now_ms();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for turn in 0..10 {
                    let ns = format!("{}000000", now - 10_000 + turn * 1_000);
                    let attributes = json!([{"key": "t", "value": {"intValue": thread}}]);
                    let point = json!({"timeUnixNano": ns, "asInt": 1, "attributes": attributes});
                    let sum = json!({
                        "aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [point],
                    });
                    let body = request(&json!([{"name": "c", "sum": sum}]));
                    assert_eq!(push_protobuf(client, &body).status, 200);
                }
            });
        }
    });
    let counted: f64 = values(client, "c_total")
        .into_iter()
        .filter(|value| *value == 10.0)
        .sum();
    assert_eq!(counted, 40.0);
}

#[test]
fn logs_are_counted_and_not_stored() {
    let server = TestServer::start();
    let client = server.client();
    let text = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{}, {}]}]}]}).to_string();
    let answer = client.send("POST", "/v1/logs", &JSON, text.as_bytes());
    assert_eq!(answer.status, 200);
    let message = "TinyObs stores no logs, only metrics";
    let partial = json!({"rejectedLogRecords": "2", "errorMessage": message});
    assert_eq!(answer.json(), json!({"partialSuccess": partial}));
    let proto = b"\x0a\x06\x12\x04\x12\x00\x12\x00";
    let answer = client.send("POST", "/v1/logs", &PROTOBUF, proto);
    assert_eq!(answer.status, 200);
    let told = [&[8, 2, 18, message.len() as u8], message.as_bytes()].concat();
    assert_eq!(answer.body, [&[10, told.len() as u8], &told[..]].concat());
    let answer = client.send("POST", "/v1/logs", &JSON, b"{}");
    assert_eq!((answer.status, answer.text()), (200, "{}"));
    assert_eq!(client.send("POST", "/v1/logs", &JSON, b"[").status, 400);
}

#[test]
fn the_port_of_otlp_leads_to_the_same_server() {
    let server = TestServer::with(|config| config.otlp_listen = Some("127.0.0.1:0".to_owned()));
    let otlp = server.otlp_client().unwrap();
    let body = request(&json!([gauge("m", &[point(1.5)])]));
    assert_eq!(push_protobuf(otlp, &body).status, 200);
    assert_eq!(values(server.client(), "m_seconds"), [1.5]);
    // Behind the same checks.
    for headers in [("host", "evil.example"), ("origin", "http://evil.example")] {
        let answer = otlp.send("POST", "/v1/metrics", &[headers, JSON[0]], b"{}");
        answer.error(403);
    }
    assert!(TestServer::start().otlp_client().is_none());
}

#[test]
fn i_listen_1_a_taken_port_is_said_once_and_the_server_goes_on() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let mut child = tinyobs(&dir)
        .args(["serve", "--listen", "127.0.0.1:0", "--engine", "memory"])
        .args(["--otlp-listen", &taken])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut greeting = String::new();
    while !greeting.contains("  stop ") {
        assert_ne!(stdout.read_line(&mut greeting).unwrap(), 0, "{greeting}");
    }
    let at = |word: &str| {
        let line = greeting
            .lines()
            .find(|line| line.trim().starts_with(word))
            .unwrap();
        line.split("http://")
            .nth(1)
            .unwrap()
            .split('/')
            .next()
            .unwrap()
            .to_owned()
    };
    // The way that is open is the one that is shown.
    assert_eq!(at("otlp"), at("dashboard"));
    let client = Client(at("otlp").parse().unwrap());
    assert_eq!(
        push_json(client, &request(&json!([gauge("m", &[point(1.0)])]))).status,
        200
    );
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(log.matches("WARN").count(), 1, "{log}");
    assert!(
        log.contains(&format!("another program listens on {taken}")),
        "{log}"
    );
}

#[test]
fn i_listen_2_the_port_of_otlp_needs_leave_to_be_reachable() {
    let dir = tempfile::tempdir().unwrap();
    let output = tinyobs(&dir)
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--otlp-listen",
            "0.0.0.0:0",
        ])
        .output()
        .unwrap();
    assert_ne!(output.status.code(), Some(0));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("0.0.0.0:0 can be reached from other machines"),
        "{message}"
    );
}
