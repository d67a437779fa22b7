//! `GET /v1/export` and `GET /api/v1/export`: every format, every size, nothing cut off.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Client, head};
use crate::server::{TestServer, escape, now_ms};

/// Stores lines of JSON.
pub fn import(client: Client, lines: &str) {
    let answer = client.send("POST", "/v1/import", &[], lines.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["refused"], 0, "{}", answer.text());
}

/// The text of an export.
pub fn export(client: Client, query: &str) -> String {
    let answer = client.get(&format!("/v1/export?{query}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().to_owned()
}

/// RFC 3339 in the seconds of `time_ms`, which are whole.
fn seconds(time_ms: i64) -> i64 {
    assert_eq!(time_ms % 1_000, 0);
    time_ms / 1_000
}

fn lines(at: i64) -> String {
    let line = |name: &str, rest: &str| format!("{{\"metric\":{{\"__name__\":\"{name}\"{rest}}}");
    let times = format!("[{at},{}]", at + 15_000);
    [
        line("jobs_total", ",\"queue\":\"mail\"") + &format!(",\"type\":\"counter\",\"help\":\"Jobs.\",\"values\":[1,3],\"timestamps\":{times}}}"),
        line("jobs_total", ",\"queue\":\"sms\"") + &format!(",\"type\":\"counter\",\"values\":[0.5,null],\"timestamps\":{times},\"nans\":[\"7ff0000000000002\"]}}"),
        line("took_seconds_bucket", ",\"le\":\"1\"") + &format!(",\"type\":\"histogram\",\"unit\":\"seconds\",\"values\":[1,2],\"timestamps\":{times}}}"),
        line("took_seconds_bucket", ",\"le\":\"+Inf\"") + &format!(",\"type\":\"histogram\",\"unit\":\"seconds\",\"values\":[4,5],\"timestamps\":{times}}}"),
        line("took_seconds_count", "") + &format!(",\"type\":\"histogram\",\"unit\":\"seconds\",\"values\":[4,5],\"timestamps\":{times}}}"),
        line("took_seconds_sum", "") + &format!(",\"type\":\"histogram\",\"unit\":\"seconds\",\"values\":[9.5,\"Infinity\"],\"timestamps\":{times}}}"),
    ]
    .join("\n")
}

#[test]
fn each_format_byte_by_byte() {
    let at = now_ms() / 60_000 * 60_000 - 600_000;
    let (one, two) = (seconds(at), seconds(at + 15_000));
    for mut server in TestServer::both_engines() {
        import(server.client(), &lines(at));
        if server.client().get_json("/v1/stats")["engine"] == "disk" {
            // From tables as from memory.
            server.restart();
        }
        let client = server.client();
        assert_eq!(
            export(client, "format=openmetrics"),
            format!(
                "# HELP jobs Jobs.\n# TYPE jobs counter\n\
                 jobs_total{{queue=\"mail\"}} 1 {one}.000\n\
                 jobs_total{{queue=\"mail\"}} 3 {two}.000\n\
                 jobs_total{{queue=\"sms\"}} 0.5 {one}.000\n\
                 # TYPE took_seconds histogram\n# UNIT took_seconds seconds\n\
                 took_seconds_bucket{{le=\"1.0\"}} 1 {one}.000\n\
                 took_seconds_bucket{{le=\"+Inf\"}} 4 {one}.000\n\
                 took_seconds_sum 9.5 {one}.000\n\
                 took_seconds_count 4 {one}.000\n\
                 took_seconds_bucket{{le=\"1.0\"}} 2 {two}.000\n\
                 took_seconds_bucket{{le=\"+Inf\"}} 5 {two}.000\n\
                 took_seconds_sum +Inf {two}.000\n\
                 took_seconds_count 5 {two}.000\n# EOF\n"
            )
        );
        let table = export(client, "format=csv&match[]=jobs_total");
        let rows: Vec<&str> = table.split("\r\n").collect();
        let cells = |row: &str| row.split_once(',').unwrap().1.to_owned();
        assert_eq!(rows[0], "timestamp,name,type,value,resolution,queue");
        assert_eq!(cells(rows[1]), "jobs_total,counter,1,raw,mail");
        assert_eq!(cells(rows[2]), "jobs_total,counter,3,raw,mail");
        assert_eq!(cells(rows[3]), "jobs_total,counter,0.5,raw,sms");
        assert_eq!(rows[4..], [""]);
        let times = format!("[{at},{}]", at + 15_000);
        assert_eq!(
            export(client, &format!("match[]={}", escape("{queue=\"sms\"}"))),
            format!(
                "{{\"metric\":{{\"__name__\":\"jobs_total\",\"queue\":\"sms\"}},\"type\":\"counter\",\
                 \"help\":\"Jobs.\",\"values\":[0.5,null],\"timestamps\":{times},\
                 \"nans\":[\"7ff0000000000002\"]}}\n"
            )
        );
        let selectors = "match[]=jobs_total&match[]=took_seconds_count&match[]=jobs_total";
        let theirs = client.get(&format!(
            "/api/v1/export?{selectors}&max_rows_per_line=1&end={at}"
        ));
        assert_eq!(
            theirs.header("content-type"),
            Some("application/stream+json; charset=utf-8")
        );
        assert_eq!(
            theirs.text(),
            format!(
                "{{\"metric\":{{\"__name__\":\"jobs_total\",\"queue\":\"mail\"}},\"values\":[1],\"timestamps\":[{at}]}}\n\
                 {{\"metric\":{{\"__name__\":\"jobs_total\",\"queue\":\"sms\"}},\"values\":[0.5],\"timestamps\":[{at}]}}\n\
                 {{\"metric\":{{\"__name__\":\"took_seconds_count\"}},\"values\":[4],\"timestamps\":[{at}]}}\n"
            )
        );
    }
}

#[test]
fn what_is_asked_wrongly_is_400_before_the_answer_begins() {
    let server = TestServer::start();
    let client = server.client();
    for (path, expected) in [
        (
            "/v1/export?format=xml",
            "it must be json, csv or openmetrics",
        ),
        ("/v1/export?match[]=%7Ba", "match[]"),
        ("/v1/export?start=2&end=1", "end must not lie before start"),
        ("/v1/export?start=yesterday", "is not a time"),
        ("/api/v1/export", "parameter \"match[]\" is required"),
        (
            "/api/v1/export?match[]=a&max_rows_per_line=0",
            "it must be between 1 and 100000",
        ),
    ] {
        let message = client.get(path).error(400);
        assert!(message.contains(expected), "{path}: {message}");
    }
    let empty = client.get("/v1/export?format=openmetrics");
    assert_eq!((empty.status, empty.text()), (200, "# EOF\n"));
    let name = empty.header("content-disposition").unwrap().to_owned();
    assert!(
        name.starts_with("attachment; filename=\"tinyobs-export-20"),
        "{name}"
    );
    assert!(name.ends_with(".txt\""), "{name}");
    assert_eq!(client.get("/v1/export").text(), "");
}

/// Samples of each of the series of [`much`].
const MANY: usize = 30_000;

/// Some megabytes: eight long series.
fn much(client: Client) {
    let start = now_ms() - 1_000 * MANY as i64;
    for series in 0..8 {
        let values: Vec<String> = (0..MANY)
            .map(|i| format!("{}.25", i * 7 + series))
            .collect();
        let times: Vec<String> = (0..MANY as i64)
            .map(|i| (start + 1_000 * i).to_string())
            .collect();
        let line = format!(
            "{{\"metric\":{{\"__name__\":\"much\",\"series\":\"{series}\"}},\"values\":[{}],\"timestamps\":[{}]}}",
            values.join(","),
            times.join(",")
        );
        import(client, &line);
    }
}

#[test]
fn i_export_1_and_2_a_long_series_is_several_lines_and_none_is_missing() {
    let server = TestServer::start();
    let client = server.client();
    much(client);
    let text = export(client, "");
    let mut seen = [0_usize; 8];
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let series: usize = line["metric"]["series"].as_str().unwrap().parse().unwrap();
        let values = line["values"].as_array().unwrap();
        assert!(values.len() <= 10_000);
        for value in values {
            assert_eq!(*value, json!((seen[series] * 7 + series) as f64 + 0.25));
            seen[series] += 1;
        }
    }
    assert_eq!(seen, [MANY; 8]);
    assert_eq!(export(client, "format=csv").lines().count(), 8 * MANY + 1);
    assert_eq!(
        export(client, "format=openmetrics").lines().count(),
        8 * MANY + 2
    );
}

#[test]
fn i_stream_2_readers_that_leave_make_room_for_others() {
    let server = TestServer::start();
    let client = server.client();
    much(client);
    let ask = || {
        let mut stream = client.connect();
        let head = head(client.0, "GET", "/v1/export?format=csv", &[], None);
        stream.write_all(&head).unwrap();
        // It has begun; the rest waits.
        stream.read_exact(&mut [0; 1_000]).unwrap();
        stream
    };
    let slow = [ask(), ask(), ask(), ask()];
    let message = client.get("/v1/export?format=csv").error(503);
    assert!(message.contains("as many exports as may be"), "{message}");
    assert_eq!(
        client.get("/v1/stats").status,
        200,
        "others are not held up"
    );
    drop(slow);
    let begun = Instant::now();
    while client.get("/v1/export?format=csv").status == 503 {
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "their places are not given back"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
