//! Merged: several tables read as one.
//!
//! Tables are few, so the lowest key is found by looking at each: no heap.

use super::EntryReader;
use super::table::cursor::Cursor;
use crate::error::StoreError;

/// Entries of several tables, ascending by key; of equal keys the one of the newest table
/// (I-ENGINE-2).
pub struct Merged {
    /// The newest last.
    cursors: Vec<Cursor>,
    /// Whose entry was given out last.
    current: Option<usize>,
    begun: bool,
}

impl Merged {
    /// Over cursors that stand before their first entry, the newest table last.
    pub fn new(cursors: Vec<Cursor>) -> Self {
        Self {
            cursors,
            current: None,
            begun: false,
        }
    }

    /// The table whose key is lowest, and among equals the newest.
    fn lowest(&self) -> Option<usize> {
        let mut lowest: Option<(usize, &[u8])> = None;
        for (place, cursor) in self.cursors.iter().enumerate() {
            if let Some((key, _)) = cursor.entry()
                && lowest.is_none_or(|(_, low)| key <= low)
            {
                lowest = Some((place, key));
            }
        }
        lowest.map(|(place, _)| place)
    }

    /// Leaves the entry given out last, and its older namesakes; also the damage met last.
    fn leave(&mut self) -> Result<(), StoreError> {
        if !self.begun {
            self.begun = true;
            return self.each(Cursor::advance);
        }
        for cursor in self.cursors.iter_mut().filter(|cursor| cursor.has_failed()) {
            cursor.advance()?;
        }
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        let (older, newer) = self.cursors.split_at_mut(current);
        let mut outcome = Ok(());
        if let Some((key, _)) = newer[0].entry() {
            for cursor in older {
                if cursor.entry().is_some_and(|(other, _)| other == key) {
                    outcome = outcome.and(cursor.advance());
                }
            }
        }
        outcome.and(newer[0].advance())
    }

    /// Does it to each cursor, also after one has failed.
    fn each(
        &mut self,
        mut go: impl FnMut(&mut Cursor) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for cursor in &mut self.cursors {
            outcome = outcome.and(go(cursor));
        }
        outcome
    }
}

impl EntryReader for Merged {
    fn seek(&mut self, from: &[u8]) -> Result<(), StoreError> {
        // The entry given out last counts again: whoever looked too far comes back here.
        self.begun = true;
        self.current = None;
        self.each(|cursor| cursor.seek(from))
    }

    fn advance(&mut self) -> Result<(), StoreError> {
        self.leave()?;
        self.current = self.lowest();
        Ok(())
    }

    fn current(&self) -> Option<(&[u8], &[u8])> {
        self.cursors[self.current?].entry()
    }
}
