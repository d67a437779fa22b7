//! Send: an answer on its way to a client that may be slow.
//!
//!   [Written] ─┬─ some megabytes of text ─▶ [Pieces] ─▶ body
//!              └─ more ─▶ written while it is sent, on a thread ([`streamed`])
//!
//! The query has given its place back by then: a client that reads slowly holds up no other query.
//! What it holds instead is memory, and for a very large answer a thread; both are bounded.
//!
//! I-SEND-1  All answers that are being sent hold no more than `limits::ANSWERS_BYTES` together.
//! I-SEND-2  An answer waits for room as long as its query may take; then it is `unavailable`.
//! Proved by: api/send/tests.rs, tests/it/api_bounds.rs.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tinyobs_model::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use super::failure::Failure;
use super::write::Written;
use crate::{json, streamed};

/// Bytes of text for which nobody asks whether there is room.
const TINY_BYTES: usize = 64 << 10;
/// Bytes of an answer's values up to which its text is made at once.
const SMALL_BYTES: usize = 4 << 20;
/// Bytes of text that a connection takes over at once.
const PIECE_BYTES: usize = 64 << 10;

/// Room for answers that are being sent.
#[derive(Debug)]
pub struct Room {
    bytes: Arc<Semaphore>,
    threads: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(limits::ANSWERS_BYTES)),
            threads: Arc::new(Semaphore::new(limits::LARGE_ANSWERS)),
        }
    }
}

impl Room {
    /// The answer as a response.
    pub async fn send(&self, written: Written, deadline: Instant) -> Result<Response, Failure> {
        let bytes = written.bytes();
        if bytes <= SMALL_BYTES {
            return self.send_text(text(&written, bytes), deadline).await;
        }
        let share = take(&self.bytes, bytes, deadline).await?;
        let place = take(&self.threads, 1, deadline).await?;
        let write = move |out: &mut dyn io::Write| {
            let _share = share;
            written.write(out)
        };
        Ok(response(streamed::answer(
            place,
            "the answer of a query",
            write,
        )))
    }

    /// The same of an answer that is text already.
    pub async fn send_text(&self, text: Vec<u8>, deadline: Instant) -> Result<Response, Failure> {
        if text.len() <= TINY_BYTES {
            return Ok(json::from_text(StatusCode::OK, text));
        }
        let share = take(&self.bytes, text.len(), deadline).await?;
        let pieces = Pieces {
            rest: Bytes::from(text),
            _share: share,
        };
        Ok(response(Response::new(Body::new(pieces))))
    }
}

fn text(written: &Written, bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes * 2 + 256);
    written.write(&mut text).expect("memory takes everything");
    text
}

/// I-SEND-2
async fn take(
    room: &Arc<Semaphore>,
    wanted: usize,
    deadline: Instant,
) -> Result<OwnedSemaphorePermit, Failure> {
    let wanted = u32::try_from(wanted.min(limits::ANSWERS_BYTES)).unwrap_or(u32::MAX);
    let share = Arc::clone(room).acquire_many_owned(wanted);
    match timeout_at(deadline.into(), share).await {
        Ok(share) => Ok(share.expect("never closed")),
        Err(_) => Err(Failure::unavailable(
            "too many large answers are being sent already, ask for less or later",
        )),
    }
}

fn response(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Text that is handed on piece by piece, and its share of the room.
struct Pieces {
    rest: Bytes,
    _share: OwnedSemaphorePermit,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let len = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(len);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests;
