use proptest::prelude::*;
use tinyobs_model::stale_marker;

use super::*;

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        20 => (0u32..50).prop_map(f64::from),
        5 => any::<f64>(),
        1 => prop::sample::select(vec![
            f64::NAN, stale_marker(), f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0,
        ]),
    ]
}

proptest! {
    /// In columns, in pieces of any length, every bit is as it is sample by sample.
    #[test]
    fn i_rollup_1_columns_are_added_as_their_samples_are(
        pieces in proptest::collection::vec(proptest::collection::vec(value(), 0..40), 1..5),
        is_gauge in any::<bool>(),
    ) {
        let mut by_columns = Roller::new(Resolution::Hour, is_gauge);
        let mut one_by_one = Roller::new(Resolution::Hour, is_gauge);
        let (mut fast, mut slow) = (by_columns.empty(0), one_by_one.empty(0));
        let mut from_ms = 0;
        for values in pieces {
            let times: Vec<i64> = (from_ms..).take(values.len()).collect();
            from_ms += values.len() as i64;
            by_columns.add_all(&mut fast, &times, &values);
            for (&time_ms, &value) in times.iter().zip(&values) {
                one_by_one.add(&mut slow, Sample::new(time_ms, value));
            }
            prop_assert_eq!(&fast, &slow);
            prop_assert_eq!(by_columns.before.to_bits(), one_by_one.before.to_bits());
        }
    }
}
