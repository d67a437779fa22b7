//! Trace: a server some of whose system calls fail, by strace.
//!
//! Calls are counted per thread, because that is how strace counts: the k-th of any thread fails,
//! and later ones succeed again. That is the harder case: a failure that does not last is the one
//! that can be forgotten.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use tinyobs_testing::Around;

use super::sandbox;

const ATTACHED_WITHIN: Duration = Duration::from_secs(10);

/// An error that says what is missing here.
pub fn needs() -> Result<()> {
    sandbox::require("strace", "strace")?;
    let inject = "inject=fsync:error=EIO:when=1";
    let mut try_it = Command::new("strace");
    try_it.args(["-f", "-q", "-o", "/dev/null", "-e", inject, "true"]);
    sandbox::quietly(&mut try_it).context("tracing is not allowed here")
}

/// Which calls fail, and where it is noted.
pub struct Trace {
    /// strace and its arguments.
    command: Vec<String>,
    notes: PathBuf,
    log: PathBuf,
}

/// A call that failed on purpose.
#[derive(Debug, Clone)]
pub struct Injected {
    /// When it was made.
    pub at: SystemTime,
    /// Its name.
    pub call: String,
    /// The file, as far as strace knows.
    pub path: String,
}

impl Trace {
    /// The `k`-th of `calls`, a list with commas, fails with `error`; only on `paths` unless there
    /// are none. Notes and the server's log lie beside `dir`.
    pub fn new(dir: &Path, calls: &str, error: &str, k: u64, paths: &[PathBuf]) -> Result<Self> {
        sandbox::require("strace", "strace")?;
        let notes = dir.with_extension("trace");
        let mut command: Vec<String> = ["strace", "-f", "-q", "-y", "-ttt", "-o"]
            .map(str::to_owned)
            .to_vec();
        command.push(notes.display().to_string());
        for path in paths {
            command.extend(["-P".into(), path.display().to_string()]);
        }
        command.extend(["-e".into(), format!("trace={calls}")]);
        command.extend(["-e".into(), "signal=none".into()]);
        command.extend([
            "-e".into(),
            format!("inject={calls}:error={error}:when={k}"),
        ]);
        let log = dir.with_extension("log");
        Ok(Self {
            command,
            notes,
            log,
        })
    }

    /// To start the server with: calls are counted from its beginning.
    pub fn around(&self) -> Around {
        let mut wrapper = self.command.clone();
        // Or the child would be strace, not the server.
        wrapper.insert(1, "-D".into());
        Around {
            wrapper,
            log: Some(self.log.clone()),
        }
    }

    /// To start the server without it; see [`Self::attach`].
    pub fn around_later(&self) -> Around {
        Around {
            wrapper: Vec::new(),
            log: Some(self.log.clone()),
        }
    }

    /// From now on calls are counted. The tracer ends with the process.
    pub fn attach(&self, pid: u32) -> Result<Child> {
        let tracer = Command::new(&self.command[0])
            .args(&self.command[1..])
            .args(["-p", &pid.to_string()])
            .stderr(Stdio::null())
            .spawn()?;
        let begun = Instant::now();
        while !is_traced(pid)? {
            ensure!(begun.elapsed() < ATTACHED_WITHIN, "strace did not attach");
            thread::sleep(Duration::from_millis(2));
        }
        Ok(tracer)
    }

    /// The first call that failed on purpose so far.
    pub fn injected(&self) -> Option<Injected> {
        let text = fs::read_to_string(&self.notes).ok()?;
        text.lines().find_map(parse)
    }

    /// What the server said on stderr.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Whether every thread of a process is traced.
fn is_traced(pid: u32) -> Result<bool> {
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = fs::read_to_string(task?.path().join("status"))?;
        if status.contains("TracerPid:\t0\n") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `4711 1795328098.650651 fsync(3</tmp/x>) = -1 EIO (Input/output error) (INJECTED)`
fn parse(line: &str) -> Option<Injected> {
    let line = line.strip_suffix("(INJECTED)")?;
    let seconds: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    let (call, arguments) = line.split_once('(')?;
    let call = call.rsplit(' ').next()?.to_owned();
    // A name where the call takes one; otherwise what the descriptor stands for.
    let path = if arguments.starts_with(['"', 'A']) {
        between(arguments, "\"", "\"")
    } else {
        between(arguments, "<", ">")
    };
    Some(Injected {
        at: SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds),
        call,
        path: path.unwrap_or_default().to_owned(),
    })
}

impl Injected {
    /// What kind of file it was, without its number.
    pub fn kind(&self) -> String {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        match name.rsplit_once('.') {
            Some((number, kind)) if number.bytes().all(|b| b.is_ascii_digit()) => {
                format!("*.{kind}")
            }
            Some(_) => name.to_owned(),
            None => format!("{name}/"),
        }
    }
}

/// `3 of wal, 1 of MANIFEST.tmp`
pub fn kinds<'i>(all: impl IntoIterator<Item = &'i Injected>) -> String {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for one in all {
        *counts.entry(one.kind()).or_default() += 1;
    }
    let words: Vec<String> = counts
        .iter()
        .map(|(kind, count)| format!("{count} of {kind}"))
        .collect();
    words.join(", ")
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(from)?;
    Some(rest.split_once(to)?.0)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    #[test]
    fn an_injected_call_is_read() {
        let line = "29506 1795328098.500000 fsync(5</data/wal/1.wal>) = -1 EIO (Input/output \
                    error) (INJECTED)";
        let found = super::parse(line).unwrap();
        assert_eq!(
            found.at,
            SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_328_098_500)
        );
        assert_eq!(
            (found.call.as_str(), found.path.as_str()),
            ("fsync", "/data/wal/1.wal")
        );
        let line = "7     1.5 rename(\"/a\", \"/b\") = -1 ENOSPC (No space left) (INJECTED)";
        let found = super::parse(line).unwrap();
        assert_eq!((found.call.as_str(), found.path.as_str()), ("rename", "/a"));
        let line = "7 1.5 openat(AT_FDCWD</d>, \"/a/1.wal\", O_RDWR) = -1 ENOSPC (No) (INJECTED)";
        assert_eq!(super::parse(line).unwrap().path, "/a/1.wal");
        let line = "7 1.5 write(3</a>, \"x\", 1) = -1 ENOSPC (No) (INJECTED)";
        assert_eq!(super::parse(line).unwrap().path, "/a");
        assert!(super::parse("7 1.5 fsync(3</a>) = 0").is_none());
    }
}
