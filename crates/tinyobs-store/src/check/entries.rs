//! Entries: the keys and values of one table, each decoded and compared with what the manifest says.

use std::path::PathBuf;

use tinyobs_model::{Columns, Labels, Rollup};

use super::Report;
use crate::bytes::Reader;
use crate::chunk::Chunk;
use crate::engine::key::{
    CatalogueKey, catalogue_key, chunk_sequence, chunk_series, chunk_start_ms,
};
use crate::engine::table::Table;
use crate::engine::{Partition, Space, Summary, TableLine};
use crate::rollup::rows;
use crate::wal::record;

/// What has been seen of a table.
pub struct Entries {
    path: PathBuf,
    partition: Partition,
    count: u64,
    last_key: Vec<u8>,
    summary: Summary,
    /// Memory kept from chunk to chunk.
    samples: Columns,
    rows: Vec<Rollup>,
}

impl Entries {
    /// Nothing yet of `table`.
    pub fn new(table: &Table) -> Self {
        Self {
            path: table.path().to_path_buf(),
            partition: table.line().partition,
            count: 0,
            last_key: Vec::new(),
            summary: Summary::EMPTY,
            samples: Columns::default(),
            rows: Vec::new(),
        }
    }

    /// Entries so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Looks at one entry of the block at `at`.
    pub fn check(&mut self, key: &[u8], value: &[u8], at: u64, report: &mut Report) {
        if self.count > 0 && key <= self.last_key.as_slice() {
            report.damage(&self.path, at, "keys do not ascend");
        }
        self.count += 1;
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        let found = match self.partition.space {
            Space::Catalogue => catalogue(key, value, report),
            Space::Raw => self.chunk(key, value, report),
            Space::FiveMinutes | Space::Hour => self.rows(key, value, report),
        };
        if let Err(what) = found {
            report.damage(&self.path, at, what);
        }
    }

    /// Compares all of them with the manifest.
    pub fn finish(&self, line: &TableLine, report: &mut Report) {
        if self.count != line.entries {
            let what = format!(
                "it has {} entries, and {} by the manifest",
                self.count, line.entries
            );
            report.damage(&self.path, 0, what);
        }
        let is_time = line.partition.space != Space::Catalogue;
        let counted = |summary: &Summary| (summary.samples, summary.first_ms, summary.last_ms);
        if is_time && counted(&self.summary) != counted(&line.summary) {
            let (samples, first_ms, last_ms) = counted(&self.summary);
            let by_manifest = counted(&line.summary);
            let what = format!(
                "it has {samples} samples from {first_ms} to {last_ms}, and {} from {} to {} by the \
                 manifest",
                by_manifest.0, by_manifest.1, by_manifest.2
            );
            report.damage(&self.path, 0, what);
        }
    }

    fn chunk(&mut self, key: &[u8], value: &[u8], report: &mut Report) -> Result<(), String> {
        let (id, start_ms) = chunk_key(key)?;
        let wrong = |what: &str| format!("a chunk of series {id}: {what}");
        let chunk = Chunk::open(value).map_err(|error| wrong(&error.to_string()))?;
        self.samples.clear();
        let decoded = chunk.decode(&mut self.samples);
        decoded.map_err(|error| wrong(&error.to_string()))?;
        let times = &self.samples.times;
        let ends = (times.first(), times.last());
        if ends != (Some(&chunk.first_ms), Some(&chunk.last_ms)) || chunk.first_ms != start_ms {
            return Err(wrong("its samples do not lie where its key and header say"));
        }
        if !times.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(wrong("its times do not ascend"));
        }
        report.chunks += 1;
        report.samples += chunk.count as u64;
        self.add(chunk.count, chunk.first_ms, chunk.last_ms);
        self.inside(chunk.first_ms, chunk.last_ms)
            .map_err(|what| wrong(&what))
    }

    fn rows(&mut self, key: &[u8], value: &[u8], report: &mut Report) -> Result<(), String> {
        let (id, _) = chunk_key(key)?;
        let wrong = |what: &str| format!("rollups of series {id}: {what}");
        self.rows.clear();
        let resolution = rows::decode(value, &mut self.rows);
        let resolution = resolution.map_err(|error| wrong(&error.to_string()))?;
        if Space::of(resolution) != self.partition.space {
            return Err(wrong("they are of another resolution than their partition"));
        }
        let starts = |pair: &[Rollup]| pair[0].start_ms < pair[1].start_ms;
        if !self.rows.windows(2).all(starts) {
            return Err(wrong("their windows do not ascend"));
        }
        let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) else {
            return Err(wrong("there are none"));
        };
        let (first_ms, last_ms, last_start_ms) = (first.start_ms, last.last.time_ms, last.start_ms);
        let count = self.rows.len();
        report.windows += count as u64;
        self.add(count, first_ms, last_ms);
        self.inside(first_ms, last_start_ms)
            .map_err(|what| wrong(&what))
    }

    fn add(&mut self, count: usize, first_ms: i64, last_ms: i64) {
        self.summary = self.summary.and(Summary {
            samples: count as u64,
            first_ms,
            last_ms,
            sequence: 0,
        });
    }

    fn inside(&self, first_ms: i64, last_ms: i64) -> Result<(), String> {
        if first_ms >= self.partition.start_ms && last_ms < self.partition.end_ms() {
            return Ok(());
        }
        Err("they lie outside their partition".to_owned())
    }
}

fn chunk_key(key: &[u8]) -> Result<(u64, i64), String> {
    let parts = chunk_series(key).zip(chunk_start_ms(key));
    parts
        .filter(|_| key.len() == 24 && chunk_sequence(key).is_some())
        .ok_or_else(|| "a key is not one of a chunk".to_owned())
}

fn catalogue(key: &[u8], value: &[u8], report: &mut Report) -> Result<(), String> {
    match catalogue_key(key) {
        Some(CatalogueKey::Definition(id)) => {
            report.series += 1;
            let labels = Labels::from_canonical(value);
            labels
                .map(|_| ())
                .ok_or_else(|| format!("the definition of series {id} is malformed"))
        }
        Some(CatalogueKey::Metadata(name)) => {
            let mut reader = Reader::new(value);
            let read = record::read_meta_value(&mut reader).filter(|_| reader.is_empty());
            read.map(|_| ())
                .ok_or_else(|| format!("what is known of metric {name:?} is malformed"))
        }
        None => Err("a key is none of the catalogue".to_owned()),
    }
}
