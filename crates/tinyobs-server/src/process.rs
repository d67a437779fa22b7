//! Process: what Linux says about this process. Elsewhere there is nothing to say.

use std::fs;
use std::time::Duration;

/// A few facts from `/proc/self`.
#[derive(Debug, Clone, Copy)]
pub struct Process {
    /// User and system time together.
    pub cpu_seconds: f64,
    /// Memory held in RAM.
    pub resident_bytes: f64,
    /// Open file descriptors.
    pub open_files: f64,
}

/// Reads `/proc/self`; none where there is no such thing.
pub fn read() -> Option<Process> {
    // Fixed for user space on every architecture that Linux runs on.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the program's name, which may hold spaces: state is field 3, utime 14, stime 15.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let resident_kib: f64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(Process {
        cpu_seconds: (ticks(14)? + ticks(15)?) / TICKS_PER_SECOND,
        resident_bytes: resident_kib * 1_024.0,
        open_files: fs::read_dir("/proc/self/fd").ok()?.count() as f64,
    })
}

/// How long this thread has had a core; none where that is unknown.
pub fn thread_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let mut fields = stat.split_whitespace().map(str::parse::<u64>);
    let (nanoseconds, times) = (fields.next()?.ok()?, fields.nth(1)?.ok()?);
    // Who asks has had a core once at least, unless the kernel does not count.
    (times > 0).then(|| Duration::from_nanos(nanoseconds))
}

/// How many files the process may open; none where that is unknown.
pub fn open_files_max() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn linux_tells_plausible_numbers() {
        let process = super::read().unwrap();
        assert!(process.cpu_seconds >= 0.0);
        assert!(process.resident_bytes > 100_000.0, "{process:?}");
        assert!(process.open_files >= 3.0, "{process:?}");
        assert!(super::open_files_max().unwrap() >= 64);
    }

    #[test]
    fn a_thread_that_sleeps_does_not_work() {
        use std::time::{Duration, Instant};
        let worked = || super::thread_time().unwrap();
        let begun = worked();
        std::thread::sleep(Duration::from_millis(100));
        assert!(worked() < begun + Duration::from_millis(50));
        let (enough, since) = (worked() + Duration::from_millis(50), Instant::now());
        while worked() < enough {
            assert!(since.elapsed() < Duration::from_mins(1));
        }
        assert!(since.elapsed() >= Duration::from_millis(40));
    }
}
