//! What is wrong in JSON that is whole costs its own point, and is named by its path.

use super::*;

/// Rule and message of what is refused, by item, and how many rows are left.
fn refused(body: &str) -> (Vec<(u32, Refusal, String)>, usize) {
    let got = decode(Format::Json, body.as_bytes(), &mut Shelf::default()).expect(body);
    let refused = got.refused.into_iter();
    let refused = refused.map(|one| (one.item, one.rule, one.message));
    (refused.collect(), got.batch.len())
}

/// Of a request with this metric between two good ones.
fn metric(metric: &str) -> Vec<(u32, Refusal, String)> {
    let good = format!(
        r#"{{"name":"good","gauge":{{"dataPoints":[{{"asInt":1,"timeUnixNano":"{}"}}]}}}}"#,
        ns(NOW)
    );
    let body = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{good},{metric},{good}]}}]}}]}}"#
    );
    let (refused, rows) = refused(&body);
    assert_eq!(rows, 2, "{metric}");
    refused
}

/// Of one point of a gauge, between two good ones.
fn point(kind: &str, point: &str) -> (Refusal, String) {
    let time = format!(r#""timeUnixNano":"{}""#, ns(NOW));
    let body = format!(
        r#"{{"name":"m","{kind}":{{"aggregationTemporality":2,"dataPoints":[{{{point}{time}}}]}}}}"#
    );
    let mut refused = metric(&body);
    assert_eq!(refused.len(), 1, "{point}");
    let (item, rule, message) = refused.remove(0);
    assert_eq!(item, 1);
    let place =
        format!("\"m\": resourceMetrics[0].scopeMetrics[0].metrics[1].{kind}.dataPoints[0].");
    let message = message.strip_prefix(&place).expect(&message);
    (rule, message.to_owned())
}

#[test]
#[rustfmt::skip]
fn i_otlp_json_2_a_bad_field_costs_its_point_and_is_named() {
    use Refusal::{HistogramInvalid, Malformed, TimeInvalid, ValueNotANumber};
    let number = "a number, \"NaN\", \"Infinity\" or \"-Infinity\"";
    let cases = [
        ("gauge", r#""startTimeUnixNano":-1,"#, TimeInvalid, "startTimeUnixNano is not a whole number from 0 on: -1".to_owned()),
        ("gauge", r#""flags":"x","#, Malformed, "flags is not a whole number from 0 on: \"x\"".to_owned()),
        ("gauge", r#""asDouble":"nan","#, ValueNotANumber, format!("asDouble is not {number}: \"nan\"")),
        ("gauge", r#""asDouble":{},"#, ValueNotANumber, format!("asDouble is not {number}: {{}}")),
        ("gauge", r#""asDouble":-1e999,"#, ValueNotANumber, format!("asDouble is not {number}: -1e999")),
        ("gauge", r#""asDouble":1,"asInt":2,"#, Malformed, "asInt: a point has one value, and this one has asDouble as well".to_owned()),
        ("gauge", r#""asInt":1.5,"#, ValueNotANumber, "asInt is not a whole number: 1.5".to_owned()),
        ("gauge", r#""asInt":true,"#, ValueNotANumber, "asInt is not a whole number: true".to_owned()),
        ("gauge", r#""attributes":7,"#, Malformed, "attributes: a list is expected, not 7".to_owned()),
        ("gauge", r#""attributes":[{"key":1}],"#, Malformed, "attributes: a string is expected, not 1".to_owned()),
        ("gauge", r#""attributes":[{},{"key":"k","value":{"intValue":"x"}}],"#, Malformed, "attributes[1].value: intValue is not a whole number: \"x\"".to_owned()),
        ("gauge", r#""attributes":[{"key":"k","value":{"stringValue":1}}],"#, Malformed, "attributes[0].value: a string is expected, not 1".to_owned()),
        ("histogram", r#""count":-1,"#, HistogramInvalid, "count is not a whole number from 0 on: -1".to_owned()),
        ("histogram", r#""sum":"x","#, ValueNotANumber, format!("sum is not {number}: \"x\"")),
        ("histogram", r#""bucketCounts":[1,-1],"#, HistogramInvalid, "bucketCounts is not a whole number from 0 on: -1".to_owned()),
        ("histogram", r#""bucketCounts":{},"#, Malformed, "bucketCounts: a list is expected, not an object".to_owned()),
        ("histogram", r#""explicitBounds":[1,null],"#, HistogramInvalid, format!("explicitBounds is not {number}: null")),
        ("exponentialHistogram", r#""scale":3000000000,"#, HistogramInvalid, "scale is not a whole number of 32 bits: 3000000000".to_owned()),
        ("exponentialHistogram", r#""positive":{"offset":"x"},"#, HistogramInvalid, "positive.offset is not a whole number of 32 bits: \"x\"".to_owned()),
        ("gauge", r#""attributes":[["k"]],"#, Malformed, "attributes: an object is expected, not a list".to_owned()),
        ("gauge", r#""attributes":[{"key":"k","value":["x"]}],"#, Malformed, "attributes[0].value: an object is expected, not a list".to_owned()),
        ("exponentialHistogram", r#""negative":7,"#, Malformed, "negative: an object is expected, not 7".to_owned()),
        ("summary", r#""quantileValues":[{"quantile":"x"}],"#, ValueNotANumber, format!("quantileValues.quantile is not {number}: \"x\"")),
    ];
    for (kind, field, rule, message) in cases {
        assert_eq!(point(kind, field), (rule, message), "{field}");
    }
}

#[test]
fn i_otlp_json_1_an_element_that_is_none_leaves_its_neighbours_alone() {
    let at = "resourceMetrics[0].scopeMetrics[0].metrics[1]";
    for (element, what) in [
        ("7", "is a number, which must be an object"),
        ("-7.5", "is a number, which must be an object"),
        ("null", "is null, which must be an object"),
        ("true", "is a boolean, which must be an object"),
        (r#""x""#, "is a string, which must be an object"),
        ("[[{}],1]", "is a list, which must be an object"),
        (r#"{"name":"m","name":"n"}"#, "has the field name twice"),
        (
            r#"{"gauge":7}"#,
            "cannot be read: gauge: an object is expected, not 7",
        ),
        (
            r#"{"gauge":[[]]}"#,
            "cannot be read: gauge: an object is expected, not a list",
        ),
        (
            r#"{"gauge":{"dataPoints":[{}]},"sum":{}}"#,
            "has gauge and sum, and a metric is of one kind",
        ),
    ] {
        let expected = (1, Refusal::Malformed, format!("{at} {what}"));
        assert_eq!(metric(element), [expected], "{element}");
    }
    let points = |points: &str| {
        metric(&format!(
            r#"{{"name":"m","sum":{{"aggregationTemporality":"2","dataPoints":{points}}}}}"#
        ))
    };
    let good = format!(r#"{{"timeUnixNano":"{}"}}"#, ns(NOW));
    let got = points(&format!("[7,{good},{{\"asInt\":1,\"asInt\":2}}]"));
    let rules: Vec<_> = got.iter().map(|(item, rule, _)| (*item, *rule)).collect();
    assert_eq!(
        rules,
        [
            (1, Refusal::Malformed),
            (2, Refusal::ValueNotANumber),
            (3, Refusal::Malformed)
        ]
    );
    assert_eq!(
        got[2].2,
        format!("\"m\": {at}.sum.dataPoints[2] has the field asInt twice")
    );
    let message = format!("{at}: dataPoints: a list is expected, not 7");
    assert_eq!(points("7"), [(1, Refusal::Malformed, message)]);
}

#[test]
fn i_otlp_json_2_what_points_share_costs_all_of_them() {
    let with = |metric_field: &str, data_field: &str| {
        let time = ns(NOW);
        metric(&format!(
            r#"{{{metric_field}"sum":{{{data_field}"dataPoints":[{{"asInt":1,"timeUnixNano":{time}}},{{}}]}}}}"#
        ))
    };
    let at = "resourceMetrics[0].scopeMetrics[0].metrics[1]";
    for (metric_field, data_field, rule, message) in [
        (
            r#""name":1,"#,
            "",
            Refusal::Malformed,
            ".name is not a string: 1",
        ),
        (
            r#""name":"m","unit":[],"#,
            "",
            Refusal::Malformed,
            ".unit is not a string: []",
        ),
        (
            r#""name":"\ud800","#,
            "",
            Refusal::Malformed,
            ".name is not a string: \"\\ud800\"",
        ),
        (
            r#""name":"m","#,
            r#""aggregationTemporality":"SOMETIMES","#,
            Refusal::TypeUnknown,
            ".sum.aggregationTemporality is not 1 (AGGREGATION_TEMPORALITY_DELTA) or 2 \
             (AGGREGATION_TEMPORALITY_CUMULATIVE): \"SOMETIMES\"",
        ),
        (
            r#""name":"m","#,
            r#""aggregationTemporality":2,"isMonotonic":"yes","#,
            Refusal::Malformed,
            ".sum.isMonotonic is not true or false: \"yes\"",
        ),
    ] {
        let expected = [1, 2].map(|item| (item, rule, format!("{at}{message}")));
        assert_eq!(with(metric_field, data_field), expected, "{message}");
    }
}

#[test]
fn i_otlp_json_2_a_bad_resource_or_scope_costs_only_its_own_points() {
    let points = |count: usize| {
        let point = format!(r#"{{"asInt":1,"timeUnixNano":"{}"}}"#, ns(NOW));
        let points = vec![point; count].join(",");
        format!(r#""metrics":[{{"name":"m","gauge":{{"dataPoints":[{points}]}}}}]"#)
    };
    let body = format!(
        r#"{{"resourceMetrics":[
            {{"resource":{{"attributes":[{{"key":"k","value":{{"boolValue":"x"}}}}]}},"scopeMetrics":[{{{}}}]}},
            {{"resource":7,"scopeMetrics":[{{{}}}]}},
            7,
            {{"scopeMetrics":7}},
            {{"scopeMetrics":[{{"scope":{{"name":1}},{}}},{{{}}},"x",{{"metrics":7}}]}}
        ]}}"#,
        points(2),
        points(1),
        points(1),
        points(1),
    );
    let (got, rows) = refused(&body);
    assert_eq!(rows, 1);
    let expected = [
        (
            0,
            "resourceMetrics[0].resource.attributes[0].value: true or false is expected, not \"x\"",
        ),
        (
            1,
            "resourceMetrics[0].resource.attributes[0].value: true or false is expected, not \"x\"",
        ),
        (
            2,
            "resourceMetrics[1].resource: an object is expected, not 7",
        ),
        (3, "resourceMetrics[2] is a number, which must be an object"),
        (
            4,
            "resourceMetrics[3]: scopeMetrics: a list is expected, not 7",
        ),
        (
            5,
            "resourceMetrics[4].scopeMetrics[0].scope: a string is expected, not 1",
        ),
        (
            7,
            "resourceMetrics[4].scopeMetrics[2] is a string, which must be an object",
        ),
        (
            8,
            "resourceMetrics[4].scopeMetrics[3]: metrics: a list is expected, not 7",
        ),
    ];
    let expected = expected.map(|(item, message)| (item, Refusal::Malformed, message.to_owned()));
    assert_eq!(got, expected);
}
