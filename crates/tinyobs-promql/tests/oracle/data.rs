//! Data: series as a naive evaluator holds them, and how they are made up.
//!
//! Times are close together and often the same, so that samples lie on the edges of ranges; values
//! are what arithmetic stumbles over.

use std::collections::BTreeMap;
use std::fmt;

use tinyobs_model::{Labels, STALE_MARKER_BITS};

use crate::memory::Memory;
use crate::random::Random;

/// Labels of a series, the metric name among them.
pub type Tags = BTreeMap<String, String>;

/// A series: its labels and its samples in the order of time.
#[derive(Clone)]
pub struct Series {
    pub tags: Tags,
    pub samples: Vec<(i64, f64)>,
}

/// Series, and a query of them.
#[derive(Clone)]
pub struct Case {
    pub series: Vec<Series>,
    pub text: String,
    pub start_ms: i64,
    pub end_ms: i64,
    /// 0 for an instant query.
    pub step_ms: i64,
    pub lookback_ms: i64,
    pub subquery_step_ms: i64,
    /// Names go at the end, as they do for the API.
    pub delayed_names: bool,
}

impl Case {
    /// The same series for the evaluator under test.
    pub fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        for series in &self.series {
            let labels = labels_of(&series.tags);
            for &(time_ms, value) in &series.samples {
                memory.insert(&labels, time_ms, value);
            }
        }
        memory
    }
}

pub fn labels_of(tags: &Tags) -> Labels {
    Labels::of_pairs(
        tags.iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    )
}

pub fn tags<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Tags {
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    pairs.into_iter().map(pair).collect()
}

