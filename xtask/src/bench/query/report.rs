//! Report: what each query took everybody, side by side, and whether they say the same.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::agree;
use super::ask::Asked;
use crate::bench::ingest::mix::Mix;
use crate::bench::ingest::target::Target;

/// Those that TinyObs is compared with.
const PEERS: [Target; 2] = [Target::Prometheus, Target::VictoriaMetrics];

/// One query.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What became of it at each target.
    pub asked: BTreeMap<Target, Asked>,
}

impl Row {
    /// The CPU times, for whoever waits.
    pub fn cpu_text(&self) -> String {
        let of = |(target, asked): (&Target, &Asked)| {
            format!("{} {:.2} ms", target.name(), asked.cpu * 1e3)
        };
        self.asked.iter().map(of).collect::<Vec<_>>().join(", ")
    }

    /// Ours to that of the better peer: below 1 is better.
    fn ratio(&self, of: fn(&Asked) -> f64) -> Option<f64> {
        let ours = of(self.asked.get(&Target::TinyObs)?);
        let peers = PEERS.iter().filter_map(|peer| self.asked.get(peer)).map(of);
        let best = peers.min_by(f64::total_cmp)?;
        Some(ours / best.max(1e-6))
    }

    fn agreement(&self, peer: Target) -> String {
        match (self.asked.get(&Target::TinyObs), self.asked.get(&peer)) {
            (Some(ours), Some(theirs)) => {
                let share = agree::share(&ours.answer, &theirs.answer);
                if share >= 1.0 {
                    "all".to_owned()
                } else {
                    format!("{:.1} %", share * 100.0)
                }
            }
            _ => "–".to_owned(),
        }
    }
}

/// A table in markdown.
pub fn text(mix: &Mix, rows: &[Row]) -> String {
    let mut text = format!(
        "\n{} series × {} steps: CPU ms of the server's process per answer, ms until it is there, and \
         which share of the points peers say the same about\n\n\
         | query | TinyObs CPU | Prometheus | VictoriaMetrics | to the better peer | TinyObs wall | \
         Prometheus | VictoriaMetrics | to the better peer | same as Prometheus | as VictoriaMetrics |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
        mix.series, mix.steps
    );
    let all = [Target::TinyObs, Target::Prometheus, Target::VictoriaMetrics];
    for row in rows {
        let cells = |of: fn(&Asked) -> f64| {
            let cell = |target: &Target| match row.asked.get(target) {
                Some(asked) => format!("{:.2}", of(asked) * 1e3),
                None => "–".to_owned(),
            };
            let ratio = row
                .ratio(of)
                .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            let cells: Vec<String> = all.iter().map(cell).chain([ratio]).collect();
            cells.join(" | ")
        };
        let (cpu, wall) = (cells(|asked| asked.cpu), cells(|asked| asked.wall));
        let [prometheus, victoria] = PEERS.map(|peer| row.agreement(peer));
        let name = row.name;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {cpu} | {wall} | {prometheus} | {victoria} |"
        );
    }
    text
}
