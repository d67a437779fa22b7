//! OTLP: metrics as OpenTelemetry's clients push them, in protobuf or JSON.
//!
//!   body ─▶ [`proto`] ─┐
//!                      ├─▶ `Metric`, `Point` ─▶ [`rows`] ─▶ `WriteBatch` ─▶ store::append
//!   body ─▶ [`json`]  ─┘                         │ ▲
//!                                        deltas, ▼ │ newest value of a series
//!                                    in their order│
//!                                             [`Stored`]
//!
//! The readers know the encodings and no meaning; `rows` knows what points mean and no encoding.
//! Names and labels become those of Prometheus (`name`, `labels`), histograms classic ones
//! (`histogram`, `exponential`), deltas running totals (`delta`).
//! Sources: opentelemetry-proto 1.9, the OTLP specification, and the specification's page
//! "Prometheus and OpenMetrics compatibility".
//!
//! I-OTLP-1  Each data point is an item: stored whole, refused whole, its neighbours unharmed.
//! I-OTLP-2  Both encodings of a request give the same batch.
//! I-OTLP-3  Nothing recurses on the sender's nesting, and no list grows past its limit.
//! I-OTLP-4  A delta is counted once: one that has been counted adds nothing, and one that comes too
//!           late to be counted is refused.
//! Proved by: otlp/tests.rs, fuzz target `otlp`, tinyobs-server tests/it/otlp.rs,
//! `cargo xtask clients otlp` and `otel-rust`.

use tinyobs_model::{Refusal, Sample, limits};

use crate::json::Decoded;
use crate::proto::ProtoError;

pub use self::counted::Counted;

pub mod answer;
mod any;
mod buckets;
mod counted;
mod delta;
mod json;
mod labels;
pub mod logs;
mod name;
mod point;
mod proto;
mod rows;

/// How a request is encoded, and its answer likewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/x-protobuf`
    Protobuf,
    /// `application/json`, in OTLP's own mapping.
    Json,
}

impl Format {
    /// The format named by a `Content-Type` header; none when it is not one of OTLP's.
    pub fn from_content_type(text: &str) -> Option<Self> {
        let essence = text.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "application/x-protobuf" | "application/protobuf" => Some(Self::Protobuf),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }

    /// The name that the header has for it.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// Why a whole body was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// A message in it is cut or malformed.
    #[error("body is not an OTLP request in protobuf: {0}")]
    Protobuf(#[from] ProtoError),
    /// Text that is none.
    #[error("body is not an OTLP request in protobuf: text is not UTF-8: {text:?}")]
    NotUtf8 {
        /// What could be read, and signs for what could not.
        text: String,
    },
    /// Not JSON, or not of OTLP's shape.
    #[error("body is not an OTLP request in JSON: {reason}")]
    Json {
        /// What is wrong, and where.
        reason: String,
    },
    /// More data points than a request may have.
    #[error(
        "body has more than {} data points; send them in several requests",
        limits::OTLP_POINTS
    )]
    TooManyPoints,
    /// What is stored could not be read, so deltas cannot be added to it.
    #[error("what deltas are added to cannot be read: {reason}")]
    Stored {
        /// What the store says.
        reason: String,
    },
}

/// What deltas are added to. Whoever implements it keeps other requests with deltas away until the
/// batch is stored, or both would add to the same value.
pub trait Stored {
    /// The newest time of the series with these canonical labels, and its newest value, stale
    /// markers left out.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn newest(&mut self, labels: &[u8]) -> Result<Option<Sample>, String>;

    /// The value of this time of the series with these canonical labels.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn value_at(&mut self, labels: &[u8], time_ms: i64) -> Result<Option<f64>, String>;

    /// What is remembered of the intervals that were counted, from request to request.
    ///
    /// # Errors
    /// Why it cannot be had.
    fn counted(&mut self) -> Result<&mut Counted, String>;

    /// Whether the store takes samples of this time.
    ///
    /// # Errors
    /// The rule that they break, and the sentence for people.
    fn check_time(&mut self, time_ms: i64) -> Result<(), (Refusal, String)>;

    /// The `le` of each series that has these canonical labels and an `le` besides.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn bounds(&mut self, labels: &[u8]) -> Result<Vec<f64>, String>;
}

/// Reads a request for metrics. Its items are data points; a refusal with a number from
/// [`TARGET_ITEMS`] on is about the `target_info` of a resource, counted from there.
///
/// # Errors
/// The body as a whole cannot be read; nothing of it may be stored then.
pub fn decode(format: Format, body: &[u8], stored: &mut dyn Stored) -> Result<Decoded, BodyError> {
    let mut sink = rows::Sink::new(stored);
    match format {
        Format::Protobuf => proto::read(body, &mut sink)?,
        Format::Json => json::read(body, &mut sink)?,
    }
    sink.finish()
}

/// Items from here on are no data points.
pub const TARGET_ITEMS: u32 = tinyobs_model::OWN_ITEMS;

fn text_of(bytes: &[u8]) -> Result<&str, BodyError> {
    const SHOWN: usize = 64;
    std::str::from_utf8(bytes).map_err(|_| BodyError::NotUtf8 {
        text: String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]).into_owned(),
    })
}

#[cfg(test)]
mod tests;
