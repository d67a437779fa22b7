use proptest::prelude::*;
use tinyobs_model::Kind;

use super::*;
use crate::encode::{Item, PushBody, Value};

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z_]{1,12}",
        Just("le,=\"{}\n😀".to_owned())
    ]
}

const STARTED_MS: i64 = 1_795_306_500_000;

proptest! {
    #[test]
    fn any_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&body, NOW_MS);
    }

    #[test]
    fn near_pushes_never_panic(
        body in r#"\{"metrics":\[(\{("(name|value|labels|buckets|sum|count|timestamp)":("x"|1|-1e9|null|\[\[1,1\]\]|\{"a":"b"\}),?){0,5}\},?){0,4}[\]\}x]{0,3}"#
    ) {
        let _ = decode(body.as_bytes(), NOW_MS);
    }

    /// Pushes of the plain shape with a byte or a piece changed somewhere.
    #[test]
    fn i_scan_1_both_readers_read_alike(
        texts in proptest::collection::vec(any_text(), 3),
        numbers in proptest::collection::vec("-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?", 4),
        place in any::<usize>(),
        piece in prop_oneof![
            Just(""), Just(" "), Just("\""), Just("\\"), Just("0"), Just("."), Just(","), Just("}"),
            Just("null"), Just("[1]"), Just("\"x\":{},"), Just("é"), Just("\t"), Just("\u{1}"),
        ],
        cut in 0..3_usize,
    ) {
        let text = |i: usize| serde_json::to_string(&texts[i]).unwrap();
        let [a, b, c] = [text(0), text(1), text(2)];
        let [v, t, s, n] = [&numbers[0], &numbers[1], &numbers[2], &numbers[3]];
        let mut body = format!(
            "{{\"source\":{{\"service\":{a},\"start\":1795306500000}},\"metrics\":[\
             {{\"name\":{b},\"type\":\"counter\",\"value\":{v},\"labels\":{{{a}:{c},\"l\":\"1\"}},\
             \"timestamp\":{t},\"start\":{s},\"help\":{c}}}, \
             {{\"name\":\"h\",\"buckets\":[[0.5,1],[2,{n}]],\"sum\":{v},\"count\":{n},\
             \"timestamp\":\"2026-11-22T00:16:02Z\"}}]}}\n"
        );
        let whole = body.clone();
        let mut at = place % (body.len() + 1);
        while !body.is_char_boundary(at) {
            at -= 1;
        }
        let mut end = (at + cut).min(body.len());
        while !body.is_char_boundary(end) {
            end += 1;
        }
        body.replace_range(at..end, piece);
        for body in [whole, body] {
            let mut sink = rows::Sink::new(NOW_MS, None);
            if scan::read(&body, &mut sink).is_none() {
                continue;
            }
            let (scanned, read) = (sink.into_decoded(), by_serde(&body, NOW_MS));
            let read = read.unwrap_or_else(|error| panic!("{body}: {error}"));
            prop_assert_eq!(rows(&scanned), rows(&read));
            prop_assert_eq!(&scanned.refused, &read.refused);
            prop_assert_eq!(scanned.items, read.items);
            prop_assert_eq!(scanned.source, read.source);
            prop_assert_eq!(scanned.batch.metadata(), read.batch.metadata());
        }
    }

    /// What the SDK writes is what the store gets.
    #[test]
    fn what_the_encoder_writes_comes_back(
        name in any_text(),
        label in any_text(),
        text in any_text(),
        bits in any::<u64>(),
        time_ms in crate::time::MILLISECONDS_FROM..4_102_444_800_000,
        start_ms in proptest::option::of(crate::time::MILLISECONDS_FROM..4_102_444_800_000),
        is_counter in any::<bool>(),
    ) {
        prop_assume!(!name.is_empty() && name.len() <= 256);
        prop_assume!(!label.is_empty() && label.len() <= 256 && !label.starts_with("__"));
        prop_assume!(!text.is_empty() && text.len() <= 4_096);
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        let mut body = PushBody::new();
        body.begin(Some(&crate::encode::Source {
            service: &text, instance: "h:1", start_ms: STARTED_MS, interval_ms: 5_000, is_final: false,
        }));
        let item = Item {
            name: &name, timestamp_ms: time_ms, start_ms, unit: "u", help: "h",
            value: if is_counter { Value::Counter(value) } else { Value::Gauge(value) },
        };
        body.push(&item, [(label.as_str(), text.as_str())]).unwrap();
        let decoded = decode(body.finish(), NOW_MS).unwrap();
        prop_assert_eq!(&decoded.refused, &[]);
        let row = &decoded.batch.rows()[0];
        prop_assert_eq!(row.sample, tinyobs_model::Sample::new(time_ms, value));
        prop_assert_eq!(row.kind, if is_counter { Kind::Counter } else { Kind::Gauge });
        let start_ms = Some(start_ms.unwrap_or(STARTED_MS));
        prop_assert_eq!(row.start_ms, start_ms.filter(|start| is_counter && *start < time_ms));
        let mut pairs = vec![(label.as_str(), text.as_str())];
        for (name, value) in [("service", text.as_str()), ("instance", "h:1")] {
            if label != name {
                pairs.push((name, value));
            }
        }
        let expected = tinyobs_model::Labels::new(&name, pairs).unwrap();
        prop_assert_eq!(decoded.batch.labels(row), expected.as_bytes());
    }

    #[test]
    fn encoded_histograms_come_back(
        counts in proptest::collection::vec(0_u64..1_000, 1..20),
        scale in 1e-9_f64..1e9,
        sum in -1e300_f64..1e300,
    ) {
        let mut total = 0;
        let cumulative: Vec<u64> = counts.iter().map(|count| { total += count; total }).collect();
        let bounds: Vec<f64> = (1..counts.len()).map(|i| i as f64 * scale).collect();
        let mut body = PushBody::new();
        body.begin(None);
        let item = Item {
            name: "h", timestamp_ms: NOW_MS, start_ms: None, unit: "", help: "",
            value: Value::Histogram { bounds: &bounds, cumulative: &cumulative, sum },
        };
        body.push(&item, []).unwrap();
        let decoded = decode(body.finish(), 0).unwrap();
        prop_assert_eq!(&decoded.refused, &[]);
        let mut expected: Vec<(String, f64)> = bounds.iter().map(f64::to_string)
            .chain(["+Inf".to_owned()])
            .zip(cumulative.iter().map(|count| *count as f64))
            .collect();
        expected.push((String::new(), sum));
        expected.push((String::new(), total as f64));
        let got: Vec<(String, f64)> = decoded.batch.rows().iter().map(|row| {
            let le = labels::pairs(decoded.batch.labels(row)).find(|(name, _)| *name == "le");
            (le.map_or_else(String::new, |(_, value)| value.to_owned()), row.sample.value)
        }).collect();
        prop_assert_eq!(got, expected);
    }
}
