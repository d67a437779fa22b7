use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn stored(samples: &[Sample], sequence: u64) -> Run {
    let mut bytes = Vec::new();
    chunk::encode(samples, &mut bytes);
    let (first, last) = (samples[0].time_ms, samples[samples.len() - 1].time_ms);
    Run::stored(first, last, sequence, bytes)
}

fn all(runs: Vec<Run>) -> Vec<Sample> {
    let mut runs = Runs::new(runs);
    let (mut block, mut all) = (Columns::default(), Vec::new());
    while runs.next_block(&mut block).expect("decodes") {
        assert!(block.len() <= BLOCK_SAMPLES, "I-RUNS-2");
        all.extend(block.iter());
    }
    all
}

/// The same, added to one list of samples.
fn together(runs: Vec<Run>) -> Vec<Sample> {
    let mut runs = Runs::new(runs);
    let mut columns = Columns::default();
    columns.push(Sample::new(-1, 0.5));
    while runs.read_more(&mut columns).expect("decodes") {}
    columns.iter().skip(1).collect()
}

proptest! {
    /// Runs of any overlap against a map in which the younger run wins.
    #[test]
    fn i_runs_1_the_youngest_decides(
        parts in proptest::collection::vec((0i64..400, 1i64..9, 1usize..300), 1..9),
    ) {
        let mut model = BTreeMap::new();
        let (mut runs, mut again) = (Vec::new(), Vec::new());
        for (sequence, (from, step, count)) in (1u64..).zip(parts) {
            let samples: Vec<Sample> = (0..count as i64)
                .map(|i| Sample::new(from + i * step, sequence as f64))
                .collect();
            model.extend(samples.iter().map(|sample| (sample.time_ms, sample.value)));
            runs.push(stored(&samples, sequence));
            again.push(stored(&samples, sequence));
        }
        let expected: Vec<Sample> =
            model.into_iter().map(|(time_ms, value)| Sample::new(time_ms, value)).collect();
        prop_assert_eq!(all(runs), expected.clone());
        prop_assert_eq!(together(again), expected);
    }
}

#[test]
fn i_runs_2_many_long_runs_that_overlap_come_in_blocks() {
    let run = |sequence: u64| {
        let samples: Vec<Sample> = (0..4_000)
            .map(|i| Sample::new(i * 8 + sequence as i64, sequence as f64))
            .collect();
        stored(&samples, sequence)
    };
    let merged = all((0..8).map(run).collect());
    let expected: Vec<Sample> = (0..32_000)
        .map(|i| Sample::new(i, (i % 8) as f64))
        .collect();
    assert_eq!(merged, expected);
}

/// Runs that do not meet are decoded where they are wanted, as far as a block has room for them.
#[test]
fn i_runs_2_long_runs_in_a_row_come_in_blocks() {
    let run = |number: i64| {
        let samples: Vec<Sample> = (number * 3_000..(number + 1) * 3_000)
            .map(|i| Sample::new(i, i as f64))
            .collect();
        stored(&samples, number as u64)
    };
    let expected: Vec<Sample> = (0..9_000).map(|i| Sample::new(i, i as f64)).collect();
    assert_eq!(all((0..3).map(run).collect()), expected);
    assert_eq!(together((0..3).map(run).collect()), expected);
}

#[test]
fn nothing_is_nothing() {
    assert_eq!(all(Vec::new()), []);
}

/// Late samples in random order: thousands of short runs that all overlap. Quadratic work would take
/// minutes here.
#[test]
fn i_runs_1_thousands_of_runs_that_all_overlap() {
    const RUNS: i64 = 3_000;
    let run = |n: i64| {
        let samples: Vec<Sample> = (0..60)
            .map(|i| Sample::new(i * RUNS + n, n as f64))
            .collect();
        stored(&samples, n as u64)
    };
    let merged = all((0..RUNS).map(run).collect());
    assert_eq!(merged.len() as i64, 60 * RUNS);
    let in_order = (0..).zip(&merged);
    assert!(in_order.clone().all(|(at, sample)| sample.time_ms == at));
    assert!(
        in_order
            .clone()
            .all(|(at, sample)| sample.value == (at % RUNS) as f64)
    );
}
