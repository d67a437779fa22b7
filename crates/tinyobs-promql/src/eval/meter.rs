//! Meter: what a query has taken so far, counted by all threads that work on it.
//!
//!   spread ─▶ read, columns ─▶ [Meter] ─▶ too much │ [`Stats`](super::Stats)
//!
//! I-METER-1  Memory is counted before it is taken, samples as they are read, by all threads
//!            together: a bound holds however many there are.
//! Proved by: tests/eval.rs `i_eval_1_*`, tests/threads.rs.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use tinyobs_model::{Resolution, TimeRange};

use super::answer::ResolutionRead;
use super::control::Budget;
use super::error::EvalError;

/// What was taken. Relaxed: these are counts, nothing is published through them.
#[derive(Debug)]
pub(super) struct Meter {
    budget: Budget,
    /// Bytes of values that are held, and the most that were held at once.
    bytes: AtomicU64,
    bytes_max: AtomicU64,
    /// Samples and rows read.
    samples: AtomicU64,
    series: AtomicU64,
    bytes_read: AtomicU64,
    /// By resolution.
    read: [Read; Resolution::ALL.len()],
}

/// What was read in one resolution.
#[derive(Debug)]
struct Read {
    count: AtomicU64,
    from_ms: AtomicI64,
    to_ms: AtomicI64,
}

impl Default for Read {
    fn default() -> Self {
        Self {
            count: AtomicU64::new(0),
            from_ms: AtomicI64::new(i64::MAX),
            to_ms: AtomicI64::new(i64::MIN),
        }
    }
}

impl Meter {
    pub fn new(budget: Budget) -> Self {
        Self {
            budget,
            bytes: AtomicU64::new(0),
            bytes_max: AtomicU64::new(0),
            samples: AtomicU64::new(0),
            series: AtomicU64::new(0),
            bytes_read: AtomicU64::new(0),
            read: std::array::from_fn(|_| Read::default()),
        }
    }

    /// Counts memory that is about to be taken.
    pub fn take_bytes(&self, bytes: u64) -> Result<(), EvalError> {
        let held = self.bytes.fetch_add(bytes, Relaxed).saturating_add(bytes);
        self.bytes_max.fetch_max(held, Relaxed);
        let most = self.budget.bytes;
        if held > most {
            return Err(EvalError::TooManyBytes { most });
        }
        Ok(())
    }

    pub fn give_back(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Relaxed);
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Sets the bytes that are held. Only while one thread works.
    pub fn settle(&self, bytes: u64) {
        self.bytes.store(bytes, Relaxed);
    }

    pub fn bytes_max(&self) -> u64 {
        self.bytes_max.load(Relaxed)
    }

    /// Counts samples or rows that were read.
    pub fn take_samples(&self, samples: usize) -> Result<(), EvalError> {
        let read = self.samples.fetch_add(samples as u64, Relaxed) + samples as u64;
        let most = self.budget.samples;
        if read > most {
            return Err(EvalError::TooManySamples { most });
        }
        Ok(())
    }

    pub fn samples(&self) -> u64 {
        self.samples.load(Relaxed)
    }

    /// Counts a series that was read to its end.
    pub fn series_read(&self, bytes: u64) {
        self.series.fetch_add(1, Relaxed);
        self.bytes_read.fetch_add(bytes, Relaxed);
    }

    pub fn series(&self) -> u64 {
        self.series.load(Relaxed)
    }

    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Relaxed)
    }

    /// Notes in which resolution something was read.
    pub fn note(&self, resolution: Resolution, count: usize, range: TimeRange) {
        let read = &self.read[resolution as usize];
        read.count.fetch_add(count as u64, Relaxed);
        read.from_ms.fetch_min(range.start_ms, Relaxed);
        read.to_ms.fetch_max(range.end_ms, Relaxed);
    }

    /// The resolutions that were read, from the finest.
    pub fn resolutions(&self) -> Vec<ResolutionRead> {
        let read = Resolution::ALL.into_iter().zip(&self.read);
        let used = read.filter(|(_, read)| read.count.load(Relaxed) > 0);
        used.map(|(resolution, read)| ResolutionRead {
            resolution,
            count: read.count.load(Relaxed),
            from_ms: read.from_ms.load(Relaxed),
            to_ms: read.to_ms.load(Relaxed),
        })
        .collect()
    }
}
