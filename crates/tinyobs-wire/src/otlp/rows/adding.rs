//! Adding: deltas wait until the request is read, and are then counted in the order of their ends.
//!
//!   a point ─▶ [Waiting] ─▶ by time ─▶ [`Deltas`](crate::otlp::delta) ─▶ running totals ─▶ rows
//!
//! A request may hold the intervals of a series in any order, in several metrics, scopes and
//! resources (a collector joins what it got). Counted as they stand, the earlier ones would come too
//! late. So their labels and values are kept until all are there (I-OTLP-DELTA-4).
//!
//! Proved by: otlp/tests/deltas.rs, tests/memory.rs.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use tinyobs_model::batch::grow;
use tinyobs_model::labels::pairs;
use tinyobs_model::{Kind, METRIC_NAME, Refusal, Sample, limits};

use super::unfold::{At, Failure, Part, histogram};
use super::{Family, Sink, shown};
use crate::json::Decoded;
use crate::otlp::BodyError;
use crate::otlp::buckets::Cumulative;
use crate::otlp::counted::Interval;
use crate::otlp::delta::{self, Turn, to_ms};
use crate::otlp::labels::Resource;
use crate::otlp::point::{Broken, Point};

/// What a point adds.
pub enum Added {
    Sum {
        value: f64,
        is_monotonic: bool,
    },
    Histogram {
        rows: Cumulative,
        sum: Option<f64>,
        count: u64,
    },
    /// Nothing more: the histogram ends, as far as there is one by then.
    End,
}

impl Added {
    pub fn sum(value: f64, is_monotonic: bool) -> Self {
        Self::Sum {
            value,
            is_monotonic,
        }
    }

    pub fn histogram(rows: Cumulative, sum: Option<f64>, count: u64) -> Self {
        Self::Histogram { rows, sum, count }
    }

    /// Rows that it becomes at least.
    fn rows(&self) -> usize {
        match self {
            Self::End => 0,
            Self::Sum { .. } => 1,
            Self::Histogram { rows, .. } => rows.len() + 3,
        }
    }

    /// An error when it cannot be added to a total.
    fn check(&self, name: &str) -> Result<(), Broken> {
        let message = match self {
            Self::Sum {
                value,
                is_monotonic,
            } if !value.is_finite() || *is_monotonic && *value < 0.0 => {
                format!("{value} cannot be added to {:?}", shown(name))
            }
            Self::Histogram { sum: Some(sum), .. } if !sum.is_finite() => {
                format!("the sum cannot be added to that of {:?}", shown(name))
            }
            _ => return Ok(()),
        };
        Err((Refusal::ValueNotANumber, message))
    }

    /// What a point that adds this says of its series.
    fn interval(&self, point: &Point<'_>) -> Interval {
        let mut hasher = DefaultHasher::new();
        let (adds, only_grows) = match self {
            Self::End => (0.0, false),
            Self::Sum {
                value,
                is_monotonic,
            } => (*value, *is_monotonic),
            Self::Histogram { rows, sum, count } => {
                sum.map(f64::to_bits).hash(&mut hasher);
                for (bound, below) in rows {
                    (bound.to_bits(), below.to_bits()).hash(&mut hasher);
                }
                (*count as f64, true)
            }
        };
        Interval {
            start_ns: point.start_ns,
            end_ns: point.time_ns,
            adds,
            only_grows,
            hash: hasher.finish(),
        }
    }
}

/// A delta that waits for its turn.
pub struct Waiting {
    item: u32,
    kind: Kind,
    /// Where its canonical labels stand, without suffix and `le`.
    labels: Range<usize>,
    start_ms: Option<i64>,
    interval: Interval,
    added: Added,
}

