use proptest::prelude::*;

use super::*;

#[test]
fn sizes_are_read_as_they_are_written() {
    for (text, bytes) in [
        ("0", 0),
        ("1073741824", 1 << 30),
        ("512MB", 512_000_000),
        ("512mb", 512_000_000),
        ("1GiB", 1 << 30),
        ("1 GiB", 1 << 30),
        ("1G", 1 << 30),
        ("1.5g", 3 << 29),
        ("64KiB", 64 << 10),
        ("7B", 7),
        ("0.5TB", 500_000_000_000),
    ] {
        assert_eq!(parse_size(text), Ok(bytes), "{text}");
    }
    for text in [
        "",
        "GiB",
        "-1",
        "1XB",
        "1e9",
        "inf",
        "NaN",
        "1.2.3G",
        "20000000TiB",
        "99999999999999999999",
    ] {
        assert_eq!(
            parse_size(text),
            Err(format!(
                "{text:?} is not a size, such as 512MB, 1GiB or 0 for no limit"
            )),
        );
    }
}

#[test]
fn durations_are_read_as_prometheus_writes_them() {
    const HOUR: i64 = 3_600_000;
    for (text, ms) in [
        ("0", 0),
        ("12h", 12 * HOUR),
        ("14d", 14 * 24 * HOUR),
        ("2w", 14 * 24 * HOUR),
        ("1y", 365 * 24 * HOUR),
        ("1h30m", HOUR + HOUR / 2),
        ("90m", HOUR + HOUR / 2),
        ("5m", HOUR / 12),
        ("45s", 45_000),
        ("250ms", 250),
    ] {
        assert_eq!(parse_duration_ms(text), Ok(ms), "{text}");
    }
    for text in [
        "",
        "14",
        "d",
        "-1d",
        "1.5d",
        "14 d",
        "14D",
        "forever",
        "9999999999y",
    ] {
        assert_eq!(
            parse_duration_ms(text),
            Err(format!(
                "{text:?} is not a duration, such as 12h, 14d, 1y or 0 for ever"
            )),
        );
    }
}

#[test]
fn sizes_are_shown_short() {
    for (bytes, text) in [
        (0, "0 B"),
        (1_023, "1023 B"),
        (1_024, "1 KiB"),
        (1_536, "1.5 KiB"),
        (1 << 30, "1 GiB"),
        (1_000_000_000, "953.67 MiB"),
    ] {
        assert_eq!(show_size(bytes), text);
    }
}

proptest! {
    #[test]
    fn i_unit_1_a_duration_survives_its_text(ms in 0_i64..400 * 365 * 24 * 3_600_000) {
        prop_assert_eq!(parse_duration_ms(&show_duration_ms(ms)), Ok(ms));
    }

    #[test]
    fn i_unit_1_a_size_is_shown_within_a_hundredth(bytes in 0_u64..1 << 50) {
        let shown = parse_size(&show_size(bytes)).unwrap();
        prop_assert!(shown.abs_diff(bytes) as f64 <= 0.005 * bytes as f64 + 1.0);
    }
}
