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
//! I-WINDOW-4  A window that touches no row is made of samples as if there were no rows at all.
//! Proved by: scripts/windows.test, tests/steps.rs; with rows, tests/rolled.rs.

use tinyobs_model::{Columns, Labels, Sample, is_stale_marker};

use super::front::Front;
use super::grid::Grid;
use super::read::{Asked, Recorded, Row};
use super::rows::{self, Cells, RowWindow};
use super::selector::{Shift, reach};
use super::spread::Sink;
use super::value::{Series, is_present};
use super::{Evaluated, Evaluator, mistyped};
use crate::ast::{Expr, ExprKind, Extension, RangeSelector, Subquery, ValueType};
use crate::span::Span;

/// One series with everything that its windows are made of.
pub(super) struct Input<'a> {
    pub labels: &'a Labels,
    pub drop_name: bool,
    /// Ascending, without stale markers.
    pub times: &'a [i64],
    pub values: &'a [f64],
    /// Windows, where there are no samples, and both in one line.
    rows: &'a [Row],
    cells: Option<&'a Cells>,
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
pub(super) enum View<'a> {
    /// Samples.
    Samples(Window<'a>),
    /// Windows, at least one, and what samples stand beside them.
    Rows(RowWindow<'a>),
}

/// The samples in a range.
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
    /// How many samples of the series stand before it.
    pub place: usize,
}

impl Input<'_> {
    pub fn range_ms(&self) -> i64 {
        self.range_ms
    }

    /// Whether samples beside the range belong to it.
    pub fn is_extended(&self) -> bool {
        self.reach.extension.is_some()
    }

    /// What there is at step `i`; a range that meets rows is as wide as `windows` of them.
    pub fn view(&self, i: usize, windows: i64) -> Option<View<'_>> {
        let at_ms = self.grid.time(i);
        if let Some(rows) = self.row_window(at_ms, windows) {
            return (!rows.cells.is_empty()).then_some(View::Rows(rows));
        }
        let end_ms = self.shift.apply(at_ms);
        let (from, to) = self.edges(end_ms);
        let low = self.times.partition_point(|&time| time <= from);
        let high = self.times.partition_point(|&time| time <= to);
        (low < high).then(|| View::Samples(self.cut(at_ms, low, high)))
    }

    /// Samples are seen with `from < time <= to`.
    fn edges(&self, end_ms: i64) -> (i64, i64) {
        let from = end_ms.saturating_sub(self.range_ms.saturating_add(self.reach.back_ms));
        (from, end_ms.saturating_add(self.reach.ahead_ms))
    }

    /// None where there are only samples.
    fn row_window(&self, at_ms: i64, windows: i64) -> Option<RowWindow<'_>> {
        let cells = self.cells?;
        let end_ms = self.shift.apply(at_ms);
        let (mut from, to) = self.edges(end_ms);
        let resolution = rows::widest_between(self.rows, from, to)?;
        // I-ROWS-4
        let range_ms = self.range_ms.max(resolution.width_ms() * windows);
        from = from.min(end_ms.saturating_sub(range_ms));
        let window = Window {
            start_ms: end_ms.saturating_sub(range_ms),
            range_ms,
            ..self.cut(at_ms, 0, 0)
        };
        let (cells, lasts) = cells.between(from, to, window);
        Some(RowWindow {
            cells,
            lasts,
            resolution,
            widened_from: (range_ms > self.range_ms).then_some(self.range_ms),
        })
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
            place: low,
        }
    }

    /// Calls `each` with what there is at each step that there is anything at.
    pub fn slide(&self, windows: i64, mut each: impl FnMut(usize, View<'_>)) {
        if self.cells.is_some() {
            for i in 0..self.grid.count {
                if let Some(view) = self.view(i, windows) {
                    each(i, view);
                }
            }
            return;
        }
        if self.shift.is_fixed() {
            if let Some(View::Samples(window)) = self.view(0, windows) {
                for (i, at_ms) in self.grid.times().enumerate() {
                    each(i, View::Samples(Window { at_ms, ..window }));
                }
            }
            return;
        }
        let (mut start, mut end) = (Front::default(), Front::default());
        for (i, at_ms) in self.grid.times().enumerate() {
            // I-WINDOW-1
            let (from, to) = self.edges(self.shift.apply(at_ms));
            let (low, high) = (start.pass(self.times, from), end.pass(self.times, to));
            if low < high {
                each(i, View::Samples(self.cut(at_ms, low, high)));
            }
        }
    }
}

/// What is made of a series of a range vector.
pub(super) type EachInput<'f, 'e, T> =
    &'f (dyn Fn(&mut Evaluator<'e>, &Input<'_>) -> Evaluated<Option<T>> + Sync);

