//! Signal: wakes a thread that waits for work, or ends it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Wakes a thread, or ends it.
#[derive(Default)]
pub(crate) struct Signal {
    state: Mutex<SignalState>,
    changed: Condvar,
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

    /// Waits to be woken, at most `timeout`; false when it is time to end.
    pub(crate) fn wait(&self, timeout: Duration, heed_raised: bool) -> bool {
        let idle = |state: &mut SignalState| !(state.stopped || heed_raised && state.raised);
        let (mut state, _) = self
            .changed
            .wait_timeout_while(self.lock(), timeout, idle)
            .unwrap_or_else(PoisonError::into_inner);
        if heed_raised {
            state.raised = false;
        }
        !state.stopped
    }

    fn lock(&self) -> MutexGuard<'_, SignalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
