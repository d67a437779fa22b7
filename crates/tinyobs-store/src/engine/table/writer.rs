//! Writer: a table on its way to its file, entry by entry.
//!
//! What is written waits in memory up to [`SPILL_BYTES`], so that a flush into many partitions opens
//! few files at once and a small table costs one write.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::Builder;
use super::{BLOCK_BYTES, MAGIC, VERSION, put_checksum};
use crate::bytes::{put_bytes, put_varint};
use crate::engine::manifest::TableLine;
use crate::engine::{Draft, Finished, Partition, Summary};
use crate::error::StoreError;
use crate::files::{Files, WriteFile};

/// Bytes that wait in memory before they go to the file.
const SPILL_BYTES: usize = 1 << 20;

/// A table being written.
pub struct Writer {
    number: u64,
    partition: Partition,
    draft: DraftFile,
    file: Option<Box<dyn WriteFile>>,
    block: Builder,
    /// Finished blocks that are not in the file yet.
    pending: Vec<u8>,
    /// Bytes of everything before `pending`.
    spilled: u64,
    index: Vec<u8>,
    entries: u64,
}

/// A file that goes unless it is kept.
pub struct DraftFile {
    files: Arc<dyn Files>,
    path: PathBuf,
    is_there: bool,
}

impl DraftFile {
    /// From now on the file stays: a manifest names it, or may.
    pub fn keep(&mut self) {
        self.is_there = false;
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        if self.is_there {
            // What cannot be removed now is removed by the next start: no manifest names it.
            let _ = self.files.remove(&self.path);
        }
    }
}

impl Writer {
    /// A table of that number at `path`.
    pub fn new(files: Arc<dyn Files>, number: u64, partition: Partition, path: PathBuf) -> Self {
        Self {
            number,
            partition,
            draft: DraftFile {
                files,
                path,
                is_there: false,
            },
            file: None,
            block: Builder::default(),
            pending: MAGIC.to_vec(),
            spilled: 0,
            index: Vec::new(),
            entries: 0,
        }
    }

    fn close_block(&mut self) {
        if self.block.bytes() == 0 {
            return;
        }
        let at = self.pending.len();
        let (first_key, crc) = self.block.close(&mut self.pending);
        put_bytes(&mut self.index, &first_key);
        put_varint(&mut self.index, self.spilled + at as u64);
        put_varint(&mut self.index, (self.pending.len() - at) as u64);
        self.index.extend_from_slice(&crc.to_le_bytes());
    }

    fn spill(&mut self) -> Result<(), StoreError> {
        let path = &self.draft.path;
        let fail = |e| StoreError::io("write", path, e);
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let file = self.draft.files.create(path).map_err(fail)?;
            self.draft.is_there = true;
            self.file.insert(file)
        };
        file.append(&self.pending).map_err(fail)?;
        self.spilled += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

impl Draft for Writer {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.block.put(key, value);
        self.entries += 1;
        if self.block.bytes() >= BLOCK_BYTES {
            self.close_block();
            if self.pending.len() >= SPILL_BYTES {
                self.spill()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, summary: Summary) -> Result<Finished, StoreError> {
        self.close_block();
        let from = self.pending.len();
        let index_at = self.spilled + from as u64;
        let index_len = self.index.len() as u64;
        self.pending.append(&mut self.index);
        for number in [index_at, index_len, self.entries] {
            self.pending.extend_from_slice(&number.to_le_bytes());
        }
        self.pending.extend_from_slice(&VERSION.to_le_bytes());
        let crc = put_checksum(&mut self.pending, from);
        self.spill()?;
        let path = &self.draft.path;
        let file = self.file.take().expect("spilled above");
        let syncer = file.syncer().map_err(|e| StoreError::io("sync", path, e))?;
        syncer.sync().map_err(|e| StoreError::sync(path, &e))?;
        let line = TableLine {
            number: self.number,
            partition: self.partition,
            crc,
            bytes: self.spilled,
            entries: self.entries,
            summary,
        };
        Ok(Finished::new(line, self.draft))
    }
}
