//! Aggregate: many series to one for each group; `topk` and its like, which keep series, are in
//! `ranked`.
//!
//! I-AGGREGATE-1  Values are added up in the order of their series' labels: the same query gives
//!                the same bits.
//! Proved by: scripts/aggregates.test, tests/eval.rs.

use std::collections::HashMap;

use tinyobs_model::{Labels, METRIC_NAME, limits};

use super::grid::Grid;
use super::stats::{Mean, Sum, quantile};
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
        let series = self.eval_vector(&aggregate.expr, grid)?;
        let groups = grouped(&aggregate.grouping, series);
        match (op, param.as_deref()) {
            (AggregateOp::CountValues, Some(param)) => {
                self.count_values(&aggregate.grouping, param, &groups, grid)
            }
            (AggregateOp::Quantile, _) => {
                for &q in &numbers {
                    self.warn_of_quantile(place, q);
                }
                self.each_group(groups, grid, |members, _| quantiles(members, &numbers))
            }
            (op, Some(_)) => self.ranked(*op, &numbers, groups, place, grid),
            (op, None) => self.each_group(groups, grid, |members, grid| {
                folded(*op, members, grid.count)
            }),
        }
    }

    /// One series for each group.
    fn each_group(
        &mut self,
        groups: Vec<Group>,
        grid: Grid,
        fold: impl Fn(&[Series], Grid) -> Vec<f64>,
    ) -> Evaluated<Value> {
        let mut out = Vec::with_capacity(groups.len());
        for group in groups {
            self.check()?;
            // What is added up on the way to the result is given back.
            let on_the_way = 6 * Series::bytes_of(grid.count);
            self.take_bytes(Series::bytes_of(grid.count))?;
            self.take_bytes(on_the_way)?;
            self.bytes -= on_the_way;
            let mut series = Series::new(group.labels, fold(&group.members, grid));
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

/// The groups in the order of their labels, members in the order given.
fn grouped(grouping: &Grouping, series: Vec<Series>) -> Vec<Group> {
    let listed = |name: &str| grouping.labels.iter().any(|label| label == name);
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for one in series {
        let labels = if grouping.without {
            one.labels
                .filtered(|name| name != METRIC_NAME && !listed(name))
        } else {
            one.labels.filtered(listed)
        };
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

/// The aggregations that go value by value.
fn folded(op: AggregateOp, members: &[Series], steps: usize) -> Vec<f64> {
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
    match op {
        AggregateOp::Sum => fold(
            members,
            steps,
            Sum::of,
            |sum, value| *sum = sum.plus(value),
            Sum::value,
        ),
        AggregateOp::Avg => fold(members, steps, Mean::of, Mean::add, Mean::value),
        AggregateOp::Max => fold(members, steps, same, larger, same),
        AggregateOp::Min => fold(members, steps, same, smaller, same),
        AggregateOp::Count => fold(members, steps, |_| 1.0, |count, _| *count += 1.0, same),
        AggregateOp::Stddev => fold(members, steps, Distance::of, Distance::add, |d| {
            d.variance().sqrt()
        }),
        AggregateOp::Stdvar => fold(
            members,
            steps,
            Distance::of,
            Distance::add,
            Distance::variance,
        ),
        // `group`; all others take a parameter and do not come here.
        _ => fold(members, steps, |_| 1.0, |_, _| {}, same),
    }
}

/// Column by column: `first` makes of a step's first value what `add` adds the others to.
fn fold<A: Copy>(
    members: &[Series],
    steps: usize,
    first: impl Fn(f64) -> A,
    add: impl Fn(&mut A, f64),
    value: impl Fn(A) -> f64,
) -> Vec<f64> {
    let mut states: Vec<Option<A>> = vec![None; steps];
    for member in members {
        for (state, &new) in states.iter_mut().zip(&member.values) {
            match state {
                _ if !is_present(new) => {}
                Some(state) => add(state, new),
                None => *state = Some(first(new)),
            }
        }
    }
    let value = |state: Option<A>| state.map_or(ABSENT, &value);
    states.into_iter().map(value).collect()
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
