//! Window: the samples of a series that a range function sees at a step.
//!
//!   `x[5m]`, `expr[5m:1m]` ─▶ [Input]: one series, all its samples ─▶ [Window] per step ─▶ function
//!
//! Both ends of the window only go forward with the steps, so all steps together look at each
//! sample twice, however wide the range.
//!
//! I-WINDOW-1  A window holds the samples with `start < time <= end`: its left edge is left out.
//! I-WINDOW-2  Stale markers are in no window.
//! I-WINDOW-3  The steps of a subquery are multiples of its step, whenever it is asked.
//! Proved by: scripts/windows.test, tests/steps.rs.

use tinyobs_model::{Columns, Labels, is_stale_marker};

use super::grid::Grid;
use super::selector::{Shift, reach};
use super::value::is_present;
use super::{Evaluated, Evaluator, mistyped};
use crate::ast::{Expr, ExprKind, Extension, RangeSelector, Subquery, ValueType};

/// One series with everything that its windows are made of.
pub(super) struct Input<'a> {
    pub labels: &'a Labels,
    pub drop_name: bool,
    /// Ascending, without stale markers.
    pub times: &'a [i64],
    pub values: &'a [f64],
    range_ms: i64,
    /// Samples next to the window that belong to it.
    reach: Reach,
    shift: Shift,
    grid: Grid,
}

/// How far beyond its edges a window looks, and why.
#[derive(Debug, Clone, Copy, Default)]
struct Reach {
    back_ms: i64,
    ahead_ms: i64,
    extension: Option<Extension>,
}

/// What a range function sees at a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'a> {
    pub times: &'a [i64],
    pub values: &'a [f64],
    /// The edges of the range; with an extension there are samples beyond them.
    pub start_ms: i64,
    pub end_ms: i64,
    pub range_ms: i64,
    /// The moment of the step.
    pub at_ms: i64,
    pub extension: Option<Extension>,
}

impl Input<'_> {
    /// The window of step `i`.
    pub fn window(&self, i: usize) -> Window<'_> {
        let at_ms = self.grid.time(i);
        let end_ms = self.shift.apply(at_ms);
        let start_ms = end_ms.saturating_sub(self.range_ms);
        let from = start_ms.saturating_sub(self.reach.back_ms);
        let to = end_ms.saturating_add(self.reach.ahead_ms);
        let low = self.times.partition_point(|&time| time <= from);
        let high = self.times.partition_point(|&time| time <= to);
        self.cut(at_ms, low, high.max(low))
    }

    fn cut(&self, at_ms: i64, low: usize, high: usize) -> Window<'_> {
        let end_ms = self.shift.apply(at_ms);
        Window {
            times: &self.times[low..high],
            values: &self.values[low..high],
            start_ms: end_ms.saturating_sub(self.range_ms),
            end_ms,
            range_ms: self.range_ms,
            at_ms,
            extension: self.reach.extension,
        }
    }

    /// Calls `each` with the windows of all steps that hold anything.
    pub fn slide(&self, mut each: impl FnMut(usize, Window<'_>)) {
        if self.shift.is_fixed() {
            let window = self.window(0);
            for (i, at_ms) in self.grid.times().enumerate() {
                if !window.times.is_empty() {
                    each(i, Window { at_ms, ..window });
                }
            }
            return;
        }
        let (mut low, mut high) = (0, 0);
        for (i, at_ms) in self.grid.times().enumerate() {
            let end_ms = self.shift.apply(at_ms);
            let from = end_ms.saturating_sub(self.range_ms.saturating_add(self.reach.back_ms));
            let to = end_ms.saturating_add(self.reach.ahead_ms);
            // I-WINDOW-1
            while self.times.get(high).is_some_and(|&time| time <= to) {
                high += 1;
            }
            while low < high && self.times[low] <= from {
                low += 1;
            }
            if low < high {
                each(i, self.cut(at_ms, low, high));
            }
        }
    }
}

type Each<'f, 'e> = &'f mut dyn FnMut(&mut Evaluator<'e>, &Input<'_>) -> Evaluated<()>;

