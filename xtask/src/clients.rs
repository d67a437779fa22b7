//! Clients: programs that others wrote, against a real server; they compare values, not counts.
//!
//! Each command finds its program or says which package has it.

mod push;

use anyhow::Result;
use clap::Subcommand;

/// Whose program.
#[derive(Subcommand)]
pub enum Client {
    /// Python's `prometheus_client` pushes to groups.
    Push(push::Options),
}

/// Runs it.
pub fn run(client: &Client) -> Result<()> {
    match client {
        Client::Push(options) => push::run(options),
    }
}
