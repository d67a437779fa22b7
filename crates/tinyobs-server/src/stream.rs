//! Stream: `POST /v1/ingest` as `application/x-ndjson`, one item a line, of any length.
//!
//!   HTTP frames ─▶ whole lines, up to a chunk ─▶ json::decode_lines ─▶ store ─▶ … ─▶ one answer
//!
//! The next frames are read when a chunk is stored: a sender is never faster than the store.
//!
//! I-STREAM-1  A stream takes the memory of a few chunks, however long it is, and a slow one little.
//! I-STREAM-2  A bad line costs only itself, and is named by its number in the stream.
//! I-STREAM-3  A stream that breaks off, or whose chunk cannot be stored, is an error that says how
//!             many lines were taken before.
//! I-STREAM-4  A line is stored a second after it came, however slow the stream is.
//! I-STREAM-5  A stream that has begun is not refused for want of a place among those who store: its
//!             sender is slowed down.
//! I-STREAM-6  Of a stream whose connection breaks off, every line that came whole is stored; the one
//!             that was being sent is not, for nobody knows where it would have ended.
//! Proved by: stream/tests.rs, tests/it/stream.rs.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use tinyobs_model::{Refused, limits};
use tinyobs_wire::bom::without_bom;
use tinyobs_wire::decompress::Encoding;
use tinyobs_wire::json::decode_lines;

use crate::body::{self, Frames, Next};
use crate::error::{ApiError, ItemError};
use crate::gate::Cancel;
use crate::intake;
use crate::json;
use crate::state::App;

/// Lines are stored no later than this after they came.
const HELD_FOR: Duration = Duration::from_secs(1);
/// The share of the budget of all bodies that a slow stream has.
const SHARE_BYTES: usize = 64 << 10;

/// Whether the body is said to be lines.
pub fn is_stream(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::CONTENT_TYPE);
    let sent = sent.map_or("", |value| value.to_str().unwrap_or_default());
    let essence = sent.split(';').next().unwrap_or_default().trim();
    [
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
    ]
    .iter()
    .any(|known| essence.eq_ignore_ascii_case(known))
}

/// What became of a stream.
#[derive(Debug, Default, Serialize)]
struct Answer {
    status: &'static str,
    /// Samples stored.
    count: u64,
    /// Lines with something on them.
    lines: u64,
    /// Lines that were not stored, listed in `errors` or not.
    refused: u64,
    errors: Vec<ItemError>,
    #[serde(skip)]
    is_over_limit: bool,
    /// Whether something of it had a place among those who store.
    #[serde(skip)]
    has_begun: bool,
}

/// Takes a stream to its end.
pub async fn push(app: &App, request: Request) -> Result<Response, ApiError> {
    let app = app.clone();
    // I-STREAM-6: a task of its own, for this one ends with the connection.
    let taken = tokio::spawn(async move { take(&app, request).await });
    match taken.await {
        Ok(answer) => answer,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

async fn take(app: &App, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let mut so_far = Answer {
        status: "success",
        is_over_limit: true,
        ..Answer::default()
    };
    let taken = match body::encoding(&parts.headers, body::HELD_AS)? {
        Encoding::Identity => follow(app, body, &mut so_far).await,
        // Unpacked it is bounded anyway, so it need not be done piece by piece.
        _ => whole(app, &parts.headers, body, &mut so_far).await,
    };
    // I-STREAM-3
    if let Err(error) = taken {
        let error = error.with_context(&format!("after {} lines were taken: ", so_far.lines));
        if so_far.errors.is_empty() {
            return Err(error);
        }
        return Err(error.with_items(so_far.errors));
    }
    if so_far.count > 0 || so_far.refused == 0 {
        return Ok(json::response(StatusCode::OK, &so_far));
    }
    let first = so_far
        .errors
        .first()
        .map_or(String::new(), ToString::to_string);
    let message = format!(
        "none of {} lines was stored; the first, {first}",
        so_far.lines
    );
    let error = if so_far.is_over_limit {
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, message).retry_after(60)
    } else {
        ApiError::bad_request(message)
    };
    Err(error.with_items(so_far.errors))
}

async fn follow(app: &App, body: Body, so_far: &mut Answer) -> Result<(), ApiError> {
    let mut frames = Frames::new(body);
    let mut lines = Lines::default();
    let mut share = body::take(&app.body_bytes, SHARE_BYTES).await?;
    loop {
        let frame = match lines.wait() {
            None => frames
                .next()
                .await
                .map(|it| it.map_or(Next::End, Next::Piece)),
            Some(wait) => frames.next_within(wait).await,
        };
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                // I-STREAM-6
                if let Some(chunk) = lines.take_whole() {
                    store(app, chunk, &mut lines.number, so_far).await?;
                }
                return Err(error);
            }
        };
        // I-STREAM-4
        if lines.wait().is_some_and(|wait| wait.is_zero())
            && let Some(chunk) = lines.take_whole()
        {
            store(app, chunk, &mut lines.number, so_far).await?;
        }
        let frame = match frame {
            Next::Piece(frame) => frame,
            Next::Silence => continue,
            Next::End => break,
        };
        // A frame may be large: it is cut, so that no more than a chunk is gathered.
        for piece in frame.chunks(limits::STREAM_CHUNK_BYTES / 2) {
            let needed = lines.held.len() + piece.len();
            if needed > share.num_permits() {
                let more = needed - share.num_permits();
                share.merge(body::take(&app.body_bytes, more).await?);
            }
            if let Some(chunk) = lines.add(piece)? {
                store(app, chunk, &mut lines.number, so_far).await?;
                lines.check()?;
                // A stream that becomes slow gives back what it does not need.
                let needed = lines.held.len().max(SHARE_BYTES);
                drop(share.split(share.num_permits().saturating_sub(needed)));
            }
        }
    }
    let rest = std::mem::take(&mut lines.held);
    store(app, rest, &mut lines.number, so_far).await
}

