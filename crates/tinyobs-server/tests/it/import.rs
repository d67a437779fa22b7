//! `POST /v1/import` and `POST /api/v1/import`: good lines are kept, bad ones are named.

use std::io::Write;

use serde_json::{Value, json};

use crate::client::{Answer, Client, head, read_answer};
use crate::export::export;
use crate::server::{TestServer, now_ms};

fn post(client: Client, body: &[u8]) -> Answer {
    client.send("POST", "/v1/import", &[], body)
}

fn line(name: &str, value: &str, at: i64) -> String {
    format!(
        "{{\"metric\":{{\"__name__\":\"{name}\"}},\"values\":[{value}],\"timestamps\":[{at}]}}\n"
    )
}

#[test]
fn i_import_1_good_lines_are_kept_and_bad_ones_named() {
    let now = now_ms();
    for server in TestServer::both_engines() {
        let client = server.client();
        let long = "n".repeat(257);
        let text = line("a", "1", now - 1)
            + "nonsense\n\n"
            + &line("b", "2,3", now - 1)
            + &line(&long, "4", now - 1)
            + &format!(
                "{{\"metric\":{{\"__name__\":\"c\"}},\"values\":[5,6,7],\"timestamps\":[{},{},{}]}}\r\n",
                now - 3,
                now + 3_600_000,
                now - 1
            )
            + "{\"metric\":{\"job\":\"x\"},\"values\":[1],\"timestamps\":[1]}\n"
            // The last one has no line break.
            + line("d", "8", now - 1).trim_end();
        let answer = post(client, text.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        assert_eq!(
            (&answer["metrics_imported"], &answer["lines"]),
            (&json!(4), &json!(7))
        );
        let errors: Vec<&str> = answer["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e.as_str().unwrap())
            .collect();
        let expected = [
            "line 2: line is malformed: a value, or text in quotes, is expected (malformed)",
            "line 4: \"timestamps\" has 1 elements where \"values\" has 2 (malformed)",
            "line 5: metric name \"nnnn",
            "line 6: time ",
            "line 7: metric name is empty (name_empty)",
        ];
        assert_eq!(errors.len(), expected.len(), "{errors:?}");
        for (error, expected) in errors.iter().zip(expected) {
            assert!(error.starts_with(expected), "{error}");
        }
        assert_eq!(answer["refused"], 5);
        let kept = export(client, "");
        let kept: Vec<Value> = kept
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let values: Vec<&Value> = kept.iter().map(|line| &line["values"]).collect();
        assert_eq!(values, [&json!([1]), &json!([5, 7]), &json!([8])]);
    }
}

#[test]
fn what_is_all_bad_is_an_error() {
    let server = TestServer::with(|config| config.max_series = 2);
    let client = server.client();
    let now = now_ms();
    assert!(
        post(client, b"nonsense")
            .error(400)
            .contains("line 1: line is malformed")
    );
    let empty = post(client, b" \n\n").json();
    assert_eq!(
        (&empty["time_range"], &empty["errors"]),
        (&json!("empty"), &json!([]))
    );
    let message = post(
        client,
        b"timestamp,name,type,value\n2026-11-22T00:00:00Z,a,gauge,1\n",
    )
    .error(400);
    let like = "the file cannot be imported: it looks like a table (CSV) that";
    assert!(message.starts_with(like), "{message}");
    let message = post(client, b"nonsense\nmore\n").error(400);
    assert!(
        message.starts_with("none of 2 lines was stored (2 refused); line 1: "),
        "{message}"
    );
    let three = line("a", "1", now) + &line("b", "1", now) + &line("c", "1", now);
    let some = post(client, three.as_bytes());
    assert_eq!((some.status, &some.json()["refused"]), (200, &json!(1)));
    let none = post(client, line("c", "1", now).as_bytes());
    assert_eq!(none.header("retry-after"), Some("60"));
    assert!(none.error(429).contains("series_limit"));
    let theirs = client.send("POST", "/api/v1/import", &[], three.as_bytes());
    assert_eq!((theirs.status, &theirs.json()["refused"]), (200, &json!(1)));
    for encoding in ["snappy", "br", "gzip, gzip"] {
        let header = [("content-encoding", encoding)];
        let packed = client.send("POST", "/v1/import", &header, b"x");
        let message = format!(
            "content-encoding {encoding:?} is not taken here; it may be gzip, zstd, identity"
        );
        assert_eq!(packed.error(415), message);
    }
    let damaged = client.send(
        "POST",
        "/v1/import",
        &[("content-encoding", "gzip")],
        b"no gzip",
    );
    assert!(damaged.error(400).contains("could not be read to its end"));
}

/// What `GET /v1/export` writes as a table, and packed without a word about it.
#[test]
fn a_table_of_ours_comes_back_in() {
    let from = TestServer::start();
    let now = now_ms();
    let push = json!({"metrics": [
        {"name": "a,b", "type": "gauge", "value": -0.1, "timestamp": now - 5, "labels": {"type": "x", "l": "=1\0"}},
        {"name": "c_total", "type": "counter", "value": 7, "timestamp": now - 4},
    ]});
    let json = [("content-type", "application/json")];
    let body = push.to_string();
    assert_eq!(
        from.client()
            .send("POST", "/v1/ingest", &json, body.as_bytes())
            .status,
        200
    );
    let table = export(from.client(), "format=csv");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(table.as_bytes()).unwrap();
    for file in [table.clone().into_bytes(), packed.finish().unwrap()] {
        let to = TestServer::start();
        let answer = post(to.client(), &file);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["metrics_imported"], 2);
        let range = |at: i64| tinyobs_wire::time::format_rfc3339(at);
        let times = format!("{} to {}", range(now - 5), range(now - 4));
        assert_eq!(answer.json()["time_range"], times);
        assert_eq!(export(to.client(), "format=csv"), table);
    }
}

/// What the original writes: indented, samples and means.
#[test]
fn an_export_of_the_original_comes_in() {
    let now = now_ms() / 1_000 * 1_000;
    let at = |ms: i64| tinyobs_wire::time::format_rfc3339(now - ms).replace(".000Z", "Z");
    let file = json!({
        "metadata": {"exported_at": at(0), "start_time": at(86_400_000), "end_time": at(0),
                     "metric_count": 5, "format": "json", "version": "1.0"},
        "metrics": [
            {"name": "ctr_total", "type": "counter", "value": 42, "labels": {"s": "x"}, "timestamp": at(1_000)},
            {"name": "", "type": "gauge", "value": 1, "labels": {}, "timestamp": at(1_000)},
            {"name": "ctr_total", "type": "gauge", "value": 2745.5,
             "labels": {"__count__": "300", "__max__": "4240.000000", "__min__": "1250.000000",
                        "__resolution__": "5m", "__sum__": "823650.000000", "s": "x"},
             "timestamp": at(36_000_000)},
            {"name": "cpu", "type": "bad", "value": 1, "timestamp": at(1_000)},
            {"name": "cpu", "type": "gauge", "value": 0.1, "timestamp": at(2_000)},
        ],
    });
    let text = serde_json::to_string_pretty(&file).unwrap();
    for server in TestServer::both_engines() {
        let client = server.client();
        let json = [("content-type", "application/json; charset=utf-8")];
        let answer = client
            .send("POST", "/v1/import", &json, text.as_bytes())
            .json();
        assert_eq!(answer["metrics_imported"], 3);
        assert!(answer["batches_written"].as_u64().unwrap() > 0);
        assert_eq!(
            answer["errors"],
            json!([
                "metric 1: metric name is empty (name_empty)",
                "metric 3: type \"bad\" is not one of unknown, counter, gauge, histogram, summary (type_unknown)",
            ])
        );
        assert_eq!(
            export(client, ""),
            format!(
                "{{\"metric\":{{\"__name__\":\"cpu\"}},\"type\":\"gauge\",\"values\":[0.1],\"timestamps\":[{}]}}\n\
                 {{\"metric\":{{\"__name__\":\"ctr_total\",\"s\":\"x\"}},\"type\":\"counter\",\
                 \"values\":[2745.5,42],\"timestamps\":[{},{}]}}\n",
                now - 2_000,
                now - 36_000_000,
                now - 1_000
            )
        );
        let cut = &text[..text.len() - 40];
        let message = post(client, cut.as_bytes()).error(400);
        assert!(
            message.contains("could not be read to its end: it ends within"),
            "{message}"
        );
    }
}

/// More than a request may hold otherwise, in one line of 16 MiB and in pieces, packed and not.
#[test]
fn i_import_2_a_large_import_is_many_batches() {
    let server = TestServer::start();
    let client = server.client();
    let start = now_ms() - 1_000_000;
    let of = |series: usize, samples: usize| {
        let values: Vec<String> = (0..samples).map(|i| (i + series).to_string()).collect();
        let times: Vec<String> = (0..samples as i64)
            .map(|i| (start + i).to_string())
            .collect();
        format!(
            "{{\"metric\":{{\"__name__\":\"m\",\"series\":\"{series}\"}},\"values\":[{}],\"timestamps\":[{}]}}\n",
            values.join(","),
            times.join(",")
        )
    };
    let text: String = (0..5).map(|series| of(series, 25_000)).collect();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let gzip = [("content-encoding", "gzip")];
    let answer = client.send("POST", "/v1/import", &gzip, &packed).json();
    assert_eq!(answer["metrics_imported"], 125_000);
    assert!(
        answer["batches_written"].as_u64().unwrap() >= 13,
        "{answer}"
    );
    let exported = export(client, "");
    let read: usize = exported
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let series: usize = line["metric"]["series"].as_str().unwrap().parse().unwrap();
            let times = line["timestamps"].as_array().unwrap().iter();
            times
                .zip(line["values"].as_array().unwrap())
                .for_each(|(at, value)| {
                    let place = at.as_i64().unwrap() - start;
                    assert_eq!(value.as_i64().unwrap(), place + series as i64);
                });
            line["values"].as_array().unwrap().len()
        })
        .sum();
    assert_eq!(read, 125_000);
    // One byte more than a line may have, and its neighbours.
    let room = 16 << 20;
    let padded = |bytes: usize| {
        let line = line("p", "1", start);
        line.trim_end().to_owned() + &" ".repeat(bytes - line.len() + 1) + "\n"
    };
    let text = line("before", "1", start) + &padded(room + 1) + &line("after", "1", start);
    let answer = post(client, text.as_bytes()).json();
    assert_eq!(answer["metrics_imported"], 2);
    let message = answer["errors"][0].as_str().unwrap().to_owned();
    assert!(
        message.starts_with("line 2: line has more than 16777216 bytes"),
        "{message}"
    );
}

