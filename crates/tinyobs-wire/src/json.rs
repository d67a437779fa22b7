//! JSON: the push body as the server reads it.
//!
//!   [`decompress`](crate::decompress) ─▶ [decode] ─▶ `WriteBatch` ─▶ store::append
//!
//!   text ─▶ envelope (object, `source`, list) ─▶ item (borrowed fields) ─▶ rows (checked, unfolded)
//!
//! The plain shape is read by [`scan`], and all others by serde.
//!
//! Its first pass streams borrowed items straight into the batch. When an item does not have the
//! shape of one, a second pass takes the list's elements as raw text, so that the item's error is
//! its own. Both passes share everything but the loop over the list.
//!
//! I-JSON-1  A bad item costs only itself; its neighbours are in the batch.
//! I-JSON-2  A body is read as a whole or not at all: cut, broken or trailing text is an error.
//! I-JSON-3  Items are counted while they are read: the one past the limit ends the reading.
//! I-JSON-4  Numbers are read by Rust's exact parser, so every `f64` survives bit for bit.
//! I-JSON-5  Nothing recurses on the sender's nesting: unknown values are skipped by a loop.
//! I-JSON-6  What a batch may take in memory is checked before an item is unfolded into it.
//! I-JSON-7  A line of a streamed push is an item alone, and its number is its line's.
//! Proved by: json/tests.rs.

use tinyobs_model::{Refused, WriteBatch, limits};

use crate::bom::without_bom;

mod envelope;
pub(crate) mod fields;
pub(crate) mod item;
mod lines;
mod rows;
mod scan;
mod words;

pub(crate) use item::Text;
pub use lines::decode_lines;
pub use words::{reason, reason_at};

/// Who pushed, as far as they said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// The service's name, or "".
    pub service: String,
    /// What tells this process from others of the same service, or "".
    pub instance: String,
    /// When the process started, in milliseconds since the epoch.
    pub start_ms: Option<i64>,
    /// How long it is between two pushes, in milliseconds.
    pub interval_ms: Option<u64>,
    /// Whether this is the last push of the process.
    pub is_final: bool,
}

/// What a body held.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The samples of the good items.
    pub batch: WriteBatch,
    /// One entry for each item that is not in the batch, by item.
    pub refused: Vec<Refused>,
    /// Items in the body, good and bad.
    pub items: u32,
    /// Who pushed.
    pub source: Option<Source>,
    /// Who else did, when a request speaks for several, as an OpenTelemetry collector's do.
    pub more_sources: Vec<Source>,
}

/// Why a whole body was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// Not text in UTF-8, which JSON is.
    #[error("body is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// The first byte that is not.
        at: usize,
    },
    /// The text ends before the value does.
    #[error("body ends too early, at line {line}, column {column}")]
    Truncated {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
    /// Not JSON, or JSON with something behind it.
    #[error("body is not valid JSON: {reason} at line {line}, column {column}{hint}")]
    Syntax {
        /// What to do instead, or "".
        hint: &'static str,
        /// What is wrong.
        reason: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
    /// JSON, but not an object with a list of items.
    #[error("body is not a push: {reason} at line {line}, column {column}")]
    Shape {
        /// What is wrong.
        reason: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
    /// More than `limits::ITEMS_PER_REQUEST` items.
    #[error("body has more than {limit} items; send them in several requests")]
    TooManyItems {
        /// The bound that was passed.
        limit: usize,
    },
}

/// Reads a push body that arrived at `now_ms`.
///
/// # Errors
/// The body as a whole cannot be read; nothing of it may be stored then.
pub fn decode(body: &[u8], now_ms: i64) -> Result<Decoded, BodyError> {
    decode_into(body, now_ms, WriteBatch::new())
}

/// Like [`decode`], into a batch whose memory was used before.
///
/// # Errors
/// As those of [`decode`].
pub fn decode_into(body: &[u8], now_ms: i64, mut spare: WriteBatch) -> Result<Decoded, BodyError> {
    let text = std::str::from_utf8(without_bom(body)).map_err(|error| BodyError::NotUtf8 {
        at: error.valid_up_to(),
    })?;
    // As nearly everybody writes it.
    spare.clear();
    let mut sink = rows::Sink::over(spare, now_ms, None);
    if scan::read(text, &mut sink).is_some() {
        return Ok(sink.into_decoded());
    }
    by_serde(text, now_ms)
}

/// Reads a body of any shape.
fn by_serde(text: &str, now_ms: i64) -> Result<Decoded, BodyError> {
    let mut lenient = false;
    let mut known_source = None;
    // At most one turn more for a bad item, and one for a source that follows its items.
    loop {
        let mut sink = rows::Sink::new(now_ms, known_source.clone());
        match envelope::read(text, lenient, &mut sink) {
            Ok(()) if sink.source_came_late => known_source = sink.source,
            Ok(()) => return Ok(sink.into_decoded()),
            Err(_) if sink.too_many_items => {
                return Err(BodyError::TooManyItems {
                    limit: limits::ITEMS_PER_REQUEST,
                });
            }
            Err(error) if lenient => return Err(body_error(&error, text)),
            Err(_) => lenient = true,
        }
    }
}

fn body_error(error: &serde_json::Error, text: &str) -> BodyError {
    let (line, column) = (error.line(), error.column());
    let reason = reason(error);
    match error.classify() {
        serde_json::error::Category::Eof => BodyError::Truncated { line, column },
        serde_json::error::Category::Data => BodyError::Shape {
            reason,
            line,
            column,
        },
        _ => BodyError::Syntax {
            hint: hint_at(text, line, column),
            reason,
            line,
            column,
        },
    }
}

/// What to say to somebody who writes a number so, that JSON does not have; "" for all else.
pub(crate) fn hint(word: &str) -> &'static str {
    let word = word.trim_start_matches(['-', '+']);
    let is = |name: &str| {
        let front = word.as_bytes().get(..name.len());
        front.is_some_and(|front| front.eq_ignore_ascii_case(name.as_bytes()))
    };
    if is("nan") || is("inf") {
        "; JSON has no NaN and no infinity: leave the item out, or send it by remote write, OTLP or \
         in the Prometheus text format, which have them"
    } else {
        ""
    }
}

/// The same for what stands at a place, both counted from 1; the column in bytes, of the last byte
/// that was read.
fn hint_at(text: &str, line: usize, column: usize) -> &'static str {
    let line = text.split('\n').nth(line.saturating_sub(1));
    let line = line.unwrap_or_default().as_bytes();
    // `N` is no value, but `-I` is no number where its second byte is read, and `nan` begins as
    // `null` does.
    let from = column.min(line.len()).saturating_sub(3);
    (from..column.min(line.len()))
        .filter_map(|at| std::str::from_utf8(&line[at..line.len().min(at + 4)]).ok())
        .map(hint)
        .find(|hint| !hint.is_empty())
        .unwrap_or_default()
}

/// Text of a sender as it may stand in a message: short however long it is.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN: usize = 160;
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
