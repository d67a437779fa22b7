use proptest::prelude::*;

use super::*;

/// 2026-11-22T00:16:02.347Z
const MOMENT_MS: i64 = 1_795_306_562_347;

#[test]
fn parameters_take_all_three_forms() {
    for text in [
        "2026-11-22T00:16:02.347Z",
        "2026-11-22T00:16:02.347999999Z",
        "2026-11-22T05:46:02.347+05:30",
        "2026-11-22T00:16:02.347",
        "1795306562347",
        "1795306562.347",
        "1.795306562347e9",
    ] {
        assert_eq!(parse_param(text), Ok(MOMENT_MS), "{text}");
    }
    assert_eq!(parse_param("2026-11-22T00:16:02.60Z"), Ok(MOMENT_MS + 253));
    assert_eq!(parse_param("0"), Ok(0));
    assert_eq!(parse_param("1795306562"), Ok(1_795_306_562_000));
    assert_eq!(parse_param("99999999999"), Ok(99_999_999_999_000));
    assert_eq!(parse_param("100000000000"), Ok(100_000_000_000));
    assert_eq!(parse_param("-1.5"), Ok(-1_500));
    // As whole numbers are: from 10^11 on it is milliseconds.
    assert_eq!(parse_param("1e11"), Ok(100_000_000_000));
    assert_eq!(parse_param("1795306562347.4"), Ok(1_795_306_562_347));
}

#[test]
fn i_time_2_everything_else_is_an_error() {
    for text in [
        "",
        "now",
        "1h",
        "NaN",
        "inf",
        "1e300",
        "1e16",
        "99999999999999999999",
        "2026-11-22",
        "2026-13-22T00:00:00Z",
        "2026-11-22T25:00:00Z",
        "00:16:02",
        "2026-11-22T00:16:60Z",
        "2026-12-31T23:59:60Z",
        "2026-12-31 23:59:60",
        "2026-12-31T23:59:60.5+01:00",
        "20261231T235960Z",
        "--1",
        ".",
    ] {
        assert!(parse_param(text).is_err(), "{text:?} was taken");
    }
    let shown = "x".repeat(64);
    let error = parse_param(&"x".repeat(1_000)).unwrap_err();
    assert_eq!(error, BadTime::NoTime { shown });
}

#[test]
fn i_time_3_only_a_parameter_goes_without_a_zone() {
    for text in ["2026-11-22T00:16:02.347", "2026-11-22 00:16:02.347"] {
        assert_eq!(parse_param(text), Ok(MOMENT_MS), "{text}");
        for strict in [parse_moment(text), parse_rfc3339(text)] {
            let error = strict.unwrap_err();
            assert_eq!(
                error,
                BadTime::NoZone {
                    shown: text.to_owned()
                }
            );
            assert!(
                error
                    .to_string()
                    .ends_with("end it with Z for UTC, or with an offset such as +01:00")
            );
        }
    }
    assert!(parse_rfc3339("2026-11-22T00:16:02.347[Europe/Paris]").is_err());
    assert_eq!(parse_moment("1795306562.347"), Ok(MOMENT_MS));
}

#[test]
fn the_year_9999_is_a_time_up_to_its_end() {
    for (text, ms) in [
        ("9999-12-30T22:00:01Z", 253_402_207_201_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ("9999-12-31T23:59:59.9999Z", 253_402_300_799_999),
        ("9999-12-31T23:59:59-01:00", 253_402_304_399_000),
    ] {
        assert_eq!(parse_rfc3339(text), Ok(ms), "{text}");
    }
    assert_eq!(parse_param("9999-12-31T23:59:59"), Ok(253_402_300_799_000));
    for text in [
        "10000-01-01T00:00:00Z",
        "9999-12-32T00:00:00Z",
        "9999-12-31Z",
    ] {
        assert!(parse_param(text).is_err(), "{text:?} was taken");
    }
}

#[test]
fn times_before_1970_round_towards_the_past() {
    assert_eq!(parse_rfc3339("1969-12-31T23:59:59.9999Z"), Ok(-1));
}

#[test]
fn format_shows_milliseconds_and_survives_any_time() {
    assert_eq!(format_rfc3339(MOMENT_MS), "2026-11-22T00:16:02.347Z");
    assert_eq!(format_rfc3339(0), "1970-01-01T00:00:00.000Z");
    assert!(format_rfc3339(i64::MAX).starts_with("9999-12-3"));
    assert!(format_rfc3339(i64::MIN).starts_with("-009999-01-0"));
}

proptest! {
    #[test]
    fn i_time_1_milliseconds_survive(time_ms in 0_i64..4_102_444_800_000) {
        let text = format_rfc3339(time_ms);
        prop_assert_eq!(parse_rfc3339(&text), Ok(time_ms));
        prop_assert_eq!(parse_param(&text), Ok(time_ms));
        let seconds = format!("{}.{:03}", time_ms / 1_000, time_ms % 1_000);
        prop_assert_eq!(parse_param(&seconds), Ok(time_ms));
    }

    #[test]
    fn any_text_never_panics(text in any::<String>()) {
        let _ = parse_param(&text);
    }
}
