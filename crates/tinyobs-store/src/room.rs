//! Room: whether writes are refused because there is no room for them, and since which error.
//!
//!   append ─▶ [Room::refused] │ [Room::kept]        health, metrics ─▶ [`Inner::refusing`]
//!
//! I-ROOM-1  From a write that was refused for want of room until one is kept, everybody who asks
//!           is told so, and the log says when it begins and when it ends, once each, and not more
//!           often than once a minute.
//! Proved by: room/tests.rs, tests/it/budget.rs of the server.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tinyobs_model::limits;

use crate::error::StoreError;
use crate::inner::{Inner, lock};

/// Lines of the log that say that it begins are so far apart at least: at the brink every other write
/// may be refused.
const SAY_EVERY: Duration = Duration::from_mins(1);

/// What is remembered from append to append.
#[derive(Default)]
pub(crate) struct Room {
    /// Asked by every append, so that the lock is not.
    is_refusing: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The refusal with which it began.
    first: Option<Refused>,
    /// When the log last said that it begins.
    said: Option<Instant>,
}

struct Refused {
    why: String,
    /// No room on the device: only a write can tell when there is some again. Of the others it is
    /// known.
    is_device: bool,
    /// Whether the log says so, and so has to say when it ends.
    is_said: bool,
}

impl Room {
    /// Notes that a write was refused for want of room.
    pub fn refused(&self, error: &StoreError) {
        let mut state = lock(&self.state);
        if state.first.is_some() {
            return;
        }
        let why = error.to_string();
        let is_said = state.said.is_none_or(|said| said.elapsed() >= SAY_EVERY);
        if is_said {
            state.said = Some(Instant::now());
            tracing::warn!("no room: writes are refused from now on: {why}");
        }
        state.first = Some(Refused {
            why,
            is_device: matches!(error, StoreError::Full { .. }),
            is_said,
        });
        self.is_refusing.store(true, Ordering::Release);
    }

    /// Notes that the reserve could be taken: there is that much room on the device.
    pub fn written(&self) {
        let is_device = |first: &Refused| first.is_device;
        if lock(&self.state).first.as_ref().is_some_and(is_device) {
            self.kept();
        }
    }

    /// Notes that something was kept.
    pub fn kept(&self) {
        if !self.is_refusing.load(Ordering::Acquire) {
            return;
        }
        let mut state = lock(&self.state);
        self.is_refusing.store(false, Ordering::Release);
        if state.first.take().is_some_and(|first| first.is_said) {
            tracing::info!("there is room again: writes are kept");
        }
    }
}

impl Inner {
    /// Why writes are refused for want of room, if they are (I-ROOM-1).
    pub(crate) fn refusing(&self) -> Option<String> {
        let (why, is_device) = {
            let state = lock(&self.room.state);
            let first = state.first.as_ref()?;
            (first.why.clone(), first.is_device)
        };
        let waits = self.writer().log.bytes() > limits::LOG_BYTES;
        if is_device || self.is_full() || waits {
            return Some(why);
        }
        self.room.kept();
        None
    }
}

#[cfg(test)]
mod tests;
