//! Tables: entries come back as they were written, through merges and restarts, and a damaged file
//! gives an error or the right entries, never wrong ones, and never keeps the others from opening.

#![no_main]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use tinyobs_fuzz::{Damage, Feed};
use tinyobs_store::StoreError;
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

/// The first block or the index is changed, and its checksum made right again: past what finds
/// accidents, nothing may panic, reserve memory on the file's word, or go on for ever.
fn checksummed(feed: &mut Feed<'_>) {
    let mut changes = Feed::new(feed.take(12));
    let is_block = changes.u8().is_multiple_of(2);
    let specimen = Specimen::write(feed);
    let path = &specimen.table_files()[0];
    specimen.rewrite(path, |bytes| {
        let footer = bytes.split_off(bytes.len() - FOOTER_BYTES);
        let index_at = u64::from_le_bytes(*footer.first_chunk().expect("a footer")) as usize;
        let index = bytes.split_off(index_at);
        // The index as it is says how long the first block is.
        let block_len = first_block_len(&index).unwrap_or(0);
        let magic = bytes.drain(..8).collect::<Vec<_>>();
        let rest = bytes.split_off(block_len);
        let mut parts = [std::mem::take(bytes), index];
        change(&mut parts[usize::from(!is_block)], &mut changes);
        *bytes = [magic, parts[0].clone(), rest, parts[1].clone(), footer].concat();
    });
    if let Ok(engine) = open(&specimen.files) {
        for partition in PARTITIONS {
            all_of(&engine, partition);
            let Ok(mut reader) = engine.view().reader(partition, 0) else {
                continue;
            };
            while !changes.is_empty() {
                let _ = reader.seek(changes.bytes(3));
            }
        }
    }
}

const FOOTER_BYTES: usize = 32;
const CRC_BYTES: usize = 4;

/// Changes some bytes before the checksum at the end, and makes that right again.
fn change(part: &mut Vec<u8>, changes: &mut Feed<'_>) {
    if part.len() <= CRC_BYTES {
        return;
    }
    part.truncate(part.len() - CRC_BYTES);
    for _ in 0..3 {
        let at = changes.place(part.len());
        part[at] = changes.u8();
    }
    let crc = crc32fast::hash(part);
    part.extend_from_slice(&crc.to_le_bytes());
}

fn first_block_len(index: &[u8]) -> Option<usize> {
    let mut reader = tinyobs_store::bytes::Reader::new(index);
    reader.bytes()?;
    reader.varint()?;
    usize::try_from(reader.varint()?).ok()
}