impl<'e> Evaluator<'e> {
    /// Calls `each` with every series of a range vector, on several threads, and hands what it makes
    /// to `sink`, in order.
    pub(super) fn each_window_series<T: Send>(
        &mut self,
        expr: &Expr,
        grid: Grid,
        each: EachInput<'_, 'e, T>,
        sink: Sink<'_, 'e, T>,
    ) -> Evaluated<()> {
        let inner = expr.without_parens();
        let node = self.begin_node(inner);
        let series = match &inner.kind {
            ExprKind::Matrix(range) => self.of_selector(range, inner.span, grid, each, sink),
            ExprKind::Subquery(subquery) => {
                self.of_subquery(subquery, inner.span, grid, each, sink)
            }
            _ => Err(mistyped(expr, ValueType::Matrix)),
        }?;
        self.end_node(node, series);
        Ok(())
    }

    fn of_selector<T: Send>(
        &mut self,
        matrix: &RangeSelector,
        span: Span,
        grid: Grid,
        each: EachInput<'_, 'e, T>,
        sink: Sink<'_, 'e, T>,
    ) -> Evaluated<usize> {
        let RangeSelector { selector, range } = matrix;
        let range_ms = self.milliseconds(range, true)?;
        let shift = self.shift(&selector.time)?;
        let lookback = self.query.lookback_ms;
        let (back_ms, ahead_ms) = match selector.extension {
            None => (0, 0),
            Some(Extension::Anchored) => (lookback, 0),
            Some(Extension::Smoothed) => (lookback, lookback),
        };
        let reached = Reach {
            back_ms,
            ahead_ms,
            extension: selector.extension,
        };
        let asked = Asked {
            range: reach(shift, grid, range_ms.saturating_add(back_ms), ahead_ms),
            rows_back: rows::WIDENED_MAX,
            coarse_ms: range_ms,
            span,
        };
        let of_series = |evaluator: &mut Self, labels: &Labels, recorded: &Recorded| {
            let mut clean = Columns::default();
            let samples = without_stale(&recorded.samples, &mut clean);
            let mut input = Input {
                labels,
                drop_name: false,
                times: &samples.times,
                values: &samples.values,
                rows: &recorded.rows,
                cells: None,
                range_ms,
                reach: reached,
                shift,
                grid,
            };
            if recorded.rows.is_empty() {
                return each(evaluator, &input);
            }
            let mut cells = Cells::default();
            let near_ms = range_ms.max(rows::WIDENED_MAX) + back_ms + ahead_ms;
            cells.fill(&recorded.rows, samples.iter(), near_ms);
            evaluator.take_bytes(cells.bytes())?;
            input.cells = Some(&cells);
            let made = each(evaluator, &input);
            evaluator.meter.give_back(cells.bytes());
            made
        };
        let before = self.meter.series();
        self.each_series(selector, asked, &of_series, sink)?;
        Ok((self.meter.series() - before) as usize)
    }

    fn of_subquery<T: Send>(
        &mut self,
        subquery: &Subquery,
        span: Span,
        grid: Grid,
        each: EachInput<'_, 'e, T>,
        sink: Sink<'_, 'e, T>,
    ) -> Evaluated<usize> {
        let range_ms = self.milliseconds(&subquery.range, true)?;
        let step_ms = match &subquery.step {
            Some(step) => self.milliseconds(step, true)?,
            None => self.query.subquery_step_ms.max(1),
        };
        let shift = self.shift(&subquery.time)?;
        let edge = shift.apply(grid.start_ms).saturating_sub(range_ms);
        let last = shift.apply(grid.end_ms());
        // I-WINDOW-3; the left edge is left out.
        let first = (edge.div_euclid(step_ms) + 1).saturating_mul(step_ms);
        let inner = Grid::new(first, last, step_ms, span, self.query)?;
        let series = self.eval_vector(&subquery.expr, inner)?;
        let count = series.len();
        let of_series = |evaluator: &mut Self, one: Series| {
            let samples = present(&one, inner);
            let made = if samples.is_empty() {
                None
            } else {
                let input = Input {
                    labels: &one.labels,
                    drop_name: one.drop_name,
                    times: &samples.times,
                    values: &samples.values,
                    rows: &[],
                    cells: None,
                    range_ms,
                    reach: Reach::default(),
                    shift,
                    grid,
                };
                each(evaluator, &input)?
            };
            // The inner column goes; what `each` made of it stays.
            evaluator.meter.give_back(one.bytes());
            Ok(made)
        };
        self.spread(series, &of_series, sink)?;
        Ok(count)
    }
}

/// The values of a column that are there, as samples.
fn present(series: &Series, grid: Grid) -> Columns {
    let mut samples = Columns::default();
    let pairs = grid.times().zip(&series.values);
    for (time_ms, &value) in pairs.filter(|(_, value)| is_present(**value)) {
        samples.push(Sample::new(time_ms, value));
    }
    samples
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
