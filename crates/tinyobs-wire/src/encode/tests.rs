use proptest::prelude::*;

use super::*;

const SOURCE: Source<'_> = Source {
    service: "checkout",
    instance: "host:4242",
    start_ms: 1_795_306_500_000,
    interval_ms: 5_000,
    is_final: false,
};

fn item(value: Value<'_>) -> Item<'_> {
    Item {
        name: "m",
        timestamp_ms: 1_795_306_562_347,
        start_ms: None,
        unit: "",
        help: "",
        value,
    }
}

fn text(body: &mut PushBody) -> String {
    String::from_utf8(body.finish().to_vec()).unwrap()
}

fn one(item: &Item<'_>, labels: &[(&str, &str)]) -> String {
    let mut body = PushBody::new();
    body.begin(None);
    body.push(item, labels.iter().copied()).unwrap();
    text(&mut body)
}

#[test]
fn a_whole_body_byte_for_byte() {
    let mut body = PushBody::new();
    body.begin(Some(&SOURCE));
    let counter = Item {
        name: "orders_total",
        start_ms: Some(1_795_306_500_120),
        unit: "orders",
        help: "Orders taken.",
        ..item(Value::Counter(42.0))
    };
    body.push(&counter, [("kind", "web")]).unwrap();
    let histogram = Item {
        name: "seconds",
        start_ms: Some(7),
        ..item(Value::Histogram {
            bounds: &[0.005, 1.0],
            cumulative: &[3, 7, 9],
            sum: 1.5,
        })
    };
    body.push(&histogram, []).unwrap();
    assert_eq!(body.items(), 2);
    assert_eq!(
        text(&mut body),
        concat!(
            r#"{"source":{"service":"checkout","instance":"host:4242","start":1795306500000,"#,
            r#""interval_ms":5000,"final":false},"metrics":["#,
            r#"{"name":"orders_total","type":"counter","labels":{"kind":"web"},"#,
            r#""timestamp":1795306562347,"start":1795306500120,"#,
            r#""unit":"orders","help":"Orders taken.","value":42},"#,
            r#"{"name":"seconds","type":"histogram","timestamp":1795306562347,"start":7,"#,
            r#""buckets":[[0.005,3],[1,7]],"sum":1.5,"count":9}]}"#,
        )
    );
}

#[test]
fn the_final_mark_and_an_empty_list() {
    let mut body = PushBody::new();
    body.begin(Some(&Source {
        is_final: true,
        ..SOURCE
    }));
    assert!(text(&mut body).ends_with(r#""interval_ms":5000,"final":true},"metrics":[]}"#));
    body.begin(None);
    assert_eq!(text(&mut body), r#"{"metrics":[]}"#);
}

#[test]
fn i_encode_2_numbers_are_short() {
    let printed = |value| {
        let mut out = Vec::new();
        write_f64(&mut out, value);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(printed(0.0), "0");
    assert_eq!(printed(-0.0), "-0.0");
    assert_eq!(printed(200_000.0), "200000");
    assert_eq!(printed(0.1), "0.1");
    assert_eq!(printed(1e-13), "1e-13");
    assert_eq!(printed(1e300), "1e300");
    assert_eq!(printed(9_007_199_254_740_992.0), "9007199254740992");
    assert_eq!(printed(f64::NAN), "null");
}

#[test]
fn i_encode_3_what_json_cannot_carry_leaves_no_byte() {
    let mut body = PushBody::new();
    body.begin(None);
    let before = body.len();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(body.push(&item(Value::Gauge(value)), []), Err(NotFinite));
        assert_eq!(body.push(&item(Value::Counter(value)), []), Err(NotFinite));
        let histogram = Value::Histogram {
            bounds: &[1.0],
            cumulative: &[1, 1],
            sum: value,
        };
        assert_eq!(body.push(&item(histogram), []), Err(NotFinite));
    }
    assert_eq!((body.len(), body.items()), (before, 0));
    body.push(&item(Value::Gauge(1.0)), []).unwrap();
    assert_eq!(
        text(&mut body),
        r#"{"metrics":[{"name":"m","type":"gauge","timestamp":1795306562347,"value":1}]}"#
    );
}

#[test]
fn i_encode_1_characters_that_break_naive_encoders() {
    let nasty = "a,b=c\"{}\\\n\r\t\u{0}\u{1f}\u{7f}é😀\u{2028}";
    let body = one(&item(Value::Gauge(1.0)), &[(nasty, nasty)]);
    let read: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(read["metrics"][0]["labels"][nasty], nasty);
}

proptest! {
    #[test]
    fn i_encode_1_any_text_comes_back(text in any::<String>()) {
        let body = one(&Item { name: &text, ..item(Value::Gauge(1.0)) }, &[(&text, &text)]);
        let read: serde_json::Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(read["metrics"][0]["name"].as_str(), Some(text.as_str()));
        prop_assert_eq!(read["metrics"][0]["labels"][&text].as_str(), Some(text.as_str()));
    }

    #[test]
    fn i_encode_2_any_finite_number_comes_back(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        let mut out = Vec::new();
        write_f64(&mut out, value);
        // Rust's own parser: serde_json's default one may be off by one unit in the last place.
        let read: f64 = std::str::from_utf8(&out).unwrap().parse().unwrap();
        prop_assert_eq!(read.to_bits(), bits);
        serde_json::from_slice::<serde_json::Value>(&out).unwrap();
    }
}
