//! Inspect: what a store's files hold, for readers who want to see what the code does.
//!
//!   catalogue and log ─▶ series by selector ─▶ their chunks and rollups, where they stand
//!
//! Chunks are shown as they lie in the tables: what a later flush has overwritten is shown too, and
//! what a merge has joined stands once.
//!
//! I-INSPECT-1  What is shown of a series is all that is stored of it: the samples of its chunks and
//!              of the log are those that a query answers, before later ones hide earlier ones.
//! Proved by: inspect/tests.rs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tinyobs_model::{Labels, Matcher, Resolution, Rollup};

use crate::chunk::Chunk;
use crate::chunk::layout::Layout;
use crate::directory::Directory;
use crate::engine::key::{CatalogueKey, catalogue_key, chunk_range, chunk_sequence};
use crate::engine::table::cursor::Cursor;
use crate::engine::{Counters, Partition, Space, TableLine};
use crate::error::StoreError;
use crate::rollup::rows;
use crate::wal::record::{self, Record, SeriesId};
use crate::wal::segment;

/// Looks into the files of a store.
pub struct Inspector {
    directory: Directory,
    series: BTreeMap<SeriesId, Labels>,
}

/// A table as the manifest has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// Its file.
    pub path: PathBuf,
    /// What the manifest says of it.
    pub line: TableLine,
}

/// A record of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRecord {
    /// Its file.
    pub path: PathBuf,
    /// Where its frame begins.
    pub offset: u64,
    /// Bytes of its payload.
    pub bytes: u64,
    /// What it says; none when it is of no known kind.
    pub record: Option<Record>,
}

/// A chunk of samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkInfo {
    /// The partition that it lies in.
    pub partition: Partition,
    /// Number of its table.
    pub table: u64,
    /// Of equal times the higher one wins.
    pub sequence: u64,
    /// Samples.
    pub samples: u64,
    /// Time of the first, in ms.
    pub first_ms: i64,
    /// Time of the last, in ms.
    pub last_ms: i64,
    /// Bytes of all of it.
    pub bytes: u64,
    /// What its columns take.
    pub layout: Layout,
}

/// A chunk of rollups.
#[derive(Debug, Clone, PartialEq)]
pub struct RollupInfo {
    /// The partition that it lies in.
    pub partition: Partition,
    /// Number of its table.
    pub table: u64,
    /// Of equal windows the higher one wins.
    pub sequence: u64,
    /// Bytes of all of it.
    pub bytes: u64,
    /// Its windows.
    pub rows: Vec<Rollup>,
}

/// Called with a table, a sequence number and a value; what is wrong with the value is an error.
type VisitEntry<'a> = dyn FnMut(&TableLine, u64, &[u8]) -> Result<(), String> + 'a;

/// The whole in a few figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Whether a server has the store open.
    pub is_in_use: bool,
    /// Numbers not given out yet, watermark, what has been dropped.
    pub counters: Counters,
    /// Series, those of the log among them.
    pub series: u64,
    /// Per space and in the order of [`Space::ALL`]: tables, bytes, samples or windows.
    pub spaces: Vec<(Space, u64, u64, u64)>,
    /// Segments of the log and their bytes.
    pub log: (u64, u64),
}

