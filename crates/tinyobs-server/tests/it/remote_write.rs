//! Remote write as senders see it: what is stored, and what the status tells them to do.

use serde_json::json;

use crate::client::{Answer, Client};
use crate::server::{TestServer, now_ms};

const ONE: &str = "application/x-protobuf";
const TWO: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    varint(&mut bytes, content.len() as u64);
    bytes.extend_from_slice(content);
    bytes
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn label(name: &str, value: &str) -> Vec<u8> {
    field(
        1,
        &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat(),
    )
}

fn sample(time_ms: i64, value: f64) -> Vec<u8> {
    let mut bytes = vec![1 << 3 | 1];
    bytes.extend(value.to_bits().to_le_bytes());
    bytes.push(2 << 3);
    varint(&mut bytes, time_ms as u64);
    field(2, &bytes)
}

fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> Vec<u8> {
    let labels = labels.iter().flat_map(|(name, value)| label(name, value));
    let samples = samples
        .iter()
        .flat_map(|(time, value)| sample(*time, *value));
    field(1, &labels.chain(samples).collect::<Vec<u8>>())
}

fn write(client: Client, content_type: &str, body: &[u8]) -> Answer {
    let packed = snap::raw::Encoder::new().compress_vec(body).unwrap();
    let headers = [
        ("content-type", content_type),
        ("content-encoding", "snappy"),
    ];
    client.send("POST", "/api/v1/write", &headers, &packed)
}

fn values(client: Client, name: &str) -> Vec<f64> {
    let found = client.get_json(&format!("/v1/query?metric={name}"));
    let rows = found["metrics"].as_array().unwrap();
    rows.iter()
        .map(|row| row["value"].as_f64().unwrap())
        .collect()
}

#[test]
fn what_is_written_can_be_read_and_a_repeat_adds_nothing() {
    let server = TestServer::start();
    let client = server.client();
    let now = now_ms();
    let labels = [("__name__", "up"), ("instance", "a:1"), ("job", "x")];
    let body = series(&labels, &[(now - 2_000, 1.0), (now - 1_000, 0.5)]);
    for _ in 0..2 {
        let answer = write(client, ONE, &body);
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        assert_eq!(
            answer.header("x-prometheus-remote-write-samples-written"),
            Some("2")
        );
    }
    assert_eq!(values(client, "up"), [1.0, 0.5]);
    let found = client.get_json("/v1/query?metric=up&limit=1");
    assert_eq!(
        found["metrics"][0]["labels"],
        json!({"instance": "a:1", "job": "x"})
    );
    // The same series by another way in, and with its labels in another order.
    let shuffled = [("job", "x"), ("__name__", "up"), ("instance", "a:1")];
    let answer = write(client, ONE, &series(&shuffled, &[(now, 2.0)]));
    assert_eq!(answer.status, 204);
    let json = format!(
        r#"{{"metrics":[{{"name":"up","value":3,"labels":{{"job":"x","instance":"a:1"}},"timestamp":{}}}]}}"#,
        now + 1
    );
    assert_eq!(client.push(&json).status, 200);
    assert_eq!(values(client, "up"), [1.0, 0.5, 2.0, 3.0]);
    assert_eq!(client.get_json("/v1/stats")["TotalSeries"], 1);
}

