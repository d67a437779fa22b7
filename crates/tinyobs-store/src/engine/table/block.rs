//! Block: a run of entries with a checksum, the unit that is read and believed.
//!
//!   ┌ shared front ┐┌ shared back ┐┌ own len ┐┌ value len ┐┌ own key ┐┌ value ┐ … ┌ crc ┐
//!
//! A key is written as what it does not share with the key before it, at both ends: chunks of
//! neighbouring series that begin at the same time differ in a byte or two in the middle.

use std::ops::Range;

use super::{checked, put_checksum};
use crate::bytes::{Reader, put_varint};

/// A block being filled.
#[derive(Default)]
pub struct Builder {
    bytes: Vec<u8>,
    first_key: Vec<u8>,
    previous: Vec<u8>,
}

impl Builder {
    /// Adds an entry; keys ascend.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        if self.bytes.is_empty() {
            self.first_key = key.to_vec();
        }
        let previous = &self.previous;
        let front = previous.iter().zip(key).take_while(|(a, b)| a == b).count();
        let room = previous.len().min(key.len()) - front;
        let pairs = previous.iter().rev().zip(key.iter().rev()).take(room);
        let back = pairs.take_while(|(a, b)| a == b).count();
        let own = &key[front..key.len() - back];
        for number in [front, back, own.len(), value.len()] {
            put_varint(&mut self.bytes, number as u64);
        }
        self.bytes.extend_from_slice(own);
        self.bytes.extend_from_slice(value);
        self.previous.clear();
        self.previous.extend_from_slice(key);
    }

    /// Bytes so far.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Moves the block to `out`, and returns its first key and its checksum.
    pub fn close(&mut self, out: &mut Vec<u8>) -> (Vec<u8>, u32) {
        let from = out.len();
        out.append(&mut self.bytes);
        let crc = put_checksum(out, from);
        self.previous.clear();
        (std::mem::take(&mut self.first_key), crc)
    }
}

/// A block being read.
#[derive(Default)]
pub struct Entries {
    /// The block, its checksum left off.
    body: Vec<u8>,
    at: usize,
    key: Vec<u8>,
    spare: Vec<u8>,
    value: Range<usize>,
}

impl Entries {
    /// The memory to read a block into, before [`Self::check`].
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.body
    }

    /// Checks the checksum, which must be `crc`, and goes to the start; false when it does not match.
    pub fn check(&mut self, crc: u32) -> bool {
        self.at = 0;
        self.key.clear();
        let ours = self.body.ends_with(&crc.to_le_bytes());
        let len = checked(&self.body).filter(|_| ours).map(<[u8]>::len);
        self.body.truncate(len.unwrap_or(0));
        len.is_some()
    }

    /// Goes to the next entry: false at the end, none when the block is malformed.
    pub fn advance(&mut self) -> Option<bool> {
        let mut reader = Reader::new(self.body.get(self.at..)?);
        if reader.is_empty() {
            return Some(false);
        }
        let front = usize::try_from(reader.varint()?).ok()?;
        let back = usize::try_from(reader.varint()?).ok()?;
        let own = usize::try_from(reader.varint()?).ok()?;
        let value = usize::try_from(reader.varint()?).ok()?;
        // The writer never shares a byte twice; a key would double with each entry.
        (front.checked_add(back)? <= self.key.len()).then_some(())?;
        self.spare.clear();
        self.spare.extend_from_slice(self.key.get(..front)?);
        self.spare.extend_from_slice(reader.take(own)?);
        let back_at = self.key.len().checked_sub(back)?;
        self.spare.extend_from_slice(self.key.get(back_at..)?);
        std::mem::swap(&mut self.key, &mut self.spare);
        let value_at = self.body.len() - reader.rest().len();
        reader.take(value)?;
        self.value = value_at..value_at + value;
        self.at = value_at + value;
        Some(true)
    }

    /// The key of the entry that the last [`Self::advance`] went to.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Its value.
    pub fn value(&self) -> &[u8] {
        &self.body[self.value.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_whose_keys_double_is_malformed() {
        let mut entries = Entries::default();
        let body = entries.buffer();
        body.extend_from_slice(b"\x00\x00\x02\x00ab\x02\x02\x00\x00");
        let crc = put_checksum(body, 0);
        assert!(entries.check(crc));
        assert_eq!((entries.advance(), entries.key()), (Some(true), &b"ab"[..]));
        assert_eq!(entries.advance(), None);
    }

    #[test]
    fn a_whole_block_in_the_place_of_another_is_not_believed() {
        let mut bytes = Vec::new();
        let mut builder = Builder::default();
        builder.put(b"a", b"1");
        let (_, crc) = builder.close(&mut bytes);
        let mut entries = Entries::default();
        entries.buffer().clone_from(&bytes);
        assert!(!entries.check(crc ^ 1));
        *entries.buffer() = bytes;
        assert!(entries.check(crc));
    }
}
