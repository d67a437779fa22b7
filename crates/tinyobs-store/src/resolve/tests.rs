use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
use Resolution::{FiveMinutes, Hour, Raw};

/// Raw of the last two days, five minutes of the last ten, hours of all; now is day 20, and the last
/// sample that is not rolled up yet is of 07:12.
fn usual() -> There {
    let mut dropped_ms = [i64::MIN; 3];
    dropped_ms[Raw as usize] = 18 * DAY;
    dropped_ms[FiveMinutes as usize] = 10 * DAY;
    There::new(dropped_ms, Some(20 * DAY + 7 * HOUR + 12 * MINUTE))
}

fn cut(from: i64, to: i64, wanted: Resolution, there: &There) -> Vec<(i64, i64, Resolution)> {
    let found = stretches(TimeRange::new(from, to), wanted, there);
    found
        .into_iter()
        .map(|(range, resolution)| (range.start_ms, range.end_ms, resolution))
        .collect()
}

#[test]
fn wanted_is_the_coarsest_that_is_no_wider_than_the_step() {
    let five = 5 * MINUTE;
    let steps = [0, 1, five - 1, five, HOUR - 1, HOUR, 9 * HOUR];
    let expected = [Raw, Raw, Raw, FiveMinutes, FiveMinutes, Hour, Hour];
    assert_eq!(steps.map(wanted), expected);
    assert_eq!(wanted(-1), Raw);
}

#[test]
fn i_resolve_1_each_stretch_has_what_is_nearest_to_wanted() {
    let there = usual();
    let (to, now) = (20 * DAY + 7 * HOUR, 20 * DAY + 8 * HOUR);
    let five_until = to + 10 * MINUTE;
    assert_eq!(
        cut(0, now, Raw, &there),
        [
            (0, 10 * DAY - 1, Hour),
            (10 * DAY, 18 * DAY - 1, FiveMinutes),
            (18 * DAY, now, Raw)
        ]
    );
    assert_eq!(
        cut(0, now, FiveMinutes, &there),
        [
            (0, 10 * DAY - 1, Hour),
            (10 * DAY, five_until - 1, FiveMinutes),
            (five_until, now, Raw)
        ]
    );
    // The open hour: five minutes as far as they go, then samples.
    assert_eq!(
        cut(0, now, Hour, &there),
        [
            (0, to - 1, Hour),
            (to, five_until - 1, FiveMinutes),
            (five_until, now, Raw)
        ]
    );
}

#[test]
fn i_resolve_1_at_every_border_one_millisecond_decides() {
    let there = usual();
    let borders = [
        (10 * DAY, FiveMinutes, Hour, FiveMinutes),
        (18 * DAY, Raw, FiveMinutes, Raw),
        (20 * DAY + 7 * HOUR, Hour, Hour, FiveMinutes),
        (
            20 * DAY + 7 * HOUR + 10 * MINUTE,
            FiveMinutes,
            FiveMinutes,
            Raw,
        ),
    ];
    for (at, wanted, before, after) in borders {
        assert_eq!(
            cut(at - 1, at - 1, wanted, &there),
            [(at - 1, at - 1, before)]
        );
        assert_eq!(cut(at, at, wanted, &there), [(at, at, after)]);
        assert_eq!(
            cut(at - 1, at, wanted, &there),
            [(at - 1, at - 1, before), (at, at, after)]
        );
    }
}

#[test]
fn without_anything_waiting_rollups_reach_to_the_end() {
    let there = There::new([i64::MIN; 3], None);
    for wanted in Resolution::ALL {
        assert_eq!(cut(-5, i64::MAX, wanted, &there), [(-5, i64::MAX, wanted)]);
    }
}

#[test]
fn the_finest_may_be_kept_longest() {
    let mut dropped_ms = [i64::MIN; 3];
    dropped_ms[FiveMinutes as usize] = 10 * DAY;
    dropped_ms[Hour as usize] = 15 * DAY;
    let there = There::new(dropped_ms, Some(20 * DAY));
    assert_eq!(
        cut(0, 21 * DAY, Hour, &there),
        [
            (0, 10 * DAY - 1, Raw),
            (10 * DAY, 15 * DAY - 1, FiveMinutes),
            (15 * DAY, 20 * DAY - 1, Hour),
            (20 * DAY, 21 * DAY, Raw)
        ]
    );
}

#[test]
fn what_nobody_has_is_left_out() {
    let there = There::new([8 * DAY, 6 * DAY, 4 * DAY], None);
    assert_eq!(
        cut(0, 9 * DAY, Raw, &there),
        [
            (4 * DAY, 6 * DAY - 1, Hour),
            (6 * DAY, 8 * DAY - 1, FiveMinutes),
            (8 * DAY, 9 * DAY, Raw)
        ]
    );
    assert_eq!(cut(0, 4 * DAY - 1, Raw, &there), []);
    assert_eq!(cut(5, 4, Raw, &there), []);
}

#[test]
fn a_sample_older_than_raw_does_not_close_what_came_after_it() {
    let there = There::new([18 * DAY, i64::MIN, i64::MIN], Some(DAY));
    assert_eq!(
        cut(0, 20 * DAY, Hour, &there),
        [(0, 18 * DAY - 1, Hour), (18 * DAY, 20 * DAY, Raw)]
    );
}
