//! Retention: what is too old goes, and series of which nothing is left are forgotten.
//!
//!   now − retention ─▶ partitions that end before ─▶ dropped as a whole ─▶ [Inner::expire]
//!
//! I-RETENTION-1  Raw goes only when it stands in rollups.
//! I-RETENTION-2  A series is forgotten only when no partition and not the head holds anything of it,
//!                and nobody is about to write to it.
//! I-RETENTION-3  Its number is never given out again. When it comes back it is a new series.
//! I-RETENTION-4  A date that jumps ahead drops nothing until it has stayed there for a while.
//! Proved by: retention/tests.rs, tests/model.rs.

use std::collections::HashSet;

use tinyobs_model::Resolution;

use crate::engine::{EntryReader, Partition, PartitionInfo, Pick, Space, key};
use crate::error::StoreError;
use crate::inner::{Inner, lock};
use crate::merge::Catalogue;
use crate::wal::record::SeriesId;

/// A date this far ahead of where it should be has jumped.
const JUMP_MS: i64 = 3_600_000;
/// It is believed when it is still there after so long; a machine that slept is not waiting longer.
const DOUBT_MS: i64 = 30 * 60_000;

/// Whether the date is what it should be (I-RETENTION-4).
pub(crate) struct Calendar {
    /// How far the date was ahead of the time elapsed when it was last believed.
    offset_ms: i64,
    /// When, in elapsed time, the doubt began, and the offset then.
    doubt: Option<(i64, i64)>,
}

impl Calendar {
    /// Begins with a date that is believed.
    pub fn new(now_ms: i64, elapsed_ms: i64) -> Self {
        Self {
            offset_ms: now_ms.saturating_sub(elapsed_ms),
            doubt: None,
        }
    }

    /// The date, or what it should be while it is not believed.
    pub fn believed_ms(&self, now_ms: i64, elapsed_ms: i64) -> i64 {
        let should_ms = self.offset_ms.saturating_add(elapsed_ms);
        if now_ms.saturating_sub(should_ms) <= JUMP_MS {
            now_ms
        } else {
            should_ms
        }
    }

    fn believe(&mut self, now_ms: i64, elapsed_ms: i64) -> bool {
        let offset_ms = now_ms.saturating_sub(elapsed_ms);
        let is_same = |doubted_ms: i64| offset_ms.abs_diff(doubted_ms) <= JUMP_MS as u64;
        let stayed = |(since_ms, doubted_ms): (i64, i64)| {
            is_same(doubted_ms) && elapsed_ms.saturating_sub(since_ms) >= DOUBT_MS
        };
        let is_near = offset_ms.saturating_sub(self.offset_ms) <= JUMP_MS;
        if is_near || self.doubt.is_some_and(stayed) {
            (self.offset_ms, self.doubt) = (offset_ms, None);
            return true;
        }
        if !self
            .doubt
            .is_some_and(|(_, doubted_ms)| is_same(doubted_ms))
        {
            self.doubt = Some((elapsed_ms, offset_ms));
        }
        false
    }
}

impl Inner {
    /// Drops what is older than its retention, and returns how many partitions went.
    pub(crate) fn retain(&self) -> Result<u64, StoreError> {
        let now_ms = self.options.clock.now_ms();
        let believed = lock(&self.calendar).believe(now_ms, self.options.clock.elapsed_ms());
        if !believed {
            tracing::warn!(
                now_ms,
                "the date has jumped ahead; nothing is dropped by its age yet"
            );
            return Ok(0);
        }
        let view = self.engine.view();
        let rolled = view.counters().rolled;
        let is_old = |partition: &Partition, kept_ms: i64| {
            kept_ms > 0 && partition.end_ms() <= now_ms.saturating_sub(kept_ms)
        };
        // I-RETENTION-1.
        let is_rolled = |(partition, info): &(Partition, PartitionInfo)| {
            partition.space != Space::Raw || info.summary.sequence <= rolled
        };
        let mut old: Vec<Partition> = Vec::new();
        for resolution in Resolution::ALL {
            let kept_ms = self.options.retention.of(resolution);
            let space = Space::of(resolution);
            let of_space = view.partitions().into_iter();
            let of_space = of_space.filter(|(partition, _)| partition.space == space);
            // The oldest first, and none behind one that stays: a mark would pass over that.
            let old_ones = of_space.take_while(|one| is_old(&one.0, kept_ms) && is_rolled(one));
            old.extend(old_ones.map(|(partition, _)| partition));
        }
        if !old.is_empty() {
            self.drop_partitions(&old)?;
            tracing::info!(
                partitions = old.len(),
                "dropped what is older than its retention"
            );
        }
        Ok(old.len() as u64)
    }

    /// The date that decides what is old (I-RETENTION-4).
    pub(crate) fn believed_now_ms(&self) -> i64 {
        let clock = &self.options.clock;
        lock(&self.calendar).believed_ms(clock.now_ms(), clock.elapsed_ms())
    }

