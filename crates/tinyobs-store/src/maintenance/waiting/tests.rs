use super::*;

/// Minutes at which they are rolled up when somebody looks every minute.
fn turns(mut waits: impl FnMut(u64) -> bool, minutes: u64) -> Vec<u64> {
    let begun = Instant::now();
    let mut late = Late::default();
    let mut turns = Vec::new();
    for minute in 0..minutes {
        if late.look(waits(minute), begun + Duration::from_mins(minute)) {
            turns.push(minute);
            late.rolled_up();
        }
    }
    turns
}

#[test]
fn i_work_3_late_samples_that_go_on_coming_wait_for_longer_and_longer() {
    assert_eq!(turns(|_| true, 70), [2, 7, 16, 32, 48, 64]);
    // Once, and once more after a while without any.
    assert_eq!(turns(|at| at < 3 || (10..13).contains(&at), 40), [2, 12]);
    // Some other rollup has taken them along.
    assert_eq!(turns(|at| at == 0 || at == 5, 40), []);
}
