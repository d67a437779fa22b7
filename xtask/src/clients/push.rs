//! Push: what Python's `prometheus_client` pushes to a group is what the server shows.
//!
//!   push.py ─▶ `/metrics/job/…` ─▶ tinyobs ─▶ `/metrics` ─▶ the library's own parser ─▶ compare
//!
//! The library is installed with pip into an environment of its own under `target/clients`, unless
//! it is there already.
//!
//! Passes when after each step (PUT, POST, PUT of less, DELETE) every series that the library has is
//! there with its value, bit for bit but for the bits of a NaN, and no other of the group.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::tools;

/// What is compared.
#[derive(Args)]
pub struct Options {
    /// This `tinyobs` instead of one built now.
    #[arg(long)]
    server: Option<PathBuf>,
}

/// Pushes and compares.
pub fn run(options: &Options) -> Result<()> {
    let python = python()?;
    let dir = tempfile::tempdir()?;
    let server = super::start(options.server.as_deref(), dir.path())?;
    let script = tools::root().join("xtask/src/clients/push.py");
    let script = script.display().to_string();
    tools::run(&python, &["-u", &script, &server.url], &[])
}

/// A python that has the library.
fn python() -> Result<String> {
    let dir = tools::target_dir()?.join("clients/python");
    let python = dir.join("bin/python3").display().to_string();
    let has_it = ["-c", "import prometheus_client"];
    if tools::output_of(&python, &has_it).is_err() {
        let dir = dir.display().to_string();
        tools::run("python3", &["-m", "venv", &dir], &[])
            .context("python's venv is missing (Debian: `python3-venv`)")?;
        let library = ["-m", "pip", "install", "--quiet", "prometheus_client"];
        tools::run(&python, &library, &[])?;
    }
    Ok(python)
}