#[test]
fn i_import_3_i_import_6_who_breaks_off_keeps_the_whole_lines_that_were_read() {
    let now = now_ms();
    let at = tinyobs_wire::time::format_rfc3339(now);
    let row = |name: &str, value: &str| format!("{at},{name},gauge,{value},raw");
    let table = "timestamp,name,type,value,resolution\r\n".to_owned() + &row("whole", "1") + "\r\n";
    for (whole, cut) in [
        (line("whole", "1", now), "{\"metric\":{\"__na".to_owned()),
        // As it stands there it would be a row.
        (table, row("cut", "9")),
    ] {
        let server = TestServer::start();
        let client = server.client();
        let mut stream = client.connect();
        let head = head(client.0, "POST", "/v1/import", &[], Some(1_000_000));
        stream.write_all(&head).unwrap();
        stream.write_all((whole + &cut).as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = read_answer(&mut stream);
        assert_eq!(answer.status, 400);
        assert!(
            answer.text().contains("1 samples before that are stored"),
            "{}",
            answer.text()
        );
        let kept = export(client, "");
        assert!(
            kept.starts_with("{\"metric\":{\"__name__\":\"whole\"}"),
            "{kept}"
        );
        assert_eq!(kept.lines().count(), 1, "{kept}");
    }
}

#[test]
fn a_third_import_waits_for_its_turn() {
    let server = TestServer::start();
    let client = server.client();
    let begin = || {
        let mut stream = client.connect();
        let head = head(client.0, "POST", "/v1/import", &[], Some(1_000));
        stream.write_all(&head).unwrap();
        stream.write_all(b"\n").unwrap();
        stream
    };
    let held = [begin(), begin()];
    std::thread::sleep(std::time::Duration::from_millis(300));
    let third = post(client, line("m", "1", now_ms()).as_bytes());
    assert_eq!(third.header("retry-after"), Some("10"));
    assert!(third.error(503).contains("as many imports as may be"));
    drop(held);
    let begun = std::time::Instant::now();
    while post(client, line("m", "1", now_ms()).as_bytes()).status == 503 {
        assert!(
            begun.elapsed().as_secs() < 5,
            "their places are not given back"
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
