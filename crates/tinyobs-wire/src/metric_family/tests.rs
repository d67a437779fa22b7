use proptest::prelude::*;

use super::*;
use crate::families::{Family, Series};

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn bytes(number: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(&mut out, u64::from(number) << 3 | 2);
    varint(&mut out, content.len() as u64);
    out.extend_from_slice(content);
    out
}

fn double(number: u32, value: f64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(&mut out, u64::from(number) << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
    out
}

fn int(number: u32, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(&mut out, u64::from(number) << 3);
    varint(&mut out, value);
    out
}

fn label(name: &str, value: &str) -> Vec<u8> {
    bytes(
        1,
        &[bytes(1, name.as_bytes()), bytes(2, value.as_bytes())].concat(),
    )
}

/// A family, delimited.
fn family(name: &str, family_type: u64, metrics: &[Vec<u8>]) -> Vec<u8> {
    let metrics: Vec<u8> = metrics.iter().flat_map(|metric| bytes(4, metric)).collect();
    let parts = [
        bytes(1, name.as_bytes()),
        bytes(2, b"Help."),
        int(3, family_type),
        metrics,
    ];
    let message = parts.concat();
    let mut out = Vec::new();
    varint(&mut out, message.len() as u64);
    out.extend_from_slice(&message);
    out
}

fn rows(body: &[u8]) -> Vec<String> {
    let grouping = [("job".to_owned(), "j".to_owned())];
    let page = read_delimited(body, &grouping).unwrap();
    let of = |family: &Family| {
        let kind = family.kind;
        let row =
            move |one: &Series| format!("{kind} {} {} {:?}", one.labels, one.value, one.start_ms);
        family.series.iter().map(row).collect::<Vec<_>>()
    };
    page.families.iter().flat_map(of).collect()
}

#[test]
fn every_type_of_metric() {
    let created = bytes(3, &[int(1, 1_795_306_562), int(2, 500_000_000)].concat());
    let counter = [
        label("a", "1"),
        bytes(3, &[double(1, 5.0), created].concat()),
    ]
    .concat();
    let gauge = [bytes(2, &double(1, -1.5)), label("a", "2")].concat();
    let quantile = bytes(3, &[double(1, 0.99), double(2, 0.25)].concat());
    let summary = bytes(4, &[int(1, 3), double(2, 4.5), quantile].concat());
    let bucket = |bound, below| bytes(3, &[int(1, below), double(2, bound)].concat());
    let buckets = [bucket(0.5, 1), bucket(10.0, 3)].concat();
    let histogram = bytes(7, &[int(1, 4), double(2, 44.0), buckets].concat());
    let untyped = bytes(5, &double(1, 7.0));
    let body = [
        family("c_total", 0, &[counter]),
        family("g", 1, &[gauge]),
        family("s", 2, &[summary]),
        family("u", 3, &[untyped]),
        family("h", 4, &[histogram]),
    ]
    .concat();
    assert_eq!(
        rows(&body),
        [
            "counter c_total{a=\"1\",job=\"j\"} 5 Some(1795306562500)",
            "gauge g{a=\"2\",job=\"j\"} -1.5 None",
            "summary s{job=\"j\",quantile=\"0.99\"} 0.25 None",
            "summary s_sum{job=\"j\"} 4.5 None",
            "summary s_count{job=\"j\"} 3 None",
            "unknown u{job=\"j\"} 7 None",
            "histogram h_bucket{job=\"j\",le=\"0.5\"} 1 None",
            "histogram h_bucket{job=\"j\",le=\"10\"} 3 None",
            "histogram h_bucket{job=\"j\",le=\"+Inf\"} 4 None",
            "histogram h_sum{job=\"j\"} 44 None",
            "histogram h_count{job=\"j\"} 4 None",
        ]
    );
}

#[test]
fn i_mfamily_1_what_is_cut_names_its_message() {
    let gauge = || family("g", 1, &[bytes(2, &double(1, 1.0))]);
    let body = [gauge(), gauge()].concat();
    let error = read_delimited(&body[..body.len() - 1], &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "body is not a list of delimited MetricFamily messages: the message is cut or malformed \
         at byte 27 in message 2"
    );
    let error = read_delimited(&family("g", 9, &[]), &[]).unwrap_err();
    assert!(
        error.to_string().contains("a type of metric is not known"),
        "{error}"
    );
    let timed = [bytes(2, &double(1, 1.0)), int(6, 1_795_306_562_347)].concat();
    let page = read_delimited(&family("g", 1, &[timed]), &[]).unwrap();
    assert_eq!(page.timestamp_line, Some(1));
}

/// A histogram with this many buckets below `+Inf`, and its count of that.
fn histogram(labels: &[Vec<u8>], buckets: usize, has_infinite: bool) -> Vec<u8> {
    let bucket = |bound, below| bytes(3, &[int(1, below), double(2, bound)].concat());
    let finite = (0..buckets).flat_map(|i| bucket(i as f64, 1));
    let infinite = has_infinite.then(|| bucket(f64::INFINITY, 1));
    let buckets: Vec<u8> = finite.chain(infinite.into_iter().flatten()).collect();
    let content = [int(1, 1), double(2, 0.5), buckets].concat();
    [labels.concat(), bytes(7, &content)].concat()
}

#[test]
fn i_mfamily_2_a_histogram_with_too_many_buckets_is_refused_whole() {
    let most = limits::BUCKETS_PER_HISTOGRAM;
    let good = histogram(&[label("a", "1")], 1, true);
    for (buckets, has_infinite) in [(most + 1, false), (most + 1, true), (most + 2, false)] {
        let large = histogram(&[], buckets, has_infinite);
        let body = family("h", 4, &[large, good.clone()]);
        let page = read_delimited(&body, &[]).unwrap();
        let series = page.families.iter().flat_map(|family| &family.series);
        let series: Vec<String> = series.map(|one| one.labels.to_string()).collect();
        // Its neighbour does not notice.
        assert_eq!(
            series,
            [
                "h_bucket{a=\"1\",le=\"0\"}",
                "h_bucket{a=\"1\",le=\"+Inf\"}",
                "h_sum{a=\"1\"}",
                "h_count{a=\"1\"}",
            ],
            "{buckets} {has_infinite}"
        );
        let refused: Vec<_> = page
            .refused
            .iter()
            .map(|one| (one.item, one.rule))
            .collect();
        assert_eq!(refused, [(1, Refusal::HistogramInvalid)]);
        let message = &page.refused[0].message;
        assert_eq!(message, "line 1: more than 500 buckets in \"h\"");
    }
    for has_infinite in [false, true] {
        let body = family("h", 4, &[histogram(&[], most, has_infinite)]);
        let page = read_delimited(&body, &[]).unwrap();
        assert_eq!(page.refused, []);
        assert_eq!(page.families[0].series.len(), most + 3);
    }
}

#[test]
fn i_mfamily_2_a_metric_with_a_part_that_breaks_a_rule_is_refused_whole() {
    // `…_bucket` and `…_count` are too long for names, `…_sum` is not.
    let name = "h".repeat(limits::METRIC_NAME_BYTES - "_sum".len());
    let body = family(&name, 4, &[histogram(&[], 2, true)]);
    let page = read_delimited(&body, &[]).unwrap();
    assert_eq!(page.families, []);
    let refused: Vec<_> = page
        .refused
        .iter()
        .map(|one| (one.item, one.rule))
        .collect();
    assert_eq!(refused, [(1, Refusal::NameTooLong)]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_delimited(&body, &[]);
    }
}
