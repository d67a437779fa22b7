//! Delta: what was added since the last push, added to what is stored.
//!
//!   (series, interval, delta) ─▶ [Deltas] ─▶ running total           newest value ◀─ [`Stored`]
//!
//! The store itself is the memory: its newest sample of a series says up to when was counted, and
//! how much. So nothing is lost by a restart, nothing has to expire, and a request of which nothing
//! was stored has changed nothing. Here is only what the request in hand has added so far.
//!
//! I-OTLP-DELTA-1  An interval that ends no later than the newest sample is counted already.
//! I-OTLP-DELTA-2  An item that is refused leaves nothing behind: what the store would refuse for its
//!                 time is refused here, before it is counted. One that is refused for a new series
//!                 too many takes with it what follows in the same request and needs that series.
//! I-OTLP-DELTA-3  Buckets stay cumulative: a bound that is new begins with the count of the known
//!                 one below it, and a known one that is not sent goes on.
//! Proved by: delta/tests.rs, otlp/tests/deltas.rs.

use std::collections::HashMap;

use tinyobs_model::Sample;

use super::buckets::Cumulative;
use super::point::Broken;
use super::{BodyError, Stored};

/// Running totals.
pub struct Deltas<'s> {
    stored: &'s mut dyn Stored,
    /// By canonical labels, what this request has added up.
    totals: HashMap<Vec<u8>, Sample>,
    /// Likewise of the item in hand.
    pending: Vec<(Vec<u8>, Sample)>,
    /// By canonical labels without `le`, bounds of histograms of this request.
    bounds: HashMap<Vec<u8>, Vec<f64>>,
    pending_bounds: Option<(Vec<u8>, Vec<f64>)>,
}

impl<'s> Deltas<'s> {
    pub fn new(stored: &'s mut dyn Stored) -> Self {
        Self {
            stored,
            totals: HashMap::new(),
            pending: Vec::new(),
            bounds: HashMap::new(),
            pending_bounds: None,
        }
    }

    /// Up to when a series was counted, and how much.
    pub fn newest(&mut self, labels: &[u8]) -> Result<Option<Sample>, BodyError> {
        if let Some(known) = self.totals.get(labels) {
            return Ok(Some(*known));
        }
        let newest = self.stored.newest(labels);
        newest.map_err(|reason| BodyError::Stored { reason })
    }

    /// Whether the store takes what is to be counted (I-OTLP-DELTA-2).
    pub fn check_time(&mut self, time_ms: i64) -> Result<(), Broken> {
        self.stored.check_time(time_ms)
    }

    /// Notes the new total of a series.
    pub fn set(&mut self, labels: &[u8], total: Sample) {
        self.pending.push((labels.to_owned(), total));
    }

    /// The bounds that a histogram has had so far, ascending.
    pub fn bounds(&mut self, labels: &[u8]) -> Result<Vec<f64>, BodyError> {
        if let Some(known) = self.bounds.get(labels) {
            return Ok(known.clone());
        }
        let found = self.stored.bounds(labels);
        let mut found = found.map_err(|reason| BodyError::Stored { reason })?;
        found.retain(|bound| bound.is_finite());
        found.sort_by(f64::total_cmp);
        found.dedup();
        Ok(found)
    }

    /// Notes the bounds that a histogram has now.
    pub fn set_bounds(&mut self, labels: &[u8], bounds: Vec<f64>) {
        self.pending_bounds = Some((labels.to_owned(), bounds));
    }

    /// The item in hand is in the batch, or not (I-OTLP-DELTA-2).
    pub fn settle(&mut self, is_stored: bool) {
        if is_stored {
            self.totals.extend(self.pending.drain(..));
            self.bounds.extend(self.pending_bounds.take());
        }
        self.pending.clear();
        self.pending_bounds = None;
    }
}

/// The buckets of `known`, with their totals so far, and those of `delta`, with what was added:
/// each bound with its new total (I-OTLP-DELTA-3). Both ascend.
pub fn add(known: &[(f64, f64)], delta: &Cumulative) -> Cumulative {
    let mut bounds: Vec<f64> = known.iter().chain(delta).map(|(bound, _)| *bound).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    let (mut known, mut delta) = (known.iter().peekable(), delta.iter().peekable());
    let (mut before, mut added) = (0.0, 0.0);
    let mut rows = Vec::with_capacity(bounds.len());
    for bound in bounds {
        while let Some((_, total)) = known.next_if(|(known, _)| *known <= bound) {
            before = *total;
        }
        while let Some((_, count)) = delta.next_if(|(own, _)| *own <= bound) {
            added = *count;
        }
        rows.push((bound, before + added));
    }
    rows
}

#[cfg(test)]
mod tests;
