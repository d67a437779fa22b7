//! Flush: the head's samples go into the engine, and the log is cut.
//!
//!   rotate log ─▶ seal and take head ─▶ merge, cut by partition ─▶ engine.commit ─▶ forget ─▶ cut log
//!
//! 1. The log starts a new segment and the head a new epoch, while nobody writes.
//! 2. The head seals what is older, shard by shard, and keeps it readable.
//! 3. Each series' chunks become as few chunks as possible, none across a partition's border.
//! 4. They are committed together with the definitions of the series that are new, and with the
//!    number of the segment from which on the log is still needed.
//! 5. Only then the head forgets them, and only then the older segments are removed.
//!
//! A crash before the commit leaves the log that says it all again; a crash after it leaves
//! segments that the next start removes unread.
//!
//! I-FLUSH-1  A definition leaves the log only together with, or after, its way into the engine.
//! I-FLUSH-2  Chunks of one flush share one sequence number: the number of the flush.
//! I-FLUSH-3  What a flush commits is exactly what stood in the segments that it lets go. (The same
//!            sample sent again after the rotation is kept once more, until tables are merged.)
//! Proved by: tests/model.rs, `cargo xtask crash`.

use tinyobs_model::{Columns, Sample, SelectError};

use crate::chunk;
use crate::engine::{Commit, Counters, Entry, Load, Partition, Summary, key};
use crate::head::Taken;
use crate::wal::record::{self, Definition, Described};

/// Samples of one flushed chunk at most: longer chunks compress hardly better and make a reader
/// of a short range decode more.
const FLUSH_SAMPLES: usize = 1_024;

/// Everything that one flush writes.
pub fn commit_of(
    taken: &Taken,
    sequence: u64,
    series: &[Definition],
    metadata: &[Described],
    counters: Counters,
) -> Result<Commit, SelectError> {
    let mut commit = Commit {
        counters,
        ..Commit::default()
    };
    let catalogue = catalogue(series, metadata);
    if !catalogue.is_empty() {
        commit.loads.insert(
            Partition::CATALOGUE,
            Load {
                entries: catalogue,
                summary: Summary::EMPTY,
            },
        );
    }
    let mut columns = Columns::default();
    for (id, chunks) in taken {
        crate::select::merge_sealed(chunks, &mut columns)?;
        let samples: Vec<Sample> = columns.iter().collect();
        for day in samples.chunk_by(|a, b| Partition::raw(a.time_ms) == Partition::raw(b.time_ms)) {
            for run in day.chunks(FLUSH_SAMPLES) {
                put_chunk(&mut commit, *id, sequence, run);
            }
        }
    }
    Ok(commit)
}

fn put_chunk(commit: &mut Commit, id: record::SeriesId, sequence: u64, run: &[Sample]) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return;
    };
    let mut bytes = Vec::new();
    chunk::encode(run, &mut bytes);
    let load = commit
        .loads
        .entry(Partition::raw(first.time_ms))
        .or_insert_with(|| Load {
            entries: Vec::new(),
            summary: Summary::EMPTY,
        });
    // Series come in the order of their ids and runs in the order of time: the keys ascend.
    load.entries
        .push((key::chunk_key(id, first.time_ms, sequence), bytes));
    load.summary = load.summary.and(Summary {
        samples: run.len() as u64,
        first_ms: first.time_ms,
        last_ms: last.time_ms,
    });
}

/// Definitions, which ascend by id, before metadata, which ascends by name.
fn catalogue(series: &[Definition], metadata: &[Described]) -> Vec<Entry> {
    let definitions = series
        .iter()
        .map(|(id, labels)| (key::definition_key(*id), labels.as_bytes().to_vec()));
    let mut described: Vec<Entry> = metadata
        .iter()
        .map(|(name, metadata)| {
            let mut value = Vec::new();
            record::put_meta_value(&mut value, metadata);
            (key::metadata_key(name), value)
        })
        .collect();
    described.sort();
    let mut entries: Vec<Entry> = definitions.collect();
    entries.extend(described);
    entries
}
