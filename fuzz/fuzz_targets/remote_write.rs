//! Remote write: any body is read or refused as a whole, and what a sender writes is read bit for
//! bit, in both versions and in whatever order its fields stand.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::labels::from_wire;
use tinyobs_model::{Labels, limits};
use tinyobs_wire::remote_write::{Version, decode};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'1' => any_body(Version::One, feed.rest()),
        b'2' => any_body(Version::Two, feed.rest()),
        _ => written(&mut feed),
    }
});

fn any_body(version: Version, body: &[u8]) {
    let Ok(decoded) = decode(version, body.to_vec()) else {
        return;
    };
    assert!(decoded.batch.len() <= limits::SAMPLES_PER_REQUEST);
    for row in decoded.batch.rows() {
        assert!(row.item < decoded.items);
        // Whatever they are, they are labels or refused.
        if let Ok(labels) = from_wire(decoded.batch.labels(row)) {
            assert!(!labels.metric_name().is_empty());
        }
    }
    assert!(decoded.refused.iter().all(|one| one.item < decoded.items));
}

struct Series {
    labels: Vec<(String, String)>,
    samples: Vec<(i64, u64)>,
}

fn written(feed: &mut Feed<'_>) {
    let mut all = Vec::new();
    while !feed.is_empty() && all.len() < 20 {
        let labels = (0..feed.u8() % 4).map(|i| (format!("l{i}"), feed.text(9)));
        let labels: Vec<_> = labels.collect();
        let samples = (0..feed.u8() % 4).map(|_| (feed.u64() as i64, feed.u64()));
        let samples = samples.collect();
        all.push(Series { labels, samples });
    }
    let turned = feed.u8() % 2 == 1;
    let one: Vec<u8> = all.iter().flat_map(|one| series_one(one, turned)).collect();
    check(&all, Version::One, one);
    check(&all, Version::Two, request_two(&all));
}

fn check(all: &[Series], version: Version, body: Vec<u8>) {
    let decoded = decode(version, body).expect("what a sender writes");
    assert_eq!(
        (decoded.items as usize, decoded.refused.len()),
        (all.len(), 0)
    );
    let rows = decoded.batch.rows().iter().map(|row| {
        let labels = from_wire(decoded.batch.labels(row)).expect("valid labels");
        (
            row.item,
            labels,
            row.sample.time_ms,
            row.sample.value.to_bits(),
        )
    });
    let expected = (0..).zip(all).flat_map(|(item, one)| {
        let pairs = one.labels.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let labels = Labels::new("m", pairs).expect("valid labels");
        let sample = move |&(time_ms, bits): &(i64, u64)| (item, labels.clone(), time_ms, bits);
        one.samples.iter().map(sample).collect::<Vec<_>>()
    });
    assert!(rows.eq(expected), "{version:?}");
}

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    varint(&mut bytes, content.len() as u64);
    bytes.extend_from_slice(content);
    bytes
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn sample(&(time_ms, bits): &(i64, u64)) -> Vec<u8> {
    let mut bytes = vec![1 << 3 | 1];
    bytes.extend(bits.to_le_bytes());
    bytes.push(2 << 3);
    varint(&mut bytes, time_ms as u64);
    field(2, &bytes)
}

/// Samples before labels, when it is turned round.
fn series_one(one: &Series, turned: bool) -> Vec<u8> {
    let named = [("__name__".to_owned(), "m".to_owned())];
    let label = |(name, value): &(String, String)| {
        field(
            1,
            &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat(),
        )
    };
    let mut parts: Vec<Vec<u8>> = named.iter().chain(&one.labels).map(label).collect();
    parts.extend(one.samples.iter().map(sample));
    if turned {
        // Labels keep their order, and so do samples.
        let labels = one.labels.len() + 1;
        parts.rotate_left(labels);
    }
    field(1, &parts.concat())
}

fn request_two(all: &[Series]) -> Vec<u8> {
    let mut body = [field(4, b""), field(4, b"__name__"), field(4, b"m")].concat();
    let mut symbols = 3;
    let mut series = Vec::new();
    for one in all {
        let mut refs = vec![1, 2];
        for (name, value) in &one.labels {
            body.extend(field(4, name.as_bytes()));
            body.extend(field(4, value.as_bytes()));
            varint(&mut refs, symbols);
            varint(&mut refs, symbols + 1);
            symbols += 2;
        }
        let samples: Vec<u8> = one.samples.iter().flat_map(sample).collect();
        series.extend(field(5, &[field(1, &refs), samples].concat()));
    }
    body.extend(series);
    body
}
