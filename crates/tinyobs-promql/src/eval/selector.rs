//! Selector: `x{a="b"} offset 5m`: stored samples to one value per step.
//!
//!   [SeriesSource] ─▶ samples of one series ─▶ the last one not older than the look-back, per step
//!
//! I-SELECTOR-1  A sample counts for `lookback_ms` after its time, that moment itself left out.
//! I-SELECTOR-2  A stale marker ends a series: nothing before it is looked back to.
//! Proved by: scripts/selectors.test, tests/steps.rs; of rows, tests/rolled.rs.

use tinyobs_model::{Columns, Resolution, TimeRange, is_stale_marker};

use super::front::Front;
use super::grid::Grid;
use super::points::{Points, Woven};
use super::read::Asked;
use super::spread::Sink;
use super::value::{ABSENT, Series, Value, is_present};
use super::{Evaluated, Evaluator};
use crate::ast::{At, Extension, Selector, TimeShift};
use crate::span::Span;

/// Where in time a selector looks at a step.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shift {
    /// This moment, whatever the step.
    at_ms: Option<i64>,
    offset_ms: i64,
}

impl Shift {
    /// The moment meant at time `time_ms`.
    pub fn apply(self, time_ms: i64) -> i64 {
        self.at_ms.unwrap_or(time_ms).saturating_sub(self.offset_ms)
    }

    /// First this one, then `inner` from there.
    pub fn then(self, inner: Self) -> Self {
        match inner.at_ms {
            Some(_) => inner,
            None => Self {
                at_ms: self.at_ms,
                offset_ms: self.offset_ms.saturating_add(inner.offset_ms),
            },
        }
    }

    /// Whether it is the same moment at every step.
    pub fn is_fixed(self) -> bool {
        self.at_ms.is_some()
    }
}

/// What of a sample is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Value,
    /// Its time in seconds.
    Time,
}

/// What a vector selector is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub selector: &'a Selector,
    pub shift: Shift,
    pub wanted: Wanted,
    pub span: Span,
}

impl<'e> Evaluator<'e> {
    pub(super) fn shift(&self, time: &TimeShift) -> Evaluated<Shift> {
        let at_ms = time.at.map(|at| match at {
            At::Time(ms) => ms,
            At::Start => self.query.start_ms,
            At::End => self.query.end_ms,
        });
        let offset_ms = match &time.offset {
            Some(offset) => self.milliseconds(offset, false)?,
            None => 0,
        };
        Ok(Shift { at_ms, offset_ms })
    }

    pub(super) fn vector_selector(
        &mut self,
        selector: &Selector,
        span: Span,
        grid: Grid,
    ) -> Evaluated<Value> {
        let look = self.look(selector, span)?;
        self.select_columns(look, grid).map(Value::Vector)
    }

    /// The values of `selector`, with the time shift that it has itself.
    pub(super) fn look<'s>(&self, selector: &'s Selector, span: Span) -> Evaluated<Look<'s>> {
        Ok(Look {
            selector,
            shift: self.shift(&selector.time)?,
            wanted: Wanted::Value,
            span,
        })
    }

    /// One column for each series of a selector.
    pub(super) fn select_columns(&mut self, look: Look<'_>, grid: Grid) -> Evaluated<Vec<Series>> {
        let mut out = Vec::new();
        self.each_column(look, grid, &mut |_, series| {
            out.push(series);
            Ok(())
        })?;
        Ok(out)
    }

    /// The same, one after the other.
    pub(super) fn each_column(
        &mut self,
        look: Look<'_>,
        grid: Grid,
        sink: Sink<'_, 'e, Series>,
    ) -> Evaluated<()> {
        let Look { shift, wanted, .. } = look;
        let lookback = self.query.lookback_ms;
        let smoothed = look.selector.extension == Some(Extension::Smoothed);
        let ahead = if smoothed { lookback } else { 0 };
        let moves = grid.count > 1 && !shift.is_fixed();
        let asked = Asked {
            range: reach(shift, grid, lookback, ahead),
            rows_back: Resolution::Hour.width_ms(),
            coarse_ms: if moves { grid.step_ms } else { 0 },
            span: look.span,
        };
        self.each_series(
            look.selector,
            asked,
            &|evaluator, labels, recorded| {
                let mut values = evaluator.column(ABSENT, grid)?;
                let mut woven = Woven::default();
                let points = Points::of(recorded, lookback, &mut woven);
                let mut last = Last::default();
                let mut empty = true;
                for (i, value) in values.iter_mut().enumerate() {
                    let at = shift.apply(grid.time(i));
                    *value = if smoothed {
                        last.interpolated(&points, at)
                    } else {
                        last.value(&points, at, wanted)
                    };
                    empty &= !is_present(*value);
                }
                if empty {
                    evaluator.meter.give_back(Series::bytes_of(grid.count));
                    return Ok(None);
                }
                Ok(Some(Series::new(labels.clone(), values)))
            },
            sink,
        )
    }
}

/// From `back` before the first moment meant to `ahead` behind the last; its left edge left out.
pub(super) fn reach(shift: Shift, grid: Grid, back: i64, ahead: i64) -> TimeRange {
    let (first, last) = (shift.apply(grid.start_ms), shift.apply(grid.end_ms()));
    TimeRange::new(
        first.saturating_sub(back).saturating_add(1),
        last.saturating_add(ahead),
    )
}

/// Goes forward through samples with the steps.
#[derive(Default)]
struct Last {
    front: Front,
}

impl Last {
    fn value(&mut self, points: &Points<'_>, at: i64, wanted: Wanted) -> f64 {
        let behind = self.front.pass(&points.samples.times, at);
        let Some(i) = behind.checked_sub(1) else {
            return ABSENT;
        };
        let (time, value) = (points.samples.times[i], points.samples.values[i]);
        // I-SELECTOR-1, I-SELECTOR-2
        if time <= at.saturating_sub(points.lookback(i)) || is_stale_marker(value) {
            return ABSENT;
        }
        match wanted {
            Wanted::Value => value,
            Wanted::Time => time as f64 / 1_000.0,
        }
    }

    /// `smoothed`: on the line between the samples before and after. As in ranges, stale markers
    /// are no samples.
    fn interpolated(&mut self, points: &Points<'_>, at: i64) -> f64 {
        let samples: &Columns = points.samples;
        let place = self.front.pass(&samples.times, at);
        let sample = |i: usize| (samples.times[i], samples.values[i]);
        let there = |(_, value): &(i64, f64)| !is_stale_marker(*value);
        let reaches = |&i: &usize| {
            let lookback = points.lookback(i);
            let (from, to) = (at.saturating_sub(lookback), at.saturating_add(lookback));
            samples.times[i] > from && samples.times[i] <= to
        };
        let behind = (0..place).rev().take_while(reaches);
        let ahead = (place..samples.len()).take_while(reaches);
        let before = behind.map(sample).find(there);
        let after = ahead.map(sample).find(there);
        match (before, after) {
            (Some((time, value)), _) if time == at => value,
            (Some((t0, v0)), Some((t1, v1))) => {
                v0 + (v1 - v0) * (at - t0) as f64 / (t1 - t0) as f64
            }
            (Some((_, value)), None) => value,
            (None, _) => ABSENT,
        }
    }
}
