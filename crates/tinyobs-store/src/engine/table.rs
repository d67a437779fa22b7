//! Table: an immutable file of sorted keys and values.
//!
//!   ┌ magic ┐┌ block ┐┌ block ┐ … ┌ index ┐┌─────────────────── footer 32 B ───────────────────┐
//!   │  8 B  ││       ││       │   │       ││ index at u64 · index len u64 · entries u64 ·      │
//!   └───────┘└───────┘└───────┘   └───────┘│ version u32 · crc u32                             │
//!                                          └───────────────────────────────────────────────────┘
//!   block   ┌ shared front ┐┌ shared back ┐┌ own len ┐┌ value len ┐┌ own key ┐┌ value ┐ … ┌ crc ┐
//!   index   ┌ first key ┐┌ block at ┐┌ block len ┐ … ┌ crc ┐
//!
//! A key is written as what it does not share with the key before it, at both ends: chunks of
//! neighbouring series that begin at the same time differ in a byte or two in the middle.
//!
//! I-TABLE-1  Every byte that is believed has been checked against a checksum first.
//! I-TABLE-2  A file is synced before its table is named in the manifest, and never written again.
//! Proved by: engine/tests.rs.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::open_files::OpenFiles;
use super::{Entry, Visit};
use crate::bytes::{Reader, put_bytes, put_varint};
use crate::error::StoreError;
use crate::files::{Files, ReadFile};

const MAGIC: [u8; 8] = *b"TINYOTBL";
const VERSION: u32 = 1;
const FOOTER_BYTES: usize = 32;
const CRC_BYTES: usize = 4;
/// A block is closed once it has this many bytes: small enough to read for one series, large
/// enough that the index stays below 1 % of the file.
const BLOCK_BYTES: usize = 8 << 10;

/// Writes a table of `entries`, sorted with each key once, and returns its size and the checksum
/// of its footer. The file is on the device when this returns.
///
/// # Errors
/// The file cannot be written; a part of it may be left.
pub fn write(files: &dyn Files, path: &Path, entries: &[Entry]) -> Result<(u64, u32), StoreError> {
    let mut bytes = MAGIC.to_vec();
    let mut index = Vec::new();
    let mut rest = entries;
    while !rest.is_empty() {
        let at = bytes.len();
        let taken = put_block(&mut bytes, rest);
        put_bytes(&mut index, &rest[0].0);
        put_varint(&mut index, at as u64);
        put_varint(&mut index, (bytes.len() - at) as u64);
        rest = &rest[taken..];
    }
    put_checksum(&mut index, 0);
    let index_at = bytes.len() as u64;
    bytes.extend_from_slice(&index);
    let footer_at = bytes.len();
    for number in [index_at, index.len() as u64, entries.len() as u64] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    let crc = put_checksum(&mut bytes, footer_at);

    let fail = |e| StoreError::io("write", path, e);
    let mut file = files.create(path).map_err(fail)?;
    file.append(&bytes).map_err(fail)?;
    let syncer = file.syncer().map_err(fail)?;
    syncer.sync().map_err(|e| StoreError::sync(path, &e))?;
    Ok((bytes.len() as u64, crc))
}

/// Appends one block and returns how many entries it took.
fn put_block(out: &mut Vec<u8>, entries: &[Entry]) -> usize {
    let from = out.len();
    let mut previous: &[u8] = &[];
    let mut taken = 0;
    for (key, value) in entries {
        let front = previous.iter().zip(key).take_while(|(a, b)| a == b).count();
        let room = previous.len().min(key.len()) - front;
        let pairs = previous.iter().rev().zip(key.iter().rev()).take(room);
        let back = pairs.take_while(|(a, b)| a == b).count();
        let own = &key[front..key.len() - back];
        for number in [front, back, own.len(), value.len()] {
            put_varint(out, number as u64);
        }
        out.extend_from_slice(own);
        out.extend_from_slice(value);
        previous = key;
        taken += 1;
        if out.len() - from >= BLOCK_BYTES {
            break;
        }
    }
    put_checksum(out, from);
    taken
}

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
    number: u64,
    path: PathBuf,
    files: Arc<OpenFiles>,
    /// Set before the file goes: a scan that comes too late finds nothing instead of an error.
    removed: AtomicBool,
    bytes: u64,
    entries: u64,
    blocks: Vec<Block>,
}

struct Block {
    first_key: Vec<u8>,
    at: u64,
    len: usize,
}

