//! Model: the store against a naive model of itself, for as long as one likes.
//!
//!   steps from a seed ─▶ tinyobs-store tests/model.rs, optimised ─▶ the same answers?
//!
//! First the random walk; then, on a device of our own, the store is cut off and runs full at every
//! single operation on its files. `cargo test` takes the short forms of both.

use anyhow::Result;
use clap::Args;

use crate::tools;

/// How far, and from where.
#[derive(Args)]
pub struct Options {
    /// Random steps in all: batches, reads, flushes, maintenance, restarts, kills, time.
    #[arg(long, default_value_t = 1_000_000)]
    ops: u64,
    /// Seed of the steps, to repeat a run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave out the faults.
    #[arg(long)]
    no_faults: bool,
}

/// Runs them.
pub fn run(options: &Options) -> Result<()> {
    let (ops, seed) = (options.ops.to_string(), options.seed.to_string());
    let envs = [
        ("TINYOBS_MODEL_OPS", ops.as_str()),
        ("TINYOBS_MODEL_SEED", seed.as_str()),
        ("TINYOBS_MODEL_STRIDE", "1"),
    ];
    let test = |name: &str| {
        let args = [
            "test",
            "--release",
            "--package",
            "tinyobs-store",
            "--test",
            "model",
            "--",
            "--nocapture",
            name,
        ];
        tools::run("cargo", &args, &envs)
    };
    test("the_store_answers_as_the_model_does")?;
    if !options.no_faults {
        test("faults::")?;
    }
    Ok(())
}
