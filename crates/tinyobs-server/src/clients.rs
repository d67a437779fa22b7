//! Clients: which processes push at the moment.
//!
//! I-CLIENT-1  At most `limits::CLIENTS` are remembered; the silent ones make room.
//! Proved by: clients/tests.rs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tinyobs_model::limits;
use tinyobs_wire::json::Source;

/// A client that missed this many pushes is gone.
const INTERVALS_MISSED: i64 = 3;
/// For clients that do not say how often they push.
const INTERVAL_MS_DEFAULT: u64 = 15_000;

/// The processes that pushed with a source.
#[derive(Debug, Default)]
pub struct Clients {
    // A std mutex: it is held for one look-up, never across an await.
    by_name: Mutex<HashMap<(String, String), Client>>,
}

#[derive(Debug)]
struct Client {
    /// By our own clock: theirs may be wrong.
    last_push_ms: i64,
    interval_ms: i64,
}

impl Client {
    fn is_gone(&self, now_ms: i64) -> bool {
        now_ms - self.last_push_ms > INTERVALS_MISSED * self.interval_ms
    }
}

impl Clients {
    /// Notes a push.
    pub fn saw(&self, source: &Source, now_ms: i64) {
        if source.service.len() + source.instance.len() > 2 * limits::LABEL_VALUE_BYTES {
            return;
        }
        let mut clients = self.lock();
        let name = (source.service.clone(), source.instance.clone());
        if source.is_final {
            clients.remove(&name);
            return;
        }
        if clients.len() >= limits::CLIENTS && !clients.contains_key(&name) {
            clients.retain(|_, client| !client.is_gone(now_ms));
            if clients.len() >= limits::CLIENTS {
                return;
            }
        }
        let interval_ms = source.interval_ms.unwrap_or(INTERVAL_MS_DEFAULT);
        let client = Client {
            last_push_ms: now_ms,
            interval_ms: interval_ms.clamp(1_000, limits::CLIENT_INTERVAL_MS_MAX) as i64,
        };
        clients.insert(name, client);
    }

    /// How many push at the moment.
    pub fn pushing(&self, now_ms: i64) -> usize {
        let clients = self.lock();
        clients
            .values()
            .filter(|client| !client.is_gone(now_ms))
            .count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Client>> {
        // Nothing in here can be half done when a thread panics.
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
