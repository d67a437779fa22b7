use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::engine::Finished;

/// A table in memory, which says when its keys do not ascend.
#[derive(Default)]
struct Table {
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Draft for Table {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let last = self.entries.last();
        assert!(last.is_none_or(|(last, _)| last.as_slice() < key));
        self.entries.push((key.to_vec(), value.to_vec()));
        Ok(())
    }

    fn finish(self: Box<Self>, _summary: Summary) -> Result<Finished, StoreError> {
        unreachable!("the caller of a merge ends its table")
    }
}

/// A chunk as a table holds it.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    series: SeriesId,
    sequence: u64,
    samples: Vec<Sample>,
}

fn part(series: SeriesId, sequence: u64, from_ms: i64, count: usize) -> Part {
    let value = |n: usize| (sequence * 10_000) as f64 + n as f64;
    let samples = (0..count).map(|n| Sample::new(from_ms + n as i64 * 10, value(n)));
    Part {
        series,
        sequence,
        samples: samples.collect(),
    }
}

fn merge(whole: Whole, parts: &[Part]) -> (Vec<Part>, Summary) {
    let mut entries = BTreeMap::new();
    for part in parts {
        let mut value = Vec::new();
        chunk::encode(&part.samples, &mut value);
        let key = chunk_key(part.series, part.samples[0].time_ms, part.sequence);
        entries.insert(key, value);
    }
    let (mut chunks, mut out) = (Chunks::new(whole), Table::default());
    for (key, value) in &entries {
        chunks.entry(key, value, &mut out).expect("sound");
    }
    let summary = chunks.finish(&mut out).expect("sound");
    let read = out.entries.iter().map(|(key, value)| {
        let mut columns = Columns::default();
        let chunk = Chunk::open(value).expect("a chunk");
        chunk.decode(&mut columns).expect("a chunk");
        Part {
            series: chunk_series(key).expect("a key"),
            sequence: chunk_sequence(key).expect("a key"),
            samples: columns.iter().collect(),
        }
    });
    (read.collect(), summary)
}

#[test]
fn a_long_chunk_that_meets_no_other_stays_as_it_is() {
    let long = part(7, 3, 0, 600);
    let next = part(7, 4, 10_000, 300);
    let last = part(7, 5, 20_000, 40);
    let other = part(8, 2, 0, 5);
    let all = [long.clone(), next.clone(), last.clone(), other.clone()];
    let (merged, summary) = merge(Whole::Growing, &all);
    let both = Part {
        sequence: 5,
        samples: [next.samples.clone(), last.samples.clone()].concat(),
        ..next.clone()
    };
    assert_eq!(merged, [long.clone(), both, other.clone()]);
    assert_eq!((summary.samples, summary.sequence), (945, 5));
    assert_eq!((summary.first_ms, summary.last_ms), (0, 20_390));

    let (merged, summary) = merge(Whole::Last, &all);
    let samples = [long.samples, next.samples, last.samples].concat();
    let one = Part {
        series: 7,
        sequence: 5,
        samples,
    };
    assert_eq!(merged, [one, other]);
    assert_eq!(summary.samples, 945);
}

#[test]
fn a_long_chunk_that_another_reaches_into_is_merged_with_it() {
    let long = part(7, 3, 0, 600);
    // Begins with the last sample of the other one, and says something else of it.
    let next = part(7, 4, 5_990, 400);
    let (merged, summary) = merge(Whole::Growing, &[long.clone(), next.clone()]);
    let samples = [&long.samples[..599], &next.samples].concat();
    let one = Part {
        series: 7,
        sequence: 4,
        samples,
    };
    assert_eq!(merged, [one]);
    assert_eq!(summary.samples, 999);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn i_merge_1_every_time_once_with_what_was_written_last(
        is_last in any::<bool>(),
        parts in proptest::collection::vec((1u64..3, 0i64..60, 1usize..1_500), 1..12),
    ) {
        let parts: Vec<Part> = (1..)
            .zip(parts)
            .map(|(sequence, (series, from, count))| part(series, sequence, from * 1_000, count))
            .collect();
        let mut model = BTreeMap::new();
        for part in &parts {
            for sample in &part.samples {
                model.insert((part.series, sample.time_ms), (sample.value, part.sequence));
            }
        }
        let whole = if is_last { Whole::Last } else { Whole::Growing };
        let (merged, summary) = merge(whole, &parts);
        let samples = |part: &Part| {
            let (series, samples) = (part.series, part.samples.clone());
            samples.into_iter().map(move |sample| ((series, sample.time_ms), sample.value))
        };
        let read: Vec<_> = merged.iter().flat_map(samples).collect();
        let expected: Vec<_> = model.iter().map(|(at, (value, _))| (*at, *value)).collect();
        prop_assert_eq!(read, expected);
        prop_assert_eq!(summary.samples, model.len() as u64);
        // I-MERGE-2.
        for part in &merged {
            let from = |sample: &Sample| model[&(part.series, sample.time_ms)].1;
            let newest = part.samples.iter().map(from).max();
            prop_assert!(newest.is_some_and(|newest| part.sequence >= newest));
        }
    }
}
