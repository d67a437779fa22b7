//! Segment: one file of the write-ahead log, and how to read one that a crash has left.
//!
//!   ┌── header 16 B ──┐┌──────────── frame ────────────┐┌ frame ┐ …
//!   │magic│version│crc││ mark │ length │ crc │ payload ││       │
//!   │ 8 B │  u32  │u32││ u32  │  u32   │ u32 │ record  ││       │
//!   └─────────────────┘└───────────────────────────────┘└───────┘
//!
//! The checksum covers length and payload. The mark is there for the reader that has met damage:
//! it looks for the next mark whose frame is whole, and so tells a torn end from a hole.
//!
//! I-WAL-2  In the newest segment, the front part of a frame with nothing after it is a torn write:
//!          nobody was told that it was stored, and it is cut. So is what a file system has made
//!          longer and not written, which reads as zeros.
//! I-WAL-3  Any other damage is a hole: reported with file, offset and length; the frames after
//!          it are kept.
//! Proved by: wal/tests.rs.

use crate::bytes::Reader;

const MAGIC: [u8; 8] = *b"TINYOWAL";
/// Bytes of the header.
pub const HEADER_BYTES: u64 = 16;
const HEADER: usize = HEADER_BYTES as usize;
/// The newest version that can be read.
pub const VERSION: u32 = 1;
const MARK: [u8; 4] = [0xf1, 0x0b, 0x5e, 0x7a];
const FRAME_HEADER: usize = 12;
/// The longest payload; a longer length is damage, not a wish for memory.
pub const PAYLOAD_MAX: usize = 256 << 20;

/// Appends a frame around `payload`.
pub fn put_frame(out: &mut Vec<u8>, payload: &[u8]) {
    assert!(
        payload.len() <= PAYLOAD_MAX,
        "a batch is bounded far below this"
    );
    let len = payload.len() as u32;
    out.extend_from_slice(&MARK);
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
    /// A version that can be read.
    Known,
    /// Too short for a header: the crash came before the first write.
    Torn,
    /// A later version.
    Newer(u32),
    /// Not a segment.
    Foreign,
}

/// The first bytes of every segment.
pub fn header() -> [u8; HEADER] {
    header_of(VERSION)
}

fn header_of(version: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&version.to_le_bytes());
    let crc = crc32fast::hash(&header[..12]);
    header[12..].copy_from_slice(&crc.to_le_bytes());
    header
}

/// Reads the header.
pub fn read_header(bytes: &[u8]) -> Header {
    let Some(found) = bytes.first_chunk::<HEADER>() else {
        let torn = header().starts_with(bytes);
        return if torn { Header::Torn } else { Header::Foreign };
    };
    let version = u32::from_le_bytes([found[8], found[9], found[10], found[11]]);
    match version {
        _ if *found != header_of(version) => Header::Foreign,
        VERSION => Header::Known,
        newer => Header::Newer(newer),
    }
}

/// Calls `frame` with each whole frame's offset and payload, and returns the holes between.
pub fn scan(bytes: &[u8], mut frame: impl FnMut(u64, &[u8])) -> Vec<Hole> {
    let mut holes = Vec::new();
    let mut at = HEADER.min(bytes.len());
    while at < bytes.len() {
        if let Some(payload) = frame_at(bytes, at) {
            frame(at as u64, payload);
            at += FRAME_HEADER + payload.len();
            continue;
        }
        let next = next_frame(bytes, at + 1);
        let end = next.unwrap_or(bytes.len());
        holes.push(Hole {
            offset: at as u64,
            len: (end - at) as u64,
            torn: next.is_none() && is_torn(&bytes[at..]),
        });
        at = end;
    }
    holes
}

fn frame_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes.get(at..)?);
    if reader.take(MARK.len())? != MARK {
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
fn is_torn(rest: &[u8]) -> bool {
    if rest.iter().all(|&byte| byte == 0) {
        return true;
    }
    let Some((header, payload)) = rest.split_first_chunk::<FRAME_HEADER>() else {
        let mark = &rest[..rest.len().min(MARK.len())];
        return MARK.starts_with(mark);
    };
    let mut fields = Reader::new(&header[MARK.len()..]);
    let (Some(len), Some(crc)) = (fields.u32(), fields.u32()) else {
        return false;
    };
    let is_whole = u32::try_from(payload.len()).is_ok_and(|all| checksum(all, payload) == crc);
    header.starts_with(&MARK) && len as usize > payload.len() && !is_whole
}

fn next_frame(bytes: &[u8], from: usize) -> Option<usize> {
    let candidates = bytes.get(from..)?.windows(MARK.len()).enumerate();
    candidates
        .filter(|(_, window)| *window == MARK)
        .map(|(i, _)| from + i)
        .find(|&at| frame_at(bytes, at).is_some())
}
