//! Mix: the samples of a fleet, the same in every run.
//!
//!   [`FAMILIES`] × values of their labels ─▶ members of one target ─▶ series ─▶ [`Mix::next`]
//!
//! Each target of the fleet exposes the same members: half an HTTP application with histograms, the
//! rest a machine, a language's runtime and the application's own. A series has 5 to 8 labels, its
//! name counted. How much is constant, counts, wanders or has no pattern is told by a test.
//!
//! I-MIX-1  A value depends on nothing but series and step, so that everybody gets the same bytes.
//! I-MIX-2  A histogram's buckets grow together, as those of a real one: none above a wider one, and
//!          the widest is the count.
//! I-MIX-3  All times lie in the past and move forward, by the same interval for each series.
//! Proved by: mix/tests.rs.

mod families;

use crate::bench::load::mix as stir;
use families::{BOUNDS, FAMILIES, Family, Flow};

/// Between two samples of a series.
pub const INTERVAL_MS: i64 = 15_000;

/// Of a metric, as a push in JSON names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Grows until its process restarts.
    Counter,
    /// Anything else.
    Gauge,
}

/// One series of a target.
struct Member {
    name: String,
    kind: Kind,
    labels: Vec<(&'static str, &'static str)>,
    course: Course,
    /// The same for all that tells of one thing, such as a histogram's buckets.
    thing: u64,
}

/// How the values of a series go on.
#[derive(Debug, Clone, Copy)]
enum Course {
    Constant(f64),
    Counts { mean: f64 },
    Adds { mean: f64, parts: f64 },
    Wanders { from: f64, to: f64, parts: f64 },
    Noise { from: f64, to: f64 },
    Bucket { mean: f64, bound: f64 },
    Sum { mean: f64 },
}

/// A load of so many series and steps.
pub struct Mix {
    /// Series in it.
    pub series: u32,
    /// Samples of each.
    pub steps: u32,
    /// No sample is later.
    pub end_ms: i64,
    members: Vec<Member>,
}

impl Mix {
    /// A load that ends at a moment.
    pub fn new(series: u32, steps: u32, end_ms: i64) -> Self {
        Self {
            series,
            steps,
            end_ms,
            members: FAMILIES.iter().flat_map(members).collect(),
        }
    }

    /// Samples in all.
    pub fn samples(&self) -> u64 {
        u64::from(self.series) * u64::from(self.steps)
    }

    /// Targets that expose them; the last one may be cut short.
    pub fn targets(&self) -> u32 {
        self.series.div_ceil(self.members.len() as u32)
    }

    /// The series of a target.
    pub fn of_target(&self, target: u32) -> std::ops::Range<u32> {
        let each = self.members.len() as u32;
        target * each..((target + 1) * each).min(self.series)
    }

