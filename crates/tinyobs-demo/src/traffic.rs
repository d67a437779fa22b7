//! Traffic: the shop's customers.
//!
//!   [traffic] ─▶ router (with all its layers, without a socket)
//!
//! A day lasts ten minutes, so that its curve fits a chart that somebody looks at. On top of the
//! steady customers there is a burst about twice a minute.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tower::ServiceExt as _;

use crate::shop::{ENDPOINTS, Shop};

const DAY: Duration = Duration::from_mins(10);
/// Requests a second at the busiest hour, without bursts.
const BUSIEST_RATE: f64 = 14.0;
/// Customers in the shop at the busiest hour.
const BUSIEST_USERS: f64 = 60.0;
/// Requests under way at once; in a burst, further customers stay outside.
const AT_ONCE: usize = 64;
const TICK: Duration = Duration::from_millis(100);

/// Sends customers until the shop closes, and waits for those who are inside.
pub(crate) async fn run(router: Router, shop: Arc<Shop>, mut closing: watch::Receiver<()>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let door = Arc::new(Semaphore::new(AT_ONCE));
    let mut customers = JoinSet::new();
    let mut due = 0.0;
    let mut until_burst = burst_pause();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = closing.changed() => break,
        }
        while customers.try_join_next().is_some() {}
        let load = load_at(shop.uptime());
        shop.load.set(load);
        shop.active_users.set(users_at(load));
        due += load * BUSIEST_RATE * TICK.as_secs_f64() * (0.5 + fastrand::f64());
        until_burst -= 1;
        if until_burst == 0 {
            due += f64::from(fastrand::u32(30..60));
            until_burst = burst_pause();
        }
        while due >= 1.0 {
            due -= 1.0;
            customers.spawn(customer(router.clone(), door.clone()));
        }
    }
    while customers.join_next().await.is_some() {}
}

/// The day's curve: between 0.1 at night and 1 at the busiest hour. The shop opens in the morning,
/// when it goes up.
pub(crate) fn load_at(uptime: Duration) -> f64 {
    let share_of_day = uptime.as_secs_f64() / DAY.as_secs_f64();
    0.55 + 0.45 * (share_of_day * TAU).sin()
}

fn users_at(load: f64) -> f64 {
    let jitter = fastrand::f64() * 6.0 - 3.0;
    (load * BUSIEST_USERS + jitter).round().max(1.0)
}

/// Ticks until the next burst: 20 to 40 seconds.
fn burst_pause() -> u32 {
    fastrand::u32(200..400)
}

/// One customer looks around for a moment, then asks for one thing.
async fn customer(router: Router, door: Arc<Semaphore>) {
    sleep(Duration::from_millis(fastrand::u64(..500))).await;
    let Ok(_inside) = door.try_acquire() else {
        return;
    };
    // Products are looked at more often than bought.
    let endpoint = match fastrand::u32(..10) {
        0..=1 => ENDPOINTS[0],
        2..=4 => ENDPOINTS[1],
        _ => ENDPOINTS[2],
    };
    if let Ok(request) = Request::builder().uri(endpoint).body(Body::empty()) {
        let _ = router.oneshot(request).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_goes_up_and_down_within_its_bounds() {
        let at = |share: f64| load_at(DAY.mul_f64(share));
        assert!((at(0.0) - 0.55).abs() < 1e-9);
        assert!((at(0.25) - 1.0).abs() < 1e-9);
        assert!((at(0.75) - 0.1).abs() < 1e-9);
        assert!((at(1.25) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn there_is_always_somebody() {
        for _ in 0..1_000 {
            let users = users_at(0.0);
            assert!((1.0..=3.0).contains(&users), "{users}");
        }
    }
}
