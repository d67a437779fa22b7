//! Every route of the table: its methods, its parameters, its neighbours.

use tinyobs_server::routes::{is_prometheus, paths};

use serde_json::json;

use crate::api::failure;
use crate::server::TestServer;

/// Where errors have OTLP's shape.
const OTLP: [&str; 4] = [
    "/v1/metrics",
    "/api/v1/otlp/v1/metrics",
    "/opentelemetry/v1/metrics",
    "/v1/logs",
];

#[test]
fn i_route_1_a_wrong_method_is_405_everywhere() {
    let server = TestServer::start();
    let client = server.client();
    assert!(paths().len() >= 23);
    for (path, allow) in paths() {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
        ] {
            if allow.split(',').any(|allowed| allowed == method) {
                continue;
            }
            let answer = client.send(method, path, &[], b"");
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some(*allow), "{method} {path}");
            let message = format!("{method} is not a method of this path");
            match *path {
                _ if method == "HEAD" => {}
                path if OTLP.contains(&path) => {
                    assert_eq!(answer.json(), json!({"code": 12, "message": message}));
                }
                "/write" | "/query" => assert_eq!(answer.json(), json!({"error": message})),
                "/api/v2/write" => {
                    let code = "method not allowed";
                    assert_eq!(answer.json(), json!({"code": code, "message": message}));
                }
                path if path.starts_with("/api/v1/") && is_prometheus(path) => {
                    assert_eq!(failure(&answer), (405, "bad_data".to_owned(), message));
                }
                _ => assert_eq!(answer.error(405), message),
            }
        }
    }
}

#[test]
fn i_param_1_an_unknown_parameter_is_400_everywhere() {
    let server = TestServer::start();
    let client = server.client();
    for (path, allow) in paths() {
        if matches!(*path, "/healthz" | "/readyz") {
            continue;
        }
        // Prometheus passes over what it does not know: tests/it/api.rs.
        if is_prometheus(path) {
            continue;
        }
        // InfluxDB's clients read errors in its shapes: tests/it/influx.rs.
        if matches!(*path, "/write" | "/api/v2/write" | "/query") {
            continue;
        }
        let method = allow.split(',').next().unwrap();
        let headers = [("content-type", "application/json")];
        let headers = if OTLP.contains(path) {
            &headers[..]
        } else {
            &[]
        };
        let answer = client.send(method, &format!("{path}?metrik=x"), headers, b"");
        let message = if OTLP.contains(path) {
            assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(3)));
            answer.json()["message"].as_str().unwrap().to_owned()
        } else {
            answer.error(400)
        };
        assert!(
            message.starts_with("unknown parameter \"metrik\"; known: "),
            "{path}: {message}"
        );
    }
}

#[test]
fn head_is_get_without_a_body() {
    let server = TestServer::start();
    let client = server.client();
    let mut queries = String::new();
    for (path, allow) in paths().iter().chain(&[("/", "GET,HEAD")]) {
        if !allow.contains("GET") {
            continue;
        }
        let path = match *path {
            "/v1/query/range" => "/v1/query/range?metric=m",
            "/query" => "/query?q=create%20database%20d",
            "/ping" => "/ping?verbose=true",
            "/federate" => "/federate?match[]=m",
            "/api/v1/export" => "/api/v1/export?match[]=m",
            "/api/v1/series" => "/api/v1/series?match[]=m",
            "/api/v1/query_range" => "/api/v1/query_range?query=m&start=1&end=2&step=1",
            "/v1/query/instant" => "/v1/query/instant?query=m",
            "/api/v1/query"
            | "/api/v1/query_exemplars"
            | "/api/v1/format_query"
            | "/api/v1/parse_query" => {
                queries.clear();
                queries.push_str(path);
                queries.push_str("?query=m");
                &queries
            }
            path => path,
        };
        let head = client.send("HEAD", path, &[], b"");
        let get = client.get(path);
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(get.status, 200, "{path}");
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "{path}"
        );
    }
}

#[test]
fn what_is_not_there_is_404() {
    let server = TestServer::start();
    let client = server.client();
    for path in [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/query/",
        "/V1/query",
        "//v1/stats",
    ] {
        for method in ["GET", "POST"] {
            client.send(method, path, &[], b"").error(404);
        }
    }
    // Where clients read Prometheus' errors they get such.
    for path in [
        "/api/v1/nothing",
        "/api/v1/query/",
        "/api/v1/status/nothing",
    ] {
        for method in ["GET", "POST"] {
            let (status, kind, message) = failure(&client.send(method, path, &[], b""));
            assert_eq!((status, kind.as_str()), (404, "not_found"));
            assert!(
                message.starts_with("there is nothing at this path"),
                "{message}"
            );
        }
    }
}
