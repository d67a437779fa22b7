use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;

fn histogram(bounds: &[f64]) -> (Histogram, Arc<AtomicU64>) {
    let skipped = Arc::new(AtomicU64::new(0));
    let cell = HistogramCell::new(clean_bounds(bounds).0, skipped.clone());
    (Histogram(Arc::new(cell)), skipped)
}

fn cumulative(histogram: &Histogram) -> Vec<u64> {
    let mut out = Vec::new();
    histogram.0.cumulative(&mut out);
    out
}

#[test]
fn i_hist_1_the_last_bucket_is_a_true_infinity() {
    let (histogram, _) = histogram(&DEFAULT_BOUNDS);
    histogram.observe(0.3);
    histogram.observe(30);
    assert_eq!(
        cumulative(&histogram),
        [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2]
    );
    assert_eq!((histogram.count(), histogram.sum()), (2, 30.3));
}

#[test]
fn a_value_on_a_bound_is_at_most_that_bound() {
    let (histogram, _) = histogram(&[-1.0, 0.0, 1.0]);
    for value in [-1.0, -0.0, 0.0, 1.0, 1.000_000_1] {
        histogram.observe(value);
    }
    assert_eq!(cumulative(&histogram), [1, 3, 4, 5]);
}

#[test]
fn i_hist_1_snapshots_under_load_agree_with_themselves() {
    let (histogram, _) = histogram(&[1.0, 2.0]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let observers: Vec<_> = (0..8)
            .map(|thread| {
                let histogram = histogram.clone();
                scope.spawn(move || {
                    for i in 0..25_000 {
                        histogram.observe(f64::from((thread + i) % 4));
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut before = vec![0; 3];
            while !done.load(Relaxed) {
                let now = cumulative(&histogram);
                assert!(now.is_sorted(), "{now:?} is not cumulative");
                assert!(before.iter().zip(&now).all(|(b, n)| b <= n), "went down");
                before = now;
            }
        });
        for observer in observers {
            observer.join().unwrap();
        }
        done.store(true, Relaxed);
    });
    // Each thread observed 0, 1, 2 and 3 equally often.
    assert_eq!(cumulative(&histogram), [100_000, 150_000, 200_000]);
    assert_eq!(histogram.sum(), 300_000.0);
}

#[test]
fn i_hist_2_bounds_of_any_list() {
    let cleaned = |given: &[f64]| {
        let (bounds, changed) = clean_bounds(given);
        (bounds.to_vec(), changed)
    };
    assert_eq!(cleaned(&[1.0, 2.0]), (vec![1.0, 2.0], false));
    assert_eq!(cleaned(&[1.0, f64::INFINITY]), (vec![1.0], false));
    assert_eq!(cleaned(&[2.0, 1.0, 2.0]), (vec![1.0, 2.0], true));
    assert_eq!(cleaned(&[f64::NAN, 1.0]), (vec![1.0], true));
    assert_eq!(cleaned(&[f64::NEG_INFINITY]), (vec![], true));
    assert_eq!(cleaned(&[]), (vec![], false));
    let many: Vec<f64> = (0..1_000).map(f64::from).collect();
    let (bounds, changed) = cleaned(&many);
    assert_eq!((bounds.len(), changed), (500, true));
}

#[test]
fn i_hist_3_what_is_not_finite_is_skipped_and_counted() {
    let (histogram, skipped) = histogram(&[1.0]);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        histogram.observe(bad);
    }
    histogram.observe(0.5);
    assert_eq!(cumulative(&histogram), [1, 1]);
    assert_eq!(histogram.sum(), 0.5);
    assert_eq!(skipped.load(Relaxed), 3);
}

#[test]
fn a_timer_observes_once_unless_discarded() {
    let (histogram, _) = histogram(&DEFAULT_BOUNDS);
    drop(histogram.start_timer());
    histogram.start_timer().observe();
    histogram.start_timer().discard();
    assert_eq!(histogram.count(), 2);
    assert!(histogram.sum() >= 0.0 && histogram.sum() < 1.0);
}
