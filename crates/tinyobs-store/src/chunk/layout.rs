//! Layout: where a chunk's bytes go, for readers who want to see.

use super::{Chunk, ints};
use crate::bytes::Reader;

/// What the columns of a chunk take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of the times.
    pub times_bytes: u64,
    /// Bytes of the values.
    pub values_bytes: u64,
    /// How the values are encoded.
    pub encoding: String,
}

impl Chunk<'_> {
    /// What its columns take; none when they are malformed.
    pub fn layout(&self) -> Option<Layout> {
        let mut reader = Reader::new(self.body);
        let mut times = Vec::new();
        ints::decode(&mut reader, self.count, &mut times)?;
        let values = reader.rest();
        Some(Layout {
            times_bytes: (self.body.len() - values.len()) as u64,
            values_bytes: values.len() as u64,
            encoding: super::values::encoding_name(*values.first()?),
        })
    }
}
