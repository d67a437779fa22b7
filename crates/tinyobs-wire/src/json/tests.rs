use tinyobs_model::{Refusal, STALE_MARKER_BITS, labels};

use super::*;

mod bad_bodies;
mod bad_items;
mod round_trip;

const NOW_MS: i64 = 1_795_306_562_347;

fn read(body: &str) -> Decoded {
    decode(body.as_bytes(), NOW_MS).unwrap_or_else(|error| panic!("{body}: {error}"))
}

#[test]
fn i_scan_1_the_plain_shape_is_scanned() {
    for (body, is_plain) in [
        (r#"{"metrics":[]}"#, true),
        (
            r#" { "metrics" : [ { "name" : "m" , "value" : -1.5e3 } ] } "#,
            true,
        ),
        (
            r#"{"source":{"service":"s"},"metrics":[{"name":"é","value":0}]}"#,
            true,
        ),
        (r#"{"metrics":[{"name":"a"b","value":0}]}"#, false),
        (r#"{"metrics":[{"name":"m","value":01}]}"#, false),
        (r#"{"metrics":[{"name":"m","value":1,}]}"#, false),
        (r#"{"metrics":[{"name":"m","value":null}]}"#, false),
        (r#"{"metrics":[{"name":"m","value":1,"more":1}]}"#, false),
        (r#"{"metrics":[]} x"#, false),
    ] {
        let mut sink = rows::Sink::new(NOW_MS, None);
        assert_eq!(scan::read(body, &mut sink).is_some(), is_plain, "{body}");
    }
}

fn body_error(body: &str) -> String {
    match decode(body.as_bytes(), NOW_MS) {
        Ok(decoded) => panic!("{body} was read as {decoded:?}"),
        Err(error) => error.to_string(),
    }
}

/// Rows as `name{labels} value@time kind start`.
fn rows(decoded: &Decoded) -> Vec<String> {
    decoded
        .batch
        .rows()
        .iter()
        .map(|row| {
            let pairs: Vec<String> = labels::pairs(decoded.batch.labels(row))
                .filter(|(name, _)| *name != "__name__")
                .map(|(name, value)| format!("{name}={value:?}"))
                .collect();
            let name = labels::pairs(decoded.batch.labels(row))
                .find(|(name, _)| *name == "__name__")
                .map_or("", |(_, value)| value);
            let value = if row.sample.value.to_bits() == STALE_MARKER_BITS {
                "stale".to_owned()
            } else {
                row.sample.value.to_string()
            };
            let start = row
                .start_ms
                .map_or_else(String::new, |start| format!(" from {start}"));
            let at = row.sample.time_ms - NOW_MS;
            format!(
                "{name}{{{}}} {value}@{at:+} {}{start}",
                pairs.join(","),
                row.kind
            )
        })
        .collect()
}

fn rules(decoded: &Decoded) -> Vec<(u32, Refusal)> {
    decoded.refused.iter().map(|r| (r.item, r.rule)).collect()
}

#[test]
fn a_plain_push() {
    let decoded = read(
        r#"{"metrics":[
            {"name":"a_total","type":"counter","value":42,"labels":{"z":"1","b":"2"},
             "timestamp":1795306562346,"start":1795306500000,"help":"Help.","unit":"x"},
            {"name":"b","value":-1.5e-13,"timestamp":"2026-11-22T00:16:02.345Z"},
            {"name":"c","type":"gauge","value":3,"labels":null,"start":1795306500000}
        ]}"#,
    );
    assert_eq!(
        rows(&decoded),
        [
            r#"a_total{b="2",z="1"} 42@-1 counter from 1795306500000"#,
            "b{} -0.00000000000015@-2 unknown",
            "c{} 3@+0 gauge",
        ]
    );
    assert_eq!(
        decoded.batch.metadata(),
        [("a_total".to_owned(), "x".to_owned(), "Help.".to_owned())]
    );
    assert_eq!((decoded.items, decoded.refused.len()), (3, 0));
    assert_eq!(decoded.source, None);
}

#[test]
fn nothing_sent_is_no_error() {
    for body in [
        "{}",
        r#"{"metrics":[]}"#,
        r#"{"metrics":null}"#,
        r#"{"source":{"service":"a"}}"#,
        " {\n} ",
    ] {
        assert_eq!(read(body).items, 0, "{body}");
    }
}

#[test]
fn a_process_that_started_before_its_clock_was_set_is_listened_to() {
    for start in ["0", "-7", "86400000"] {
        let decoded = read(&format!(
            r#"{{"source":{{"start":{start}}},"metrics":[{{"name":"a","type":"counter","value":1}}]}}"#
        ));
        assert_eq!(rows(&decoded), ["a{} 1@+0 counter"], "{start}");
        assert_eq!(decoded.source.unwrap().start_ms, None);
    }
}

#[test]
fn the_source_fills_in_what_items_lack_wherever_it_stands() {
    let source =
        r#""source":{"service":"shop","instance":"h:1","start":1795306500000,"interval_ms":5000}"#;
    let metrics = r#""metrics":[{"name":"a","value":1},
        {"name":"b","value":1,"labels":{"service":"own","instance":""}}]"#;
    for body in [
        format!("{{{source},{metrics}}}"),
        format!("{{{metrics},{source}}}"),
    ] {
        let decoded = read(&body);
        assert_eq!(
            rows(&decoded),
            [
                r#"a{instance="h:1",service="shop"} 1@+0 unknown"#,
                r#"b{instance="h:1",service="own"} 1@+0 unknown"#,
            ]
        );
        let source = decoded.source.unwrap();
        assert_eq!(
            (source.start_ms, source.interval_ms),
            (Some(1_795_306_500_000), Some(5_000))
        );
        assert!(!source.is_final);
    }
}

#[test]
fn what_a_process_counts_was_zero_when_it_started() {
    let decoded = read(
        r#"{"source":{"service":"s","start":1795306500000},"metrics":[
            {"name":"a","type":"counter","value":1,"start":1795306550000},
            {"name":"b","type":"counter","value":1},
            {"name":"c","type":"gauge","value":1}]}"#,
    );
    let starts: Vec<Option<i64>> = decoded
        .batch
        .rows()
        .iter()
        .map(|row| row.start_ms)
        .collect();
    assert_eq!(
        starts,
        [Some(1_795_306_550_000), Some(1_795_306_500_000), None]
    );
}

#[test]
fn a_final_push_ends_its_series() {
    let decoded = read(
        r#"{"source":{"service":"s","final":true},"metrics":[
            {"name":"a","value":1,"timestamp":1795306562340},
            {"name":"h","buckets":[[0.5,1]],"sum":1,"count":2}]}"#,
    );
    assert_eq!(
        rows(&decoded),
        [
            r#"a{service="s"} 1@-7 unknown"#,
            r#"a{service="s"} stale@-6 unknown"#,
            r#"h_bucket{le="0.5",service="s"} 1@+0 histogram"#,
            r#"h_bucket{le="0.5",service="s"} stale@+1 histogram"#,
            r#"h_bucket{le="+Inf",service="s"} 2@+0 histogram"#,
            r#"h_bucket{le="+Inf",service="s"} stale@+1 histogram"#,
            r#"h_sum{service="s"} 1@+0 histogram"#,
            r#"h_sum{service="s"} stale@+1 histogram"#,
            r#"h_count{service="s"} 2@+0 histogram"#,
            r#"h_count{service="s"} stale@+1 histogram"#,
        ]
    );
}

