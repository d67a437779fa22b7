//! Merge: the chunks of several tables become fewer and longer ones.
//!
//!   tables of a partition ─▶ series by series ─▶ [Chunks] │ [Rows] │ [Catalogue] ─▶ one table
//!
//! A flush leaves short chunks, and a sample that was sent again across a flush stands in two of
//! them; both end here.
//!
//! I-MERGE-1  A merge changes no answer.
//! I-MERGE-2  What it writes has the highest sequence number of what went into it: it stands above
//!            everything older and below everything newer, as its parts did.
//! Proved by: merge/tests.rs, tests/model.rs.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use tinyobs_model::{Columns, Resolution, Rollup, Sample, SelectError};

use crate::chunk::{self, Chunk};
use crate::engine::key::{CatalogueKey, catalogue_key, chunk_key, chunk_sequence, chunk_series};
use crate::engine::{Draft, Rewrite, Summary};
use crate::error::StoreError;
use crate::flush::put_chunk;
use crate::rollup::job::put_rows;
use crate::rollup::rows;
use crate::runs::{Run, Runs};
use crate::wal::record::SeriesId;

/// Samples of a merged chunk: a day of samples every half minute. A quarter of that would spare whoever
/// asks for an hour of a day long past some decoding, and take 4 to 7 % more room.
const MERGED_SAMPLES: usize = chunk::SAMPLES_MAX;

/// A chunk of so many samples that meets no other is copied as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// While a partition grows its tables are merged again and again. From so many samples on a longer
    /// chunk takes a few hundredths less room, which is not worth to decode and encode it each time.
    Growing,
    /// What is merged for the last time: half of the longest, from where on there is nothing to gain.
    Last,
}

impl Whole {
    const fn samples(self) -> usize {
        match self {
            Self::Growing => 512,
            Self::Last => MERGED_SAMPLES / 2,
        }
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::corrupt(Path::new("table"), 0, what)
}

/// Merges chunks of samples.
pub struct Chunks {
    whole: Whole,
    series: SeriesId,
    runs: Vec<Run>,
    sequence: u64,
    summary: Summary,
    // Memory that one series after the other uses.
    block: Columns,
    samples: Vec<Sample>,
    bytes: Vec<u8>,
}

impl Rewrite for Chunks {
    fn entry(&mut self, key: &[u8], value: &[u8], out: &mut dyn Draft) -> Result<(), StoreError> {
        let (Some(series), Some(sequence), Ok(chunk)) =
            (chunk_series(key), chunk_sequence(key), Chunk::open(value))
        else {
            return Err(damaged("a chunk is damaged"));
        };
        if series != self.series {
            self.put_series(out)?;
            self.series = series;
        }
        self.sequence = self.sequence.max(sequence);
        let (first_ms, last_ms) = (chunk.first_ms, chunk.last_ms);
        self.runs
            .push(Run::stored(first_ms, last_ms, sequence, value.to_vec()));
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Draft) -> Result<Summary, StoreError> {
        self.put_series(out)?;
        Ok(self.summary)
    }
}

impl Chunks {
    /// That copies what is [`Whole`].
    pub fn new(whole: Whole) -> Self {
        Self {
            whole,
            series: 0,
            runs: Vec::new(),
            sequence: 0,
            summary: Summary::EMPTY,
            block: Columns::default(),
            samples: Vec::new(),
            bytes: Vec::new(),
        }
    }

    fn put_series(&mut self, out: &mut dyn Draft) -> Result<(), StoreError> {
        let is_alone = self.runs.len() == 1;
        let whole = if is_alone { 1 } else { self.whole.samples() };
        let mut runs = Runs::new(std::mem::take(&mut self.runs)).with_whole(whole);
        let sequence = std::mem::take(&mut self.sequence);
        let malformed = |e: SelectError| damaged(&e.message);
        loop {
            if let Some(run) = runs.pop_whole() {
                self.put_samples(out, sequence)?;
                self.put_run(out, &run)?;
                continue;
            }
            if !runs.next_block(&mut self.block).map_err(malformed)? {
                return self.put_samples(out, sequence);
            }
            for at in 0..self.block.len() {
                let sample = Sample::new(self.block.times[at], self.block.values[at]);
                self.samples.push(sample);
                if self.samples.len() == MERGED_SAMPLES {
                    self.put_samples(out, sequence)?;
                }
            }
        }
    }