impl Inspector {
    /// Looks into the store in `dir`.
    ///
    /// # Errors
    /// There is none, or its manifest, catalogue or log cannot be read.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let directory = Directory::open(dir)?;
        let mut inspector = Self {
            directory,
            series: BTreeMap::new(),
        };
        inspector.read_catalogue()?;
        inspector.read_definitions()?;
        Ok(inspector)
    }

    /// The whole in a few figures.
    ///
    /// # Errors
    /// The log cannot be listed.
    pub fn overview(&self) -> Result<Overview, StoreError> {
        let lines = &self.directory.manifest.tables;
        let of = |space: Space| {
            let lines = lines
                .iter()
                .filter(move |line| line.partition.space == space);
            lines.fold((space, 0, 0, 0), |(space, tables, bytes, samples), line| {
                (
                    space,
                    tables + 1,
                    bytes + line.bytes,
                    samples + line.summary.samples,
                )
            })
        };
        let segments = self.directory.segments()?;
        Ok(Overview {
            is_in_use: self.directory.is_in_use,
            counters: self.directory.manifest.counters,
            series: self.series.len() as u64,
            spaces: Space::ALL.map(of).to_vec(),
            log: (
                segments.len() as u64,
                segments.iter().map(|(_, _, bytes)| bytes).sum(),
            ),
        })
    }

    /// The tables, by partition and age.
    pub fn tables(&self) -> Vec<TableInfo> {
        let lines = self.directory.manifest.tables.iter();
        let mut tables: Vec<TableInfo> = lines
            .map(|line| TableInfo {
                path: self.directory.table_path(line.number),
                line: line.clone(),
            })
            .collect();
        tables.sort_by_key(|table| (table.line.partition, table.line.number));
        tables
    }

    /// Calls `visit` with each whole record of the log, the oldest first.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub fn log(&self, visit: &mut dyn FnMut(LogRecord)) -> Result<(), StoreError> {
        for (_, path, _) in self.directory.segments()? {
            let Some(bytes) = self.directory.segment(&path)? else {
                continue;
            };
            segment::scan(&bytes, |offset, payload| {
                visit(LogRecord {
                    path: path.clone(),
                    offset,
                    bytes: payload.len() as u64,
                    record: record::decode(payload),
                });
            });
        }
        Ok(())
    }

    /// The series that satisfy every matcher, in the order of their labels.
    pub fn series(&self, matchers: &[Matcher]) -> Vec<(SeriesId, &Labels)> {
        let matches = |labels: &Labels| {
            matchers
                .iter()
                .all(|matcher| matcher.matches_labels(labels))
        };
        let all = self.series.iter().filter(|(_, labels)| matches(labels));
        let mut found: Vec<(SeriesId, &Labels)> = all.map(|(&id, labels)| (id, labels)).collect();
        found.sort_by(|a, b| a.1.cmp(b.1));
        found
    }

    /// The labels of a series.
    pub fn labels(&self, id: SeriesId) -> Option<&Labels> {
        self.series.get(&id)
    }

    /// The chunks of a series, by time.
    ///
    /// # Errors
    /// A table cannot be read or is damaged.
    pub fn chunks(&self, id: SeriesId) -> Result<Vec<ChunkInfo>, StoreError> {
        let mut chunks = Vec::new();
        self.entries(Space::Raw, id, &mut |line, sequence, value| {
            let chunk = Chunk::open(value).map_err(|error| error.to_string())?;
            let layout = chunk.layout().ok_or("its columns are malformed")?;
            chunks.push(ChunkInfo {
                partition: line.partition,
                table: line.number,
                sequence,
                samples: chunk.count as u64,
                first_ms: chunk.first_ms,
                last_ms: chunk.last_ms,
                bytes: value.len() as u64,
                layout,
            });
            Ok(())
        })?;
        chunks.sort_by_key(|chunk| (chunk.first_ms, chunk.sequence));
        Ok(chunks)
    }

    /// The rollups of a series in one resolution, by time.
    ///
    /// # Errors
    /// A table cannot be read or is damaged.
    pub fn rollups(
        &self,
        id: SeriesId,
        resolution: Resolution,
    ) -> Result<Vec<RollupInfo>, StoreError> {
        let mut found = Vec::new();
        self.entries(Space::of(resolution), id, &mut |line, sequence, value| {
            let mut windows = Vec::new();
            rows::decode(value, &mut windows).map_err(|error| error.to_string())?;
            found.push(RollupInfo {
                partition: line.partition,
                table: line.number,
                sequence,
                bytes: value.len() as u64,
                rows: windows,
            });
            Ok(())
        })?;
        found.sort_by_key(|chunk| (chunk.rows.first().map(|row| row.start_ms), chunk.sequence));
        Ok(found)
    }

    /// Visits the entries of one series in all tables of a space.
    fn entries(
        &self,
        space: Space,
        id: SeriesId,
        visit: &mut VisitEntry<'_>,
    ) -> Result<(), StoreError> {
        let (from, to) = chunk_range(id, i64::MAX);
        let lines = self.directory.manifest.tables.iter();
        for line in lines.filter(|line| line.partition.space == space) {
            let Some(table) = self.directory.table(line)? else {
                continue;
            };
            let mut cursor = Cursor::new(table)?;
            cursor.seek(&from)?;
            while let Some((key, value)) = cursor.entry().filter(|(key, _)| *key < to.as_slice()) {
                let sequence = chunk_sequence(key).unwrap_or(0);
                visit(line, sequence, value).map_err(|what| {
                    let path = self.directory.table_path(line.number);
                    StoreError::corrupt(&path, cursor.block_at(), what)
                })?;
                cursor.advance()?;
            }
        }
        Ok(())
    }

    fn read_catalogue(&mut self) -> Result<(), StoreError> {
        let lines = self.directory.manifest.tables.iter();
        for line in lines.filter(|line| line.partition.space == Space::Catalogue) {
            let Some(table) = self.directory.table(line)? else {
                continue;
            };
            let mut cursor = Cursor::new(table)?;
            cursor.advance()?;
            while let Some((key, value)) = cursor.entry() {
                if let Some(CatalogueKey::Definition(id)) = catalogue_key(key)
                    && let Some(labels) = Labels::from_canonical(value)
                {
                    self.series.insert(id, labels);
                }
                cursor.advance()?;
            }
        }
        Ok(())
    }

    /// Series that stand in the log only.
    fn read_definitions(&mut self) -> Result<(), StoreError> {
        let mut defined = Vec::new();
        self.log(&mut |entry| {
            if let Some(Record::Series(series)) = entry.record {
                defined.extend(series);
            }
        })?;
        for (id, labels) in defined {
            self.series.entry(id).or_insert(labels);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