    /// The time before which nothing is kept in any resolution, or would not be.
    pub(crate) fn expired_before_ms(&self) -> i64 {
        let now_ms = self.believed_now_ms();
        let dropped_ms = self.engine.view().counters().dropped_ms;
        let before = |resolution: Resolution| {
            let kept_ms = self.options.retention.of(resolution);
            let by_age = match kept_ms {
                0 => i64::MIN,
                kept_ms => now_ms.saturating_sub(kept_ms),
            };
            by_age.max(dropped_ms[resolution as usize])
        };
        Resolution::ALL
            .map(before)
            .into_iter()
            .min()
            .unwrap_or(i64::MIN)
    }

    /// The time from which on raw samples are kept.
    pub(crate) fn raw_kept_from_ms(&self) -> i64 {
        let dropped_ms = self.engine.view().counters().dropped_ms[Resolution::Raw as usize];
        match self.options.retention.raw_ms {
            0 => dropped_ms,
            kept_ms => {
                let now_ms = self.believed_now_ms();
                now_ms.saturating_sub(kept_ms).max(dropped_ms)
            }
        }
    }

    /// Forgets series of which nothing is left, and returns how many.
    pub(crate) fn expire(&self) -> Result<u64, StoreError> {
        let view = self.engine.view();
        let mut gone: HashSet<SeriesId> = self.index().ids().collect();
        gone.retain(|&id| !self.head.holds(id));
        let spaces = view.partitions().into_iter().rev();
        for (partition, _) in spaces.filter(|(partition, _)| partition.space != Space::Catalogue) {
            if gone.is_empty() {
                break;
            }
            let struck = match view.reader(partition, 0) {
                Ok(mut reader) => strike_out(reader.as_mut(), &mut gone),
                Err(error) => Err(error),
            };
            match struck {
                // Nobody knows what a damaged table, or block, holds.
                Err(StoreError::Corrupt { .. }) => return Ok(0),
                other => other?,
            }
        }
        let (gone, metrics) = self.forget_series(gone);
        let expired = gone.len() as u64;
        self.watch.expired(expired);
        // Those of an earlier time whose rewrite failed, or was cut off by the process' end, too.
        let mut obsolete = lock(&self.obsolete);
        obsolete.extend(gone);
        if obsolete.is_empty() {
            return Ok(0);
        }
        let sequence = self
            .engine
            .view()
            .counters()
            .next_sequence
            .saturating_sub(1);
        let mut rewrite = Catalogue::new(&obsolete, &metrics, sequence);
        let rewritten =
            self.engine
                .merge(Partition::CATALOGUE, Pick::Rewrite, &mut rewrite, &|| true);
        match rewritten {
            // A damaged catalogue stays as it is: it has been reported, and the rest goes on. Their
            // definitions are taken out when it can be rewritten.
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(%error, "series that are forgotten stay in the catalogue");
            }
            other => {
                other?;
                obsolete.clear();
                tracing::info!(series = expired, "forgot series of which nothing is left");
            }
        }
        Ok(expired)
    }

    /// Takes series out of the index, but for those that have been written to meanwhile
    /// (I-RETENTION-2). From now on the same labels are a new series.
    /// Returns them, and the metrics that have no series any more.
    fn forget_series(&self, mut gone: HashSet<SeriesId>) -> (HashSet<SeriesId>, HashSet<String>) {
        let mut writer = self.writer();
        let unsaved: HashSet<SeriesId> = writer.unsaved_series.iter().map(|(id, _)| *id).collect();
        gone.retain(|id| !unsaved.contains(id) && !self.head.holds(*id));
        let mut metrics = HashSet::new();
        if !gone.is_empty() {
            writer.expiries += 1;
            let mut index = self.index_mut();
            let labels = gone.iter().filter_map(|id| index.labels(*id));
            metrics.extend(labels.map(|labels| labels.metric_name().to_owned()));
            index.remove(&gone);
            metrics.retain(|name| !index.has_metric(name));
            for &id in &gone {
                self.head.forget_series(id);
            }
        }
        (gone, metrics)
    }
}

/// Takes the series that a partition holds out of `gone`.
fn strike_out(
    reader: &mut dyn EntryReader,
    gone: &mut HashSet<SeriesId>,
) -> Result<(), StoreError> {
    // From candidate to candidate, so that the chunks of all others are not looked at one by one.
    let mut candidates: Vec<SeriesId> = gone.iter().copied().collect();
    candidates.sort_unstable();
    for id in candidates {
        reader.seek(&key::chunk_key(id, i64::MIN, 0))?;
        let Some((found, _)) = reader.next()? else {
            return Ok(());
        };
        if key::chunk_series(found) == Some(id) {
            gone.remove(&id);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
