//! What the SDK counts is what the server answers, to the last increment, also after `kill -9`.

use std::thread;
use std::time::Duration;

use serde_json::Value;
use tinyobs::Client;
use tinyobs_testing::Server;

use super::start_in;

const THREADS: u64 = 8;
const PER_THREAD: u64 = 25_000;
/// Each thread observes these over and over, so every bucket's count can be worked out by hand.
const OBSERVED: [f64; 5] = [0.0005, 0.02, 0.02, 3.0, 60.0];
const BOUNDS: [f64; 4] = [0.001, 0.05, 1.0, 10.0];

#[test]
fn sums_and_buckets_are_exact_before_and_after_a_kill() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = start_in(dir.path());
    let server = Server::start(&start).expect("starts");
    push_everything(&server);
    check_everything(&server);
    server.kill().expect("kills");
    let server = Server::start(&start).expect("starts again");
    check_everything(&server);
    assert!(server.stop().expect("stops").success());
    let server = Server::start(&start).expect("starts from its tables");
    check_everything(&server);
}

fn push_everything(server: &Server) {
    let client = Client::builder("exact")
        .endpoint(&server.url)
        .instance("one")
        .flush_interval(Duration::from_millis(100))
        .process_metrics(false)
        .self_metrics(false)
        .start()
        .expect("a client");
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let client = client.clone();
            thread::spawn(move || update(&client, thread))
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    client
        .gauge("depth", &[("queue", "a,b=\"{}\n🙂")])
        .set(-0.25);
    let report = client.stop(Duration::from_secs(10));
    assert!(report.is_complete(), "{report}");
}

fn update(client: &Client, thread: u64) {
    let parity = if thread.is_multiple_of(2) {
        "even"
    } else {
        "odd"
    };
    // Labels in another order on every thread are one series all the same.
    let pairs = [("kind", "web"), ("parity", parity)];
    let swapped = [pairs[1], pairs[0]];
    let counter = client.counter("hits_total", if thread < 4 { &pairs } else { &swapped });
    let histogram = client.histogram_with("took_seconds", &[], &BOUNDS);
    for i in 0..PER_THREAD {
        counter.inc();
        histogram.observe(OBSERVED[i as usize % OBSERVED.len()]);
    }
}

fn check_everything(server: &Server) {
    let half = (THREADS * PER_THREAD / 2) as f64;
    for parity in ["even", "odd"] {
        let values = values(server, "hits_total", &[("parity", parity), ("kind", "web")]);
        assert_eq!(values.last(), Some(&half), "{parity}");
        // The server puts a 0 where the series began, so that nothing is missing from a rate.
        assert_eq!(values.first(), Some(&0.0), "{parity}");
    }
    let all = (THREADS * PER_THREAD) as f64;
    let share = all / OBSERVED.len() as f64;
    let buckets = [
        ("0.001", 1.0),
        ("0.05", 3.0),
        ("1", 3.0),
        ("10", 4.0),
        ("+Inf", 5.0),
    ];
    for (le, shares) in buckets {
        let values = values(server, "took_seconds_bucket", &[("le", le)]);
        assert_eq!(values.last(), Some(&(shares * share)), "le {le}");
    }
    assert_eq!(values(server, "took_seconds_count", &[]).last(), Some(&all));
    let sum = values(server, "took_seconds_sum", &[])
        .last()
        .copied()
        .expect("a sum");
    let expected: f64 = OBSERVED.iter().sum::<f64>() * share;
    assert!(
        (sum - expected).abs() < 1e-6 * expected,
        "{sum} is not {expected}"
    );
    assert_eq!(
        values(server, "depth", &[("queue", "a,b=\"{}\n🙂")]).last(),
        Some(&-0.25)
    );
}

/// The values of the one series of `metric` that has these labels besides service and instance.
fn values(server: &Server, metric: &str, labels: &[(&str, &str)]) -> Vec<f64> {
    let answer = server.get(&format!("/v1/query/range?metric={metric}&maxPoints=5000"));
    let answer = answer.expect("an answer");
    let all = answer["data"].as_array().expect("a list");
    let fits = |series: &&Value| {
        let found = series["labels"].as_object().expect("labels");
        found.len() == labels.len() + 2
            && found["service"] == "exact"
            && found["instance"] == "one"
            && labels
                .iter()
                .all(|(name, value)| found.get(*name) == Some(&Value::from(*value)))
    };
    let series: Vec<&Value> = all.iter().filter(fits).collect();
    assert_eq!(series.len(), 1, "{metric} {labels:?} in {answer}");
    let points = series[0]["points"].as_array().expect("points");
    points
        .iter()
        .map(|point| point["v"].as_f64().expect("a number"))
        .collect()
}
