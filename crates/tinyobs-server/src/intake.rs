//! Intake: what every way in shares.
//!
//!   request ─▶ body ─▶ decompress ─▶ [decoder] ─▶ store::append ─▶ [Taken] ─▶ answer of the protocol
//!
//! I-INTAKE-1  A push that ran into a failing store is never acknowledged.
//! I-INTAKE-2  A connection that pushes nothing but series beyond the limit, and goes on, takes at
//!             most a third of the time from those whose series are known.
//! I-INTAKE-3  Who waits for others of its kind has no place in the ingest gate meanwhile; whose turn
//!             it is passes that gate at once, for others wait until it is done.
//! Proved by: intake/tests.rs, otlp/deltas/tests.rs, ingest/tests.rs, `cargo xtask crash bomb`.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::StatusCode;
use tinyobs_model::{Refused, WriteBatch, limits};
use tinyobs_wire::decompress::{DecompressError, Encoding, decompress, decompress_into};
use tinyobs_wire::json::Decoded;

use crate::body::{self, Held};
use crate::clients::Push;
use crate::error::ApiError;
use crate::otlp::deltas::Turn;
use crate::state::App;

const REFUSED_PAUSE: Duration = Duration::from_millis(limits::REFUSED_PAUSE_MS);

/// Batches that have been stored, for their memory: fresh pages for every body cost more than
/// reading them.
#[derive(Debug, Default)]
pub struct Spare(Mutex<Vec<WriteBatch>>);

impl Spare {
    /// One that was given back, or an empty one.
    pub fn take(&self) -> WriteBatch {
        let spare = self.lock().pop();
        spare.unwrap_or_default()
    }

