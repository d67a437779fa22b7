//! Budget: what one query may read.

use tinyobs_model::limits;

use crate::error::ApiError;
use crate::gate::Cancel;

/// What one query may read.
pub struct Budget<'a> {
    left: u64,
    cancel: &'a Cancel,
}

impl<'a> Budget<'a> {
    /// The budget of one query.
    pub fn new(cancel: &'a Cancel) -> Self {
        Self {
            left: limits::QUERY_SAMPLES,
            cancel,
        }
    }

    /// Takes a block's samples, or a stretch's rows, and stops when nobody waits any more.
    pub fn spend(&mut self, samples: usize) -> Result<(), ApiError> {
        self.cancel.check()?;
        let left = self.left.checked_sub(samples as u64);
        self.left = left.ok_or_else(|| {
            ApiError::too_much(format!(
                "the query would read more than {} samples; narrow the time or match[]",
                limits::QUERY_SAMPLES
            ))
        })?;
        Ok(())
    }
}
