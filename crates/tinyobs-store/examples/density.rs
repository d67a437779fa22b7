//! Density: what chunks take, in bytes and nanoseconds a sample, kind of series by kind.
//!
//!   cargo run --release -p tinyobs-store --example density
//!
//! Nanoseconds are the best of a few runs, of a core that others may share: compare them with
//! figures of the same run only.

use std::hint::black_box;
use std::time::Instant;

use tinyobs_model::{Columns, Sample};
use tinyobs_store::chunk::{self, Chunk};

const STEPS: usize = 4_096;
const STEP_MS: i64 = 15_000;
/// Series of each kind.
const SERIES: u64 = 8;
const RUNS: usize = 7;
const COUNTS: [usize; 7] = [24, 120, 480, 720, 1_024, 2_048, STEPS];

/// A kind of series: its name and how many of a hundred are such, after a host with its services.
/// The value of a step comes from that of the step before and a random number.
struct Kind(&'static str, f64, fn(f64, u64) -> f64);

const KINDS: &[Kind] = &[
    Kind("constant", 14.0, |_, _| 42.0),
    Kind("counter, busy", 20.0, |last, random| {
        let restarted = random.is_multiple_of(2_500);
        if restarted {
            0.0
        } else {
            last + (unit(random) * 900.0).floor()
        }
    }),
    Kind("counter, idle", 8.0, |last, random| {
        last + f64::from(u8::from(random.is_multiple_of(50)))
    }),
    Kind("histogram bucket", 26.0, |last, random| {
        last + (unit(random) * 30.0).floor()
    }),
    Kind("seconds, 2 decimals", 9.0, |last, random| {
        ((last * 100.0).round() + (unit(random) * 300.0).floor()) / 100.0
    }),
    Kind("gauge of integers", 9.0, |last, random| {
        last + (unit(random) * 9.0).floor() - 4.0
    }),
    Kind("gauge of pages", 4.0, |last, random| {
        last + ((unit(random) * 401.0).floor() - 200.0) * 4_096.0
    }),
    Kind("gauge, 2 decimals", 4.0, |last, random| {
        ((last * 100.0).round() + (unit(random) * 51.0).floor() - 25.0) / 100.0
    }),
    Kind("sum of floats", 2.0, |last, random| last + unit(random)),
    Kind("float without pattern", 4.0, |_, random| {
        0.25 + unit(random) / 8.0
    }),
];

fn main() {
    println!("bytes a sample; ns a sample to encode / to decode at {STEPS}\n");
    print!("| kind | of 100 |");
    for count in COUNTS {
        print!(" {count} |");
    }
    println!(
        " 2,048 with ±3 ms | encode | decode |\n|---|---:|{}",
        "---:|".repeat(COUNTS.len() + 3)
    );
    let mut sums = vec![0.0; COUNTS.len() + 3];
    for (place, kind) in KINDS.iter().enumerate() {
        let figures = figures(kind, place as u64);
        line(kind.0, kind.1, &figures);
        for (sum, figure) in sums.iter_mut().zip(figures) {
            *sum += figure * kind.1 / 100.0;
        }
    }
    line("all", KINDS.iter().map(|kind| kind.1).sum(), &sums);
}

fn line(name: &str, share: f64, figures: &[f64]) {
    print!("| {name} | {share} |");
    for figure in figures {
        print!(" {figure:.2} |");
    }
    println!();
}

fn figures(kind: &Kind, place: u64) -> Vec<f64> {
    let steady: Vec<_> = (0..SERIES)
        .map(|i| series(kind, place << 8 | i, 0))
        .collect();
    let jitter: Vec<_> = (0..SERIES)
        .map(|i| series(kind, place << 8 | i, 7))
        .collect();
    let all = SERIES as f64 * STEPS as f64;
    let mut figures: Vec<f64> = COUNTS.iter().map(|&count| bytes(&steady, count)).collect();
    figures.push(bytes(&jitter, 2_048));
    let encoded: Vec<Vec<u8>> = steady.iter().map(|samples| encode(samples)).collect();
    figures.push(best_ns(|| steady.iter().map(|samples| encode(samples).len()).sum()) / all);
    let mut columns = Columns::default();
    figures.push(
        best_ns(|| {
            encoded
                .iter()
                .map(|bytes| decode(bytes, &mut columns))
                .sum()
        }) / all,
    );
    figures
}

fn series(kind: &Kind, seed: u64, jitter_ms: u64) -> Vec<Sample> {
    let mut value = 1_000.0;
    let steps = (0..STEPS as u64).map(|step| {
        let random = mix(seed << 32 | step);
        value = kind.2(value, random);
        let early_ms = if jitter_ms > 0 {
            mix(random) % jitter_ms
        } else {
            0
        };
        let time_ms = 1_795_306_562_347 + step as i64 * STEP_MS - early_ms as i64;
        Sample::new(time_ms, value)
    });
    steps.collect()
}

fn bytes(series: &[Vec<Sample>], count: usize) -> f64 {
    let chunks = series
        .iter()
        .flat_map(|samples| samples.chunks_exact(count));
    let sizes: Vec<usize> = chunks.map(|run| encode(run).len()).collect();
    sizes.iter().sum::<usize>() as f64 / (sizes.len() * count) as f64
}

fn encode(samples: &[Sample]) -> Vec<u8> {
    let mut bytes = Vec::new();
    chunk::encode(samples, &mut bytes);
    bytes
}

fn decode(bytes: &[u8], columns: &mut Columns) -> usize {
    columns.clear();
    let decoded = Chunk::open(bytes).and_then(|chunk| chunk.decode(columns));
    decoded.expect("its own bytes decode");
    columns.len()
}

fn best_ns(mut work: impl FnMut() -> usize) -> f64 {
    let times = (0..RUNS).map(|_| {
        let began = Instant::now();
        black_box(work());
        began.elapsed().as_nanos() as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

/// Evenly from 0 to 1.
fn unit(random: u64) -> f64 {
    (mix(random) >> 11) as f64 / (1u64 << 53) as f64
}

/// SplitMix64's finaliser: neighbours become strangers.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
