//! Ranked: `topk`, `bottomk`, `limitk`, `limit_ratio`: some of the series of each group, as they are.

use std::cmp::Ordering;

use super::aggregate::Group;
use super::grid::Grid;
use super::value::{ABSENT, Series, Value, is_present};
use super::xxhash::xxhash64;
use super::{EvalError, Evaluated, Evaluator};
use crate::aggregate::AggregateOp;
use crate::span::Span;

impl Evaluator<'_> {
    /// What `op` keeps of `groups`, by the number of each step.
    pub(super) fn ranked(
        &mut self,
        op: AggregateOp,
        numbers: &[f64],
        groups: Vec<Group>,
        span: Span,
        grid: Grid,
    ) -> Evaluated<Value> {
        let numbers = if op == AggregateOp::LimitRatio {
            self.ratios(numbers, span)?
        } else {
            counts(numbers, span)?
        };
        let mut out = Vec::new();
        for mut group in groups {
            self.check()?;
            let members = group.members.len();
            self.take_bytes((members * (size_of::<Series>() + size_of::<usize>())) as u64)?;
            if op == AggregateOp::LimitRatio {
                keep_ratio(&mut group.members, &numbers);
            } else {
                let order = keep_count(op, &mut group.members, &numbers);
                // A range has an order at each step, and can show none of them.
                if grid.count == 1 && op != AggregateOp::Limitk {
                    let mut members: Vec<Option<Series>> =
                        group.members.into_iter().map(Some).collect();
                    group.members = order
                        .iter()
                        .filter_map(|&i| members.get_mut(i).and_then(Option::take))
                        .collect();
                }
            }
            out.extend(
                group
                    .members
                    .into_iter()
                    .filter(|series| !series.is_empty()),
            );
        }
        Ok(Value::Vector(out))
    }

    fn ratios(&mut self, numbers: &[f64], span: Span) -> Evaluated<Vec<f64>> {
        if numbers.iter().any(|ratio| ratio.is_nan()) {
            return Err(EvalError::execution(span, "the ratio is not a number"));
        }
        let near = |ratio: f64| ratio.clamp(-1.0, 1.0);
        self.warn_of_worst(span, numbers, -1.0..=1.0, |ratio| {
            let near = near(ratio);
            format!("a ratio is between -1 and 1, not {ratio}, {near} is taken")
        });
        Ok(numbers.iter().copied().map(near).collect())
    }
}

/// How many series are kept at each step.
fn counts(numbers: &[f64], span: Span) -> Evaluated<Vec<f64>> {
    // As in Prometheus: a number that is too small is no error as long as nothing is wanted anyway.
    if numbers.iter().all(|&number| number < 1.0) {
        return Ok(vec![0.0; numbers.len()]);
    }
    let limit = i64::MAX as f64;
    for &number in numbers {
        if number.is_nan() {
            return Err(EvalError::execution(span, "the parameter is not a number"));
        }
        if number.abs() >= limit {
            let reason = format!("the parameter {number} is out of range");
            return Err(EvalError::execution(span, reason));
        }
    }
    Ok(numbers.iter().map(|number| number.trunc()).collect())
}

/// Takes away all but the best at each step; gives the order of the last step.
fn keep_count(op: AggregateOp, members: &mut [Series], counts: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(members.len());
    for (i, &count) in counts.iter().enumerate() {
        order.clear();
        let there = |&place: &usize| is_present(members[place].values[i]);
        order.extend((0..members.len()).filter(there));
        let value = |place: usize| members[place].values[i];
        match op {
            AggregateOp::Topk => order.sort_by(|&a, &b| rank(value(a), value(b), true)),
            AggregateOp::Bottomk => order.sort_by(|&a, &b| rank(value(a), value(b), false)),
            _ => {}
        }
        let kept = (count.max(0.0) as usize).min(order.len());
        for place in order.drain(kept..) {
            members[place].values[i] = ABSENT;
        }
    }
    order
}

/// Which comes first; what is not a number comes last either way.
fn rank(a: f64, b: f64, descending: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) if descending => b.partial_cmp(&a).unwrap_or(Ordering::Equal),
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        (a, b) => a.cmp(&b),
    }
}

/// Takes away the series whose hash is outside of the ratio: always the same ones, and with
/// `limit_ratio(r - 1)` exactly the others.
fn keep_ratio(members: &mut [Series], ratios: &[f64]) {
    for member in members {
        let place = hash(member) as f64 / u64::MAX as f64;
        for (value, &ratio) in member.values.iter_mut().zip(ratios) {
            let inside = if ratio >= 0.0 {
                place < ratio
            } else {
                place >= 1.0 + ratio
            };
            if !inside {
                *value = ABSENT;
            }
        }
    }
}

/// As Prometheus hashes labels, so that the same series are chosen there and here.
fn hash(series: &Series) -> u64 {
    let mut bytes = Vec::new();
    let mut put = |text: &str| {
        let len = text.len();
        if len < 255 {
            bytes.push(len as u8);
        } else {
            bytes.extend([255, len as u8, (len >> 8) as u8, (len >> 16) as u8]);
        }
        bytes.extend_from_slice(text.as_bytes());
    };
    for (name, value) in series.labels.iter() {
        put(name);
        put(value);
    }
    xxhash64(&bytes)
}
