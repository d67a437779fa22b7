//! Oracle: made-up queries over made-up series against a naive evaluator, for as long as one likes.
//!
//!   queries from a seed ─▶ tinyobs-promql tests/oracle, optimised ─▶ the same answers?

use anyhow::Result;
use clap::Args;

use crate::tools;

/// How many, and from where.
#[derive(Args)]
pub struct Options {
    /// Queries in all.
    #[arg(long, default_value_t = 1_000_000)]
    queries: u64,
    /// Seed of the first series; each further set of series has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs them.
pub fn run(options: &Options) -> Result<()> {
    let (queries, seed) = (options.queries.to_string(), options.seed.to_string());
    let envs = [
        ("TINYOBS_ORACLE_QUERIES", queries.as_str()),
        ("TINYOBS_ORACLE_SEED", seed.as_str()),
    ];
    let args = [
        "test",
        "--release",
        "--package",
        "tinyobs-promql",
        "--test",
        "oracle",
        "--",
        "--nocapture",
    ];
    tools::run("cargo", &args, &envs)
}
