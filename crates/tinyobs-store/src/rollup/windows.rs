//! Windows: the arithmetic of rollups.
//!
//!   samples in time order ─▶ [Roller::push] ─▶ [Rollup] per window        late rows ─▶ [join]

use tinyobs_model::rollup::junction;
use tinyobs_model::{Resolution, Rollup, Sample, is_stale_marker};

/// Cuts the samples of one series into windows.
pub struct Roller {
    resolution: Resolution,
    is_gauge: bool,
    open: Option<Rollup>,
    /// The last millisecond of `open`.
    open_until_ms: i64,
    /// The value before, for the increase: a NaN is passed over, and stands here for none.
    before: f64,
    /// Finished windows.
    pub rows: Vec<Rollup>,
}

impl Roller {
    /// For windows of `resolution`. The increase of a gauge means nothing and is not kept.
    pub fn new(resolution: Resolution, is_gauge: bool) -> Self {
        Self {
            resolution,
            is_gauge,
            open: None,
            open_until_ms: 0,
            before: f64::NAN,
            rows: Vec::new(),
        }
    }

    /// Adds a sample; times ascend.
    pub fn push(&mut self, sample: Sample) {
        self.extend(&[sample.time_ms], &[sample.value]);
    }

    /// Adds samples as two columns; times ascend.
    pub fn extend(&mut self, mut times: &[i64], mut values: &[f64]) {
        while let Some(&first_ms) = times.first() {
            let mut row = self.window_of(first_ms);
            // A division costs more than all the rest of a sample: one for each window.
            let until = times.partition_point(|&at| at <= self.open_until_ms);
            self.add_all(&mut row, &times[..until], &values[..until]);
            self.open = Some(row);
            (times, values) = (&times[until..], &values[until..]);
        }
    }

    /// The window under way if `time_ms` lies in it, or else the next.
    fn window_of(&mut self, time_ms: i64) -> Rollup {
        if let Some(open) = self.open
            && time_ms <= self.open_until_ms
        {
            return open;
        }
        self.close();
        let start_ms = self.resolution.window(time_ms);
        self.open_until_ms = start_ms.saturating_add(self.resolution.width_ms() - 1);
        self.empty(start_ms)
    }

    /// Adds samples of one window, as [`Self::add`] would one by one.
    fn add_all(&mut self, row: &mut Rollup, times: &[i64], values: &[f64]) {
        let has_nan = values.iter().any(|value| value.is_nan());
        let mut at = 0;
        while at < values.len() && (row.count == 0 || self.before.is_nan() || has_nan) {
            self.add(row, Sample::new(times[at], values[at]));
            at += 1;
        }
        let values = &values[at..];
        let (Some(&last_ms), Some(&last)) = (times.last(), values.last()) else {
            return;
        };
        // Nothing but four sums, which fit into registers.
        let (mut sum, mut min, mut max) = (row.sum, row.min, row.max);
        let (mut increase, mut before) = (row.increase, self.before);
        for &value in values {
            sum += value;
            min = lowest(min, value);
            max = highest(max, value);
            increase += junction(before, value);
            before = value;
        }
        (row.sum, row.min, row.max) = (sum, min, max);
        (row.increase, self.before) = (increase, before);
        row.count += values.len() as u64;
        row.last = Sample::new(last_ms, last);
        row.ended = false;
    }

    fn add(&mut self, row: &mut Rollup, sample: Sample) {
        let value = sample.value;
        if value.is_nan() {
            if is_stale_marker(value) {
                row.ended = true;
            } else {
                add(row, sample);
            }
            return;
        }
        add(row, sample);
        if !self.before.is_nan() {
            row.increase += junction(self.before, value);
        }
        self.before = value;
    }

    /// Ends the last window.
    pub fn close(&mut self) {
        self.before = f64::NAN;
        self.rows.extend(self.open.take());
    }

    fn empty(&self, start_ms: i64) -> Rollup {
        let nothing = Sample::new(start_ms, 0.0);
        Rollup {
            start_ms,
            count: 0,
            sum: 0.0,
            min: 0.0,
            max: 0.0,
            first: nothing,
            last: nothing,
            increase: if self.is_gauge { f64::NAN } else { 0.0 },
            ended: false,
        }
    }
}

fn add(row: &mut Rollup, sample: Sample) {
    let value = sample.value;
    if row.count == 0 {
        (row.min, row.max, row.sum, row.first) = (value, value, value, sample);
    } else {
        row.sum += value;
        row.min = lowest(row.min, value);
        row.max = highest(row.max, value);
    }
    row.last = sample;
    row.count += 1;
    row.ended = false;
}

/// The lower one; NaN only when there is nothing else.
fn lowest(a: f64, b: f64) -> f64 {
    if b < a || a.is_nan() { b } else { a }
}

fn highest(a: f64, b: f64) -> f64 {
    if b > a || a.is_nan() { b } else { a }
}

/// One window of two parts, whose samples are not there any more to be counted again.
///
/// Count, sum, lowest, highest, first and last are those of all samples. The increase is, too, when
/// one part lies before the other. Where they overlap it is that of the part with more samples, made
/// longer by the steps to the other's ends: what the restarts inside the smaller part would add is
/// not known.
pub fn join(a: &Rollup, b: &Rollup) -> Rollup {
    match (a.count, b.count) {
        (0, _) => return with_end(b, a),
        (_, 0) => return with_end(a, b),
        _ => {}
    }
    let (early, late) = if a.first.time_ms <= b.first.time_ms {
        (a, b)
    } else {
        (b, a)
    };
    let newest = if early.last.time_ms > late.last.time_ms {
        early
    } else {
        late
    };
    let increase = if early.last.time_ms < late.first.time_ms {
        early.increase + step(early.last, late.first) + late.increase
    } else {
        let (more, less) = if a.count >= b.count { (a, b) } else { (b, a) };
        more.increase + before(less, more) + after(less, more)
    };
    Rollup {
        start_ms: a.start_ms,
        count: a.count + b.count,
        sum: early.sum + late.sum,
        min: lowest(a.min, b.min),
        max: highest(a.max, b.max),
        first: early.first,
        last: newest.last,
        increase,
        ended: newest.ended,
    }
}

/// What the value went up by between two parts. Beside a NaN nobody knows; it must not take the rest of
/// the increase with it.
fn step(before: Sample, after: Sample) -> f64 {
    if before.value.is_nan() || after.value.is_nan() {
        0.0
    } else {
        junction(before.value, after.value)
    }
}

/// The step from the start of `less`, if it lies before `more`, to the start of `more`.
fn before(less: &Rollup, more: &Rollup) -> f64 {
    if less.first.time_ms < more.first.time_ms {
        step(less.first, more.first)
    } else {
        0.0
    }
}

fn after(less: &Rollup, more: &Rollup) -> f64 {
    if less.last.time_ms > more.last.time_ms {
        step(more.last, less.last)
    } else {
        0.0
    }
}

/// `row`, ended where the other one, which has no samples, says so.
fn with_end(row: &Rollup, other: &Rollup) -> Rollup {
    Rollup {
        ended: row.ended || other.ended,
        ..*row
    }
}

#[cfg(test)]
mod tests;
