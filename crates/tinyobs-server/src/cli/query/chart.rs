//! Chart: series with many values: one as a chart, several as a line each.
//!
//! I-CHART-1  Every point that has a height is in a column; of several in one, the highest is shown.
//! I-CHART-2  What has none, NaN and infinity, is counted below.
//! I-CHART-3  The ends of an axis are told apart, unless they are the same.
//! Proved by: cli/query/chart/tests.rs.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::table::{name, value};

/// From nothing to a whole cell.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Rows of a chart.
const ROWS: usize = 10;
/// Columns of the figures beside a chart, unless they need more.
const LABEL: usize = 9;
/// Columns that a chart needs beside it, for its figures.
const MARGIN: usize = LABEL + 3;

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
        [one] => one.chart(width),
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
    /// How often there is what has no height.
    undrawn: BTreeMap<String, usize>,
    /// The last value as it came, drawn or not.
    last: String,
}

impl Line {
    fn new(series: &Value) -> Self {
        let mut line = Self {
            name: name(&series["metric"]),
            points: Vec::new(),
            undrawn: BTreeMap::new(),
            last: String::new(),
        };
        for point in series["values"].as_array().into_iter().flatten() {
            let text = value(&point[1]);
            let (Some(time), Ok(value)) = (point[0].as_f64(), text.parse::<f64>()) else {
                continue;
            };
            if value.is_finite() {
                line.points.push((time, value));
            } else {
                *line.undrawn.entry(text.to_owned()).or_default() += 1;
            }
            text.clone_into(&mut line.last);
        }
        line
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
        let mut parts = Vec::new();
        if !self.points.is_empty() {
            let (low, high) = self.bounds();
            let show = figures(low, high);
            let last = match self.last.parse::<f64>() {
                Ok(last) if last.is_finite() => show(last),
                _ => self.last.clone(),
            };
            parts.push(format!(
                "min {}  max {}  last {last}",
                show(low),
                show(high)
            ));
        }
        // I-CHART-2
        if !self.undrawn.is_empty() {
            let counts = self.undrawn.iter();
            let counts: Vec<String> = counts
                .map(|(text, count)| format!("{count} {text}"))
                .collect();
            parts.push(format!("not drawn: {}", counts.join(", ")));
        }
        parts.join("  ")
    }

    /// Two lines: the name and figures, and the curve.
    fn sparkline(&self, width: usize) -> String {
        if self.points.is_empty() {
            return format!("{}\n  {}\n", self.name, self.summary());
        }
        let (low, high) = self.bounds();
        let bar =
            |column: Option<f64>| column.map_or(' ', |value| BARS[1 + level(value, low, high, 7)]);
        let bars: String = self.columns(width).into_iter().map(bar).collect();
        format!("{}  {}\n  {bars}\n", self.name, self.summary())
    }

    /// In lines of `width`.
    fn chart(&self, width: usize) -> String {
        if self.points.is_empty() {
            return self.sparkline(columns(width));
        }
        let (low, high) = self.bounds();
        let (lowest, highest) = (figures(low, high)(low), figures(low, high)(high));
        let wide = lowest.len().max(highest.len()).max(LABEL);
        let columns = self.columns(columns(width.saturating_sub(wide - LABEL)));
        let mut out = format!("{}\n", self.name);
        for row in (0..ROWS).rev() {
            let label = match row {
                // Where the line is, when it is flat.
                _ if row == ROWS / 2 && low >= high => highest.as_str(),
                0 if low < high => lowest.as_str(),
                _ if row == ROWS - 1 && low < high => highest.as_str(),
                _ => "",
            };
            let cell = |column: &Option<f64>| {
                let Some(value) = column else { return ' ' };
                // One more than nothing, so that the lowest value is seen.
                let height = 1 + level(*value, low, high, ROWS * 8 - 1);
                BARS[height.saturating_sub(row * 8).min(8)]
            };
            let cells: String = columns.iter().map(cell).collect();
            out += format!("{label:>wide$} ┤{cells}").trim_end();
            out.push('\n');
        }
        let (first, last) = (self.points[0].0, self.points[self.points.len() - 1].0);
        let axis = "─".repeat(columns.len());
        let times = if first < last {
            [time(first), time(last)].join(" … ")
        } else {
            time(first)
        };
        let (summary, far) = (self.summary(), wide + 2);
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{0:>wide$} └{axis}\n{0:>far$}{times}\n{0:>far$}{summary}",
            ""
        );
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

/// How values from `low` to `high` are shown: short, unless that would be the same for both (I-CHART-3).
fn figures(low: f64, high: f64) -> fn(f64) -> String {
    if low < high && short(low) == short(high) {
        return |value| format!("{value:?}");
    }
    short
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
