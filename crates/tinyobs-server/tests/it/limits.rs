//! Bodies that are too large, too slow or too clever.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::cli::Process;
use crate::client::{Client, head, read_answer};
use crate::server::{TestServer, escape};

const JSON: (&str, &str) = ("content-type", "application/json");
const TOO_LARGE: &str = "body has more than 33554432 bytes";

/// Unfolds to 1 GiB.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..1_024 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn i_body_1_a_declared_giant_is_refused_before_it_is_sent() {
    let server = TestServer::start();
    let client = server.client();
    let mut stream = client.connect();
    let headers = [JSON, ("expect", "100-continue")];
    let head = head(client.0, "POST", "/v1/ingest", &headers, Some(100 << 20));
    stream.write_all(&head).unwrap();
    // Not a byte of the body was sent, nor asked for.
    assert_eq!(read_answer(&mut stream).error(413), TOO_LARGE);
}

#[test]
fn i_body_1_an_undeclared_giant_is_refused_on_its_way() {
    let server = TestServer::start();
    let client = server.client();
    let mut stream = client.connect();
    let headers = [JSON, ("transfer-encoding", "chunked")];
    let head = head(client.0, "POST", "/v1/ingest", &headers, None);
    stream.write_all(&head).unwrap();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    for _ in 0..33 {
        stream.write_all(&chunk).unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(read_answer(&mut stream).error(413), TOO_LARGE);
}

/// A client that sends everything before it looks at the answer.
#[test]
fn i_rest_1_what_is_refused_before_it_is_read_is_told_why() {
    let server = TestServer::start();
    let client = server.client();
    let body = vec![b' '; 24 << 20];
    let packed = ("content-encoding", "br");
    let no_brotli = "content-encoding \"br\" is not taken here; it may be gzip, zstd, identity";
    let cases = [
        ("/v1/import", packed, 415, no_brotli),
        ("/v1/ingest?x=1", JSON, 400, "unknown parameter \"x\""),
        ("/v1/nothing", JSON, 404, "there is nothing at this path"),
        ("/v1/stats", JSON, 405, "POST is not a method of this path"),
    ];
    for (path, header, status, told) in cases {
        let mut stream = client.connect();
        let head = head(client.0, "POST", path, &[header], Some(body.len()));
        stream.write_all(&head).unwrap();
        stream.write_all(&body).unwrap();
        let error = read_answer(&mut stream).error(status);
        assert!(error.contains(told), "{path}: {error}");
    }
}

/// Longer than the next piece of a body is waited for, but never silent.
#[test]
fn i_rest_1_a_slow_sender_is_told_as_well() {
    let server = TestServer::start();
    let client = server.client();
    let piece = vec![b' '; 1 << 20];
    let mut stream = client.connect();
    let head = head(
        client.0,
        "POST",
        "/v1/nothing",
        &[JSON],
        Some(14 * piece.len()),
    );
    stream.write_all(&head).unwrap();
    for _ in 0..14 {
        stream.write_all(&piece).unwrap();
        std::thread::sleep(Duration::from_millis(500));
    }
    let error = read_answer(&mut stream).error(404);
    assert!(error.contains("there is nothing at this path"), "{error}");
}

#[test]
fn i_head_1_a_head_is_as_large_as_the_limits_say() {
    let server = TestServer::start();
    let client = server.client();
    let ask = |head: String| {
        let mut stream = client.connect();
        // Whoever refuses a head may not read all of it.
        let _ = stream.write_all(head.as_bytes());
        read_answer(&mut stream)
    };
    let limit = |name: &str| {
        let limits = client.get_json("/v1/limits");
        let limits = limits["limits"].as_array().unwrap().clone();
        let found = limits.iter().find(|limit| limit["name"] == name);
        found.unwrap()["value"].as_u64().unwrap() as usize
    };
    let (bytes, fields) = (limit("head_bytes"), limit("head_fields"));
    let host = format!("host: {}\r\n", client.0);
    let padded = |bytes: usize| {
        let head = |pad: &str| format!("GET /healthz HTTP/1.1\r\n{host}x-pad: {pad}\r\n\r\n");
        head(&"x".repeat(bytes - head("").len()))
    };
    assert_eq!(ask(padded(bytes)).status, 200);
    let message = ask(padded(bytes + 1)).error(431);
    assert_eq!(message, "the request's head has more than 65536 bytes");
    assert_eq!(ask(padded(2 * bytes)).status, 431);
    let many = |fields: usize| {
        let more: Vec<String> = (1..fields).map(|i| format!("x-{i}: 1\r\n")).collect();
        let more = more.concat();
        format!("GET /healthz HTTP/1.1\r\n{host}{more}\r\n")
    };
    assert_eq!(ask(many(fields)).status, 200);
    assert_eq!(ask(many(fields + 1)).status, 431);
}

#[test]
fn the_largest_body_is_taken() {
    let server = TestServer::start();
    let client = server.client();
    let mut body = br#"{"metrics":[{"name":"m","value":1}]}"#.to_vec();
    body.resize(32 << 20, b' ');
    let answer = client.send("POST", "/v1/ingest", &[JSON], &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    body.push(b' ');
    assert_eq!(
        client.send("POST", "/v1/ingest", &[JSON], &body).error(413),
        TOO_LARGE
    );
}

/// The whole program, so that its memory can be measured.
#[test]
fn giants_and_bombs_take_no_memory() {
    let mut process = Process::serve(&[]);
    let client = process.client();
    let bomb = bomb();
    assert!(bomb.len() < 2 << 20);
    let before = process.peak_memory_bytes();
    let threads: Vec<_> = (0..64)
        .map(|i| {
            let bomb = bomb.clone();
            std::thread::spawn(move || {
                let packed = [JSON, ("content-encoding", "gzip")];
                if i % 8 == 0 {
                    let giant = vec![b' '; 100 << 20];
                    return client.send("POST", "/v1/ingest", &[JSON], &giant).status;
                }
                client.send("POST", "/v1/ingest", &packed, &bomb).status
            })
        })
        .collect();
    for thread in threads {
        let status = thread.join().unwrap();
        assert!(matches!(status, 413 | 503), "{status}");
    }
    let grown = process.peak_memory_bytes() - before;
    // The budget for all bodies together, and little beside it.
    assert!(grown < 320 << 20, "{} MiB", grown >> 20);
    assert_eq!(
        client
            .push(r#"{"metrics":[{"name":"m","value":1}]}"#)
            .status,
        200
    );
}

/// Memory of what a small body unfolds to as rows is bounded too.
#[test]
fn histograms_with_heavy_labels_take_no_memory() {
    let mut process = Process::serve(&[]);
    let client = process.client();
    let before = process.peak_memory_bytes();
    let labels: Vec<String> = (0..60)
        .map(|i| format!("\"l{i}\":\"{}\"", "v".repeat(4_000)))
        .collect();
    let buckets: Vec<String> = (0..499).map(|i| format!("[{i},0]")).collect();
    let item = format!(
        "{{\"name\":\"h\",\"labels\":{{{}}},\"buckets\":[{}],\"sum\":0,\"count\":0}}",
        labels.join(","),
        buckets.join(",")
    );
    let body = format!("{{\"metrics\":[{}]}}", vec![item; 100].join(","));
    let answer = client.push(&body);
    answer.error(400);
    assert_eq!(answer.json()["errors"][0]["rule"], "batch_too_large");
    let grown = process.peak_memory_bytes() - before;
    assert!(grown < 128 << 20, "{} MiB", grown >> 20);
}

#[test]
fn what_is_no_request_is_told_so_in_the_shape_of_all_errors() {
    let server = TestServer::start();
    let client = server.client();
    let answered = |head: &str| {
        let mut stream = client.connect();
        stream.write_all(head.as_bytes()).unwrap();
        read_answer(&mut stream)
    };
    let bad = answered("this is no request\r\n\r\n");
    assert!(bad.error(400).contains("cannot be read"));
    let long = format!(
        "GET /v1/query?metric={} HTTP/1.1\r\n\r\n",
        "x".repeat(65_535)
    );
    let answer = answered(&long);
    let status = answer.status;
    assert!(status == 414 || status == 431, "{status}");
    assert!(!answer.json()["message"].as_str().unwrap().is_empty());
    let many = "x: y\r\n".repeat(200);
    let answer = answered(&format!("GET / HTTP/1.1\r\n{many}\r\n"));
    assert_eq!(answer.status, 431);
    assert_eq!(answer.json()["error"], "Request Header Fields Too Large");
}

#[test]
fn i_conn_1_silent_peers_are_let_go() {
    let server = TestServer::start();
    let client = server.client();
    let began = Instant::now();
    let mut idle = client.connect();
    let mut half_a_head = client.connect();
    half_a_head
        .write_all(b"GET /v1/stats HTTP/1.1\r\nhost: l")
        .unwrap();
    let mut half_a_body = client.connect();
    let head = head(client.0, "POST", "/v1/ingest", &[JSON], Some(100));
    half_a_body.write_all(&head).unwrap();
    half_a_body.write_all(b"{").unwrap();
    assert_eq!(
        read_answer(&mut half_a_body).error(408),
        "nothing of the body came for 10 seconds"
    );
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
    half_a_head.read_to_end(&mut rest).unwrap();
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(9) && took < Duration::from_secs(25),
        "{took:?}"
    );
    // Nothing of the budget is lost.
    assert_eq!(
        client
            .push(r#"{"metrics":[{"name":"m","value":1}]}"#)
            .status,
        200
    );
}

#[test]
fn a_head_that_never_ends_is_refused() {
    let server = TestServer::start();
    let client = server.client();
    let mut stream = client.connect();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ")
        .unwrap();
    let part = vec![b'x'; 16 << 10];
    // At some point nobody listens any more.
    let written = (0..1_000)
        .take_while(|_| stream.write_all(&part).is_ok())
        .count();
    assert!(written < 1_000);
}

/// The path of a query with `count` regular expressions.
fn query_of(count: usize, regex: &str) -> String {
    let conditions: Vec<String> = (0..count).map(|i| format!("l{i}=~`{regex}`")).collect();
    let selector = format!("{{{}}}", conditions.join(","));
    format!("/v1/query/range?match[]={}", escape(&selector))
}

/// Sends `path` four times at once, more than there are workers, and sees that the server answers
/// others meanwhile. Returns the answers' statuses and messages.
fn four_at_once(client: Client, path: &str) -> Vec<(u16, String)> {
    let asked: Vec<_> = (0..4)
        .map(|_| {
            let path = path.to_owned();
            std::thread::spawn(move || client.get(&path))
        })
        .collect();
    std::thread::sleep(Duration::from_millis(20));
    while asked.iter().any(|one| !one.is_finished()) {
        let began = Instant::now();
        assert_eq!(client.get("/healthz").text(), "ok\n");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(1), "healthz took {took:?}");
    }
    let answers = asked.into_iter().map(|one| one.join().unwrap());
    answers.map(|a| (a.status, a.text().to_owned())).collect()
}

#[test]
fn i_limit_1_regexes_are_counted_before_any_is_compiled() {
    let server = TestServer::start();
    let client = server.client();
    let path = query_of(800, r"\w{8}");
    let began = Instant::now();
    let answers = four_at_once(client, &path);
    let took = began.elapsed();
    for (status, text) in answers {
        assert_eq!(status, 400, "{text}");
        assert!(text.contains("more than 256 matchers"), "{text}");
    }
    assert!(took < Duration::from_secs(2), "{took:?}");
    let message = client.get(&query_of(33, "a")).error(400);
    assert_eq!(
        message,
        "parameter \"match[]\": the request has more than 32 regular expressions"
    );
}

#[test]
fn the_most_regexes_allowed_hold_up_nobody_else() {
    let server = TestServer::start();
    let client = server.client();
    for (status, text) in four_at_once(client, &query_of(32, r"\w{4}")) {
        assert_eq!((status, text.as_str()), (200, "{\"data\":[]}\n"));
    }
}
