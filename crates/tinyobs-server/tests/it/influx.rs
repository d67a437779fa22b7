//! InfluxDB's line protocol, both versions, as Telegraf sends it.

use serde_json::{Value, json};

use crate::pushgateway::{shown, stored};
use crate::server::{TestServer, now_ms};

#[test]
fn what_telegraf_writes_to_either_version() {
    let now = now_ms();
    for server in TestServer::both_engines() {
        let client = server.client();
        // First it makes its database.
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let made = client.send("POST", "/query", &form, b"q=CREATE+DATABASE+%22telegraf%22");
        assert_eq!(made.status, 200);
        assert_eq!(made.json(), json!({"results": [{"statement_id": 0}]}));
        let body = format!(
            "cpu,cpu=cpu0,host=my\\ host usage_idle=97.25,usage_user=2i,model=\"x, y\" {now}000000\n\
             system,host=h value=7u,up=true {now}999999\n"
        );
        let path = "/write?consistency=any&db=telegraf&rp=";
        let text = [("content-type", "text/plain; charset=utf-8")];
        let answer = client.send("POST", path, &text, body.as_bytes());
        assert_eq!((answer.status, answer.text()), (204, ""));
        let host = json!({"cpu": "cpu0", "host": "my host"});
        assert_eq!(stored(client, "cpu_usage_idle"), [(host.clone(), 97.25)]);
        assert_eq!(stored(client, "cpu_usage_user"), [(host, 2.0)]);
        assert_eq!(stored(client, "system"), [(json!({"host": "h"}), 7.0)]);
        assert_eq!(stored(client, "system_up"), [(json!({"host": "h"}), 1.0)]);
        let range = client.get_json("/v1/query/range?metric=system");
        assert_eq!(range["data"][0]["points"], json!([{"t": now, "v": 7}]));
        assert_eq!(
            shown(client, "tinyobs_ingest_text_fields_skipped_total"),
            ["tinyobs_ingest_text_fields_skipped_total 1"]
        );

        let path = "/api/v2/write?org=o&bucket=b&precision=s";
        let body = format!("mem free=1.5 {}\nmem used=2", now / 1_000);
        let token = [("authorization", "Token abc")];
        assert_eq!(
            client.send("POST", path, &token, body.as_bytes()).status,
            204
        );
        assert_eq!(stored(client, "mem_free"), [(json!({}), 1.5)]);
        assert_eq!(stored(client, "mem_used"), [(json!({}), 2.0)]);
    }
}

#[test]
fn i_influxin_1_good_lines_are_kept_and_the_answer_counts_the_others() {
    let server = TestServer::start();
    let client = server.client();
    let body = b"a f=1\nb f=one\nc f=3\nd\n";
    let answer = client.send("POST", "/write?db=d", &[], body);
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({"error": "partial write: line 2: \"one\" is no value of a field at column 5 \
            (value_not_a_number); line 4: fields are missing at column 2 (malformed) dropped=2"})
    );
    assert_eq!(stored(client, "a_f").len() + stored(client, "c_f").len(), 2);
    let answer = client.send("POST", "/api/v2/write?bucket=b", &[], b"d\n");
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({"code": "invalid", "line": 1, "message":
            "partial write: line 1: fields are missing at column 2 (malformed) dropped=1"})
    );
    let refused = client.get("/metrics");
    assert!(
        refused
            .text()
            .contains("tinyobs_ingest_items_refused_total{rule=\"malformed\"} 2\n")
    );
}

#[test]
fn i_influx_6_what_the_store_refuses_is_named_by_its_line() {
    let server = TestServer::with(|config| config.max_series = 2);
    let client = server.client();
    let late = now_ms() + 3_600_000;
    let body = format!("# a comment\na f=1\n\nb f=1 {late}000000\nc f=1\nd f=1\ne f=x\n");
    let answer = client.send("POST", "/api/v2/write?bucket=b", &[], body.as_bytes());
    assert_eq!(answer.status, 400);
    let answer = answer.json();
    assert_eq!(answer["line"], 4);
    let message = answer["message"].as_str().unwrap();
    let mut parts = message.split("; line ");
    let first = parts.next().unwrap();
    assert!(
        first.starts_with(&format!("partial write: line 4: time {late} lies "))
            && first.ends_with(" (time_in_future)"),
        "{message}"
    );
    let limit = parts.next().unwrap();
    assert!(
        limit.starts_with("6: metric \"d_f\" needs 1 new series")
            && limit.ends_with(" (series_limit)"),
        "{message}"
    );
    assert_eq!(
        parts.next(),
        Some("7: \"x\" is no value of a field at column 5 (value_not_a_number) dropped=3")
    );
    // No more are named than can be read, and all are counted.
    let body = "bad\n".repeat(20_000);
    let answer = client
        .send("POST", "/write?db=d", &[], body.as_bytes())
        .json();
    let message = answer["error"].as_str().unwrap();
    assert_eq!(message.matches("(malformed)").count(), 10);
    assert!(
        message.ends_with("; and 19990 more dropped=20000"),
        "{message}"
    );
    let counted = shown(client, "tinyobs_ingest_items_refused_total");
    let malformed = "tinyobs_ingest_items_refused_total{rule=\"malformed\"} 20000";
    assert!(counted.iter().any(|line| line == malformed), "{counted:?}");
}

#[test]
fn errors_have_the_shape_that_clients_read() {
    let server = TestServer::with(|config| config.max_series = 1);
    let client = server.client();
    let post = |path: &str| client.send("POST", path, &[], b"m f=1,g=2\n");
    let error = |path: &str| -> Value { post(path).json() };
    assert_eq!(
        error("/write?precision=d"),
        json!({"error": "precision \"d\" is none of n, ns, u, us, µ, µs, ms, s, m, h"})
    );
    assert_eq!(
        error("/api/v2/write?precision=m"),
        json!({"code": "invalid", "message": "precision \"m\" is none of ns, us, ms, s"})
    );
    assert!(
        error("/write?metrik=x")["error"]
            .as_str()
            .unwrap()
            .starts_with("unknown parameter")
    );
    client.push(r#"{"metrics":[{"name":"full","value":1}]}"#);
    let answer = post("/api/v2/write");
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), Some("60"));
    assert_eq!(answer.json()["code"], "too many requests");
    let asked = client.get("/query?q=SHOW%20DATABASES");
    assert_eq!(asked.status, 400);
    assert!(asked.json()["error"].as_str().unwrap().contains("InfluxQL"));
}

#[test]
fn what_clients_ask_first() {
    let server = TestServer::start();
    let client = server.client();
    let ping = client.get("/ping");
    assert_eq!((ping.status, ping.body.len()), (204, 0));
    assert!(
        ping.header("x-influxdb-version")
            .unwrap()
            .starts_with("1.8")
    );
    assert_eq!(client.send("HEAD", "/ping", &[], b"").status, 204);
    let health = client.get_json("/health");
    assert_eq!(
        (&health["status"], &health["checks"]),
        (&json!("pass"), &json!([]))
    );
    assert_eq!(
        client.get_json("/query?q=CREATE%20DATABASE%20t&db=t"),
        json!({"results": [{"statement_id": 0}]})
    );
}
