//! Deltas: what the store says to a request that adds to it.
//!
//!   otlp::decode ─▶ [Adding] ─▶ store::newest, store::series
//!
//! I-ADD-1  From the first look at what is stored until its own batch is stored, a request with
//!          deltas is alone among its kind: two that add to one value would lose one of the two.
//!          Requests without deltas do not take turns, but one that waits for its turn has a place
//!          in the ingest gate meanwhile.
//! I-ADD-2  Bounds are remembered of at most `limits::DELTA_HISTOGRAMS` histograms, and only as long
//!          as no series of their metric comes or goes; the store knows them anyway.
//! Proved by: deltas/tests.rs, tests/it/otlp.rs.

use std::collections::HashMap;
use std::sync::Arc;

use tinyobs_model::{Labels, METRIC_NAME, Matcher, Sample, labels, limits};
use tinyobs_store::Store;
use tinyobs_wire::otlp::Stored;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::state::App;

/// Shared by all requests.
#[derive(Debug, Default)]
pub struct Deltas(Arc<Mutex<Bounds>>);

/// Bounds by the canonical labels of a histogram's buckets, `le` left out, each with how many
/// series the metric had when they were looked up.
type Bounds = HashMap<Vec<u8>, (u64, Vec<f64>)>;

/// One request that may add to what is stored.
pub struct Adding {
    app: App,
    /// Taken when it is needed (I-ADD-1).
    turn: Option<OwnedMutexGuard<Bounds>>,
}

impl Adding {
    pub fn new(app: &App) -> Self {
        Self {
            app: app.clone(),
            turn: None,
        }
    }

    /// Waits until no other request adds. Called where threads may block.
    fn turn(&mut self) -> (&Store, &mut Bounds) {
        let turns = &self.app.deltas.0;
        let turn = self
            .turn
            .get_or_insert_with(|| Arc::clone(turns).blocking_lock_owned());
        (&self.app.store, turn)
    }
}

impl Stored for Adding {
    fn newest(&mut self, labels: &[u8]) -> Result<Option<Sample>, String> {
        let (store, _) = self.turn();
        store.newest(labels).map_err(|error| error.to_string())
    }

    fn bounds(&mut self, labels: &[u8]) -> Result<Vec<f64>, String> {
        let (store, remembered) = self.turn();
        let metric = labels::pairs(labels).find(|(name, _)| *name == METRIC_NAME);
        let series = store.metric_series(metric.map_or("", |(_, metric)| metric));
        if let Some((then, bounds)) = remembered.get(labels)
            && *then == series
        {
            return Ok(bounds.clone());
        }
        let bounds = look_up(store, labels);
        if remembered.len() >= limits::DELTA_HISTOGRAMS && !remembered.contains_key(labels) {
            // I-ADD-2: those that still push come back with their next push.
            remembered.clear();
        }
        remembered.insert(labels.to_owned(), (series, bounds.clone()));
        Ok(bounds)
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
