//! Deltas: what the store says to a request that adds to it.
//!
//!   otlp::decode ─▶ [Adding] ─▶ store::newest, store::series
//!
//! I-ADD-1  From the first look at what is stored until its own batch is stored, a request with
//!          deltas is alone among its kind: two that add to one value would lose one of the two.
//!          Requests without deltas do not take turns, and one that waits for its turn has no place
//!          in the ingest gate.
//! I-ADD-2  Bounds are remembered of at most `limits::DELTA_HISTOGRAMS` histograms, and only as long
//!          as no series of their metric comes or goes; the store knows them anyway.
//! I-ADD-3  Which intervals the newest values are made of is remembered from request to request
//!          (`otlp::Counted`).
//! Proved by: deltas/tests.rs, tests/it/otlp.rs.

use std::collections::HashMap;
use std::sync::Arc;

use tinyobs_model::{Labels, METRIC_NAME, Matcher, Refusal, Sample, labels, limits};
use tinyobs_store::{Store, TimesTaken};
use tinyobs_wire::otlp::{Counted, Stored};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};

use crate::error::ApiError;
use crate::state::App;

/// Shared by all requests.
#[derive(Debug)]
pub struct Deltas {
    turns: Arc<Mutex<Remembered>>,
    /// Places for those who wait: their bodies take room that others need.
    waiting: Semaphore,
}

/// Held by the one request that may add.
pub type Turn = OwnedMutexGuard<Remembered>;

impl Default for Deltas {
    fn default() -> Self {
        Self {
            turns: Arc::default(),
            waiting: Semaphore::new(limits::DELTAS_WAITING),
        }
    }
}

impl Deltas {
    /// Waits until no other request adds.
    ///
    /// # Errors
    /// Too many are waiting already.
    pub async fn turn(&self) -> Result<Turn, ApiError> {
        let _place = self.waiting.try_acquire().map_err(|_| {
            let message = "too many requests with deltas are waiting already";
            ApiError::unavailable(message)
        })?;
        Ok(Arc::clone(&self.turns).lock_owned().await)
    }
}

/// What those who add remember for the next ones.
#[derive(Debug, Default)]
pub struct Remembered {
    /// By the canonical labels of a histogram's buckets, `le` left out, each with how many series the
    /// metric had when they were looked up.
    bounds: HashMap<Vec<u8>, (u64, Vec<f64>)>,
    /// I-ADD-3
    counted: Counted,
}

/// One request that may add to what is stored.
pub struct Adding {
    app: App,
    /// Taken when it is needed (I-ADD-1).
    turn: Option<Turn>,
    must_wait: bool,
    /// As of the first delta.
    times: Option<TimesTaken>,
}

impl Adding {
    pub fn new(app: &App, turn: Option<Turn>) -> Self {
        Self {
            app: app.clone(),
            turn,
            must_wait: false,
            times: None,
        }
    }

    /// Whether it failed because another request adds.
    pub fn must_wait(&self) -> bool {
        self.must_wait
    }

    /// What keeps others away, if it did add.
    pub fn into_turn(self) -> Option<Turn> {
        self.turn
    }

    /// Fails when another request adds: here is a place in the ingest gate, so nobody waits.
    fn turn(&mut self) -> Result<(&Store, &mut Remembered), String> {
        let turn = match self.turn.take() {
            Some(turn) => turn,
            None => Arc::clone(&self.app.deltas.turns)
                .try_lock_owned()
                .map_err(|_| {
                    self.must_wait = true;
                    "another request adds to it".to_owned()
                })?,
        };
        Ok((&self.app.store, self.turn.insert(turn)))
    }
}

impl Stored for Adding {
    fn newest(&mut self, labels: &[u8]) -> Result<Option<Sample>, String> {
        let (store, _) = self.turn()?;
        store.newest(labels).map_err(|error| error.to_string())
    }

    fn value_at(&mut self, labels: &[u8], time_ms: i64) -> Result<Option<f64>, String> {
        let (store, _) = self.turn()?;
        let held = store.value_at(labels, time_ms);
        held.map_err(|error| error.to_string())
    }

    fn counted(&mut self) -> Result<&mut Counted, String> {
        Ok(&mut self.turn()?.1.counted)
    }

    fn check_time(&mut self, time_ms: i64) -> Result<(), (Refusal, String)> {
        let store = &self.app.store;
        let times = self.times.get_or_insert_with(|| store.times_taken());
        times.check(time_ms)
    }

    fn bounds(&mut self, labels: &[u8]) -> Result<Vec<f64>, String> {
        let (store, Remembered { bounds, .. }) = self.turn()?;
        let metric = labels::pairs(labels).find(|(name, _)| *name == METRIC_NAME);
        let series = store.metric_series(metric.map_or("", |(_, metric)| metric));
        if let Some((then, known)) = bounds.get(labels)
            && *then == series
        {
            return Ok(known.clone());
        }
        let found = look_up(store, labels);
        if bounds.len() >= limits::DELTA_HISTOGRAMS && !bounds.contains_key(labels) {
            // I-ADD-2: those that still push come back with their next push.
            bounds.clear();
        }
        bounds.insert(labels.to_owned(), (series, found.clone()));
        Ok(found)
    }
}

fn look_up(store: &Store, labels: &[u8]) -> Vec<f64> {
    let matchers: Vec<Matcher> = labels::pairs(labels)
        .map(|(name, value)| Matcher::equal(name, value))
        .collect();
    let le = |labels: &Labels| {
        // Those with further labels are other histograms.
        let own = labels.iter().count() == matchers.len() + 1;
        labels.get("le").filter(|_| own)?.parse().ok()
    };
    let series = store.series(&matchers);
    series.iter().filter_map(|info| le(&info.labels)).collect()
}

#[cfg(test)]
mod tests;
