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

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_delimited(&body, &[]);
    }
}
