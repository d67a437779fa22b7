//! Segment: one file of the write-ahead log, and how to read one that a crash has left.
//!
//!   ┌───── header 20 B ─────┐┌──────────── frame ────────────┐┌ frame ┐ …
//!   │magic│version│mark│ crc ││ mark │ length │ crc │ payload ││       │
//!   │ 8 B │  u32  │ 4 B│ u32 ││ 4 B  │  u32   │ u32 │ record  ││       │
//!   └───────────────────────┘└───────────────────────────────┘└───────┘
//!
//! The checksum covers length and payload. The mark is there for the reader that has met damage:
//! it looks for the next mark whose frame is whole, and so tells a torn end from a hole. Every
//! segment has a mark of its own, by chance: whoever sends labels or values cannot know it, and so
//! cannot make what is inside a record look like one.
//!
//! I-WAL-2  In the newest segment, the front part of a frame with nothing after it is a torn write:
//!          nobody was told that it was stored, and it is cut. So is what a file system has made
//!          longer and not written, or written in part: the rest reads as zeros.
//! I-WAL-3  Any other damage is a hole: reported with file, offset and length; the frames after
//!          it are kept.
//! Proved by: wal/tests.rs.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use crate::bytes::Reader;

const MAGIC: [u8; 8] = *b"TINYOWAL";
/// Bytes of the header.
pub const HEADER_BYTES: u64 = 20;
const HEADER: usize = HEADER_BYTES as usize;
/// The newest version that can be read.
pub const VERSION: u32 = 2;
/// What each frame of a segment begins with.
pub type Mark = [u8; 4];
const MARK_BYTES: usize = 4;
const FRAME_HEADER: usize = 12;
/// The longest payload; a longer length is damage, not a wish for memory.
pub const PAYLOAD_MAX: usize = 256 << 20;

/// So many zeros end no record: a sample's value has 8, one or two numbers before it may be 0.
const CUT_OFF_MIN: usize = 16;

/// Appends a frame around `payload`.
pub fn put_frame(out: &mut Vec<u8>, mark: Mark, payload: &[u8]) {
    assert!(
        payload.len() <= PAYLOAD_MAX,
        "a batch is bounded far below this"
    );
    let len = payload.len() as u32;
    out.extend_from_slice(&mark);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&checksum(len, payload).to_le_bytes());
    out.extend_from_slice(payload);
}

fn checksum(len: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&len.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// A stretch of a segment that holds no whole frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// First damaged byte.
    pub offset: u64,
    /// Damaged bytes.
    pub len: u64,
    /// Whether it is what a write leaves that was broken off: see I-WAL-2.
    pub torn: bool,
}

/// What a segment's bytes hold.
#[derive(Debug, PartialEq, Eq)]
pub enum Header {
    /// A version that can be read, and the segment's mark.
    Known(Mark),
    /// Too short for a header: the crash came before the first write.
    Torn,
    /// A later version.
    Newer(u32),
    /// Not a segment.
    Foreign,
}

/// A mark for a new segment.
pub fn new_mark() -> Mark {
    // The standard library's hash keys are random; nothing here needs better ones. Not zeros, which
    // is what a file reads as where nothing was written.
    let random = RandomState::new().build_hasher().finish() as u32;
    random.max(1).to_be_bytes()
}

/// The first bytes of a segment.
pub fn header(mark: Mark) -> [u8; HEADER] {
    header_of(VERSION, mark)
}

fn header_of(version: u32, mark: Mark) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&version.to_le_bytes());
    header[12..16].copy_from_slice(&mark);
    let crc = crc32fast::hash(&header[..16]);
    header[16..].copy_from_slice(&crc.to_le_bytes());
    header
}

