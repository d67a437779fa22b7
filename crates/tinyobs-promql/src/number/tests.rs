use proptest::prelude::*;

use super::*;

#[test]
fn numbers_print_as_prometheus_prints_them() {
    for (value, expected) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1e20, "100000000000000000000"),
        (1e21, "1000000000000000000000"),
        (0.0001, "0.0001"),
        (1.25e-7, "0.000000125"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(Number::plain(value).to_string(), expected);
    }
}

#[test]
fn durations_print_in_units() {
    for (ms, expected) in [
        (0, "0s"),
        (1, "1ms"),
        (1_001, "1s1ms"),
        (5_400_000, "1h30m"),
        (86_400_000, "1d"),
        (7 * 86_400_000, "1w"),
        (8 * 86_400_000, "8d"),
        (365 * 86_400_000, "1y"),
        (366 * 86_400_000, "366d"),
        (-300_000, "-5m"),
    ] {
        assert_eq!(Number::milliseconds(ms).to_string(), expected);
    }
}

#[test]
fn whole_milliseconds_get_units() {
    assert_eq!(
        Number::plain(300.0).with_units(),
        Number::milliseconds(300_000)
    );
    assert_eq!(Number::plain(0.5).with_units(), Number::milliseconds(500));
    assert_eq!(
        Number::plain(-1.0).with_units(),
        Number::milliseconds(-1_000)
    );
    for value in [0.0001, 1e300, f64::NAN, f64::INFINITY] {
        assert_eq!(Number::plain(value).with_units(), Number::plain(value));
    }
}

/// What a printed number reads as; a sign is not part of it.
fn read(number: Number) -> Number {
    let text = number.to_string();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.trim_start_matches('+')),
    };
    let read = crate::lexer::number(digits).expect("a number");
    if negative { read.negated() } else { read }
}

proptest! {
    #[test]
    fn i_number_1_numbers_read_back(value in any::<f64>()) {
        prop_assert_eq!(read(Number::plain(value)), Number::plain(value));
    }

    #[test]
    fn i_number_1_durations_read_back(ms in -MILLISECONDS_MAX..=MILLISECONDS_MAX) {
        prop_assert_eq!(read(Number::milliseconds(ms)), Number::milliseconds(ms));
    }
}
