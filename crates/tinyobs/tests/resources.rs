//! What the SDK takes from its host: allocations for an update, threads.
//!
//! A binary of its own, because it replaces the allocator by one that counts.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use tinyobs::Client;

/// One test at a time: the one about threads counts those of the whole process.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client whose server is not there, so that nothing but the updates is measured.
fn client() -> Client {
    Client::builder("test")
        .endpoint("http://127.0.0.1:9")
        .flush_interval(Duration::from_hours(1))
        .start()
        .unwrap()
}

#[test]
fn i_counter_3_and_i_hist_4_an_update_allocates_nothing() {
    let _alone = alone();
    let client = client();
    let counter = client.counter("c", &[("a", "b")]);
    let gauge = client.gauge("g", &[]);
    let histogram = client.histogram("h", &[]);
    let info = measure(|| {
        for i in 0..1_000 {
            counter.inc();
            counter.add(i);
            counter.add(0.5);
            gauge.set(i);
            gauge.add(0.5);
            histogram.observe(f64::from(i) / 100.0);
            histogram.start_timer().observe();
            drop(counter.clone());
        }
    });
    assert_eq!(info.count_total, 0);
    client.stop(Duration::ZERO);
}

#[test]
fn i_key_2_a_lookup_of_a_known_series_allocates_nothing() {
    let _alone = alone();
    let client = client();
    let look_up = || {
        client
            .counter("c", &[("method", "GET"), ("status", "200")])
            .inc();
        client.gauge("g", &[]).set(1);
        client.histogram("h", &[("endpoint", "/")]).observe(0.1);
    };
    look_up();
    assert_eq!(measure(look_up).count_total, 0);
    client.stop(Duration::ZERO);
}

#[test]
fn i_registry_2_label_sets_beyond_the_limit_allocate_nothing() {
    let _alone = alone();
    let client = client();
    let values: Vec<String> = (0..4_000).map(|i| i.to_string()).collect();
    for value in &values {
        client.counter("c", &[("i", value)]).inc();
    }
    let info = measure(|| {
        for value in &values[2_000..] {
            client.counter("c", &[("i", value)]).inc();
        }
    });
    assert_eq!(info.count_total, 0);
    let overflow = client.counter("c", &[("tinyobs_overflow", "true")]);
    assert_eq!(overflow.value(), 4_000.0);
    client.stop(Duration::ZERO);
}

#[test]
fn i_notice_1_a_logger_that_counts_its_lines_through_the_sdk_does_not_hang() {
    static CLIENT: OnceLock<Client> = OnceLock::new();

    struct Counting;
    impl log::Log for Counting {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            if let (Some(client), "tinyobs") = (CLIENT.get(), record.target()) {
                let text = record.args().to_string();
                client.counter("log_lines_total", &[("line", &text)]).inc();
                client.describe("log_lines_total", "", "Lines logged.");
            }
        }

        fn flush(&self) {}
    }

    let _alone = alone();
    let client = CLIENT.get_or_init(client);
    log::set_logger(&Counting).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    client.counter("two_kinds", &[]).inc();
    client.gauge("two_kinds", &[]).set(1);
    client.gauge("two_kinds", &[]).set(2);
    client.counter("", &[]).inc();
    client.flush(Duration::from_millis(100));
    client.stop(Duration::ZERO);
    log::set_max_level(log::LevelFilter::Off);
    let counted = |line| client.counter("log_lines_total", &[("line", line)]).value();
    let conflict =
        "metric \"two_kinds\" is a counter; what is recorded into it as a gauge is dropped";
    assert_eq!(counted(conflict), 1.0);
    assert_eq!(counted("metric name is empty"), 1.0);
}

#[cfg(feature = "tower")]
#[test]
fn i_tower_2_a_request_on_a_known_route_allocates_nothing() {
    use std::future::{Ready, ready};
    use std::task::{Context, Waker};

    use http::{Request, Response};
    use tower_layer::Layer as _;
    use tower_service::Service;

    type Answer = Result<Response<()>, std::io::Error>;

    #[derive(Clone)]
    struct Empty;
    impl Service<Request<()>> for Empty {
        type Response = Response<()>;
        type Error = std::io::Error;
        type Future = Ready<Answer>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            ready(Ok(Response::new(())))
        }
    }

    let _alone = alone();
    let client = client();
    let layer = tinyobs::tower::layer(&client).endpoint(|_| Some("/users/{id}"));
    let mut service = layer.layer(Empty);
    let mut context = Context::from_waker(Waker::noop());
    let mut exchange = |request| {
        let response = std::pin::pin!(service.call(request)).poll(&mut context);
        assert!(response.is_ready());
    };
    exchange(Request::new(()));
    let request = Request::new(());
    assert_eq!(measure(|| exchange(request)).count_total, 0);
    let labels = [
        ("method", "GET"),
        ("endpoint", "/users/{id}"),
        ("status", "200"),
    ];
    assert_eq!(client.counter("http_requests_total", &labels).value(), 2.0);
    client.stop(Duration::ZERO);
}

#[cfg(target_os = "linux")]
#[test]
fn one_named_thread_a_client_and_none_left_after_stop() {
    let _alone = alone();
    let threads = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .filter(|name| name.trim() == "tinyobs-flush")
            .count()
    };
    // A thread names itself once it runs, and is gone a moment after it said goodbye.
    let wait_for = |count: usize| {
        let deadline = Instant::now() + Duration::from_secs(5);
        while threads() != count && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(threads(), count);
    };
    wait_for(0);
    let client = client();
    client.counter("c", &[]).inc();
    wait_for(1);
    client.flush(Duration::from_millis(100));
    assert_eq!(threads(), 1);
    client.stop(Duration::from_millis(200));
    wait_for(0);
}
