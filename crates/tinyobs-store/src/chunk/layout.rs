//! Layout: where a chunk's bytes go, for readers who want to see.

use super::{Chunk, ints, values};
use crate::bytes::Reader;

/// What the columns of a chunk take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of the times.
    pub times_bytes: u64,
    /// How they are encoded.
    pub times: String,
    /// Bytes of the values.
    pub values_bytes: u64,
    /// How they are encoded.
    pub values: String,
}

impl Chunk<'_> {
    /// What its columns take; none when they are malformed.
    pub fn layout(&self) -> Option<Layout> {
        let mut reader = Reader::new(self.body);
        let mut times = Vec::new();
        ints::decode(&mut reader, self.count, &mut times)?;
        let of_values = reader.rest();
        Some(Layout {
            times_bytes: (self.body.len() - of_values.len()) as u64,
            times: ints::describe(*self.body.first()?),
            values_bytes: of_values.len() as u64,
            values: values::describe(&mut Reader::new(of_values))?,
        })
    }
}
