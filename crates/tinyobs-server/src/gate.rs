//! Gate: how many requests may work at the store at once.
//!
//!   handler ─▶ [Gate::run] ─▶ blocking thread ─▶ store
//!
//! I-GATE-1  The place is given back when the work ends, not when its client leaves: what runs is
//!           what is counted.
//! I-GATE-2  Whoever finds the queue full is told so, and when to come again. A push is told after a
//!           pause in which it holds nothing but its connection: a sender that does not heed
//!           `Retry-After` would otherwise have the server spend its time on saying no, which for
//!           small pushes costs more than half of what taking them does.
//! Proved by: gate/tests.rs, `cargo xtask overload`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::error::ApiError;

/// A bounded number of places, and a bounded queue before them.
pub struct Gate {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    what: &'static str,
    refusal_pause: Duration,
}

/// Set when nobody waits for the answer any more.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// An error once the client has left or the time is up.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.0.load(Ordering::Relaxed) {
            return Err(ApiError::unavailable("the client left before the answer"));
        }
        Ok(())
    }
}

#[cfg(test)]
impl Cancel {
    /// For tests of what a cancelled request does.
    pub fn cancelled() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Gate {
    /// `places` at once, `waiting_max` in the queue; `what` names them to clients.
    pub fn new(places: usize, waiting_max: usize, what: &'static str) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            waiting: AtomicUsize::new(0),
            waiting_max,
            what,
            refusal_pause: Duration::ZERO,
        }
    }

    /// Has whoever finds the queue full wait for so long before it is told.
    pub fn refusing_after(mut self, pause: Duration) -> Self {
        self.refusal_pause = pause;
        self
    }

    /// Requests in the queue.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Runs `work` on a thread where it may block. Dropping the future cancels `work`.
    pub async fn run<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Cancel) -> Result<T, ApiError> + Send + 'static,
    {
        let place = match self.queue() {
            Ok(_queued) => {
                let places = Arc::clone(&self.places);
                places.acquire_owned().await.expect("never closed")
            }
            Err(error) => {
                // The body, and its share of the memory for bodies.
                drop(work);
                tokio::time::sleep(self.refusal_pause).await;
                return Err(error);
            }
        };
        let cancel = Cancel::default();
        let on_drop = SetOnDrop(cancel.clone());
        let work = tokio::task::spawn_blocking(move || {
            let _place = place;
            work(&cancel)
        });
        let result = work.await;
        drop(on_drop);
        match result {
            Ok(result) => result,
            // The panic hook has reported it; the client gets the same answer as from any panic.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn queue(&self) -> Result<Queued<'_>, ApiError> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let queued = Queued(&self.waiting);
        // Whoever finds a free place passes through the queue without waiting.
        if before >= self.waiting_max && self.places.available_permits() == 0 {
            let message = format!("too many {} are waiting already", self.what);
            return Err(ApiError::unavailable(message));
        }
        Ok(queued)
    }
}

struct Queued<'a>(&'a AtomicUsize);

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct SetOnDrop(Cancel);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
