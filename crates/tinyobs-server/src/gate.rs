//! Gate: how many requests may work at the store at once.
//!
//!   handler ─▶ [Gate::run] ─▶ blocking thread ─▶ store
//!   the next chunk of a body ─▶ [Gate::run_patient], who keeps others waiting ─▶ [Gate::run_ahead]
//!
//! I-GATE-1  The place is given back when the work ends, not when its client leaves: what runs is
//!           what is counted.
//! I-GATE-2  Whoever finds the queue full is told so, and when to come again. A push is told after a
//!           pause in which it holds nothing but its connection: a sender that does not heed
//!           `Retry-After` would otherwise have the server spend its time on saying no, which for
//!           small pushes costs more than half of what taking them does.
//! I-GATE-3  What has begun is not refused half-way: the further chunks of a body wait for as long
//!           as it takes. Their number is bounded by that of the connections.
//! Proved by: gate/tests.rs, stream/tests.rs, otlp/deltas/tests.rs, `cargo xtask overload`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

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
        let queued = self.queued();
        if let Err(error) = self.room(&queued) {
            // The body, and its share of the memory for bodies.
            drop((queued, work));
            tokio::time::sleep(self.refusal_pause).await;
            return Err(error);
        }
        let place = self.place(queued).await;
        self.work(Some(place), work).await
    }

    /// Like [`Gate::run`], and waits however full the queue is (I-GATE-3).
    pub async fn run_patient<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Cancel) -> Result<T, ApiError> + Send + 'static,
    {
        let place = self.place(self.queued()).await;
        self.work(Some(place), work).await
    }

    /// Like [`Gate::run`], and passes at once, beside those who have places. For work of which there
    /// is never more than one: it adds one to what runs.
    pub async fn run_ahead<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Cancel) -> Result<T, ApiError> + Send + 'static,
    {
        self.work(None, work).await
    }

    async fn work<T, F>(&self, place: Option<OwnedSemaphorePermit>, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Cancel) -> Result<T, ApiError> + Send + 'static,
    {
        let cancel = Cancel::default();
        let on_drop = SetOnDrop(cancel.clone());
        let work = tokio::task::spawn_blocking(move || {
            let _place = place;
            work(&cancel)
        });
        let result = work.await;
        drop(on_drop);
        joined(result)
    }

    fn queued(&self) -> Queued<'_> {
        Queued {
            before: self.waiting.fetch_add(1, Ordering::Relaxed),
            waiting: &self.waiting,
        }
    }

    /// I-GATE-2
    fn room(&self, queued: &Queued<'_>) -> Result<(), ApiError> {
        // Whoever finds a free place passes through the queue without waiting.
        if queued.before >= self.waiting_max && self.places.available_permits() == 0 {
            let message = format!("too many {} are waiting already", self.what);
            return Err(ApiError::unavailable(message));
        }
        Ok(())
    }

    async fn place(&self, _queued: Queued<'_>) -> OwnedSemaphorePermit {
        let places = Arc::clone(&self.places);
        places.acquire_owned().await.expect("never closed")
    }
}

/// What became of work on a thread of its own.
pub(crate) fn joined<T, E: From<ApiError>>(
    result: Result<Result<T, E>, JoinError>,
) -> Result<T, E> {
    match result {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            // The panic hook has reported it; the client gets the same answer as from any panic.
            Ok(panic) => std::panic::resume_unwind(panic),
            // It never began.
            Err(_) => Err(ApiError::unavailable("the server is stopping").into()),
        },
    }
}

struct Queued<'a> {
    /// Who were there already.
    before: usize,
    waiting: &'a AtomicUsize,
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
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