#[test]
fn i_rwrite_1_what_is_wrong_is_400_and_the_good_series_are_stored() {
    let server = TestServer::start();
    let client = server.client();
    let now = now_ms();
    let body = [
        series(&[("a", "1")], &[(now, 1.0)]),
        series(&[("__name__", "good")], &[(now, 2.0)]),
        series(&[("__name__", "late")], &[(now + 3_600_000, 1.0)]),
    ];
    let answer = write(client, ONE, &body.concat());
    assert_eq!(answer.status, 400);
    // I-RWRITE-2.
    assert_eq!(
        answer.header("x-prometheus-remote-write-samples-written"),
        Some("1")
    );
    let errors = answer.json()["errors"].clone();
    assert_eq!(
        (&errors[0]["index"], &errors[0]["rule"]),
        (&json!(0), &json!("name_empty"))
    );
    assert_eq!(
        (&errors[1]["index"], &errors[1]["rule"]),
        (&json!(2), &json!("time_in_future"))
    );
    assert_eq!(values(client, "good"), [2.0]);

    assert_eq!(write(client, ONE, b"\x0a\xff").status, 400);
    let no_snappy = [("content-type", ONE), ("content-encoding", "snappy")];
    let answer = client.send("POST", "/api/v1/write", &no_snappy, b"\x01");
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("not valid snappy"),
        "{}",
        answer.text()
    );
    for other in ["application/json", "application/x-protobuf;proto=x.Y"] {
        assert_eq!(write(client, other, &body[1]).status, 415, "{other}");
    }
}

