//! Notices: the few lines that the SDK says to a person.
//!
//! They go to the `log` facade when the host has a logger, else to standard error. What happens
//! again and again (a server that is away) is said once in ten minutes; what is wrong in the host's
//! code (a bad label, a name of two kinds) once for ever, and a hundred times in all.
//!
//! I-NOTICE-1  No lock of this crate is held while a notice is written: a host's logger may well
//!             count its own lines through this SDK.
//! I-NOTICE-2  Nothing here panics, not even with a closed standard error (`eprintln!` would), and
//!             nothing grows.
//! Proved by: tests/resources.rs, the tests below.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::clock::now_ms;
use crate::limits::{NOTICE_EVERY, NOTICES_ONCE};

/// What a recurring notice is about. Each topic is limited on its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Topic {
    /// A push failed.
    Delivery,
    /// The server refused items.
    Refused,
    /// Values could not be sent.
    Skipped,
    /// The client is gone and something was not delivered.
    Stopped,
}

const TOPICS: usize = Topic::Stopped as usize + 1;
const NEVER: i64 = i64::MIN;

/// What was heard, and when.
#[derive(Debug)]
pub(crate) struct Notices {
    heard_ms: [AtomicI64; TOPICS],
    /// Hashes of what is said only once.
    told: Mutex<HashSet<u64>>,
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            heard_ms: [const { AtomicI64::new(NEVER) }; TOPICS],
            told: Mutex::default(),
        }
    }
}

impl Notices {
    /// Says `message` unless the topic was heard a short time ago; returns whether it was said.
    pub(crate) fn say(&self, topic: Topic, message: impl FnOnce() -> String) -> bool {
        let may_speak = self.may_speak(topic, now_ms());
        if may_speak {
            write(&message());
        }
        may_speak
    }

    /// Takes back the worry of a topic that was said before.
    pub(crate) fn relieve(message: &str) {
        write(message);
    }

    /// Says `message` unless it was said before.
    pub(crate) fn once(&self, message: &str) {
        if self.is_new(message) {
            write(message);
        }
    }

    fn may_speak(&self, topic: Topic, now_ms: i64) -> bool {
        let heard_ms = &self.heard_ms[topic as usize];
        let before = heard_ms.load(Relaxed);
        let silence_ms = NOTICE_EVERY.as_millis() as i64;
        let due = before == NEVER || now_ms.saturating_sub(before) >= silence_ms;
        // Of two threads that come at once, one speaks.
        due && heard_ms
            .compare_exchange(before, now_ms, Relaxed, Relaxed)
            .is_ok()
    }

    fn is_new(&self, message: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        message.hash(&mut hasher);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < NOTICES_ONCE && told.insert(hasher.finish())
    }
}

fn write(message: &str) {
    if log::log_enabled!(target: "tinyobs", log::Level::Warn) {
        log::warn!(target: "tinyobs", "{message}");
    } else if log::max_level() == log::LevelFilter::Off {
        let _ = writeln!(std::io::stderr(), "tinyobs: {message}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_silent_for_ten_minutes() {
        let notices = Notices::default();
        assert!(notices.may_speak(Topic::Delivery, 1_000));
        assert!(!notices.may_speak(Topic::Delivery, 600_999));
        assert!(notices.may_speak(Topic::Refused, 600_999));
        assert!(notices.may_speak(Topic::Delivery, 601_000));
        assert!(!notices.may_speak(Topic::Delivery, 601_001));
    }

    #[test]
    fn i_notice_2_mistakes_are_told_once_and_not_without_end() {
        let notices = Notices::default();
        assert!(notices.is_new("a"));
        assert!(!notices.is_new("a"));
        let told = (0..1_000).filter(|i| notices.is_new(&i.to_string()));
        assert_eq!(told.count(), NOTICES_ONCE - 1);
        assert!(notices.told.lock().unwrap().len() <= NOTICES_ONCE);
    }
}
