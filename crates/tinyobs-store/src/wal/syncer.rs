//! Syncer: when the log's bytes reach the device, and who waits for it.
//!
//!   append ─▶ wrote(position) … wait_durable(position) ◀─ one fsync serves all who wait
//!
//! I-SYNC-1  `wait_durable` returns only after a sync that began after the position was written.
//! I-SYNC-2  After one failed sync every call fails: see I-ERROR-1.
//!
//! A condition variable instead of a queue: whoever comes while a sync runs waits for the next
//! one, and that next one covers all of them. That is group commit in three lines.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::StoreError;
use crate::files::SyncFile;
use crate::options::Durability;

/// A place in the log, counted in bytes since the process started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(u64);

/// In `interval` mode the device lags at most this far behind.
const INTERVAL: Duration = Duration::from_secs(1);

/// Brings the log's bytes to the device.
pub struct Syncer {
    durability: Durability,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The newest segment, once there is one.
    file: Option<(Arc<dyn SyncFile>, PathBuf)>,
    written: u64,
    synced: u64,
    syncing: bool,
    syncs: u64,
    failed: Option<String>,
    stopped: bool,
}

impl Syncer {
    /// A syncer that has nothing to do before [`Self::follow`].
    pub fn new(durability: Durability) -> Self {
        let state = State {
            file: None,
            written: 0,
            synced: 0,
            syncing: false,
            syncs: 0,
            failed: None,
            stopped: false,
        };
        Self {
            durability,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// An error once a sync has failed.
    pub fn check(&self) -> Result<(), StoreError> {
        self.lock().check()
    }

    /// Syncs done so far.
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// Notes that `bytes` more are with the operating system.
    pub fn wrote(&self, bytes: u64) -> Position {
        let mut state = self.lock();
        state.written += bytes;
        Position(state.written)
    }

    /// In `sync` mode, waits until everything up to `position` is on the device.
    pub fn wait_durable(&self, position: Position) -> Result<(), StoreError> {
        match self.durability {
            Durability::Interval => Ok(()),
            Durability::Sync => self.sync_up_to(position),
        }
    }

    /// Syncs everything written so far.
    pub fn sync_now(&self) -> Result<(), StoreError> {
        let position = Position(self.lock().written);
        self.sync_up_to(position)
    }

    /// From now on syncs go to a new segment's file; the old one must have been synced.
    pub fn follow(&self, file: Box<dyn SyncFile>, path: PathBuf) {
        let mut state = self.lock();
        state.file = Some((file.into(), path));
        state.synced = state.written;
    }

    /// Syncs once a second until [`Self::stop`]; the body of a thread. In `sync` mode there is
    /// hardly ever anything left to do.
    pub fn run(&self) {
        let mut state = self.lock();
        while !state.stopped {
            if state.written > state.synced && !state.syncing && state.failed.is_none() {
                state = self.sync_once(state);
            }
            (state, _) = self
                .changed
                .wait_timeout_while(state, INTERVAL, |state| !state.stopped)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends [`Self::run`].
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    fn sync_up_to(&self, Position(position): Position) -> Result<(), StoreError> {
        let mut state = self.lock();
        loop {
            state.check()?;
            if state.synced >= position {
                return Ok(());
            }
            state = if state.syncing {
                self.changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner)
            } else {
                self.sync_once(state)
            };
        }
    }

    /// One sync, without the lock while the device works.
    fn sync_once<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let covered = state.written;
        let Some((file, path)) = state.file.clone() else {
            // Without a segment nothing was written.
            state.synced = covered;
            return state;
        };
        state.syncing = true;
        drop(state);
        let result = file.sync();
        let mut state = self.lock();
        state.syncing = false;
        state.syncs += 1;
        match result {
            Ok(()) => state.synced = state.synced.max(covered),
            Err(error) => {
                let path = path.display();
                state.failed = Some(format!("fsync of {path} failed: {error}"));
            }
        }
        self.changed.notify_all();
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self) -> Result<(), StoreError> {
        match &self.failed {
            Some(reason) => Err(StoreError::Fatal {
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }
}
