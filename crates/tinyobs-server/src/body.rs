//! Body: a request body on its way into memory.
//!
//!   HTTP frames ─▶ [read] ─▶ bytes with a share of the budget ─▶ ingest
//!
//! I-BODY-1  A body that says it is too large is refused before a byte of it is read; one that
//!           does not say is refused at the first byte too many.
//! I-BODY-2  All bodies together never hold more than `limits::INGEST_BYTES_IN_FLIGHT`. The share
//!           is taken as bytes arrive: a sender that declares much and sends nothing holds nothing.
//! I-BODY-3  A sender that falls silent is let go.
//! What is refused is read to its end by [`rest`].
//! Proved by: body/tests.rs, tests/it/limits.rs.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use tinyobs_model::limits;
use tinyobs_wire::decompress::Encoding;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::ApiError;

pub mod rest;

const WAIT: Duration = Duration::from_secs(limits::BODY_WAIT_SECONDS);
/// The first piece of memory for a body that says to be larger, or nothing.
const FIRST_BYTES: usize = 16 << 10;

/// How a body may be packed that is held whole.
pub const HELD_AS: &[Encoding] = &[
    Encoding::Gzip,
    Encoding::Zstd,
    Encoding::Snappy,
    Encoding::Identity,
];
/// How one may be that is unpacked while it comes.
pub const STREAMED_AS: &[Encoding] = &[Encoding::Gzip, Encoding::Zstd, Encoding::Identity];

/// A body in memory, and the share of the budget that it holds until it is dropped.
#[derive(Debug)]
pub struct Held {
    /// As it travelled.
    pub bytes: Vec<u8>,
    /// How it is packed.
    pub encoding: Encoding,
    _share: OwnedSemaphorePermit,
}

/// Reads the whole body.
pub async fn read(
    budget: &Arc<Semaphore>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Held, ApiError> {
    let encoding = encoding(headers, HELD_AS)?;
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|bytes| bytes > limits::BODY_BYTES) {
        return Err(too_large());
    }
    let (bytes, mut share) = collect(budget, body, declared).await?;
    // What it may unfold to counts as well.
    let unfolded = encoding.unfolded_bytes_max(bytes.len(), limits::DECOMPRESSED_BYTES);
    share.merge(take(budget, unfolded).await?);
    Ok(Held {
        bytes,
        encoding,
        _share: share,
    })
}

/// Reads the few bytes that tell an administrator's wish; what is longer is refused. Like pushes
/// they must be JSON, which another site's page cannot send without asking first.
pub async fn read_small(headers: &HeaderMap, body: Body) -> Result<Bytes, ApiError> {
    let bytes = read_few(body).await?;
    if !bytes.is_empty() {
        require_json(headers)?;
    }
    Ok(bytes)
}

/// Reads the few bytes of a form. Like all requests it has passed the check of its origin.
pub async fn read_form(body: Body) -> Result<Bytes, ApiError> {
    read_few(body).await
}

async fn read_few(body: Body) -> Result<Bytes, ApiError> {
    let read = axum::body::to_bytes(body, limits::ADMIN_BODY_BYTES);
    let idle = Duration::from_secs(limits::IDLE_SECONDS);
    match timeout(idle, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let message = format!("body has more than {} bytes", limits::ADMIN_BODY_BYTES);
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message))
        }
        Err(_) => {
            let message = format!("the body did not end within {} seconds", idle.as_secs());
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, message))
        }
    }
}

/// The pieces of a body as they come (I-BODY-3).
#[derive(Debug)]
pub struct Frames(Body);

impl Frames {
    /// Of a body that nothing was read of.
    pub fn new(body: Body) -> Self {
        Self(body)
    }

    /// The next piece with something in it; none at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let idle = Duration::from_secs(limits::IDLE_SECONDS);
        match self.next_within(idle).await? {
            Next::Piece(data) => Ok(Some(data)),
            Next::End => Ok(None),
            Next::Silence => {
                let seconds = idle.as_secs();
                let message = format!("nothing of the body came for {seconds} seconds");
                Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, message))
            }
        }
    }

    /// The next piece, unless nothing comes for so long.
    pub async fn next_within(&mut self, wait: Duration) -> Result<Next, ApiError> {
        loop {
            match timeout(wait, self.0.frame()).await {
                Ok(None) => return Ok(Next::End),
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Next::Piece(data));
                    }
                }
                Ok(Some(Err(error))) => {
                    let message = format!("the body could not be read: {error}");
                    return Err(ApiError::bad_request(message));
                }
                Err(_) => return Ok(Next::Silence),
            }
        }
    }
}

/// What came of a body.
#[derive(Debug)]
pub enum Next {
    /// Bytes.
    Piece(Bytes),
    /// Nothing more will.
    End,
    /// Nothing yet.
    Silence,
}

/// An error unless the body is said to be `application/json`.
pub fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let sent = headers
        .get(header::CONTENT_TYPE)
        .map_or("", |value| value.to_str().unwrap_or_default());
    let essence = sent.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "send the header `content-type: application/json`",
    ))
}

async fn collect(
    budget: &Arc<Semaphore>,
    body: Body,
    declared: Option<usize>,
) -> Result<(Vec<u8>, OwnedSemaphorePermit), ApiError> {
    let first = declared.unwrap_or(FIRST_BYTES).min(FIRST_BYTES);
    let mut share = take(budget, first).await?;
    let mut bytes = Vec::with_capacity(first);
    let mut frames = Frames::new(body);
    while let Some(data) = frames.next().await? {
        let needed = bytes.len() + data.len();
        if needed > limits::BODY_BYTES {
            return Err(too_large());
        }
        if needed > bytes.capacity() {
            let grown = (bytes.capacity() * 2).max(needed).min(limits::BODY_BYTES);
            share.merge(take(budget, grown - bytes.capacity()).await?);
            bytes.reserve_exact(grown - bytes.len());
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, share))
}

/// A share of the budget of all bodies (I-BODY-2).
pub async fn take(budget: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
    let permits = u32::try_from(bytes).expect("body limits fit 32 bits");
    let share = Arc::clone(budget).acquire_many_owned(permits);
    match timeout(WAIT, share).await {
        Ok(share) => Ok(share.expect("never closed")),
        Err(_) => Err(ApiError::unavailable(
            "too many large bodies are being read; send this one again",
        )),
    }
}

/// How the headers say that the body is packed, if it may be packed so.
pub fn encoding(headers: &HeaderMap, taken: &[Encoding]) -> Result<Encoding, ApiError> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(Encoding::Identity);
    };
    let named = value.to_str().ok().and_then(Encoding::from_header);
    let named = named.filter(|named| taken.contains(named));
    named.ok_or_else(|| not_taken(&String::from_utf8_lossy(value.as_bytes()), taken))
}

/// What is said of a body that is packed otherwise.
pub fn not_taken(encoding: &str, taken: &[Encoding]) -> ApiError {
    let shown: String = encoding.chars().take(64).collect();
    let names: Vec<_> = taken.iter().map(|one| one.as_str()).collect();
    let message = format!(
        "content-encoding {shown:?} is not taken here; it may be {}",
        names.join(", ")
    );
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
}

fn too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("body has more than {} bytes", limits::BODY_BYTES),
    )
}

#[cfg(test)]
mod tests;
