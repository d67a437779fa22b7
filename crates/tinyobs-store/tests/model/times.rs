//! Times: few series whose samples hit one another, read raw, against a sorted map; proptest shrinks.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use tinyobs_model::{
    Columns, Kind, LabelsBuilder, Matcher, Sample, SeriesSource, TimeRange, WriteBatch,
};
use tinyobs_store::{Retention, Store, StoreOptions};

use crate::world::{copy_dir, scratch};

#[derive(Debug, Clone)]
enum Step {
    /// So many samples of a series from a time on, so far apart.
    Write {
        series: u8,
        from: i64,
        step: i64,
        count: usize,
        value: f64,
    },
    Flush,
    /// Flush, roll up, merge everything.
    Maintain,
    Restart,
    /// What a killed process leaves: the files as they are.
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    // Times around a partition's border, dense enough that writes hit one another.
    let day = 86_400_000i64;
    let write = (0u8..3, -300i64..300, 1i64..4, 1usize..200, any::<f64>()).prop_map(
        move |(series, offset, step, count, value)| Step::Write {
            series,
            from: 20_000 * day + offset,
            step,
            count,
            value,
        },
    );
    prop_oneof![6 => write, 1 => Just(Step::Flush), 1 => Just(Step::Maintain), 1 => Just(Step::Restart), 1 => Just(Step::Kill)]
}

fn options(dir: &Path) -> StoreOptions {
    StoreOptions {
        retention: Retention::FOR_EVER,
        ..StoreOptions::disk(dir)
    }
}

fn write(store: &Store, series: u8, samples: &[Sample]) {
    let name = series.to_string();
    let mut batch = WriteBatch::new();
    let mut labels = LabelsBuilder::new();
    for (item, sample) in (0..).zip(samples) {
        labels.begin("m");
        labels.push("series", &name);
        batch
            .push(item, &mut labels, Kind::Gauge, *sample, None)
            .expect("valid");
    }
    let appended = store.append(&batch).expect("appends");
    assert_eq!(
        (appended.stored, appended.refused),
        (samples.len() as u64, vec![])
    );
}

fn read(store: &Store, series: u8, range: TimeRange) -> Vec<Sample> {
    let matchers = [Matcher::equal("series", series.to_string())];
    let mut columns = Columns::default();
    let mut all = Vec::new();
    for mut cursor in store.select(&matchers, range).expect("selects") {
        while cursor.next_block(&mut columns).expect("reads") {
            all.extend(columns.iter());
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn reads_agree_with_a_map(
        steps in proptest::collection::vec(step(), 1..25),
        cut in -300i64..900, width in 0i64..600,
    ) {
        let mut dir = scratch();
        let open = |dir: &Path| Store::open(options(dir)).expect("opens");
        let mut store = open(dir.path());
        let mut model: BTreeMap<u8, BTreeMap<i64, u64>> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Write { series, from, step, count, value } => {
                    let samples: Vec<Sample> = (0..count)
                        .map(|i| Sample::new(from + step * i as i64, value + i as f64))
                        .collect();
                    write(&store, series, &samples);
                    let known = model.entry(series).or_default();
                    known.extend(samples.iter().map(|s| (s.time_ms, s.value.to_bits())));
                }
                Step::Flush => store.flush().expect("flushes"),
                Step::Maintain => drop(store.maintain().expect("maintains")),
                Step::Restart => {
                    store.close().expect("closes");
                    drop(store);
                    store = open(dir.path());
                }
                Step::Kill => {
                    let copy = scratch();
                    copy_dir(dir.path(), copy.path());
                    store = open(copy.path());
                    dir = copy;
                }
            }
        }
        let from = 20_000 * 86_400_000 + cut;
        for range in [TimeRange::ALL, TimeRange::new(from, from + width)] {
            for (series, known) in &model {
                let expected: Vec<Sample> = known
                    .range(range.start_ms..=range.end_ms)
                    .map(|(&time_ms, &bits)| Sample { time_ms, value: f64::from_bits(bits) })
                    .collect();
                prop_assert_eq!(read(&store, *series, range), expected);
            }
        }
    }
}

/// A reader must see every acknowledged sample at any moment of a flush.
#[test]
fn i_select_1_nothing_is_missed_while_a_flush_runs() {
    let dir = scratch();
    let store = Arc::new(Store::open(options(dir.path())).expect("opens"));
    let done = Arc::new(AtomicBool::new(false));
    let flusher = {
        let (store, done) = (Arc::clone(&store), Arc::clone(&done));
        std::thread::spawn(move || {
            while !done.load(Ordering::SeqCst) {
                store.flush().expect("flushes");
            }
        })
    };
    for i in 0..1_500 {
        write(&store, 0, &[Sample::new(i * 1_000, i as f64)]);
        let seen = read(&store, 0, TimeRange::ALL);
        assert_eq!(seen.len() as i64, i + 1);
        assert_eq!(seen.last(), Some(&Sample::new(i * 1_000, i as f64)));
    }
    done.store(true, Ordering::SeqCst);
    flusher.join().expect("no panic");
}
