//! Soak: weeks of the demo app's load through the real store, in minutes.
//!
//!   tinyobs-store tests/soak.rs, optimised: a simulated clock, maintenance every hour ─▶ figures
//!
//! Once with the default budget of 1 GiB, once with a small one. `cargo test` takes the short form.

use anyhow::Result;
use clap::Args;

use crate::tools;

/// How long, and how much.
#[derive(Args)]
pub struct Options {
    /// Simulated days; above 14, raw samples expire.
    #[arg(long, default_value_t = 53)]
    days: u64,
    /// Seconds between two pushes.
    #[arg(long, default_value_t = 15)]
    push_seconds: u64,
    /// KiB of the small budget: less than everything takes, more than a day of it.
    #[arg(long, default_value_t = 16_384)]
    small_kib: u64,
}

/// Runs it.
pub fn run(options: &Options) -> Result<()> {
    let days = options.days.to_string();
    let push = options.push_seconds.to_string();
    let small = options.small_kib.to_string();
    let envs = [
        ("TINYOBS_SOAK_DAYS", days.as_str()),
        ("TINYOBS_SOAK_PUSH_S", push.as_str()),
        ("TINYOBS_SOAK_SMALL_KIB", small.as_str()),
    ];
    let args = [
        "test",
        "--release",
        "--package",
        "tinyobs-store",
        "--test",
        "soak",
        "--",
        "--nocapture",
        "weeks_of_the_demo",
    ];
    tools::run("cargo", &args, &envs)
}
