//! Lanes: how many PromQL queries work at once, so that light ones never wait for heavy ones.
//!
//!   request ─▶ light lane: read, weighed ─┬─ light ─▶ evaluated at once
//!                                         └─ heavy, or longer than it looked ─▶ heavy lane ─▶ …
//!
//! Every query begins in the light lane, where it is only read and weighed (`weigh.rs`): how many
//! series its selectors have, how many samples that is, and at how many moments each part of it is
//! evaluated. That takes far less than a millisecond. Whatever weighs more than
//! `limits::LIGHT_QUERY_WORK` then gives its place back and waits for one of the heavy lane. A guess
//! can be wrong, so a query whose thread has worked for `limits::LIGHT_QUERY_MS` steps aside as well,
//! in the middle of its work: its next question whether it may go on ([`Pace`]) is answered when there
//! is a place. What counts is the time that the thread had a core: on a busy machine the clock would
//! make heavy queries of light ones. The other ways of doing this were worse: a guess alone can be
//! fooled, and time alone has forty heavy queries take `LIGHT_QUERY_MS` each before a light one gets
//! its turn.
//!
//! There are as many heavy places as cores but one, and at least one: a core is always left.
//!
//! I-LANES-1  A query is in one lane at a time, and gives its place back when its work ends, however
//!            it ends.
//! I-LANES-2  Whoever finds a queue full is told so at once, and comes again.
//! I-LANES-3  Whoever waits leaves when its time is over or its client is gone.
//! I-LANES-4  A light query waits for nothing but other light ones, however many heavy ones there are.
//! Proved by: api/lanes/tests.rs, tests/it/api_bounds.rs.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use tinyobs_model::limits;
use tinyobs_promql::eval::control::Pace;
use tinyobs_promql::{Control, EvalError};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::failure::Failure;
use crate::gate::joined;
use crate::process;

/// Both lanes.
#[derive(Debug)]
pub struct Lanes {
    light: Lane,
    heavy: Lane,
    light_for: Duration,
}

/// Places and a queue.
#[derive(Debug)]
struct Lane {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    what: &'static str,
}

impl Default for Lanes {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let heavy = limits::HEAVY_QUERIES_AT_ONCE.min(cores - 1).max(1);
        Self {
            light: Lane::new(
                limits::LIGHT_QUERIES_AT_ONCE,
                limits::LIGHT_QUERIES_WAITING,
                "queries",
            ),
            heavy: Lane::new(heavy, limits::HEAVY_QUERIES_WAITING, "heavy queries"),
            light_for: Duration::from_millis(limits::LIGHT_QUERY_MS),
        }
    }
}

impl Lanes {
    /// Runs `work` on a thread where it may block. Dropping the future cancels it.
    pub async fn run<T, F>(self: &Arc<Self>, deadline: Instant, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Control, &Turn) -> Result<T, Failure> + Send + 'static,
    {
        let place = {
            let _queued = self.light.queue().map_err(EvalError::from)?;
            let place = Arc::clone(&self.light.places).acquire_owned();
            match tokio::time::timeout_at(deadline.into(), place).await {
                Ok(place) => place.expect("never closed"),
                Err(_) => return Err(EvalError::Timeout.into()),
            }
        };
        let turn = Arc::new(Turn::new(Arc::clone(self), place));
        let control = Control::new().with_deadline(deadline);
        let on_drop = CancelOnDrop(control.clone());
        let work = tokio::task::spawn_blocking(move || {
            turn.begin();
            let result = work(&control.with_pace(Arc::<Turn>::clone(&turn)), &turn);
            turn.end();
            result
        });
        let result = work.await;
        drop(on_drop);
        joined(result)
    }

    /// Queries that wait: light and heavy ones.
    pub fn waiting(&self) -> [usize; 2] {
        [&self.light, &self.heavy].map(|lane| lane.waiting.load(Ordering::Relaxed))
    }
}

impl Lane {
    fn new(places: usize, waiting_max: usize, what: &'static str) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            waiting: AtomicUsize::new(0),
            waiting_max,
            what,
        }
    }

    /// I-LANES-2
    fn queue(&self) -> Result<Queued<'_>, Busy> {
        let queued = Queued(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        // Whoever finds a free place passes through the queue without waiting.
        if before >= self.waiting_max && self.places.available_permits() == 0 {
            return Err(Busy(self.what));
        }
        Ok(queued)
    }
}

