//! Control: what a query may take, and who can end it.

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

/// Ends a query early, from outside.
#[derive(Debug, Clone, Default)]
pub struct Control {
    deadline: Option<Instant>,
    cancelled: Arc<AtomicBool>,
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

    /// Ends the query of this control and of all its clones.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the query should go on.
    ///
    /// # Errors
    /// It should not.
    pub fn check(&self) -> Result<(), EvalError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(EvalError::Cancelled);
        }
        if self.deadline.is_some_and(|end| Instant::now() >= end) {
            return Err(EvalError::Timeout);
        }
        Ok(())
    }
}
