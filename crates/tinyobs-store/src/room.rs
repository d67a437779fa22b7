//! Room: whether writes are refused because there is no room for them, and since which error.
//!
//!   append ─▶ [Room::refused] │ [Room::kept]        health, metrics ─▶ [`Inner::refusing`]
//!
//! I-ROOM-1  From a write that was refused for want of room until one is kept, everybody who asks
//!           is told so, and the log says when it begins and when it ends, once each.
//! Proved by: room/tests.rs, tests/it/full.rs of the server.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tinyobs_model::limits;

use crate::error::StoreError;
use crate::inner::{Inner, lock};

/// What is remembered from append to append.
#[derive(Default)]
pub(crate) struct Room {
    /// Asked by every append, so that the lock is not.
    is_refusing: AtomicBool,
    first: Mutex<Option<Refused>>,
}

/// The refusal with which it began.
struct Refused {
    why: String,
    /// No room on the device: only a write can tell when there is some again. Of the others it is
    /// known.
    is_device: bool,
}

impl Room {
    /// Notes that a write was refused for want of room.
    pub fn refused(&self, error: &StoreError) {
        let mut first = lock(&self.first);
        if first.is_none() {
            let why = error.to_string();
            tracing::warn!("no room: writes are refused from now on: {why}");
            let is_device = matches!(error, StoreError::Full { .. });
            *first = Some(Refused { why, is_device });
            self.is_refusing.store(true, Ordering::Release);
        }
    }

    /// Notes that the reserve could be taken: there is that much room on the device.
    pub fn written(&self) {
        if lock(&self.first)
            .as_ref()
            .is_some_and(|first| first.is_device)
        {
            self.kept();
        }
    }

    /// Notes that something was kept.
    pub fn kept(&self) {
        if self.is_refusing.load(Ordering::Acquire) && lock(&self.first).take().is_some() {
            self.is_refusing.store(false, Ordering::Release);
            tracing::info!("there is room again: writes are kept");
        }
    }
}

impl Inner {
    /// Why writes are refused for want of room, if they are (I-ROOM-1).
    pub(crate) fn refusing(&self) -> Option<String> {
        let (why, is_device) = {
            let first = lock(&self.room.first);
            let first = first.as_ref()?;
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
