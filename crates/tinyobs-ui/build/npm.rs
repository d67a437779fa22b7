//! Builds `ui/` with npm, on a copy below `OUT_DIR`.
//!
//! ```text
//! ui/ ─copy─▶ OUT_DIR/ui ─`npm ci`─▶ node_modules ─`npm run bundle`─▶ dist ─▶ OUT_DIR/dist-<hash>
//! ```
//!
//! `npm ci` runs only when the lockfile changed, and leaves out the development packages (type checker,
//! test runners): whoever builds the server needs none of them.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// In `ui/`, but no source of the bundle.
const NOT_COPIED: [&str; 4] = ["node_modules", "dist", "test-results", "e2e"];
/// What must not be older than the build. Whole directories: cargo looks into them.
const WATCHED: [&str; 7] = [
    "src",
    "build",
    "dev",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
];
const INSTALL: [&str; 5] = [
    "ci",
    "--omit=dev",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
];
const BUNDLE: [&str; 2] = ["run", "bundle"];
/// Lines of npm's output that go into the warning.
const ERROR_LINES: usize = 14;

pub fn watch(ui_dir: &Path) {
    for path in WATCHED
        .iter()
        .map(|name| ui_dir.join(name))
        .filter(|path| path.exists())
    {
        super::watch(&path);
    }
}

/// The directory of the built files, or one sentence about why there is none.
pub fn build(ui_dir: &Path, out_dir: &Path) -> Result<PathBuf, String> {
    let files = sources(ui_dir).map_err(|error| format!("cannot read ui/: {error}"))?;
    if files.is_empty() {
        return Err("there is no ui/ directory and no packaged dist/".into());
    }
    let dist = out_dir.join(format!("dist-{:016x}", hash(&files)));
    if dist.join("index.html").is_file() {
        return Ok(dist);
    }
    run_npm(out_dir, &["--version"]).map_err(|_| "npm was not found".to_string())?;
    let copy = out_dir.join("ui");
    put(&files, &copy).map_err(|error| format!("cannot copy ui/: {error}"))?;
    install(&copy)?;
    run_npm(&copy, &BUNDLE)?;
    publish(&copy.join("dist"), &dist, out_dir)
        .map_err(|error| format!("cannot keep dist/: {error}"))?;
    Ok(dist)
}

fn install(copy: &Path) -> Result<(), String> {
    let lockfile = copy.join("package-lock.json");
    let stamp = copy.join("node_modules/.installed-lock");
    let lock = fs::read(&lockfile).map_err(|error| format!("no package-lock.json: {error}"))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    run_npm(copy, &INSTALL)?;
    fs::write(&stamp, lock).map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}

fn run_npm(dir: &Path, arguments: &[&str]) -> Result<(), String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let called = format!("npm {}", arguments.join(" "));
    let output = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        // Cargo may run inside `npm run`, whose settings are not meant for this copy.
        .env_remove("NODE_ENV")
        .output()
        .map_err(|error| format!("{called}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    // Stack frames would crowd out the message.
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| {
            !line.is_empty() && !line.starts_with("at ") && !line.starts_with("npm warn")
        })
        .collect();
    let tail = lines
        .get(lines.len().saturating_sub(ERROR_LINES)..)
        .unwrap_or_default();
    Err(format!(
        "`{called}` failed ({}): {}",
        output.status,
        tail.join(" / ")
    ))
}

/// A source file: its path below `ui/` and its bytes.
type Source = (PathBuf, Vec<u8>);

/// All sources, in a fixed order.
fn sources(ui_dir: &Path) -> io::Result<Vec<Source>> {
    let mut files = Vec::new();
    if ui_dir.join("package.json").is_file() {
        collect(ui_dir, Path::new(""), &mut files)?;
    }
    files.sort();
    Ok(files)
}

fn collect(root: &Path, below: &Path, files: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        if NOT_COPIED
            .iter()
            .any(|name| entry.file_name() == OsStr::new(name))
        {
            continue;
        }
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push((path, fs::read(entry.path())?));
        }
    }
    Ok(())
}

/// Makes `copy` hold these files and nothing older, except `node_modules`.
fn put(files: &[Source], copy: &Path) -> io::Result<()> {
    fs::create_dir_all(copy)?;
    for entry in fs::read_dir(copy)? {
        let entry = entry?;
        if entry.file_name() == OsStr::new("node_modules") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    for (path, bytes) in files {
        let target = copy.join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(target, bytes)?;
    }
    Ok(())
}

/// Moves the finished build to its place and drops older ones.
fn publish(built: &Path, dist: &Path, out_dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(out_dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("dist-") {
            fs::remove_dir_all(entry.path())?;
        }
    }
    fs::rename(built, dist)
}

/// FNV-1a over paths and contents, each with its length so that nothing runs together.
fn hash(files: &[Source]) -> u64 {
    let mut head = String::new();
    let mut state = super::table::FNV_START;
    for (path, bytes) in files {
        head.clear();
        let _ = write!(head, "{}\0{}\0", path.display(), bytes.len());
        state = super::table::fnv(state, head.as_bytes());
        state = super::table::fnv(state, bytes);
    }
    state
}
