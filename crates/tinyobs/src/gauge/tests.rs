use std::thread;
use std::time::Duration;

use super::*;

#[test]
fn sets_adds_and_subtracts() {
    let gauge = Gauge(Arc::default());
    assert_eq!(gauge.value(), 0.0);
    gauge.set(17_usize);
    gauge.add(2.5);
    gauge.sub(1);
    gauge.inc();
    gauge.dec();
    assert_eq!(gauge.value(), 18.5);
    gauge.set(Duration::from_millis(250));
    assert_eq!(gauge.value(), 0.25);
}

#[test]
fn i_gauge_1_additions_from_threads_are_all_there() {
    let gauge = Gauge(Arc::default());
    thread::scope(|scope| {
        for thread in 0..8 {
            let gauge = gauge.clone();
            scope.spawn(move || {
                for _ in 0..10_000 {
                    if thread % 2 == 0 {
                        gauge.add(3);
                    } else {
                        gauge.dec();
                    }
                }
            });
        }
    });
    assert_eq!(gauge.value(), 80_000.0);
}
