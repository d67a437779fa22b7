//! Peers: the programs that TinyObs is compared with and talks to, found or fetched.
//!
//!   `PROMETHEUS_BIN`, `PROMTOOL_BIN`, `VICTORIA_METRICS_BIN` ─▶ the path ─▶ `target/peers` ─▶ Debian sid ([`apt`])
//!
//! I-PEER-1  What is used is named with its version, and one too old for what is asked of it is not
//!           used.
//! I-PEER-2  Nothing is installed: packages are unpacked below the target directory.
//! Proved by: peers/tests.rs, peers/apt/tests.rs.

mod apt;
pub mod prometheus;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::tools;

/// Somebody else's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Scrapes, remote-writes and stores.
    Prometheus,
    /// Prometheus' tool: asks its API.
    Promtool,
    /// Stores.
    VictoriaMetrics,
}

impl Peer {
    /// What Debian calls package and program alike.
    fn package(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Promtool => "promtool",
            Self::VictoriaMetrics => "victoria-metrics",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Prometheus => "PROMETHEUS_BIN",
            Self::Promtool => "PROMTOOL_BIN",
            Self::VictoriaMetrics => "VICTORIA_METRICS_BIN",
        }
    }

    /// The oldest that will do: Prometheus speaks remote write 2.0 as it is now since 3.5.
    fn oldest(self) -> Option<(u32, u32)> {
        match self {
            Self::Prometheus | Self::Promtool => Some((3, 5)),
            // Debian's does not know its own version.
            Self::VictoriaMetrics => None,
        }
    }
}

/// A program that will do.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where it is.
    pub program: PathBuf,
    /// What it, or its package, says of itself.
    pub version: String,
}

/// The peer's program, fetched when it is nowhere. Says which one it is.
///
/// # Errors
/// The one that is named will not do, or there is none and it cannot be fetched.
pub fn find(peer: Peer) -> Result<Found> {
    let found = look(peer)?;
    println!("{}: {}", found.program.display(), found.version);
    Ok(found)
}

fn look(peer: Peer) -> Result<Found> {
    let (package, variable) = (peer.package(), peer.variable());
    if let Some(named) = env::var_os(variable) {
        let named = Path::new(&named);
        return checked(peer, named).with_context(|| format!("{variable} will not do"));
    }
    if let Ok(found) = checked(peer, Path::new(package)) {
        return Ok(found);
    }
    let cache = tools::target_dir()?.join("peers");
    fs::create_dir_all(&cache)?;
    // Two commands at once would unpack over each other.
    let lock = File::create(cache.join("lock"))?;
    lock.lock()?;
    let program = cache.join(package).join("usr/bin").join(package);
    if let Ok(cached) = checked(peer, &program) {
        return Ok(cached);
    }
    println!("\nfetching Debian sid's {package} into {}", cache.display());
    apt::fetch(package, &cache).with_context(|| {
        format!("no {package}: name one in {variable}, or connect to a network")
    })?;
    checked(peer, &program).with_context(|| format!("the package {package} will not do"))
}

/// The program, when it runs and is new enough (I-PEER-1).
fn checked(peer: Peer, program: &Path) -> Result<Found> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(
        output.status.success(),
        "{} --version: {}",
        program.display(),
        output.status
    );
    // Which of the two it says it on has changed.
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let mut line = said.lines().next().unwrap_or_default().trim().to_owned();
    let is_it = line.is_empty() || line.starts_with(peer.package());
    ensure!(is_it, "{line:?} is something else");
    if let Some(oldest) = peer.oldest() {
        let version = version(&line).with_context(|| format!("no version in {line:?}"))?;
        ensure!(version >= oldest, "{line:?} is older than {oldest:?}");
    }
    if line.is_empty() {
        // `target/peers/<package>/usr/bin/<program>`
        let unpacked = program.ancestors().nth(3).map(|dir| dir.join(apt::VERSION));
        let noted = unpacked.and_then(|file| fs::read_to_string(file).ok());
        line = noted.unwrap_or_else(|| format!("{}, version unknown", peer.package()));
    }
    Ok(Found {
        program: program.to_path_buf(),
        version: line,
    })
}

/// The first two numbers that a dot joins: `prometheus, version 3.5.3+ds1 (branch: …` says 3 and 5.
fn version(line: &str) -> Option<(u32, u32)> {
    line.split(|c: char| !c.is_ascii_digit() && c != '.')
        .find_map(|word| {
            let mut numbers = word.split('.');
            Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        })
}

#[cfg(test)]
mod tests;
