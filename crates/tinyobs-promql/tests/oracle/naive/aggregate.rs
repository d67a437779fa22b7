//! Aggregate: the members of each group, and what an operator makes of them.

use std::collections::{BTreeMap, BTreeSet};

use tinyobs_promql::{Aggregate, AggregateOp, Grouping};

use super::labels::hash;
use super::numbers::{go_text, group_deviation, mean, quantile, sum_of_group};
use super::{Naive, Point, Result, Value, distinct, fail, text};
use crate::data::Tags;

impl Naive<'_> {
    pub fn aggregate(&self, aggregate: &Aggregate, at: &[i64]) -> Result<Vec<Value>> {
        let Aggregate {
            op,
            grouping,
            param,
            expr,
        } = aggregate;
        let mut numbers = vec![f64::NAN; at.len()];
        let mut label = String::new();
        match param {
            Some(param) if *op == AggregateOp::CountValues => label = text(param)?,
            Some(param) => numbers = self.scalar(param, at)?,
            None => {}
        }
        let all = self.vector(expr, at)?;
        check(*op, &numbers, &label)?;
        let mut steps = Vec::new();
        for (points, number) in all.into_iter().zip(numbers) {
            steps.push(if *op == AggregateOp::CountValues {
                count_values(points, grouping, &label)
            } else {
                self.at_step(*op, grouping, points, number)
            });
        }
        distinct(steps)
    }

    fn at_step(
        &self,
        op: AggregateOp,
        grouping: &Grouping,
        points: Vec<Point>,
        number: f64,
    ) -> Vec<Point> {
        let mut out = Vec::new();
        for (tags, mut members) in groups(grouping, points) {
            self.ordered(&mut members);
            // Members that differ in this are an oddity; the first of them tells.
            let drop = members[0].drop;
            let values: Vec<f64> = members.iter().map(|member| member.value).collect();
            let value = match op {
                AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk => {
                    out.extend(first_of(op, members, number));
                    continue;
                }
                AggregateOp::LimitRatio => {
                    out.extend(
                        members
                            .into_iter()
                            .filter(|member| in_ratio(&member.tags, number)),
                    );
                    continue;
                }
                AggregateOp::Sum => sum_of_group(&values),
                AggregateOp::Avg => mean(&values),
                AggregateOp::Count => values.len() as f64,
                AggregateOp::Group => 1.0,
                AggregateOp::Min => best(&values, |new, old| new < old),
                AggregateOp::Max => best(&values, |new, old| new > old),
                AggregateOp::Stddev => group_deviation(&values).sqrt(),
                AggregateOp::Stdvar => group_deviation(&values),
                AggregateOp::Quantile => quantile(number, &values),
                AggregateOp::CountValues => unreachable!("answered elsewhere"),
            };
            out.push(Point { tags, value, drop });
        }
        out
    }
}

fn check(op: AggregateOp, numbers: &[f64], label: &str) -> Result<()> {
    let counts = matches!(
        op,
        AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk
    );
    // Whoever wants none never gets one.
    if counts && numbers.iter().all(|&number| number < 1.0) {
        return Ok(());
    }
    let too_large = |number: &f64| counts && number.abs() >= 9_223_372_036_854_775_807.0;
    let needs_number = counts || op == AggregateOp::LimitRatio;
    if needs_number
        && numbers
            .iter()
            .any(|number| number.is_nan() || too_large(number))
    {
        return fail("the parameter is no usable number");
    }
    if op == AggregateOp::CountValues && label.is_empty() {
        return fail("no label name");
    }
    Ok(())
}

/// The groups by their labels, members in the order given.
fn groups(grouping: &Grouping, points: Vec<Point>) -> BTreeMap<Tags, Vec<Point>> {
    let mut groups: BTreeMap<Tags, Vec<Point>> = BTreeMap::new();
    for point in points {
        groups
            .entry(group_of(grouping, &point.tags))
            .or_default()
            .push(point);
    }
    groups
}

fn group_of(grouping: &Grouping, tags: &Tags) -> Tags {
    let listed: BTreeSet<&String> = grouping.labels.iter().collect();
    let stays = |name: &String| {
        if grouping.without {
            name != "__name__" && !listed.contains(name)
        } else {
            listed.contains(name)
        }
    };
    let pairs = tags.iter().filter(|(name, _)| stays(name));
    pairs
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// How often there is each value, which becomes a label before the groups are made.
fn count_values(points: Vec<Point>, grouping: &Grouping, label: &str) -> Vec<Point> {
    let mut by = grouping.clone();
    if !by.without {
        by.labels.push(label.to_owned());
    }
    let mut counts: BTreeMap<Tags, f64> = BTreeMap::new();
    for point in points {
        let mut tags = point.tags;
        tags.insert(label.to_owned(), go_text(point.value));
        *counts.entry(group_of(&by, &tags)).or_insert(0.0) += 1.0;
    }
    counts
        .into_iter()
        .map(|(tags, value)| Point::new(tags, value))
        .collect()
}

/// The value that is better than all others; anything is better than NaN.
fn best(values: &[f64], better: impl Fn(f64, f64) -> bool) -> f64 {
    let mut kept = values[0];
    for &value in values {
        if kept.is_nan() || better(value, kept) {
            kept = value;
        }
    }
    kept
}

/// The first so many, the best before the others where there is a best; NaN is never good.
fn first_of(op: AggregateOp, mut members: Vec<Point>, number: f64) -> Vec<Point> {
    if op != AggregateOp::Limitk {
        members.sort_by(|a, b| {
            let order = match (a.value.is_nan(), b.value.is_nan()) {
                (false, false) => a.value.partial_cmp(&b.value).expect("numbers"),
                (a, b) => return a.cmp(&b),
            };
            if op == AggregateOp::Topk {
                order.reverse()
            } else {
                order
            }
        });
    }
    members.truncate(number.max(0.0) as usize);
    members
}

/// Chosen by the labels alone, so that `r` and `r - 1` share the series among them.
fn in_ratio(tags: &Tags, ratio: f64) -> bool {
    let place = hash(tags) as f64 / u64::MAX as f64;
    let ratio = ratio.clamp(-1.0, 1.0);
    if ratio < 0.0 {
        place >= 1.0 + ratio
    } else {
        place < ratio
    }
}
