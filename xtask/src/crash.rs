//! Crash: every fault that a server can be given from outside, and what it must survive.
//!
//! In reading order: [`load`] writes and keeps the log of what was acknowledged, [`verify`] compares
//! a server with it, [`maintenance`], [`random`], [`sandbox`] and [`trace`] are their tools. Then
//! one file for each fault. docs/RELIABILITY.md has the promises and the figures.

use anyhow::Result;
use clap::Subcommand;

mod flip;
mod kill;
mod load;
mod maintenance;
mod random;
mod sandbox;
mod verify;

/// The faults.
#[derive(Subcommand)]
pub enum Fault {
    /// `kill -9` at random moments under ingest, flush, maintenance and retention.
    Kill(kill::Options),
    /// Flip single bits in each kind of file.
    Flip(flip::Options),
}

/// Runs one of them.
pub fn run(fault: &Fault) -> Result<()> {
    match fault {
        Fault::Kill(options) => kill::run(options),
        Fault::Flip(options) => flip::run(options),
    }
}

/// The short form of each, as `cargo xtask test` runs it.
pub fn short() -> Result<()> {
    kill::run(&kill::Options::short(50))?;
    flip::run(&flip::Options::short(10))
}
