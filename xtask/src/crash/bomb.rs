//! Bomb: new series at full speed against the limit, beside series that are known.
//!
//!   core 0: server · core 1: [bomb thread] new series, 10,000 a request ─▶ 429
//!                            [known threads] half of the rate that was possible before ─▶ 200
//!
//! Passes when memory stays within 256 MiB and within 5 % between the first million refusals (or a
//! tenth of them, if that is more) and the last, every sample of the known series arrives in time,
//! and the refusal names the metric and the label with the many values.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use tinyobs_testing::process::memory_bytes;
use tinyobs_testing::{Around, Server, Start, Started, agent, post};

use super::maintenance::Maintenance;
use super::random::now_ms;
use super::sandbox;
use crate::tools;

/// How many.
#[derive(Args)]
pub struct Options {
    /// How many new series are refused.
    #[arg(long, default_value_t = 10_000_000)]
    series: u64,
    /// The server's limit.
    #[arg(long, default_value_t = 10_000)]
    limit: u64,
}

/// Series that are known, and how many connections send them: each a part.
const KNOWN: u64 = 1_000;
const SENDERS: u64 = 4;
const PART: u64 = KNOWN / SENDERS;
/// New series of a request: as many items as one may have.
const BATCH: u64 = 10_000;
const MEMORY_MAX: u64 = 256 << 20;
/// Growth of memory between the early refusals and the last, in percent.
const GROWTH_MAX: f64 = 5.0;
/// Readings of memory at each of the two marks.
const READINGS: u32 = 10;
const PEAK_FOR: Duration = Duration::from_secs(5);
/// The known sender may be this far behind its plan.
const LATE_MAX: Duration = Duration::from_secs(2);

/// What both threads share.
#[derive(Default)]
struct Shared {
    refused: AtomicU64,
    done: AtomicBool,
}