/// Too many wait already.
struct Busy(&'static str);

impl From<Busy> for EvalError {
    fn from(Busy(what): Busy) -> Self {
        Self::Busy {
            reason: format!("too many {what} are waiting already, ask again in a moment"),
        }
    }
}

/// In the queue until it is dropped.
struct Queued<'a>(&'a AtomicUsize);

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct CancelOnDrop(Control);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The place of one query, in one lane or the other.
pub struct Turn {
    lanes: Arc<Lanes>,
    runtime: Handle,
    since: Instant,
    /// The thread that began it, and what that had worked before.
    before: OnceLock<(ThreadId, Duration)>,
    /// Milliseconds after which somebody looks again how long it has worked.
    look_ms: AtomicU64,
    /// Asked far more often than the lock is worth.
    is_heavy: AtomicBool,
    place: Mutex<Place>,
}

#[derive(Default)]
struct Place {
    held: Option<OwnedSemaphorePermit>,
    /// How long it waited for the heavy lane.
    held_up: Duration,
}

impl Turn {
    fn new(lanes: Arc<Lanes>, place: OwnedSemaphorePermit) -> Self {
        Self {
            runtime: Handle::current(),
            since: Instant::now(),
            before: OnceLock::new(),
            // No thread works longer than there was time.
            look_ms: AtomicU64::new(millis(lanes.light_for)),
            lanes,
            is_heavy: AtomicBool::new(false),
            place: Mutex::new(Place {
                held: Some(place),
                held_up: Duration::ZERO,
            }),
        }
    }

    fn begin(&self) {
        let worked = process::thread_time().unwrap_or_default();
        let _ = self.before.set((thread::current().id(), worked));
    }

    /// How long this thread has worked on it; where the system does not say, how long ago it began.
    fn worked(&self) -> Duration {
        match (process::thread_time(), self.before.get()) {
            (Some(now), Some((id, before))) if *id == thread::current().id() => {
                now.saturating_sub(*before)
            }
            // A thread that was made for this query.
            (Some(now), _) => now,
            (None, _) => self.since.elapsed(),
        }
    }

    /// Goes over to the heavy lane and returns when there is a place.
    pub fn step_aside(&self, control: &Control) -> Result<(), EvalError> {
        // Other threads of the same query wait here for the first.
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_heavy.load(Ordering::Acquire) {
            return Ok(());
        }
        // I-LANES-1
        drop(place.held.take());
        let begun = Instant::now();
        let heavy = &self.lanes.heavy;
        let queued = heavy.queue()?;
        place.held = Some(self.runtime.block_on(wait(&heavy.places, control))?);
        drop(queued);
        place.held_up = begun.elapsed();
        self.is_heavy.store(true, Ordering::Release);
        Ok(())
    }

    /// How long it waited for the heavy lane, if it is in that.
    pub fn held_up(&self) -> Option<Duration> {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_heavy
            .load(Ordering::Acquire)
            .then_some(place.held_up)
    }

    fn end(&self) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        place.held = None;
    }
}

/// I-LANES-3
async fn wait(
    places: &Arc<Semaphore>,
    control: &Control,
) -> Result<OwnedSemaphorePermit, EvalError> {
    const LOOK: Duration = Duration::from_millis(20);
    let place = Arc::clone(places).acquire_owned();
    let mut place = std::pin::pin!(place);
    loop {
        match timeout(LOOK, place.as_mut()).await {
            Ok(place) => return Ok(place.expect("never closed")),
            Err(_) => control.check_end()?,
        }
    }
}

impl Pace for Turn {
    fn pass(&self, control: &Control) -> Result<(), EvalError> {
        const LOOK_MS: u64 = 20;
        if self.is_heavy.load(Ordering::Acquire) {
            return Ok(());
        }
        let elapsed_ms = millis(self.since.elapsed());
        if elapsed_ms < self.look_ms.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.look_ms.store(elapsed_ms + LOOK_MS, Ordering::Relaxed);
        if self.worked() < self.lanes.light_for {
            return Ok(());
        }
        self.step_aside(control)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
