//! The Pushgateway's paths: bodies and statuses as its clients have them, exact values back.

use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{TestServer, escape, now_ms};

const TEXT: [(&str, &str); 1] = [("content-type", "text/plain; version=0.0.4")];

fn send(client: Client, method: &str, path: &str, body: &str) -> u16 {
    let answer = client.send(method, path, &TEXT, body.as_bytes());
    assert!(answer.status >= 300 || answer.body.is_empty());
    answer.status
}

/// Labels and value of each stored sample of `name`.
pub fn stored(client: Client, name: &str) -> Vec<(Value, f64)> {
    let rows = client.get_json(&format!("/v1/query?metric={name}"))["metrics"].clone();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| (row["labels"].clone(), row["value"].as_f64().unwrap()))
        .collect()
}

/// The lines of `/metrics` that begin with `name`.
pub fn shown(client: Client, name: &str) -> Vec<String> {
    let page = client.get("/metrics");
    let lines = page.text().lines().filter(|line| line.starts_with(name));
    lines.map(str::to_owned).collect()
}

#[test]
fn i_pushgw_1_put_post_and_delete() {
    for server in TestServer::both_engines() {
        let client = server.client();
        let path = "/metrics/job/backup/instance/h1";
        let before = now_ms() as f64 / 1_000.0;
        let body = "# TYPE rows_total counter\n# HELP rows_total Rows.\nrows_total{db=\"a\",job=\"mine\"} 12.5\n\
             # TYPE size gauge\nsize NaN\nsize{x=\"\\\"\\\\\\n\"} -0.25\n";
        assert_eq!(send(client, "PUT", path, body), 200);
        let own = json!({"job": "backup", "instance": "h1"});
        let rows = json!({"job": "backup", "instance": "h1", "db": "a"});
        assert_eq!(stored(client, "rows_total"), [(rows, 12.5)]);
        let quoted = json!({"job": "backup", "instance": "h1", "x": "\"\\\n"});
        assert!(stored(client, "size").contains(&(quoted, -0.25)));
        assert_eq!(
            shown(client, "size"),
            [
                "size{instance=\"h1\",job=\"backup\",x=\"\\\"\\\\\\n\"} -0.25",
                "size{instance=\"h1\",job=\"backup\"} NaN"
            ]
        );
        assert_eq!(stored(client, "up"), [(own.clone(), 1.0)]);
        assert_eq!(
            stored(client, "push_failure_time_seconds"),
            [(own.clone(), 0.0)]
        );
        let pushed = stored(client, "push_time_seconds");
        assert_eq!(pushed[0].0, own);
        assert!((before..=now_ms() as f64 / 1_000.0).contains(&pushed[0].1));
        assert!(
            client
                .get("/metrics")
                .text()
                .contains("# HELP rows_total Rows.\n# TYPE rows_total counter\n")
        );

        // POST leaves what it does not name.
        assert_eq!(send(client, "POST", path, "rows_total 13\n"), 200);
        assert_eq!(
            shown(client, "rows_total"),
            ["rows_total{instance=\"h1\",job=\"backup\"} 13"]
        );
        assert_eq!(shown(client, "size").len(), 2);
        // PUT does not.
        assert_eq!(send(client, "PUT", path, "rows_total 14\n"), 200);
        assert_eq!(shown(client, "size"), [""; 0]);
        assert_eq!(
            shown(client, "rows_total"),
            ["rows_total{instance=\"h1\",job=\"backup\"} 14"]
        );
        // Another group is another.
        assert_eq!(
            send(
                client,
                "PUT",
                "/metrics/job@base64/YmFja3Vw",
                "rows_total 1\n"
            ),
            200
        );
        assert_eq!(shown(client, "rows_total").len(), 2);

        assert_eq!(send(client, "DELETE", path, ""), 202);
        assert_eq!(
            shown(client, "rows_total"),
            ["rows_total{job=\"backup\"} 1"]
        );
        assert_eq!(shown(client, "up{"), ["up{job=\"backup\"} 1"]);
        assert_eq!(shown(client, "push_time_seconds").len(), 1);
        assert_eq!(send(client, "DELETE", path, ""), 202, "twice is fine");
        assert_eq!(
            shown(client, "tinyobs_pushed_groups"),
            ["tinyobs_pushed_groups 1"]
        );
    }
}

