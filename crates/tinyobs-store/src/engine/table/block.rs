//! Block: a run of entries with a checksum, the unit that is read and believed.
//!
//!   ┌ key: shared front · shared back · own len ┐┌ value: likewise ┐┌ own key ┐┌ own value ┐ … ┌ crc ┐
//!
//! Keys and values are written as what they do not share with the ones before, at both ends. Keys of
//! neighbouring series that begin at the same time differ in a byte or two in the middle; their
//! labels in one value, somewhere; their chunks begin with the same header.

use super::{checked, put_checksum};
use crate::bytes::{Reader, put_varint};

/// A block being filled.
#[derive(Default)]
pub struct Builder {
    bytes: Vec<u8>,
    first_key: Vec<u8>,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// What a string of bytes shares with the one before it.
struct Shared {
    front: usize,
    back: usize,
}

impl Shared {
    fn of(previous: &[u8], bytes: &[u8]) -> Self {
        let pairs = previous.iter().zip(bytes);
        let front = pairs.take_while(|(a, b)| a == b).count();
        let room = previous.len().min(bytes.len()) - front;
        let pairs = previous.iter().rev().zip(bytes.iter().rev()).take(room);
        let back = pairs.take_while(|(a, b)| a == b).count();
        Self { front, back }
    }

    fn own<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.front..bytes.len() - self.back]
    }

    fn put(&self, bytes: &[u8], out: &mut Vec<u8>) {
        for number in [self.front, self.back, self.own(bytes).len()] {
            put_varint(out, number as u64);
        }
    }

    /// Reads what [`Self::put`] wrote, and the length of what is not shared.
    fn read(reader: &mut Reader<'_>) -> Option<(Self, usize)> {
        let mut number = || usize::try_from(reader.varint()?).ok();
        let (front, back, own) = (number()?, number()?, number()?);
        Some((Self { front, back }, own))
    }

    /// Puts a string together from the one before it.
    fn unite(&self, previous: &[u8], own: &[u8], out: &mut Vec<u8>) -> Option<()> {
        // The writer never shares a byte twice; a string would double with each entry.
        let both = self.front.checked_add(self.back)?;
        (both <= previous.len()).then_some(())?;
        out.clear();
        out.extend_from_slice(&previous[..self.front]);
        out.extend_from_slice(own);
        out.extend_from_slice(&previous[previous.len() - self.back..]);
        Some(())
    }
}

impl Builder {
    /// Adds an entry; keys ascend.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        if self.bytes.is_empty() {
            self.first_key = key.to_vec();
        }
        let shared = (Shared::of(&self.key, key), Shared::of(&self.value, value));
        shared.0.put(key, &mut self.bytes);
        shared.1.put(value, &mut self.bytes);
        self.bytes.extend_from_slice(shared.0.own(key));
        self.bytes.extend_from_slice(shared.1.own(value));
        self.key.clear();
        self.key.extend_from_slice(key);
        self.value.clear();
        self.value.extend_from_slice(value);
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
        self.key.clear();
        self.value.clear();
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
    value: Vec<u8>,
    spare: Vec<u8>,
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
        self.value.clear();
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
        let (key, own_key) = Shared::read(&mut reader)?;
        let (value, own_value) = Shared::read(&mut reader)?;
        let (own_key, own_value) = (reader.take(own_key)?, reader.take(own_value)?);
        key.unite(&self.key, own_key, &mut self.spare)?;
        std::mem::swap(&mut self.key, &mut self.spare);
        value.unite(&self.value, own_value, &mut self.spare)?;
        std::mem::swap(&mut self.value, &mut self.spare);
        self.at = self.body.len() - reader.rest().len();
        Some(true)
    }

    /// The key of the entry that the last [`Self::advance`] went to.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Its value.
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_whose_keys_double_is_malformed() {
        let mut entries = Entries::default();
        let body = entries.buffer();
        body.extend_from_slice(b"\x00\x00\x02\x00\x00\x00ab\x02\x02\x00\x00\x00\x00");
        let crc = put_checksum(body, 0);
        assert!(entries.check(crc));
        assert_eq!((entries.advance(), entries.key()), (Some(true), &b"ab"[..]));
        assert_eq!(entries.advance(), None);
    }

    #[test]
    fn what_neighbours_share_is_written_once() {
        let entries: Vec<(String, String)> = (0..50)
            .map(|i| (format!("{i:04}"), format!("name=m,le={},job=shop", i * i)))
            .collect();
        let mut builder = Builder::default();
        for (key, value) in &entries {
            builder.put(key.as_bytes(), value.as_bytes());
        }
        let mut read = Entries::default();
        let (_, crc) = builder.close(read.buffer());
        assert!(read.buffer().len() < 50 * 12, "{}", read.buffer().len());
        assert!(read.check(crc));
        for (key, value) in &entries {
            assert_eq!(read.advance(), Some(true));
            assert_eq!(
                (read.key(), read.value()),
                (key.as_bytes(), value.as_bytes())
            );
        }
        assert_eq!(read.advance(), Some(false));
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