impl Table {
    /// Opens a table whose footer must have checksum `crc`.
    ///
    /// # Errors
    /// The file is not there, not the one that was written, or damaged.
    pub fn open(
        files: &Arc<OpenFiles>,
        number: u64,
        path: &Path,
        crc: u32,
    ) -> Result<Self, StoreError> {
        let fail = |e| StoreError::io("read", path, e);
        let file = files.get(number, path).map_err(fail)?;
        let bytes = file.size().map_err(fail)?;
        let footer_at = bytes
            .checked_sub(FOOTER_BYTES as u64)
            .ok_or_else(|| StoreError::corrupt(path, 0, "shorter than a footer"))?;
        let mut footer = [0; FOOTER_BYTES];
        file.read_at(footer_at, &mut footer).map_err(fail)?;
        let wrong = |what: &str| StoreError::corrupt(path, footer_at, what);
        let body = checked(&footer).ok_or_else(|| wrong("footer checksum does not match"))?;
        if footer[FOOTER_BYTES - CRC_BYTES..] != crc.to_le_bytes() {
            return Err(wrong("this is not the table that the manifest names"));
        }
        let mut reader = Reader::new(body);
        let fields = (reader.u64(), reader.u64(), reader.u64(), reader.u32());
        let (Some(index_at), Some(index_len), Some(entries), Some(version)) = fields else {
            return Err(wrong("footer is too short"));
        };
        if version > VERSION {
            let path = path.to_path_buf();
            return Err(StoreError::NewerFormat {
                path,
                found: version,
                known: VERSION,
            });
        }
        if index_at.checked_add(index_len) != Some(footer_at) {
            return Err(wrong("footer points outside the file"));
        }
        let mut index = vec![0; index_len as usize];
        file.read_at(index_at, &mut index).map_err(fail)?;
        let blocks = checked(&index)
            .and_then(|body| read_index(body, index_at))
            .ok_or_else(|| StoreError::corrupt(path, index_at, "block index is damaged"))?;
        Ok(Self {
            number,
            path: path.to_path_buf(),
            files: Arc::clone(files),
            removed: AtomicBool::new(false),
            bytes,
            entries,
            blocks,
        })
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Keys in the table.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Removes the file. Scans under way keep it until they end.
    pub fn remove(&self, files: &dyn Files) -> Result<(), StoreError> {
        self.removed.store(true, Ordering::SeqCst);
        self.files.close(self.number);
        files
            .remove(&self.path)
            .map_err(|e| StoreError::io("remove", &self.path, e))
    }

    /// Visits entries with keys in `from..to`, ascending. Breaking off ends the scan.
    ///
    /// # Errors
    /// A block cannot be read or fails its checksum.
    pub fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        visit: &mut Visit<'_>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let file = match self.files.get(self.number, &self.path) {
            Err(_) if self.removed.load(Ordering::SeqCst) => return Ok(ControlFlow::Continue(())),
            other => other.map_err(|e| StoreError::io("read", &self.path, e))?,
        };
        // The last block whose first key is not past `from`, and everything after it.
        let first = self
            .blocks
            .partition_point(|block| block.first_key.as_slice() <= from);
        let mut buffer = Vec::new();
        for block in &self.blocks[first.saturating_sub(1)..] {
            if block.first_key.as_slice() >= to {
                break;
            }
            let body = self.read_block(file.as_ref(), block, &mut buffer)?;
            let flow = scan_block(body, from, to, visit)
                .ok_or_else(|| StoreError::corrupt(&self.path, block.at, "block is malformed"))?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn read_block<'b>(
        &self,
        file: &dyn ReadFile,
        block: &Block,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], StoreError> {
        buffer.resize(block.len, 0);
        file.read_at(block.at, buffer)
            .map_err(|e| StoreError::io("read", &self.path, e))?;
        checked(buffer).ok_or_else(|| {
            StoreError::corrupt(&self.path, block.at, "block checksum does not match")
        })
    }
}

fn read_index(body: &[u8], index_at: u64) -> Option<Vec<Block>> {
    let mut reader = Reader::new(body);
    let mut blocks = Vec::new();
    while !reader.is_empty() {
        let first_key = reader.bytes()?.to_vec();
        let at = reader.varint()?;
        let len = reader.varint()?;
        (at.checked_add(len)? <= index_at).then_some(())?;
        blocks.push(Block {
            first_key,
            at,
            len: usize::try_from(len).ok()?,
        });
    }
    Some(blocks)
}

/// None when the block is malformed.
fn scan_block(
    body: &[u8],
    from: &[u8],
    to: &[u8],
    visit: &mut Visit<'_>,
) -> Option<ControlFlow<()>> {
    let mut reader = Reader::new(body);
    let mut key = Vec::new();
    let mut next = Vec::new();
    while !reader.is_empty() {
        let front = usize::try_from(reader.varint()?).ok()?;
        let back = usize::try_from(reader.varint()?).ok()?;
        let own = usize::try_from(reader.varint()?).ok()?;
        let value = usize::try_from(reader.varint()?).ok()?;
        next.clear();
        next.extend_from_slice(key.get(..front)?);
        next.extend_from_slice(reader.take(own)?);
        next.extend_from_slice(key.get(key.len().checked_sub(back)?..)?);
        std::mem::swap(&mut key, &mut next);
        let value = reader.take(value)?;
        if key.as_slice() >= to {
            return Some(ControlFlow::Break(()));
        }
        if key.as_slice() >= from && visit(&key, value).is_break() {
            return Some(ControlFlow::Break(()));
        }
    }
    Some(ControlFlow::Continue(()))
}
