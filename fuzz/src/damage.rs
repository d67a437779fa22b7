//! Damage: what disks and crashes do to bytes.
//!
//! All of it is of a kind that CRC-32 finds for certain or misses once in four billion times, so
//! a target may say that none is believed. Nobody forges anything: see the targets for that.

use crate::Feed;

/// Something that happens to a file.
#[derive(Debug, Clone)]
pub enum Damage {
    /// Up to three bits are flipped.
    Flips(Vec<usize>),
    /// Up to three bytes one after another are overwritten.
    Overwritten(usize, Vec<u8>),
    /// A stretch of zeros: blocks that never reached the disk.
    Zeros(usize, usize),
    /// The end is gone.
    Cut(usize),
}

impl Damage {
    /// Some damage to a file of `len` bytes.
    pub fn read(feed: &mut Feed<'_>, len: usize) -> Self {
        match feed.u8() % 4 {
            0 => {
                let count = feed.u8() % 4;
                Self::Flips((0..count).map(|_| feed.place(len * 8)).collect())
            }
            1 => Self::Overwritten(feed.place(len), feed.bytes(3).to_vec()),
            2 => Self::Zeros(feed.place(len), feed.place(len)),
            _ => Self::Cut(feed.place(len)),
        }
    }

    /// Damages `bytes`, which may have become shorter since.
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        match self {
            Self::Flips(bits) => {
                for bit in bits.iter().filter(|bit| **bit < len * 8) {
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
            }
            Self::Overwritten(at, with) => {
                for (byte, new) in bytes.iter_mut().skip(*at).zip(with) {
                    *byte = *new;
                }
            }
            Self::Zeros(from, count) => {
                for byte in bytes.iter_mut().skip(*from).take(*count) {
                    *byte = 0;
                }
            }
            Self::Cut(at) => bytes.truncate(*at),
        }
    }
}
