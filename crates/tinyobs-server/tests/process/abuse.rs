//! Bodies that mean harm: each gets its 4xx, memory stays bounded, and good items are stored.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tinyobs_testing::Server;
use tinyobs_testing::process::memory_bytes;

use super::start_in;

/// Far above what a healthy server takes, far below what any of the bodies would unfold to.
const MEMORY_MAX: u64 = 400 << 20;

#[test]
fn hostile_bodies_are_refused_and_memory_stays_bounded() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(&start_in(dir.path())).expect("starts");

    assert_eq!(post(&server, "", &vec![b' '; 100 << 20]), 413, "100 MiB");
    let bomb = gzip_of_zeros(1 << 30);
    let bombs: Vec<_> = (0..8)
        .map(|_| {
            let (url, bomb) = (server.url.clone(), bomb.clone());
            thread::spawn(move || post_to(&url, "Content-Encoding: gzip\r\n", &bomb))
        })
        .collect();
    for bomb in bombs {
        assert_eq!(bomb.join().expect("no panic"), 413, "gzip bomb");
    }
    let deep = [b"{\"metrics\":".as_slice(), &vec![b'['; 1_000_000]].concat();
    assert_eq!(post(&server, "", &deep), 400, "deep nesting");
    assert_eq!(
        post(&server, "", b"{\"metrics\":[{\"name\":\"m\",\"va"),
        400,
        "truncated"
    );
    assert_eq!(
        post(&server, "Content-Encoding: gzip\r\n", b"not gzip"),
        400,
        "not gzip"
    );

    let peak = memory_bytes(server.pid(), "VmHWM").expect("a figure");
    assert!(peak < MEMORY_MAX, "{} MiB at the highest", peak >> 20);
    assert_eq!(server.get_status("/readyz").expect("an answer"), 200);
}

#[test]
fn good_items_of_a_bad_batch_are_stored() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(&start_in(dir.path())).expect("starts");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_millis();
    let future = now + 11 * 60_000;
    let labels: Vec<String> = (0..65).map(|i| format!("\"l{i}\":\"v\"")).collect();
    let many = labels.join(",");
    let body = format!(
        r#"{{"metrics":[
            {{"name":"good","type":"gauge","value":1e-300,"timestamp":{now}}},
            {{"name":"","type":"gauge","value":1}},
            {{"name":"bad","type":"gauge","value":1,"labels":{{"":"x"}}}},
            {{"name":"bad","type":"gauge","value":"NaN"}},
            {{"name":"bad","type":"gauge","value":1,"timestamp":{future}}},
            {{"name":"bad","type":"gauge","value":1,"labels":{{{many}}}}},
            {{"name":"bad","type":"gauge","value":1,"labels":["a"]}},
            {{"name":"bad","type":"speed","value":1}},
            {{"name":"bad","type":"gauge","value":1,"timestamp":"yesterday"}},
            {{"name":"good","type":"gauge","value":2,"timestamp":{},"labels":{{"k":"v"}}}}
        ]}}"#,
        now - 1
    );
    let (status, answer) = server.ingest(&body).expect("an answer");
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["count"], 2);
    let errors = answer["errors"].as_array().expect("a list");
    let rules: Vec<(u64, &str)> = errors
        .iter()
        .map(|e| {
            (
                e["index"].as_u64().expect("a number"),
                e["rule"].as_str().expect("a rule"),
            )
        })
        .collect();
    let expected = [
        (1, "name_empty"),
        (2, "label_name_empty"),
        (3, "value_not_a_number"),
        (4, "time_in_future"),
        (5, "too_many_labels"),
        (6, "malformed"),
        (7, "type_unknown"),
        (8, "time_invalid"),
    ];
    assert_eq!(rules, expected);
    let stored = server.get("/v1/query?metric=good").expect("an answer");
    let values: Vec<f64> = stored["metrics"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["value"].as_f64().expect("a number"))
        .collect();
    assert_eq!(values, [1e-300, 2.0]);
    assert_eq!(
        server.get("/v1/query?metric=bad").expect("an answer")["count"],
        0
    );
}

fn gzip_of_zeros(bytes: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..bytes / zeros.len() {
        encoder.write_all(&zeros).expect("compresses");
    }
    encoder.finish().expect("compresses")
}

fn post(server: &Server, headers: &str, body: &[u8]) -> u16 {
    post_to(&server.url, headers, body)
}

/// A plain socket, so that the server may answer before it has read everything.
fn post_to(url: &str, headers: &str, body: &[u8]) -> u16 {
    let address = url.strip_prefix("http://").expect("an address");
    let mut socket = TcpStream::connect(address).expect("connects");
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a timeout");
    let head = format!(
        "POST /v1/ingest HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         {headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).expect("writes");
    // The rest may be refused half-way: the answer counts.
    let _ = socket.write_all(body);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no answer: {text:?}"))
}
