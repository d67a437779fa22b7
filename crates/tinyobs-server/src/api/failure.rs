//! Failure: an answer of the API that is none: `{"status":"error","errorType":…,"error":…}`.
//!
//! I-FAILURE-1  The status is the one that Prometheus gives this `errorType`.
//! Proved by: api/failure/tests.rs, tests/it/api.rs.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tinyobs_model::SelectError;
use tinyobs_promql::{EvalError, ParseError, Span};

use crate::error::ApiError;
use crate::json;

/// Why there is no answer.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    /// Where in the query, in bytes.
    span: Option<Span>,
}

/// The sorts of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A parameter is wrong.
    BadData,
    /// The query cannot be answered so.
    Execution,
    /// It took too long.
    Timeout,
    /// Nobody waits for it any more.
    Canceled,
    /// Not now.
    Unavailable,
    /// There is no such thing.
    NotFound,
    /// Our own fault.
    Internal,
}

impl Kind {
    /// As `errorType` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadData => "bad_data",
            Self::Execution => "execution",
            Self::Timeout => "timeout",
            Self::Canceled => "canceled",
            Self::Unavailable => "unavailable",
            Self::NotFound => "not_found",
            Self::Internal => "internal",
        }
    }

    /// I-FAILURE-1
    pub fn status(self) -> StatusCode {
        match self {
            Self::BadData => StatusCode::BAD_REQUEST,
            Self::Execution => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Timeout | Self::Canceled | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Failure {
    /// A failure of this sort.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            span: None,
        }
    }

    /// The parameter `name` is wrong.
    pub fn parameter(name: &str, reason: impl std::fmt::Display) -> Self {
        Self::new(
            Kind::BadData,
            format!("invalid parameter {name:?}: {reason}"),
        )
    }

    /// The parameter `name` is no query or selector.
    pub fn unparsed(name: &str, error: &ParseError) -> Self {
        let mut failure = Self::parameter(name, error);
        failure.span = Some(error.span);
        failure
    }

    /// The server cannot answer now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    /// Of which sort.
    #[cfg(test)]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// For people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The answer as text.
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Envelope<'a> {
            status: &'static str,
            #[serde(rename = "errorType")]
            error_type: &'static str,
            error: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            position: Option<Place>,
        }
        #[derive(Serialize)]
        struct Place {
            start: usize,
            end: usize,
        }
        let envelope = Envelope {
            status: "error",
            error_type: self.kind.name(),
            error: &self.message,
            position: self.span.map(|span| Place {
                start: span.start,
                end: span.end,
            }),
        };
        let mut text = serde_json::to_vec(&envelope).expect("answers have string keys only");
        text.push(b'\n');
        text
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = json::from_text(self.kind.status(), self.to_json());
        if self.kind == Kind::Unavailable {
            let second = HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, second);
        }
        response
    }
}

impl From<EvalError> for Failure {
    fn from(error: EvalError) -> Self {
        let kind = match &error {
            EvalError::Timeout => Kind::Timeout,
            EvalError::Cancelled => Kind::Canceled,
            EvalError::Busy { .. } | EvalError::Moved => Kind::Unavailable,
            EvalError::BadQuery { .. } => Kind::BadData,
            EvalError::Storage(_) => {
                tracing::error!(%error, "reading stored samples failed");
                Kind::Internal
            }
            _ => Kind::Execution,
        };
        let span = error.span();
        Self {
            span,
            ..Self::new(kind, error.to_string())
        }
    }
}

impl From<SelectError> for Failure {
    fn from(error: SelectError) -> Self {
        EvalError::from(error).into()
    }
}

/// What the parts say that other answers are made of as well.
impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let kind = match error.status() {
            StatusCode::SERVICE_UNAVAILABLE => Kind::Unavailable,
            StatusCode::UNPROCESSABLE_ENTITY => Kind::Execution,
            StatusCode::NOT_FOUND => Kind::NotFound,
            status if status.is_client_error() => Kind::BadData,
            _ => Kind::Internal,
        };
        Self::new(kind, error.message())
    }
}

/// For answers in our own shape.
impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let error = Self::new(failure.kind.status(), failure.message);
        match failure.kind {
            Kind::Unavailable => error.retry_after(1),
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests;
