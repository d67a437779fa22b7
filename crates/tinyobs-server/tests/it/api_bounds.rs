//! Prometheus' HTTP API: what a query may take, and who waits for whom.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::api::{T, failure, push, server};
use crate::client::{Answer, Client, head};
use crate::ingest::gzip;
use crate::server::{TestServer, escape};

/// Minutes of work: 720,000 windows of 3,600 values each.
const DEATH: &str = "sum_over_time(max_over_time(vector(time())[1h:1s])[200h:1s])";
/// Looks like much work, and is soon done.
const HEAVY: &str = "count_over_time(vector(1)[900000s:1s]) + count_over_time(vector(1)[9s:1s]) * \
                     count_over_time(vector(1)[900000s:1s])";

fn query(client: Client, query: &str, more: &str) -> Answer {
    client.get(&format!("/api/v1/query?query={}{more}", escape(query)))
}

#[test]
fn a_query_ends_when_its_time_is_over() {
    let server = TestServer::start();
    let begun = Instant::now();
    let answer = query(server.client(), DEATH, "&timeout=200ms");
    let (status, kind, message) = failure(&answer);
    assert_eq!((status, kind.as_str()), (503, "timeout"));
    assert_eq!(
        message,
        "the query took longer than it may, ask for less time or fewer series"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn too_many_moments_are_a_422_and_too_many_parentheses_a_400() {
    let server = TestServer::start();
    let answer = query(server.client(), "count_over_time(vector(1)[30d:1s])", "");
    assert_eq!(failure(&answer).0, 422);
    let deep = "(".repeat(300) + "1" + &")".repeat(300);
    assert_eq!(failure(&query(server.client(), &deep, "")).1, "bad_data");
}

#[test]
fn i_lanes_4_a_light_query_does_not_wait_for_queries_of_death() {
    let server = server();
    let client = server.client();
    let deaths: Vec<_> = (0..40)
        .map(|_| std::thread::spawn(move || query(client, DEATH, "&timeout=6s")))
        .collect();
    // Until they are all in.
    std::thread::sleep(Duration::from_secs(1));
    let light = "sum by (code) (rate(requests_total[1m]))";
    for _ in 0..20 {
        let begun = Instant::now();
        let answer = query(client, light, &format!("&time={}&stats=all", T + 300));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let stats = &answer.json()["data"]["stats"];
        assert_eq!(stats["tinyobs"]["heavy"], false);
        let waited = stats["timings"]["execQueueTime"].as_f64().unwrap();
        assert!(waited < 0.5, "waited {waited} s");
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
    }
    let (mut late, mut refused) = (0, 0);
    for death in deaths {
        let answer = death.join().unwrap();
        match failure(&answer).1.as_str() {
            "timeout" => late += 1,
            "unavailable" => {
                assert_eq!(answer.header("retry-after"), Some("1"));
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    // Those that had a place, and a queue of sixteen.
    assert!((17..=20).contains(&late), "{late} {refused}");
    assert_eq!(late + refused, 40);
}

#[test]
fn a_client_that_leaves_makes_room() {
    let server = TestServer::start();
    let client = server.client();
    let left: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = client.connect();
            let path = format!("/api/v1/query?query={}", escape(DEATH));
            let head = head(client.0, "GET", &path, &[], None);
            stream.write_all(&head).unwrap();
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    drop(left);
    let begun = Instant::now();
    let answer = query(client, HEAVY, "&stats=all");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["data"]["result"][0]["value"][1], "9000000");
    assert_eq!(answer["data"]["stats"]["tinyobs"]["heavy"], true);
    // Eight of them would have taken their 25 seconds each.
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn i_write_3_a_very_large_answer_is_sent_while_it_is_written() {
    let server = server();
    let client = server.client();
    let items: Vec<_> = (0..30)
        .map(|i| json!({"name": "many", "value": i, "labels": {"i": format!("{i:02}")}, "timestamp": T * 1_000}))
        .collect();
    push(client, &items);
    let path = format!(
        "/api/v1/query_range?query=many&start={T}&end={}&step=0.01",
        T + 110
    );
    let answer = client.get(&path);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    let json = answer.json();
    let series = json["data"]["result"].as_array().unwrap();
    assert_eq!(series.len(), 30);
    for (i, one) in series.iter().enumerate() {
        let values = one["values"].as_array().unwrap();
        assert_eq!(values.len(), 11_001);
        assert_eq!(values[11_000], json!([T + 110, i.to_string()]));
    }
}

#[test]
fn i_form_2_forms_are_small() {
    let server = TestServer::start();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let body = vec![b'a'; (1 << 20) + 1];
    let answer = server
        .client()
        .send("POST", "/api/v1/query", &headers, &body);
    assert_eq!(failure(&answer).0, 400);
    let long = format!("query={}", "1+".repeat(40_000));
    let answer = server
        .client()
        .send("POST", "/api/v1/query", &headers, long.as_bytes());
    let (status, _, message) = failure(&answer);
    assert_eq!(status, 400);
    assert!(message.contains("longer than 65536 bytes"), "{message}");
}

#[test]
fn i_form_2_a_form_may_be_packed() {
    let server = TestServer::start();
    let sent = |encoding: &str, body: &[u8]| {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("content-encoding", encoding),
        ];
        let client = server.client();
        client.send("POST", "/api/v1/query", &headers, body)
    };
    let answer = sent("gzip", &gzip(b"query=1%2B2&time=7"));
    assert_eq!(
        answer.text().trim_end(),
        r#"{"status":"success","data":{"resultType":"scalar","result":[7,"3"]}}"#
    );
    for (encoding, body, message) in [
        ("gzip", b"query=1".to_vec(), "body is not valid gzip: "),
        (
            "gzip",
            gzip(&vec![b'a'; (1 << 20) + 1]),
            "body unfolds to more than 1048576 bytes",
        ),
        (
            "br",
            b"query=1".to_vec(),
            "content-encoding \"br\" is not taken here; it may be gzip, zstd, snappy, identity",
        ),
    ] {
        let (status, kind, found) = failure(&sent(encoding, &body));
        assert_eq!((status, kind.as_str()), (400, "bad_data"));
        assert!(found.starts_with(message), "{found}");
    }
}
