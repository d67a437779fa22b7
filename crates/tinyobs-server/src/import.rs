//! Import: files of samples, of any size, become stored series.
//!
//!   body ─▶ frames ─▶ unpacked ─▶ [`reader`]: lines │ table │ original ─▶ [`batches`] ─▶ store
//!
//! `POST /v1/import` takes lines of JSON, ours and VictoriaMetrics', our tables, and export files of
//! the Go original; which it is, and whether it is packed, the file says itself. `POST /api/v1/import` answers as VictoriaMetrics.
//!
//! I-IMPORT-1  A bad line costs only itself, and a bad sample only itself; both are named by line.
//! I-IMPORT-2  What is held is one line, one batch, and a few frames, however large the file is.
//! I-IMPORT-3  What the answer calls stored is acknowledged by the store. When the store stops taking
//!             batches, the answer says so and how far it came; sending everything again is harmless, but for
//!             samples that have gone into windows meanwhile because raw ones as old are not kept.
//! I-IMPORT-4  The store's limits apply as to any push.
//! I-IMPORT-6  Of a body that breaks off, what has no line end is no line: nobody knows how it would
//!             have gone on.
//! Proved by: import/tests.rs, tests/it/import.rs, tests/it/round_trip.rs.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::Serialize;
use tinyobs_model::limits;
use tinyobs_store::StoreError;
use tinyobs_wire::decompress::{Encoding, unpack_stream};
use tinyobs_wire::time;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::error::ApiError;
use crate::params::Params;
use crate::state::App;
use crate::{body, json};

pub mod batches;
mod guess;
pub mod reader;

use batches::{Batches, Report};

/// Frames that wait for the reader of lines.
const FRAMES: usize = 4;

/// The answer of the original, and what it did not say.
#[derive(Serialize)]
struct Answer {
    status: &'static str,
    /// Samples stored.
    metrics_imported: u64,
    batches_written: u64,
    time_range: String,
    imported_at: String,
    /// Lines, or items of the original's file, good and bad.
    lines: u64,
    /// Those of which something was not stored, listed in `errors` or not.
    refused: u64,
    /// Rows of rollups of which the first and the last sample were stored.
    rollup_rows: u64,
    errors: Vec<String>,
}

/// `POST /v1/import`
pub async fn import(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    let report = take(&app, request).await?;
    let answer = Answer {
        status: "success",
        metrics_imported: report.stored,
        batches_written: report.batches,
        time_range: match report.times {
            None => "empty".to_owned(),
            Some((first, last)) => format!(
                "{} to {}",
                time::format_rfc3339(first),
                time::format_rfc3339(last)
            ),
        },
        imported_at: time::format_rfc3339(app.now_ms()),
        lines: report.lines,
        refused: report.refused,
        rollup_rows: report.rows,
        errors: report.errors(),
    };
    Ok(json::response(StatusCode::OK, &answer))
}

