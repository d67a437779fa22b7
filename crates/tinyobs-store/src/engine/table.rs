//! Table: an immutable file of sorted keys and values.
//!
//!   ┌ magic ┐┌ block ┐┌ block ┐ … ┌ index ┐┌─────────────────── footer 32 B ───────────────────┐
//!   │  8 B  ││       ││       │   │       ││ index at u64 · index len u64 · entries u64 ·      │
//!   └───────┘└───────┘└───────┘   └───────┘│ version u32 · crc u32                             │
//!                                          └───────────────────────────────────────────────────┘
//!   index   ┌ first key ┐┌ block at ┐┌ block len ┐┌ block crc ┐ …
//!
//! The checksum of the footer covers the index, the index holds those of the blocks, and the
//! manifest that of the footer: a block or a table that is whole but stands in the wrong place is
//! not believed either.
//!
//! [`block`] says what a block looks like, [`writer`] writes a table, [`cursor`] walks through one.
//!
//! I-TABLE-1  Every byte that is believed has been checked against a checksum first.
//! I-TABLE-2  A file is synced before its table is named in the manifest, and never written again.
//! I-TABLE-3  The file of a table that was merged or dropped goes with the last reader.
//! Proved by: engine/tests.rs.

pub mod block;
pub mod cursor;
pub mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::manifest::TableLine;
use super::open_files::OpenFiles;
use crate::bytes::Reader;
use crate::error::StoreError;
use crate::files::ReadFile;

/// The first bytes of every table.
pub(crate) const MAGIC: [u8; 8] = *b"TINYOTBL";
const VERSION: u32 = 3;
const FOOTER_BYTES: usize = 32;
const CRC_BYTES: usize = 4;
/// A block is closed once it has this many bytes: small enough to read for one series, large
/// enough that the index stays below 1 % of the file.
const BLOCK_BYTES: usize = 8 << 10;
/// The largest block that is read: one entry may be longer than [`BLOCK_BYTES`], but no entry that
/// the store writes is anywhere near this.
const BLOCK_BYTES_MAX: u64 = 64 << 20;

fn put_checksum(out: &mut Vec<u8>, from: usize) -> u32 {
    let crc = crc32fast::hash(&out[from..]);
    out.extend_from_slice(&crc.to_le_bytes());
    crc
}

/// The bytes before the checksum at the end, if it matches.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (body, crc) = bytes.split_last_chunk::<CRC_BYTES>()?;
    (crc32fast::hash(body) == u32::from_le_bytes(*crc)).then_some(body)
}

/// A table of the store. The index is in memory, blocks are read when asked for.
pub struct Table {
    line: TableLine,
    path: PathBuf,
    files: Arc<OpenFiles>,
    /// I-TABLE-3.
    obsolete: AtomicBool,
    blocks: Vec<Block>,
}

struct Block {
    first_key: Box<[u8]>,
    at: u64,
    len: usize,
    crc: u32,
}

