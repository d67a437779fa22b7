//! Stop, drop, several clients, runtimes.

use std::thread;
use std::time::{Duration, Instant};

use crate::server::{Reply, Server, client_of, nobody};

const SECONDS: Duration = Duration::from_secs(5);

#[test]
fn stop_delivers_the_last_values_with_the_final_mark() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let counter = client.counter("c", &[]);
    counter.inc();
    client.flush(SECONDS);
    counter.inc();
    let report = client.stop(SECONDS);
    assert!(report.is_complete(), "{report}");
    let marks: Vec<bool> = server
        .requests()
        .iter()
        .map(super::server::Request::is_final)
        .collect();
    assert_eq!(marks, [false, true]);
    assert_eq!(server.latest("c"), Some(2.0));
}

#[test]
fn i_control_3_stop_again_and_everything_after_it_is_harmless() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let counter = client.counter("c", &[]);
    counter.inc();
    let report = client.stop(SECONDS);
    let started = Instant::now();
    assert_eq!(client.stop(SECONDS), report);
    assert_eq!(client.flush(SECONDS), report);
    counter.inc();
    client.gauge("new", &[]).set(1);
    client.clone().histogram("h", &[]).observe(1);
    drop(client);
    assert_eq!(counter.value(), 2.0);
    assert!(started.elapsed() < Duration::from_millis(500));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn i_control_1_stop_keeps_its_deadline_when_the_server_never_answers() {
    let server = Server::with(|_, _| Reply::Silence);
    let client = server.client().start().unwrap();
    client.counter("c", &[]).inc();
    let started = Instant::now();
    let report = client.stop(Duration::from_millis(600));
    let took = started.elapsed();
    assert!(
        took >= Duration::from_millis(500) && took < Duration::from_secs(1),
        "{took:?}"
    );
    assert_eq!((report.series_delivered, report.series_undelivered), (0, 1));
    assert!(report.last_error.is_some());
    assert!(!report.is_complete());
}

#[test]
fn i_control_2_stop_gets_past_an_older_request_that_hangs() {
    let server = Server::with(|number, _| match number {
        0 => Reply::Silence,
        _ => Reply::Stored,
    });
    let client = server
        .client()
        .flush_interval(Duration::from_millis(10))
        .start()
        .unwrap();
    let counter = client.counter("c", &[]);
    counter.inc();
    server.wait_for("first push", |server| server.requests().len() == 1);
    counter.inc();
    let started = Instant::now();
    let report = client.stop(Duration::from_secs(1));
    assert!(report.is_complete(), "{report}");
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(server.latest("c"), Some(2.0));
    assert!(server.requests().last().unwrap().is_final());
}

#[test]
fn stop_ends_a_long_wait_at_once() {
    let server = Server::with(|number, _| match number {
        0 => Reply::Status(503, "Retry-After: 3600\r\n", String::new()),
        _ => Reply::Stored,
    });
    let client = server
        .client()
        .flush_interval(Duration::from_millis(10))
        .start()
        .unwrap();
    client.counter("c", &[]).inc();
    server.wait_for("first push", |server| server.requests().len() == 1);
    let started = Instant::now();
    assert!(client.stop(SECONDS).is_complete());
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn the_last_push_is_tried_again_while_there_is_time() {
    let server = Server::with(|number, request| {
        assert!(request.is_final());
        match number {
            0 => Reply::Status(503, "Retry-After: 3600\r\n", String::new()),
            _ => Reply::Stored,
        }
    });
    let client = server.client().start().unwrap();
    client.counter("c", &[]).inc();
    let report = client.stop(Duration::from_secs(1));
    assert!(report.is_complete(), "{report}");
    assert_eq!((report.requests, report.retries), (2, 1));
}

#[test]
fn stop_without_a_server_says_what_is_lost() {
    let client = client_of(nobody()).start().unwrap();
    client.counter("c", &[]).inc();
    client.gauge("g", &[]).set(1);
    let started = Instant::now();
    let report = client.stop(Duration::from_millis(400));
    assert!(started.elapsed() < Duration::from_millis(900));
    assert_eq!((report.series_delivered, report.series_undelivered), (0, 2));
    assert!(report.retries > 0);
    let error = report.last_error.unwrap();
    assert!(error.contains("refused"), "{error}");
}

#[test]
fn i_handle_1_drop_of_the_last_clone_delivers() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let clone = client.clone();
    client.counter("c", &[]).add(3);
    drop(client);
    assert_eq!(server.requests().len(), 0);
    drop(clone);
    assert_eq!(server.latest("c"), Some(3.0));
    assert!(server.requests()[0].is_final());
}

