//! Groups: what was pushed as to a Pushgateway, kept and sampled again until it is deleted.
//!
//!   [`pushgateway`](crate::pushgateway) ─▶ [Groups::push] ─▶ store, then memory, then [`file`]
//!   [`background`](crate::background) ─▶ [Groups::tick] ─▶ store
//!
//! A batch job pushes once and is gone; its values stay. So each group is sampled again every
//! minute, and ends, with stale markers, when it is deleted or its time-to-live is over.
//!
//! I-GROUP-1  A push that was answered with success is in the file: a restart knows it.
//! I-GROUP-2  A series that a push leaves out, or that goes with its group, ends with a stale marker
//!            at that time, and no later sample of the group follows it.
//! I-GROUP-3  What all groups take is bounded before it is taken: `limits::PUSHED_GROUPS`,
//!            `limits::PUSHED_BYTES`.
//! I-GROUP-4  What the store refuses is in no group.
//! I-GROUP-5  A series is in one family of its group, the one that was pushed last: in two, an old
//!            value would be sampled again beside the new one.
//! Proved by: groups/tests.rs, tests/it/pushgateway.rs, tests/process/pushgateway.rs.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use tinyobs_model::{Refused, WriteBatch, limits};
use tinyobs_store::{Store, StoreError};
use tinyobs_wire::families::Page;

use crate::error::ApiError;

pub mod file;
mod group;
mod listing;

use file::FileError;
pub use group::{Group, Options};

/// A group's labels, `job` among them, by name.
pub type Key = Vec<(String, String)>;

/// Bytes that a group takes, roughly: its name stands there, and in each of its three own series.
fn bytes_of(key: &Key, group: &Group) -> usize {
    let name: usize = key
        .iter()
        .map(|(name, value)| name.len() + value.len() + 48)
        .sum();
    4 * name + group.bytes()
}

/// Every group.
#[derive(Debug, Default)]
pub struct Groups {
    // Held while the store appends: samples of a group never overtake each other (I-GROUP-2).
    state: Mutex<State>,
    /// None when everything is kept in memory only.
    path: Option<PathBuf>,
    /// The newest state that stands in the file.
    written: Mutex<u64>,
}

#[derive(Debug, Default)]
struct State {
    groups: BTreeMap<Key, Group>,
    /// Of all groups.
    bytes: usize,
    /// Counts changes.
    version: u64,
    /// The newest moment that anything was written at.
    last_ms: i64,
}

/// A clock that is set back by more than this is believed.
const SET_BACK_MS: i64 = 60_000;

/// What became of a push to a group.
#[derive(Debug)]
pub struct Pushed {
    /// Samples stored.
    pub stored: u64,
    /// Series that were not, by line.
    pub refused: Vec<Refused>,
}

/// Why a push to a group failed; the first two are the sender's.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// I-GROUP-3
    #[error("there are {limit} groups already; delete some, or push with ?ttl=1h")]
    TooMany {
        /// The bound that was reached.
        limit: usize,
    },
    /// I-GROUP-3
    #[error("all groups together would take more than {limit} bytes; delete some")]
    TooLarge {
        /// The bound that was reached.
        limit: usize,
    },
    /// The store does not keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The samples are stored, the group is not in the file.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<GroupError> for ApiError {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::TooMany { .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()).retry_after(60)
            }
            GroupError::TooLarge { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
            }
            GroupError::Store(error) => error.into(),
            GroupError::File(error) => {
                tracing::error!(%error, "groups could not be written");
                let message = format!("{error}; make room there, and push again");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, message).retry_after(5)
            }
        }
    }
}

