//! Clock: this machine's time, and how a moment that is to come is waited for.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, in milliseconds since the epoch.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

/// Returns `time_ms` once it is there; or what the clock says, when it was set back so far that
/// nobody would wait.
pub fn wait_for(time_ms: i64) -> i64 {
    const MOST_MS: i64 = 1_000;
    loop {
        let now_ms = now_ms();
        match time_ms - now_ms {
            ..=0 => return time_ms,
            ahead @ 1..=MOST_MS => thread::sleep(Duration::from_millis(ahead.unsigned_abs())),
            _ => return now_ms,
        }
    }
}
