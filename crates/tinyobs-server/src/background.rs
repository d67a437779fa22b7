//! Background: what happens because time passes.
//!
//!   every second ─▶ `up` of clients that fell silent ─▶ store
//!                └▶ groups whose minute or time-to-live is over ─▶ store
//!
//! I-BACK-1  It ends before the store is closed.
//! I-BACK-2  What fails is tried again a second later, and told once until it succeeds.
//! Proved by: tests/it/up.rs, tests/it/pushgateway.rs.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::groups::GroupError;
use crate::state::App;

const EVERY: Duration = Duration::from_secs(1);

/// Runs until `stop` says so.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    let mut timer = interval(EVERY);
    // After a pause of the machine one tick is enough.
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_told = false;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stopping| *stopping) => return,
            _ = timer.tick() => {}
        }
        let app = app.clone();
        let ticked = tokio::task::spawn_blocking(move || tick(&app)).await;
        match ticked {
            Ok(Ok(())) => was_told = false,
            Ok(Err(error)) => {
                if !was_told {
                    tracing::warn!(%error, "pushed groups could not be sampled");
                }
                was_told = true;
            }
            // The panic hook has reported it; the next tick may be better.
            Err(_) => was_told = true,
        }
    }
}

fn tick(app: &App) -> Result<(), GroupError> {
    let now_ms = app.now_ms();
    app.write_ups(&app.clients.overdue(now_ms));
    let ticked = app.groups.tick(&app.store, now_ms);
    if let Err(GroupError::Store(error)) = &ticked
        && error.is_fatal()
    {
        app.raise_fatal(error.to_string());
    }
    ticked
}
