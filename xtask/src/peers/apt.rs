//! Apt: a package of Debian sid, unpacked but not installed.
//!
//!   this machine's sources ─▶ [mirror] ─▶ `apt-get update` of sid alone ─▶ `download` ─▶ `dpkg-deb -x`
//!
//! Apt's state is one of our own, so the machine's stays as it is, and no root is needed. Its
//! settings, such as a proxy, hold here too. What apt downloads it checks against Debian's keys.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Where everybody finds Debian when their own sources do not say.
const FALLBACK: &str = "http://deb.debian.org/debian";
/// What Debian signs its archive with; the suffix has changed.
const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.pgp",
    "/usr/share/keyrings/debian-archive-keyring.gpg",
];

/// The file in an unpacked package that names package and version, for programs that do not.
pub const VERSION: &str = "VERSION";

/// Unpacks the newest `package` into `cache/package`.
pub fn fetch(package: &str, cache: &Path) -> Result<()> {
    let mirror = configured().unwrap_or_else(|| FALLBACK.to_owned());
    let state = State::new(cache, &mirror)?;
    state
        .apt(&["update"])
        .with_context(|| format!("the Debian mirror {mirror} cannot be read"))?;
    let downloads = cache.join("downloads");
    remake(&downloads)?;
    state
        .in_dir(&downloads)
        .apt(&["download", package])
        .with_context(|| format!("the Debian mirror {mirror} does not give {package}"))?;
    let mut files = fs::read_dir(&downloads)?;
    let file = files.next().context("apt has downloaded nothing")??.path();
    // Whole or not at all: what is found under its name later is used unasked.
    let (half, whole) = (cache.join("unpacking"), cache.join(package));
    remake(&half)?;
    run(Command::new("dpkg-deb").arg("-x").args([&file, &half]))?;
    let version = run(Command::new("dpkg-deb").arg("-f").arg(&file).arg("Version"))?;
    fs::write(
        half.join(VERSION),
        format!("{package} {}, Debian sid's", version.trim()),
    )?;
    if whole.exists() {
        fs::remove_dir_all(&whole)?;
    }
    fs::rename(&half, &whole)?;
    fs::remove_dir_all(&downloads)?;
    Ok(())
}

/// Apt's own directories, below the cache.
struct State {
    options: Vec<String>,
    dir: PathBuf,
}

impl State {
    fn new(cache: &Path, mirror: &str) -> Result<Self> {
        let root = cache.join("apt");
        for dir in ["lists/partial", "archives/partial"] {
            fs::create_dir_all(root.join(dir))?;
        }
        let keyring = KEYRINGS.iter().find(|path| Path::new(path).exists());
        let signed = keyring.map_or_else(String::new, |path| format!("[signed-by={path}] "));
        let (sources, status) = (root.join("sources.list"), root.join("status"));
        fs::write(&sources, format!("deb {signed}{mirror} sid main\n"))?;
        // Nothing is installed here, so that nothing of this machine decides on versions.
        fs::write(&status, "")?;
        let path = |path: &Path| path.display().to_string();
        let options = [
            ("Dir::Etc::sourcelist", path(&sources)),
            ("Dir::Etc::sourceparts", "-".to_owned()),
            ("Dir::Etc::preferences", "/dev/null".to_owned()),
            ("Dir::Etc::preferencesparts", "/dev/null".to_owned()),
            ("Dir::State", path(&root)),
            ("Dir::State::lists", path(&root.join("lists"))),
            ("Dir::State::status", path(&status)),
            ("Dir::Cache", path(&root)),
            ("Acquire::Languages", "none".to_owned()),
            ("Acquire::Retries", "1".to_owned()),
            ("Acquire::http::Timeout", "30".to_owned()),
            // Otherwise an update without a network succeeds.
            ("APT::Update::Error-Mode", "any".to_owned()),
        ];
        Ok(Self {
            options: options
                .into_iter()
                .flat_map(|(name, value)| ["-o".to_owned(), format!("{name}={value}")])
                .collect(),
            dir: root,
        })
    }

    /// Downloads go to where apt runs.
    fn in_dir(self, dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
            ..self
        }
    }

    fn apt(&self, args: &[&str]) -> Result<()> {
        let mut command = Command::new("apt-get");
        let command = command.args(&self.options).args(args);
        run(command.current_dir(&self.dir).env("LC_ALL", "C")).map(drop)
    }
}

fn remake(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    Ok(fs::create_dir_all(dir)?)
}

/// What it prints; what it complains of is only interesting when it fails.
fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("{program} is missing: this needs Debian or a relative of it"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} failed: {}", said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The Debian mirror that this machine uses.
fn configured() -> Option<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    let parts = fs::read_dir("/etc/apt/sources.list.d")
        .into_iter()
        .flatten();
    let mut parts: Vec<PathBuf> = parts.flatten().map(|entry| entry.path()).collect();
    parts.sort();
    files.extend(parts);
    files.into_iter().find_map(|file| {
        let is_known = file.extension().and_then(OsStr::to_str);
        matches!(is_known, Some("list" | "sources"))
            .then(|| mirror(&fs::read_to_string(&file).ok()?))?
    })
}

/// The first address in a file of sources, of either format, that is a whole Debian archive: not that
/// of security updates, of a snapshot or of somebody else.
fn mirror(sources: &str) -> Option<String> {
    let lines = sources.lines().map(str::trim);
    let words = lines
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace);
    let mut archives = words
        .filter(|word| word.starts_with("http://") || word.starts_with("https://"))
        .map(|word| word.trim_end_matches('/'));
    archives
        .find(|word| word.ends_with("/debian"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests;
