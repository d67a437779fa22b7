//! `ApiError`: every answer that is not a success, as `{"error":"<status text>","message":"…"}`.

use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tinyobs_model::{Refused, SelectError};
use tinyobs_store::StoreError;

use crate::json;

/// An answer that is not a success.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    message: String,
    retry_after_seconds: Option<u32>,
    refused: Option<Vec<ItemError>>,
}

/// One refused item of a push, as answers show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemError {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    /// Counted from 1, where items are lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    rule: &'static str,
    message: String,
}

impl From<Refused> for ItemError {
    fn from(refused: Refused) -> Self {
        Self {
            index: Some(refused.item),
            line: None,
            rule: refused.rule.as_str(),
            message: refused.message,
        }
    }
}

impl ItemError {
    /// Of a line, counted from 1.
    pub fn of_line(line: u64, refused: Refused) -> Self {
        Self {
            index: None,
            line: Some(line),
            ..Self::from(refused)
        }
    }
}

impl fmt::Display for ItemError {
    /// `line 3: what is wrong (rule)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        } else if let Some(index) = self.index {
            write!(f, "item {index}: ")?;
        }
        write!(f, "{} ({})", self.message, self.rule)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [ItemError]>,
}

impl ApiError {
    /// An error of this status; `message` says what to do.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            retry_after_seconds: None,
            refused: None,
        }
    }

    /// The request is wrong and stays so.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The request is fine, the server cannot answer it now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).retry_after(1)
    }

    /// The query asks for more than one answer may hold.
    pub fn too_much(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// Asks the sender to wait.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The same in the shape of another protocol, which knows how to say it with this status and
    /// message; headers stay.
    pub fn into_response_with(self, shape: impl FnOnce(StatusCode, &str) -> Response) -> Response {
        let response = shape(self.status, &self.message);
        self.with_headers(response)
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Says before the message where it happened.
    pub fn with_context(mut self, context: &str) -> Self {
        self.message.insert_str(0, context);
        self
    }

    /// An answer in the shape that another protocol's clients read.
    pub fn shaped(&self, shape: impl FnOnce(&Self) -> serde_json::Value) -> Response {
        self.with_headers(json::response(self.status, &shape(self)))
    }

    fn with_headers(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_after_seconds {
            let value = HeaderValue::from(seconds);
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }

    /// Says more behind the message.
    pub fn after(mut self, more: &str) -> Self {
        self.message = format!("{}; {more}", self.message);
        self
    }

    /// Lists the items that were refused.
    pub fn with_items(mut self, refused: Vec<ItemError>) -> Self {
        self.refused = Some(refused);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Body {
            error: self.status.canonical_reason().unwrap_or("Error"),
            message: &self.message,
            errors: self.refused.as_deref(),
        };
        self.with_headers(json::response(self.status, &body))
    }
}

/// Writing goes on as soon as there is room again, so senders should soon be back.
const FULL_RETRY_SECONDS: u32 = 5;

/// What to do about a full store.
fn way_out(error: &StoreError) -> &'static str {
    match error {
        StoreError::Full { .. } => {
            "make room on that device and writing goes on by itself; what was acknowledged is kept"
        }
        _ => "nothing of this push was kept, send it again later",
    }
}

/// A store that fails while it is read. What is fatal on writing is decided in `ingest`.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Backlog { .. }) {
            // Too much at once is no matter of space.
            let message = format!("{error}; {}", way_out(&error));
            return Self::unavailable(message).retry_after(FULL_RETRY_SECONDS);
        }
        if error.is_full() {
            let message = format!("{error}; {}", way_out(&error));
            return Self::new(StatusCode::INSUFFICIENT_STORAGE, message)
                .retry_after(FULL_RETRY_SECONDS);
        }
        if error.is_fatal() || matches!(error, StoreError::Closed) {
            return Self::unavailable(error.to_string());
        }
        tracing::error!(%error, "the store failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<SelectError> for ApiError {
    fn from(error: SelectError) -> Self {
        tracing::error!(%error, "reading stored samples failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

#[cfg(test)]
mod tests;
