//! Records of the log: any bytes are a record or none, and what is written is what is read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::{Kind, Labels, Metadata, Sample};
use tinyobs_store::wal::record::{Record, decode, put_floats, put_metadata, put_series};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'b' => any_bytes(feed.rest()),
        choice => round_trip(choice, &mut feed),
    }
});

/// A longer varint may say the same number, so bytes need not come back; what they say must.
fn any_bytes(bytes: &[u8]) {
    if let Some(record) = decode(bytes) {
        assert_eq!(decode(&encoded(&record)), Some(record));
    }
}

fn round_trip(choice: u8, feed: &mut Feed<'_>) {
    let record = record(choice, feed);
    let bytes = encoded(&record);
    assert_eq!(decode(&bytes), Some(record), "{bytes:?}");
    // Cut anywhere it is not a record: the count comes first and covers everything.
    for len in 0..bytes.len().min(64) {
        assert_eq!(decode(&bytes[..len]), None, "cut to {len} bytes");
    }
}

fn record(choice: u8, feed: &mut Feed<'_>) -> Record {
    match choice % 3 {
        0 => {
            let mut series = Vec::new();
            while !feed.is_empty() {
                let (id, name, pairs) = (feed.any_size() as u64, feed.text(9), pairs(feed));
                let pairs = pairs.iter().map(|(name, value)| (&**name, &**value));
                series.extend(Labels::new(&name, pairs).map(|labels| (id, labels)));
            }
            Record::Series(series)
        }
        1 => {
            let mut samples = Vec::new();
            while !feed.is_empty() {
                let (id, time_ms) = (feed.any_size() as u64, feed.any_size());
                let value = f64::from_bits(feed.u64());
                samples.push((id, Sample { time_ms, value }));
            }
            Record::Floats(samples)
        }
        _ => {
            let mut metrics = Vec::new();
            while !feed.is_empty() {
                let kinds = Kind::ALL;
                let kind = kinds[usize::from(feed.u8()) % kinds.len()];
                let (unit, help) = (feed.text(20), feed.text(200));
                metrics.push((feed.text(20), Metadata { kind, unit, help }));
            }
            Record::Metadata(metrics)
        }
    }
}

fn pairs(feed: &mut Feed<'_>) -> Vec<(String, String)> {
    let count = feed.u8() % 5;
    (0..count).map(|_| (feed.text(9), feed.text(20))).collect()
}

fn encoded(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    match record {
        Record::Series(series) => put_series(&mut bytes, series),
        Record::Floats(samples) => put_floats(&mut bytes, samples),
        Record::Metadata(metrics) => put_metadata(&mut bytes, metrics),
    }
    bytes
}
