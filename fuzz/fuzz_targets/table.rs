//! Tables: entries come back as they were written, through merges and restarts, and a damaged file
//! gives an error or the right entries, never wrong ones, and never keeps the others from opening.

#![no_main]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::{Damage, Feed};
use tinyobs_store::StoreError;
use tinyobs_store::bytes::{Reader, put_bytes, put_varint};
use tinyobs_store::engine::manifest::{Manifest, TableLine};
use tinyobs_store::engine::{
    Commit, Draft, Engine, Partition, Pick, Rewrite, Summary, TableEngine,
};
use tinyobs_store::files::memory::MemoryFiles;
use tinyobs_store::files::{Files, read_all};

fuzz_target!(|data: &[u8]| {
    let mut feed = Feed::new(data);
    match feed.u8() {
        b'd' => damaged(&mut feed),
        b'c' => checksummed(&mut feed),
        b'b' => crafted(&mut feed),
        _ => written(&mut feed),
    }
});

type Entry = (Vec<u8>, Vec<u8>);
type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

const PARTITIONS: [Partition; 2] = [Partition::raw(0), Partition::CATALOGUE];

/// A store in memory and what must be in it.
struct Specimen {
    files: MemoryFiles,
    /// By partition, oldest table first.
    tables: [Vec<Entries>; 2],
}

impl Specimen {
    fn write(feed: &mut Feed<'_>) -> Self {
        let files = MemoryFiles::default();
        let engine = open(&files).expect("a new store opens");
        let mut tables = [Vec::new(), Vec::new()];
        for _ in 0..=feed.u8() % 4 {
            let place = usize::from(feed.u8() % 2);
            let entries = entries(feed);
            let mut draft = engine.draft(PARTITIONS[place]);
            for (key, value) in &entries {
                draft.put(key, value).expect("memory does not fail");
            }
            let finished = draft.finish(Summary::EMPTY).expect("memory does not fail");
            let commit = Commit {
                tables: vec![finished],
                counters: engine.view().counters(),
                ..Commit::default()
            };
            engine.commit(commit).expect("memory does not fail");
            tables[place].push(entries);
        }
        Self { files, tables }
    }

    /// What a reader must find: of equal keys the newest.
    fn newest(&self, place: usize) -> Entries {
        self.tables[place]
            .iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// Table files, those of both partitions in the order of writing.
    fn table_files(&self) -> Vec<std::path::PathBuf> {
        self.files
            .list(&dir().join("tables"))
            .expect("memory does not fail")
    }

    fn rewrite(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = read_all(&self.files, path).expect("memory does not fail");
        change(&mut bytes);
        self.files.remove(path).expect("is there");
        self.files
            .create(path)
            .expect("is gone")
            .append(&bytes)
            .expect("memory does not fail");
    }
}

fn dir() -> &'static Path {
    Path::new("d")
}

fn open(files: &MemoryFiles) -> Result<TableEngine, StoreError> {
    TableEngine::open(Arc::new(files.clone()), dir())
}

/// Keys that share much, and values from nothing to more than a block.
fn entries(feed: &mut Feed<'_>) -> Entries {
    let mut entries = Entries::new();
    let mut key = feed.bytes(20).to_vec();
    for _ in 0..=feed.u8() % 40 {
        let value = match feed.u8() % 8 {
            0 => vec![feed.u8(); usize::from(feed.u16() % 10_000)],
            _ => feed.bytes(30).to_vec(),
        };
        entries.insert(key.clone(), value);
        if key.is_empty() || feed.u8().is_multiple_of(4) {
            key = feed.bytes(20).to_vec();
        } else {
            let at = feed.place(key.len());
            key[at] = key[at].wrapping_add(1);
        }
    }
    entries
}

/// Reads on after errors. The entries found, in order, and the number of errors.
fn all_of(engine: &TableEngine, partition: Partition) -> (Vec<Entry>, usize) {
    let view = engine.view();
    let Ok(mut reader) = view.reader(partition, 0) else {
        return (Vec::new(), 1);
    };
    let (mut found, mut errors) = (Vec::new(), 0);
    loop {
        match reader.next() {
            Ok(Some((key, value))) => found.push((key.to_vec(), value.to_vec())),
            Ok(None) => return (found, errors),
            Err(_) => errors += 1,
        }
        assert!(
            errors < 1_000 && found.len() < 100_000,
            "reading does not come to an end"
        );
    }
}

