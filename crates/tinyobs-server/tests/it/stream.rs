//! `POST /v1/ingest` as lines: any length, one answer.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use serde_json::json;

use crate::client::{head, read_answer};
use crate::pushgateway::stored;
use crate::server::{TestServer, now_ms};

const LINES: [(&str, &str); 1] = [("content-type", "application/x-ndjson")];

#[test]
fn more_items_than_a_request_may_have() {
    let now = now_ms() - 100_000;
    for server in TestServer::both_engines() {
        let client = server.client();
        let mut body = String::new();
        for i in 0..60_000 {
            writeln!(
                body,
                r#"{{"name":"m{}","value":{i},"timestamp":{}}}"#,
                i % 7,
                now + i
            )
            .unwrap();
        }
        let answer = client.send("POST", "/v1/ingest", &LINES, body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(
            answer.json(),
            json!({"status": "success", "count": 60_000, "lines": 60_000, "refused": 0, "errors": []})
        );
        let rows = stored(client, "m3");
        assert_eq!(rows.len(), 8_571);
        assert_eq!((rows[0].1, rows[8_570].1), (3.0, 59_993.0));
    }
}

#[test]
fn a_stream_may_begin_with_a_byte_order_mark() {
    let server = TestServer::start();
    let item = |name: &str| format!("\u{feff}{{\"name\":\"{name}\",\"value\":1}}\n");
    let body = item("first") + &item("second");
    let answer = server
        .client()
        .send("POST", "/v1/ingest", &LINES, body.as_bytes())
        .json();
    assert_eq!(
        (&answer["count"], &answer["refused"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(answer["errors"][0]["line"], 2);
    assert_eq!(stored(server.client(), "first"), [(json!({}), 1.0)]);
}

#[test]
fn i_stream_2_a_bad_line_costs_only_itself_and_is_named() {
    let server = TestServer::start();
    let client = server.client();
    let mut body = String::new();
    for i in 1..=40_000 {
        match i % 400 {
            0 => body.push_str("{\"name\":\"bad\"}\n"),
            1 => body.push('\n'),
            _ => writeln!(body, r#"{{"name":"m","value":{i}}}"#).unwrap(),
        }
    }
    body.push_str("not json");
    let answer = client.send("POST", "/v1/ingest", &LINES, body.as_bytes());
    let answer = answer.json();
    assert_eq!(
        (&answer["count"], &answer["lines"]),
        (&json!(39_800), &json!(39_901))
    );
    assert_eq!(answer["refused"], 101);
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 100);
    for (i, error) in errors.iter().enumerate() {
        assert_eq!(error["line"], (i + 1) * 400);
        assert_eq!(error["rule"], "value_not_a_number");
    }
    let answer = client.send("POST", "/v1/ingest", &LINES, b"[]\n\n{}\n");
    let message = answer.error(400);
    assert!(
        message.starts_with("none of 2 lines was stored; the first, line 1: item is malformed")
            && message.ends_with("(malformed)"),
        "{message}"
    );
    let errors = answer.json()["errors"].clone();
    let places: Vec<_> = [0, 1]
        .map(|i| (errors[i]["line"].clone(), errors[i]["rule"].clone()))
        .into();
    assert_eq!(
        places,
        [
            (json!(1), json!("malformed")),
            (json!(3), json!("name_empty"))
        ]
    );
    let full = TestServer::with(|config| config.max_series = 1);
    full.client()
        .push(r#"{"metrics":[{"name":"full","value":1}]}"#);
    let answer = full.client().send(
        "POST",
        "/v1/ingest",
        &LINES,
        b"\n{\"name\":\"m\",\"value\":1}\n",
    );
    let message = answer.error(429);
    assert!(
        message.starts_with("none of 1 lines was stored; the first, line 2: metric \"m\" needs"),
        "{message}"
    );
    assert_eq!(
        (
            &answer.json()["errors"][0]["line"],
            &answer.json()["errors"][0]["rule"]
        ),
        (&json!(2), &json!("series_limit"))
    );
}

/// What was sent is stored while the stream goes on, and one that is slower than a request may be
/// is no error.
#[test]
fn i_stream_1_lines_are_stored_as_they_come() {
    let server = TestServer::start();
    let client = server.client();
    let mut stream = client.connect();
    let headers = [LINES[0], ("transfer-encoding", "chunked")];
    stream
        .write_all(&head(client.0, "POST", "/v1/ingest", &headers, None))
        .unwrap();
    let mut sent = 0;
    let mut send = |lines: usize| {
        let mut body = String::new();
        for _ in 0..lines {
            writeln!(
                body,
                r#"{{"name":"m","value":{sent},"labels":{{"x":"{}"}}}}"#,
                "x".repeat(900)
            )
            .unwrap();
            sent += 1;
        }
        // A chunk ends in the middle of a line.
        for piece in [&body[..body.len() - 7], &body[body.len() - 7..]] {
            write!(stream, "{:x}\r\n{piece}\r\n", piece.len()).unwrap();
        }
        stream.flush().unwrap();
    };
    send(2_000);
    let begun = std::time::Instant::now();
    while stored(client, "m").is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "nothing is stored yet"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    send(3);
    stream.write_all(b"0\r\n\r\n").unwrap();
    let answer = read_answer(&mut stream);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["lines"], 2_003);
}

#[test]
fn i_stream_4_a_slow_stream_is_stored_as_well() {
    let server = TestServer::start();
    let client = server.client();
    let mut stream = client.connect();
    let headers = [LINES[0], ("transfer-encoding", "chunked")];
    stream
        .write_all(&head(client.0, "POST", "/v1/ingest", &headers, None))
        .unwrap();
    for (i, text) in [
        "{\"name\":\"m\",\"value\":0}\n{\"na",
        "me\":\"m\",\"value\":1}\n",
    ]
    .iter()
    .enumerate()
    {
        write!(stream, "{:x}\r\n{text}\r\n", text.len()).unwrap();
        let begun = std::time::Instant::now();
        while stored(client, "m").len() <= i {
            assert!(begun.elapsed() < Duration::from_secs(8), "it is held back");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let answer = read_answer(&mut stream).json();
    assert_eq!((&answer["count"], &answer["lines"]), (&json!(2), &json!(2)));
}

#[test]
fn i_stream_6_whole_lines_before_a_broken_connection_are_stored() {
    for server in TestServer::both_engines() {
        let client = server.client();
        for name in ["chunked", "declared"] {
            let line = |value: u32| {
                format!(
                    "{{\"name\":\"{name}\",\"value\":{value},\"labels\":{{\"n\":\"{value}\"}}}}\n"
                )
            };
            let text = format!("{}{}{}", line(1), line(2), line(3));
            // The last one is whole but for its end.
            let text = text.trim_end();
            let mut stream = client.connect();
            let chunked = [LINES[0], ("transfer-encoding", "chunked")];
            if name == "chunked" {
                let head = head(client.0, "POST", "/v1/ingest", &chunked, None);
                stream.write_all(&head).unwrap();
                write!(stream, "{:x}\r\n{text}\r\n", text.len()).unwrap();
            } else {
                let head = head(client.0, "POST", "/v1/ingest", &LINES, Some(text.len() + 9));
                stream.write_all(&head).unwrap();
                stream.write_all(text.as_bytes()).unwrap();
            }
            drop(stream);
            let begun = std::time::Instant::now();
            while stored(client, name).len() < 2 {
                assert!(begun.elapsed() < Duration::from_secs(8), "{name}");
                std::thread::sleep(Duration::from_millis(20));
            }
            std::thread::sleep(Duration::from_millis(200));
            let values: Vec<f64> = stored(client, name).iter().map(|row| row.1).collect();
            assert_eq!(values, [1.0, 2.0], "{name}");
        }
    }
}

#[test]
fn i_stream_3_what_cannot_go_on_says_how_far_it_came() {
    let server = TestServer::start();
    let client = server.client();
    let mut body = format!(
        "{{\"name\":\"m\",\"value\":1,\"labels\":{{\"x\":\"{}\"}}}}\n",
        "x".repeat(4_000)
    )
    .repeat(300);
    body.push_str(&"x".repeat(3 << 20));
    let answer = client.send("POST", "/v1/ingest", &LINES, body.as_bytes());
    let message = answer.error(413);
    assert!(message.starts_with("after "), "{message}");
    assert!(
        message.ends_with("has more than 1048576 bytes"),
        "{message}"
    );
    assert!(!stored(client, "m").is_empty());
}

#[test]
fn a_packed_stream() {
    let server = TestServer::start();
    let client = server.client();
    let body = "{\"name\":\"m\",\"value\":1}\n".repeat(20_000);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(body.as_bytes()).unwrap();
    let headers = [LINES[0], ("content-encoding", "gzip")];
    let answer = client.send("POST", "/v1/ingest", &headers, &packed.finish().unwrap());
    assert_eq!(answer.json()["lines"], 20_000, "{}", answer.text());
}
