//! Aggregate: many series to one for each group; `topk` and its like, which keep series, are in
//! `ranked`, and the arithmetic is in `fold`.
//!
//! I-AGGREGATE-1  Values are added up in the order of their series' labels: the same query gives
//!                the same bits.
//! Proved by: scripts/aggregates.test, tests/eval.rs.

use std::collections::HashMap;

use tinyobs_model::{Labels, METRIC_NAME, limits};

use super::fold::{Folder, folder};
use super::grid::Grid;
use super::stats::quantile;
use super::value::{ABSENT, Series, Value, is_present};
use super::{EvalError, Evaluated, Evaluator};
use crate::aggregate::AggregateOp;
use crate::ast::{Aggregate, Expr, Grouping};
use crate::span::Span;

/// Series that are put together.
pub(super) struct Group {
    pub labels: Labels,
    pub members: Vec<Series>,
}

impl Evaluator<'_> {
    pub(super) fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        span: Span,
        grid: Grid,
    ) -> Evaluated<Value> {
        let Aggregate { op, param, .. } = aggregate;
        let numbers = match param.as_deref() {
            Some(param) if *op != AggregateOp::CountValues => self.eval_scalar(param, grid)?,
            _ => Vec::new(),
        };
        let place = param.as_deref().map_or(span, |param| param.span);
        if param.is_none() {
            return self.folded(aggregate, grid);
        }
        let series = self.eval_vector(&aggregate.expr, grid)?;
        let groups = grouped(&aggregate.grouping, series);
        match (op, param.as_deref()) {
            (AggregateOp::CountValues, Some(param)) => {
                self.count_values(&aggregate.grouping, param, &groups, grid)
            }
            (AggregateOp::Quantile, _) => {
                self.warn_of_quantiles(place, &numbers);
                self.quantiles(groups, &numbers, grid)
            }
            (op, _) => self.ranked(*op, &numbers, groups, place, grid),
        }
    }

    /// The aggregations that go value by value: a series goes as soon as it is in its group.
    fn folded(&mut self, aggregate: &Aggregate, grid: Grid) -> Evaluated<Value> {
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut groups: Vec<(Labels, bool, Box<dyn Folder>)> = Vec::new();
        self.each_vector(&aggregate.expr, grid, &mut |evaluator, series| {
            let labels = group_labels(&aggregate.grouping, &series.labels);
            let at = if let Some(&at) = places.get(&labels) {
                at
            } else {
                // The column of the result, and what is added up on the way to it.
                evaluator.take_bytes(7 * Series::bytes_of(grid.count))?;
                let folder = folder(aggregate.op, grid.count);
                groups.push((labels.clone(), series.drop_name, folder));
                places.insert(labels, groups.len() - 1);
                groups.len() - 1
            };
            groups[at].2.add(&series.values);
            evaluator.meter.give_back(Series::bytes_of(grid.count));
            Ok(())
        })?;
        groups.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let series = groups.into_iter().map(|(labels, drop_name, folder)| {
            let mut series = Series::new(labels, folder.values());
            series.drop_name = drop_name;
            series
        });
        Ok(Value::Vector(series.collect()))
    }

    fn quantiles(&mut self, groups: Vec<Group>, numbers: &[f64], grid: Grid) -> Evaluated<Value> {
        let mut out = Vec::with_capacity(groups.len());
        for group in groups {
            self.check()?;
            self.take_bytes(Series::bytes_of(grid.count))?;
            let mut series = Series::new(group.labels, quantiles(&group.members, numbers));
            series.drop_name = group.members.first().is_some_and(|first| first.drop_name);
            out.push(series);
        }
        Ok(Value::Vector(out))
    }

    /// `count_values`: how often there is each value, which becomes a label.
    fn count_values(
        &mut self,
        grouping: &Grouping,
        param: &Expr,
        groups: &[Group],
        grid: Grid,
    ) -> Evaluated<Value> {
        let label = self.eval_string(param, grid)?;
        if label.is_empty() || label.len() > limits::LABEL_NAME_BYTES {
            let reason = format!("{label:?} is no label name for count_values");
            return Err(EvalError::execution(param.span, reason));
        }
        // The label of the value is there before anything is taken away.
        let listed = label == METRIC_NAME || grouping.labels.contains(&label);
        let goes = grouping.without && listed;
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut out: Vec<Series> = Vec::new();
        for group in groups {
            for member in &group.members {
                self.check()?;
                for (i, &value) in member.values.iter().enumerate() {
                    if !is_present(value) {
                        continue;
                    }
                    let labels = if goes {
                        group.labels.clone()
                    } else {
                        group.labels.with(&label, &go_float(value))
                    };
                    let at = if let Some(&at) = places.get(&labels) {
                        at
                    } else {
                        let values = self.column(ABSENT, grid)?;
                        places.insert(labels.clone(), out.len());
                        // Its labels are what was asked for, a name among them stays.
                        out.push(Series::new(labels, values));
                        out.len() - 1
                    };
                    let count = &mut out[at].values[i];
                    *count = if is_present(*count) {
                        *count + 1.0
                    } else {
                        1.0
                    };
                }
            }
        }
        out.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(Value::Vector(out))
    }
}

/// As Go prints a float that becomes a label.
pub(super) fn go_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}

/// The labels of the group that a series is in.
fn group_labels(grouping: &Grouping, labels: &Labels) -> Labels {
    let listed = |name: &str| grouping.labels.iter().any(|label| label == name);
    if grouping.without {
        labels.filtered(|name| name != METRIC_NAME && !listed(name))
    } else {
        labels.filtered(listed)
    }
}

/// The groups in the order of their labels, members in the order given.
fn grouped(grouping: &Grouping, series: Vec<Series>) -> Vec<Group> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for one in series {
        let labels = group_labels(grouping, &one.labels);
        let at = *places.entry(labels).or_insert_with_key(|labels| {
            groups.push(Group {
                labels: labels.clone(),
                members: Vec::new(),
            });
            groups.len() - 1
        });
        groups[at].members.push(one);
    }
    groups.sort_by(|a, b| a.labels.cmp(&b.labels));
    groups
}

fn quantiles(members: &[Series], numbers: &[f64]) -> Vec<f64> {
    let mut values = Vec::with_capacity(members.len());
    let of_step = |(i, &q): (usize, &f64)| {
        values.clear();
        let all = members.iter().map(|member| member.values[i]);
        values.extend(all.filter(|&value| is_present(value)));
        if values.is_empty() {
            return ABSENT;
        }
        quantile(q, &mut values)
    };
    numbers.iter().enumerate().map(of_step).collect()
}
