//! Error: why a query has no answer.
//!
//!   evaluation ─▶ [EvalError] ─▶ 422, 503: `errorType` and message

use tinyobs_model::SelectError;

use crate::span::Span;

/// A query has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The deadline passed.
    #[error("the query took longer than it may, ask for less time or fewer series")]
    Timeout,
    /// Whoever asked has left.
    #[error("the query was cancelled")]
    Cancelled,
    /// Too many others are at work; a [`Pace`](super::control::Pace) says so.
    #[error("{reason}")]
    Busy {
        /// What to do.
        reason: String,
    },
    /// More was read than allowed.
    #[error("the query reads more than {most} samples, ask for less time or fewer series")]
    TooManySamples {
        /// The bound.
        most: u64,
    },
    /// More would have been held than allowed.
    #[error(
        "the query needs more than {most} bytes for its values, ask for less time, fewer series or \
         a larger step"
    )]
    TooManyBytes {
        /// The bound.
        most: u64,
    },
    /// The query itself cannot be answered so.
    #[error("{reason}")]
    BadQuery {
        /// What to ask instead.
        reason: String,
    },
    /// Series or parameters do not fit together.
    #[error("{reason}")]
    Execution {
        /// Where in the query.
        span: Span,
        /// What does not fit.
        reason: String,
    },
    /// Samples were dropped by retention again and again while they were read.
    #[error("samples were dropped while the query read them, ask again")]
    Moved,
    /// Stored samples cannot be read.
    #[error(transparent)]
    Storage(#[from] SelectError),
}

impl EvalError {
    /// Something does not fit at `span`.
    pub(crate) fn execution(span: Span, reason: impl Into<String>) -> Self {
        Self::Execution {
            span,
            reason: reason.into(),
        }
    }

    /// The place in the query, where there is one.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Execution { span, .. } => Some(*span),
            _ => None,
        }
    }
}
