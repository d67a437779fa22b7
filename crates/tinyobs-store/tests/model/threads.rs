//! Threads: a counter is written, maintained and read at the same time; no reader ever sees a gap.
//!
//! Sample k of the counter has the value k, so whoever reads up to the newest sample knows how many
//! there must be, in whatever resolutions they come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tinyobs_model::{Resolution, TimeRange};
use tinyobs_store::{Clock, Retention, Store, StoreOptions};

use crate::answers::{read_raw, read_resolved};
use crate::oracle::DAY;
use crate::resolved::Item;
use crate::world::{Batch, ManualClock, encode, scratch};

const FIRST: i64 = 20_000 * DAY;
const STEP: i64 = 10_000;
const RUNNING: Duration = Duration::from_secs(3);

struct Shared {
    store: Store,
    clock: Arc<ManualClock>,
    /// Samples acknowledged.
    acked: AtomicU64,
    done: AtomicBool,
    /// When the maintenance under way began, by the store's clock.
    maintained_ms: AtomicI64,
}

impl Shared {
    fn goes_on(&self) -> bool {
        !self.done.load(Ordering::SeqCst)
    }

    fn write(&self) {
        let mut next = 0u64;
        while self.goes_on() {
            let mut batch = Batch::default();
            for number in next..next + 30 {
                let at_ms = FIRST + number as i64 * STEP;
                batch.items.extend(Batch::of(0, at_ms, number as f64).items);
            }
            next += 30;
            let now_ms = FIRST + next as i64 * STEP;
            // Less than a day passes during one maintenance: what comes meanwhile is not so old that
            // it is to be dropped already.
            while self.goes_on() && now_ms > self.maintained_ms.load(Ordering::SeqCst) + DAY / 2 {
                thread::yield_now();
            }
            self.clock.0.store(now_ms, Ordering::SeqCst);
            let appended = self.store.append(&encode(&batch)).expect("appends");
            assert_eq!((appended.stored, appended.refused), (30, vec![]));
            self.acked.store(next, Ordering::SeqCst);
        }
    }

    fn maintain(&self) {
        while self.goes_on() {
            let now_ms = self.clock.now_ms();
            self.maintained_ms.store(now_ms, Ordering::SeqCst);
            self.store.flush().expect("flushes");
            self.store.maintain().expect("maintains");
        }
    }

    fn read(&self, step_ms: i64) -> u64 {
        let mut reads = 0;
        while self.goes_on() {
            let at_least = self.acked.load(Ordering::SeqCst);
            let items = read_resolved(&self.store, 0, TimeRange::ALL, step_ms).expect("reads");
            // One batch may be visible and not acknowledged yet.
            let at_most = self.acked.load(Ordering::SeqCst) + 30;
            let counted = count(&items);
            assert!(
                (at_least..=at_most).contains(&counted),
                "step {step_ms}: {counted} samples, of {at_least} to {at_most}"
            );
            reads += 1;
        }
        reads
    }

    /// Raw alone: nothing is missing between the first sample that is left and the newest.
    fn read_samples(&self) -> u64 {
        let mut reads = 0;
        while self.goes_on() {
            let at_least = self.acked.load(Ordering::SeqCst);
            let samples = read_raw(&self.store, 0, TimeRange::ALL).expect("reads");
            let numbers = samples.iter().map(|(_, bits)| f64::from_bits(*bits) as u64);
            let numbers: Vec<u64> = numbers.collect();
            assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
            let newest = numbers.last().map_or(0, |last| last + 1);
            assert!(newest >= at_least, "{newest} of {at_least}");
            reads += 1;
        }
        reads
    }
}

/// Samples in all items, which follow one another without a gap.
fn count(items: &[Item]) -> u64 {
    let mut next = 0u64;
    for item in items {
        let (resolution, first, last, count) = match item {
            Item::Sample(sample) => (Resolution::Raw, sample.value, sample.value, 1),
            Item::Row(resolution, row) => (*resolution, row.first.value, row.last.value, row.count),
        };
        assert_eq!(
            first as u64, next,
            "a gap or an overlap before {resolution} {item:?}"
        );
        assert_eq!(last as u64 + 1 - next, count, "{item:?}");
        next += count;
    }
    next
}

/// I-RESOLVE-1, I-RESOLVE-2, I-SELECT-1: at any moment of any maintenance.
#[test]
fn i_resolve_2_readers_see_every_sample_once_while_it_moves_from_raw_to_windows() {
    let dir = scratch();
    let clock = Arc::new(ManualClock(FIRST.into()));
    let store = Store::open(StoreOptions {
        retention: Retention {
            raw_ms: DAY,
            ..Retention::FOR_EVER
        },
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        max_bytes: 0,
        ..StoreOptions::disk(dir.path())
    });
    let shared = Shared {
        store: store.expect("opens"),
        clock,
        acked: 0.into(),
        done: false.into(),
        maintained_ms: FIRST.into(),
    };
    let shared = &shared;
    let reads = thread::scope(|scope| {
        scope.spawn(|| shared.write());
        scope.spawn(|| shared.maintain());
        let resolved =
            [0, 300_000, 3_600_000].map(|step_ms| scope.spawn(move || shared.read(step_ms)));
        let raw = scope.spawn(|| shared.read_samples());
        let begun = Instant::now();
        let ends = |handle: &thread::ScopedJoinHandle<'_, u64>| handle.is_finished();
        // A reader that has found something wrong ends early.
        while begun.elapsed() < RUNNING && !resolved.iter().any(ends) && !ends(&raw) {
            thread::sleep(Duration::from_millis(20));
        }
        shared.done.store(true, Ordering::SeqCst);
        let reads = resolved.into_iter().chain([raw]);
        reads
            .map(|handle| handle.join().expect("right"))
            .collect::<Vec<u64>>()
    });
    let days = shared.acked.load(Ordering::SeqCst) as i64 * STEP / DAY;
    println!("{days} days, reads {reads:?}");
    assert!(reads.iter().all(|reads| *reads > 0), "{reads:?}");
}