async fn whole(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    so_far: &mut Answer,
) -> Result<(), ApiError> {
    let held = body::read(&app.body_bytes, headers, body).await?;
    // The share of the budget is held as long as what it stands for.
    let (unpacked, _held) = app
        .ingest
        .run(move |_| Ok((intake::unpack(&held)?.into_owned(), held)))
        .await?;
    so_far.has_begun = true;
    let mut lines = Lines::default();
    for piece in unpacked.chunks(limits::STREAM_CHUNK_BYTES / 2) {
        if let Some(chunk) = lines.add(piece)? {
            store(app, chunk, &mut lines.number, so_far).await?;
            lines.check()?;
        }
    }
    let rest = std::mem::take(&mut lines.held);
    store(app, rest, &mut lines.number, so_far).await
}

/// Stores whole lines, the first of which is number `number`, counted from 0.
async fn store(
    app: &App,
    chunk: Vec<u8>,
    number: &mut u64,
    so_far: &mut Answer,
) -> Result<(), ApiError> {
    let mut rest = chunk;
    while !rest.is_empty() {
        // What is said of bad lines takes memory too, so only so many are read at once.
        let ends = rest.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let end = ends
            .map(|(at, _)| at + 1)
            .nth(limits::ITEMS_PER_REQUEST - 1);
        let after = rest.split_off(end.unwrap_or(rest.len()));
        let batch = std::mem::replace(&mut rest, after);
        store_batch(app, batch, number, so_far).await?;
    }
    Ok(())
}

async fn store_batch(
    app: &App,
    batch: Vec<u8>,
    number: &mut u64,
    so_far: &mut Answer,
) -> Result<(), ApiError> {
    let shared = app.clone();
    let is_first = *number == 0;
    let work = move |_: &Cancel| {
        let begun = Instant::now();
        let batch = if is_first {
            without_bom(&batch)
        } else {
            &batch
        };
        // The last piece has no line feed behind it.
        let lines = batch.split(|byte| *byte == b'\n').count() as u64 - 1;
        let decoded = decode_lines(batch, shared.now_ms());
        let taken = intake::append(&shared, decoded)?;
        Ok((taken, lines, begun.elapsed()))
    };
    // I-STREAM-5
    let (taken, lines, took) = if so_far.has_begun {
        app.ingest.run_patient(work).await?
    } else {
        app.ingest.run(work).await?
    };
    so_far.has_begun = true;
    taken.pause(took).await;
    so_far.count += taken.stored;
    so_far.lines += u64::from(taken.items);
    so_far.refused += taken.refused.len() as u64;
    so_far.is_over_limit &= taken.items == 0 || taken.is_over_limit();
    let room = limits::ERRORS_LISTED - so_far.errors.len();
    let line = |one: &Refused| *number + u64::from(one.item) + 1;
    let named = |one: Refused| ItemError::of_line(line(&one), one);
    so_far
        .errors
        .extend(taken.refused.into_iter().take(room).map(named));
    *number += lines;
    Ok(())
}

/// Bytes that are waiting to be whole lines.
#[derive(Debug, Default)]
struct Lines {
    held: Vec<u8>,
    /// When the first of them came.
    since: Option<Instant>,
    /// Lines before those held.
    number: u64,
    /// Bytes of the line that came last, its end not counted.
    line_bytes: usize,
    /// Whether a line is too long. Those before it are held, and it is not.
    is_over: bool,
}

impl Lines {
    /// Adds bytes; whole lines once there are enough of them, or one after them is too long.
    fn add(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, ApiError> {
        let mut taken = 0;
        for (place, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let before = if place == 0 { self.line_bytes } else { 0 };
            self.line_bytes = before + line.len();
            // However the stream is cut into pieces, the same lines are too long.
            if self.line_bytes > limits::STREAM_LINE_BYTES {
                self.is_over = true;
                break;
            }
            taken += line.len() + 1;
        }
        // Behind the last line is no line feed.
        self.held
            .extend_from_slice(&bytes[..taken.min(bytes.len())]);
        self.since.get_or_insert_with(Instant::now);
        let is_enough = self.held.len() >= limits::STREAM_CHUNK_BYTES / 2;
        if !self.is_over && !is_enough {
            return Ok(None);
        }
        let chunk = self.take_whole();
        if chunk.is_none() {
            self.check()?;
        }
        Ok(chunk)
    }

    /// An error once a line was too long; those before it have been taken.
    fn check(&self) -> Result<(), ApiError> {
        if !self.is_over {
            return Ok(());
        }
        let message = format!(
            "line {} has more than {} bytes",
            self.number + 1,
            limits::STREAM_LINE_BYTES
        );
        Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message))
    }

    /// The lines that are whole, if there are some.
    fn take_whole(&mut self) -> Option<Vec<u8>> {
        self.since = None;
        let end = self.held.iter().rposition(|byte| *byte == b'\n')?;
        let rest = self.held.split_off(end + 1);
        Some(std::mem::replace(&mut self.held, rest))
    }

    /// How long those held may still wait; none when there are none that waited for nothing yet.
    fn wait(&self) -> Option<Duration> {
        let since = self.since?;
        Some(HELD_FOR.saturating_sub(since.elapsed()))
    }
}

#[cfg(test)]
mod tests;
