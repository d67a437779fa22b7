//! Work: what goes on behind the counter.
//!
//! - Parcels: each order waits in a queue until it is packed; a burst makes it grow.
//! - Bookkeeping: a batch job every minute, as jobs are recorded best: how long, how much, and
//!   when it last went well.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tinyobs::Client;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::shop::Shop;

/// The packers' pace: a bit above what the busiest hour orders.
const PACKED_EVERY: Duration = Duration::from_millis(220);
const BATCH_EVERY: Duration = Duration::from_mins(1);
/// The first batch comes early, so that its charts are not empty for long.
const FIRST_BATCH: Duration = Duration::from_secs(3);

/// Packs parcels until it is dropped.
pub(crate) async fn queue(shop: Arc<Shop>) {
    let mut packers = interval(PACKED_EVERY);
    packers.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        packers.tick().await;
        // Only this task takes parcels away, so none goes below zero.
        if shop.queue_depth.value() >= 1.0 {
            shop.queue_depth.dec();
            shop.queue_done.inc();
        }
    }
}

/// Does the books every minute until it is dropped.
pub(crate) async fn batches(client: Client) {
    let seconds = [0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0];
    for (name, unit, help) in [
        (
            "batch_duration_seconds",
            "seconds",
            "How long a batch took.",
        ),
        ("batch_rows_total", "", "Rows booked."),
        ("batch_runs_total", "", "Batches run, by how they ended."),
        (
            "batch_last_success_timestamp_seconds",
            "seconds",
            "When a batch last went well, in seconds since the epoch.",
        ),
    ] {
        client.describe(name, unit, help);
    }
    let duration = client.histogram_with("batch_duration_seconds", &[], &seconds);
    let rows = client.counter("batch_rows_total", &[]);
    let succeeded = client.counter("batch_runs_total", &[("result", "success")]);
    let failed = client.counter("batch_runs_total", &[("result", "failure")]);
    sleep(FIRST_BATCH).await;
    let mut minutes = interval(BATCH_EVERY);
    loop {
        minutes.tick().await;
        // No timer that observes on drop: a batch that the shutdown cuts short is none.
        let started = Instant::now();
        for _ in 0..fastrand::u32(10..40) {
            sleep(Duration::from_millis(fastrand::u64(40..120))).await;
            rows.add(fastrand::u32(20..200));
        }
        duration.observe(started.elapsed());
        if fastrand::u32(..20) == 0 {
            failed.inc();
            continue;
        }
        succeeded.inc();
        // Created here and not above: before the first success there is no such moment, and a gauge
        // that starts at 0 would claim 1970.
        let last_success = client.gauge("batch_last_success_timestamp_seconds", &[]);
        last_success.set(now_seconds());
    }
}

fn now_seconds() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}