#[test]
fn i_handle_2_handles_outlive_their_client() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let counter = client.counter("c", &[]);
    let histogram = client.histogram("h", &[]);
    drop(client);
    let sent = server.requests().len();
    counter.inc();
    histogram.observe(1);
    assert_eq!((counter.value(), histogram.count()), (1.0, 1));
    assert_eq!(server.requests().len(), sent);
}

#[test]
fn i_transport_1_drop_keeps_its_deadline_when_the_server_never_answers() {
    let server = Server::with(|_, _| Reply::Silence);
    let client = server.client().start().unwrap();
    client.counter("c", &[]).inc();
    let started = Instant::now();
    drop(client);
    let took = started.elapsed();
    assert!(took < Duration::from_millis(2_500), "{took:?}");
}

#[test]
fn i_handle_1_a_panic_in_the_host_delivers_too() {
    let server = Server::start();
    let builder = server.client();
    let host = thread::spawn(move || {
        let client = builder.start().unwrap();
        client.counter("c", &[]).add(9);
        panic!("the host's own mistake");
    });
    assert!(host.join().is_err());
    assert_eq!(server.latest("c"), Some(9.0));
}

#[test]
fn i_control_1_a_timeout_of_any_length_is_none_too_long() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    let counter = client.counter("c", &[]);
    counter.inc();
    assert!(client.flush(Duration::MAX).is_complete());
    counter.inc();
    assert!(client.stop(Duration::MAX).is_complete());
    assert_eq!(server.latest("c"), Some(2.0));
}

#[test]
fn flush_from_many_threads_at_once() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    thread::scope(|scope| {
        for i in 0..8 {
            let client = client.clone();
            scope.spawn(move || {
                client.counter("c", &[("i", &i.to_string())]).inc();
                assert!(client.flush(SECONDS).is_complete());
            });
        }
    });
    let items = server.items();
    for i in 0..8 {
        let label = i.to_string();
        assert!(items.iter().any(|item| item["labels"]["i"] == label));
    }
}

#[test]
fn two_clients_of_a_process_are_two_instances() {
    let server = Server::start();
    let endpoint = format!("http://{}", server.address);
    let start = || {
        let builder = tinyobs::Client::builder("shop").endpoint(endpoint.as_str());
        builder.start().unwrap()
    };
    let (first, second) = (start(), start());
    assert_ne!(first.instance(), second.instance());
    assert_eq!(first.service(), "shop");
    let pid = format!(":{}", std::process::id());
    assert!(first.instance().contains(&pid) && second.instance().contains(&pid));
    first.counter("c", &[]).add(1);
    second.counter("c", &[]).add(2);
    first.stop(SECONDS);
    second.stop(SECONDS);
    let sent: Vec<_> = server
        .requests()
        .iter()
        .map(|request| {
            request.body["source"]["instance"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(sent, [first.instance(), second.instance()]);
}

#[test]
fn works_inside_a_current_thread_runtime() {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = server.client().start().unwrap();
        client.counter("c", &[]).add(5);
        assert!(client.flush(SECONDS).is_complete());
        client.counter("c", &[]).inc();
        drop(client);
    });
    assert_eq!(server.latest("c"), Some(6.0));
}

#[test]
fn the_first_push_does_not_wait_for_a_long_interval() {
    let server = Server::start();
    let client = server.client().start().unwrap();
    client.counter("c", &[]).inc();
    server.wait_for("first push", |server| server.latest("c") == Some(1.0));
    assert!(!server.requests()[0].is_final());
    drop(client);
}
