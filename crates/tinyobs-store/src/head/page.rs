//! Page: the heads of neighbours, series whose ids follow one another, side by side in memory.
//!
//!   id ─▶ page (id / 64) ─▶ place (id % 64) ─▶ [SeriesHead]
//!
//! Series that were made one after another tend to be pushed one after another. Side by side, the
//! processor has fetched the next one before it is asked for; spread over a map of single series,
//! waiting for memory was a fifth of what a push costs (docs/PERFORMANCE.md).
//!
//! I-PAGE-1  A page of which no series has samples takes no room for heads, only for newest times.
//! Proved by: head/tests.rs.

use super::series::SeriesHead;
use crate::wal::record::SeriesId;

/// Series on a page.
pub const NEIGHBOURS: u64 = 64;

/// The heads of neighbours.
pub struct Page {
    /// By place; empty when none has samples (I-PAGE-1).
    heads: Vec<SeriesHead>,
    /// The newest time of series that have none here any more, by place; `i64::MIN` is none.
    gone_ms: [i64; NEIGHBOURS as usize],
}

/// The number of the page that a series is on.
pub fn page_of(id: SeriesId) -> u64 {
    id / NEIGHBOURS
}

fn place(id: SeriesId) -> usize {
    (id % NEIGHBOURS) as usize
}

impl Default for Page {
    fn default() -> Self {
        Self {
            heads: Vec::new(),
            gone_ms: [i64::MIN; NEIGHBOURS as usize],
        }
    }
}

impl Page {
    /// The head of a series, if it holds samples.
    pub fn head(&self, id: SeriesId) -> Option<&SeriesHead> {
        self.heads.get(place(id)).filter(|head| !head.is_empty())
    }

    /// The head of a series, to be written.
    #[inline]
    pub fn head_mut(&mut self, id: SeriesId) -> &mut SeriesHead {
        if self.heads.is_empty() {
            self.heads.reserve_exact(NEIGHBOURS as usize);
            self.heads
                .resize_with(NEIGHBOURS as usize, SeriesHead::default);
        }
        &mut self.heads[place(id)]
    }

    /// All heads, with the places of their series.
    pub fn heads_mut(&mut self) -> impl Iterator<Item = (u64, &mut SeriesHead)> {
        (0..).zip(&mut self.heads)
    }

    /// The newest time of a series that has no samples here any more; `i64::MIN` is none.
    pub fn gone_ms(&mut self, id: SeriesId) -> &mut i64 {
        &mut self.gone_ms[place(id)]
    }

    /// The newest time of a series, whether it has samples here or not.
    pub fn newest_ms(&self, id: SeriesId) -> i64 {
        let here = self.head(id).and_then(SeriesHead::last);
        let gone_ms = self.gone_ms[place(id)];
        here.map_or(gone_ms, |last| last.time_ms.max(gone_ms))
    }

    /// After a head has become empty: gives its room back, if it was the last one (I-PAGE-1).
    pub fn shrink(&mut self) {
        if self.heads.iter().all(SeriesHead::is_empty) {
            self.heads = Vec::new();
        }
    }

    /// Whether nothing at all is known here.
    pub fn is_blank(&self) -> bool {
        self.heads.is_empty() && self.gone_ms.iter().all(|&ms| ms == i64::MIN)
    }

    /// Whether it takes room for heads.
    #[cfg(test)]
    pub fn has_heads(&self) -> bool {
        !self.heads.is_empty()
    }
}
