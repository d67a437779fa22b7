//! WriteBatch: samples on their way into a store, as columns over one arena of labels.
//!
//!   decoder ─▶ [WriteBatch] ─▶ store::append
//!
//! I-BATCH-1  Every row's label range holds canonical bytes: [`WriteBatch::push`] is the only way
//!            in, and it takes a [`LabelsBuilder`] that has checked the rules.
//! Proved by: batch/tests.rs.

use std::ops::Range;

use crate::kind::Kind;
use crate::labels::LabelsBuilder;
use crate::refusal::Refused;
use crate::sample::Sample;

/// One sample of a batch.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which item of the request it came from, for error reports.
    pub item: u32,
    /// What its numbers mean.
    pub kind: Kind,
    /// The sample.
    pub sample: Sample,
    /// When the series began at 0, in milliseconds; only for cumulative kinds.
    pub start_ms: Option<i64>,
    labels: Range<usize>,
}

/// Samples on their way into a store.
#[derive(Debug, Default)]
pub struct WriteBatch {
    arena: Vec<u8>,
    rows: Vec<Row>,
    metadata: Vec<(String, String, String)>,
}

impl WriteBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one sample. A series named by several rows in a row is stored once per row.
    ///
    /// # Errors
    /// The labels break a rule; the batch is as before.
    pub fn push(
        &mut self,
        item: u32,
        labels: &mut LabelsBuilder<'_>,
        kind: Kind,
        sample: Sample,
        start_ms: Option<i64>,
    ) -> Result<(), Refused> {
        let from = self.arena.len();
        labels
            .write_canonical(&mut self.arena)
            .map_err(|(rule, message)| {
                self.arena.truncate(from);
                Refused {
                    item,
                    rule,
                    message,
                }
            })?;
        let labels = from..self.arena.len();
        self.rows.push(Row {
            item,
            kind,
            sample,
            start_ms,
            labels,
        });
        Ok(())
    }

    /// Adds another sample of the series that was pushed last, such as its stale marker.
    pub fn push_same_series(&mut self, sample: Sample) {
        if let Some(last) = self.rows.last() {
            self.rows.push(Row {
                sample,
                start_ms: None,
                ..last.clone()
            });
        }
    }

    /// Takes the rows from place `rows` on out again, where an item's later part is refused.
    pub fn truncate(&mut self, rows: usize) {
        self.rows.truncate(rows);
        let labels_end = self.rows.last().map_or(0, |row| row.labels.end);
        self.arena.truncate(labels_end);
    }

    /// Notes help and unit of a metric name. Its kind travels with the rows.
    pub fn describe(&mut self, name: &str, unit: &str, help: &str) {
        self.metadata
            .push((name.to_owned(), unit.to_owned(), help.to_owned()));
    }

    /// The samples, in the order they were pushed.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The canonical labels of `row`, which must be of this batch.
    pub fn labels(&self, row: &Row) -> &[u8] {
        &self.arena[row.labels.clone()]
    }

    /// (name, unit, help) of each described metric.
    pub fn metadata(&self) -> &[(String, String, String)] {
        &self.metadata
    }

    /// Samples in the batch.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no sample in it.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests;
