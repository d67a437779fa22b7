//! The store: samples go in, are kept, and come out again by matchers and time.
//!
//! It knows series and samples; it does not know HTTP, PromQL or who is asking. In reading order,
//! which is the order of a sample's way:
//!
//! - [`options`], [`clock`], [`files`]: what a store is given, and its doors to the outside.
//! - [`store`]: the whole, from opening to closing; [`open`] is how a directory becomes a store,
//!   [`inner`] what its calls and threads share.
//! - [`append`]: look up, admit, log, show.
//! - [`index`]: which series there are.
//! - [`wal`]: the log that an acknowledgement rests on.
//! - [`head`]: recent samples, in memory.
//! - [`chunk`]: how samples are compressed.
//! - [`flush`]: from the head into the engine, and [`maintenance`], which decides when.
//! - [`engine`]: an ordered key-value store in time partitions, in memory or on disk.
//! - [`select`]: the way back out.
//! - [`stats`]: figures about all of it.

mod append;
mod bytes;
pub mod chunk;
mod clock;
pub mod engine;
mod error;
pub mod files;
mod flush;
mod head;
mod index;
mod inner;
mod maintenance;
mod open;
mod options;
mod select;
mod signal;
mod stats;
mod store;
pub mod wal;

pub use append::Appended;
pub use clock::{Clock, SystemClock};
pub use error::StoreError;
pub use options::{Durability, EngineKind, Retention, StoreOptions};
pub use stats::{MetricInfo, Stats};
pub use store::{SeriesInfo, Store};
