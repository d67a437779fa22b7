//! Exact: where one series stands, found by its labels, for those who add to what is stored.
//!
//!   canonical labels ─▶ index ─▶ id ─▶ [`Store::newest`] ◀─ head, or else the engine's last chunk
//!
//! Whoever adds keeps others from adding to the same series until the new value is stored.
//! Proved by: exact/tests.rs.

use std::sync::Arc;

use tinyobs_model::{
    Columns, Labels, Sample, SelectError, SeriesCursor, TimeRange, is_stale_marker,
};

use crate::select::{Cursor, last_stored_ms};
use crate::store::Store;
use crate::wal::record::SeriesId;

impl Store {
    /// The newest time of the series with these canonical labels, and its newest value that is no
    /// stale marker; 0 when it never had one. None when nothing of it is stored as it was sent.
    ///
    /// # Errors
    /// Stored bytes cannot be read or are damaged.
    pub fn newest(&self, labels: &[u8]) -> Result<Option<Sample>, SelectError> {
        let Some((id, _)) = self.inner.index().find(labels) else {
            return Ok(None);
        };
        let Some(labels) = Labels::from_canonical(labels) else {
            return Ok(None);
        };
        // The head first: what a flush moves meanwhile is seen in the engine (I-SELECT-1).
        let in_head = self.inner.head.last(id);
        let stored_ms = if in_head.is_some_and(|last| last.time_ms >= self.inner.newest_stored_ms())
        {
            None
        } else {
            last_stored_ms(self.inner.engine.view().as_ref(), id)?
        };
        let last = match (in_head, stored_ms) {
            (Some(last), stored_ms) if stored_ms <= Some(last.time_ms) => Some(last),
            (_, Some(stored_ms)) => {
                self.last_in(id, &labels, TimeRange::new(stored_ms, i64::MAX), |_| true)?
            }
            (_, None) => in_head,
        };
        let Some(last) = last.filter(|last| is_stale_marker(last.value)) else {
            return Ok(last);
        };
        // Seldom: the series had ended, and comes back.
        let value = self.last_in(id, &labels, TimeRange::ALL, |sample| {
            !is_stale_marker(sample.value)
        })?;
        let value = value.map_or(0.0, |sample| sample.value);
        Ok(Some(Sample::new(last.time_ms, value)))
    }

    /// The value of this time of the series with these canonical labels, stale markers left out.
    ///
    /// # Errors
    /// As those of [`Self::newest`].
    pub fn value_at(&self, labels: &[u8], time_ms: i64) -> Result<Option<f64>, SelectError> {
        let found = self.inner.index().find(labels);
        let (Some((id, _)), Some(labels)) = (found, Labels::from_canonical(labels)) else {
            return Ok(None);
        };
        let is_wanted = |sample: &Sample| !is_stale_marker(sample.value);
        let range = TimeRange::new(time_ms, time_ms);
        let found = self.last_in(id, &labels, range, is_wanted)?;
        Ok(found.map(|sample| sample.value))
    }

    /// How many series a metric has.
    pub fn metric_series(&self, metric: &str) -> u64 {
        self.inner.index().metric_series(metric)
    }

    fn last_in(
        &self,
        id: SeriesId,
        labels: &Labels,
        range: TimeRange,
        is_wanted: impl Fn(&Sample) -> bool,
    ) -> Result<Option<Sample>, SelectError> {
        let (head, engine) = (Arc::clone(&self.inner.head), Arc::clone(&self.inner.engine));
        let mut cursor = Cursor::new(id, labels.clone(), range, head, engine);
        let mut block = Columns::default();
        let mut last = None;
        while cursor.next_block(&mut block)? {
            last = block
                .iter()
                .filter(|sample| is_wanted(sample))
                .last()
                .or(last);
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests;
