//! Ingest: `POST /v1/ingest`, our own JSON.
//!
//!   [`intake`] ─▶ json::decode ─▶ store ─▶ answer
//!
//! I-INGEST-1  200 means that something is stored or nothing was sent; each item that is not stored
//!             is in `errors` with its index and rule.
//! I-INGEST-2  Only `application/json` and the lines of [`stream`] are taken: another site's page
//!             cannot send those without asking first, and is not answered when it asks.
//! Proved by: ingest/tests.rs, tests/it/ingest.rs.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tinyobs_model::limits;
use tinyobs_wire::json::decode_into;

use crate::error::{ApiError, ItemError};
use crate::intake::{self, Taken};
use crate::params::Params;
use crate::state::App;
use crate::{body, json, stream};

#[derive(Serialize)]
struct Stored {
    status: &'static str,
    /// Samples stored; a histogram item is several.
    count: u64,
    /// Items that were not stored, listed in `errors` or not.
    refused: usize,
    errors: Vec<ItemError>,
}

/// `POST /v1/ingest`
pub async fn push(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    if stream::is_stream(request.headers()) {
        return stream::push(&app, request).await;
    }
    body::require_json(request.headers())?;
    let read = |_: &App, body: Cow<'_, [u8]>, now_ms, spare| {
        decode_into(&body, now_ms, spare).map_err(|error| ApiError::bad_request(error.to_string()))
    };
    let taken = intake::take_owned(&app, request, read).await?;
    Ok(json::response(StatusCode::OK, &answer(taken)?))
}

fn answer(taken: Taken) -> Result<Stored, ApiError> {
    let is_over_limit = taken.is_over_limit();
    let (items, total) = (taken.items, taken.refused.len());
    let first = taken.refused.first().map(|one| one.message.clone());
    let errors = taken
        .refused
        .into_iter()
        .take(limits::ERRORS_LISTED)
        .map(ItemError::from)
        .collect();
    match first {
        Some(first) if taken.stored == 0 => {
            let message = format!("none of {items} items was stored; the first: {first}");
            let error = if is_over_limit {
                ApiError::new(StatusCode::TOO_MANY_REQUESTS, message).retry_after(60)
            } else {
                ApiError::bad_request(message)
            };
            Err(error.with_items(errors))
        }
        _ => Ok(Stored {
            status: "success",
            count: taken.stored,
            refused: total,
            errors,
        }),
    }
}

#[cfg(test)]
mod tests;