#[test]
fn a_compact_histogram_unfolds() {
    let decoded = read(
        r#"{"metrics":[{"name":"d","labels":{"e":"/"},"start":1795306500000,"help":"H.",
            "buckets":[[0.005,3],[1,7],[1e21,7]],"sum":1.5,"count":9}]}"#,
    );
    assert_eq!(
        rows(&decoded),
        [
            r#"d_bucket{e="/",le="0.005"} 3@+0 histogram from 1795306500000"#,
            r#"d_bucket{e="/",le="1"} 7@+0 histogram from 1795306500000"#,
            r#"d_bucket{e="/",le="1000000000000000000000"} 7@+0 histogram from 1795306500000"#,
            r#"d_bucket{e="/",le="+Inf"} 9@+0 histogram from 1795306500000"#,
            r#"d_sum{e="/"} 1.5@+0 histogram from 1795306500000"#,
            r#"d_count{e="/"} 9@+0 histogram from 1795306500000"#,
        ]
    );
    let described: Vec<_> = decoded.batch.metadata().iter().map(|m| &*m.0).collect();
    assert_eq!(described, ["d_bucket", "d_sum", "d_count"]);
}

#[test]
fn i_json_3_the_item_past_the_limit_ends_the_reading() {
    let limit = limits::ITEMS_PER_REQUEST;
    let items = vec![r#"{"name":"m","value":1}"#; limit].join(",");
    assert_eq!(
        read(&format!("{{\"metrics\":[{items}]}}")).batch.len(),
        limit
    );
    for more in [r#"{"name":"m","value":1}"#, "7"] {
        // Broken behind the limit: it is not even looked at.
        let body = format!("{{\"metrics\":[{items},{more},{items} oops");
        let error = decode(body.as_bytes(), NOW_MS).unwrap_err();
        assert_eq!(error, BodyError::TooManyItems { limit }, "{more}");
    }
}

#[test]
fn i_json_5_nesting_takes_no_stack() {
    let deep = "[".repeat(2_000_000);
    assert!(body_error(&deep).contains("is expected, not a list"));
    assert!(body_error(&format!("{{\"a\":{deep}")).starts_with("body ends too early"));
    assert!(body_error(&format!("{{\"metrics\":[{deep}")).starts_with("body ends too early"));
    let objects = "{\"a\":".repeat(500_000);
    assert!(body_error(&objects).starts_with("body ends too early"));
    let closed = deep + &"]".repeat(2_000_000);
    let decoded = read(&format!(
        r#"{{"x":{closed},"metrics":[{{"name":"m","value":1,"x":{closed}}}]}}"#
    ));
    assert_eq!(rows(&decoded), ["m{} 1@+0 unknown"]);
}

#[test]
fn i_json_6_a_batch_stays_within_its_budget() {
    let value = "v".repeat(4_000);
    let pairs: Vec<String> = (0..60).map(|i| format!(r#""l{i}":"{value}""#)).collect();
    let buckets: Vec<String> = (0..499).map(|i| format!("[{i},0]")).collect();
    let item = format!(
        r#"{{"name":"h","labels":{{{}}},"buckets":[{}],"sum":0,"count":0}}"#,
        pairs.join(","),
        buckets.join(",")
    );
    // Each unfolds to 120 MB: not even the first has room.
    let decoded = read(&format!(
        r#"{{"metrics":[{item},{{"name":"m","value":1}},{item}]}}"#
    ));
    assert_eq!(
        rules(&decoded),
        [(0, Refusal::BatchTooLarge), (2, Refusal::BatchTooLarge)]
    );
    assert_eq!(rows(&decoded), ["m{} 1@+0 unknown"]);
}

#[test]
fn i_json_4_numbers_survive_to_the_last_bit() {
    for (text, value) in [
        ("1e-300", 1e-300),
        ("5e-324", 5e-324),
        ("2.2250738585072011e-308", 2.225_073_858_507_201e-308),
        ("1.7976931348623157e308", f64::MAX),
        ("0.1", 0.1),
        ("-0", -0.0),
        ("-0.0", -0.0),
        ("9007199254740993", 9_007_199_254_740_992.0),
        (
            "123456789012345678901234567890",
            123_456_789_012_345_680_000_000_000_000.0,
        ),
    ] {
        let decoded = read(&format!(r#"{{"metrics":[{{"name":"m","value":{text}}}]}}"#));
        let got = decoded.batch.rows()[0].sample.value;
        assert_eq!(got.to_bits(), f64::to_bits(value), "{text} became {got:e}");
    }
}

#[test]
fn labels_keep_every_character_apart() {
    let values = [
        r"a,b=c",
        r#"a\",b=\"c"#,
        "{}",
        r"\n",
        r"\u0000",
        "😀",
        r"\ud83d\ude00x",
        "a\\tb",
    ];
    let items: Vec<String> = values
        .iter()
        .map(|value| format!(r#"{{"name":"m","value":1,"labels":{{"l":"{value}"}}}}"#))
        .collect();
    let decoded = read(&format!(r#"{{"metrics":[{}]}}"#, items.join(",")));
    let got: Vec<&str> = decoded
        .batch
        .rows()
        .iter()
        .filter_map(|row| labels::pairs(decoded.batch.labels(row)).find(|(n, _)| *n == "l"))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(
        got,
        ["a,b=c", "a\",b=\"c", "{}", "\n", "\0", "😀", "😀x", "a\tb"]
    );
}

#[test]
fn help_is_cut_at_a_character() {
    let help = "é".repeat(1_000);
    let decoded = read(&format!(
        r#"{{"metrics":[{{"name":"m","value":1,"help":"{help}"}}]}}"#
    ));
    assert_eq!(decoded.batch.metadata()[0].2, "é".repeat(512));
}

#[test]
fn i_json_7_a_line_is_an_item() {
    let lines = b"{\"name\":\"a\",\"value\":1}\n\n \r\n[1]\n{\"name\":\"b\",\"value\":2} {}\n\xff\n{\"name\":\"\",\"value\":3}\n{\"name\":\"c\",\"value\":4}";
    let decoded = decode_lines(lines, 1_795_306_562_347);
    let rows = decoded.batch.rows().iter();
    let rows: Vec<(u32, f64)> = rows.map(|row| (row.item, row.sample.value)).collect();
    assert_eq!(rows, [(0, 1.0), (7, 4.0)]);
    assert_eq!(decoded.items, 6);
    let refused = decoded.refused.iter();
    let refused: Vec<(u32, Refusal)> = refused.map(|one| (one.item, one.rule)).collect();
    let bad = Refusal::Malformed;
    assert_eq!(
        refused,
        [(3, bad), (4, bad), (5, bad), (6, Refusal::NameEmpty)]
    );
}
