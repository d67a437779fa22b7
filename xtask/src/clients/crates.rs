//! Crates: programs that use other people's crates, in the workspace `clients/`.
//!
//! I-CRATES-1  Nothing of theirs is in a normal build: they are built below target/clients, by the
//!             lock file that lies beside them.
//! I-CRATES-2  Their licences are among those that ours may have.
//! Proved by: each build, which checks the second and fails; tidy's tests for ours.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{licences, tools};

/// Builds one of the programs.
///
/// # Errors
/// The crates cannot be fetched, one may not be used, or it does not compile.
pub fn build(program: &str) -> Result<PathBuf> {
    check_licences(&manifest())?;
    let dir = tools::target_dir()?.join("clients/rust");
    let path = dir.display().to_string();
    let manifest = manifest();
    let args = [
        "build",
        "--locked",
        "--manifest-path",
        &manifest,
        "--target-dir",
        &path,
        "--bin",
        program,
    ];
    tools::run("cargo", &args, &[])?;
    Ok(dir.join("debug").join(program))
}

/// Fetches what the programs are built from.
///
/// # Errors
/// They cannot be fetched. A lock file that is out of date ends the process's work as another error
/// than one of the network: it can be mended here.
pub fn fetch() -> Result<Result<()>> {
    let output = Command::new("cargo")
        .args(["fetch", "--locked", "--manifest-path", &manifest()])
        .current_dir(tools::root())
        .output()
        .context("cannot run cargo fetch")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(Ok(()));
    }
    ensure!(
        !said.contains("--locked"),
        "clients/Cargo.lock does not fit clients/Cargo.toml: {said}"
    );
    Ok(Err(anyhow::anyhow!(
        "the crates of clients/ cannot be fetched: is the package registry reachable?"
    )))
}

fn manifest() -> String {
    let path = tools::root().join("clients/Cargo.toml");
    path.display().to_string()
}

fn check_licences(manifest: &str) -> Result<()> {
    let args = [
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--manifest-path",
        manifest,
    ];
    let metadata: Value = serde_json::from_str(&tools::output_of("cargo", &args)?)?;
    match licences::refused(&metadata).first() {
        None => Ok(()),
        Some(refused) => bail!("{refused}"),
    }
}
