//! What a web page of another site could try, and the headers that bind browsers.

use tinyobs_server::routes::paths;

use crate::server::TestServer;

/// Every combination of host, origin, method and content type; only ours get through.
#[test]
fn i_sec_1_and_2_the_whole_matrix() {
    let server = TestServer::with(|config| {
        config.allowed_hosts = vec!["obs.example.com".to_owned()];
    });
    let client = server.client();
    let port = client.0.port();
    let hosts = [
        (format!("127.0.0.1:{port}"), true),
        (format!("localhost:{port}"), true),
        (format!("shop.localhost:{port}"), true),
        (format!("[::1]:{port}"), true),
        ("obs.example.com".to_owned(), true),
        (format!("evil.com:{port}"), false),
        (format!("127.0.0.1.evil.com:{port}"), false),
        ("localhost.evil.com".to_owned(), false),
    ];
    let body = br#"{"metrics":[{"name":"m","value":1}]}"#;
    let mut cells = 0;
    let mut stored = 0;
    for (host, host_is_ours) in &hosts {
        let same = format!("http://{host}");
        let origins = [
            (None, true),
            (Some(same.as_str()), true),
            (Some("https://obs.example.com"), true),
            (Some("https://evil.com"), false),
            (Some("null"), false),
            (Some("http://localhost:3000"), false),
        ];
        for (origin, origin_is_ours) in origins {
            let mut headers = vec![("host", host.as_str())];
            headers.extend(origin.map(|origin| ("origin", origin)));
            let passes = *host_is_ours && origin_is_ours;
            for path in ["/", "/v1/stats", "/metrics", "/readyz", "/v1/query"] {
                let status = client.send("GET", path, &headers, b"").status;
                assert_eq!(status, if passes { 200 } else { 403 }, "{path} {headers:?}");
                cells += 1;
            }
            for content_type in ["application/json", "text/plain"] {
                let mut headers = headers.clone();
                headers.push(("content-type", content_type));
                let answer = client.send("POST", "/v1/ingest", &headers, body);
                let expected = match (passes, content_type) {
                    (false, _) => 403,
                    (true, "application/json") => 200,
                    (true, _) => 415,
                };
                assert_eq!(answer.status, expected, "{headers:?}");
                stored += u32::from(expected == 200);
                cells += 1;
            }
            let status = client.send("OPTIONS", "/v1/ingest", &headers, b"").status;
            assert_eq!(status, if passes { 405 } else { 403 }, "{headers:?}");
            cells += 1;
        }
    }
    assert!(cells >= 300, "{cells}");
    let counted = client.get("/metrics");
    let line = format!("\ntinyobs_ingest_samples_stored_total {stored}\n");
    assert!(counted.text().contains(&line), "{line}");
}

#[test]
fn refusals_say_why() {
    let server = TestServer::start();
    let client = server.client();
    let send = |headers: &[(&str, &str)]| client.send("GET", "/v1/stats", headers, b"");
    assert_eq!(
        send(&[("host", "evil.com")]).error(403),
        "this server does not answer for host \"evil.com\"; --allowed-hosts adds it"
    );
    assert_eq!(
        send(&[("origin", "https://evil.com")]).error(403),
        "requests from pages of \"https://evil.com\" are refused"
    );
    assert_eq!(
        send(&[("host", "")]).error(400),
        "the header `host` is malformed"
    );
}

#[test]
fn i_sec_3_every_answer_has_the_headers() {
    let server = TestServer::start();
    let client = server.client();
    let mut paths: Vec<&str> = paths().iter().map(|(path, _)| *path).collect();
    paths.extend(["/", "/nothing", "/v1/nothing", "/v1/query?bad=1"]);
    for path in paths {
        for method in ["GET", "POST", "DELETE"] {
            for host in ["127.0.0.1", "evil.com"] {
                let answer = client.send(method, path, &[("host", host)], b"");
                let policy = answer.header("content-security-policy").unwrap();
                assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
                assert!(!policy.contains("unsafe"), "{policy}");
                for (name, value) in [
                    ("x-content-type-options", "nosniff"),
                    ("x-frame-options", "DENY"),
                    ("referrer-policy", "no-referrer"),
                    ("cross-origin-resource-policy", "same-origin"),
                    ("cross-origin-opener-policy", "same-origin"),
                ] {
                    assert_eq!(answer.header(name), Some(value), "{method} {path}");
                }
                assert_eq!(answer.header("access-control-allow-origin"), None);
            }
        }
    }
}
