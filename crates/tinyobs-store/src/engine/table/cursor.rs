//! Cursor: a walk through one table, block by block.

use std::sync::Arc;

use super::Table;
use super::block::Entries;
use crate::error::StoreError;
use crate::files::ReadFile;

/// Stands on an entry, or at the end.
pub struct Cursor {
    table: Arc<Table>,
    file: Arc<dyn ReadFile>,
    /// The block after the one being read.
    next_block: usize,
    entries: Entries,
    /// Whether it stands on an entry.
    here: bool,
    /// Whether the last step met damage.
    failed: bool,
    /// The damaged block met last: whoever seeks into it again is told again.
    lost: Option<usize>,
}

impl Cursor {
    /// Stands before the first entry: [`Self::advance`] or [`Self::seek`] comes first.
    pub fn new(table: Arc<Table>) -> Result<Self, StoreError> {
        let file = table.file().inspect_err(|error| table.note(error))?;
        Ok(Self {
            table,
            file,
            next_block: 0,
            entries: Entries::default(),
            here: false,
            failed: false,
            lost: None,
        })
    }

    /// The entry it stands on.
    pub fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.here
            .then(|| (self.entries.key(), self.entries.value()))
    }

    /// Where the block that it stands in begins in the file.
    pub(crate) fn block_at(&self) -> u64 {
        let block = self.next_block.checked_sub(1);
        block.map_or(0, |block| self.table.extent(block).0)
    }

    /// Whether the last step met damage: one more [`Self::advance`] leads to what comes after it.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Goes to the next entry. After an error it stands behind the damaged block.
    pub fn advance(&mut self) -> Result<(), StoreError> {
        let stepped = self.step();
        self.failed = stepped.is_err();
        if let Err(error) = &stepped {
            self.table.note(error);
            self.lost = self.next_block.checked_sub(1);
        }
        stepped
    }

    fn step(&mut self) -> Result<(), StoreError> {
        self.here = false;
        loop {
            let block = self.next_block.checked_sub(1);
            match self.entries.advance() {
                Some(true) => {
                    self.here = true;
                    return Ok(());
                }
                Some(false) => {}
                None => {
                    self.entries = Entries::default();
                    return Err(self.table.malformed(block.unwrap_or(0)));
                }
            }
            if !self.load()? {
                return Ok(());
            }
        }
    }

    /// Goes forward to the first key that is not below `from`.
    pub fn seek(&mut self, from: &[u8]) -> Result<(), StoreError> {
        if self.here && self.entries.key() >= from {
            return Ok(());
        }
        let target = self.table.block_of(from);
        if target >= self.next_block || self.lost == Some(target) {
            self.next_block = target;
            self.entries = Entries::default();
        }
        self.advance()?;
        while self.here && self.entries.key() < from {
            self.advance()?;
        }
        Ok(())
    }

    /// Reads the next block; false when there is none.
    fn load(&mut self) -> Result<bool, StoreError> {
        if self.next_block >= self.table.blocks() {
            return Ok(false);
        }
        let block = self.next_block;
        self.next_block += 1;
        let buffer = self.entries.buffer();
        self.table
            .read_block(self.file.as_ref(), block, buffer)
            .inspect_err(|_| self.entries = Entries::default())?;
        if !self.entries.check(self.table.block_crc(block)) {
            return Err(self.table.unchecked(block));
        }
        Ok(true)
    }
}
