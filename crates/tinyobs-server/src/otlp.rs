//! OTLP: `POST /v1/metrics` and its aliases, and `POST /v1/logs`.
//!
//!   [`intake`] ─▶ otlp::decode ─▶ store ─▶ answer in the request's encoding
//!                      ▲ deltas
//!                      └── [`deltas`] ◀─ store
//!
//! I-OTLP-HTTP-1  200 means that the sender need not come again: what was not stored never will be,
//!                and the answer says how much that is, and why.
//! I-OTLP-HTTP-2  A request with deltas that was not answered with 200 has counted nothing.
//! I-OTLP-HTTP-3  Errors are `google.rpc.Status` in the encoding of the request, or in JSON where that
//!                is none of ours.
//! Proved by: tests/it/otlp.rs, deltas/tests.rs.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use tinyobs_model::Refused;
use tinyobs_wire::json::Decoded;
use tinyobs_wire::otlp::answer::{self, Signal};
use tinyobs_wire::otlp::{self, BodyError, Format, TARGET_ITEMS};

use crate::error::ApiError;
use crate::intake::{self, Taken};
use crate::params::Params;
use crate::state::App;

pub mod deltas;

use deltas::Adding;

/// `POST /v1/metrics`
pub async fn metrics(State(app): State<App>, request: Request) -> Response {
    let (format, checked) = check(&request);
    let taken = async {
        checked?;
        let taken = intake::take_turned(&app, request, move |app, body, turn| {
            let mut adding = Adding::new(app, turn);
            match otlp::decode(format, body, &mut adding) {
                Ok(decoded) => Ok(Some((decoded, adding.into_turn()))),
                Err(_) if adding.must_wait() => Ok(None),
                Err(error) => Err(refuse(&error)),
            }
        });
        stored(&taken.await?)
    };
    match taken.await {
        Ok((rejected, message)) => ok(format, Signal::Metrics, rejected, &message),
        Err(error) => failed(format, error),
    }
}

/// `POST /v1/logs`: counted and not stored, so that clients that send both do not come again.
pub async fn logs(State(app): State<App>, request: Request) -> Response {
    let (format, checked) = check(&request);
    let taken = async {
        checked?;
        let read = move |_: &App, body: &[u8], _| {
            let items = otlp::logs::count(format, body).map_err(|error| refuse(&error))?;
            Ok(Decoded {
                items,
                ..Decoded::default()
            })
        };
        intake::take(&app, request, read).await
    };
    match taken.await {
        Ok(Taken { items: 0, .. }) => ok(format, Signal::Logs, 0, ""),
        Ok(taken) => {
            let message = "TinyObs stores no logs, only metrics";
            ok(format, Signal::Logs, taken.items.into(), message)
        }
        Err(error) => failed(format, error),
    }
}

/// How to answer, and whether the request may be read.
fn check(request: &Request) -> (Format, Result<(), ApiError>) {
    let known = Params::parse(request.uri().query(), &[]).map(drop);
    let Some(format) = format(request.headers().get(header::CONTENT_TYPE)) else {
        let message =
            "send the header `content-type: application/x-protobuf` or `application/json`";
        let error = ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        return (Format::Json, Err(error));
    };
    (format, known)
}

fn format(content_type: Option<&HeaderValue>) -> Option<Format> {
    Format::from_content_type(content_type?.to_str().ok()?)
}

/// An error about a request that did not come as far as here, in the encoding that it named.
pub fn failed_before(content_type: Option<&HeaderValue>, error: ApiError) -> Response {
    failed(format(content_type).unwrap_or(Format::Json), error)
}

fn refuse(error: &BodyError) -> ApiError {
    match error {
        BodyError::Stored { .. } => ApiError::unavailable(error.to_string()),
        _ => ApiError::bad_request(error.to_string()),
    }
}

/// How many data points were rejected, and what is to be said; an error when all the sender can do
/// is to come again.
fn stored(taken: &Taken) -> Result<(u64, String), ApiError> {
    /// Refusals that a message tells in full.
    const TOLD: usize = 3;
    let is_point = |one: &&Refused| one.item < TARGET_ITEMS;
    let rejected = taken.refused.iter().filter(is_point).count() as u64;
    let told = taken.refused.iter().take(TOLD);
    let mut told: Vec<String> = told
        .map(|one| match one.item.checked_sub(TARGET_ITEMS) {
            None => format!("data point {}: {} ({})", one.item, one.message, one.rule),
            Some(place) => format!("target_info {place}: {} ({})", one.message, one.rule),
        })
        .collect();
    if taken.refused.len() > TOLD {
        told.push(format!("and {} more", taken.refused.len() - TOLD));
    }
    let message = told.join("; ");
    if taken.is_over_limit() {
        let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, message);
        return Err(error.retry_after(60));
    }
    Ok((rejected, message))
}

fn ok(format: Format, signal: Signal, rejected: u64, message: &str) -> Response {
    let body = answer::export(format, signal, rejected, message);
    response(StatusCode::OK, format, body)
}

/// I-OTLP-HTTP-3
fn failed(format: Format, error: ApiError) -> Response {
    error.into_response_with(|status, message| {
        let body = answer::status(format, code(status), message);
        response(status, format, body)
    })
}

/// The gRPC code that stands for an HTTP status.
fn code(status: StatusCode) -> u32 {
    match status.as_u16() {
        408 | 504 => 4,
        413 | 429 | 507 => 8,
        503 => 14,
        405 => 12,
        500 => 13,
        // INVALID_ARGUMENT
        _ => 3,
    }
}

fn response(status: StatusCode, format: Format, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(format.content_type());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