impl Groups {
    /// The groups that stand in `dir`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(dir: &Path) -> Result<Self, FileError> {
        let path = dir.join(file::NAME);
        let groups = file::read(&path)?;
        let bytes = groups.iter().map(|(key, group)| bytes_of(key, group)).sum();
        let state = State {
            groups,
            bytes,
            version: 0,
            last_ms: i64::MIN / 2,
        };
        Ok(Self {
            state: Mutex::new(state),
            path: Some(path),
            written: Mutex::new(0),
        })
    }

    /// Stores a page and makes it the group's content, or, unless `replace`, its families in
    /// place of those of the same names.
    ///
    /// # Errors
    /// There is no room for it, or it cannot be kept.
    pub fn push(
        &self,
        store: &Store,
        key: &Key,
        page: Page,
        replace: bool,
        options: Options,
        now_ms: i64,
    ) -> Result<Pushed, GroupError> {
        let mut state = self.lock();
        let now_ms = state.moment(now_ms);
        let old = state.groups.get(key);
        let mut next = match old {
            Some(old) if !replace => old.clone(),
            Some(old) => old.emptied(),
            None => Group::new(),
        };
        next.pushed(options, now_ms);
        let mut refused = page.refused;
        if !refused.is_empty() {
            next.failed_ms = now_ms;
        }
        let taken: HashSet<String> = page.families.iter().map(|one| one.name.clone()).collect();
        next.take(page.families);
        state.check_room(key, &next)?;
        let mut batch = WriteBatch::new();
        next.write_taken(&mut batch, &taken, now_ms);
        next.write_own(&mut batch, key, now_ms);
        if let Some(old) = old {
            old.write_ends(&mut batch, &next, now_ms);
        }
        let appended = store.append(&batch)?;
        // I-GROUP-4
        refused.extend(next.without_refused(&taken, appended.refused, now_ms));
        refused.sort_by_key(|one| one.item);
        state.insert(key, next);
        self.persist(state)?;
        Ok(Pushed {
            stored: appended.stored,
            refused,
        })
    }

    /// Notes that a push failed. With `make`, of a group that is not there as well.
    ///
    /// # Errors
    /// There is no room for it, or it cannot be kept.
    pub fn failed(
        &self,
        store: &Store,
        key: &Key,
        make: bool,
        options: Options,
        now_ms: i64,
    ) -> Result<(), GroupError> {
        let mut state = self.lock();
        let now_ms = state.moment(now_ms);
        let mut next = match state.groups.get(key) {
            Some(old) => old.clone(),
            None if make => Group::new(),
            None => return Ok(()),
        };
        next.failed_ms = now_ms;
        if next.pushed_ms == 0 {
            next.options = options;
        }
        state.check_room(key, &next)?;
        let mut batch = WriteBatch::new();
        next.write_times(&mut batch, key, now_ms);
        store.append(&batch)?;
        state.insert(key, next);
        self.persist(state)
    }

    /// Ends a group; nothing happens when it is not there.
    ///
    /// # Errors
    /// It cannot be kept that it has ended.
    pub fn delete(&self, store: &Store, key: &Key, now_ms: i64) -> Result<(), GroupError> {
        let mut state = self.lock();
        let now_ms = state.moment(now_ms);
        let Some(old) = state.groups.get(key) else {
            // It may be gone from memory only, when writing failed before.
            return self.persist(state);
        };
        let mut batch = WriteBatch::new();
        old.write_end(&mut batch, key, now_ms);
        store.append(&batch)?;
        state.remove(key);
        self.persist(state)
    }

    /// Samples the groups whose minute is over, and ends those whose time-to-live is.
    ///
    /// # Errors
    /// It cannot be kept; the next tick tries again.
    pub fn tick(&self, store: &Store, now_ms: i64) -> Result<(), GroupError> {
        let mut state = self.lock();
        let now_ms = state.moment(now_ms);
        let mut batch = WriteBatch::new();
        let mut ended = Vec::new();
        for (key, group) in &state.groups {
            if group.is_expired(now_ms) {
                group.write_end(&mut batch, key, now_ms);
                ended.push(key.clone());
            } else if group.is_due(now_ms) {
                group.write_all(&mut batch, now_ms);
                group.write_own(&mut batch, key, now_ms);
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        store.append(&batch)?;
        for group in state.groups.values_mut() {
            if group.is_due(now_ms) {
                group.sampled(now_ms);
            }
        }
        if ended.is_empty() {
            return Ok(());
        }
        for key in &ended {
            state.remove(key);
        }
        self.persist(state)
    }

    /// All of them as their file has them; none when there are none.
    pub fn text(&self) -> Option<String> {
        let state = self.lock();
        (!state.groups.is_empty()).then(|| file::render(&state.groups))
    }

    /// All of them as the Pushgateway lists them, in JSON.
    pub fn listing(&self) -> Vec<u8> {
        listing::render(&self.lock().groups)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().groups.len()
    }

    /// Writes the newest state, unless somebody who came later has done so already: whoever waits
    /// here while another writes is usually served by one write for all (I-GROUP-1).
    fn persist(&self, state: MutexGuard<'_, State>) -> Result<(), GroupError> {
        let mine = state.version;
        drop(state);
        let Some(path) = &self.path else {
            return Ok(());
        };
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if *written >= mine {
            return Ok(());
        }
        let (version, text) = {
            let state = self.lock();
            (state.version, file::render(&state.groups))
        };
        file::write(path, &text)?;
        *written = version;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A state is changed by one assignment: nothing in here can be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// I-GROUP-3
    /// When what is written now is written: requests read the clock before they wait for their turn,
    /// and an end must not stand before what it ends (I-GROUP-2).
    fn moment(&mut self, now_ms: i64) -> i64 {
        if self.last_ms - now_ms < SET_BACK_MS {
            self.last_ms = self.last_ms.max(now_ms);
        } else {
            self.last_ms = now_ms;
        }
        self.last_ms
    }

    fn check_room(&self, key: &Key, next: &Group) -> Result<(), GroupError> {
        let old = self.groups.get(key);
        if old.is_none() && self.groups.len() >= limits::PUSHED_GROUPS {
            let limit = limits::PUSHED_GROUPS;
            return Err(GroupError::TooMany { limit });
        }
        let bytes = self.bytes - old.map_or(0, |old| bytes_of(key, old)) + bytes_of(key, next);
        if bytes > limits::PUSHED_BYTES {
            let limit = limits::PUSHED_BYTES;
            return Err(GroupError::TooLarge { limit });
        }
        Ok(())
    }

    fn insert(&mut self, key: &Key, next: Group) {
        self.version += 1;
        self.bytes += bytes_of(key, &next);
        if let Some(old) = self.groups.insert(key.clone(), next) {
            self.bytes -= bytes_of(key, &old);
        }
    }

    fn remove(&mut self, key: &Key) {
        self.version += 1;
        if let Some(old) = self.groups.remove(key) {
            self.bytes -= bytes_of(key, &old);
        }
    }
}

#[cfg(test)]
mod tests;
