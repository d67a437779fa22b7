use super::*;

#[test]
fn i_work_3_late_samples_take_no_more_than_a_tenth_of_the_time() {
    let last = |ago: u64, took: u64| RolledUp {
        ended: Instant::now()
            .checked_sub(Duration::from_secs(ago))
            .expect("the machine is up for longer"),
        took: Duration::from_secs(took),
    };
    let allows = |ago, took| [true, false].map(|it| last(ago, took).allows_next(it));
    assert_eq!(allows(59, 0), [false, false]);
    assert_eq!(allows(61, 6), [true, false]);
    assert_eq!(allows(119, 12), [false, false]);
    assert_eq!(allows(121, 12), [true, false]);
    // However long it takes, as soon as any other.
    assert_eq!(allows(899, 1_000), [false, false]);
    assert_eq!(allows(901, 1_000), [true, true]);
}
