use std::collections::BTreeMap;

use tinyobs_model::Labels;
use tinyobs_model::labels::from_wire;
use tinyobs_wire::decompress::{Encoding, decompress};
use tinyobs_wire::json;
use tinyobs_wire::remote_write::{Version, decode};

use super::{Body, Protocol, fixed};
use crate::bench::ingest::mix::Mix;

const END_MS: i64 = 1_800_000_000_000;

/// Labels, values and times as they arrive.
fn arrives(protocol: Protocol) -> Vec<(BTreeMap<String, String>, u64, i64)> {
    let mix = Mix::new(700, 2, END_MS);
    let mut body = Body::new(protocol);
    for series in 0..700 {
        let mut state = mix.begin(series);
        let value = mix.next(series, 0, &mut state);
        let fixed = fixed(protocol, &mix, series).unwrap();
        body.push(&fixed, value, mix.time_ms(series / 500, 0))
            .unwrap();
    }
    let sent = body.finish().unwrap();
    assert_eq!(body.samples(), 0);
    let decoded = match protocol {
        Protocol::RemoteWrite => {
            let body = decompress(Encoding::Snappy, &sent, 64 << 20).unwrap();
            decode(Version::One, body.into_owned()).unwrap()
        }
        Protocol::Json => json::decode(&sent, END_MS).unwrap(),
    };
    assert_eq!((decoded.items, decoded.refused.len()), (700, 0));
    let batch = decoded.batch;
    let rows = batch.rows().iter();
    rows.map(|row| {
        let bytes = batch.labels(row);
        let labels = if row.is_checked() {
            Labels::from_canonical(bytes).unwrap()
        } else {
            from_wire(bytes).unwrap()
        };
        let pairs = labels
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        (
            pairs.collect(),
            row.sample.value.to_bits(),
            row.sample.time_ms,
        )
    })
    .collect()
}

#[test]
fn what_is_written_is_what_the_server_reads() {
    let mix = Mix::new(700, 2, END_MS);
    for protocol in [Protocol::RemoteWrite, Protocol::Json] {
        let arrived = arrives(protocol);
        assert_eq!(arrived.len(), 700);
        for (series, (labels, value, time_ms)) in (0..).zip(arrived) {
            let (name, _, pairs) = mix.describe(series);
            let mut sent: BTreeMap<String, String> = pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            sent.insert("__name__".to_owned(), name.to_owned());
            let mut state = mix.begin(series);
            assert_eq!(labels, sent, "{protocol:?}");
            assert_eq!(value, mix.next(series, 0, &mut state).to_bits(), "{name}");
            assert_eq!(time_ms, mix.time_ms(series / 500, 0));
        }
    }
}
