//! The vocabulary that every other crate of TinyObs speaks.
//!
//! Nothing here does I/O, keeps state or knows a server: a value goes in, a value comes out.
//! In reading order:
//!
//! - [`limits`]: every limit of the system in one place, each with its reason.
//! - [`sample`]: a time and a value; what a stale marker is.
//! - [`kind`]: counter, gauge, histogram, summary; metadata of a metric name.
//! - [`labels`]: the identity of a series, as canonical bytes.
//! - [`service`]: which service a series is of.
//! - [`refusal`]: why one item of a batch was not stored.
//! - [`batch`]: samples on their way into a store.
//! - [`matcher`]: `name="value"`, `!=`, `=~`, `!~`.
//! - [`rollup`]: what is kept of a window of samples, and how wide windows are.
//! - [`source`]: what a store offers to whoever queries it.

pub mod batch;
pub mod kind;
pub mod labels;
pub mod limits;
#[cfg(feature = "matchers")]
pub mod matcher;
pub mod refusal;
pub mod rollup;
pub mod sample;
pub mod service;
#[cfg(feature = "matchers")]
pub mod source;

pub use batch::{Row, WriteBatch};
pub use kind::{Kind, Metadata};
pub use labels::{Labels, LabelsBuilder, METRIC_NAME};
#[cfg(feature = "matchers")]
pub use matcher::{MatchOp, Matcher};
pub use refusal::{OWN_ITEMS, Refusal, Refused};
pub use rollup::{Resolution, Rollup};
pub use sample::{STALE_MARKER_BITS, Sample, TimeRange, is_stale_marker, stale_marker};
pub use service::SERVICE_LABELS;
#[cfg(feature = "matchers")]
pub use source::{Columns, ResolvedCursor, SelectError, SeriesCursor, SeriesSource, Stretch};
