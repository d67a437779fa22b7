//! What is wrong costs only itself, or the body when nothing can be read.

use proptest::prelude::*;

use super::*;

fn rules(decoded: &Decoded) -> Vec<(u32, Refusal)> {
    decoded
        .refused
        .iter()
        .map(|one| (one.item, one.rule))
        .collect()
}

#[test]
fn i_otlp_1_bad_points_cost_only_themselves() {
    let point = |more: Value| {
        let mut point = json!({"timeUnixNano": ns(NOW), "asInt": 1});
        point
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        point
    };
    let long = "x".repeat(5_000);
    let many: Vec<Value> = (0..129)
        .map(|i| attribute(&format!("k{i}"), "v")[0].clone())
        .collect();
    let gauge = |points: Value| json!({"gauge": {"dataPoints": points}, "name": "m"});
    let got = decoded(&request(&json!([
        gauge(json!([
            point(json!({})),
            {"timeUnixNano": ns(NOW)},
            {"asInt": 1},
            point(json!({"attributes": attribute("k", &long)})),
            point(json!({"attributes": attribute("", "v")})),
            point(json!({"attributes": attribute("__name__", "v")})),
            point(json!({"attributes": attribute("__tinyobs_x", "v")})),
            point(json!({"attributes": many})),
            point(json!({})),
        ])),
        {"name": "", "gauge": {"dataPoints": [point(json!({}))]}},
        {"name": "温度", "gauge": {"dataPoints": [point(json!({}))]}},
        {"name": "s", "sum": {"dataPoints": [point(json!({}))]}},
        {"name": "x".repeat(257), "gauge": {"dataPoints": [point(json!({}))]}},
        {"name": "nothing"},
    ])));
    assert_eq!(
        rules(&got),
        [
            (1, Refusal::ValueNotANumber),
            (2, Refusal::TimeInvalid),
            (3, Refusal::LabelValueTooLong),
            (4, Refusal::LabelNameEmpty),
            (5, Refusal::LabelDuplicate),
            (6, Refusal::LabelNameReserved),
            (7, Refusal::TooManyLabels),
            (9, Refusal::NameEmpty),
            (10, Refusal::NameEmpty),
            (11, Refusal::Malformed),
            (12, Refusal::NameTooLong),
        ]
    );
    assert_eq!((got.items, got.batch.len()), (13, 2));
}

#[test]
fn i_otlp_row_1_a_summary_is_stored_whole_or_not_at_all() {
    // `…_count` is a byte too long, the quantiles are not.
    let name = "x".repeat(251);
    let point = json!({"count": 1, "quantileValues": [{"quantile": 0.5, "value": 1}]});
    let got = decoded(&one(&name, "", "summary", &json!({}), &point));
    assert_eq!(rules(&got), [(0, Refusal::NameTooLong)]);
    assert!(got.batch.is_empty() && got.batch.metadata().is_empty());
}

#[test]
fn a_resource_that_cannot_be_told_costs_its_points_or_only_its_target() {
    let with = |attributes: Value| {
        let mut request = one("m", "", "gauge", &json!({}), &json!({"asInt": 1}));
        request["resourceMetrics"][0]["resource"]["attributes"] = attributes;
        decoded(&request)
    };
    let many = |count: usize| {
        let one = |i| attribute(&format!("k{i}"), "v")[0].clone();
        Value::from((0..count).map(one).collect::<Vec<Value>>())
    };
    let got = with(many(100));
    assert_eq!(rules(&got), [(TARGET_ITEMS, Refusal::TooManyLabels)]);
    assert_eq!(got.batch.len(), 1);
    assert_eq!(rules(&with(many(129))), [(0, Refusal::TooManyLabels)]);
    let nested = (0..40).fold(
        json!({}),
        |inner, _| json!({"arrayValue": {"values": [inner]}}),
    );
    let got = with(json!([{"key": "deep", "value": nested}]));
    assert_eq!(rules(&got), [(0, Refusal::Malformed)]);
}

#[test]
fn i_otlp_3_lists_end_at_their_limits() {
    let data = json!({"aggregationTemporality": 2});
    let counts = vec![0; limits::BUCKETS_PER_HISTOGRAM + 2];
    let bounds: Vec<f64> = (0..=limits::BUCKETS_PER_HISTOGRAM)
        .map(|i| i as f64)
        .collect();
    let point = json!({"bucketCounts": counts, "explicitBounds": bounds});
    let got = decoded(&one("h", "", "histogram", &data, &point));
    assert_eq!(rules(&got), [(0, Refusal::HistogramInvalid)]);
    let counts = vec![0; limits::OTLP_EXPONENTIAL_BUCKETS + 1];
    let point = json!({"positive": {"bucketCounts": counts}});
    let got = decoded(&one("h", "", "exponentialHistogram", &data, &point));
    assert_eq!(rules(&got), [(0, Refusal::HistogramInvalid)]);
    let quantiles = vec![json!({}); limits::BUCKETS_PER_HISTOGRAM + 1];
    let got = decoded(&one(
        "q",
        "",
        "summary",
        &json!({}),
        &json!({"quantileValues": quantiles}),
    ));
    assert_eq!(rules(&got), [(0, Refusal::HistogramInvalid)]);
}

