//! Control: how callers and the flush thread talk.
//!
//!   flush(), stop() ─▶ [Control] ◀─▶ flusher thread
//!
//! A caller takes a ticket and waits until a snapshot taken after it is delivered. The thread looks
//! here before each request and during each wait, so a new ticket ends a back-off at once.
//!
//! I-CONTROL-1  No caller waits longer than its deadline, whatever the thread or the server does.
//! I-CONTROL-2  A request of an older push that is still under way after half of a caller's time
//!              is interrupted: a server that never answers cannot eat the last push's deadline.
//! I-CONTROL-3  Once the thread has ended, for whatever reason, callers return at once.
//! Proved by: tests/it/lifetime.rs.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::Agent;

use crate::limits::{REQUEST_TIMEOUT, WAIT_LONGEST};
use crate::report::Report;

/// The shortest time in which an answer can be hoped for.
const TOO_LATE: Duration = Duration::from_millis(20);

#[derive(Debug, Default)]
pub(crate) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Tickets handed out.
    requested: u64,
    /// The newest ticket that a snapshot was taken for.
    started: u64,
    /// The newest ticket whose snapshot is settled: each series delivered or refused.
    settled: u64,
    /// Until when the last caller waits.
    deadline: Option<Instant>,
    /// Whether the next snapshot is the last, and until when it may take.
    stop: Option<Instant>,
    ended: bool,
    /// The request under way: the ticket of its snapshot, and what interrupts it.
    request: Option<(u64, Agent)>,
    /// How the push of ticket `started` stands.
    report: Report,
    /// How that of ticket `settled` came out.
    settled_report: Report,
}

/// One push to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    ticket: u64,
    /// Whether a caller waits for it, so failures of the past do not matter.
    pub(crate) fresh: bool,
    /// Whether it is the last one.
    pub(crate) last: bool,
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try the same snapshot again.
    Retry,
    /// Take a newer snapshot, or end.
    GiveUp,
}

/// For the callers.
impl Control {
    /// Has a snapshot pushed and waits until `timeout` for it; `series` is what there is to send.
    pub(crate) fn push(&self, timeout: Duration, last: bool, series: usize) -> Report {
        let timeout = timeout.min(WAIT_LONGEST);
        let begin = Instant::now();
        let deadline = begin + timeout;
        let mut interrupt_at = Some(begin + timeout / 2);
        let mut state = self.lock();
        let ticket = state.request_push(deadline, last);
        self.changed.notify_all();
        while !state.ended && state.settled < ticket {
            let now = Instant::now();
            if interrupt_at.is_some_and(|at| now >= at) {
                interrupt_at = None;
                state.interrupt(|of_ticket| of_ticket < ticket);
            }
            if now >= deadline {
                return state.out_of_time(ticket, timeout, series);
            }
            let until = interrupt_at.unwrap_or(deadline);
            let left = until.saturating_duration_since(now);
            state = self.wait(state, left);
        }
        if state.settled < ticket.min(state.requested) {
            return state.unsettled(ticket, series);
        }
        // Not `report`: a later push may be under way by now.
        state.settled_report.clone()
    }

    /// Whether somebody stopped it already.
    pub(crate) fn is_stopped(&self) -> bool {
        let state = self.lock();
        state.ended || state.stop.is_some()
    }

    /// Whether the thread is gone.
    pub(crate) fn is_ended(&self) -> bool {
        self.lock().ended
    }
}

/// For the thread.
impl Control {
    /// Waits until `tick`, or until a caller comes.
    pub(crate) fn next_work(&self, tick: Instant) -> Work {
        let mut state = self.lock();
        loop {
            let fresh = state.requested > state.started;
            let left = tick.saturating_duration_since(Instant::now());
            if fresh || state.stop.is_some() || left.is_zero() {
                state.started = state.requested;
                return Work {
                    ticket: state.requested,
                    fresh,
                    last: state.stop.is_some(),
                };
            }
            state = self.wait(state, left);
        }
    }