#[test]
fn i_pushgw_2_a_body_that_cannot_be_taken_changes_nothing() {
    let server = TestServer::start();
    let client = server.client();
    let path = "/metrics/job/j";
    assert_eq!(send(client, "PUT", path, "a 1\n"), 200);
    let bad = |body: &str| {
        let answer = client.send("PUT", path, &TEXT, body.as_bytes());
        let message = answer.error(400);
        assert_eq!(shown(client, "a{"), ["a{job=\"j\"} 1"], "{body:?}");
        message
    };
    assert_eq!(
        bad("a 2\nb two\n"),
        "body is not in the text format: \"two\" is not a number at line 2, column 3"
    );
    assert_eq!(
        bad("# TYPE a gauge\na 2\n# TYPE a counter\n"),
        "body is not in the text format: a second TYPE line for \"a\" at line 3, column 1"
    );
    assert_eq!(
        bad("a 2"),
        "body is not in the text format: the last line does not end with a line feed at line 1, \
         column 4"
    );
    let message = bad("a 2\n\nb 2 1795306562347\n");
    assert!(
        message.starts_with("line 3: pushed metrics must not have timestamps"),
        "{message}"
    );
    assert_eq!(
        bad("b{job=\"1\"} 1\nb{job=\"2\"} 2\n"),
        "line 2: b{job=\"j\"} is there twice once the group's labels are set"
    );
    let failed = stored(client, "push_failure_time_seconds");
    assert!(failed.last().unwrap().1 > 1e9, "{failed:?}");
    // Of a group that is not there only what could be read is noted.
    let put = |path, body: &str| client.send("PUT", path, &TEXT, body.as_bytes()).status;
    assert_eq!(put("/metrics/job/new", "b two\n"), 400);
    assert_eq!(shown(client, "push_failure_time_seconds{").len(), 1);
    assert_eq!(put("/metrics/job/new", "b 2 2\n"), 400);
    assert_eq!(shown(client, "push_failure_time_seconds{").len(), 2);
}

#[test]
fn i_pushgw_3_a_series_that_breaks_a_rule_costs_only_itself() {
    let server = TestServer::with(|config| config.max_series = 4);
    let client = server.client();
    let body = "a 1\nb{__tinyobs_x=\"1\"} 2\nc 3\n";
    let answer = client.send("PUT", "/metrics/job/j", &TEXT, body.as_bytes());
    assert!(answer.error(400).starts_with(
        "1 of the series were refused, the others are stored; the first: line 2: label name"
    ));
    assert_eq!(answer.json()["errors"][0]["index"], 2);
    assert_eq!(answer.json()["errors"][0]["rule"], "label_name_reserved");
    assert_eq!(shown(client, "a{").len() + shown(client, "c{").len(), 2);
    // a, c and two of the three of the group's own are four series.
    let answer = client.send("POST", "/metrics/job/j", &TEXT, b"a 2\nd 4\n");
    assert!(answer.error(429).contains("line 2: "), "{}", answer.text());
    assert_eq!(answer.header("retry-after"), Some("60"));
    assert_eq!(shown(client, "a{"), ["a{job=\"j\"} 2"]);
    assert_eq!(shown(client, "d{"), [""; 0]);
}

#[test]
fn what_is_no_group_and_no_parameter() {
    let server = TestServer::start();
    let client = server.client();
    let refused = |path: &str, status| client.send("PUT", path, &TEXT, b"a 1\n").error(status);
    assert_eq!(
        refused("/metrics/job/a/b", 400),
        "a label without a value in \"/metrics/job/a/b\""
    );
    assert_eq!(
        refused("/metrics/job/a/__b/c", 400),
        "an improper label name in \"/metrics/job/a/__b/c\""
    );
    refused("/metrics/job/a?ttl=soon", 400);
    refused("/metrics/job/a?ttl=0s", 400);
    refused("/metrics/job/a?interval=2h", 400);
    let protobuf = [(
        "content-type",
        "application/vnd.google.protobuf; proto=other; encoding=text",
    )];
    let answer = client.send("PUT", "/metrics/job/a", &protobuf, b"");
    assert!(answer.error(415).contains("encoding=delimited"));
    assert_eq!(client.get_json("/v1/stats")["TotalSeries"], 0);
}

/// As Go's and Java's libraries push: `name`, `type` gauge, one metric with label and value.
#[test]
fn delimited_protobuf_and_gzip() {
    let server = TestServer::start();
    let client = server.client();
    let label = b"\x0a\x06\x0a\x01a\x12\x01b";
    let gauge = [b"\x12\x09\x09".as_slice(), &2.5f64.to_le_bytes()].concat();
    let metric = [label.as_slice(), &gauge].concat();
    let family = [
        b"\x0a\x01g\x18\x01\x22".as_slice(),
        &[metric.len() as u8],
        &metric,
    ]
    .concat();
    let body = [&[family.len() as u8], family.as_slice()].concat();
    let content_type = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    let answer = client.send(
        "POST",
        "/metrics/job/go",
        &[("content-type", content_type)],
        &body,
    );
    assert_eq!((answer.status, answer.text()), (200, ""));
    assert_eq!(stored(client, "g"), [(json!({"a": "b", "job": "go"}), 2.5)]);

    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, b"h 3\n").unwrap();
    let headers = [("content-encoding", "gzip")];
    let packed = packed.finish().unwrap();
    assert_eq!(
        client
            .send("POST", "/metrics/job/gz", &headers, &packed)
            .status,
        200
    );
    assert_eq!(stored(client, "h"), [(json!({"job": "gz"}), 3.0)]);
}

