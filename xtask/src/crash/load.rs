//! Load: writers, and the log outside the server of what they sent and what was acknowledged.
//!
//!   [batch] ─▶ POST /v1/ingest ─▶ answer ─▶ [Sent] ─▶ [`super::verify`]
//!
//! Every sample has its own value, so that one in the wrong place would be noticed. A batch is in
//! the log before it is sent, so that nothing can be stored that the log does not know.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use tinyobs_testing::{Agent, agent, post};

use super::random::now_ms;

/// Series label and time of a sample.
pub type Place = (String, i64);

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No answer, or one that promises nothing: each sample may be there or not.
    Open,
    /// 200.
    Acked,
    /// 507: the answer says that nothing of it was kept.
    Refused,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Sent {
    /// What it held.
    pub samples: Vec<(Place, f64)>,
    /// Before its first byte was sent.
    pub begun: SystemTime,
    /// After the answer; without one, as `begun`.
    pub ended: SystemTime,
    /// What the answer was.
    pub outcome: Outcome,
    /// The status, 0 without an answer.
    pub status: u16,
    /// Whether the answer said when to come again.
    pub retry_after: bool,
}

/// What a writer sends.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Series of a batch.
    pub series: u64,
    /// Samples of each.
    pub samples: u64,
    /// The series are spread over so many days, today the last.
    pub days: u64,
    /// Every second batch is older than the one before it.
    pub is_late: bool,
    /// Between two batches: many moments matter, not many samples.
    pub pause: Duration,
}

impl Shape {
    /// Small batches of today.
    pub const SMALL: Self = Self {
        series: 10,
        samples: 10,
        days: 1,
        is_late: true,
        pause: Duration::from_millis(2),
    };
}

/// One request: its body, and what is in it. Series live for some batches, so that definitions
/// come all the time.
pub fn batch(
    shape: Shape,
    round: u64,
    writer: u64,
    number: u64,
    base_ms: i64,
) -> (String, Vec<(Place, f64)>) {
    const DAY_MS: i64 = 86_400_000;
    let mut body = String::from("{\"metrics\":[");
    let mut samples = Vec::new();
    let first = (number ^ u64::from(shape.is_late)) * shape.samples;
    for series in 0..shape.series {
        let label = format!("r{round} w{writer} g{} s{series}", number / 8);
        let day_ms = (series % shape.days.max(1)) as i64 * DAY_MS;
        for i in 0..shape.samples {
            let time_ms = base_ms - 600_000 - day_ms + (first + i) as i64;
            let order = (number * shape.samples + i) * shape.series + series;
            let value = ((round * 64 + writer) * 100_000_000 + order) as f64;
            let comma = if samples.is_empty() { "" } else { "," };
            write!(
                body,
                "{comma}{{\"name\":\"crash\",\"type\":\"gauge\",\"value\":{value},\
                 \"labels\":{{\"at\":\"{label}\"}},\"timestamp\":{time_ms}}}"
            )
            .expect("writing to a string does not fail");
            samples.push(((label.clone(), time_ms), value));
        }
    }
    body.push_str("]}");
    (body, samples)
}

/// Sends one batch and notes what became of it.
pub fn send(agent: &Agent, url: &str, body: &str, samples: Vec<(Place, f64)>) -> Sent {
    let begun = SystemTime::now();
    let mut sent = Sent {
        samples,
        begun,
        ended: begun,
        outcome: Outcome::Open,
        status: 0,
        retry_after: false,
    };
    if let Ok(answer) = post(agent, &format!("{url}/v1/ingest"), body) {
        sent.ended = SystemTime::now();
        sent.status = answer.status;
        sent.retry_after = answer.retry_after.is_some();
        sent.outcome = match answer.status {
            200 => Outcome::Acked,
            507 => Outcome::Refused,
            _ => Outcome::Open,
        };
    }
    sent
}

/// Threads that write until they are told to stop or nobody answers.
pub struct Writers {
    threads: Vec<JoinHandle<()>>,
    done: Arc<AtomicBool>,
    log: Arc<Mutex<Vec<Sent>>>,
}

impl Writers {
    /// Starts those with these numbers.
    pub fn start(url: &str, round: u64, numbers: Range<u64>, shape: Shape) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let log = Arc::new(Mutex::new(Vec::new()));
        let thread = |writer| {
            let (url, done, log) = (url.to_owned(), Arc::clone(&done), Arc::clone(&log));
            thread::spawn(move || write_until(&url, round, writer, shape, &done, &log))
        };
        Self {
            threads: numbers.map(thread).collect(),
            done,
            log,
        }
    }

    /// The log so far. A batch on its way is in it as open.
    pub fn log(&self) -> MutexGuard<'_, Vec<Sent>> {
        lock(&self.log)
    }

    /// Ends them and hands over the log.
    pub fn finish(self) -> Result<Vec<Sent>> {
        self.done.store(true, Ordering::SeqCst);
        for thread in self.threads {
            if thread.join().is_err() {
                bail!("a writer panicked");
            }
        }
        Ok(std::mem::take(&mut *lock(&self.log)))
    }
}

fn write_until(
    url: &str,
    round: u64,
    writer: u64,
    shape: Shape,
    done: &AtomicBool,
    log: &Mutex<Vec<Sent>>,
) {
    let agent = agent();
    let base_ms = now_ms();
    let mut number = 0;
    while !done.load(Ordering::SeqCst) {
        let (body, samples) = batch(shape, round, writer, number, base_ms);
        let place = {
            let mut log = lock(log);
            let now = SystemTime::now();
            log.push(Sent {
                samples: samples.clone(),
                begun: now,
                ended: now,
                outcome: Outcome::Open,
                status: 0,
                retry_after: false,
            });
            log.len() - 1
        };
        let sent = send(&agent, url, &body, samples);
        let (status, outcome) = (sent.status, sent.outcome);
        lock(log)[place] = sent;
        if status == 0 {
            break;
        }
        number += 1;
        let patience = if outcome == Outcome::Acked { 1 } else { 10 };
        thread::sleep(shape.pause * patience);
    }
}

/// How many samples were acknowledged.
pub fn acked(log: &[Sent]) -> usize {
    let acked = log.iter().filter(|sent| sent.outcome == Outcome::Acked);
    acked.map(|sent| sent.samples.len()).sum()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
