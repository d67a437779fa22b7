//! Rows: what a range function makes of windows where the samples are gone.
//!
//!   recorded rows ─▶ [Cells]: rows and samples in one line ─▶ [RowWindow] per step ─▶ the column that
//!   the function needs │ the last values, and a warning
//!
//! A row stands at its end: a range holds it when its end lies in the range, so that ranges that
//! follow one another share no row and leave none out. The edges of a range that begins or ends
//! among rows are those of the rows.
//!
//! I-ROWS-3  A range that is a multiple of the windows and ends where one ends gets exactly what the
//!           samples in those windows come to: increase, count, sum, lowest and highest.
//! I-ROWS-4  A range narrower than a window is as wide as one, with a warning.
//! I-ROWS-5  What has no column is made of last values, with a warning.
//! I-ROWS-6  A range that is no multiple of the windows takes in all of the first one that it meets; who
//!           counts what is in it says so in a warning when its windows last longer than the range.
//! Proved by: tests/rolled.rs.

use tinyobs_model::rollup::junction;
use tinyobs_model::{Resolution, Rollup, Sample, TimeRange};

use super::over_time::best;
use super::read::Row;
use super::stats::Sum;
use super::window::Window;
use crate::functions::Function;

/// Rows and samples of one series in one line, as far as they meet in a range.
#[derive(Debug, Default)]
pub(super) struct Cells {
    line: Vec<Cell>,
    /// The last sample of each, for what has no column.
    times: Vec<i64>,
    values: Vec<f64>,
}

/// A window, or a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// Where it stands: a sample at its time, a window at its end.
    at_ms: i64,
    resolution: Resolution,
    row: Rollup,
}

/// What a range function sees at a step where there are rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowWindow<'a> {
    pub cells: &'a [Cell],
    /// The last values, in the same range.
    pub lasts: Window<'a>,
    /// The widest rows in it.
    pub resolution: Resolution,
    /// The range that was asked for, if it was too narrow.
    pub widened_from: Option<i64>,
}

impl Cell {
    fn of_row(row: &Row) -> Self {
        Self {
            at_ms: row.end_ms(),
            resolution: row.resolution,
            row: row.rollup,
        }
    }

    fn of_sample(sample: Sample) -> Self {
        let value = sample.value;
        Self {
            at_ms: sample.time_ms,
            resolution: Resolution::Raw,
            row: Rollup {
                start_ms: sample.time_ms,
                count: 1,
                sum: value,
                min: value,
                max: value,
                first: sample,
                last: sample,
                increase: 0.0,
                ended: false,
            },
        }
    }

    /// What the counter went up by inside of it; by its ends where that was not kept.
    fn increase(&self) -> f64 {
        if self.row.increase.is_nan() {
            return step(self.row.first, self.row.last);
        }
        self.row.increase
    }
}

impl Cells {
    /// Of all rows, and of the samples that can be in one range with them.
    pub fn fill(&mut self, rows: &[Row], samples: impl Iterator<Item = Sample>, range_ms: i64) {
        self.line.clear();
        self.times.clear();
        self.values.clear();
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return;
        };
        let near = TimeRange::new(
            first.rollup.start_ms.saturating_sub(range_ms),
            last.end_ms().saturating_add(range_ms),
        );
        let mut samples = samples
            .filter(|sample| near.contains(sample.time_ms))
            .peekable();
        for row in rows.iter().filter(|row| row.rollup.count > 0) {
            while let Some(sample) = samples.next_if(|it| it.time_ms < row.end_ms()) {
                self.push(Cell::of_sample(sample));
            }
            self.push(Cell::of_row(row));
        }
        for sample in samples {
            self.push(Cell::of_sample(sample));
        }
    }

    fn push(&mut self, cell: Cell) {
        self.line.push(cell);
        self.times.push(cell.row.last.time_ms);
        self.values.push(cell.row.last.value);
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> u64 {
        (self.line.len() * (size_of::<Cell>() + size_of::<Sample>())) as u64
    }

    /// What stands in `from < time <= to`, with the window of their last values.
    pub fn between(&self, from_ms: i64, to_ms: i64, window: Window<'_>) -> (&[Cell], Window<'_>) {
        let low = self.line.partition_point(|cell| cell.at_ms <= from_ms);
        let high = self.line.partition_point(|cell| cell.at_ms <= to_ms);
        let place = low..high.max(low);
        let lasts = Window {
            times: &self.times[place.clone()],
            values: &self.values[place.clone()],
            place: 0,
            ..window
        };
        (&self.line[place], lasts)
    }
}

