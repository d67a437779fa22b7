//! Process: what the system says of a running process (Linux).

use std::fs;

use anyhow::{Context, Result};

/// Clock ticks per second in `/proc/<pid>/stat`: 100 on every Linux that Rust supports.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds, user and system, that a process has used.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; the numbers come after it.
    let fields = stat.rsplit_once(") ").context("a stat line")?.1;
    let field = |n: usize| -> Result<f64> {
        Ok(fields
            .split(' ')
            .nth(n)
            .context("a field")?
            .parse::<f64>()?)
    };
    Ok((field(11)? + field(12)?) / TICKS_PER_SECOND)
}

/// A memory figure of a process in bytes: `VmRSS` now, `VmHWM` at its highest.
pub fn memory_bytes(pid: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line
        .context("a memory figure")?
        .trim()
        .trim_end_matches(" kB");
    Ok(kilobytes.trim().parse::<u64>()? * 1024)
}