impl<'e> Evaluator<'e> {
    /// Calls `each` with every series of a range vector.
    pub(super) fn each_window_series(
        &mut self,
        expr: &Expr,
        grid: Grid,
        each: Each<'_, 'e>,
    ) -> Evaluated<()> {
        match &expr.without_parens().kind {
            ExprKind::Matrix(range) => self.of_selector(range, grid, each),
            ExprKind::Subquery(subquery) => self.of_subquery(subquery, grid, each),
            _ => Err(mistyped(expr, ValueType::Matrix)),
        }
    }

    fn of_selector(
        &mut self,
        matrix: &RangeSelector,
        grid: Grid,
        each: Each<'_, 'e>,
    ) -> Evaluated<()> {
        let RangeSelector { selector, range } = matrix;
        let range_ms = self.milliseconds(range, true)?;
        let shift = self.shift(&selector.time)?;
        let lookback = self.query.lookback_ms;
        let (back_ms, ahead_ms) = match selector.extension {
            None => (0, 0),
            Some(Extension::Anchored) => (lookback, 0),
            Some(Extension::Smoothed) => (lookback, lookback),
        };
        let asked = reach(shift, grid, range_ms.saturating_add(back_ms), ahead_ms);
        let mut clean = Columns::default();
        self.each_series(selector, asked, &mut |evaluator, labels, samples| {
            let samples = without_stale(samples, &mut clean);
            let input = Input {
                labels,
                drop_name: false,
                times: &samples.times,
                values: &samples.values,
                range_ms,
                reach: Reach {
                    back_ms,
                    ahead_ms,
                    extension: selector.extension,
                },
                shift,
                grid,
            };
            each(evaluator, &input)
        })
    }

    fn of_subquery(
        &mut self,
        subquery: &Subquery,
        grid: Grid,
        each: Each<'_, 'e>,
    ) -> Evaluated<()> {
        let range_ms = self.milliseconds(&subquery.range, true)?;
        let step_ms = match &subquery.step {
            Some(step) => self.milliseconds(step, true)?,
            None => self.query.subquery_step_ms.max(1),
        };
        let shift = self.shift(&subquery.time)?;
        let inner = self.inner_grid(grid, shift, range_ms, step_ms)?;
        let before = self.bytes;
        let series = self.eval_vector(&subquery.expr, inner)?;
        let mut samples = Columns::default();
        for one in &series {
            self.check()?;
            samples.clear();
            for (time, &value) in inner.times().zip(&one.values) {
                if is_present(value) {
                    samples.times.push(time);
                    samples.values.push(value);
                }
            }
            if samples.is_empty() {
                continue;
            }
            let input = Input {
                labels: &one.labels,
                drop_name: one.drop_name,
                times: &samples.times,
                values: &samples.values,
                range_ms,
                reach: Reach::default(),
                shift,
                grid,
            };
            each(self, &input)?;
        }
        let held: u64 = self.bytes - before;
        // The inner columns go; what `each` made of them stays.
        let inner_bytes = super::value::Value::Vector(series).bytes();
        self.bytes = before + held.saturating_sub(inner_bytes);
        Ok(())
    }

    /// The moments at which the inside of a subquery is evaluated for all steps of `grid`.
    fn inner_grid(&self, grid: Grid, shift: Shift, range_ms: i64, step_ms: i64) -> Evaluated<Grid> {
        let edge = shift.apply(grid.start_ms).saturating_sub(range_ms);
        let last = shift.apply(grid.end_ms());
        // I-WINDOW-3; the left edge is left out.
        let first = (edge.div_euclid(step_ms) + 1).saturating_mul(step_ms);
        Grid::new(first, last, step_ms, self.query)
    }
}

/// I-WINDOW-2
fn without_stale<'a>(samples: &'a Columns, clean: &'a mut Columns) -> &'a Columns {
    if !samples.values.iter().any(|&value| is_stale_marker(value)) {
        return samples;
    }
    clean.clear();
    for sample in samples
        .iter()
        .filter(|sample| !is_stale_marker(sample.value))
    {
        clean.push(sample);
    }
    clean
}