    /// The names of all metrics, each once.
    pub fn names(&self) -> Vec<&str> {
        let there = self.members.iter().take(self.series as usize);
        let mut names: Vec<&str> = there.map(|member| member.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Name, kind and the other labels of a series, sorted.
    pub fn describe(&self, series: u32) -> (&str, Kind, Vec<(&'static str, String)>) {
        const JOBS: [&str; 4] = ["checkout", "catalogue", "search", "accounts"];
        const ZONES: [&str; 3] = ["eu-central-1a", "eu-central-1b", "us-east-2c"];
        let (target, member) = self.member(series);
        let pick = |from: &[&str], by: u32| from[(target / by) as usize % from.len()].to_owned();
        let host = format!(
            "10.{}.{}.{}:9100",
            target >> 16,
            target >> 8 & 255,
            target & 255
        );
        let mut labels = vec![
            ("instance", host),
            ("job", pick(&JOBS, 1)),
            ("stage", pick(&["live", "live", "live", "test"], 12)),
            ("zone", pick(&ZONES, 4)),
        ];
        labels.extend(
            member
                .labels
                .iter()
                .map(|&(name, value)| (name, value.to_owned())),
        );
        labels.sort_unstable();
        (&member.name, member.kind, labels)
    }

    /// When a target is scraped the `step`th time: each has a moment of its own in the interval.
    pub fn time_ms(&self, target: u32, step: u32) -> i64 {
        let offset = (stir(u64::from(target)) % INTERVAL_MS as u64) as i64;
        self.end_ms - i64::from(self.steps - 1 - step) * INTERVAL_MS - offset
    }

    /// What a series has come to before the first step, for [`Self::next`].
    pub fn begin(&self, series: u32) -> f64 {
        let (target, member) = self.member(series);
        let seed = seed(target, member.thing);
        // Running for a while, some longer than others.
        let age = (share(seed) * 9_000.0).floor();
        match member.course {
            Course::Constant(value) => value,
            Course::Counts { mean } => (mean * age).floor(),
            Course::Adds { mean, parts } => (mean * parts * age).floor(),
            Course::Wanders { from, to, parts } => {
                (parts * (from + share(seed) * (to - from))).floor()
            }
            Course::Noise { from, to } => from + share(seed) * (to - from),
            Course::Bucket { mean, bound } => {
                ((mean * age).floor() * below(bound, seed, 0)).floor()
            }
            Course::Sum { mean } => mean * age * latency(seed, 0),
        }
    }

    /// The value at a step, given what the series has come to.
    pub fn next(&self, series: u32, step: u32, state: &mut f64) -> f64 {
        let (target, member) = self.member(series);
        let seed = seed(target, member.thing);
        let chance = stir(seed ^ u64::from(step) << 32);
        // Some are busy, most are not.
        let pace = 0.1 + 2.9 * share(stir(seed)).powi(2);
        // About once in ten hours a process restarts, and what it counted begins anew.
        let is_restart = stir(seed_of_target(target) ^ u64::from(step)).is_multiple_of(2_400);
        match member.course {
            Course::Constant(_) => {}
            Course::Counts { mean } => {
                *state = kept(*state, is_restart) + draw(chance, mean * pace);
            }
            // The machine's own counters outlive the process.
            Course::Adds { mean, parts } => *state += draw(chance, mean * parts * pace),
            Course::Wanders { from, to, parts } => {
                // A quarter of the time nothing moves.
                if chance & 3 != 0 {
                    let stride = (parts * (to - from) / 100.0).max(1.0);
                    let step =
                        (share(stir(chance)) * (2.0 * stride + 1.0)).floor() - stride.floor();
                    *state = (*state + step).clamp(from * parts, to * parts).floor();
                }
            }
            Course::Noise { from, to } => {
                let step = (share(chance) - 0.5) * (to - from) / 50.0;
                *state = (*state + step).clamp(from, to);
            }
            Course::Bucket { mean, bound } => {
                // One draw for all buckets of a histogram (I-MIX-2).
                let seen = draw(chance, mean * pace) * below(bound, seed, step);
                *state = kept(*state, is_restart) + (seen + share(stir(chance))).floor();
            }
            Course::Sum { mean } => {
                let seen = draw(chance, mean * pace) * latency(seed, step);
                *state = kept(*state, is_restart) + seen * (0.8 + 0.4 * share(stir(chance)));
            }
        }
        match member.course {
            Course::Adds { parts, .. } | Course::Wanders { parts, .. } => *state / parts,
            _ => *state,
        }
    }

    fn member(&self, series: u32) -> (u32, &Member) {
        let each = self.members.len();
        let target = series / each as u32;
        (target, &self.members[series as usize % each])
    }
}

/// The members that a family stands for: one for each combination of its labels' values.
fn members(family: &Family) -> Vec<Member> {
    let mut combinations = vec![Vec::new()];
    for (name, values) in family.labels {
        let with = |all: &Vec<_>| -> Vec<Vec<_>> {
            let one = |value: &&'static str| [&all[..], &[(*name, *value)]].concat();
            values.iter().map(one).collect()
        };
        combinations = combinations.iter().flat_map(with).collect();
    }
    let mut all = Vec::new();
    for labels in combinations {
        // A thing is known by what it is called, not by where it stands in the table.
        let spoken = |hash, text: &str| {
            text.bytes()
                .fold(hash, |hash, byte| stir(hash ^ u64::from(byte)))
        };
        let thing = labels
            .iter()
            .fold(spoken(0, family.name), |hash, (_, value)| {
                spoken(hash, value)
            });
        let mut add = |suffix: &str, more: &[_], kind, course| {
            all.push(Member {
                name: format!("{}{suffix}", family.name),
                kind,
                labels: [&labels[..], more].concat(),
                course,
                thing,
            });
        };
        match family.flow {
            Flow::Constant(value) => add("", &[], Kind::Gauge, Course::Constant(value)),
            Flow::Idle => add("", &[], Kind::Counter, Course::Constant(0.0)),
            Flow::Counts(mean) => add("", &[], Kind::Counter, Course::Counts { mean }),
            Flow::Adds(mean, parts) => add("", &[], Kind::Counter, Course::Adds { mean, parts }),
            Flow::Wanders(from, to, parts) => {
                add("", &[], Kind::Gauge, Course::Wanders { from, to, parts });
            }
            Flow::Noise(from, to) => add("", &[], Kind::Gauge, Course::Noise { from, to }),
            Flow::Histogram(mean) => {
                for (le, bound) in BOUNDS {
                    add(
                        "_bucket",
                        &[("le", le)],
                        Kind::Counter,
                        Course::Bucket { mean, bound },
                    );
                }
                add("_sum", &[], Kind::Counter, Course::Sum { mean });
                let bound = f64::INFINITY;
                add("_count", &[], Kind::Counter, Course::Bucket { mean, bound });
            }
        }
    }
    all
}

fn kept(state: f64, is_restart: bool) -> f64 {
    if is_restart { 0.0 } else { state }
}

/// A whole number, `mean` on average; mostly 0 and 1 when that is small.
fn draw(chance: u64, mean: f64) -> f64 {
    (share(chance) * 2.0 * mean + share(stir(!chance))).floor()
}

/// Mean seconds of what a histogram observes: milliseconds to half a second, by day and night.
fn latency(seed: u64, step: u32) -> f64 {
    let phase = f64::from(step) / 400.0 + share(seed);
    0.004 * 120_f64.powf(share(seed)) * (1.0 + 0.3 * (phase * std::f64::consts::TAU).cos())
}

/// The share of observations that a bucket holds.
fn below(bound: f64, seed: u64, step: u32) -> f64 {
    1.0 - (-bound / latency(seed, step)).exp()
}

fn seed(target: u32, thing: u64) -> u64 {
    stir(seed_of_target(target) ^ thing)
}

fn seed_of_target(target: u32) -> u64 {
    stir(0x7065_6572 ^ u64::from(target) << 8)
}

/// From 0 up to, but not, 1.
fn share(chance: u64) -> f64 {
    (chance >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests;
