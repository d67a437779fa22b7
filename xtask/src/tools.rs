//! Tools: running other programs, and getting hold of the ones that are missing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The repository's root.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask
        .parent()
        .expect("xtask lies in the root")
        .to_path_buf()
}

/// Runs a command from the root, saying so; an error when it fails.
pub fn run(program: &str, args: &[&str], envs: &[(&str, &str)]) -> Result<()> {
    println!("\n$ {program} {}", args.join(" "));
    let begun = Instant::now();
    let status = Command::new(program)
        .args(args)
        .envs(envs.iter().copied())
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        bail!("`{program} {}` failed ({status})", args.join(" "));
    }
    println!("  done in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Builds the `tinyobs` binary with its dashboard and returns its path.
pub fn build_server(release: bool) -> Result<PathBuf> {
    let mut args = vec!["build", "--package", "tinyobs-server", "--bin", "tinyobs"];
    if release {
        args.push("--release");
    }
    run("cargo", &args, &[("TINYOBS_UI", "require")])?;
    Ok(target_dir()?
        .join(if release { "release" } else { "debug" })
        .join("tinyobs"))
}

/// Where cargo builds to.
pub fn target_dir() -> Result<PathBuf> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root())
        .output()
        .context("cannot run cargo metadata")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let dir = metadata["target_directory"]
        .as_str()
        .context("cargo names no target directory")?;
    Ok(PathBuf::from(dir))
}

/// Whether this machine has what a test needs; if not, says what is left out and why.
pub fn allowed(what: &str, needs: Result<()>) -> bool {
    match needs {
        Ok(()) => true,
        Err(missing) => {
            println!("\nLEFT OUT: {what}: {missing:#}");
            false
        }
    }
}

/// Checks that Node and npm are there and new enough.
pub fn require_node() -> Result<()> {
    let version = output_of("node", &["--version"]).context(
        "Node.js is missing: install Node 20.19 or newer with npm to build and test the dashboard",
    )?;
    let mut numbers = version.trim().trim_start_matches('v').split('.');
    let mut next = || {
        numbers
            .next()
            .and_then(|n| n.parse::<u32>().ok())
            .unwrap_or(0)
    };
    if (next(), next()) < (20, 19) {
        bail!(
            "Node.js {} is too old: the dashboard needs 20.19 or newer",
            version.trim()
        );
    }
    output_of("npm", &["--version"]).context("npm is missing: it comes with Node.js")?;
    Ok(())
}

/// A Chromium or Chrome to drive; Debian's is installed when there is none and we may.
pub fn require_chromium() -> Result<String> {
    if let Some(found) = find_chromium() {
        return Ok(found);
    }
    let missing = "no Chromium found: install it (Debian: `apt-get install chromium`) or name one \
                   in CHROMIUM";
    let root = output_of("id", &["-u"]).is_ok_and(|id| id.trim() == "0");
    if !root || output_of("apt-get", &["--version"]).is_err() {
        bail!("{missing}");
    }
    run("apt-get", &["update", "-qq"], &[])?;
    let install = [
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
        "chromium",
    ];
    run(
        "apt-get",
        &install,
        &[("DEBIAN_FRONTEND", "noninteractive")],
    )?;
    find_chromium().context(missing)
}

fn find_chromium() -> Option<String> {
    let named = std::env::var("CHROMIUM").ok();
    let usual = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let mut candidates = named.into_iter().chain(usual.map(str::to_owned));
    candidates.find_map(|name| {
        output_of(&name, &["--version"]).ok()?;
        output_of("which", &[&name])
            .ok()
            .map(|path| path.trim().to_owned())
    })
}

/// What a command prints; an error when it fails.
pub fn output_of(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(root())
        .output()?;
    if !output.status.success() {
        bail!(
            "`{program} {}` failed: {}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
