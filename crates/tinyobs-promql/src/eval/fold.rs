//! Fold: the aggregations that go value by value, series after series.
//!
//!   column of a series ─▶ [Folder::add] ─▶ states, one a step ─▶ [Folder::values]
//!
//! A folder holds one state for each step, however many series are put into it.
//!
//! I-FOLD-1  Values are added in the order of the series, as Prometheus does it.
//! Proved by: scripts/aggregates.test, tests/eval.rs.

use super::stats::{Mean, Sum};
use super::value::{ABSENT, is_present};
use crate::aggregate::AggregateOp;

/// Puts columns of one length together.
pub(super) trait Folder {
    fn add(&mut self, values: &[f64]);
    fn values(self: Box<Self>) -> Vec<f64>;
}

/// The folder of an aggregation without a parameter.
pub(super) fn folder(op: AggregateOp, steps: usize) -> Box<dyn Folder> {
    let larger = |kept: &mut f64, value: f64| {
        if *kept < value || kept.is_nan() {
            *kept = value;
        }
    };
    let smaller = |kept: &mut f64, value: f64| {
        if *kept > value || kept.is_nan() {
            *kept = value;
        }
    };
    let same = |value: f64| value;
    let plus = |sum: &mut Sum, value| *sum = sum.plus(value);
    match op {
        AggregateOp::Sum => fold(steps, Sum::of, plus, Sum::value),
        AggregateOp::Avg => fold(steps, Mean::of, Mean::add, Mean::value),
        AggregateOp::Max => fold(steps, same, larger, same),
        AggregateOp::Min => fold(steps, same, smaller, same),
        AggregateOp::Count => fold(steps, |_| 1.0, |count, _| *count += 1.0, same),
        AggregateOp::Stddev => {
            let deviation = |distance: Distance| distance.variance().sqrt();
            fold(steps, Distance::of, Distance::add, deviation)
        }
        AggregateOp::Stdvar => fold(steps, Distance::of, Distance::add, Distance::variance),
        // `group`; all others take a parameter and do not come here.
        _ => fold(steps, |_| 1.0, |_, _| {}, same),
    }
}

/// `first` makes of a step's first value what `add` adds the others to.
fn fold<A: Copy + 'static>(
    steps: usize,
    first: impl Fn(f64) -> A + 'static,
    add: impl Fn(&mut A, f64) + 'static,
    value: impl Fn(A) -> f64 + 'static,
) -> Box<dyn Folder> {
    Box::new(Fold {
        states: vec![None; steps],
        first,
        add,
        value,
    })
}

struct Fold<A, First, Add, Value> {
    states: Vec<Option<A>>,
    first: First,
    add: Add,
    value: Value,
}

impl<A, First, Add, Value> Folder for Fold<A, First, Add, Value>
where
    A: Copy,
    First: Fn(f64) -> A,
    Add: Fn(&mut A, f64),
    Value: Fn(A) -> f64,
{
    fn add(&mut self, values: &[f64]) {
        for (state, &new) in self.states.iter_mut().zip(values) {
            match state {
                _ if !is_present(new) => {}
                Some(state) => (self.add)(state, new),
                None => *state = Some((self.first)(new)),
            }
        }
    }

    fn values(self: Box<Self>) -> Vec<f64> {
        let value = |state: Option<A>| state.map_or(ABSENT, &self.value);
        self.states.iter().copied().map(value).collect()
    }
}

/// Squares of the distances from the mean, by Welford's way; not compensated, as in Prometheus.
#[derive(Clone, Copy)]
struct Distance {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Distance {
    fn of(first: f64) -> Self {
        Self {
            count: 1.0,
            mean: first,
            squares: if first.is_finite() { 0.0 } else { f64::NAN },
        }
    }

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    fn variance(self) -> f64 {
        self.squares / self.count
    }
}