/// The same series in the second version: symbols, then their references and samples.
fn second(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> Vec<u8> {
    let symbols = labels.iter().flat_map(|(name, value)| [*name, *value]);
    let mut body = field(4, b"");
    body.extend(symbols.flat_map(|symbol| field(4, symbol.as_bytes())));
    let refs: Vec<u8> = (1..=2 * labels.len() as u8).collect();
    let samples = samples.iter().flat_map(|(at, value)| sample(*at, *value));
    let parts = field(1, &refs).into_iter().chain(samples);
    body.extend(field(5, &parts.collect::<Vec<u8>>()));
    body
}

#[test]
fn i_write_6_a_sample_out_of_time_costs_only_itself() {
    const HOUR_MS: i64 = 3_600_000;
    for server in TestServer::both_engines() {
        let client = server.client();
        let now = now_ms();
        let samples = [
            (1_000, 1.0),
            (now - 3_000, 2.0),
            (now + HOUR_MS, 3.0),
            (now - 2_000, 4.0),
            (now + HOUR_MS, 5.0),
            (now - 1_000, 6.0),
        ];
        let named = |name| [("__name__", name), ("job", "x")];
        let bodies = [
            (ONE, "one", series(&named("one"), &samples)),
            (TWO, "two", second(&named("two"), &samples)),
        ];
        for (version, name, body) in bodies {
            let answer = write(client, version, &body);
            assert_eq!(values(client, name), [2.0, 4.0, 6.0]);
            let message = answer.error(400);
            assert!(
                message.starts_with(
                    "of 1 of 1 series all or some samples were refused, 3 samples were stored; the \
                     first, series 0: sample 0: time 1000 lies before "
                ) && message.ends_with("(time_expired)"),
                "{message}"
            );
            assert_eq!(
                answer.header("x-prometheus-remote-write-samples-written"),
                Some("3")
            );
            let errors = answer.json()["errors"].clone();
            let rules: Vec<_> = errors.as_array().unwrap().iter().collect();
            assert_eq!(rules.len(), 2);
            assert_eq!(
                (&rules[1]["index"], &rules[1]["rule"]),
                (&json!(0), &json!("time_in_future"))
            );
            let late = rules[1]["message"].as_str().unwrap();
            assert!(late.starts_with("sample 2, and 1 more: time "), "{late}");
        }
    }
}

#[test]
fn i_write_6_a_bad_series_is_named_once_however_many_samples_it_has() {
    let server = TestServer::with(|config| config.max_series = 1);
    let client = server.client();
    let now = now_ms();
    let samples = [(now + 3_600_000, 1.0), (now - 2, 2.0), (now - 1, 3.0)];
    let body = [
        series(&[("a", "1")], &samples),
        series(&[("__name__", "good")], &samples),
        series(&[("__name__", "over")], &samples[1..]),
    ];
    let answer = write(client, ONE, &body.concat());
    let rules: Vec<_> = answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["index"].clone(),
                one["rule"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let expected = [
        (0, "name_empty"),
        (0, "time_in_future"),
        (1, "time_in_future"),
        (2, "series_limit"),
    ];
    assert_eq!(
        rules,
        expected.map(|(index, rule)| (json!(index), rule.to_owned()))
    );
    assert_eq!(values(client, "good"), [2.0, 3.0]);
    let text = client.get("/metrics/self");
    for (rule, count) in [
        ("time_in_future", 2),
        ("series_limit", 1),
        ("name_empty", 1),
    ] {
        let line = format!("tinyobs_ingest_items_refused_total{{rule=\"{rule}\"}} {count}\n");
        assert!(text.text().contains(&line), "{}", text.text());
    }
}

#[test]
fn too_many_series_are_named() {
    let server = TestServer::with(|config| config.max_series = 2);
    let client = server.client();
    let now = now_ms();
    let body: Vec<u8> = ["1", "2", "3"]
        .iter()
        .flat_map(|id| series(&[("__name__", "m"), ("id", id)], &[(now, 1.0)]))
        .collect();
    let answer = write(client, ONE, &body);
    assert_eq!(answer.status, 400);
    let message = answer.error(400);
    assert!(
        message.contains(r#"its label "id" has 2 values already"#),
        "{message}"
    );
    assert_eq!(values(client, "m"), [1.0, 1.0]);
}

#[test]
fn descriptions_come_in_requests_of_their_own() {
    let server = TestServer::start();
    let client = server.client();
    let body = series(&[("__name__", "c_total")], &[(now_ms(), 1.0)]);
    assert_eq!(write(client, ONE, &body).status, 204);
    // As Prometheus sends them: without a single sample.
    let mut kind = vec![1 << 3, 1];
    kind.extend(field(2, b"c_total"));
    kind.extend(field(4, b"how many"));
    assert_eq!(write(client, ONE, &field(3, &kind)).status, 204);
    let details = client.get_json("/v1/metrics/list")["details"][0].clone();
    assert_eq!(
        (&details["type"], &details["help"]),
        (&json!("counter"), &json!("how many"))
    );
}

#[test]
fn the_second_version_brings_kind_help_and_start() {
    let server = TestServer::start();
    let client = server.client();
    let now = now_ms();
    let symbols = ["", "__name__", "c_total", "how many"];
    let mut body: Vec<u8> = symbols
        .iter()
        .flat_map(|s| field(4, s.as_bytes()))
        .collect();
    let mut created = vec![6 << 3];
    varint(&mut created, (now - 5_000) as u64);
    let parts = [
        field(1, &[1, 2]),
        sample(now, 3.0),
        field(5, &[1 << 3, 1, 3 << 3, 3]),
        created,
    ];
    body.extend(field(5, &parts.concat()));
    let answer = write(client, TWO, &body);
    assert_eq!(answer.status, 204, "{}", answer.text());
    // It was 0 when it began.
    assert_eq!(values(client, "c_total"), [0.0, 3.0]);
    let details = client.get_json("/v1/metrics/list")["details"][0].clone();
    assert_eq!(
        (&details["type"], &details["help"]),
        (&json!("counter"), &json!("how many"))
    );
}

#[test]
fn i_write_2_a_series_that_refers_to_nothing_leaves_its_neighbours_alone() {
    let server = TestServer::start();
    let client = server.client();
    let now = now_ms();
    let good = second(&[("__name__", "good")], &[(now, 2.0), (now + 1, 3.0)]);
    // Its label's value is string 200, and there is none of that number.
    let bad = field(5, &[field(1, &[1, 200, 1]), sample(now, 1.0)].concat());
    let answer = write(client, TWO, &[good, bad].concat());
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["errors"][0]["index"], 1);
    assert_eq!(answer.json()["errors"][0]["rule"], "malformed");
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("series 1: string 200 is referred to, of "),
        "{message}"
    );
    assert_eq!(
        answer.header("x-prometheus-remote-write-samples-written"),
        Some("2")
    );
    assert_eq!(values(client, "good"), [2.0, 3.0]);
}
