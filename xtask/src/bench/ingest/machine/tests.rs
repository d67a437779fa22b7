use super::{Used, read};

#[test]
fn the_systems_account_is_read_in_seconds() {
    let stat = "cpu  100 200 300 4000 500 60 70 80 9 9\ncpu0 1 1 1 1\nintr 5\n";
    assert_eq!(read(stat), Some((53.1, 8.1)));
    assert_eq!(read("cpu0 1 2 3\n"), None);
    assert_eq!(read("cpu  1 2 x\n"), None);
}

#[test]
fn what_is_neither_idle_nor_ours_is_somebody_elses() {
    let used = |all, busy, ours| Used { all, busy, ours };
    let share = used(120.0, 65.0, 20.0).by_others_since(used(100.0, 50.0, 10.0));
    assert_eq!(share, 0.25);
    // Ticks are rounded: a little less than nothing is nothing.
    assert_eq!(
        used(101.0, 50.9, 11.0).by_others_since(used(100.0, 50.0, 10.0)),
        0.0
    );
}
