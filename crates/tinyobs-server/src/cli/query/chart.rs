//! Chart: series with many values: one as a chart, several as a line each.
//!
//! I-CHART-1  Every point is in a column; of several in one, the highest is shown.

use std::fmt::Write;

use serde_json::Value;

use super::table::{name, value};

/// From nothing to a whole cell.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Rows of a chart.
const ROWS: usize = 10;
/// Columns that a chart needs beside it, for its figures.
const MARGIN: usize = 12;

/// How many points there is room for.
pub fn columns(width: usize) -> usize {
    width.saturating_sub(MARGIN).max(20)
}

/// All series.
pub fn text(result: &Value, width: usize) -> String {
    let series: Vec<Line> = result
        .as_array()
        .into_iter()
        .flatten()
        .map(Line::new)
        .collect();
    match series.as_slice() {
        [] => "nothing\n".to_owned(),
        [one] => one.chart(columns(width)),
        all => all
            .iter()
            .map(|one| one.sparkline(columns(width)))
            .collect(),
    }
}

/// A series as it is drawn.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Line {
    fn new(series: &Value) -> Self {
        let points = series["values"].as_array().into_iter().flatten();
        let point = |point: &Value| {
            let time = point[0].as_f64()?;
            // NaN and infinity have no height.
            let value: f64 = value(&point[1]).parse().ok()?;
            value.is_finite().then_some((time, value))
        };
        Self {
            name: name(&series["metric"]),
            points: points.filter_map(point).collect(),
        }
    }

    fn bounds(&self) -> (f64, f64) {
        let values = self.points.iter().map(|point| point.1);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        })
    }

    /// The highest value of each column (I-CHART-1).
    fn columns(&self, width: usize) -> Vec<Option<f64>> {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return Vec::new();
        };
        let span = (last.0 - first.0).max(f64::MIN_POSITIVE);
        let width = width.min(self.points.len()).max(1);
        let mut columns = vec![None; width];
        for &(time, value) in &self.points {
            let at = ((time - first.0) / span * (width - 1) as f64).round() as usize;
            if let Some(column) = columns.get_mut(at) {
                *column = Some(column.map_or(value, |highest: f64| highest.max(value)));
            }
        }
        columns
    }

    fn summary(&self) -> String {
        let (low, high) = self.bounds();
        let last = self.points.last().map_or(f64::NAN, |point| point.1);
        format!(
            "min {}  max {}  last {}",
            short(low),
            short(high),
            short(last)
        )
    }

    /// Two lines: the name and figures, and the curve.
    fn sparkline(&self, width: usize) -> String {
        if self.points.is_empty() {
            return format!("{}\n  no numbers\n", self.name);
        }
        let (low, high) = self.bounds();
        let bar =
            |column: Option<f64>| column.map_or(' ', |value| BARS[1 + level(value, low, high, 7)]);
        let bars: String = self.columns(width).into_iter().map(bar).collect();
        format!("{}  {}\n  {bars}\n", self.name, self.summary())
    }

    fn chart(&self, width: usize) -> String {
        if self.points.is_empty() {
            return self.sparkline(width);
        }
        let (low, high) = self.bounds();
        let columns = self.columns(width);
        let mut out = format!("{}\n", self.name);
        for row in (0..ROWS).rev() {
            let label = match row {
                0 => short(low),
                _ if row == ROWS - 1 => short(high),
                _ => String::new(),
            };
            let cell = |column: &Option<f64>| {
                let Some(value) = column else { return ' ' };
                // One more than nothing, so that the lowest value is seen.
                let height = 1 + level(*value, low, high, ROWS * 8 - 1);
                BARS[height.saturating_sub(row * 8).min(8)]
            };
            let cells: String = columns.iter().map(cell).collect();
            out += format!("{label:>9} ┤{cells}").trim_end();
            out.push('\n');
        }
        let (first, last) = (self.points[0].0, self.points[self.points.len() - 1].0);
        let (axis, times) = (
            "─".repeat(columns.len()),
            [time(first), time(last)].join(" … "),
        );
        let summary = self.summary();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{0:>9} └{axis}\n{0:>11}{times}\n{0:>11}{summary}", "");
        out
    }
}

/// How high a value stands, from 0 to `top`.
fn level(value: f64, low: f64, high: f64, top: usize) -> usize {
    // Of a line that is flat nobody can say how high it is.
    let height = if high > low {
        value / (high - low) - low / (high - low)
    } else {
        0.5
    };
    ((height * top as f64).round() as usize).min(top)
}

/// At most nine characters.
fn short(value: f64) -> String {
    let plain = format!("{value}");
    if plain.len() <= 9 {
        return plain;
    }
    let size = value.abs();
    if (1e-3..1e6).contains(&size) {
        return format!("{value:.3}");
    }
    format!("{value:.2e}")
}

fn time(seconds: f64) -> String {
    tinyobs_wire::time::format_rfc3339((seconds * 1_000.0) as i64)
}

#[cfg(test)]
mod tests;