/// Runs it, always with the release build.
pub fn run(options: &Options) -> Result<()> {
    sandbox::require("taskset", "util-linux")?;
    ensure!(
        !cfg!(debug_assertions),
        "the generator must be fast: `cargo run --release --package xtask -- crash bomb`"
    );
    let binary = tools::build_server(true)?;
    println!(
        "repeat with `cargo run --release --package xtask -- crash bomb --series {} --limit {}`",
        options.series, options.limit
    );
    let dir = tempfile::tempdir()?;
    let start = Start {
        binary,
        data_dir: dir.path().join("data"),
        args: [
            "--log-level",
            "error",
            "--max-series",
            &options.limit.to_string(),
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    let around = Around {
        wrapper: ["taskset", "-c", "0"].map(str::to_owned).to_vec(),
        log: None,
    };
    let Started::Ready(server) = Server::start_in(&start, &around)? else {
        bail!("the server did not start");
    };
    // All that is started from here on, threads too, is on the other core.
    let own = std::process::id().to_string();
    let mut pin = Command::new("taskset");
    sandbox::quietly(pin.args(["-a", "-c", "-p", "1", &own]))?;

    fill(&server, options.limit)?;
    let peak = peak_rate(&server)?;
    let shared = Shared::default();
    let begun = Instant::now();
    let (early, late, known, message) = thread::scope(|scope| -> Result<_> {
        let known = scope.spawn(|| send_known(&server.url, peak / 2.0, &shared));
        let bomb = scope.spawn(|| send_new(&server.url, options.series, &shared));
        let early_at = (options.series / 10).max(1_000_000).min(options.series / 2);
        let watched = watch(&server, &shared, early_at, options.series);
        shared.done.store(true, Ordering::SeqCst);
        let message = join(bomb)?;
        let known = join(known)?;
        let (early, late) = watched?;
        Ok((early, late, known, message?))
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let known = known?;
    let highest = memory_bytes(server.pid(), "VmHWM")?;
    let growth = (late as f64 / early as f64 - 1.0) * 100.0;
    let arrived = arrived(&server, &known)?;
    let megabytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{} new series refused in {seconds:.0} s ({:.0} a second); memory {:.1} MiB early, {:.1} MiB at \
         the end ({growth:+.1} %), {:.1} MiB at its highest; known series at {:.0} samples a second, \
         half of their peak: {} of {} samples arrived, at most {:?} late",
        shared.refused.load(Ordering::SeqCst),
        options.series as f64 / seconds,
        megabytes(early),
        megabytes(late),
        megabytes(highest),
        peak / 2.0,
        arrived,
        known.sent,
        known.latest
    );
    println!("the refusal: {message}");
    ensure!(
        highest <= MEMORY_MAX,
        "memory went to {:.1} MiB",
        megabytes(highest)
    );
    ensure!(growth <= GROWTH_MAX, "memory grew by {growth:.1} %");
    ensure!(arrived == known.sent, "samples of known series are missing");
    ensure!(
        known.latest <= LATE_MAX,
        "known series were {:?} late",
        known.latest
    );
    ensure!(
        message.contains("bomb_total") && message.contains("request_id"),
        "the refusal does not name the metric and the label: {message}"
    );
    Ok(())
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, T>) -> Result<T> {
    thread
        .join()
        .map_err(|_| anyhow::anyhow!("a thread panicked"))
}

/// Makes the known series, and others up to the limit: some of the metric that explodes later.
fn fill(server: &Server, limit: u64) -> Result<()> {
    let mut number = 0;
    while number < limit {
        let mut body = Body::default();
        for _ in 0..2_000.min(limit - number) {
            if number < KNOWN {
                body.push("known", "at", number, 0, now_ms() - 600_000);
            } else {
                body.push("bomb_total", "request_id", number, 0, now_ms());
            }
            number += 1;
        }
        let answer = server.post("/v1/ingest", &body.finish())?;
        ensure!(answer.status == 200, "filling: {}", answer.text());
    }
    Ok(())
}

/// Samples per second of the known series when nobody else sends.
fn peak_rate(server: &Server) -> Result<f64> {
    let base_ms = now_ms() - 500_000;
    let begun = Instant::now();
    let send = |part: u64| -> Result<u64> {
        let (agent, mut number) = (agent(), 0);
        while begun.elapsed() < PEAK_FOR {
            let body = known_body(part, number, base_ms);
            let answer = post(&agent, &format!("{}/v1/ingest", server.url), &body)?;
            ensure!(answer.status == 200, "known series: {}", answer.text());
            number += 1;
        }
        Ok(number * PART)
    };
    let samples = thread::scope(|scope| -> Result<u64> {
        let senders: Vec<_> = (0..SENDERS)
            .map(|part| scope.spawn(move || send(part)))
            .collect();
        let sent = senders.into_iter().map(|sender| join(sender)?);
        sent.sum()
    })?;
    Ok(samples as f64 / begun.elapsed().as_secs_f64())
}

/// One sample of each series of a part, a millisecond after the one before.
fn known_body(part: u64, number: u64, base_ms: i64) -> String {
    let mut body = Body::default();
    for series in part * PART..(part + 1) * PART {
        body.push("known", "at", series, number, base_ms + number as i64);
    }
    body.finish()
}

/// What became of the known series.
struct Known {
    sent: u64,
    base_ms: i64,
    latest: Duration,
}

fn send_known(url: &str, rate: f64, shared: &Shared) -> Result<Known> {
    let base_ms = now_ms() - 400_000;
    let gap = Duration::from_secs_f64(KNOWN as f64 / rate);
    let parts = thread::scope(|scope| -> Result<Vec<_>> {
        let sender = |part| scope.spawn(move || send_part(url, part, base_ms, gap, shared));
        let senders: Vec<_> = (0..SENDERS).map(sender).collect();
        senders.into_iter().map(|sender| join(sender)?).collect()
    })?;
    Ok(Known {
        sent: parts.iter().map(|(sent, _)| sent).sum(),
        base_ms,
        latest: parts
            .iter()
            .map(|(_, latest)| *latest)
            .max()
            .unwrap_or_default(),
    })
}

/// Samples sent, and how late the latest were.
fn send_part(
    url: &str,
    part: u64,
    base_ms: i64,
    gap: Duration,
    shared: &Shared,
) -> Result<(u64, Duration)> {
    let agent = agent();
    let begun = Instant::now();
    let (mut number, mut latest) = (0_u32, Duration::ZERO);
    while !shared.done.load(Ordering::SeqCst) {
        let due = gap * number;
        thread::sleep(due.saturating_sub(begun.elapsed()));
        let body = known_body(part, u64::from(number), base_ms);
        loop {
            let answer = post(&agent, &format!("{url}/v1/ingest"), &body)?;
            match answer.status {
                200 => break,
                503 => thread::sleep(Duration::from_millis(20)),
                status => bail!("known series: {status} {}", answer.text()),
            }
        }
        latest = latest.max(begun.elapsed().saturating_sub(due));
        number += 1;
    }
    Ok((u64::from(number) * PART, latest))
}

/// New series until so many are refused; returns what the last refusal said.
fn send_new(url: &str, series: u64, shared: &Shared) -> Result<String> {
    let agent = agent();
    let mut said = String::new();
    let mut number = 1_000_000_000;
    while shared.refused.load(Ordering::SeqCst) < series && !shared.done.load(Ordering::SeqCst) {
        let mut body = Body::default();
        for _ in 0..BATCH {
            body.push("bomb_total", "request_id", number, 0, now_ms());
            number += 1;
        }
        let answer = post(&agent, &format!("{url}/v1/ingest"), &body.finish())?;
        match answer.status {
            429 => {
                ensure!(answer.retry_after.is_some(), "a 429 without Retry-After");
                shared.refused.fetch_add(BATCH, Ordering::SeqCst);
                let message = answer.json()?["message"].as_str().map(str::to_owned);
                said = message.context("a message")?;
            }
            503 => thread::sleep(Duration::from_millis(20)),
            status => bail!("new series beyond the limit: {status} {}", answer.text()),
        }
    }
    Ok(said)
}

/// Memory at the early mark and at the end, each time after the samples of the known series have left
/// it by maintenance: they are stored, and are not what a refusal costs.
fn watch(server: &Server, shared: &Shared, early_at: u64, last: u64) -> Result<(u64, u64)> {
    let mut early = None;
    let mut seen = (0, Instant::now());
    loop {
        let refused = shared.refused.load(Ordering::SeqCst);
        if refused >= early_at && early.is_none() {
            early = Some(settled(server)?);
        }
        if refused >= last {
            let memory = settled(server)?;
            return Ok((early.unwrap_or(memory), memory));
        }
        if refused > seen.0 {
            seen = (refused, Instant::now());
        }
        let stuck = seen.1.elapsed();
        ensure!(
            stuck < Duration::from_secs(30),
            "nothing was refused for {stuck:?}"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

/// What the server holds all the time: the least of some readings, each right after maintenance. What
/// a reading has above it belongs to requests that were under way.
fn settled(server: &Server) -> Result<u64> {
    let mut least = u64::MAX;
    for _ in 0..READINGS {
        Maintenance::Here.run(&server.url)?;
        least = least.min(memory_bytes(server.pid(), "VmRSS")?);
    }
    Ok(least)
}

/// How many of the known samples can be read back.
fn arrived(server: &Server, known: &Known) -> Result<u64> {
    let mut count = 0;
    // One series of each part stands for it, for an answer has a limit: all share their requests.
    for part in 0..SENDERS {
        let series = part * PART;
        let path = format!(
            "/v1/query?match[]=%7Bat%3D%22{series}%22%7D&start={}&limit=1000000",
            known.base_ms
        );
        let rows = server.get(&path)?["count"].as_u64().context("a count")?;
        count += rows * PART;
    }
    Ok(count)
}

/// A request as it grows.
#[derive(Default)]
struct Body(String);

impl Body {
    fn push(&mut self, name: &str, label: &str, number: u64, value: u64, time_ms: i64) {
        let comma = if self.0.is_empty() { "" } else { "," };
        write!(
            self.0,
            "{comma}{{\"name\":\"{name}\",\"type\":\"gauge\",\"value\":{value},\
             \"labels\":{{\"service\":\"shop\",\"{label}\":\"{number}\"}},\"timestamp\":{time_ms}}}"
        )
        .expect("writing to a string does not fail");
    }

    fn finish(self) -> String {
        format!("{{\"metrics\":[{}]}}", self.0)
    }
}
