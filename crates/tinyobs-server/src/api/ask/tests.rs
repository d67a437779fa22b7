use super::*;

fn range(text: &str) -> Result<Ask, String> {
    let form = Form::parse(&[text]).unwrap();
    Ask::range(&form).map_err(|failure| failure.message().to_owned())
}

fn instant(text: &str) -> Result<Ask, String> {
    let form = Form::parse(&[text]).unwrap();
    Ask::instant(&form, 42).map_err(|failure| failure.message().to_owned())
}

#[test]
fn i_ask_1_times_and_lengths() {
    for (text, ms) in [
        ("1795306562.3474", 1_795_306_562_347),
        ("-1.5", -1_500),
        ("1e3", 1_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500),
        ("1970-01-01T01:00:00%2B01:00", 0),
        ("-292273086-05-16T16:47:06Z", -(1 << 53)),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ("1e300", 1 << 53),
        ("-1e17", -(1 << 53)),
        ("Inf", 1 << 53),
    ] {
        let ask = instant(&format!("time={text}")).unwrap();
        assert_eq!((ask.start_ms, ask.end_ms, ask.step_ms), (ms, ms, 0));
    }
    assert_eq!(instant("query=up").unwrap().start_ms, 42);
    for text in ["notatime", "NaN", "2026-11-22"] {
        let error = instant(&format!("time={text}")).unwrap_err();
        assert!(
            error.starts_with("invalid parameter \"time\": \""),
            "{error}"
        );
    }
    for (text, ms) in [
        ("60", 60_000),
        ("90.5", 90_500),
        ("1m", 60_000),
        ("1h30m", 5_400_000),
        ("250ms", 250),
        ("0.001", 1),
    ] {
        assert_eq!(length_ms("step", text).unwrap(), ms, "{text}");
    }
    assert_eq!(length_ms("step", "-1m").unwrap(), -60_000);
    for text in ["bogus", "1.5h", "NaN", "1h 2m", "up", "1h+1h", "0x10s"] {
        assert!(length_ms("step", text).is_err(), "{text}");
    }
}

#[test]
fn a_range_has_a_beginning_an_end_and_a_step() {
    let ask = range("query=up&start=10&end=20.5&step=1m&limit=3&stats=all").unwrap();
    assert_eq!((ask.start_ms, ask.end_ms), (10_000, 20_500));
    assert_eq!((ask.step_ms, ask.limit, ask.stats), (60_000, 3, true));
    for (text, error) in [
        (
            "end=20&step=1",
            "invalid parameter \"start\": it is missing",
        ),
        ("start=1&step=1", "invalid parameter \"end\": it is missing"),
        ("start=1&end=2", "invalid parameter \"step\": it is missing"),
        (
            "start=2&end=1&step=1",
            "invalid parameter \"end\": it lies before the start",
        ),
    ] {
        assert_eq!(range(text).unwrap_err(), error);
    }
    for step in ["-1", "0", "0.0001"] {
        let error = range(&format!("start=1&end=2&step={step}")).unwrap_err();
        assert!(error.contains("a millisecond at least"), "{error}");
    }
}

#[test]
fn i_ask_2_eleven_thousand_steps() {
    assert!(range("start=0&end=11000&step=1").is_ok());
    assert_eq!(
        range("start=0&end=11001&step=1").unwrap_err(),
        "invalid parameter \"step\": 11001 steps are more than the 11000 that one answer may have: a \
         step of 1.001 seconds would fit"
    );
}

#[test]
fn a_timeout_can_only_ask_for_less() {
    let most = Duration::from_secs(limits::QUERY_SECONDS);
    assert_eq!(instant("").unwrap().timeout, most);
    assert_eq!(instant("timeout=1h").unwrap().timeout, most);
    assert_eq!(
        instant("timeout=500ms").unwrap().timeout,
        Duration::from_millis(500)
    );
    assert!(instant("timeout=-1").is_err());
    assert_eq!(
        instant("lookback_delta=1m").unwrap().lookback_ms,
        Some(60_000)
    );
    assert_eq!(instant("lookback_delta=0").unwrap().lookback_ms, None);
    assert!(instant("lookback_delta=-1m").is_err());
}
