//! Remote write: `POST /api/v1/write`, versions 1.0 and 2.0.
//!
//!   [`intake`] ─▶ remote_write::decode ─▶ store ─▶ 204, or why not
//!
//! What senders rely on: 2xx means stored; 400 that the same request would be refused again, so that
//! they drop it; 429, 503 and 507 that they should come again. Of a request with bad series the good
//! ones are stored, and of a series with samples out of time the others; it is answered with 400,
//! because senders look at nothing but the status.
//!
//! I-RWRITE-1  A status of 5xx or 429 is never the answer to what is wrong with the request itself.
//! I-RWRITE-2  The headers say how many samples are stored, also when the status is 400.
//! Proved by: tests/it/remote_write.rs.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tinyobs_model::limits;
use tinyobs_wire::remote_write::{Version, WriteError, decode_into};

use crate::error::{ApiError, ItemError};
use crate::intake::{self, Taken};
use crate::params::Params;
use crate::state::App;

/// `POST /api/v1/write`
pub async fn write(State(app): State<App>, mut request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    let version = version(request.headers())?;
    // Senders of the first hour do not name the only packing there was.
    let headers = request.headers_mut();
    let snappy = HeaderValue::from_static("snappy");
    headers.entry(header::CONTENT_ENCODING).or_insert(snappy);
    let read = move |_: &App, body: Cow<'_, [u8]>, _, spare| {
        decode_into(version, body.into_owned(), spare).map_err(|error| refuse(&error))
    };
    let taken = intake::take_owned(&app, request, read).await?;
    let stored = taken.stored;
    let mut response = match answer(taken) {
        Ok(()) => Response::new(Body::empty()),
        Err(error) => error.into_response(),
    };
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    let headers = response.headers_mut();
    for (what, count) in [
        ("x-prometheus-remote-write-samples-written", stored),
        // Neither is kept, and saying so is what these headers are for.
        ("x-prometheus-remote-write-histograms-written", 0),
        ("x-prometheus-remote-write-exemplars-written", 0),
    ] {
        headers.insert(what, HeaderValue::from(count));
    }
    Ok(response)
}

fn version(headers: &HeaderMap) -> Result<Version, ApiError> {
    let sent = headers
        .get(header::CONTENT_TYPE)
        .map_or("", |value| value.to_str().unwrap_or("?"));
    Version::of_content_type(sent).ok_or_else(|| {
        ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send remote write 1.0 (application/x-protobuf) or 2.0 \
             (application/x-protobuf;proto=io.prometheus.write.v2.Request)",
        )
    })
}

fn refuse(error: &WriteError) -> ApiError {
    match error {
        WriteError::TooMany { .. } => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
        }
        _ => ApiError::bad_request(error.to_string()),
    }
}

fn answer(taken: Taken) -> Result<(), ApiError> {
    let Some(first) = taken.refused.first() else {
        return Ok(());
    };
    // A series may break two rules: that of some of its samples, and that of others.
    let series = taken.refused.chunk_by(|a, b| a.item == b.item).count();
    let message = format!(
        "of {series} of {} series all or some samples were refused, {} samples were stored; the \
         first, series {}: {} ({})",
        taken.items, taken.stored, first.item, first.message, first.rule
    );
    let listed = taken.refused.into_iter().take(limits::ERRORS_LISTED);
    Err(ApiError::bad_request(message).with_items(listed.map(ItemError::from).collect()))
}