    /// Whether the next request of this push is still wanted.
    pub(crate) fn wants(&self, work: Work) -> bool {
        match self.lock().stop {
            Some(stop) => work.last && Instant::now() < stop,
            None => true,
        }
    }

    /// Announces a request, and says how long it may take.
    pub(crate) fn begin_request(&self, work: Work, interrupter: Agent) -> Duration {
        let mut state = self.lock();
        state.request = Some((work.ticket, interrupter));
        let now = Instant::now();
        state
            .deadline
            .filter(|deadline| *deadline > now)
            .map_or(REQUEST_TIMEOUT, |deadline| {
                REQUEST_TIMEOUT.min(deadline - now)
            })
    }

    /// Ends the request; true when it was interrupted.
    pub(crate) fn end_request(&self) -> bool {
        self.lock().request.take().is_none()
    }

    /// Shows how the push stands.
    pub(crate) fn show(&self, report: &Report) {
        self.lock().report = report.clone();
    }

    /// The push is settled.
    pub(crate) fn settle(&self, work: Work, report: &Report) {
        let mut state = self.lock();
        state.report = report.clone();
        state.settled_report = report.clone();
        state.settled = work.ticket;
        if state.requested == work.ticket {
            state.deadline = None;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits before a retry. From `superseded_at` on, a newer snapshot is as good.
    pub(crate) fn before_retry(&self, work: Work, delay: Duration, superseded_at: Instant) -> Next {
        let retry_at = Instant::now() + delay;
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            if state.requested != work.ticket || state.stop.is_some() != work.last {
                return Next::GiveUp;
            }
            let until = match state.stop {
                Some(stop) if stop.saturating_duration_since(now) < TOO_LATE => {
                    return Next::GiveUp;
                }
                // There is no later push to hope for: try again while half of the time is left,
                // however long the server asked to wait.
                Some(stop) => retry_at.min(now + (stop - now) / 2),
                None => retry_at,
            };
            state = self.wait(state, until.saturating_duration_since(now));
            if state.requested == work.ticket && Instant::now() >= until {
                let superseded = !work.last && Instant::now() >= superseded_at;
                return if superseded {
                    Next::GiveUp
                } else {
                    Next::Retry
                };
            }
        }
    }

    /// The thread is gone: nobody waits any longer.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.request = None;
        if state.settled < state.requested {
            let error = &mut state.report.last_error;
            error.get_or_insert_with(|| "the flush thread has ended".to_owned());
        }
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, left: Duration) -> MutexGuard<'a, State> {
        self.changed
            .wait_timeout(state, left)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

impl State {
    fn request_push(&mut self, deadline: Instant, last: bool) -> u64 {
        if self.ended || self.stop.is_some() {
            // The last snapshot is on its way or gone; wait for its end.
            return u64::MAX;
        }
        self.requested += 1;
        self.deadline = self.deadline.max(Some(deadline));
        if last {
            self.stop = Some(deadline);
            self.deadline = Some(deadline);
        }
        self.requested
    }

    /// Makes the request under way fail at once, if it is one of those.
    fn interrupt(&mut self, which: impl Fn(u64) -> bool) {
        if let Some((_, agent)) = self.request.take_if(|(ticket, _)| which(*ticket)) {
            agent.shutdown();
        }
    }

    /// How the push of a ticket stands that is not settled.
    fn unsettled(&self, ticket: u64, series: usize) -> Report {
        let mut report = self.report.clone();
        if self.started < ticket.min(self.requested) {
            // The thread did not come to it at all.
            report.series_delivered = 0;
            report.series_undelivered = series as u64;
        }
        report
    }

    fn out_of_time(&mut self, ticket: u64, timeout: Duration, series: usize) -> Report {
        if self.stop.is_some() {
            // The thread must not outlive the stop by a request's timeout.
            self.interrupt(|_| true);
        }
        let mut report = self.unsettled(ticket, series);
        report
            .last_error
            .get_or_insert_with(|| format!("no answer within {timeout:?}"));
        report
    }
}
