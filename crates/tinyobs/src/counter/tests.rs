use std::thread;

use super::*;

fn counter() -> (Counter, Arc<AtomicU64>) {
    let skipped = Arc::new(AtomicU64::new(0));
    (
        Counter(Arc::new(CounterCell::new(skipped.clone()))),
        skipped,
    )
}

#[test]
fn i_counter_1_eight_threads_count_exactly() {
    const THREADS: u64 = 8;
    const EACH: u64 = 25_000;
    let (counter, _) = counter();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let counter = counter.clone();
            scope.spawn(move || {
                for i in 0..EACH {
                    counter.inc();
                    if i % 2 == 0 {
                        counter.add(0.25);
                    }
                }
            });
        }
    });
    // Quarters add up without rounding, so the expected value is exact.
    let expected = (THREADS * EACH) as f64 + (THREADS * EACH / 2) as f64 * 0.25;
    assert_eq!(counter.value(), expected);
}

#[test]
fn i_counter_1_small_fractions_do_not_blur_whole_numbers() {
    let (counter, _) = counter();
    counter.add(9_007_199_254_740_990_u64);
    counter.add(0.5);
    counter.add(0.5);
    counter.inc();
    assert_eq!(counter.value(), 9_007_199_254_740_992.0);
}

#[test]
fn i_counter_2_never_goes_down() {
    let (counter, skipped) = counter();
    counter.add(2);
    for bad in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        counter.add(bad);
    }
    counter.add(-7_i64);
    assert_eq!(counter.value(), 2.0);
    assert_eq!(skipped.load(Relaxed), 5);
}

#[test]
fn totals_of_others_replace_the_value() {
    let (counter, _) = counter();
    counter.0.set_total(1.25);
    counter.0.set_total(3.0);
    assert_eq!(counter.value(), 3.0);
}
