//! Report: the figures of one load side by side, their ratios, and the floors under them.
//!
//! Proved by: report/tests.rs.

use std::collections::BTreeMap;

use super::body::Protocol;
use super::target::{Measured, Target};

/// Remote write into VictoriaMetrics, in the same run, times this.
const FLOOR_REMOTE_WRITE: f64 = 2.0;
/// Samples per CPU-second: ten times the Go original's.
const FLOOR_JSON: f64 = 540_000.0;
/// From so many samples a series on most of them are of series that are known.
const KNOWN_FROM_STEPS: u32 = 20;

/// The runs of all targets with one load, in the order of the rounds.
pub struct Report {
    /// Series of the load.
    pub series: u32,
    /// Samples of each.
    pub steps: u32,
    /// How it travelled.
    pub protocol: Protocol,
    /// Of each target, its rounds.
    pub rounds: BTreeMap<Target, Vec<Measured>>,
}

impl Report {
    /// A table in markdown, and the ratios as lines below it.
    pub fn text(&self) -> String {
        let protocol = self.protocol_name();
        let mut text = format!(
            "\n{protocol}, {} series × {} steps, median of {} rounds:\n\n\
             | | samples per CPU-second until idle | until stopped | peak memory, MB | bytes per \
             sample on disk | requests repeated | CPU taken by others |\n\
             |---|---:|---:|---:|---:|---:|---:|\n",
            self.series,
            self.steps,
            self.rounds.values().map(Vec::len).max().unwrap_or(0),
        );
        for (target, rounds) in &self.rounds {
            let of = |figure: fn(&Measured) -> f64| median(rounds.iter().map(figure));
            let disk = median(rounds.iter().filter_map(|round| round.disk_bytes));
            let row = format!(
                "| {} | {} | {} | {:.0} | {} | {:.0} | {:.0} % |\n",
                target.name(),
                millions(of(|round| round.until_idle)),
                millions(of(|round| round.until_stopped)),
                of(|round| round.peak_bytes).map_or(0.0, |bytes| bytes / 1e6),
                disk.map_or_else(|| "–".to_owned(), |bytes| format!("{bytes:.2}")),
                of(|round| round.repeated).unwrap_or(0.0),
                of(|round| round.others).unwrap_or(0.0) * 100.0,
            );
            text.push_str(&row);
        }
        text.push('\n');
        for other in [Target::VictoriaMetrics, Target::Prometheus, Target::Null] {
            let idle = self.ratio(other, |round| round.until_idle);
            let stopped = self.ratio(other, |round| round.until_stopped);
            if let (Some(idle), Some(stopped)) = (idle, stopped) {
                let line = format!(
                    "TinyObs / {} = {idle:.2} until idle, {stopped:.2} until stopped ({protocol}, {} \
                     series)\n",
                    other.name(),
                    self.series
                );
                text.push_str(&line);
            }
        }
        text
    }

    /// What is below its floor, or was not measured that has one.
    pub fn shortcomings(&self) -> Vec<String> {
        let what = format!("{}, {} series", self.protocol_name(), self.series);
        let said = match self.protocol {
            Protocol::RemoteWrite => {
                match self.ratio(Target::VictoriaMetrics, |round| round.until_idle) {
                    Some(ratio) if ratio >= FLOOR_REMOTE_WRITE => None,
                    Some(ratio) => Some(format!(
                        "{ratio:.2} times VictoriaMetrics, the floor is {FLOOR_REMOTE_WRITE}"
                    )),
                    None => Some("measure TinyObs and VictoriaMetrics to check it".to_owned()),
                }
            }
            // The original's figure is of known series.
            Protocol::Json if self.steps < KNOWN_FROM_STEPS => None,
            Protocol::Json => match self.until_idle(Target::TinyObs) {
                Some(rate) if rate >= FLOOR_JSON => None,
                Some(rate) => Some(format!(
                    "{rate:.0} samples per CPU-second, the floor is {FLOOR_JSON}"
                )),
                None => Some("measure TinyObs to check it".to_owned()),
            },
        };
        said.map(|said| format!("{what}: {said}"))
            .into_iter()
            .collect()
    }

    fn protocol_name(&self) -> &'static str {
        match self.protocol {
            Protocol::RemoteWrite => "remote write",
            Protocol::Json => "JSON",
        }
    }

    fn until_idle(&self, target: Target) -> Option<f64> {
        let rounds = self.rounds.get(&target)?;
        median(rounds.iter().map(|round| round.until_idle))
    }

    /// TinyObs to another: the median of what each round says, since a round shares its moment.
    fn ratio(&self, other: Target, figure: fn(&Measured) -> f64) -> Option<f64> {
        let (ours, theirs) = (self.rounds.get(&Target::TinyObs)?, self.rounds.get(&other)?);
        let rounds = ours.iter().zip(theirs);
        median(rounds.map(|(ours, theirs)| figure(ours) / figure(theirs)))
    }
}

fn millions(value: Option<f64>) -> String {
    format!("{:.3} M", value.unwrap_or(0.0) / 1e6)
}

/// The one in the middle, or between the two there.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (below, above) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some(f64::midpoint(values[below], values[above]))
}

#[cfg(test)]
mod tests;
