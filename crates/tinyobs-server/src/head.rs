//! Head: how large a request's head may be.
//!
//! hyper reads as much as comes at once, so its own bound lets heads of nearly twice the size
//! through. What it refuses itself never comes here.
//!
//! I-HEAD-1  A head of more than `limits::HEAD_BYTES` is refused, whichever of its parts is long.
//! Proved by: tests/it/limits.rs.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tinyobs_model::limits;

use crate::error::ApiError;

/// Refuses a request whose head is too large.
pub async fn bound(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    if bytes(&request) > limits::HEAD_BYTES {
        let message = format!(
            "the request's head has more than {} bytes",
            limits::HEAD_BYTES
        );
        return ApiError::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message).into_response();
    }
    next(request).await
}

/// Bytes of a head as everybody writes it: a space after each name, and lines that end in two bytes.
fn bytes(request: &Request) -> usize {
    const AROUND_LINE: usize = "  HTTP/1.1\r\n".len();
    const AROUND_FIELD: usize = ": \r\n".len();
    const END: usize = "\r\n".len();
    let uri = request.uri();
    let target = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    let fields = request.headers().iter();
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + AROUND_FIELD);
    request.method().as_str().len() + target + AROUND_LINE + fields.sum::<usize>() + END
}