impl Table {
    /// Opens the table that `line` of the manifest names.
    ///
    /// # Errors
    /// The file is not there, not the one that was written, or damaged.
    pub fn open(files: &Arc<OpenFiles>, line: TableLine, path: &Path) -> Result<Self, StoreError> {
        // A file that is gone is as damaged as one that is cut: the others are readable (I-ENGINE-5).
        let fail = |e| StoreError::read(path, 0, e);
        let file = files.get(line.number, path).map_err(fail)?;
        let bytes = file.size().map_err(fail)?;
        if bytes != line.bytes {
            let what = format!("it has {bytes} bytes and should have {}", line.bytes);
            return Err(StoreError::corrupt(path, 0, what));
        }
        let footer_at = bytes
            .checked_sub(FOOTER_BYTES as u64)
            .ok_or_else(|| StoreError::corrupt(path, 0, "shorter than a footer"))?;
        let mut footer = [0; FOOTER_BYTES];
        file.read_at(footer_at, &mut footer).map_err(fail)?;
        let wrong = |what: &str| StoreError::corrupt(path, footer_at, what);
        if footer[FOOTER_BYTES - CRC_BYTES..] != line.crc.to_le_bytes() {
            return Err(wrong("this is not the table that the manifest names"));
        }
        let mut reader = Reader::new(&footer);
        let fields = (reader.u64(), reader.u64(), reader.u64(), reader.u32());
        let (Some(index_at), Some(index_len), Some(entries), Some(version)) = fields else {
            return Err(wrong("footer is too short"));
        };
        if index_at.checked_add(index_len) != Some(footer_at) {
            return Err(wrong("footer points outside the file"));
        }
        let mut index = vec![0; (bytes - index_at) as usize];
        file.read_at(index_at, &mut index).map_err(fail)?;
        if checked(&index).is_none() {
            return Err(wrong("checksum of block index and footer does not match"));
        }
        if version != VERSION || entries != line.entries {
            return Err(wrong("footer contradicts the manifest"));
        }
        let blocks = read_index(&index[..index_len as usize], index_at)
            .ok_or_else(|| StoreError::corrupt(path, index_at, "block index is damaged"))?;
        Ok(Self {
            line,
            path: path.to_path_buf(),
            files: Arc::clone(files),
            obsolete: AtomicBool::new(false),
            blocks,
        })
    }

    /// What the manifest says of it.
    pub fn line(&self) -> &TableLine {
        &self.line
    }

    /// Its file, opened.
    pub fn file(&self) -> Result<Arc<dyn ReadFile>, StoreError> {
        let file = self.files.get(self.line.number, &self.path);
        file.map_err(|e| StoreError::read(&self.path, 0, e))
    }

    /// Its file's place.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// No manifest names it any more: its file goes with the last reader.
    pub fn retire(&self) {
        self.obsolete.store(true, Ordering::SeqCst);
    }

    /// Blocks in it.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Where a block is in the file, and its bytes.
    pub(crate) fn extent(&self, block: usize) -> (u64, u64) {
        let block = &self.blocks[block];
        (block.at, block.len as u64)
    }

    /// The block that holds the first key not below `from`, or the one before it.
    fn block_of(&self, from: &[u8]) -> usize {
        self.blocks
            .partition_point(|block| *block.first_key <= *from)
            .saturating_sub(1)
    }

    fn read_block(
        &self,
        file: &dyn ReadFile,
        block: usize,
        buffer: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let block = &self.blocks[block];
        buffer.resize(block.len, 0);
        file.read_at(block.at, buffer)
            .map_err(|e| StoreError::read(&self.path, block.at, e))
    }

    /// The checksum that a block must have.
    fn block_crc(&self, block: usize) -> u32 {
        self.blocks[block].crc
    }

    /// Remembers what a reader has met, for [`Engine::damage`](super::Engine::damage).
    fn note(&self, error: &StoreError) {
        if let StoreError::Corrupt { offset, .. } = error {
            let number = self.line.number;
            self.files.note_damage(number, *offset, error.to_string());
        }
    }

    fn unchecked(&self, block: usize) -> StoreError {
        StoreError::corrupt(
            &self.path,
            self.blocks[block].at,
            "block checksum does not match",
        )
    }

    fn malformed(&self, block: usize) -> StoreError {
        StoreError::corrupt(&self.path, self.blocks[block].at, "block is malformed")
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        if self.obsolete.load(Ordering::SeqCst) {
            self.files.remove(self.line.number, &self.path);
        }
    }
}

fn read_index(body: &[u8], index_at: u64) -> Option<Vec<Block>> {
    let mut reader = Reader::new(body);
    let mut blocks = Vec::new();
    while !reader.is_empty() {
        let first_key = reader.bytes()?.into();
        let at = reader.varint()?;
        let len = reader.varint()?;
        let crc = reader.u32()?;
        (len <= BLOCK_BYTES_MAX && at.checked_add(len)? <= index_at).then_some(())?;
        blocks.push(Block {
            first_key,
            at,
            len: usize::try_from(len).ok()?,
            crc,
        });
    }
    Some(blocks)
}
