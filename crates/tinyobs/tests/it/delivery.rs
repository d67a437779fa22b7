//! Splitting, retries, refusals, a server that comes and goes.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tinyobs::Client;

use crate::server::{Reply, Request, Server, client_of, nobody};

const SECONDS: Duration = Duration::from_secs(8);

#[test]
fn i_push_3_requests_are_split_by_items_and_all_of_the_last_are_marked() {
    let server = Server::start();
    let client = server.client().series_per_metric(100_000).start().unwrap();
    for i in 0..25_000 {
        client.gauge("g", &[("i", &i.to_string())]).set(i);
    }
    let report = client.stop(SECONDS);
    // A push on time may have come between.
    let mut requests = server.requests();
    requests.retain(Request::is_final);
    assert!(requests.len() >= 3, "{} requests", requests.len());
    for request in &requests {
        assert!(request.items().len() <= 10_000);
        assert!(request.bytes < 1 << 20, "{} bytes", request.bytes);
        assert_eq!(
            request.items()[0]["timestamp"],
            requests[0].items()[0]["timestamp"]
        );
    }
    let items = requests.iter().flat_map(Request::items);
    let values: Vec<u64> = items.map(|item| item["value"].as_u64().unwrap()).collect();
    let distinct: HashSet<&u64> = values.iter().collect();
    assert_eq!((values.len(), distinct.len()), (25_000, 25_000));
    assert_eq!(report.series_delivered, 25_000);
    assert_eq!(report.requests, requests.len() as u64);
}

#[test]
fn requests_are_split_by_bytes() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let long = "x".repeat(4_000);
    for i in 0..1_000 {
        client.gauge("g", &[("i", &format!("{i}{long}"))]).set(i);
    }
    client.stop(SECONDS);
    let mut requests = server.requests();
    requests.retain(Request::is_final);
    assert_eq!(requests.len(), 6);
    assert!(requests.iter().all(|request| request.bytes < 1 << 20));
    let items: usize = requests.iter().map(|request| request.items().len()).sum();
    assert_eq!(items, 1_000);
}

#[test]
fn retry_after_is_waited_for() {
    let server = Server::with(|number, _| match number {
        0 => Reply::Status(503, "Retry-After: 1\r\n", String::new()),
        _ => Reply::Stored,
    });
    let client = server.client().start().unwrap();
    client.counter("c", &[]).add(7);
    let report = client.flush(SECONDS);
    let requests = server.requests();
    let waited = requests[1].at - requests[0].at;
    assert!(
        waited >= Duration::from_secs(1) && waited < Duration::from_secs(3),
        "{waited:?}"
    );
    // The same numbers under the same time: the server takes it for a repeat.
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!((report.requests, report.retries), (2, 1));
    assert!(report.is_complete());
    assert_eq!(
        report.last_error.as_deref(),
        Some("answer 503 Service Unavailable")
    );
}

