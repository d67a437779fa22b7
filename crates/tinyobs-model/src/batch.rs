//! WriteBatch: samples on their way into a store, as columns over one arena of labels.
//!
//!   decoder ─▶ [WriteBatch] ─▶ store::append
//!
//! I-BATCH-1  A row that [`Row::is_checked`] has canonical labels that obey every rule: it came by
//!            [`WriteBatch::push`], which takes a [`LabelsBuilder`]. The labels of others are as they
//!            travelled: who knows these very bytes knows the series, everybody else checks them.
//! I-BATCH-2  A large batch grows to what a request may hold and no further: a vector that doubles
//!            takes three times what is in it while it is moved.
//! I-BATCH-3  Of a batch that [`WriteBatch::is_loose`] a sample is refused for its time alone; of
//!            others it takes its item with it, as a bucket does its histogram.
//! Proved by: batch/tests.rs and the store's tests; the second by tests/memory.rs of the wire crate.

use std::ops::Range;

use crate::kind::Kind;
use crate::labels::LabelsBuilder;
use crate::limits;
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
    labels: Range<u32>,
    checked: bool,
}

impl Row {
    /// Whether its labels are canonical and obey every rule (I-BATCH-1).
    pub fn is_checked(&self) -> bool {
        self.checked
    }

    /// Whether its labels are the very bytes that the other one's are: both of one batch.
    pub fn shares_labels(&self, other: &Self) -> bool {
        self.labels == other.labels
    }
}

/// Bytes from which a batch is a large one.
const LARGE_BYTES: usize = 16 << 20;
/// More than the labels of one series that obey every rule can take.
const SERIES_BYTES: usize = 512 << 10;

/// Room for `more` in a vector that holds some MiB (I-BATCH-2); before, it may double as it likes.
pub fn grow<T>(vec: &mut Vec<T>, more: usize) {
    let most = limits::BATCH_BYTES / size_of::<T>();
    let is_large = vec.capacity() * size_of::<T>() >= LARGE_BYTES;
    if is_large && vec.capacity() - vec.len() < more {
        let doubled = vec.len().min(most.saturating_sub(vec.len()));
        vec.reserve_exact(doubled.max(more));
    }
}

/// Samples on their way into a store.
#[derive(Debug, Default)]
pub struct WriteBatch {
    arena: Vec<u8>,
    rows: Vec<Row>,
    metadata: Vec<(String, String, String)>,
    kinds: Vec<(String, Kind)>,
    is_loose: bool,
}

impl WriteBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes that label ranges are in. A decoder may put a body here, whose rows it pushes
    /// unchecked.
    pub fn arena(&mut self) -> &mut Vec<u8> {
        &mut self.arena
    }

    /// The rows from place `first` on.
    pub fn rows_from(&mut self, first: usize) -> &mut [Row] {
        &mut self.rows[first..]
    }

    /// Gives the rows from place `first` on, which are not checked, other labels.
    pub fn relabel(&mut self, first: usize, labels: &Range<usize>) {
        for row in &mut self.rows[first..] {
            debug_assert!(!row.checked, "I-BATCH-1");
            row.labels = narrow(labels);
        }
    }

    /// Room for so many more samples.
    pub fn reserve(&mut self, samples: usize) {
        self.rows.reserve(samples);
    }

    /// Adds one sample whose labels stand at `labels` of [`Self::arena`], as remote write 1.0 has
    /// them, and are not checked.
    pub fn push_unchecked(
        &mut self,
        item: u32,
        labels: Range<usize>,
        kind: Kind,
        sample: Sample,
        start_ms: Option<i64>,
    ) {
        self.rows.push(Row {
            item,
            kind,
            sample,
            start_ms,
            labels: narrow(&labels),
            checked: false,
        });
    }

    /// Forgets the rows but keeps the memory; the arena stays as it is, for whoever fills it next.
    pub fn recycle(&mut self) {
        self.rows.clear();
        self.metadata.clear();
        self.kinds.clear();
        self.is_loose = false;
    }

    /// Says that an item is a series, whose samples are refused for their times one by one
    /// (I-BATCH-3). Said once a batch, so that it costs nothing a sample.
    pub fn set_loose(&mut self) {
        self.is_loose = true;
    }

    /// Whether the samples of an item are refused for their times one by one.
    pub fn is_loose(&self) -> bool {
        self.is_loose
    }

    /// Bytes of memory that it holds.
    pub fn memory_bytes(&self) -> usize {
        self.arena.capacity() + self.rows.capacity() * size_of::<Row>()
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
        grow(&mut self.arena, SERIES_BYTES);
        grow(&mut self.rows, 1);
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
            labels: narrow(&labels),
            checked: true,
        });
        Ok(())
    }

    /// Adds another sample of the series that was pushed last, such as its stale marker.
    pub fn push_same_series(&mut self, sample: Sample) {
        if let Some(last) = self.rows.last() {
            let row = Row {
                sample,
                start_ms: None,
                ..last.clone()
            };
            grow(&mut self.rows, 1);
            self.rows.push(row);
        }
    }

    /// Takes the rows from place `rows` on out again, where an item's later part is refused.
    pub fn truncate(&mut self, rows: usize) {
        self.rows.truncate(rows);
        let labels_end = self.rows.last().map_or(0, |row| row.labels.end);
        self.arena.truncate(labels_end as usize);
    }

    /// Adds a sample of the series that was pushed last as an item of its own: it is stored or refused
    /// whatever becomes of the one before it.
    pub fn push_next(&mut self, item: u32, sample: Sample) {
        self.push_same_series(sample);
        if let Some(last) = self.rows.last_mut() {
            last.item = item;
        }
    }

    /// Forgets everything but keeps the memory.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.recycle();
    }

    /// Notes help and unit of a metric name. Its kind travels with the rows.
    pub fn describe(&mut self, name: &str, unit: &str, help: &str) {
        self.metadata
            .push((name.to_owned(), unit.to_owned(), help.to_owned()));
    }

    /// Notes the kind of a metric name whose rows do not carry one.
    pub fn set_kind(&mut self, name: String, kind: Kind) {
        self.kinds.push((name, kind));
    }

    /// (name, kind) of each metric whose rows do not carry one.
    pub fn kinds(&self) -> &[(String, Kind)] {
        &self.kinds
    }

    /// The samples, in the order they were pushed.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The labels of `row`, which must be of this batch: canonical if they are checked.
    pub fn labels(&self, row: &Row) -> &[u8] {
        &self.arena[row.labels.start as usize..row.labels.end as usize]
    }

    /// (name, unit, help) of each described metric.
    pub fn metadata(&self) -> &[(String, String, String)] {
        &self.metadata
    }

    /// Samples in the batch.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is neither a sample in it nor anything about a metric.
    pub fn says_nothing(&self) -> bool {
        self.rows.is_empty() && self.metadata.is_empty() && self.kinds.is_empty()
    }

    /// Whether there is no sample in it.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

fn narrow(range: &Range<usize>) -> Range<u32> {
    let place = |at| u32::try_from(at).expect("a batch is bounded far below 4 GiB");
    place(range.start)..place(range.end)
}

#[cfg(test)]
mod tests;
