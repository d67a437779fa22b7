use super::*;

/// Many intervals in one millisecond, of many series, and then one each.
#[test]
fn i_counted_3_memory_is_of_the_newest_millisecond() {
    let mut counted = Counted::default();
    let labels: Vec<[u8; 1]> = (0..50).map(|series| [series]).collect();
    for end_ns in (0..200).chain([1_000_000]) {
        for labels in &labels {
            let interval = Interval {
                start_ns: 0,
                end_ns,
                adds: 1.0,
                only_grows: true,
                hash: 0,
            };
            let newest = Sample::new(0, end_ns as f64 - 1.0);
            counted.note(labels, Some(newest), interval, end_ns as f64);
        }
        if end_ns == 199 {
            assert!(counted.intervals >= 50 * 200);
        }
    }
    let room: usize = counted.series.values().map(Vec::capacity).sum();
    assert_eq!((room, counted.intervals), (50, 50));
}