#[test]
fn i_transport_2_everything_that_may_pass_is_retried() {
    let server = Server::with(|number, _| match number {
        0 => Reply::Status(429, "", r#"{"error":"x","message":"too many"}"#.to_owned()),
        1 => Reply::Status(502, "", String::new()),
        2 => Reply::Status(504, "", "<html>".to_owned()),
        3 => Reply::Cut,
        _ => Reply::Stored,
    });
    let client = server.client().start().unwrap();
    client.counter("c", &[]).add(7);
    let report = client.flush(Duration::from_secs(20));
    assert!(report.is_complete(), "{report}");
    assert_eq!((report.requests, report.retries), (5, 4));
    assert_eq!(server.latest("c"), Some(7.0));
}

#[test]
fn i_push_1_a_server_that_is_away_for_a_while_costs_nothing() {
    let address = nobody();
    let client = client_of(address)
        .flush_interval(Duration::from_millis(20))
        .start()
        .unwrap();
    let counter = client.counter("c", &[]);
    for _ in 0..50 {
        counter.add(10);
        thread::sleep(Duration::from_millis(10));
    }
    let server = Server::on(address, |_, _| Reply::Stored);
    server.wait_for("recovery", |server| server.latest("c") == Some(500.0));
    counter.inc();
    server.wait_for("next value", |server| server.latest("c") == Some(501.0));
    assert!(client.stop(SECONDS).is_complete());
}

#[test]
fn i_push_2_one_request_that_is_always_refused_for_now_does_not_starve_the_others() {
    let server = Server::with(|_, request| {
        let full = request
            .items()
            .iter()
            .any(|item| item["labels"]["i"] == "0");
        if full {
            Reply::Status(429, "Retry-After: 1\r\n", String::new())
        } else {
            Reply::Stored
        }
    });
    let client = server.client().series_per_metric(100_000).start().unwrap();
    for i in 0..12_000 {
        client.gauge("g", &[("i", &i.to_string())]).set(i);
    }
    let report = client.flush(Duration::from_secs(4));
    assert!(!report.is_complete());
    assert!(report.series_delivered > 0, "{report}");
    assert_eq!(report.series_delivered + report.series_undelivered, 12_000);
    let items = server.items();
    assert!(items.iter().any(|item| item["value"] == 11_999));
}

/// A client with a short interval whose snapshots take two requests, of which the second, which
/// holds the last series, is answered by 429 and `body`.
fn half_refused(body: &'static str) -> (Server, Client) {
    let server = Server::with(move |_, request| {
        let known = |item: &Json| item["value"] != 299;
        if request.items().iter().all(known) {
            Reply::Stored
        } else {
            Reply::Status(429, "Retry-After: 60\r\n", body.to_owned())
        }
    });
    let client = server
        .client()
        .flush_interval(Duration::from_millis(50))
        .start()
        .unwrap();
    let long = "x".repeat(4_000);
    for i in 0..300 {
        client.gauge("g", &[("i", &format!("{i}{long}"))]).set(i);
    }
    (server, client)
}

const SERIES_LIMIT: &str = r#"{"error":"Too Many Requests","message":"none of 2 items was stored",
    "errors":[{"index":0,"rule":"series_limit","message":"full"},
              {"index":1,"rule":"series_limit","message":"full"}]}"#;

#[test]
fn i_push_5_known_series_go_on_beside_refused_ones() {
    for body in [SERIES_LIMIT, ""] {
        let (server, client) = half_refused(body);
        // Two requests a snapshot: one would be all if `Retry-After` held up everything.
        server.wait_for("ten snapshots", |server| server.requests().len() >= 20);
        drop(client);
    }
}

#[test]
fn i_transport_3_series_beyond_the_limit_are_refused_not_late() {
    let (server, client) = half_refused(SERIES_LIMIT);
    let started = Instant::now();
    let report = client.flush(SECONDS);
    assert!(started.elapsed() < Duration::from_secs(2));
    let last = server.requests().len() - 1;
    let refused = server.requests()[last].items().len() as u64;
    assert_eq!(
        (report.series_refused, report.series_undelivered),
        (refused, 0)
    );
    assert_eq!(report.series_delivered, 300 - refused);
    assert_eq!(
        report.last_error.as_deref(),
        Some("answer 429 Too Many Requests: series_limit: full")
    );
}

#[test]
fn the_last_push_does_not_hammer_a_server_that_holds_back_a_part() {
    let (server, client) = half_refused("");
    // Longer than the interval, so that the part is overdue when it is refused.
    let report = client.stop(Duration::from_millis(800));
    assert!(!report.is_complete());
    let last = server.requests();
    let last = last.iter().filter(|request| request.is_final()).count();
    assert!((3..=16).contains(&last), "{last} requests");
}

#[test]
fn i_push_5_a_server_that_refuses_everything_is_left_alone() {
    let server = Server::with(|_, _| Reply::Status(429, "Retry-After: 1\r\n", String::new()));
    let client = server
        .client()
        .flush_interval(Duration::from_millis(10))
        .start()
        .unwrap();
    client.counter("c", &[]).inc();
    server.wait_for("second request", |server| server.requests().len() == 2);
    let requests = server.requests();
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(1));
}