    /// Puts a chunk as it stands, under its own sequence number (I-MERGE-2).
    fn put_run(&mut self, out: &mut dyn Draft, run: &Run) -> Result<(), StoreError> {
        let Some((sequence, bytes)) = run.as_stored() else {
            return Err(damaged("a chunk is in no table"));
        };
        out.put(&chunk_key(self.series, run.first_ms(), sequence), bytes)?;
        self.summary = self.summary.and(Summary {
            samples: run.samples() as u64,
            first_ms: run.first_ms(),
            last_ms: run.last_ms(),
            sequence,
        });
        Ok(())
    }

    fn put_samples(&mut self, out: &mut dyn Draft, sequence: u64) -> Result<(), StoreError> {
        let put = put_chunk(out, self.series, sequence, &self.samples, &mut self.bytes)?;
        self.summary = self.summary.and(put);
        self.samples.clear();
        Ok(())
    }
}

/// Merges rows of rollups of one resolution.
pub struct Rows {
    resolution: Resolution,
    series: SeriesId,
    /// By start of the window, with the sequence number that they come from.
    windows: BTreeMap<i64, (u64, Rollup)>,
    sequence: u64,
    summary: Summary,
    decoded: Vec<Rollup>,
}

impl Rows {
    /// For a partition of that resolution.
    pub fn new(resolution: Resolution) -> Self {
        Self {
            resolution,
            series: 0,
            windows: BTreeMap::new(),
            sequence: 0,
            summary: Summary::EMPTY,
            decoded: Vec::new(),
        }
    }

    fn put_series(&mut self, out: &mut dyn Draft) -> Result<(), StoreError> {
        let sequence = std::mem::take(&mut self.sequence);
        let rows = std::mem::take(&mut self.windows).into_values();
        let rows: Vec<Rollup> = rows.map(|(_, row)| row).collect();
        for chunk in rows.chunks(chunk::SAMPLES_MAX) {
            let put = put_rows(out, self.resolution, self.series, sequence, chunk)?;
            self.summary = self.summary.and(put);
        }
        Ok(())
    }
}

impl Rewrite for Rows {
    fn entry(&mut self, key: &[u8], value: &[u8], out: &mut dyn Draft) -> Result<(), StoreError> {
        self.decoded.clear();
        let (Some(series), Some(sequence), Ok(_)) = (
            chunk_series(key),
            chunk_sequence(key),
            rows::decode(value, &mut self.decoded),
        ) else {
            return Err(damaged("a chunk of rollups is damaged"));
        };
        if series != self.series {
            self.put_series(out)?;
            self.series = series;
        }
        self.sequence = self.sequence.max(sequence);
        for row in &self.decoded {
            let stands = self.windows.get(&row.start_ms);
            if stands.is_none_or(|(newer, _)| *newer <= sequence) {
                self.windows.insert(row.start_ms, (sequence, *row));
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Draft) -> Result<Summary, StoreError> {
        self.put_series(out)?;
        Ok(self.summary)
    }
}

/// Copies definitions and metadata, but not those of series that are gone.
pub struct Catalogue<'a> {
    gone: &'a HashSet<SeriesId>,
    /// Metrics without series.
    metrics: &'a HashSet<String>,
    /// The sequence number of the result.
    sequence: u64,
}

impl<'a> Catalogue<'a> {
    /// Without the definitions of `gone` series and what is known of `metrics`.
    pub fn new(gone: &'a HashSet<SeriesId>, metrics: &'a HashSet<String>, sequence: u64) -> Self {
        Self {
            gone,
            metrics,
            sequence,
        }
    }
}

impl Rewrite for Catalogue<'_> {
    fn entry(&mut self, key: &[u8], value: &[u8], out: &mut dyn Draft) -> Result<(), StoreError> {
        match catalogue_key(key) {
            Some(CatalogueKey::Definition(id)) if self.gone.contains(&id) => Ok(()),
            Some(CatalogueKey::Metadata(name)) if self.metrics.contains(name) => Ok(()),
            Some(_) => out.put(key, value),
            None => Err(damaged("an entry of the catalogue makes no sense")),
        }
    }

    fn finish(&mut self, _out: &mut dyn Draft) -> Result<Summary, StoreError> {
        Ok(Summary {
            sequence: self.sequence,
            ..Summary::EMPTY
        })
    }
}

#[cfg(test)]
mod tests;