fn written(feed: &mut Feed<'_>) {
    let specimen = Specimen::write(feed);
    let engine = open(&specimen.files).expect("opens again");
    for (place, partition) in PARTITIONS.into_iter().enumerate() {
        let expected = specimen.newest(place);
        let mut sought = feed.clone();
        exactly(&engine, partition, &expected);
        seeks(&engine, partition, &expected, &mut sought);
        let merged = engine.merge(partition, Pick::All, &mut Copy, &|| true);
        let count = specimen.tables[place].len() as u64;
        assert_eq!(
            merged.expect("memory does not fail"),
            if count > 1 { count } else { 0 }
        );
        exactly(&engine, partition, &expected);
    }
    let engine = open(&specimen.files).expect("opens after merges");
    assert_eq!(engine.damage(), Vec::<String>::new());
    for (place, partition) in PARTITIONS.into_iter().enumerate() {
        exactly(&engine, partition, &specimen.newest(place));
    }
}

fn exactly(engine: &TableEngine, partition: Partition, expected: &Entries) {
    let (found, errors) = all_of(engine, partition);
    assert_eq!(errors, 0);
    assert!(
        found.iter().map(|(k, v)| (k, v)).eq(expected),
        "not what was written"
    );
}

/// Goes forward in leaps, as readers of many series do. Who leaps to where it stands, or behind
/// that, finds the same entry again.
fn seeks(engine: &TableEngine, partition: Partition, expected: &Entries, feed: &mut Feed<'_>) {
    let view = engine.view();
    let mut reader = view.reader(partition, 0).expect("nothing is damaged");
    let mut at = Vec::new();
    for _ in 0..8 {
        let to = match feed.u8() % 2 {
            0 => feed.bytes(20).to_vec(),
            _ => expected
                .keys()
                .nth(feed.place(expected.len()))
                .cloned()
                .unwrap_or_default(),
        };
        reader.seek(&to).expect("nothing is damaged");
        at = to.max(at);
        for (key, value) in expected
            .range(at.clone()..)
            .take(1 + usize::from(feed.u8() % 3))
        {
            let next = reader.next().expect("nothing is damaged");
            assert_eq!(next, Some((&**key, &**value)), "after a seek");
            at.clone_from(key);
        }
        if expected.range(at.clone()..).next().is_none() {
            assert_eq!(reader.next().expect("nothing is damaged"), None);
            return;
        }
    }
}

/// Merges without leaving anything out.
struct Copy;

impl Rewrite for Copy {
    fn entry(&mut self, key: &[u8], value: &[u8], out: &mut dyn Draft) -> Result<(), StoreError> {
        out.put(key, value)
    }

    fn finish(&mut self, _: &mut dyn Draft) -> Result<Summary, StoreError> {
        Ok(Summary::EMPTY)
    }
}

/// One file is damaged. What is found was written, and whatever is not found is an error.
fn damaged(feed: &mut Feed<'_>) {
    let mut how = Feed::new(feed.take(12));
    let specimen = Specimen::write(feed);
    let files = specimen.table_files();
    let path = &files[how.place(files.len())];
    let len = read_all(&specimen.files, path)
        .expect("memory does not fail")
        .len();
    let (damage, swap) = (Damage::read(&mut how, len), how.u8());
    if swap == b's' {
        let other = read_all(&specimen.files, &files[0]).expect("memory does not fail");
        specimen.rewrite(path, |bytes| *bytes = other);
    } else {
        specimen.rewrite(path, |bytes| damage.apply(bytes));
    }
    let engine = open(&specimen.files).expect("a damaged table keeps no store from opening");
    for (place, partition) in PARTITIONS.into_iter().enumerate() {
        let (found, errors) = all_of(&engine, partition);
        let was_written = |(key, value): &Entry| {
            specimen.tables[place]
                .iter()
                .any(|table| table.get(key) == Some(value))
        };
        assert!(found.iter().all(was_written), "never written: {damage:?}");
        assert!(
            found.is_sorted_by(|a, b| a.0 < b.0),
            "not in order: {damage:?}"
        );
        // Of a damaged catalogue the rest is read; the engine's own list says what is lost.
        if errors == 0 && engine.damage().is_empty() {
            assert!(
                found == specimen.newest(place).into_iter().collect::<Vec<_>>(),
                "{damage:?}"
            );
        }
    }
}

