//! Sandbox: mounts that nobody but this command sees, and that end with it.
//!
//! The command runs itself again in a mount namespace of its own. However it ends, by a failure, a
//! panic or Ctrl-C, the kernel unmounts what was mounted and frees the loop devices.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::tools;

const INSIDE: &str = "TINYOBS_XTASK_SANDBOX";

/// Runs `cargo xtask <arguments>` again inside. True when this is the inside already.
pub fn inside(arguments: &[String]) -> Result<bool> {
    if env::var_os(INSIDE).is_some() {
        return Ok(true);
    }
    missing(&[])?;
    let status = Command::new("unshare")
        .arg("--mount")
        .arg(env::current_exe()?)
        .args(arguments)
        .env(INSIDE, "1")
        .status()
        .context("cannot run unshare (Debian: `apt-get install util-linux`)")?;
    ensure!(status.success(), "it failed inside the sandbox ({status})");
    Ok(false)
}

/// An error that says what is missing here: root, or one of `programs`, given with their package.
pub fn missing(programs: &[(&str, &str)]) -> Result<()> {
    let root = tools::output_of("id", &["-u"]).is_ok_and(|id| id.trim() == "0");
    ensure!(
        root,
        "this needs root, to mount a file system of its own: run it with sudo or in a container"
    );
    for (program, package) in programs {
        require(program, package)?;
    }
    // Root of a container may be forbidden to.
    quietly(Command::new("unshare").args(["--mount", "mount", "-t", "tmpfs", "tinyobs", "/mnt"]))
        .context("mounting is not allowed here")
}

/// An error that says what to install when `program` is not there.
pub fn require(program: &str, package: &str) -> Result<()> {
    let places = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/bin"];
    let found = places
        .iter()
        .any(|dir| Path::new(dir).join(program).exists());
    ensure!(
        found,
        "{program} is missing: install it (Debian: `apt-get install {package}`)"
    );
    Ok(())
}

/// A tmpfs of `megabytes` on an empty directory that it returns; only inside.
pub fn mount_tmpfs(name: &str, megabytes: u64) -> Result<PathBuf> {
    let dir = tools::target_dir()?.join("crash").join(name);
    fs::create_dir_all(&dir)?;
    mount(
        &[
            "-t",
            "tmpfs",
            "-o",
            &format!("size={megabytes}m"),
            "tinyobs",
        ],
        &dir,
    )?;
    Ok(dir)
}

/// Mounts what `arguments` say on `dir`.
pub fn mount(arguments: &[&str], dir: &Path) -> Result<()> {
    ensure!(
        env::var_os(INSIDE).is_some(),
        "mounts belong inside the sandbox"
    );
    quietly(Command::new("mount").args(arguments).arg(dir))
}

/// Unmounts `dir`.
pub fn unmount(dir: &Path) -> Result<()> {
    quietly(Command::new("umount").arg(dir))
}

/// Runs a command that says something only when it fails.
pub fn quietly(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} failed: {}", said.trim());
    }
    Ok(())
}
