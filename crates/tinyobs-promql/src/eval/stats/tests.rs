use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn one_by_one(values: &[f64]) -> (Sum, f64) {
    let sum = values
        .iter()
        .fold(Sum::default(), |sum, &value| sum.plus(value));
    let mut mean = Mean::of(values[0]);
    for &value in &values[1..] {
        mean.add(value);
    }
    (sum, mean.value())
}

/// The bits, whatever kind of NaN it is.
fn plain(value: f64) -> u64 {
    if value.is_nan() {
        return f64::NAN.to_bits();
    }
    value.to_bits()
}

proptest! {
    #[test]
    fn i_stats_1_the_fast_way_gives_the_same_bits(
        values in vec(prop_oneof![
            6 => -1e3..1e3_f64,
            2 => -1e300..1e300_f64,
            1 => prop::sample::select(&[
                f64::MAX, -f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, -0.0, 1e16,
            ]),
        ], 1..12)
    ) {
        let (sum, mean) = one_by_one(&values);
        prop_assert_eq!(plain(Sum::of_all(&values).value()), plain(sum.value()), "{:?}", values);
        // A sum begins at 0 and a mean at its first value, which only tells zeros apart.
        let fast = Mean::of_all(&values);
        prop_assert_eq!(plain(fast + 0.0), plain(mean + 0.0), "{:?}", values);
    }
}

#[test]
fn i_stats_1_nothing_is_lost_and_nothing_overflows() {
    assert_eq!(Sum::of_all(&[1.0, 1e100, 1.0, -1e100]).value(), 2.0);
    assert_eq!(Sum::of_all(&[f64::MAX, f64::MAX]).value(), f64::INFINITY);
    assert_eq!(Mean::of_all(&[f64::MAX, f64::MAX]), f64::MAX);
    assert_eq!(Mean::of_all(&[0.1; 10]), 0.1);
    assert_eq!(quantile(0.25, &mut [4.0, 1.0, 3.0, 2.0]), 1.75);
    assert!(quantile(0.0, &mut [1.0, f64::NAN]).is_nan());
    let mut spread = Spread::default();
    for value in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
        spread.add(value);
    }
    assert_eq!(spread.variance(), 4.0);
}
