//! Counters: what the server counts about itself, shown at `/metrics` as `tinyobs_*`.
//!
//! I-COUNT-1  Keys are routes, statuses and rules, all from our own tables: nothing that a client
//!            makes up can grow a map.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tinyobs_model::{Refusal, Refused};

/// Upper bounds of the request durations, in seconds.
pub const DURATION_BOUNDS: [f64; 6] = [0.001, 0.01, 0.1, 0.5, 2.5, 10.0];

/// What the server counts about itself.
#[derive(Debug, Default)]
pub struct Counters {
    stored: AtomicU64,
    texts_skipped: AtomicU64,
    tables: Mutex<Tables>,
}

/// The counters that have labels.
#[derive(Debug, Default, Clone)]
pub struct Tables {
    /// By route and status.
    pub requests: BTreeMap<(&'static str, u16), u64>,
    /// By route.
    pub durations: BTreeMap<&'static str, Durations>,
    /// Items by rule.
    pub refused: BTreeMap<&'static str, u64>,
}

/// A histogram of request durations.
#[derive(Debug, Default, Clone)]
pub struct Durations {
    /// One more than bounds; not cumulative.
    pub buckets: [u64; DURATION_BOUNDS.len() + 1],
    /// In seconds.
    pub sum: f64,
}

impl Counters {
    /// Counts samples that were stored.
    pub fn stored(&self, samples: u64) {
        self.stored.fetch_add(samples, Ordering::Relaxed);
    }

    /// Samples stored since the start.
    pub fn stored_total(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Counts fields of line protocol that were left out because they are text.
    pub fn texts_skipped(&self, fields: u64) {
        self.texts_skipped.fetch_add(fields, Ordering::Relaxed);
    }

    /// Fields left out since the start.
    pub fn texts_skipped_total(&self) -> u64 {
        self.texts_skipped.load(Ordering::Relaxed)
    }

    /// Counts items that were refused.
    pub fn refused(&self, refused: &[Refused]) {
        if refused.is_empty() {
            return;
        }
        let mut tables = self.lock();
        // What we make besides, such as `target_info`, is no item that anybody sent.
        for one in refused.iter().filter(|one| one.is_of_request()) {
            *tables.refused.entry(one.rule.as_str()).or_default() += 1;
        }
    }

    /// Counts items that were refused without being told one by one.
    pub fn refused_besides(&self, counts: &[(Refusal, u64)]) {
        let mut tables = self.lock();
        for (rule, count) in counts {
            *tables.refused.entry(rule.as_str()).or_default() += count;
        }
    }

    /// Counts an answered request.
    pub fn answered(&self, route: &'static str, status: u16, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = DURATION_BOUNDS
            .iter()
            .position(|bound| seconds <= *bound)
            .unwrap_or(DURATION_BOUNDS.len());
        let mut tables = self.lock();
        *tables.requests.entry((route, status)).or_default() += 1;
        let durations = tables.durations.entry(route).or_default();
        durations.buckets[bucket] += 1;
        durations.sum += seconds;
    }

    /// A copy to write out without holding the lock.
    pub fn tables(&self) -> Tables {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
