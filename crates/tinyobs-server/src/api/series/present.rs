//! Present: which series have data in a range of time.
//!
//!   matchers ─▶ index ─▶ series ─▶ is there a sample, or a summary of some?
//!
//! The index knows all series of a store, whenever they were. What it does not know is looked up in
//! the data, for one series after the other, unless the range covers all that is stored.
//!
//! Proved by: tests/it/api_series.rs.

use tinyobs_model::{Labels, Matcher, ResolvedCursor, SeriesSource, Stretch, TimeRange};
use tinyobs_store::Store;

use crate::api::failure::Failure;
use crate::gate::Cancel;

/// As coarse as can be: it is only asked whether there is anything.
const COARSE_MS: i64 = 3_600_000;

/// Which series have data in a range.
pub struct Present<'a> {
    store: &'a Store,
    range: TimeRange,
    /// The range covers everything, so that nothing needs to be looked up.
    is_all: bool,
    cancel: &'a Cancel,
}

/// Whether the series at hand has data in the range; looked up when it is called.
pub type HasData<'a> = &'a mut dyn FnMut() -> Result<bool, Failure>;

impl<'a> Present<'a> {
    /// Of `range`.
    pub fn new(store: &'a Store, range: TimeRange, cancel: &'a Cancel) -> Self {
        let stats = store.stats();
        let spaces = store.storage().spaces;
        // Summaries can be older than all samples, and be left when those are gone.
        let oldest = spaces.iter().filter_map(|space| space.oldest_ms);
        let newest = spaces.iter().filter_map(|space| space.newest_ms);
        let oldest_ms = oldest.chain(stats.oldest_ms).min();
        let newest_ms = newest.chain(stats.newest_ms).max();
        let is_all = oldest_ms.is_none_or(|oldest| range.start_ms <= oldest)
            && newest_ms.is_none_or(|newest| newest <= range.end_ms);
        Self {
            store,
            range,
            is_all,
            cancel,
        }
    }

    /// Calls `each` with every series of the selection until it wants no more.
    pub fn each(
        &self,
        selection: &[Vec<Matcher>],
        each: &mut dyn FnMut(&Labels, HasData<'_>) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        if self.range.is_empty() {
            return Ok(());
        }
        let mut stretch = Stretch::default();
        for matchers in selection {
            let cursors = self
                .store
                .select_resolved(matchers, self.range, COARSE_MS)?;
            for mut cursor in cursors {
                self.cancel.check()?;
                let labels = cursor.labels().clone();
                let mut has_data = || self.has_data(cursor.as_mut(), &mut stretch);
                if !each(&labels, &mut has_data)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// I-SERIES-1
    fn has_data(
        &self,
        cursor: &mut dyn ResolvedCursor,
        stretch: &mut Stretch,
    ) -> Result<bool, Failure> {
        if self.is_all {
            return Ok(true);
        }
        while cursor.next_stretch(stretch)? {
            if !stretch.samples.is_empty() || !stretch.rollups.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
