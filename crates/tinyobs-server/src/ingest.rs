//! Ingest: `POST /v1/ingest`, the way in.
//!
//!   body ─▶ decompress ─▶ json::decode ─▶ store::append ─▶ answer
//!
//! I-INGEST-1  200 means that something is stored or nothing was sent; each item that is not stored
//!             is in `errors` with its index and rule.
//! I-INGEST-2  Only `application/json` is taken: another site's page cannot send that without
//!             asking first, and is not answered when it asks.
//! I-INGEST-3  A push that ran into a failing store is never acknowledged.
//! I-INGEST-4  Who pushes nothing but series beyond the limit, and goes on, takes at most a third of
//!             the processor from those whose series are known.
//! Proved by: ingest/tests.rs, tests/it/ingest.rs, `cargo xtask crash bomb`.

use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tinyobs_model::{Refused, limits};
use tinyobs_wire::decompress::{DecompressError, decompress};
use tinyobs_wire::json::decode;

use crate::body::{self, Held};
use crate::error::{ApiError, ItemError};
use crate::gate::Cancel;
use crate::json;
use crate::params::Params;
use crate::state::App;

const REFUSED_PAUSE: Duration = Duration::from_millis(limits::REFUSED_PAUSE_MS);

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
    body::require_json(request.headers())?;
    let (parts, body) = request.into_parts();
    let held = body::read(&app.body_bytes, &parts.headers, body).await?;
    let shared = app.clone();
    let work = move |_: &Cancel| {
        let begun = Instant::now();
        Ok((store(&shared, held), begun.elapsed()))
    };
    let (answer, took) = app.ingest.run(work).await?;
    if answer.as_ref().is_err_and(ApiError::is_too_many) {
        // I-INGEST-4.
        tokio::time::sleep((2 * took).min(REFUSED_PAUSE)).await;
    }
    Ok(json::response(StatusCode::OK, &answer?))
}

fn store(app: &App, held: Held) -> Result<Stored, ApiError> {
    let now_ms = app.now_ms();
    let decoded = {
        let body = decompress(held.encoding, &held.bytes, limits::DECOMPRESSED_BYTES)
            .map_err(|error| refuse_packed(&error))?;
        decode(&body, now_ms).map_err(|error| ApiError::bad_request(error.to_string()))?
    };
    // The bodies are no longer needed while the store works.
    drop(held);
    if let Some(source) = &decoded.source {
        app.clients.saw(source, now_ms);
    }
    let mut refused = decoded.refused;
    let mut count = 0;
    if !decoded.batch.is_empty() {
        let appended = app.store.append(&decoded.batch).map_err(|error| {
            if error.is_fatal() {
                app.raise_fatal(error.to_string());
            }
            ApiError::from(error)
        })?;
        count = appended.stored;
        refused.extend(appended.refused);
    }
    let refused = one_each(refused);
    app.counters.stored(count);
    app.counters.refused(&refused);
    answer(decoded.items, count, refused)
}

fn answer(items: u32, count: u64, refused: Vec<Refused>) -> Result<Stored, ApiError> {
    let total = refused.len();
    let is_all_series_limit = refused.iter().all(|one| one.rule.is_series_limit());
    let first = refused.first().map(|one| one.message.clone());
    let errors = refused
        .into_iter()
        .take(limits::ERRORS_LISTED)
        .map(ItemError::from)
        .collect();
    match first {
        Some(first) if count == 0 => {
            let message = format!("none of {items} items was stored; the first: {first}");
            let error = if is_all_series_limit {
                ApiError::new(StatusCode::TOO_MANY_REQUESTS, message).retry_after(60)
            } else {
                ApiError::bad_request(message)
            };
            Err(error.with_items(errors))
        }
        _ => Ok(Stored {
            status: "success",
            count,
            refused: total,
            errors,
        }),
    }
}

/// One entry per item, by item: the parts of a histogram share a fate, and the first says why.
fn one_each(mut refused: Vec<Refused>) -> Vec<Refused> {
    refused.sort_by_key(|one| one.item);
    refused.dedup_by_key(|one| one.item);
    refused
}

fn refuse_packed(error: &DecompressError) -> ApiError {
    match error {
        DecompressError::TooLarge { .. } => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
        }
        _ => ApiError::bad_request(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
