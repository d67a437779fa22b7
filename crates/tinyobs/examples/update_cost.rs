//! What an update costs: nanoseconds of CPU and allocations, with 1 and with 8 threads, beside a
//! bare `fetch_add`.
//!
//! `cargo run --release -p tinyobs --example update_cost` prints one `name value unit` a line.
//!
//! CPU time is what the kernel counts for a thread in `/proc/thread-self/schedstat`; where there is
//! none, wall-clock time is taken and `clock` says so. Each figure is the best of five rounds: what
//! disturbs a round only ever adds to it.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tinyobs::{Client, Counter, Gauge, Histogram};

const ROUNDS: usize = 5;
const UPDATES: u64 = 4_000_000;

fn main() {
    let client = Client::builder("update_cost")
        .endpoint("http://127.0.0.1:9")
        .flush_interval(Duration::from_hours(1))
        .start()
        .expect("the configuration is right");
    let on_cpu = thread_cpu_ns().is_some();
    println!(
        "clock {} {}",
        u8::from(on_cpu),
        if on_cpu { "thread-cpu" } else { "wall" }
    );
    let bare = Arc::new(AtomicU64::new(0));
    let counter = client.counter("counter", &[("kind", "web")]);
    let gauge = client.gauge("gauge", &[]);
    let histogram = client.histogram("histogram", &[]);
    for threads in [1, 8] {
        let fetch_add = cost(threads, |_| {
            bare.fetch_add(1, Ordering::Relaxed);
        });
        report("fetch_add", threads, fetch_add, fetch_add);
        let held = [
            (
                "counter_inc",
                cost(threads, |_| black_box::<&Counter>(&counter).inc()),
            ),
            (
                "counter_add_f64",
                cost(threads, |_| counter.add(black_box(0.5))),
            ),
            (
                "gauge_set",
                cost(threads, |i| black_box::<&Gauge>(&gauge).set(i)),
            ),
            ("gauge_add", cost(threads, |_| gauge.add(black_box(1.0)))),
            (
                "histogram_observe",
                cost(threads, |i| {
                    black_box::<&Histogram>(&histogram).observe(observation(i));
                }),
            ),
        ];
        for (name, ns) in held {
            report(name, threads, ns, fetch_add);
        }
        let looked_up = cost(threads, |_| {
            let labels = black_box([("method", "GET"), ("status", "200")]);
            client.counter("looked_up", &labels).inc();
        });
        report("counter_lookup_inc", threads, looked_up, fetch_add);
    }
    let info = allocation_counter::measure(|| {
        for i in 0..1_000 {
            counter.inc();
            counter.add(0.5);
            gauge.set(i);
            histogram.observe(observation(i));
        }
    });
    println!(
        "allocations_per_update {} allocations",
        info.count_total as f64 / 4_000.0
    );
    client.stop(Duration::ZERO);
}

/// Values that fall into all buckets in turn, so that no branch is always guessed right.
fn observation(i: u64) -> f64 {
    (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as f64 / 400.0
}

fn report(name: &str, threads: u32, ns: f64, fetch_add: f64) {
    println!("{name}_{threads}t {ns:.2} ns");
    println!("{name}_{threads}t_ratio {:.2} x", ns / fetch_add);
}

/// CPU nanoseconds of one update.
fn cost(threads: u32, update: impl Fn(u64) + Sync) -> f64 {
    let each = UPDATES / u64::from(threads);
    let round = || {
        let spent: f64 = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| timed(each, &update)))
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().expect("no update panics"))
                .sum()
        });
        spent / (each * u64::from(threads)) as f64
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn timed(updates: u64, update: &impl Fn(u64)) -> f64 {
    let started = Instant::now();
    let cpu_before = thread_cpu_ns();
    for i in 0..updates {
        update(i);
    }
    match (cpu_before, thread_cpu_ns()) {
        (Some(before), Some(after)) => after - before,
        _ => started.elapsed().as_nanos() as f64,
    }
}

fn thread_cpu_ns() -> Option<f64> {
    // The kernel brings the figure up to date when the thread is switched.
    thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}
