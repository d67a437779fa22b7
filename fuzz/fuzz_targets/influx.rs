//! Line protocol: every line is stored whole or refused, and what is written with its escapes is
//! read bit for bit.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::Labels;
use tinyobs_wire::influx::{Precision, read};

const NOW_MS: i64 = 1_795_306_562_347;

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    if feed.u8() == b'w' {
        written(&mut feed);
    } else {
        any_body(data);
    }
});

fn any_body(body: &[u8]) {
    let read = read(body, Precision::Nanoseconds, NOW_MS).decoded;
    let stored: BTreeSet<u32> = read.batch.rows().iter().map(|row| row.item).collect();
    let refused: BTreeSet<u32> = read.refused.iter().map(|refused| refused.item).collect();
    assert_eq!(refused.len(), read.refused.len(), "refused twice");
    assert!(stored.is_disjoint(&refused), "stored and refused");
    // An item has the number of its line.
    let lines = body.split(|byte| *byte == b'\n').count();
    let mut items = stored.union(&refused);
    assert!(items.all(|item| (*item as usize) < lines));
    assert!(stored.len() + refused.len() <= read.items as usize);
    for row in read.batch.rows() {
        assert!(row.sample.value.is_finite());
        Labels::from_canonical(read.batch.labels(row)).expect("canonical");
    }
    for refused in &read.refused {
        assert!(refused.message.len() < 1_000, "{}", refused.message);
    }
}

/// Lines as a careful writer makes them.
fn written(feed: &mut Feed<'_>) {
    // A backslash at an end, or before what is escaped, cannot be written in this protocol.
    let clean = |text: String| text.replace(['\\', '\n'], "_");
    let escaped = |text: &str, special: &[char]| {
        let mut out = String::new();
        for next in text.chars() {
            if special.contains(&next) {
                out.push('\\');
            }
            out.push(next);
        }
        out
    };
    let mut body = String::new();
    let mut expected = Vec::new();
    while !feed.is_empty() {
        let measurement = format!("m{}", clean(feed.text(20)));
        let (tag, value) = (
            format!("t{}", clean(feed.text(9))),
            format!("v{}", clean(feed.text(20))),
        );
        let field = format!("f{}", clean(feed.text(9)));
        let number = f64::from_bits(feed.u64());
        if !number.is_finite() {
            continue;
        }
        let time_ms = NOW_MS + feed.any_size() % 1_000_000_000;
        let key = [',', '=', ' '];
        body += &format!(
            "{},{}={} {}={number:?},s=\"\\\"\" {time_ms}000000\n",
            escaped(&measurement, &[',', ' ']),
            escaped(&tag, &key),
            escaped(&value, &key),
            escaped(&field, &key),
        );
        let name = format!("{measurement}_{field}");
        let labels = Labels::new(&name, [(tag.as_str(), value.as_str())]).expect("within limits");
        expected.push((labels, number.to_bits(), time_ms));
    }
    let read = read(body.as_bytes(), Precision::Nanoseconds, NOW_MS);
    assert_eq!(read.decoded.refused, []);
    assert_eq!(read.texts_skipped, expected.len() as u64);
    let batch = &read.decoded.batch;
    let row = |row: &tinyobs_model::Row| {
        let labels = Labels::from_canonical(batch.labels(row)).expect("canonical");
        (labels, row.sample.value.to_bits(), row.sample.time_ms)
    };
    assert_eq!(batch.rows().iter().map(row).collect::<Vec<_>>(), expected);
}