/// Reads the header.
pub fn read_header(bytes: &[u8]) -> Header {
    let Some(found) = bytes.first_chunk::<HEADER>() else {
        let known = &header([0; MARK_BYTES])[..12];
        let torn = bytes.iter().zip(known).all(|(a, b)| a == b);
        return if torn { Header::Torn } else { Header::Foreign };
    };
    let version = u32::from_le_bytes([found[8], found[9], found[10], found[11]]);
    let mark = [found[12], found[13], found[14], found[15]];
    match version {
        _ if *found != header_of(version, mark) => Header::Foreign,
        VERSION => Header::Known(mark),
        newer => Header::Newer(newer),
    }
}

/// The mark of a segment; where the header is damaged, that of what should be its first frame.
fn mark_of(bytes: &[u8]) -> Mark {
    match read_header(bytes) {
        Header::Known(mark) => mark,
        _ => bytes
            .get(HEADER..)
            .and_then(|rest| rest.first_chunk())
            .copied()
            .unwrap_or_default(),
    }
}

/// Calls `frame` with each whole frame's offset and payload, and returns the holes between.
pub fn scan(bytes: &[u8], mut frame: impl FnMut(u64, &[u8])) -> Vec<Hole> {
    let mark = mark_of(bytes);
    let mut holes = Vec::new();
    let mut at = HEADER.min(bytes.len());
    while at < bytes.len() {
        if let Some(payload) = frame_at(bytes, mark, at) {
            frame(at as u64, payload);
            at += FRAME_HEADER + payload.len();
            continue;
        }
        let next = next_frame(bytes, mark, at + 1);
        let end = next.unwrap_or(bytes.len());
        holes.push(Hole {
            offset: at as u64,
            len: (end - at) as u64,
            torn: next.is_none() && is_torn(&bytes[at..], mark),
        });
        at = end;
    }
    holes
}

fn frame_at(bytes: &[u8], mark: Mark, at: usize) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes.get(at..)?);
    if reader.take(MARK_BYTES)? != mark {
        return None;
    }
    let len = reader.u32()?;
    let expected = reader.u32()?;
    let payload = reader.take(
        usize::try_from(len)
            .ok()
            .filter(|&len| len <= PAYLOAD_MAX)?,
    )?;
    (checksum(len, payload) == expected).then_some(payload)
}

/// Whether the end of a file can be the front part of a frame. A frame that is all there, but for a
/// wrong bit in its mark, length, checksum or payload, is not: its write had ended.
fn is_torn(rest: &[u8], mark: Mark) -> bool {
    if is_cut_off(rest, mark) {
        return true;
    }
    let Some((header, payload)) = rest.split_first_chunk::<FRAME_HEADER>() else {
        let begun = rest.len().min(MARK_BYTES);
        return mark.starts_with(&rest[..begun]);
    };
    let mut fields = Reader::new(&header[MARK_BYTES..]);
    let (Some(len), Some(crc)) = (fields.u32(), fields.u32()) else {
        return false;
    };
    let is_whole = u32::try_from(payload.len()).is_ok_and(|all| checksum(all, payload) == crc);
    header.starts_with(&mark) && len as usize > payload.len() && !is_whole
}

/// Whether `rest` has its length but not all of its content: the power went when the file system knew
/// how long the file is, and the device had only the front part of its last block. What is missing
/// reads as zeros, more of them than a record ends in.
fn is_cut_off(rest: &[u8], mark: Mark) -> bool {
    let front = rest.iter().rposition(|&byte| byte != 0);
    let front = &rest[..front.map_or(0, |last| last + 1)];
    let begun = front.len().min(MARK_BYTES);
    front.is_empty() || rest.len() - front.len() >= CUT_OFF_MIN && mark.starts_with(&front[..begun])
}

fn next_frame(bytes: &[u8], mark: Mark, from: usize) -> Option<usize> {
    let candidates = bytes.get(from..)?.windows(MARK_BYTES).enumerate();
    candidates
        .filter(|(_, window)| *window == mark)
        .map(|(i, _)| from + i)
        .find(|&at| frame_at(bytes, mark, at).is_some())
}
