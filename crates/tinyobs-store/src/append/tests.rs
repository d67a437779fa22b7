use super::*;

#[test]
fn i_append_5_a_push_waits_the_longer_the_more_of_the_log_waits() {
    let most = limits::LOG_BYTES;
    assert_eq!(hold_up(0), Duration::ZERO);
    // Two segments may wait while a third is written out, without anybody noticing.
    assert_eq!(hold_up(2 * LOG_BYTES_MAX), Duration::ZERO);
    assert!(hold_up(most / 4 + (8 << 20)) < Duration::from_millis(3));
    assert_eq!(hold_up(most), Duration::from_millis(100));
    assert_eq!(hold_up(2 * most), Duration::from_millis(100));
}
