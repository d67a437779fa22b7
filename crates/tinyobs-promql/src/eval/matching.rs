//! Matching: series of two vectors that belong together, and what comes of them.
//!
//!   both sides ─▶ groups of the same `on`/`ignoring` labels ─▶ many × one ─▶ columns of results
//!
//! With `group_right` the sides change places, so that the left one is always that of the many.
//! A group is the same at every step; which of its series have a value is not, so what may be there
//! once only is looked for step by step.
//!
//! I-MATCHING-1  At no step does a group have two series on the side of the one, unless the other
//!               side has nothing at all.
//! I-MATCHING-2  Without `group_left` or `group_right`, at no step two on the other side that meet it.
//! I-MATCHING-2  Without `group_left` or `group_right`, at no step two results on the other side.
//! Proved by: scripts/operators.test.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use tinyobs_model::{Labels, METRIC_NAME};

use super::binary::{apply, changes_metric};
use super::grid::Grid;
use super::value::{ABSENT, Series, is_present, without_name};
use super::{EvalError, Evaluated, Evaluator};
use crate::ast::Binary;
use crate::binary::{Cardinality, Matching};
use crate::span::Span;

/// The labels by which series belong together.
pub(super) fn group_labels(matching: &Matching, labels: &Labels) -> Labels {
    let listed = |name: &str| matching.labels.iter().any(|label| label == name);
    if matching.on {
        labels.filtered(listed)
    } else {
        labels.filtered(|name| name != METRIC_NAME && !listed(name))
    }
}

/// The series that belong together.
#[derive(Default)]
struct Group {
    many: Vec<usize>,
    one: Vec<usize>,
    /// For each step the place in `one` that has a value, if there are several.
    chosen: Vec<usize>,
    /// For each step whether there is a result, where only one may be.
    taken: Vec<bool>,
}

/// No series of the side of the one.
const NONE: usize = usize::MAX;

/// What is the same for all groups.
struct Join<'a> {
    binary: &'a Binary,
    matching: &'a Matching,
    swapped: bool,
    span: Span,
    delayed: bool,
    fill_many: Option<f64>,
    fill_one: Option<f64>,
}

impl Evaluator<'_> {
    pub(super) fn matched(
        &mut self,
        binary: &Binary,
        matching: &Matching,
        lhs: Vec<Series>,
        rhs: Vec<Series>,
        span: Span,
        grid: Grid,
    ) -> Evaluated<Vec<Series>> {
        let swapped = matching.cardinality == Cardinality::OneToMany;
        let fills = [matching.fill_left, matching.fill_right].map(|fill| fill.map(|n| n.value));
        let (many, one) = if swapped { (rhs, lhs) } else { (lhs, rhs) };
        let [left, right] = fills;
        let (fill_many, fill_one) = if swapped {
            (right, left)
        } else {
            (left, right)
        };
        let join = Join {
            binary,
            matching,
            swapped,
            span,
            delayed: self.query.delayed_names,
            fill_many,
            fill_one,
        };
        let (mut groups, order, places) = join.groups(&many, &one);
        let filled = join.fill_many.is_some() || join.fill_one.is_some();
        self.take_bytes(grid.count as u64)?;
        let matters: Vec<bool> = (0..grid.count)
            .map(|i| filled || many.iter().any(|series| is_present(series.values[i])))
            .collect();
        for (labels, group) in order.iter().zip(&mut groups) {
            self.check()?;
            if group.one.len() > 1 {
                self.take_bytes((grid.count * size_of::<usize>()) as u64)?;
                group.chosen = join.chosen(labels, group, &one, &matters)?;
            }
        }
        let mut out = Vec::new();
        for (series, &at) in many.iter().zip(&places) {
            self.check()?;
            self.of_many(
                &join,
                series,
                &one,
                &mut groups[at],
                &order[at],
                grid,
                &mut out,
            )?;
        }
        if let Some(fill) = join.fill_many {
            for (labels, group) in order.iter().zip(&groups) {
                self.of_missing(&join, fill, &many, &one, group, labels, grid, &mut out)?;
            }
        }
        Ok(out)
    }

    /// The results of one series of the side of the many.
    #[expect(clippy::too_many_arguments, reason = "the parts of one join")]
    fn of_many(
        &mut self,
        join: &Join<'_>,
        many: &Series,
        one: &[Series],
        group: &mut Group,
        labels: &Labels,
        grid: Grid,
        out: &mut Vec<Series>,
    ) -> Evaluated<()> {
        let one_to_one = join.matching.cardinality == Cardinality::OneToOne;
        if one_to_one && group.many.len() > 1 && group.taken.is_empty() {
            self.take_bytes(grid.count as u64)?;
            group.taken = vec![false; grid.count];
        }
        // A column for each partner that it comes to have, which nearly always is one.
        let mut columns: HashMap<usize, Vec<f64>> = HashMap::new();
        let mut partners: Vec<usize> = Vec::new();
        for i in 0..grid.count {
            let partner = group.partner(one, i);
            let other = match (one.get(partner), join.fill_one) {
                (Some(series), _) => series.values[i],
                (None, Some(fill)) => fill,
                (None, None) => continue,
            };
            if !is_present(many.values[i]) {
                continue;
            }
            // Whether a comparison lets it through or not.
            if let Some(taken) = group.taken.get_mut(i)
                && std::mem::replace(taken, true)
            {
                return Err(join.many_to_one(labels));
            }
            let Some(result) = join.apply(many.values[i], other) else {
                continue;
            };
            let column = match columns.entry(partner) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    partners.push(partner);
                    new.insert(self.column(ABSENT, grid)?)
                }
            };
            column[i] = result;
        }
        for partner in partners {
            let other = one.get(partner).map_or(labels, |series| &series.labels);
            if let Some(values) = columns.remove(&partner) {
                out.push(join.series(many, other, values));
            }
        }
        Ok(())
    }

    /// The results of the side of the one where there is none of the many.
    #[expect(clippy::too_many_arguments, reason = "the parts of one join")]
    fn of_missing(
        &mut self,
        join: &Join<'_>,
        fill: f64,
        many: &[Series],
        one: &[Series],
        group: &Group,
        labels: &Labels,
        grid: Grid,
        out: &mut Vec<Series>,
    ) -> Evaluated<()> {
        for &partner in &group.one {
            self.check()?;
            let mut values = self.column(ABSENT, grid)?;
            for (i, value) in values.iter_mut().enumerate() {
                let there = |&place: &usize| is_present(many[place].values[i]);
                if group.partner(one, i) == partner && !group.many.iter().any(there) {
                    let result = join.apply(fill, one[partner].values[i]);
                    *value = result.unwrap_or(ABSENT);
                }
            }
            let missing = Series::new(labels.clone(), Vec::new());
            let series = join.series(&missing, &one[partner].labels, values);
            if !series.is_empty() {
                out.push(series);
            }
        }
        Ok(())
    }
}

