//! Machine: how much of it somebody else had, which says how far to trust a figure.

use std::fs;

use anyhow::{Context, Result};
use tinyobs_testing::process::cpu_seconds;

/// What had been used up to a moment, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// Of all processors, idle or not.
    all: f64,
    /// By anybody.
    busy: f64,
    /// By the server and by this command.
    ours: f64,
}

impl Used {
    /// Up to now, by everybody and by the process with this number and this one.
    pub fn now(pid: u32) -> Result<Self> {
        let (all, busy) = read(&fs::read_to_string("/proc/stat")?).context("a line of all CPUs")?;
        let ours = cpu_seconds(pid)? + cpu_seconds(std::process::id())?;
        Ok(Self { all, busy, ours })
    }

    /// The share of the machine that others have had since an earlier moment.
    pub fn by_others_since(self, earlier: Self) -> f64 {
        let others = (self.busy - earlier.busy) - (self.ours - earlier.ours);
        (others / (self.all - earlier.all).max(0.01)).clamp(0.0, 1.0)
    }
}

/// All and busy seconds from `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal, in
/// ticks of 10 ms. What the hypervisor withheld was busy for somebody.
fn read(stat: &str) -> Option<(f64, f64)> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks = line.split_whitespace().take(8).map(str::parse::<f64>);
    let ticks = ticks.collect::<Result<Vec<_>, _>>().ok()?;
    let all = ticks.iter().sum::<f64>();
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some((all / 100.0, (all - idle) / 100.0))
}

#[cfg(test)]
mod tests;
