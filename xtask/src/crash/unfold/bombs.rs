//! Bombs: the bodies themselves. A gigabyte where nothing else is said.
//!
//! What no library would write (a window of two gigabytes, a length that is a lie) is put together
//! from bytes here: RFC 8878 section 3.1.1 and Snappy's format description, section 1.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Way;

/// One body, and how it may be refused.
#[derive(Debug)]
pub struct Bomb {
    /// For reports.
    pub name: &'static str,
    /// Its `Content-Encoding`.
    pub encoding: &'static str,
    /// Status and rule, any of them.
    pub rules: &'static [(u16, &'static str)],
    /// Likewise where it is read line by line, of any size.
    pub rules_of_lines: &'static [(u16, &'static str)],
    /// What is sent.
    pub body: Vec<u8>,
}

const GIGABYTE: usize = 1 << 30;
const MEGABYTE: usize = 1 << 20;
/// `DECOMPRESSED_BYTES`: a body may unfold to so much.
const CAP: usize = 64 << 20;

/// What there is a gigabyte of: an import looks first whether it is text at all.
const FILL: u8 = b'x';

const TOO_LARGE: &[(u16, &str)] = &[(413, "body unfolds to more than 67108864 bytes")];
const LONG_LINE: &[(u16, &str)] = &[(400, "line has more than 16777216 bytes")];
const DAMAGED: &[(u16, &str)] = &[(400, "body is not valid")];
const DAMAGED_FILE: &[(u16, &str)] = &[(400, "could not be read to its end")];
/// Of what decoders say of junk, and of too many items.
const ANY: &[(u16, &str)] = &[
    (400, "message"),
    (400, "error"),
    (413, "message"),
    (413, "error"),
];

/// As those; and a body of messages without anything in them holds nothing to refuse.
const DENSE: &[(u16, &str)] = &[
    (200, ""),
    (400, "message"),
    (400, "error"),
    (413, "message"),
    (413, "error"),
];

/// All of them, for one way in.
pub fn bombs(way: Way) -> Vec<Bomb> {
    let bomb = |name, encoding, rules, rules_of_lines, body| Bomb {
        name,
        encoding,
        rules,
        rules_of_lines,
        body,
    };
    let text = vec![FILL; MEGABYTE];
    let one = gzip(&text, GIGABYTE / MEGABYTE);
    let member = gzip(&text, 1);
    let nested = gzip(&gzip(&one, 1), 1);
    let dense = gzip(&dense(way), 1);
    let cut = snappy(&vec![0; CAP]);
    let cut = cut[..cut.len() / 2].to_vec();
    vec![
        bomb("gzip", "gzip", TOO_LARGE, LONG_LINE, one),
        bomb(
            "gzip members",
            "gzip",
            TOO_LARGE,
            LONG_LINE,
            member.repeat(GIGABYTE / MEGABYTE),
        ),
        bomb("gzip in gzip in gzip", "gzip", ANY, ANY, nested),
        bomb("dense", "gzip", DENSE, DENSE, dense),
        bomb(
            "snappy",
            "snappy",
            TOO_LARGE,
            &[],
            snappy(&vec![0; CAP + 1]),
        ),
        bomb("snappy that is cut", "snappy", DAMAGED, &[], cut),
        bomb(
            "snappy that claims 4 GiB",
            "snappy",
            TOO_LARGE,
            &[],
            claims(u32::MAX),
        ),
        bomb(
            "snappy that claims 64 MiB",
            "snappy",
            DAMAGED,
            &[],
            claims(CAP as u32),
        ),
        bomb("zstd", "zstd", TOO_LARGE, LONG_LINE, zstd(23, GIGABYTE)),
        bomb(
            "zstd frames",
            "zstd",
            TOO_LARGE,
            LONG_LINE,
            zstd(17, MEGABYTE).repeat(GIGABYTE / MEGABYTE),
        ),
        bomb(
            "zstd with a window of 2 GiB",
            "zstd",
            DAMAGED,
            DAMAGED_FILE,
            zstd(31, GIGABYTE),
        ),
    ]
}

/// Unfolds to what a body may unfold to, of as many items as that can be.
fn dense(way: Way) -> Vec<u8> {
    let (before, after) = way.around;
    let count = (CAP - before.len() - after.len()) / way.item.len();
    [before, &way.item.repeat(count), after].concat()
}

fn gzip(piece: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..times {
        encoder.write_all(piece).expect("memory takes everything");
    }
    encoder.finish().expect("memory takes everything")
}

fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = snap::raw::Encoder::new();
    encoder.compress_vec(bytes).expect("less than 4 GiB")
}

/// A few bytes of Snappy that say they are so many.
fn claims(bytes: u32) -> Vec<u8> {
    let mut body = Vec::new();
    let mut rest = bytes;
    while rest >= 0x80 {
        body.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    body.push(rest as u8);
    // A literal of one byte.
    body.extend([0, 0]);
    body
}

/// A frame of zeros, 128 KiB in every four bytes.
fn zstd(window_log: u8, bytes: usize) -> Vec<u8> {
    const BLOCK: usize = 128 << 10;
    const RUN_OF_ONE_BYTE: u32 = 1;
    let mut body = vec![0x28, 0xB5, 0x2F, 0xFD, 0, (window_log - 10) << 3];
    let blocks = bytes / BLOCK;
    for number in 1..=blocks {
        let is_last = u32::from(number == blocks);
        let header = is_last | RUN_OF_ONE_BYTE << 1 | (BLOCK as u32) << 3;
        body.extend(&header.to_le_bytes()[..3]);
        body.push(FILL);
    }
    body
}