impl Group {
    /// The series of the side of the one that has a value at step `i`.
    fn partner(&self, one: &[Series], i: usize) -> usize {
        match (self.one.as_slice(), self.chosen.get(i)) {
            (_, Some(&chosen)) => chosen,
            (&[only], None) if is_present(one[only].values[i]) => only,
            _ => NONE,
        }
    }
}

impl Join<'_> {
    /// Groups with their labels in the order in which they come up, and the group of each of `many`.
    fn groups(&self, many: &[Series], one: &[Series]) -> (Vec<Group>, Vec<Labels>, Vec<usize>) {
        let mut groups: Vec<Group> = Vec::new();
        let mut order: Vec<Labels> = Vec::new();
        let mut by_labels: HashMap<Labels, usize> = HashMap::new();
        let mut place = |labels: Labels, groups: &mut Vec<Group>| -> usize {
            *by_labels.entry(labels).or_insert_with_key(|labels| {
                groups.push(Group::default());
                order.push(labels.clone());
                groups.len() - 1
            })
        };
        let mut places = Vec::with_capacity(many.len());
        for (i, series) in many.iter().enumerate() {
            let at = place(group_labels(self.matching, &series.labels), &mut groups);
            groups[at].many.push(i);
            places.push(at);
        }
        for (i, series) in one.iter().enumerate() {
            let at = place(group_labels(self.matching, &series.labels), &mut groups);
            groups[at].one.push(i);
        }
        (groups, order, places)
    }

    /// I-MATCHING-1
    fn chosen(
        &self,
        labels: &Labels,
        group: &Group,
        one: &[Series],
        matters: &[bool],
    ) -> Evaluated<Vec<usize>> {
        let mut chosen = vec![NONE; matters.len()];
        for &place in &group.one {
            for (i, chosen) in chosen.iter_mut().enumerate() {
                if !is_present(one[place].values[i]) {
                    continue;
                }
                if *chosen != NONE && matters[i] {
                    let side = if self.swapped { "left" } else { "right" };
                    let (a, b) = (&one[*chosen].labels, &one[place].labels);
                    let reason = format!(
                        "the {side} side has several series for {labels}: {a} and {b}, \
                         many-to-many matching is not allowed: say on which labels to match"
                    );
                    return Err(EvalError::execution(self.span, reason));
                }
                *chosen = place;
            }
        }
        Ok(chosen)
    }

    /// I-MATCHING-2
    fn many_to_one(&self, labels: &Labels) -> EvalError {
        let reason = format!(
            "the left side has several series for {labels}, matching many to one must be said: \
             group_left or group_right"
        );
        EvalError::execution(self.span, reason)
    }

    /// The value of one pair, if it has any.
    fn apply(&self, many: f64, one: f64) -> Option<f64> {
        let (left, right) = if self.swapped {
            (one, many)
        } else {
            (many, one)
        };
        let (value, holds) = apply(self.binary.op, left, right);
        if self.binary.return_bool {
            return Some(f64::from(u8::from(holds)));
        }
        holds.then_some(value)
    }

    /// A result with the labels of a pair.
    fn series(&self, many: &Series, one: &Labels, values: Vec<f64>) -> Series {
        let changed = changes_metric(self.binary.op) || self.binary.return_bool;
        let mut labels = if changed && !self.delayed {
            without_name(&many.labels)
        } else {
            many.labels.clone()
        };
        let matching = self.matching;
        if matching.cardinality == Cardinality::OneToOne {
            let listed = |name: &str| matching.labels.iter().any(|label| label == name);
            labels = labels.filtered(|name| listed(name) == matching.on);
        }
        for name in &matching.include {
            labels = labels.with(name, one.get(name).unwrap_or_default());
        }
        let mut series = Series::new(labels, values);
        series.drop_name = many.drop_name || changed && self.delayed;
        series
    }
}
