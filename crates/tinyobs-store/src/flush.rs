//! Flush: the head's samples go into the engine, and the log is cut.
//!
//!   rotate log ─▶ seal and take head ─▶ [write] tables by partition ─▶ commit ─▶ forget ─▶ cut log
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

use std::collections::BTreeMap;

use tinyobs_model::{Columns, Sample};

use crate::chunk;
use crate::engine::{Commit, Counters, Draft, Engine, Partition, Summary, key};
use crate::error::StoreError;
use crate::head::Taken;
use crate::head::series::SealedChunk;
use crate::select::merge_sealed;
use crate::wal::record::{self, Definition, Described, SeriesId};

/// Samples of one flushed chunk at most: longer ones come from merging.
const FLUSH_SAMPLES: usize = 1_024;

/// A table being written, and what is in it.
type Begun = (Box<dyn Draft>, Summary);
/// Tables being written, by partition.
type Drafts = BTreeMap<Partition, Begun>;

fn draft_of<'a>(
    drafts: &'a mut Drafts,
    engine: &dyn Engine,
    partition: Partition,
) -> &'a mut Begun {
    drafts
        .entry(partition)
        .or_insert_with(|| (engine.draft(partition), Summary::EMPTY))
}

/// Writes the tables of one flush. They count once the answer is committed.
///
/// # Errors
/// A table cannot be written.
pub fn write(
    engine: &dyn Engine,
    taken: &Taken,
    sequence: u64,
    series: &[Definition],
    metadata: &[Described],
    counters: Counters,
) -> Result<Commit, StoreError> {
    let mut drafts = Drafts::new();
    if !series.is_empty() || !metadata.is_empty() {
        let summary = Summary {
            sequence,
            ..Summary::EMPTY
        };
        let mut draft = engine.draft(Partition::CATALOGUE);
        put_catalogue(draft.as_mut(), series, metadata)?;
        drafts.insert(Partition::CATALOGUE, (draft, summary));
    }
    let mut columns = Columns::default();
    let mut bytes = Vec::new();
    for chunks in taken.chunk_by(|a, b| a.0 == b.0) {
        let id = chunks[0].0;
        if let [(_, chunk)] = chunks
            && let partition = Partition::raw(chunk.first_ms)
            && partition == Partition::raw(chunk.last_ms)
        {
            // As it stands: most series of a short life have one.
            put_sealed(
                draft_of(&mut drafts, engine, partition),
                id,
                sequence,
                chunk,
            )?;
            continue;
        }
        merge_sealed(chunks.iter().map(|(_, chunk)| chunk), &mut columns)
            .map_err(|e| StoreError::corrupt(std::path::Path::new("head"), 0, e.message))?;
        let samples: Vec<Sample> = columns.iter().collect();
        for day in samples.chunk_by(|a, b| Partition::raw(a.time_ms) == Partition::raw(b.time_ms)) {
            let (draft, summary) = draft_of(&mut drafts, engine, Partition::raw(day[0].time_ms));
            // Series come in the order of their ids and runs in the order of time: keys ascend.
            for run in day.chunks(FLUSH_SAMPLES) {
                let put = put_chunk(draft.as_mut(), id, sequence, run, &mut bytes)?;
                *summary = summary.and(put);
            }
        }
    }
    let finish = |(draft, summary): Begun| draft.finish(summary);
    Ok(Commit {
        tables: drafts.into_values().map(finish).collect::<Result<_, _>>()?,
        drops: Vec::new(),
        counters,
    })
}

/// Puts a chunk of the head as it was sealed.
fn put_sealed(
    (draft, summary): &mut Begun,
    id: SeriesId,
    sequence: u64,
    chunk: &SealedChunk,
) -> Result<(), StoreError> {
    let key = key::chunk_key(id, chunk.first_ms, sequence);
    draft.put(&key, &chunk.bytes)?;
    *summary = summary.and(Summary {
        samples: chunk.count,
        first_ms: chunk.first_ms,
        last_ms: chunk.last_ms,
        sequence,
    });
    Ok(())
}

/// Puts one chunk of samples, of which there is at least one; `bytes` is memory to use.
pub fn put_chunk(
    draft: &mut dyn Draft,
    id: SeriesId,
    sequence: u64,
    run: &[Sample],
    bytes: &mut Vec<u8>,
) -> Result<Summary, StoreError> {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return Ok(Summary::EMPTY);
    };
    bytes.clear();
    chunk::encode(run, bytes);
    draft.put(&key::chunk_key(id, first.time_ms, sequence), bytes)?;
    Ok(Summary {
        samples: run.len() as u64,
        first_ms: first.time_ms,
        last_ms: last.time_ms,
        sequence,
    })
}

/// Definitions, which ascend by id, before metadata, which ascends by name.
fn put_catalogue(
    draft: &mut dyn Draft,
    series: &[Definition],
    metadata: &[Described],
) -> Result<(), StoreError> {
    for (id, labels) in series {
        draft.put(&key::definition_key(*id), labels.as_bytes())?;
    }
    let mut described: Vec<(Vec<u8>, Vec<u8>)> = metadata
        .iter()
        .map(|(name, metadata)| {
            let mut value = Vec::new();
            record::put_meta_value(&mut value, metadata);
            (key::metadata_key(name), value)
        })
        .collect();
    described.sort();
    described
        .iter()
        .try_for_each(|(key, value)| draft.put(key, value))
}