    /// Keeps it for the next one, unless it is large or there are enough.
    pub fn give(&self, mut batch: WriteBatch) {
        // Names and descriptions are memory that the batch does not count as its own.
        batch.recycle();
        let mut kept = self.lock();
        if batch.memory_bytes() <= limits::SPARE_BYTES && kept.len() < limits::INGEST_AT_ONCE {
            kept.push(batch);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<WriteBatch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a push.
#[derive(Debug, Default)]
pub struct Taken {
    /// Items in the body.
    pub items: u32,
    /// Samples stored; a histogram item is several.
    pub stored: u64,
    /// One entry for each item and rule that it broke, by item: most break one.
    pub refused: Vec<Refused>,
}

impl Taken {
    /// Whether there was something, and all of it was refused for being one series too many.
    pub fn is_over_limit(&self) -> bool {
        let mut refused = self.refused.iter();
        self.stored == 0
            && !self.refused.is_empty()
            && refused.all(|one| one.rule.is_series_limit())
    }

    /// I-INTAKE-2: waits when it is over the limit and took so long.
    pub async fn pause(&self, took: Duration) {
        if self.is_over_limit() {
            tokio::time::sleep((2 * took).min(REFUSED_PAUSE)).await;
        }
    }
}

/// Reads the body, has it decoded and stores what came out, on a thread where that may take long.
/// `decode` is given the unpacked body and the time.
///
/// # Errors
/// The body cannot be read, `decode` refuses it as a whole, or the store does not take it.
pub async fn take<F>(app: &App, request: Request, decode: F) -> Result<Taken, ApiError>
where
    F: FnOnce(&App, &[u8], i64) -> Result<Decoded, ApiError> + Send + 'static,
{
    let decode = |app: &App, body: Cow<'_, [u8]>, now_ms, _| decode(app, &body, now_ms);
    take_owned(app, request, decode).await
}

/// Like [`take`], for a decoder that keeps the body, and is given a batch to fill again.
///
/// # Errors
/// As those of [`take`].
pub async fn take_owned<F>(app: &App, request: Request, decode: F) -> Result<Taken, ApiError>
where
    F: FnOnce(&App, Cow<'_, [u8]>, i64, WriteBatch) -> Result<Decoded, ApiError> + Send + 'static,
{
    let (parts, body) = request.into_parts();
    let held = body::read(&app.body_bytes, &parts.headers, body).await?;
    let shared = app.clone();
    let (taken, took) = app
        .ingest
        .run(move |_| {
            let begun = Instant::now();
            Ok((store(&shared, held, decode)?, begun.elapsed()))
        })
        .await?;
    taken.pause(took).await;
    Ok(taken)
}

/// What a decoder that may need a turn makes of a body, with what keeps others away until the batch
/// is stored. None when it must have a turn first, and somebody else has it.
pub type Turned = Option<(Decoded, Option<Turn>)>;

/// Like [`take`], for a decoder that adds to what is stored. Whoever waits for a turn does so before
/// it has a place among those who decode and store (I-INTAKE-3), and is decoded anew.
///
/// # Errors
/// As those of [`take`]; or too many are waiting for a turn.
pub async fn take_turned<F>(app: &App, request: Request, decode: F) -> Result<Taken, ApiError>
where
    F: Fn(&App, &[u8], Option<Turn>) -> Result<Turned, ApiError> + Clone + Send + 'static,
{
    let (parts, body) = request.into_parts();
    let mut held = body::read(&app.body_bytes, &parts.headers, body).await?;
    let mut turn = None;
    loop {
        let (shared, decode) = (app.clone(), decode.clone());
        let has_turn = turn.is_some();
        let work = move || attempt(&shared, held, turn, decode);
        let attempted = if has_turn {
            app.ingest.run_ahead(move |_| work()).await?
        } else {
            app.ingest.run(move |_| work()).await?
        };
        match attempted {
            Attempt::Taken(taken, took) => {
                taken.pause(took).await;
                return Ok(taken);
            }
            Attempt::Wait(back) => held = back,
        }
        turn = Some(app.deltas.turn().await?);
    }
}

enum Attempt {
    Taken(Taken, Duration),
    Wait(Held),
}

fn attempt<F>(app: &App, held: Held, turn: Option<Turn>, decode: F) -> Result<Attempt, ApiError>
where
    F: Fn(&App, &[u8], Option<Turn>) -> Result<Turned, ApiError>,
{
    let begun = Instant::now();
    let now_ms = app.now_ms();
    let turned = decode(app, &unpack(&held)?, turn)?;
    let Some((decoded, _turn)) = turned else {
        return Ok(Attempt::Wait(held));
    };
    drop(held);
    let taken = keep(app, decoded, now_ms)?;
    Ok(Attempt::Taken(taken, begun.elapsed()))
}

/// The body as it was before it was packed.
///
/// # Errors
/// It is damaged, or too large unpacked.
pub fn unpack(held: &Held) -> Result<Cow<'_, [u8]>, ApiError> {
    decompress(held.encoding, &held.bytes, limits::DECOMPRESSED_BYTES)
        .map_err(|error| refuse_packed(&error))
}

/// Decodes and stores one body.
pub fn store<F>(app: &App, held: Held, decode: F) -> Result<Taken, ApiError>
where
    F: FnOnce(&App, Cow<'_, [u8]>, i64, WriteBatch) -> Result<Decoded, ApiError>,
{
    let now_ms = app.now_ms();
    let mut spare = app.spare.take();
    let decoded = {
        // What is not packed needs no room to be unpacked into.
        let scratch = match held.encoding {
            Encoding::Identity => Vec::new(),
            _ => std::mem::take(spare.arena()),
        };
        let limit = limits::DECOMPRESSED_BYTES;
        let body = decompress_into(held.encoding, &held.bytes, limit, scratch)
            .map_err(|error| refuse_packed(&error))?;
        decode(app, body, now_ms, spare)?
    };
    // The bodies are no longer needed while the store works.
    drop(held);
    keep(app, decoded, now_ms)
}

/// Stores what a decoder has read, and notes who sent it.
fn keep(app: &App, decoded: Decoded, now_ms: i64) -> Result<Taken, ApiError> {
    let taken = append_batch(app, &decoded.batch, decoded.items, decoded.refused)?;
    let sources = decoded.source.iter().chain(&decoded.more_sources);
    app.clients_pushed(sources.map(Push::from), &decoded.batch, now_ms);
    app.spare.give(decoded.batch);
    Ok(taken)
}

/// Stores what a decoder has read.
///
/// # Errors
/// The store does not take it.
pub fn append(app: &App, decoded: Decoded) -> Result<Taken, ApiError> {
    let taken = append_batch(app, &decoded.batch, decoded.items, decoded.refused)?;
    app.spare.give(decoded.batch);
    Ok(taken)
}

fn append_batch(
    app: &App,
    batch: &WriteBatch,
    items: u32,
    mut refused: Vec<Refused>,
) -> Result<Taken, ApiError> {
    let mut stored = 0;
    if !batch.says_nothing() {
        let appended = app.store.append(batch).map_err(|error| {
            if error.is_fatal() {
                app.raise_fatal(error.to_string());
            }
            ApiError::from(error)
        })?;
        stored = appended.stored;
        refused.extend(appended.refused);
    }
    let refused = one_each(refused);
    app.counters.stored(stored);
    app.counters.refused(&refused);
    Ok(Taken {
        items,
        stored,
        refused,
    })
}

/// One entry per item and rule, by item: the parts of a histogram share a fate, and the first says
/// why.
fn one_each(mut refused: Vec<Refused>) -> Vec<Refused> {
    refused.sort_by_key(|one| one.item);
    refused.dedup_by_key(|one| (one.item, one.rule));
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