#[test]
fn i_push_6_no_request_unfolds_to_more_than_the_server_takes() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let bounds: Vec<f64> = (1..=500).map(f64::from).collect();
    let long = "x".repeat(1_000);
    for i in 0..200 {
        let labels = [("i", &*format!("{i}{long}"))];
        client.histogram_with("h", &labels, &bounds).observe(i);
    }
    assert!(client.stop(Duration::from_mins(1)).is_complete());
    let mut items = 0;
    for request in server
        .requests()
        .iter()
        .filter(|request| request.is_final())
    {
        let body = serde_json::to_vec(&request.body).unwrap();
        let decoded = tinyobs_wire::json::decode(&body, 0).unwrap();
        assert_eq!(decoded.refused, []);
        items += decoded.items;
    }
    assert_eq!(items, 200);
}

#[test]
fn i_push_2_a_new_snapshot_begins_with_what_was_undelivered() {
    // Only every second request passes, and each snapshot is superseded before it can be retried.
    let server = Server::with(|number, _| match number % 2 {
        0 => Reply::Stored,
        _ => Reply::Status(503, "", String::new()),
    });
    let client = server
        .client()
        .series_per_metric(100_000)
        .flush_interval(Duration::from_millis(10))
        .start()
        .unwrap();
    for i in 0..12_000 {
        client.gauge("g", &[("i", &i.to_string())]).set(i);
    }
    server.wait_for("last series", |server| {
        let requests = server.requests();
        let passed = requests.iter().step_by(2).flat_map(Request::items);
        passed.filter(|item| item["value"] == 11_999).count() > 0
    });
}

#[test]
fn single_refusals_are_counted_and_explained() {
    let server = Server::with(|_, _| {
        let errors = r#"[{"index":0,"rule":"label_value_too_long","message":"no"}]"#;
        Reply::Status(
            200,
            "",
            format!(r#"{{"status":"success","count":1,"errors":{errors}}}"#),
        )
    });
    let client = server.client().self_metrics(true).start().unwrap();
    client.flush(SECONDS);
    let report = client.flush(SECONDS);
    assert_eq!(report.series_refused, 1);
    assert_eq!(report.series_delivered, 4);
    assert_eq!(
        report.last_error.as_deref(),
        Some("label_value_too_long: no")
    );
    assert!(!report.is_complete());
    assert_eq!(
        server.latest("tinyobs_sdk_samples_refused_total"),
        Some(1.0)
    );
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn i_transport_2_a_refusal_for_good_is_not_repeated() {
    let body = r#"{"error":"Unauthorized","message":"api key is wrong"}"#;
    let server = Server::with(move |_, _| Reply::Status(401, "", body.to_owned()));
    let client = server.client().start().unwrap();
    client.counter("c", &[]).inc();
    let started = Instant::now();
    let report = client.flush(SECONDS);
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!((report.series_refused, report.requests), (1, 1));
    assert_eq!(
        report.last_error.as_deref(),
        Some("answer 401 Unauthorized: api key is wrong")
    );
}

#[test]
fn a_stranger_is_not_taken_for_a_tinyobs_server() {
    let server = Server::with(|_, _| Reply::Status(200, "", "<html>it works</html>".to_owned()));
    let client = server.client().start().unwrap();
    client.counter("c", &[]).inc();
    let report = client.flush(SECONDS);
    assert_eq!((report.series_delivered, report.series_refused), (0, 1));
    assert_eq!(
        report.last_error.as_deref(),
        Some("answer 200 OK is not that of a TinyObs server")
    );
}

#[test]
fn redirects_are_not_followed() {
    let server = Server::with(|_, _| Reply::Status(302, "Location: /elsewhere\r\n", String::new()));
    let client = server.client().start().unwrap();
    client.counter("c", &[]).inc();
    let report = client.flush(SECONDS);
    assert_eq!(report.last_error.as_deref(), Some("answer 302 Found"));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn nothing_to_send_needs_no_request() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    assert!(client.flush(SECONDS).is_complete());
    assert!(client.stop(SECONDS).is_complete());
    assert_eq!(server.requests().len(), 0);
}