/// As one puts it into a test.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "query     {}", self.text)?;
        writeln!(
            f,
            "times     {} to {} by {} ms, look-back {} ms, subqueries by {} ms, late names {}",
            self.start_ms,
            self.end_ms,
            self.step_ms,
            self.lookback_ms,
            self.subquery_step_ms,
            self.delayed_names
        )?;
        for series in &self.series {
            write!(f, "series    {}", labels_of(&series.tags))?;
            for (time, value) in &series.samples {
                if value.is_nan() {
                    write!(f, " {time}:{:#x}", value.to_bits())?;
                } else {
                    write!(f, " {time}:{value:?}")?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Names and labels of the series that queries are about, about half of which are there.
const GAUGES: [&[(&str, &str)]; 10] = [
    &[("__name__", "x"), ("n", "0"), ("m", "a")],
    &[("__name__", "x"), ("n", "1"), ("m", "a")],
    &[("__name__", "x"), ("n", "1"), ("m", "b")],
    &[("__name__", "x"), ("n", "2"), ("m", "b"), ("k", "z")],
    &[("__name__", "x"), ("n", "3")],
    &[("__name__", "y"), ("n", "0")],
    &[("__name__", "y"), ("n", "1"), ("k", "z")],
    &[("__name__", "y"), ("n", "2"), ("m", "b")],
    &[("__name__", "y"), ("n", "2"), ("m", "a")],
    &[("__name__", "y")],
];
const COUNTERS: [&[(&str, &str)]; 4] = [
    &[
        ("__name__", "c_total"),
        ("instance", "i"),
        ("job", "j"),
        ("n", "0"),
    ],
    &[
        ("__name__", "c_total"),
        ("instance", "i"),
        ("job", "j"),
        ("n", "1"),
    ],
    &[
        ("__name__", "c_total"),
        ("instance", "k"),
        ("job", "j"),
        ("n", "0"),
    ],
    &[("__name__", "c_total"), ("n", "2")],
];
const INFOS: [&[(&str, &str)]; 4] = [
    &[
        ("__name__", "target_info"),
        ("instance", "i"),
        ("job", "j"),
        ("v", "1"),
    ],
    &[
        ("__name__", "target_info"),
        ("instance", "i"),
        ("job", "j"),
        ("v", "2"),
    ],
    &[
        ("__name__", "target_info"),
        ("instance", "k"),
        ("job", "j"),
        ("n", "9"),
        ("w", "u"),
    ],
    &[
        ("__name__", "build_info"),
        ("instance", "i"),
        ("job", "j"),
        ("v", "3"),
        ("rev", "r"),
    ],
];
const BOUNDS: [&[&str]; 7] = [
    &["0.1", "1", "5", "+Inf"],
    &["1", "2", "4e0", "8", "Inf"],
    &["-1", "0", "0.5", "+Inf"],
    &["1", "1.0", "2", "+Inf"],
    &["0.5", "1"],
    &["+Inf"],
    &["-2", "1", "no number", "+Inf"],
];

/// Where time begins: the epoch, before it, and today.
const BASES: [i64; 3] = [0, -600_000, 1_700_000_100_000];

/// Series and the times of a query, without its text.
pub fn world(random: &mut Random) -> Case {
    let base = random.pick(&BASES);
    let scrape = random.pick(&[5_000, 10_000, 15_000, 30_000, 60_000]);
    // A quarter of the worlds holds what one rarely meets.
    let wild = random.once_in(4);
    let mut series = Vec::new();
    for pairs in GAUGES {
        if !random.once_in(3) {
            let samples = samples(random, base, scrape, wild, false);
            series.push(Series {
                tags: tags(pairs.iter().copied()),
                samples,
            });
        }
    }
    for pairs in COUNTERS {
        if random.once_in(2) {
            let samples = samples(random, base, scrape, wild, true);
            series.push(Series {
                tags: tags(pairs.iter().copied()),
                samples,
            });
        }
    }
    for pairs in INFOS {
        if random.once_in(3) {
            let samples = samples(random, base, scrape, false, false);
            series.push(Series {
                tags: tags(pairs.iter().copied()),
                samples,
            });
        }
    }
    for n in 0..random.below(3) {
        histogram(random, base, scrape, n, &mut series);
    }
    series.retain(|series| !series.samples.is_empty());
    series.sort_by(|a, b| a.tags.cmp(&b.tags));
    Case {
        series,
        text: String::new(),
        start_ms: base,
        end_ms: base,
        step_ms: 0,
        lookback_ms: random.pick(&[300_000, 300_000, 60_000, 30_000, 1]),
        subquery_step_ms: random.pick(&[60_000, 15_000, 7_000]),
        delayed_names: random.once_in(2),
    }
}

/// When the next query of this world asks.
pub fn times(random: &mut Random, case: &mut Case) {
    let times = case
        .series
        .iter()
        .flat_map(|series| &series.samples)
        .map(|sample| sample.0);
    let (first, last) = times.fold((i64::MAX, i64::MIN), |(first, last), time| {
        (first.min(time), last.max(time))
    });
    let (first, last) = if first > last { (0, 0) } else { (first, last) };
    let base = first - first.rem_euclid(60_000);
    let span = (last - base + 60_000) as u64;
    let grain = random.pick(&[60_000, 15_000, 5_000, 1_000, 1]);
    case.start_ms = base + random.below(span) as i64 / grain * grain;
    if random.once_in(3) {
        (case.end_ms, case.step_ms) = (case.start_ms, 0);
        return;
    }
    case.step_ms = random.pick(&[5_000, 15_000, 30_000, 60_000, 47_123, 300_000]);
    let steps = 1 + random.below(10) as i64;
    case.end_ms = case.start_ms + case.step_ms * steps - random.pick(&[0, 0, 1]);
}

fn samples(
    random: &mut Random,
    base: i64,
    scrape: i64,
    wild: bool,
    counter: bool,
) -> Vec<(i64, f64)> {
    let kind = random.below(4);
    let jitter = random.once_in(3);
    let mut time = base + random.below(8) as i64 * scrape;
    let (mut out, mut value) = (Vec::new(), 0.0);
    for _ in 0..random.below(60) {
        time += scrape;
        if random.once_in(12) {
            time += scrape * random.below(20) as i64;
        }
        if random.once_in(8) {
            continue;
        }
        let place = if jitter {
            time + random.below(4_000) as i64
        } else {
            time
        };
        value = if counter {
            grown(random, value, kind)
        } else {
            level(random, kind)
        };
        let odd = if wild { 4 } else { 25 };
        let written = if random.once_in(odd) {
            strange(random, wild)
        } else {
            value
        };
        out.push((place, written));
    }
    out
}

fn grown(random: &mut Random, value: f64, kind: u64) -> f64 {
    if random.once_in(8) {
        return random.below(3) as f64;
    }
    let step = random.below(20) as f64;
    if kind == 0 {
        value + step / 10.0
    } else {
        value + step
    }
}

fn level(random: &mut Random, kind: u64) -> f64 {
    let small = random.below(16) as f64;
    match kind {
        0 => small - 8.0,
        1 => small / 10.0,
        2 => small,
        // As gauges mostly are.
        _ => random.below(1 << 20) as f64 / 1_000.0 - 300.0,
    }
}

/// What one rarely measures.
fn strange(random: &mut Random, wild: bool) -> f64 {
    const BITS: [u64; 6] = [
        STALE_MARKER_BITS,
        STALE_MARKER_BITS,
        0x7ff8_0000_0000_0001,
        // A stale marker with a sign is none: it is a NaN like others.
        STALE_MARKER_BITS | 1 << 63,
        0xfff8_0000_0000_0000,
        0x7ff0_0000_0000_0001,
    ];
    const VALUES: [f64; 14] = [
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        0.0,
        1e300,
        -1e300,
        f64::MAX,
        f64::MIN,
        5e-324,
        -5e-324,
        1e-300,
        9_007_199_254_740_993.0,
        0.1,
        1e16,
    ];
    if random.once_in(2) || !wild {
        f64::from_bits(random.pick(&BITS))
    } else {
        random.pick(&VALUES)
    }
}

/// A classic histogram whose buckets count the same observations, more or less.
fn histogram(random: &mut Random, base: i64, scrape: i64, n: u64, out: &mut Vec<Series>) {
    let bounds = random.pick(&BOUNDS);
    let begins = base + random.below(4) as i64 * scrape;
    let count = random.below(30) as i64;
    let broken = random.once_in(4);
    let mut below = vec![0.0; count as usize];
    for bound in bounds {
        let mut samples = Vec::new();
        let mut total = 0.0;
        for (i, below) in below.iter_mut().enumerate() {
            // Each scrape sees some more, and no fewer than the bucket before.
            total += random.below(4) as f64 * random.pick(&[1.0, 1.0, 0.3]);
            *below += total;
            let lost = if broken && random.once_in(5) {
                2.0
            } else {
                0.0
            };
            if !random.once_in(20) {
                samples.push((begins + i as i64 * scrape, *below - lost));
            }
        }
        let n = n.to_string();
        let pairs = [("__name__", "h_bucket"), ("le", bound), ("n", n.as_str())];
        out.push(Series {
            tags: tags(pairs),
            samples,
        });
    }
}
