use super::*;

#[test]
fn i_otlp_delta_3_buckets_stay_cumulative() {
    let delta = vec![(1.0, 0.0), (2.0, 3.0), (4.0, 5.0)];
    assert_eq!(add(&[], &delta), delta);
    // The same bounds.
    let known = [(1.0, 0.0), (2.0, 10.0), (4.0, 20.0)];
    assert_eq!(add(&known, &delta), [(1.0, 0.0), (2.0, 13.0), (4.0, 25.0)]);
    // Further up: what was known lies below, what is new above.
    let above = vec![(32.0, 0.0), (64.0, 2.0)];
    assert_eq!(
        add(&known, &above),
        [
            (1.0, 0.0),
            (2.0, 10.0),
            (4.0, 20.0),
            (32.0, 20.0),
            (64.0, 22.0)
        ]
    );
    // Further down: nothing was there.
    let below = vec![(0.25, 0.0), (0.5, 7.0)];
    assert_eq!(
        add(&known, &below),
        [
            (0.25, 0.0),
            (0.5, 7.0),
            (1.0, 7.0),
            (2.0, 17.0),
            (4.0, 27.0)
        ]
    );
    // Nothing but zeros before.
    let known = [(0.0, 3.0)];
    assert_eq!(
        add(&known, &delta),
        [(0.0, 3.0), (1.0, 3.0), (2.0, 6.0), (4.0, 8.0)]
    );
}
