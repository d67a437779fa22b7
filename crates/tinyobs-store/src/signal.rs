//! Signal: wakes a thread that waits for work, or ends it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Wakes a thread, or ends it.
#[derive(Default)]
pub(crate) struct Signal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// There is work.
    Raised,
    /// The time is over.
    InTime,
    /// It is time to end.
    Stopped,
}

#[derive(Default)]
struct SignalState {
    raised: bool,
    stopped: bool,
}

impl Signal {
    /// Wakes the thread.
    pub(crate) fn raise(&self) {
        self.lock().raised = true;
        self.changed.notify_all();
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Waits to be woken, at most `timeout`.
    pub(crate) fn wait(&self, timeout: Duration, heed_raised: bool) -> Woken {
        let idle = |state: &mut SignalState| !(state.stopped || heed_raised && state.raised);
        let (mut state, _) = self
            .changed
            .wait_timeout_while(self.lock(), timeout, idle)
            .unwrap_or_else(PoisonError::into_inner);
        let raised = heed_raised && std::mem::take(&mut state.raised);
        match (state.stopped, raised) {
            (true, _) => Woken::Stopped,
            (_, true) => Woken::Raised,
            _ => Woken::InTime,
        }
    }

    fn lock(&self) -> MutexGuard<'_, SignalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