/// The rows that share a moment with `from < time <= to`; the widest tells.
pub(super) fn widest_between(rows: &[Row], from_ms: i64, to_ms: i64) -> Option<Resolution> {
    let low = rows.partition_point(|row| row.end_ms() - 1 <= from_ms);
    let high = rows.partition_point(|row| row.rollup.start_ms <= to_ms);
    let met = rows.get(low..high)?;
    met.iter().map(|row| row.resolution).max()
}

/// How many windows a function needs to say anything.
pub(super) fn windows_needed(function: Function) -> i64 {
    use Function as F;
    match function {
        F::Irate
        | F::Idelta
        | F::Deriv
        | F::PredictLinear
        | F::DoubleExponentialSmoothing
        | F::Changes
        | F::Resets => 2,
        _ => 1,
    }
}

/// Whether what a function makes of a range would be another number without what lies before it:
/// `rate` and its like allow for it, the last value is the same.
pub(super) fn counts_all(function: Function) -> bool {
    use Function as F;
    matches!(
        function,
        F::CountOverTime
            | F::SumOverTime
            | F::AvgOverTime
            | F::MinOverTime
            | F::MaxOverTime
            | F::FirstOverTime
            | F::TsOfFirstOverTime
    )
}

/// The most that a range is widened to.
pub(super) const WIDENED_MAX: i64 = 2 * Resolution::Hour.width_ms();

