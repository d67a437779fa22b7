use std::fmt::Write;

use tinyobs_model::Refusal;

use super::*;

/// Items without the right shape or content, and the rule each breaks.
#[rustfmt::skip]
const BAD: &[(&str, Refusal)] = &[
    (r#"{"value":1}"#, Refusal::NameEmpty),
    (r#"{"name":"","value":1}"#, Refusal::NameEmpty),
    (r#"{"name":null,"value":1}"#, Refusal::NameEmpty),
    (r#"{"name":7,"value":1}"#, Refusal::Malformed),
    (r#"{"name":"m","value":1,"labels":{"":"v"}}"#, Refusal::LabelNameEmpty),
    (r#"{"name":"m","value":1,"labels":{"__tinyobs_x":"v"}}"#, Refusal::LabelNameReserved),
    (r#"{"name":"m","value":1,"labels":{"l":"1","l":"1"}}"#, Refusal::LabelDuplicate),
    (r#"{"name":"m","value":1,"labels":{"__name__":"n"}}"#, Refusal::LabelDuplicate),
    (r#"{"name":"m","value":1,"labels":{"l":1}}"#, Refusal::Malformed),
    (r#"{"name":"m","value":1,"labels":["l"]}"#, Refusal::Malformed),
    (r#"{"name":"m","value":1,"type":"rate"}"#, Refusal::TypeUnknown),
    (r#"{"name":"m","value":1,"type":"Counter"}"#, Refusal::TypeUnknown),
    (r#"{"name":"m"}"#, Refusal::ValueNotANumber),
    (r#"{"name":"m","value":null}"#, Refusal::ValueNotANumber),
    (r#"{"name":"m","value":"NaN"}"#, Refusal::ValueNotANumber),
    (r#"{"name":"m","value":"1"}"#, Refusal::ValueNotANumber),
    (r#"{"name":"m","value":true}"#, Refusal::ValueNotANumber),
    (r#"{"name":"m","value":[1]}"#, Refusal::ValueNotANumber),
    (r#"{"name":"m","value":1e999}"#, Refusal::ValueNotANumber),
    (r#"{"name":"m","value":-1e999}"#, Refusal::ValueNotANumber),
    (r#"{"name":"m","value":1,"timestamp":"yesterday"}"#, Refusal::TimeInvalid),
    (r#"{"name":"m","value":1,"timestamp":"1960-01-01T00:00:00Z"}"#, Refusal::TimeInvalid),
    (r#"{"name":"m","value":1,"timestamp":1795306562}"#, Refusal::TimeInvalid),
    (r#"{"name":"m","value":1,"timestamp":-1795306562347}"#, Refusal::TimeInvalid),
    (r#"{"name":"m","value":1,"timestamp":1795306562347.5}"#, Refusal::TimeInvalid),
    (r#"{"name":"m","value":1,"timestamp":99999999999999999999}"#, Refusal::TimeInvalid),
    (r#"{"name":"m","value":1,"timestamp":{}}"#, Refusal::TimeInvalid),
    (r#"{"name":"m","value":1,"start":"x"}"#, Refusal::TimeInvalid),
    (r#"{"name":"m","buckets":[[1,1]],"sum":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","buckets":[[1,1]],"count":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","buckets":[[1,1],[1,2]],"sum":1,"count":2}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","buckets":[[1,2],[2,1]],"sum":1,"count":2}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","buckets":[[1,2]],"sum":1,"count":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","buckets":[[1,-1]],"sum":1,"count":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","buckets":[["+Inf",1]],"sum":1,"count":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","buckets":[[1]],"sum":1,"count":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","buckets":{},"sum":1,"count":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","type":"gauge","buckets":[],"sum":1,"count":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","labels":{"le":"1"},"buckets":[],"sum":1,"count":1}"#, Refusal::LabelDuplicate),
    (r#"{"name":"m","value":1,"value":2}"#, Refusal::Malformed),
    (r#"{"name":"m","value":null,"value":2}"#, Refusal::Malformed),
    (r#"{"name":"m","name":"m","value":2}"#, Refusal::Malformed),
    (r#"{"name":"m","labels":{},"value":2,"labels":{"l":"v"}}"#, Refusal::Malformed),
    (r#"{"name":"m","value":1,"timestamp":1795306562347,"timestamp":1795306562347}"#, Refusal::Malformed),
    (r#"{"name":"m","value":1,"buckets":[[1,1]],"sum":1,"count":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","value":1,"sum":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","value":1,"count":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","buckets":[[1,0.5]],"sum":1,"count":1}"#, Refusal::HistogramInvalid),
    (r#"{"name":"m","buckets":[[1,1]],"sum":1,"count":1.5}"#, Refusal::HistogramInvalid),
    ("7", Refusal::Malformed),
    ("null", Refusal::Malformed),
    ("\"name\"", Refusal::Malformed),
    ("[1]", Refusal::Malformed),
    (r#"{"name":"\ud800","value":1}"#, Refusal::Malformed),
];

/// Those that are too long to write down.
fn too_much() -> Vec<(String, Refusal)> {
    let long = |bytes: usize| "x".repeat(bytes);
    let list =
        |count: usize, one: fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join(",");
    let labels = |labels: &str| format!(r#"{{"name":"m","value":1,"labels":{{{labels}}}}}"#);
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let buckets = list(501, |i| format!("[{i},0]"));
    vec![
        (
            format!(r#"{{"name":"{}","value":1}}"#, long(257)),
            Refusal::NameTooLong,
        ),
        (
            labels(&format!(r#""{}":"v""#, long(257))),
            Refusal::LabelNameTooLong,
        ),
        (
            labels(&format!(r#""l":"{}""#, long(4_097))),
            Refusal::LabelValueTooLong,
        ),
        (
            labels(&list(65, |i| format!(r#""l{i}":"v""#))),
            Refusal::TooManyLabels,
        ),
        (
            format!(r#"{{"name":"m","sum":0,"count":0,"buckets":[{buckets}]}}"#),
            Refusal::HistogramInvalid,
        ),
        (
            format!(r#"{{"name":"m","value":{deep}}}"#),
            Refusal::ValueNotANumber,
        ),
        (deep, Refusal::Malformed),
    ]
}

#[test]
fn i_json_1_a_bad_item_costs_only_itself() {
    let written = BAD.iter().map(|(item, rule)| ((*item).to_owned(), *rule));
    let bad: Vec<(String, Refusal)> = written.chain(too_much()).collect();
    let mut all = String::new();
    let mut expected = Vec::new();
    for (i, (item, rule)) in bad.iter().enumerate() {
        // Each between two good ones.
        let good = format!(r#"{{"name":"good","value":{i}}}"#);
        let alone = read(&format!(r#"{{"metrics":[{good},{item},{good}]}}"#));
        assert_eq!(
            rules(&alone),
            [(1, *rule)],
            "{item:.200}: {:?}",
            alone.refused
        );
        let row = format!("good{{}} {i}@+0 unknown");
        assert_eq!(rows(&alone), [row.clone(), row], "{item:.200}");
        assert!(
            alone.refused[0].message.len() < 1_000,
            "{:?}",
            alone.refused
        );
        write!(all, "{item},{good},").unwrap();
        expected.push((2 * i as u32, *rule));
    }
    let together = read(&format!(r#"{{"metrics":[{}]}}"#, all.trim_end_matches(',')));
    assert_eq!(rules(&together), expected);
    assert_eq!(together.batch.len(), bad.len());
}

#[test]
fn messages_say_what_to_do() {
    let message = |item: &str| {
        let decoded = read(&format!(r#"{{"metrics":[{item}]}}"#));
        decoded.refused[0].message.clone()
    };
    assert_eq!(
        message(r#"{"name":"m","value":"NaN"}"#),
        "value is not a finite JSON number: \"NaN\"; JSON has no NaN and no infinity: leave the item \
         out, or send it by remote write, OTLP or in the Prometheus text format, which have them"
    );
    assert_eq!(
        message(r#"{"name":"m","value":1,"timestamp":1795306562}"#),
        "timestamp 1795306562 is too small for milliseconds since the epoch; are they seconds?"
    );
    assert_eq!(
        message(r#"{"name":"m","value":1,"type":"rate"}"#),
        "type \"rate\" is not one of unknown, counter, gauge, histogram, summary"
    );
    assert_eq!(
        message(r#"{"name":"m","value":1,"labels":{"code":200}}"#),
        "item is malformed: label \"code\": a string is expected, not 200"
    );
    assert_eq!(
        message(r#"{"name":7,"value":1}"#),
        "item is malformed: name: a string is expected, not 7"
    );
    assert_eq!(
        message(r#"{"name":"m","value":1,"labels":7}"#),
        "item is malformed: labels: an object of strings is expected, not 7"
    );
    assert_eq!(
        message(r#"{"name":"m","value":1,"value":2}"#),
        "item is malformed: the field value is there twice"
    );
    assert_eq!(
        message(r#"{"name":"m","value":1,"buckets":[],"sum":0,"count":0}"#),
        "an item has a value or buckets, not both"
    );
    assert_eq!(
        message(r#"{"name":"m","buckets":[[1,0.5]],"sum":0,"count":1}"#),
        "bucket count is not a whole number: 0.5"
    );
}
