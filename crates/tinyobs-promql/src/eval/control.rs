//! Control: what a query may take, and who can end it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tinyobs_model::limits;

use super::error::EvalError;

/// What one query may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Samples that it may read, all selectors together.
    pub samples: u64,
    /// Bytes that its values may take at once.
    pub bytes: u64,
    /// Moments at which any part of it may be evaluated.
    pub steps: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            samples: limits::QUERY_SAMPLES,
            bytes: limits::QUERY_VALUE_BYTES,
            steps: limits::QUERY_STEPS,
        }
    }
}

/// Whom a query asks now and then whether it may go on just so. An answer may take its time: that is
/// how a query is made to wait while others work. Any thread of the query may ask.
pub trait Pace: Send + Sync {
    /// Returns when the query may go on; `control` says whether it is still worth waiting.
    ///
    /// # Errors
    /// It may not.
    fn pass(&self, control: &Control) -> Result<(), EvalError>;
}

/// Ends a query early, from outside, or holds it up.
#[derive(Clone, Default)]
pub struct Control {
    deadline: Option<Instant>,
    cancelled: Arc<AtomicBool>,
    pace: Option<Arc<dyn Pace>>,
}

impl Control {
    /// A query without a deadline, which [`Control::cancel`] ends.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a moment at which it ends.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same for a query that asks `pace` whether it may go on.
    #[must_use]
    pub fn with_pace(mut self, pace: Arc<dyn Pace>) -> Self {
        self.pace = Some(pace);
        self
    }

    /// Ends the query of this control and of all its clones.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the query should go on; waits for its pace.
    ///
    /// # Errors
    /// It should not.
    pub fn check(&self) -> Result<(), EvalError> {
        self.check_end()?;
        match &self.pace {
            Some(pace) => pace.pass(self),
            None => Ok(()),
        }
    }

    /// Whether it was cancelled or its time is over, without waiting for anything.
    ///
    /// # Errors
    /// It was, or it is.
    pub fn check_end(&self) -> Result<(), EvalError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(EvalError::Cancelled);
        }
        if self.deadline.is_some_and(|end| Instant::now() >= end) {
            return Err(EvalError::Timeout);
        }
        Ok(())
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("deadline", &self.deadline)
            .field("cancelled", &self.cancelled)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
