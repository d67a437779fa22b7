//! Delta: what was added since the last push, added to what is stored.
//!
//!   (series, interval, delta), by time ─▶ [Deltas] ─▶ running total     newest value ◀─ [`Stored`]
//!
//! The store itself is the memory: its newest sample of a series says up to when was counted, and
//! how much. So nothing is lost by a restart, nothing has to expire, and a request of which nothing
//! was stored has changed nothing. Here is only what the request in hand has added so far.
//!
//! I-OTLP-DELTA-1  An interval that was counted adds nothing: it is a repeat, with the same start, end
//!                 and value. One that ends before the newest, where none was counted, comes too late
//!                 and is refused. The 0 at the start of a series was not counted: nothing ends there.
//! I-OTLP-DELTA-2  An item that is refused leaves nothing behind: what the store would refuse for its
//!                 time is refused here, before it is counted. One that is refused for a new series
//!                 too many takes with it what follows in the same request and needs that series.
//! I-OTLP-DELTA-3  Buckets stay cumulative: a bound that is new begins with the count of the known
//!                 one below it, and a known one that is not sent goes on.
//! I-OTLP-DELTA-4  Intervals of one request are counted in the order of their ends, down to the
//!                 nanosecond: two that end within one millisecond add up to one sample, also those
//!                 of two requests.
//! I-OTLP-DELTA-5  A total is a number: what would make it infinite is refused, and one that somebody
//!                 else has made NaN or infinite begins again at 0.
//! Proved by: delta/tests.rs, otlp/tests/deltas.rs.

use std::collections::HashMap;

use tinyobs_model::Sample;

use super::buckets::Cumulative;
use super::counted::{Counted, Interval};
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
    has_begun: bool,
}

/// Where an interval stands to what has been counted of its series.
pub enum Turn {
    /// It is the next one, behind `newest` if there is something, and comes to this total.
    Next { newest: Option<Sample>, total: f64 },
    /// It has been counted.
    Counted,
    /// Counted is up to this time, in ms, and it is not among what was.
    Late(i64),
    /// As many end within this millisecond as can be told from each other.
    Full,
}

impl<'s> Deltas<'s> {
    pub fn new(stored: &'s mut dyn Stored) -> Self {
        Self {
            stored,
            totals: HashMap::new(),
            pending: Vec::new(),
            bounds: HashMap::new(),
            pending_bounds: None,
            has_begun: false,
        }
    }

    /// Up to when a series was counted, and how much (I-OTLP-DELTA-5).
    pub fn newest(&mut self, labels: &[u8]) -> Result<Option<Sample>, BodyError> {
        if let Some(known) = self.totals.get(labels) {
            return Ok(Some(*known));
        }
        let newest = self.stored.newest(labels).map_err(unreadable)?;
        let as_number = |newest: Sample| match newest.value {
            value if value.is_finite() => newest,
            _ => Sample::new(newest.time_ms, 0.0),
        };
        Ok(newest.map(as_number))
    }

    /// Whether an interval adds to a series (I-OTLP-DELTA-1). Those of the request come in their order
    /// (I-OTLP-DELTA-4).
    pub fn turn(&mut self, labels: &[u8], interval: &Interval) -> Result<Turn, BodyError> {
        let end_ms = to_ms(interval.end_ns);
        let newest = self.newest(labels)?;
        if let Some(newest) = newest {
            if newest.time_ms > end_ms {
                let held = self.stored.value_at(labels, end_ms).map_err(unreadable)?;
                let is_part = |held: f64| !interval.only_grows || held >= interval.adds;
                return Ok(match held {
                    Some(held) if is_part(held) => Turn::Counted,
                    _ => Turn::Late(newest.time_ms),
                });
            }
            let counted = self.counted()?;
            if newest.time_ms == end_ms && counted.has(labels, newest, interval) {
                return Ok(Turn::Counted);
            }
            if newest.time_ms == end_ms && counted.is_full(labels, newest) {
                return Ok(Turn::Full);
            }
        }
        let total = interval.adds + newest.map_or(0.0, |newest| newest.value);
        self.counted()?.note(labels, newest, *interval, total);
        Ok(Turn::Next { newest, total })
    }

    fn counted(&mut self) -> Result<&mut Counted, BodyError> {
        let counted = self.stored.counted().map_err(unreadable)?;
        if !std::mem::replace(&mut self.has_begun, true) {
            counted.begin();
        }
        Ok(counted)
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
        let mut found = self.stored.bounds(labels).map_err(unreadable)?;
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

fn unreadable(reason: String) -> BodyError {
    BodyError::Stored { reason }
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