/// `POST /api/v1/import`: 204 when everything was stored, as VictoriaMetrics says it; where it would
/// only log that something was not, this says it.
pub async fn victoriametrics(
    State(app): State<App>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Partial {
        imported: u64,
        refused: u64,
        errors: Vec<String>,
    }
    Params::parse(request.uri().query(), &[])?;
    let report = take(&app, request).await?;
    if report.refused == 0 {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let answer = Partial {
        imported: report.stored,
        refused: report.refused,
        errors: report.errors(),
    };
    Ok(json::response(StatusCode::OK, &answer))
}

/// Reads a body to its end. An error when nothing of it was stored although there was something.
async fn take(app: &App, request: Request) -> Result<Report, ApiError> {
    let (parts, mut body) = request.into_parts();
    let encoding = body::encoding(&parts.headers, body::STREAMED_AS)?;
    let place = Arc::clone(&app.imports).try_acquire_owned();
    let Ok(place) = place else {
        let message = "as many imports as may be are being read; send this one again later";
        return Err(ApiError::unavailable(message).retry_after(10));
    };
    let (frames, received) = mpsc::channel(FRAMES);
    let shared = app.clone();
    let work = tokio::task::spawn_blocking(move || {
        let _place = place;
        read(&shared, encoding, Frames::new(received))
    });
    let broken = pump(&mut body, frames).await;
    let result = work.await;
    let result = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    match (result, broken) {
        (Ok(report), None) => outcome(report),
        (Ok(_), Some(error)) | (Err(error), None) => Err(error),
        (Err(so_far), Some(error)) => Err(error.after(so_far.message())),
    }
}

/// Hands the frames of a body over until it ends or nobody wants more.
async fn pump(body: &mut Body, frames: mpsc::Sender<io::Result<Bytes>>) -> Option<ApiError> {
    let idle = Duration::from_secs(limits::IDLE_SECONDS);
    loop {
        let error = match timeout(idle, body.frame()).await {
            Ok(None) => return None,
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data()
                    && frames.send(Ok(data)).await.is_err()
                {
                    return None;
                }
                continue;
            }
            Ok(Some(Err(error))) => {
                ApiError::bad_request(format!("the body could not be read: {error}"))
            }
            Err(_) => {
                let message = format!("nothing of the body came for {} seconds", idle.as_secs());
                ApiError::new(StatusCode::REQUEST_TIMEOUT, message)
            }
        };
        let broken_off = io::Error::new(io::ErrorKind::UnexpectedEof, "the body broke off");
        let _ = frames.send(Err(broken_off)).await;
        return Some(error);
    }
}

fn read(app: &App, encoding: Encoding, frames: Frames) -> Result<Report, ApiError> {
    let unpacked = unpack_stream(encoding, frames);
    let unpacked = unpacked.map_err(|error| ApiError::bad_request(error.to_string()))?;
    let not_taken = || body::not_taken(encoding.as_str(), body::STREAMED_AS);
    let unpacked = unpacked.ok_or_else(not_taken)?;
    let mut append = |batch: &_| {
        let appended = app.store.append(batch).inspect_err(|error| {
            if error.is_fatal() {
                app.raise_fatal(error.to_string());
            }
        })?;
        app.counters.stored(appended.stored);
        app.counters.refused(&appended.refused);
        Ok::<_, StoreError>(appended.into())
    };
    let mut batches = Batches::new(&mut append);
    let read = reader::read(unpacked, encoding == Encoding::Identity, &mut batches);
    let (report, failed) = batches.finish();
    if let Some(error) = failed {
        return Err(ApiError::from(error).after(&format!(
            "of this import, {} samples of earlier batches are stored; sending all of it again is \
             harmless",
            report.stored
        )));
    }
    match read {
        Ok(()) => Ok(report),
        // What came before it is kept, and said.
        Err(error) => Err(ApiError::bad_request(reader::sentence(
            &error,
            report.stored,
        ))),
    }
}

/// An error where nothing was stored of what was sent.
fn outcome(report: Report) -> Result<Report, ApiError> {
    let (refused, lines) = (report.refused, report.lines);
    match report.first_error() {
        Some(first) if report.stored == 0 => {
            let message = format!("none of {lines} lines was stored ({refused} refused); {first}");
            Err(if report.is_over_limit() {
                ApiError::new(StatusCode::TOO_MANY_REQUESTS, message).retry_after(60)
            } else {
                ApiError::bad_request(message)
            })
        }
        _ => Ok(report),
    }
}

/// Frames as a reader that blocks.
struct Frames {
    received: mpsc::Receiver<io::Result<Bytes>>,
    frame: Bytes,
}

impl Frames {
    fn new(received: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self {
            received,
            frame: Bytes::new(),
        }
    }
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.frame.is_empty() {
            match self.received.blocking_recv() {
                None => return Ok(0),
                Some(frame) => self.frame = frame?,
            }
        }
        let len = self.frame.len().min(buffer.len());
        buffer[..len].copy_from_slice(&self.frame.split_to(len));
        Ok(len)
    }
}

#[cfg(test)]
mod tests;
