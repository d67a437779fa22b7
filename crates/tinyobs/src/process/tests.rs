use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::key::OwnLabels;

const STAT: &str = "4242 (a b) c) S 1 4242 4242 0 -1 4194560 1200 0 3 0 250 50 0 0 20 0 7 0 \
                    123456 1073741824 2560 18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1\n";

#[test]
fn i_process_1_a_name_full_of_blanks_and_brackets() {
    let stat = parse_stat(STAT).unwrap();
    assert_eq!(
        stat,
        Stat {
            cpu_ticks: 300,
            threads: 7,
            start_ticks: 123_456,
            virtual_bytes: 1 << 30,
            resident_pages: 2_560,
        }
    );
}

#[test]
fn the_start_is_boot_time_and_ticks() {
    let system = System {
        boot_seconds: 1_700_000_000,
        ticks_per_second: 100,
        page_bytes: 4_096,
    };
    assert_eq!(
        system.start_ms(&parse_stat(STAT).unwrap()),
        1_700_001_234_560
    );
}

#[test]
fn garbage_is_none() {
    for garbage in [
        "",
        "1 (x",
        "1 (x) S 1 2",
        "1 (x) S a b c d e f g h i j k l m n o p q r s",
    ] {
        assert_eq!(parse_stat(garbage), None);
    }
    assert_eq!(boot_seconds("cpu 1 2 3\n"), None);
    assert_eq!(
        boot_seconds("cpu 1\nbtime 1700000000\n"),
        Some(1_700_000_000)
    );
    assert_eq!(auxv_entry(&[1, 2, 3], AT_PAGESZ), None);
}

#[cfg(target_os = "linux")]
#[test]
fn this_very_process() {
    let registry = Registry::new(OwnLabels::default(), 10, Arc::default());
    let mut metrics = ProcessMetrics::new(&registry).unwrap();
    let busy = Instant::now();
    while busy.elapsed() < Duration::from_millis(60) {
        std::hint::black_box(0);
    }
    metrics.update();
    assert!(metrics.cpu_seconds.value() >= 0.01);
    assert!(metrics.resident_bytes.value() > 1e5);
    assert!(metrics.virtual_bytes.value() >= metrics.resident_bytes.value());
    assert!(metrics.threads.value() >= 1.0);
    assert!(metrics.open_fds.value() >= 3.0);
    let age_ms = now_ms() - start_ms().unwrap();
    assert!((0..3_600_000).contains(&age_ms), "{age_ms}");
}
