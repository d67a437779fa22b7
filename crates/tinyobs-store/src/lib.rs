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
//! - [`flush`]: from the head into the engine.
//! - [`engine`]: an ordered key-value store in time partitions, in memory or on disk.
//! - [`rollup`]: samples become windows of five minutes and of an hour.
//! - [`merge`]: many short chunks become few long ones.
//! - [`retention`], [`storage`]: what is too old goes, and what is too much.
//! - [`room`]: whether writes are refused because there is none. [`maintenance`]: when all that happens.
//! - [`select`], over [`runs`]: the way back out, and [`resolve`], which picks the resolution.
//! - `exact`: where one series stands.
//! - [`stats`], [`cardinality`]: figures about all of it. [`backup`]: all of it, elsewhere.
//! - [`directory`]: its files, looked at while it is not open; [`check`] looks for
//!   damage, [`inspect`] shows what they hold.

mod append;
mod backup;
pub mod bytes;
mod cardinality;
pub mod check;
pub mod chunk;
mod clock;
mod directory;
pub mod engine;
mod error;
mod exact;
pub mod files;
mod flush;
mod head;
mod index;
mod inner;
pub mod inspect;
mod maintenance;
pub mod memory;
mod merge;
mod open;
mod options;
mod resolve;
mod retention;
pub mod rollup;
mod room;
mod runs;
mod select;
mod signal;
mod stats;
mod storage;
mod store;
pub mod wal;

pub use append::{Appended, TimesTaken};
pub use backup::{Backup, BackupFile};
pub use cardinality::{Cardinality, Growth, LabelSize, LastRefusal};
pub use clock::{Clock, SystemClock};
pub use error::StoreError;
pub use maintenance::{Maintained, MaintenanceStatus, Phase};
pub use options::{Durability, EngineKind, Retention, StoreOptions};
pub use resolve::wanted;
pub use stats::{MetricInfo, Stats};
pub use storage::{Level, SpaceInfo, Storage};
pub use store::{SeriesInfo, Store};
