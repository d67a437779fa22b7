//! The host process' own metrics, under the names that Prometheus' clients use.
//!
//!   /proc/self ─▶ [ProcessMetrics] ─▶ registry        (before each snapshot)
//!
//! Read by hand from `/proc/self`, which Linux alone has. Elsewhere there are no `process_*`
//! metrics, and the process' start is taken to be the start of the client.
//!
//! I-PROCESS-1  A program name full of blanks and brackets does not shift the fields after it.
//! Proved by: process/tests.rs.

use std::fs;

use crate::clock::now_ms;
use crate::counter::Counter;
use crate::gauge::Gauge;
use crate::registry::Registry;

#[derive(Debug)]
pub(crate) struct ProcessMetrics {
    system: System,
    cpu_seconds: Counter,
    resident_bytes: Gauge,
    virtual_bytes: Gauge,
    threads: Gauge,
    open_fds: Gauge,
}

impl ProcessMetrics {
    /// None where there is no `/proc`.
    pub(crate) fn new(registry: &Registry) -> Option<Self> {
        let system = System::read()?;
        let stat = read_stat()?;
        let gauge = |name, unit, help| {
            registry.describe(name, unit, help);
            registry.gauge(name, &[])
        };
        let cpu = "process_cpu_seconds_total";
        registry.describe(cpu, "seconds", "CPU time spent, user and system together.");
        let cpu_seconds = registry.counter(cpu, &[]);
        // The kernel counts from the process' start, not from ours.
        registry.set_start(cpu, system.start_ms(&stat));
        gauge(
            "process_start_time_seconds",
            "seconds",
            "When the process started, in seconds since the epoch.",
        )
        .set(system.start_ms(&stat) as f64 / 1_000.0);
        let metrics = Self {
            system,
            cpu_seconds,
            resident_bytes: gauge(
                "process_resident_memory_bytes",
                "bytes",
                "Memory of the process that is in RAM.",
            ),
            virtual_bytes: gauge(
                "process_virtual_memory_bytes",
                "bytes",
                "Address space of the process.",
            ),
            threads: gauge("process_threads", "", "Threads of the process."),
            open_fds: gauge("process_open_fds", "", "Open file descriptors."),
        };
        Some(metrics)
    }

    /// Reads everything anew. What cannot be read keeps its value.
    pub(crate) fn update(&mut self) {
        if let Some(stat) = read_stat() {
            let ticks = stat.cpu_ticks as f64;
            let seconds = ticks / self.system.ticks_per_second as f64;
            self.cpu_seconds.0.set_total(seconds);
            self.resident_bytes
                .set(stat.resident_pages * self.system.page_bytes);
            self.virtual_bytes.set(stat.virtual_bytes);
            self.threads.set(stat.threads);
        }
        if let Ok(entries) = fs::read_dir("/proc/self/fd") {
            // One of them is the listing itself.
            self.open_fds.set(entries.count().saturating_sub(1));
        }
    }
}

/// When this process started, in milliseconds since the epoch.
pub(crate) fn start_ms() -> Option<i64> {
    Some(System::read()?.start_ms(&read_stat()?))
}

/// What never changes while the system runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct System {
    boot_seconds: u64,
    ticks_per_second: u64,
    page_bytes: u64,
}

impl System {
    fn read() -> Option<Self> {
        let boot_seconds = boot_seconds(&fs::read_to_string("/proc/stat").ok()?)?;
        let auxv = fs::read("/proc/self/auxv").unwrap_or_default();
        Some(Self {
            boot_seconds,
            ticks_per_second: auxv_entry(&auxv, AT_CLKTCK).unwrap_or(100),
            page_bytes: auxv_entry(&auxv, AT_PAGESZ).unwrap_or(4_096),
        })
    }

    fn start_ms(&self, stat: &Stat) -> i64 {
        let after_boot_ms = stat.start_ticks.saturating_mul(1_000) / self.ticks_per_second;
        let ms = (self.boot_seconds * 1_000).saturating_add(after_boot_ms) as i64;
        // Boot time is rounded to a second, so it can come out a moment too late.
        ms.min(now_ms() - 1)
    }
}

/// `/proc/self/stat`, as far as we need it.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

fn read_stat() -> Option<Stat> {
    parse_stat(&fs::read_to_string("/proc/self/stat").ok()?)
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The second field is the program's name in brackets, and may hold any character.
    let (_, after_name) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
    // `man 5 proc` counts from 1, and the name is 2.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        cpu_ticks: field(14)? + field(15)?,
        threads: field(20)?,
        start_ticks: field(22)?,
        virtual_bytes: field(23)?,
        resident_pages: field(24)?,
    })
}

fn boot_seconds(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

/// Numbers of the entries of the auxiliary vector, from `<elf.h>`.
const AT_PAGESZ: usize = 6;
const AT_CLKTCK: usize = 17;

/// The auxiliary vector is the only place that tells clock ticks and page size without a C call.
fn auxv_entry(auxv: &[u8], wanted: usize) -> Option<u64> {
    const WORD: usize = size_of::<usize>();
    let word = |bytes: &[u8]| Some(usize::from_ne_bytes(bytes.try_into().ok()?));
    auxv.chunks_exact(2 * WORD)
        .map(|pair| pair.split_at(WORD))
        .find(|(key, _)| word(key) == Some(wanted))
        .and_then(|(_, value)| word(value))
        .filter(|value| *value > 0)
        .map(|value| value as u64)
}

#[cfg(test)]
mod tests;
