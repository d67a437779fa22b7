//! Clients: programs that others wrote, against a real server; they compare values, not counts.
//!
//! Each command finds its program or says which package has it.

mod scrape;

use anyhow::Result;
use clap::Subcommand;

/// Whose program.
#[derive(Subcommand)]
pub enum Client {
    /// Prometheus collects `/metrics`, `/metrics/self` and `/federate`.
    Scrape(scrape::Options),
}

/// Runs it.
pub fn run(client: &Client) -> Result<()> {
    match client {
        Client::Scrape(options) => scrape::run(options),
    }
}