#[test]
fn i_otlp_3_points_are_counted() {
    // An empty point is two bytes.
    let points = [0x0a, 0].repeat(limits::OTLP_POINTS + 1);
    let wrap = |field: u8, inner: &[u8]| {
        let len = inner.len();
        let len = [len as u8 | 0x80, (len >> 7) as u8 | 0x80, (len >> 14) as u8];
        [&[field << 3 | 2], &len[..], inner].concat()
    };
    let body = wrap(1, &wrap(2, &wrap(2, &wrap(5, &points))));
    let decoded = decode(Format::Protobuf, &body, &mut Shelf::default());
    assert_eq!(decoded.unwrap_err(), BodyError::TooManyPoints);
    let text = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"gauge":{{"dataPoints":[{}{{}}]}}}}]}}]}}]}}"#,
        "{},".repeat(limits::OTLP_POINTS)
    );
    let decoded = decode(Format::Json, text.as_bytes(), &mut Shelf::default());
    assert_eq!(decoded.unwrap_err(), BodyError::TooManyPoints);
}

#[test]
fn bodies_that_cannot_be_read() {
    let json = |text: &str| {
        let error = decode(Format::Json, text.as_bytes(), &mut Shelf::default()).unwrap_err();
        error.to_string()
    };
    let metric = |metric: &str| {
        json(&format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#
        ))
    };
    assert_eq!(
        json("{"),
        "body is not an OTLP request in JSON: it ends within an object at line 1, column 1"
    );
    assert!(json("[1]").starts_with("body is not an OTLP request in JSON: "));
    assert!(json(r#"{"resourceMetrics":7}"#).contains("a list is expected, not 7"));
    // Broken deep inside is broken as a whole.
    for cut in [r#"{"name":01}"#, r#"{"name":"x}"#, "{]}", r#"{"name":NaN}"#] {
        assert!(metric(cut).starts_with("body is not an OTLP request in JSON: "));
    }
    let proto = |body: &[u8]| decode(Format::Protobuf, body, &mut Shelf::default());
    assert_eq!(
        proto(b"\x0a\x05ab").unwrap_err().to_string(),
        "body is not an OTLP request in protobuf: the message is cut or malformed at byte 2"
    );
    assert!(proto(b"\x0a\x06\x12\x04\x0a\x02\x0a\xff").is_err());
}

#[test]
fn what_is_not_known_or_null_is_ignored() {
    let text = format!(
        r#"{{"x":[[[{{}}]]],"resourceMetrics":[{{"resource":null,"scopeMetrics":[{{"scope":null,
        "metrics":[{{"name":"m","unit":null,"sum":null,"y":{{}},"gauge":{{"dataPoints":[
        {{"asInt":1,"asDouble":null,"flags":null,"attributes":null,"timeUnixNano":{}}}]}}}}]}}]}}]}}"#,
        ns(NOW)
    );
    let got = decode(Format::Json, text.as_bytes(), &mut Shelf::default()).unwrap();
    assert_eq!(shown(&got), ["m{job=\"unknown_service\"} gauge 1 at 0"]);
}

#[test]
fn a_store_that_cannot_be_read_is_said() {
    struct Broken;
    impl Stored for Broken {
        fn newest(&mut self, _: &[u8]) -> Result<Option<Sample>, String> {
            Err("damaged".to_owned())
        }
        fn value_at(&mut self, _: &[u8], _: i64) -> Result<Option<f64>, String> {
            Err("damaged".to_owned())
        }
        fn counted(&mut self) -> Result<&mut Counted, String> {
            Err("damaged".to_owned())
        }
        fn check_time(&mut self, _: i64) -> Result<(), (Refusal, String)> {
            Ok(())
        }
        fn bounds(&mut self, _: &[u8]) -> Result<Vec<f64>, String> {
            Ok(Vec::new())
        }
    }
    let sum = json!({"aggregationTemporality": 1});
    let request = one("m", "", "sum", &sum, &json!({"asInt": 1}));
    let error = decode(Format::Protobuf, &protobuf(&request), &mut Broken).unwrap_err();
    assert_eq!(
        error.to_string(),
        "what deltas are added to cannot be read: damaged"
    );
}

#[test]
fn names_of_megabytes_are_told_in_short() {
    let name = "x.".repeat(1 << 20);
    let mut request = one(&name, "", "gauge", &json!({}), &json!({"asInt": 1}));
    let got = decoded(&request);
    assert_eq!(rules(&got), [(0, Refusal::NameTooLong)]);
    assert!(got.refused[0].message.len() < 200);
    request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["name"] = "温".repeat(99).into();
    assert!(decoded(&request).refused[0].message.len() < 600);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(Format::Protobuf, &body, &mut Shelf::default());
        let _ = decode(Format::Json, &body, &mut Shelf::default());
        let _ = logs::count(Format::Protobuf, &body);
    }

    #[test]
    fn cut_requests_are_read_or_refused(cut in 0_usize..300, at in 0_usize..300, byte: u8) {
        let point = json!({"count": 1, "scale": 2, "positive": {"offset": 1, "bucketCounts": [1, 2]}});
        let data = json!({"aggregationTemporality": 1});
        let mut body = protobuf(&one("h", "s", "exponentialHistogram", &data, &point));
        let place = at % body.len();
        body[place] = byte;
        body.truncate(body.len().saturating_sub(cut));
        let _ = decode(Format::Protobuf, &body, &mut Shelf::default());
    }
}