#[test]
fn a_creation_time_makes_the_first_increase_whole() {
    let server = TestServer::start();
    let client = server.client();
    let created = now_ms() / 1_000 - 60;
    let body = format!("# TYPE c counter\nc_total 5\nc_created {created}\n# EOF\n");
    let headers = [(
        "content-type",
        "application/openmetrics-text; version=1.0.0",
    )];
    let answer = client.send("PUT", "/metrics/job/j", &headers, body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let line = &client.get_json("/v1/query/range?metric=c_total")["data"][0]["points"];
    assert_eq!(line[0], json!({"t": created * 1_000, "v": 0}));
    assert_eq!(line[1]["v"], 5);
    assert_eq!(stored(client, "c_created"), []);
}

#[test]
fn i_group_1_groups_stay_over_a_restart_until_their_time_is_over() {
    let mut server = TestServer::start();
    let client = server.client();
    assert_eq!(send(client, "PUT", "/metrics/job/long", "a 1.5\n"), 200);
    assert_eq!(
        send(client, "PUT", "/metrics/job/short?ttl=1s", "a 2\n"),
        200
    );
    server.restart();
    let client = server.client();
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    assert_eq!(shown(client, "a{"), ["a{job=\"long\"} 1.5"]);
    // It was sampled again as soon as the server was there.
    let path = format!("/v1/query?match[]={}", escape("a{job=\"long\"}"));
    let rows = client.get_json(&path)["metrics"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!(rows[1]["value"], 1.5);
    assert_eq!(send(client, "DELETE", "/metrics/job/long", ""), 202);
    server.restart();
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(shown(server.client(), "a{"), [""; 0]);
}

#[test]
fn many_at_once_to_many_groups_are_all_kept() {
    let mut server = TestServer::start();
    let client = server.client();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            scope.spawn(move || {
                for i in 0..25 {
                    let path = format!("/metrics/job/w{writer}/i/{i}");
                    assert_eq!(send(client, "PUT", &path, &format!("a {i}\n")), 200);
                }
            });
        }
    });
    server.restart();
    let line = "tinyobs_pushed_groups 200";
    assert_eq!(shown(server.client(), "tinyobs_pushed_groups"), [line]);
}

#[test]
fn groups_are_listed_in_the_pushgateways_shape() {
    let server = TestServer::start();
    let client = server.client();
    let list = || client.get_json("/api/v1/metrics");
    assert_eq!(list(), json!({"status": "success", "data": []}));
    assert_eq!(
        send(
            client,
            "PUT",
            "/metrics/job/b",
            "# TYPE rows_total counter\nrows_total 3\n"
        ),
        200
    );
    assert_eq!(send(client, "PUT", "/metrics/job/a/x/y", "size 0.5\n"), 200);
    assert_eq!(
        send(client, "PUT", "/metrics/job/a/x/y", "size 1\nsize 2\n"),
        400
    );
    let data = list()["data"].clone();
    let labels = json!({"job": "a", "x": "y"});
    let groups = data.as_array().unwrap().iter();
    let groups: Vec<_> = groups
        .map(|one| (&one["labels"], &one["last_push_successful"]))
        .collect();
    assert_eq!(
        groups,
        [
            (&labels, &json!(false)),
            (&json!({"job": "b"}), &json!(true))
        ]
    );
    assert_eq!(data[1]["rows_total"]["type"], "COUNTER");
    let rows = json!([{"labels": {"job": "b"}, "value": "3"}]);
    assert_eq!(data[1]["rows_total"]["metrics"], rows);
    assert_eq!(
        data[0]["size"]["metrics"],
        json!([{"labels": labels, "value": "0.5"}])
    );
    let failed = data[0]["push_failure_time_seconds"]["metrics"][0]["value"].as_str();
    assert!((failed.unwrap().parse::<f64>().unwrap() - now_ms() as f64 / 1_000.0).abs() < 60.0);
    assert_eq!(send(client, "DELETE", "/metrics/job/b", ""), 202);
    assert_eq!(list()["data"].as_array().unwrap().len(), 1);
}
