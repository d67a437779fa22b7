//! Crash: every fault that a server can be given from outside, and what it must survive.
//!
//! In reading order: [`load`] writes and keeps the log of what was acknowledged, [`verify`] compares
//! a server with it, [`maintenance`], [`random`], [`sandbox`] and [`trace`] are their tools. Then
//! one file for each fault. docs/RELIABILITY.md has the promises and the figures.

use std::time::Instant;

use anyhow::Result;
use clap::Subcommand;

use crate::tools;

mod bomb;
mod flip;
mod fsync;
mod full;
mod kill;
mod lives;
mod load;
mod maintenance;
mod power;
mod random;
mod sandbox;
mod trace;
mod unfold;
mod verify;

pub use random::now_ms;
pub use sandbox::{quietly, require};

/// The faults.
#[derive(Subcommand)]
pub enum Fault {
    /// `kill -9` at random moments under ingest, flush, maintenance and retention.
    Kill(kill::Options),
    /// Cut the power at random moments, on a real file system.
    Power(power::Options),
    /// Flip single bits in each kind of file.
    Flip(flip::Options),
    /// Leave no space on the disk, at random moments or for a single write.
    Full(full::Options),
    /// Let the k-th fsync fail.
    Fsync(fsync::Options),
    /// Send new series at full speed against the limit.
    Bomb(bomb::Options),
    /// Send bodies that unfold to a gigabyte, 64 at once, over every way in.
    Bombs(unfold::Options),
    /// The short form of each, as `cargo xtask test` runs them.
    Short,
}

/// Runs one of them.
pub fn run(fault: &Fault) -> Result<()> {
    match fault {
        Fault::Kill(options) => kill::run(options),
        Fault::Power(options) => power::run(options),
        Fault::Flip(options) => flip::run(options),
        Fault::Full(options) => full::run(options),
        Fault::Fsync(options) => fsync::run(options),
        Fault::Bomb(options) => bomb::run(options),
        Fault::Bombs(options) => unfold::run(options),
        Fault::Short => short(),
    }
}

/// The short form of each, as `cargo xtask test` runs it. What the machine does not allow is left
/// out and named.
pub fn short() -> Result<()> {
    let begun = Instant::now();
    kill::run(&kill::Options::short(50))?;
    flip::run(&flip::Options::short(10))?;
    unfold::run(&unfold::Options::short())?;
    if tools::allowed("failing syncs and writes", trace::needs()) {
        fsync::run(&fsync::Options::short(15))?;
        full::run(&full::Options::short(0, Some(25)))?;
    }
    if tools::allowed("full disks", full::needs()) {
        full::run(&full::Options::short(3, None))?;
    }
    if tools::allowed("power cuts", power::needs()) {
        power::run(&power::Options::short(20))?;
    }
    println!("crash tests: {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}
