//! MemoryEngine: for tests, and for runs that may forget.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Commit, Counters, Engine, Partition, Summary, Visit};
use crate::error::StoreError;

/// Sorted maps, one a partition.
#[derive(Debug, Default)]
pub struct MemoryEngine {
    state: RwLock<State>,
}

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Debug, Default)]
struct State {
    partitions: BTreeMap<Partition, (Entries, Summary)>,
    counters: Counters,
}

impl MemoryEngine {
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for MemoryEngine {
    fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let mut state = self.write();
        for (partition, load) in commit.loads {
            let (entries, summary) = state
                .partitions
                .entry(partition)
                .or_insert_with(|| (BTreeMap::new(), Summary::EMPTY));
            entries.extend(load.entries);
            *summary = summary.and(load.summary);
        }
        state.counters = commit.counters;
        Ok(())
    }

    fn scan(
        &self,
        partition: Partition,
        from: &[u8],
        to: &[u8],
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        let state = self.read();
        let Some((entries, _)) = state.partitions.get(&partition).filter(|_| from < to) else {
            return Ok(());
        };
        for (key, value) in entries.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to))) {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn partitions(&self) -> Vec<(Partition, Summary)> {
        self.read()
            .partitions
            .iter()
            .map(|(&key, (_, summary))| (key, *summary))
            .collect()
    }

    fn drop_partition(&self, partition: Partition) -> Result<(), StoreError> {
        self.write().partitions.remove(&partition);
        Ok(())
    }

    fn counters(&self) -> Counters {
        self.read().counters
    }

    fn footprint(&self) -> (u64, u64) {
        let state = self.read();
        let bytes = |entries: &Entries| {
            entries
                .iter()
                .map(|(key, value)| (key.len() + value.len()) as u64)
                .sum::<u64>()
        };
        let all = state
            .partitions
            .values()
            .map(|(entries, _)| bytes(entries))
            .sum();
        (state.partitions.len() as u64, all)
    }
}
