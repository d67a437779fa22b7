//! What travels.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use crate::server::Server;

const SECOND: Duration = Duration::from_secs(5);

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis() as i64
}

#[test]
fn a_push_on_the_wire() {
    let before_ms = now_ms();
    let server = Server::start();
    let client = server
        .client()
        .label("env", "dev")
        .api_key("secret")
        .start()
        .unwrap();
    client.describe("orders_total", "orders", "Orders taken.");
    client.counter("orders_total", &[("kind", "web")]).add(42);
    client.gauge("queue_depth", &[]).set(17.5);
    let histogram = client.histogram_with("db_seconds", &[], &[0.005, 0.01]);
    histogram.observe(0.25);
    histogram.observe(0.01);
    let report = client.flush(SECOND);

    let requests = server.requests();
    let request = &requests[0];
    assert_eq!(requests.len(), 1);
    assert_eq!(request.line, "POST /v1/ingest HTTP/1.1");
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["authorization"], "Bearer secret");
    assert!(request.headers["user-agent"].starts_with("tinyobs-sdk/"));

    let source = &request.body["source"];
    let start_ms = source["start"].as_i64().unwrap();
    assert!(
        start_ms < now_ms() && start_ms > before_ms - 3_600_000,
        "{start_ms}"
    );
    assert_eq!(
        *source,
        json!({"service": "test", "instance": "host:1", "start": start_ms,
               "interval_ms": 3_600_000, "final": false})
    );
    let at = request.items()[0]["timestamp"].as_i64().unwrap();
    assert!((before_ms..=now_ms()).contains(&at), "{at}");
    let started = |index: usize| {
        let start = request.items()[index]["start"].as_i64().unwrap();
        assert!((before_ms - 1..at).contains(&start), "{start} for {at}");
        start
    };
    let env = json!({"env": "dev"});
    assert_eq!(
        request.items(),
        [
            json!({"name": "orders_total", "type": "counter", "value": 42, "timestamp": at,
                   "start": started(0), "labels": {"env": "dev", "kind": "web"},
                   "unit": "orders", "help": "Orders taken."}),
            json!({"name": "queue_depth", "type": "gauge", "value": 17.5, "timestamp": at,
                   "labels": env}),
            json!({"name": "db_seconds", "type": "histogram", "timestamp": at,
                   "start": started(2), "labels": env, "buckets": [[0.005, 0], [0.01, 1]],
                   "sum": 0.26, "count": 2}),
        ]
    );
    assert!(report.is_complete(), "{report}");
    assert_eq!((report.series_delivered, report.samples_delivered), (3, 3));
    assert_eq!((report.requests, report.retries), (1, 0));
    assert_eq!(report.last_error, None);
}

#[test]
fn label_values_of_all_kinds_come_through_and_stay_apart() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let values = [
        "a,b",
        "a=b",
        "a\"b",
        "{a}",
        "a\nb",
        "😀",
        "a\\b",
        "\u{1}",
        "日本語",
    ];
    for (i, value) in values.iter().enumerate() {
        client.counter("c", &[("v", value)]).add(i + 1);
    }
    client.flush(SECOND);
    let items = server.items();
    let read: Vec<(&str, u64)> = items
        .iter()
        .map(|item| {
            (
                item["labels"]["v"].as_str().unwrap(),
                item["value"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected: Vec<(&str, u64)> = values.iter().copied().zip(1..).collect();
    assert_eq!(read, expected);
}

#[test]
fn what_eight_threads_count_arrives_exactly() {
    let server = Server::start();
    let client = server
        .client()
        .flush_interval(Duration::from_millis(10))
        .start()
        .unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let counter = client.counter("hits", &[]);
                let histogram = client.histogram("seconds", &[]);
                for i in 0..25_000 {
                    counter.inc();
                    histogram.observe(f64::from(i % 3));
                }
            });
        }
    });
    let report = client.stop(SECOND);
    assert!(report.is_complete(), "{report}");
    assert_eq!(server.latest("hits"), Some(200_000.0));

    let histograms: Vec<Json> = server
        .items()
        .into_iter()
        .filter(|item| item["name"] == "seconds")
        .collect();
    let mut before = 0;
    for histogram in &histograms {
        let count = histogram["count"].as_u64().unwrap();
        let largest = histogram["buckets"][11][1].as_u64().unwrap();
        // All observations are below the largest bound, so its bucket is the count at any moment.
        assert_eq!(largest, count);
        assert!(count >= before);
        before = count;
    }
    assert_eq!(before, 200_000);
    // Of each 25,000, 8,334 are 0, 8,333 are 1 and 8,333 are 2.
    let last = histograms.last().unwrap();
    assert_eq!(last["sum"], 8 * (8_333 + 2 * 8_333));
    assert_eq!(last["buckets"][0], json!([0.001, 8 * 8_334]));
    assert_eq!(last["buckets"][8], json!([1, 8 * (8_334 + 8_333)]));
}

#[test]
fn timestamps_never_repeat_and_values_stay_when_nothing_happens() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    client.counter("c", &[]).inc();
    for _ in 0..5 {
        client.flush(SECOND);
    }
    let items = server.items();
    let times: Vec<i64> = items
        .iter()
        .map(|i| i["timestamp"].as_i64().unwrap())
        .collect();
    assert_eq!(times.len(), 5);
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    assert!(
        items
            .iter()
            .all(|item| item["value"] == 1 && item["start"] == items[0]["start"])
    );
}

#[test]
fn i_gauge_2_what_json_cannot_carry_is_skipped_and_counted() {
    let server = Server::start();
    let client = server.client().self_metrics(true).start().unwrap();
    client.gauge("bad", &[]).set(f64::NAN);
    client.gauge("good", &[]).set(1);
    client.counter("c", &[]).add(-1);
    client.histogram("h", &[]).observe(f64::INFINITY);
    let report = client.flush(SECOND);
    assert_eq!(report.series_skipped, 1);
    assert!(report.is_complete());
    client.flush(SECOND);
    assert_eq!(server.latest("bad"), None);
    assert_eq!(server.latest("good"), Some(1.0));
    // Two updates, and the gauge in the first of the two snapshots.
    assert_eq!(
        server.latest("tinyobs_sdk_samples_skipped_total"),
        Some(3.0)
    );
    assert_eq!(server.latest("tinyobs_sdk_pushes_total"), Some(1.0));
    assert_eq!(server.latest("tinyobs_sdk_push_failures_total"), Some(0.0));
}

#[cfg(target_os = "linux")]
#[test]
fn process_metrics_travel_with_the_process_start() {
    let server = Server::start();
    let client = server.client().process_metrics(true).start().unwrap();
    client.flush(SECOND);
    let requests = server.requests();
    let source_start = &requests[0].body["source"]["start"];
    let cpu = requests[0]
        .items()
        .iter()
        .find(|item| item["name"] == "process_cpu_seconds_total")
        .unwrap();
    assert_eq!(cpu["start"], *source_start);
    assert_eq!(cpu["type"], "counter");
    for name in [
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
        "process_open_fds",
        "process_threads",
        "process_start_time_seconds",
    ] {
        assert!(server.latest(name).unwrap() > 0.0, "{name}");
    }
}
