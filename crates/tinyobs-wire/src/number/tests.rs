use proptest::prelude::*;

use super::*;

#[test]
fn numbers_are_short() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "-0.0"),
        (-7.0, "-7"),
        (200_000.0, "200000"),
        (0.1, "0.1"),
        (1e-13, "1e-13"),
        (1e300, "1e300"),
        (1_795_306_562_347.0, "1795306562347"),
        (9_007_199_254_740_992.0, "9007199254740992"),
        (-9_007_199_254_740_994.0, "-9007199254740994.0"),
    ] {
        assert_eq!(Short(value).to_string(), text);
    }
    assert_eq!(whole(f64::NAN), None);
    assert_eq!(whole(f64::INFINITY), None);
}

#[test]
fn words_for_what_has_no_digits() {
    for word in ["Inf", "inf", "+Inf", "Infinity", "infinity", "+INFINITY"] {
        assert_eq!(read(word), Some(f64::INFINITY), "{word}");
    }
    for word in ["-Inf", "-inf", "-Infinity"] {
        assert_eq!(read(word), Some(f64::NEG_INFINITY), "{word}");
    }
    for word in ["NaN", "nan", "NAN", "-NaN"] {
        let bits = read(word).map(f64::to_bits);
        assert_eq!(bits, Some(f64::NAN.to_bits()), "{word}");
    }
    assert_eq!(read("+1.5e3"), Some(1_500.0));
    for other in [
        "", "1e999", "-1e999", "infinite", "0x1", "1_000", " 1", "null",
    ] {
        assert_eq!(read(other), None, "{other}");
    }
}

proptest! {
    #[test]
    fn i_number_1_any_finite_number_comes_back(bits in any::<u64>(), count in any::<i32>()) {
        for value in [f64::from_bits(bits), f64::from(count)] {
            prop_assume!(value.is_finite());
            let text = Short(value).to_string();
            // Rust's own parser: serde_json's default one may be off in the last place.
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    }
}
