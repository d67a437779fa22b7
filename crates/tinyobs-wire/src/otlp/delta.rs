//! Delta: what was added since the last push, added to what is stored.
//!
//!   (series, interval, delta), by time ─▶ [Deltas] ─▶ running total     newest value ◀─ [`Stored`]
//!
//! The store itself is the memory: its newest sample of a series says up to when was counted, and
//! how much. So nothing is lost by a restart, nothing has to expire, and a request of which nothing
//! was stored has changed nothing. Here is only what the request in hand has added so far.
//!
//! I-OTLP-DELTA-1  An interval that ends where one was counted adds nothing: it is a repeat. One that
//!                 ends before the newest, where none was counted, comes too late and is refused.
//! I-OTLP-DELTA-2  An item that is refused leaves nothing behind: what the store would refuse for its
//!                 time is refused here, before it is counted. One that is refused for a new series
//!                 too many takes with it what follows in the same request and needs that series.
//! I-OTLP-DELTA-3  Buckets stay cumulative: a bound that is new begins with the count of the known
//!                 one below it, and a known one that is not sent goes on.
//! I-OTLP-DELTA-4  Intervals of one request are counted in the order of their ends, down to the
//!                 nanosecond: two that end within one millisecond add up to one sample.
//! Proved by: delta/tests.rs, otlp/tests/deltas.rs.

use std::collections::HashMap;

use tinyobs_model::Sample;

use super::buckets::Cumulative;
use super::point::Broken;
use super::{BodyError, Stored};

/// Running totals.
pub struct Deltas<'s> {
    stored: &'s mut dyn Stored,
    /// By canonical labels, what this request has added up, and the end of its last interval in ns.
    totals: HashMap<Vec<u8>, (Sample, u64)>,
    /// Likewise of the item in hand.
    pending: Vec<(Vec<u8>, (Sample, u64))>,
    /// By canonical labels without `le`, bounds of histograms of this request.
    bounds: HashMap<Vec<u8>, Vec<f64>>,
    pending_bounds: Option<(Vec<u8>, Vec<f64>)>,
}

/// Where an interval stands to what has been counted of its series.
pub enum Turn {
    /// It is the next one, behind this total if there is one.
    Next(Option<Sample>),
    /// It has been counted.
    Counted,
    /// Counted is up to this time, in ms, and it is not among what was.
    Late(i64),
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
        if let Some((known, _)) = self.totals.get(labels) {
            return Ok(Some(*known));
        }
        let newest = self.stored.newest(labels);
        newest.map_err(|reason| BodyError::Stored { reason })
    }

    /// Whether an interval that ends then adds to a series (I-OTLP-DELTA-1). Those of the request
    /// come in their order (I-OTLP-DELTA-4).
    pub fn turn(&mut self, labels: &[u8], time_ns: u64) -> Result<Turn, BodyError> {
        if let Some((known, end_ns)) = self.totals.get(labels) {
            return Ok(if *end_ns < time_ns {
                Turn::Next(Some(*known))
            } else {
                Turn::Counted
            });
        }
        let time_ms = to_ms(time_ns);
        let Some(newest) = self.newest(labels)? else {
            return Ok(Turn::Next(None));
        };
        if newest.time_ms < time_ms {
            return Ok(Turn::Next(Some(newest)));
        }
        let is_counted = newest.time_ms == time_ms || {
            let held = self.stored.holds(labels, time_ms);
            held.map_err(|reason| BodyError::Stored { reason })?
        };
        Ok(if is_counted {
            Turn::Counted
        } else {
            Turn::Late(newest.time_ms)
        })
    }

    /// Whether the store takes what is to be counted (I-OTLP-DELTA-2).
    pub fn check_time(&mut self, time_ms: i64) -> Result<(), Broken> {
        self.stored.check_time(time_ms)
    }

    /// Notes the new total of a series, and where the interval ends that it is up to.
    pub fn set(&mut self, labels: &[u8], total: Sample, end_ns: u64) {
        self.pending.push((labels.to_owned(), (total, end_ns)));
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

/// A time as the store has it.
pub fn to_ms(ns: u64) -> i64 {
    (ns / 1_000_000) as i64
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
