//! Selector: `x{a="b"} offset 5m`: stored samples to one value per step.
//!
//!   [SeriesSource] ─▶ samples of one series ─▶ the last one not older than the look-back, per step
//!
//! I-SELECTOR-1  A sample counts for `lookback_ms` after its time, that moment itself left out.
//! I-SELECTOR-2  A stale marker ends a series: nothing before it is looked back to.
//! Proved by: scripts/selectors.test, tests/steps.rs.

use std::collections::HashSet;

use tinyobs_model::{Columns, Labels, SeriesCursor, TimeRange, is_stale_marker};

use super::grid::Grid;
use super::value::{ABSENT, Series, Value};
use super::{Evaluated, Evaluator};
use crate::ast::{At, Extension, Selector, TimeShift};

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

impl Evaluator<'_> {
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

    pub(super) fn vector_selector(&mut self, selector: &Selector, grid: Grid) -> Evaluated<Value> {
        let shift = self.shift(&selector.time)?;
        self.select_columns(selector, shift, Wanted::Value, grid)
            .map(Value::Vector)
    }

    /// One column for each series of `selector`, whose own time shift is not looked at.
    pub(super) fn select_columns(
        &mut self,
        selector: &Selector,
        shift: Shift,
        wanted: Wanted,
        grid: Grid,
    ) -> Evaluated<Vec<Series>> {
        let lookback = self.query.lookback_ms;
        let smoothed = selector.extension == Some(Extension::Smoothed);
        let ahead = if smoothed { lookback } else { 0 };
        let range = reach(shift, grid, lookback, ahead);
        let mut out = Vec::new();
        self.each_series(selector, range, &mut |evaluator, labels, samples| {
            let mut values = evaluator.column(ABSENT, grid)?;
            let mut last = Last::default();
            for (i, value) in values.iter_mut().enumerate() {
                let at = shift.apply(grid.time(i));
                *value = if smoothed {
                    last.interpolated(samples, at, lookback)
                } else {
                    last.value(samples, at, lookback, wanted)
                };
            }
            let series = Series::new(labels.clone(), values);
            if !series.is_empty() {
                out.push(series);
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// Calls `each` with the samples of every series of `selector` in `range`, stale markers
    /// among them, in the order of labels.
    pub(super) fn each_series(
        &mut self,
        selector: &Selector,
        range: TimeRange,
        each: &mut dyn FnMut(&mut Self, &Labels, &Columns) -> Evaluated<()>,
    ) -> Evaluated<()> {
        let mut cursors = self.source.select(&selector.matchers, range)?;
        if !selector.alternatives.is_empty() {
            for matchers in &selector.alternatives {
                cursors.extend(self.source.select(matchers, range)?);
            }
            let mut seen = HashSet::new();
            cursors.retain(|cursor| seen.insert(cursor.labels().clone()));
            cursors.sort_by(|a, b| a.labels().cmp(b.labels()));
        }
        let (mut samples, mut block) = (Columns::default(), Columns::default());
        for mut cursor in cursors {
            self.check()?;
            let before = self.bytes;
            self.read(cursor.as_mut(), &mut samples, &mut block)?;
            let held = self.bytes - before;
            if !samples.is_empty() {
                self.series += 1;
                each(self, cursor.labels(), &samples)?;
            }
            self.bytes -= held;
        }
        Ok(())
    }

    /// All samples of `cursor`, counted.
    fn read(
        &mut self,
        cursor: &mut dyn SeriesCursor,
        samples: &mut Columns,
        block: &mut Columns,
    ) -> Evaluated<()> {
        samples.clear();
        while cursor.next_block(block)? {
            self.take_samples(block.len())?;
            self.take_bytes((block.len() * 16) as u64)?;
            samples.times.extend_from_slice(&block.times);
            samples.values.extend_from_slice(&block.values);
        }
        Ok(())
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
    /// Samples not later than the moment asked last.
    behind: usize,
}

impl Last {
    fn advance(&mut self, samples: &Columns, at: i64) {
        while samples
            .times
            .get(self.behind)
            .is_some_and(|&time| time <= at)
        {
            self.behind += 1;
        }
    }

    fn value(&mut self, samples: &Columns, at: i64, lookback: i64, wanted: Wanted) -> f64 {
        self.advance(samples, at);
        let Some(i) = self.behind.checked_sub(1) else {
            return ABSENT;
        };
        let (time, value) = (samples.times[i], samples.values[i]);
        // I-SELECTOR-1, I-SELECTOR-2
        if time <= at.saturating_sub(lookback) || is_stale_marker(value) {
            return ABSENT;
        }
        match wanted {
            Wanted::Value => value,
            Wanted::Time => time as f64 / 1_000.0,
        }
    }

    /// `smoothed`: on the line between the samples before and after. As in ranges, stale markers
    /// are no samples.
    fn interpolated(&mut self, samples: &Columns, at: i64, lookback: i64) -> f64 {
        self.advance(samples, at);
        let (from, to) = (at.saturating_sub(lookback), at.saturating_add(lookback));
        let sample = |i: usize| (samples.times[i], samples.values[i]);
        let there = |(_, value): &(i64, f64)| !is_stale_marker(*value);
        let behind = (0..self.behind).rev().map(sample);
        let ahead = (self.behind..samples.len()).map(sample);
        let before = behind.take_while(|&(time, _)| time > from).find(there);
        let after = ahead.take_while(|&(time, _)| time <= to).find(there);
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