/// What is made of a column of rows and samples; at least one.
pub(super) type ByColumn = fn(&[Cell], Window<'_>) -> Option<f64>;

/// What `function` makes of rows by its column; none where it has none.
pub(super) fn by_column(function: Function) -> Option<ByColumn> {
    use Function as F;
    Some(match function {
        F::Rate => |cells, window| change(cells, window, Change::Rate),
        F::Increase => |cells, window| change(cells, window, Change::Increase),
        F::Delta => |cells, window| change(cells, window, Change::Delta),
        F::CountOverTime => |cells, _| Some(count(cells) as f64),
        F::SumOverTime => |cells, _| Some(sum(cells)),
        F::AvgOverTime => |cells, _| Some(sum(cells) / count(cells) as f64),
        F::MinOverTime => |cells, _| {
            let value = |i: usize| cells[i].row.min;
            Some(value(best(cells.len(), value, |a, b| a < b)))
        },
        F::MaxOverTime => |cells, _| {
            let value = |i: usize| cells[i].row.max;
            Some(value(best(cells.len(), value, |a, b| a > b)))
        },
        F::PresentOverTime => |_, _| Some(1.0),
        F::FirstOverTime => |cells, _| Some(cells.first()?.row.first.value),
        F::LastOverTime => |cells, _| Some(cells.last()?.row.last.value),
        F::TsOfFirstOverTime => |cells, _| Some(seconds(cells.first()?.row.first.time_ms)),
        F::TsOfLastOverTime => |cells, _| Some(seconds(cells.last()?.row.last.time_ms)),
        _ => return None,
    })
}

fn count(cells: &[Cell]) -> u64 {
    cells.iter().map(|cell| cell.row.count).sum()
}

fn sum(cells: &[Cell]) -> f64 {
    let add = |sum: Sum, cell: &Cell| sum.plus(cell.row.sum);
    cells.iter().fold(Sum::default(), add).value()
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

/// Whether the rows have what `rate` and `increase` need: those of a gauge do not.
pub(super) fn has_increase(cells: &[Cell]) -> bool {
    !cells.iter().any(|cell| cell.row.increase.is_nan())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Rate,
    Increase,
    Delta,
}

/// As `rate` does it with samples, see there; the edges are those of the rows.
fn change(cells: &[Cell], window: Window<'_>, change: Change) -> Option<f64> {
    let (first, last) = (cells.first()?, cells.last()?);
    let count = count(cells);
    let (first_ms, last_ms) = (first.row.first.time_ms, last.row.last.time_ms);
    if count < 2 || last_ms <= first_ms {
        return None;
    }
    let changed = match change {
        Change::Delta => last.row.last.value - first.row.first.value,
        Change::Rate | Change::Increase => grown(cells),
    };
    let start_ms = first.resolution.window(window.start_ms);
    let end_ms = last.resolution.window(window.end_ms);
    let sampled = seconds(last_ms - first_ms);
    let usual = sampled / (count - 1) as f64;
    let near = usual * 1.1;
    let mut to_start = seconds(first_ms - start_ms);
    let mut to_end = seconds(end_ms - last_ms);
    if to_start >= near {
        to_start = usual / 2.0;
    }
    let from = first.row.first.value;
    if change != Change::Delta && changed > 0.0 && from >= 0.0 {
        to_start = to_start.min(sampled * (from / changed));
    }
    if to_end >= near {
        to_end = usual / 2.0;
    }
    let mut factor = (sampled + to_start + to_end) / sampled;
    let range = seconds(end_ms - start_ms);
    if change == Change::Rate {
        factor /= range;
    } else if end_ms - start_ms != window.range_ms {
        // The rows cover a little more or less than what was asked for.
        factor *= seconds(window.range_ms) / range;
    }
    Some(changed * factor)
}

/// What a counter went up by, inside of the cells and between them.
fn grown(cells: &[Cell]) -> f64 {
    let inside: f64 = cells.iter().map(Cell::increase).sum();
    let between = cells
        .windows(2)
        .map(|pair| step(pair[0].row.last, pair[1].row.first));
    inside + between.sum::<f64>()
}

/// Beside what is no number nobody knows; it must not take the rest of the increase with it.
fn step(before: Sample, after: Sample) -> f64 {
    if before.value.is_nan() || after.value.is_nan() {
        return 0.0;
    }
    junction(before.value, after.value)
}

/// What was done with rows in the ranges of one series, to be told.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// By resolution: from when to when.
    pub widened: Stretches,
    pub reaching: Stretches,
    pub lasts: Stretches,
}

type Stretches = [Option<(i64, i64)>; Resolution::ALL.len()];

impl Used {
    /// Notes what `window` was, and whether it was made of last values.
    pub fn note(&mut self, window: RowWindow<'_>, of_lasts: bool) {
        let (Some(first), Some(last)) = (window.cells.first(), window.cells.last()) else {
            return;
        };
        let place = window.resolution as usize;
        let is_widened = window.widened_from.is_some();
        let widened = is_widened.then_some(&mut self.widened[place]);
        // I-ROWS-6. A window that is in part before a range of its own width is another one, no more.
        let is_wider = last.at_ms - first.row.start_ms > window.lasts.range_ms;
        let reaches = first.row.start_ms < window.lasts.start_ms && is_wider && !is_widened;
        let reaching = reaches.then_some(&mut self.reaching[place]);
        let lasts = of_lasts.then_some(&mut self.lasts[place]);
        for stretch in widened.into_iter().chain(reaching).chain(lasts) {
            let (from_ms, to_ms) = stretch.get_or_insert((first.row.start_ms, last.at_ms));
            *from_ms = first.row.start_ms.min(*from_ms);
            *to_ms = last.at_ms.max(*to_ms);
        }
    }
}
