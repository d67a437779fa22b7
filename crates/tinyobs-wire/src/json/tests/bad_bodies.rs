use super::*;

/// Bodies that are refused whole, and what is said.
#[rustfmt::skip]
const BAD: &[(&str, &str)] = &[
    ("", "body ends too early, at line 1, column 0"),
    (r#"{"metrics":[{"name":"m","value":1}"#, "body ends too early, at line 1, column 34"),
    ("{\n\"metrics\":[{\"name\":\"m\",\"value\":1},", "body ends too early, at line 2, column 34"),
    (r#"{"metrics":[{"name":"m","value":1}]} x"#, "body is not valid JSON: something stands behind its end at line 1, column 38"),
    (r#"{"metrics":[{"name":"m","value":1}]}{}"#, "body is not valid JSON: something stands behind its end at line 1, column 37"),
    ("hello", "body is not valid JSON: a value, or text in quotes, is expected at line 1, column 1"),
    (r#"{"metrics":[{"name":"m","value":NaN}]}"#, "body is not valid JSON: a value, or text in quotes, is expected at line 1, column 33; JSON has no NaN and no infinity: leave the item out, or send it by remote write, OTLP or in the Prometheus text format, which have them"),
    (r#"{"metrics":[{"name":"m","value":01}]}"#, "body is not valid JSON: invalid number at line 1, column 34"),
    ("[]", "body is not a push: an object such as {\"metrics\":[…]} is expected, not a list at line 1, column 2"),
    ("null", "body is not a push: an object such as {\"metrics\":[…]} is expected, not null at line 1, column 4"),
    (r#"{"metrics":{}}"#, "body is not a push: a list of items in `metrics` is expected, not an object at line 1, column 13"),
    (r#"{"name":"m","value":1}"#, "body is not a push: `metrics` is missing, items belong into {\"metrics\":[…]} at line 1, column 22"),
    (r#"{"metrics":[],"metrics":[]}"#, "body is not a push: `metrics` is given twice at line 1, column 23"),
    (r#"{"source":{},"source":{}}"#, "body is not a push: `source` is given twice at line 1, column 21"),
    (r#"{"source":{"start":5.5},"metrics":[]}"#, "body is not a push: `start` of `source`: 5.5 is neither RFC 3339 nor whole milliseconds since the epoch at line 1, column 23"),
    (r#"{"metrics":[],"source":{"start":"2026-11-22"}}"#, "body is not a push: `start` of `source`: \"2026-11-22\" is not RFC 3339, such as 2026-11-22T00:16:02.347Z at line 1, column 45"),
    (r#"{"source":{"service":1},"metrics":[]}"#, "body is not a push: a string is expected, not 1 at line 1, column 22"),
];

#[test]
fn i_json_2_broken_bodies_are_refused_whole() {
    for (body, message) in BAD {
        assert_eq!(body_error(body), *message, "{body}");
    }
    let cut = decode(b"{\"metrics\":[]}\xff", NOW_MS).unwrap_err();
    assert_eq!(cut, BodyError::NotUtf8 { at: 14 });
}

#[test]
fn who_writes_what_json_has_not_is_told_what_to_do() {
    for word in [
        "NaN",
        "nan",
        "-NaN",
        "Infinity",
        "-Infinity",
        "inf",
        "-inf",
        "Inf",
    ] {
        for before in ["", "\n\n  "] {
            let body = format!(r#"{{"metrics":[{{"name":"m",{before}"value":{word}}}]}}"#);
            let message = body_error(&body);
            assert!(message.contains("; JSON has no NaN"), "{body}: {message}");
            let lines = format!(r#"{{"name":"m","value":{word}}}"#);
            let line = decode_lines(lines.as_bytes(), NOW_MS);
            let message = &line.refused[0].message;
            assert!(
                message.starts_with("item is malformed: value: "),
                "{message}"
            );
            assert!(message.contains("; JSON has no NaN"), "{body}: {message}");
        }
    }
    for other in ["nothing", "x", "-", "{\"name\":\"nano\",\"value\":x}"] {
        assert!(!body_error(other).contains("JSON has no"), "{other}");
    }
}
