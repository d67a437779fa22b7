//! Manifests: what is written is read, damage is never believed, and no text does harm.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::{Damage, Feed};
use tinyobs_store::engine::manifest::{FORMAT, Manifest, TableLine};
use tinyobs_store::engine::{Counters, Partition, Space, Summary};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'b' => any_bytes(feed.rest()),
        b'c' => checksummed(feed.rest()),
        b'd' => damaged(&mut feed),
        _ => {
            round_trip(&manifest(&mut feed));
        }
    }
});

/// Returns the text.
fn round_trip(manifest: &Manifest) -> String {
    let text = manifest.to_text();
    assert_eq!(
        Manifest::read(text.as_bytes()),
        Some((manifest.clone(), true))
    );
    text
}

fn any_bytes(bytes: &[u8]) {
    if let Some((manifest, _)) = Manifest::read(bytes) {
        round_trip(&manifest);
    }
}

/// Past the checksum: both copies have the one that is right.
fn checksummed(body: &[u8]) {
    let mut copy = [body, b"\n"].concat();
    let crc = crc32fast::hash(&copy);
    copy.extend_from_slice(format!("crc {crc:08x}\n").as_bytes());
    if let Some((manifest, whole)) = Manifest::read(&copy.repeat(2)) {
        assert!(whole);
        let first = String::from_utf8_lossy(body)
            .lines()
            .next()
            .map(str::to_owned);
        assert_eq!(
            first,
            Some(format!("tinyobs {FORMAT}")),
            "of another format, yet believed"
        );
        round_trip(&manifest);
    }
}

/// One copy may hold; what it says is what was written.
fn damaged(feed: &mut Feed<'_>) {
    let mut damages = Feed::new(feed.take(20));
    let manifest = manifest(feed);
    let mut bytes = round_trip(&manifest).into_bytes();
    while !damages.is_empty() {
        Damage::read(&mut damages, bytes.len()).apply(&mut bytes);
    }
    if let Some((read, _)) = Manifest::read(&bytes) {
        assert_eq!(read, manifest);
    }
}

fn manifest(feed: &mut Feed<'_>) -> Manifest {
    let counters = Counters {
        next_series: feed.any_size() as u64,
        next_sequence: feed.any_size() as u64,
        first_segment: feed.any_size() as u64,
        rolled: feed.any_size() as u64,
        dropped_ms: [feed.any_size(), feed.any_size(), i64::MIN],
    };
    let next_table = feed.any_size() as u64;
    let mut tables = Vec::new();
    while !feed.is_empty() {
        tables.push(table(feed));
    }
    Manifest {
        counters,
        next_table,
        tables,
    }
}

fn table(feed: &mut Feed<'_>) -> TableLine {
    let partition = Partition {
        tenant: feed.any_size() as u32,
        space: Space::ALL[usize::from(feed.u8()) % Space::ALL.len()],
        start_ms: feed.any_size(),
    };
    let summary = Summary {
        samples: feed.any_size() as u64,
        first_ms: feed.any_size(),
        last_ms: feed.any_size(),
        sequence: feed.any_size() as u64,
    };
    TableLine {
        number: feed.any_size() as u64,
        partition,
        crc: feed.any_size() as u32,
        bytes: feed.any_size() as u64,
        entries: feed.any_size() as u64,
        summary,
    }
}
