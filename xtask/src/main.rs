//! Everything a developer of TinyObs runs: `cargo xtask <command>`.
//!
//!   test    all that proves TinyObs: lints, Rust, UI, real processes, browser
//!   crash   kill -9, power cuts, flipped bits, full disks, failing syncs: what survives them
//!   overload four times what a server can take: what it acknowledges, and what it keeps
//!   fuzz    inputs made up by coverage, for everything that reads bytes
//!   model   random lives of the store beside a naive model of it, and every point to die at
//!   oracle  made-up queries beside a naive evaluator of them
//!   promql  scripts of queries against a real server
//!   soak    weeks of the demo app's load through the store, in minutes
//!   clients other people's programs, which push to a real server or scrape it
//!   bench   the figures of docs/PERFORMANCE.md
//!
//! Each command installs or names what it needs, and none of them skips anything silently.

mod bench;
mod clients;
mod crash;
mod fuzz;
mod licences;
mod model;
mod oracle;
mod overload;
mod peers;
mod promql;
mod soak;
mod test;
#[cfg(test)]
mod tidy;
mod tools;

use clap::Parser;

/// Everything a developer of TinyObs runs.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Command {
    /// Run all that proves TinyObs; installs npm packages and, where it may, Chromium.
    Test(test::Options),
    /// Hurt a real server and look for what it had acknowledged.
    #[command(subcommand)]
    Crash(crash::Fault),
    /// Offer a server four times what it can take.
    Overload(overload::Options),
    /// Look for inputs that panic, are read wrongly, or take too much.
    Fuzz(fuzz::Options),
    /// Compare the store with a naive model of it.
    Model(model::Options),
    /// Compare the evaluation of queries with a naive one.
    Oracle(oracle::Options),
    /// Run scripts of queries against a real server.
    Promql(promql::Options),
    /// Simulate weeks of the demo app's load.
    Soak(soak::Options),
    /// Let real clients push and scrape, and compare values; installs them into target/clients.
    #[command(subcommand)]
    Clients(clients::Client),
    /// Measure ingest, disk, memory, start-up and the SDK.
    Bench(bench::Options),
    /// Decode what is pushed and forget it, for `bench ingest`.
    #[command(hide = true)]
    NullServer(bench::ingest::null::Options),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Test(options) => test::run(&options),
        Command::Crash(fault) => crash::run(&fault),
        Command::Overload(options) => overload::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Model(options) => model::run(&options),
        Command::Oracle(options) => oracle::run(&options),
        Command::Promql(options) => promql::run(&options),
        Command::Soak(options) => soak::run(&options),
        Command::Clients(client) => clients::run(&client),
        Command::Bench(options) => bench::run(&options),
        Command::NullServer(options) => bench::ingest::null::serve(&options),
    }
}