/// The first block or the index is changed, and every checksum above it made right again: past what
/// finds accidents, nothing may panic, reserve memory on the file's word, or go on for ever.
fn checksummed(feed: &mut Feed<'_>) {
    let mut changes = Feed::new(feed.take(12));
    let is_block = changes.u8().is_multiple_of(2);
    let specimen = Specimen::write(feed);
    let (mut before, mut after) = (0, 0);
    specimen.rewrite(&specimen.table_files()[0], |bytes| {
        let mut footer = bytes.split_off(bytes.len() - FOOTER_BYTES);
        let index_at = u64::from_le_bytes(*footer.first_chunk().expect("a footer")) as usize;
        let mut index = bytes.split_off(index_at);
        let (block_end, crc_at) = first_block(&index).expect("no table is empty");
        let crc = footer.split_off(FOOTER_BYTES - CRC_BYTES);
        before = u32::from_le_bytes(crc.try_into().expect("four bytes"));
        if is_block {
            let body = &mut bytes[MAGIC_BYTES..block_end - CRC_BYTES];
            change(body, &mut changes);
            let crc = crc32fast::hash(body).to_le_bytes();
            bytes[block_end - CRC_BYTES..block_end].copy_from_slice(&crc);
            index[crc_at..crc_at + CRC_BYTES].copy_from_slice(&crc);
        } else {
            change(&mut index, &mut changes);
        }
        let end = [index, footer].concat();
        after = crc32fast::hash(&end);
        bytes.extend_from_slice(&end);
        bytes.extend_from_slice(&after.to_le_bytes());
    });
    rename(&specimen.files, before, |line| line.crc = after);
    read_all_ways(&specimen.files, &mut changes);
}

/// A table of one block of any content, all its checksums right.
fn crafted(feed: &mut Feed<'_>) {
    let mut ways = Feed::new(feed.take(8));
    let specimen = Specimen::write(&mut Feed::new(&[]));
    let key = feed.bytes(3).to_vec();
    let body = feed.clone().rest();
    let crc = crc32fast::hash(body).to_le_bytes();
    let mut index = Vec::new();
    put_bytes(&mut index, &key);
    put_varint(&mut index, MAGIC_BYTES as u64);
    put_varint(&mut index, (body.len() + CRC_BYTES) as u64);
    index.extend_from_slice(&crc);
    let (mut before, mut after, mut len) = (0, 0, 0);
    specimen.rewrite(&specimen.table_files()[0], |bytes| {
        let footer = bytes.split_off(bytes.len() - FOOTER_BYTES);
        let (rest, crc) = footer.split_last_chunk().expect("a footer");
        before = u32::from_le_bytes(*crc);
        bytes.truncate(MAGIC_BYTES);
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
        let index_at = bytes.len() as u64;
        let places = [index_at, index.len() as u64]
            .map(u64::to_le_bytes)
            .concat();
        let end = [&index[..], &places, &rest[16..]].concat();
        after = crc32fast::hash(&end);
        bytes.extend_from_slice(&end);
        bytes.extend_from_slice(&after.to_le_bytes());
        len = bytes.len() as u64;
    });
    rename(&specimen.files, before, |line| {
        (line.crc, line.bytes) = (after, len);
    });
    read_all_ways(&specimen.files, &mut ways);
}

/// Changes what the manifest says of tables with that checksum.
fn rename(files: &MemoryFiles, crc: u32, change: impl Fn(&mut TableLine)) {
    let loaded = Manifest::load(files, dir()).expect("memory does not fail");
    let (mut manifest, _) = loaded.expect("is there");
    manifest
        .tables
        .iter_mut()
        .filter(|line| line.crc == crc)
        .for_each(change);
    manifest.store(files, dir()).expect("memory does not fail");
}

/// Nothing may panic or go on for ever.
fn read_all_ways(files: &MemoryFiles, ways: &mut Feed<'_>) {
    let engine = open(files).expect("a damaged table keeps no store from opening");
    for partition in PARTITIONS {
        all_of(&engine, partition);
        let Ok(mut reader) = engine.view().reader(partition, 0) else {
            continue;
        };
        while !ways.is_empty() {
            let _ = reader.seek(ways.bytes(3));
        }
    }
}

const MAGIC_BYTES: usize = 8;
const FOOTER_BYTES: usize = 32;
const CRC_BYTES: usize = 4;

fn change(part: &mut [u8], changes: &mut Feed<'_>) {
    for _ in 0..3 {
        part[changes.place(part.len())] = changes.u8();
    }
}

/// The end of the first block, and where in the index its checksum stands.
fn first_block(index: &[u8]) -> Option<(usize, usize)> {
    let mut reader = Reader::new(index);
    reader.bytes()?;
    let end = reader.varint()? + reader.varint()?;
    Some((
        usize::try_from(end).ok()?,
        index.len() - reader.rest().len(),
    ))
}