impl Sink<'_> {
    /// Keeps a delta until all are there. What its rows will take is paid now (I-OTLP-ROW-2).
    pub fn wait(&mut self, at: &At<'_>, point: &Point<'_>, added: Added) -> Result<(), Failure> {
        added.check(&self.metric.name)?;
        self.reserve(added.rows(), at)?;
        self.canonical(at, "", None)?;
        let from = self.waiting_labels.len();
        grow(&mut self.waiting_labels, self.scratch.len());
        self.waiting_labels.extend_from_slice(&self.scratch);
        self.waiting.push(Waiting {
            item: at.item,
            kind: self.metric.kind,
            labels: from..self.waiting_labels.len(),
            start_ms: at.start_ms,
            interval: added.interval(point),
            added,
        });
        Ok(())
    }

    /// Counts what waits, and gives away what was read.
    pub fn finish(mut self) -> Result<Decoded, BodyError> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_unstable_by_key(|one| (one.interval.end_ns, one.item));
        let labels = std::mem::take(&mut self.waiting_labels);
        // The labels are whole: nothing is added to them.
        self.resource = Resource::default();
        for one in &waiting {
            let rows = self.batch.len();
            let counted = self.count(&labels[one.labels.clone()], one);
            self.settle(one.item, rows, counted)?;
        }
        Ok(Decoded {
            batch: self.batch,
            refused: self.refused,
            items: self.items,
            source: self.source,
            more_sources: self.more_sources,
        })
    }

    fn count(&mut self, labels: &[u8], one: &Waiting) -> Result<(), Failure> {
        let mut name = "";
        let mut rest = Vec::new();
        for (label, value) in pairs(labels) {
            if label == METRIC_NAME {
                name = value;
            } else {
                rest.push((Cow::Borrowed(label), Cow::Borrowed(value)));
            }
        }
        self.metric = Family {
            name: name.to_owned(),
            kind: one.kind,
            ..Family::default()
        };
        self.paid_rows = one.added.rows();
        let at = At {
            item: one.item,
            labels: rest,
            time_ms: to_ms(one.interval.end_ns),
            start_ms: one.start_ms,
        };
        match &one.added {
            Added::End => self.end_histogram(&at),
            Added::Sum { .. } => self.add(&at, &one.interval),
            Added::Histogram { rows, sum, .. } => {
                self.add_histogram(&at, &one.interval, rows, *sum)
            }
        }
    }

    fn add(&mut self, at: &At<'_>, interval: &Interval) -> Result<(), Failure> {
        let Turn::Next { newest, total } = self.turn(at, "", interval)? else {
            return Ok(());
        };
        self.totals(at, &[Part::new("", total)], newest.is_none())
    }

    fn add_histogram(
        &mut self,
        at: &At<'_>,
        interval: &Interval,
        rows: &Cumulative,
        sum: Option<f64>,
    ) -> Result<(), Failure> {
        let turn = self.turn(at, "_count", interval)?;
        let Turn::Next { newest, total } = turn else {
            return Ok(());
        };
        self.canonical(at, "_bucket", None)?;
        let key = self.scratch.clone();
        let known = match newest {
            Some(_) => self.known_buckets(at, &key)?,
            None => Vec::new(),
        };
        let rows = delta::add(&known, rows);
        let bounds = rows.iter().map(|(bound, _)| *bound).collect();
        self.deltas.set_bounds(&key, bounds);
        let mut sum = sum;
        if let Some(sum) = &mut sum {
            self.canonical(at, "_sum", None)?;
            *sum += self.deltas.newest(&self.scratch)?.map_or(0.0, |s| s.value);
        }
        let parts = histogram(&rows, sum, total);
        self.totals(at, &parts, newest.is_none())
    }

    /// Whether an interval is the next one, or has been counted; an error when it cannot be any more.
    fn turn(&mut self, at: &At<'_>, suffix: &str, interval: &Interval) -> Result<Turn, Failure> {
        self.canonical(at, suffix, None)?;
        let name = shown(&self.metric.name);
        let message = match self.deltas.turn(&self.scratch, interval)? {
            turn @ (Turn::Next { .. } | Turn::Counted) => return Ok(turn),
            Turn::Late(newest_ms) => format!(
                "a delta of {name:?} ends at {}, and what ends by {newest_ms} has been counted: it \
                 comes too late",
                at.time_ms
            ),
            Turn::Full => format!(
                "a delta of {name:?} ends at {}, as {} others of the series do that have been \
                 counted: it cannot be told from a repeat",
                at.time_ms,
                limits::DELTAS_PER_MS
            ),
        };
        Err((Refusal::DeltaLate, message).into())
    }

    /// The buckets that a histogram has had, with their totals.
    fn known_buckets(&mut self, at: &At<'_>, key: &[u8]) -> Result<Vec<(f64, f64)>, Failure> {
        let bounds = self.deltas.bounds(key)?;
        // Each is a look-up: what they may cost is paid before they are made.
        self.reserve(bounds.len(), at)?;
        if bounds.len() > limits::BUCKETS_PER_HISTOGRAM {
            let message = format!(
                "histogram {:?} has been sent with {} bounds, at most {} are allowed",
                shown(&self.metric.name),
                bounds.len(),
                limits::BUCKETS_PER_HISTOGRAM
            );
            return Err((Refusal::HistogramInvalid, message).into());
        }
        let mut known = Vec::with_capacity(bounds.len());
        for bound in bounds {
            self.canonical(at, "_bucket", Some(&bound.to_string()))?;
            let total = self.deltas.newest(&self.scratch)?;
            known.extend(total.map(|total| (bound, total.value)));
        }
        Ok(known)
    }

    /// Stores running totals, and remembers them for the rest of the request.
    fn totals(&mut self, at: &At<'_>, parts: &[Part], is_first: bool) -> Result<(), Failure> {
        // I-OTLP-DELTA-5
        if let Some(part) = parts.iter().find(|part| !part.value.is_finite()) {
            let name = format!("{}{}", shown(&self.metric.name), part.suffix);
            let message = format!("a delta would take the total of {name:?} beyond every number");
            return Err((Refusal::ValueNotANumber, message).into());
        }
        for part in parts {
            let bound = part.label.as_ref().map(|(_, text)| &**text);
            self.canonical(at, part.suffix, bound)?;
            let total = Sample::new(at.time_ms, part.value);
            self.deltas.set(&self.scratch, total);
        }
        // I-OTLP-ROW-4: what was counted before this interval has been counted.
        let at = At {
            labels: at.labels.clone(),
            start_ms: at.start_ms.filter(|_| is_first),
            ..*at
        };
        self.rows(&at, parts)
    }
}
