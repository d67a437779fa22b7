//! Rollup: samples become windows of five minutes and of an hour.
//!
//!   flush ─▶ raw chunks above the watermark ─▶ [`windows`] of the hours they touch ─▶ [`rows`] ─▶ one commit
//!
//! The watermark is a sequence number: every raw chunk up to it stands in rollups. What a flush adds
//! is above it, whatever its times are, so late samples need no list of their own: the hours that
//! they touch are computed again from all raw samples, and the new rows stand above the old ones.
//!
//! Where raw samples have been dropped, the rows are all there is. What still comes for such a time
//! is joined to them, and its raw partition goes in the same commit.
//!
//! I-ROLLUP-3  Rows and watermark are committed together: a crash or a repeat changes nothing.
//! I-ROLLUP-4  Every sample of the engine up to the watermark is in exactly one window of each
//!             resolution that is kept.
//! I-ROLLUP-5  A sample of a dropped raw partition is joined once: it leaves the engine in the commit
//!             that joins it.
//! Proved by: rollup/tests.rs, tests/model.rs, `cargo xtask crash kill`.

pub mod job;
pub mod rows;
pub mod windows;

#[cfg(test)]
mod damage;
#[cfg(test)]
mod tests;
