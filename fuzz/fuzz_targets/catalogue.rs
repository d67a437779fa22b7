//! Keys and the values of the catalogue: what is written is read, byte order is number order, and
//! any bytes are a key or none.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::Feed;
use tinyobs_model::{Kind, Metadata};
use tinyobs_store::bytes::Reader;
use tinyobs_store::engine::key::{
    CatalogueKey, catalogue_key, chunk_key, chunk_range, chunk_sequence, chunk_series,
    definition_key, metadata_key,
};
use tinyobs_store::wal::record::{put_meta_value, read_meta_value};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'k' => any_key(feed.rest()),
        b'v' => any_value(feed.rest()),
        b'c' => chunk_keys(&mut feed),
        _ => round_trip(&mut feed),
    }
});

/// A key has one spelling.
fn any_key(bytes: &[u8]) {
    match catalogue_key(bytes) {
        Some(CatalogueKey::Definition(id)) => assert_eq!(definition_key(id), bytes),
        Some(CatalogueKey::Metadata(metric)) => assert_eq!(metadata_key(metric), bytes),
        None => {}
    }
    assert_eq!(chunk_series(bytes).is_some(), bytes.len() >= 8);
    assert_eq!(chunk_sequence(bytes).is_some(), bytes.len() >= 24);
}

fn any_value(bytes: &[u8]) {
    if let Some(metadata) = read_meta_value(&mut Reader::new(bytes)) {
        value_round_trip(&metadata);
    }
}

fn value_round_trip(metadata: &Metadata) {
    let mut bytes = Vec::new();
    put_meta_value(&mut bytes, metadata);
    let mut reader = Reader::new(&bytes);
    assert_eq!(read_meta_value(&mut reader).as_ref(), Some(metadata));
    assert!(reader.is_empty());
    for len in 0..bytes.len().min(64) {
        assert_eq!(
            read_meta_value(&mut Reader::new(&bytes[..len])),
            None,
            "cut to {len}"
        );
    }
}

fn round_trip(feed: &mut Feed<'_>) {
    let (id, other) = (feed.any_size() as u64, feed.any_size() as u64);
    let key = definition_key(id);
    assert_eq!(catalogue_key(&key), Some(CatalogueKey::Definition(id)));
    assert_eq!(key.cmp(&definition_key(other)), id.cmp(&other));

    let kind = Kind::ALL[usize::from(feed.u8()) % Kind::ALL.len()];
    let (unit, help) = (feed.text(20), feed.text(255));
    value_round_trip(&Metadata { kind, unit, help });
    let metric = feed.text(255);
    let named = metadata_key(&metric);
    assert_eq!(catalogue_key(&named), Some(CatalogueKey::Metadata(&metric)));
    // Definitions are read before metadata, whose series they are.
    assert!(key < named);
}

/// The keys of a series up to a time are one stretch, and nothing else is in it.
fn chunk_keys(feed: &mut Feed<'_>) {
    let mut numbers = || {
        (
            feed.any_size() as u64,
            feed.any_size(),
            feed.any_size() as u64,
        )
    };
    let (a, b) = (numbers(), numbers());
    let key = |(series, start_ms, sequence)| chunk_key(series, start_ms, sequence);
    assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
    assert_eq!(
        (chunk_series(&key(a)), chunk_sequence(&key(a))),
        (Some(a.0), Some(a.2))
    );
    let (from, to) = chunk_range(b.0, b.1);
    let inside = from <= key(a) && key(a) < to;
    assert_eq!(inside, a.0 == b.0 && a.1 <= b.1);
}
