//! Set: `and`, `or`, `unless`: which series there are, whatever their values.

use std::collections::HashMap;

use tinyobs_model::Labels;

use super::grid::Grid;
use super::matching::group_labels;
use super::value::{ABSENT, Series, is_present};
use super::{Evaluated, Evaluator};
use crate::binary::Matching;

/// For every group of labels, at which steps it has any series.
type Presence = HashMap<Labels, Vec<bool>>;

impl Evaluator<'_> {
    /// `and`: what of `lhs` has something in `rhs`; `unless`: what has nothing there.
    pub(super) fn and(
        &mut self,
        mut lhs: Vec<Series>,
        rhs: &[Series],
        matching: &Matching,
        wanted: bool,
        grid: Grid,
    ) -> Evaluated<Vec<Series>> {
        let presence = self.presence(rhs, matching, grid)?;
        mask(&mut lhs, &presence, matching, wanted);
        Ok(lhs)
    }

    /// `or`: all of `lhs`, and what of `rhs` has nothing there.
    pub(super) fn or(
        &mut self,
        mut lhs: Vec<Series>,
        mut rhs: Vec<Series>,
        matching: &Matching,
        grid: Grid,
    ) -> Evaluated<Vec<Series>> {
        let presence = self.presence(&lhs, matching, grid)?;
        mask(&mut rhs, &presence, matching, false);
        lhs.append(&mut rhs);
        Ok(lhs)
    }

    fn presence(
        &mut self,
        series: &[Series],
        matching: &Matching,
        grid: Grid,
    ) -> Evaluated<Presence> {
        let mut presence = Presence::new();
        for one in series {
            self.check()?;
            let labels = group_labels(matching, &one.labels);
            if !presence.contains_key(&labels) {
                self.take_bytes((grid.count + labels.as_bytes().len()) as u64)?;
            }
            let steps = presence
                .entry(labels)
                .or_insert_with(|| vec![false; grid.count]);
            for (there, &value) in steps.iter_mut().zip(&one.values) {
                *there |= is_present(value);
            }
        }
        Ok(presence)
    }
}

/// Takes away the values whose group is there, or is not, against what is `wanted`.
fn mask(series: &mut Vec<Series>, presence: &Presence, matching: &Matching, wanted: bool) {
    for one in &mut *series {
        let steps = presence.get(&group_labels(matching, &one.labels));
        for (i, value) in one.values.iter_mut().enumerate() {
            if steps.is_some_and(|steps| steps[i]) != wanted {
                *value = ABSENT;
            }
        }
    }
    series.retain(|one| !one.is_empty());
}
