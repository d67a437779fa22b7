//! Bench: the figures of docs/PERFORMANCE.md, measured on the release build from outside.
//!
//!   load ─▶ POST /v1/ingest ─▶ CPU of the server until idle ─▶ stop ─▶ bytes on disk ─▶ restart
//!        ─▶ POST /v1/admin/maintenance ─▶ CPU of rolling up and merging ─▶ stop ─▶ bytes on disk
//!
//! `bench ingest` is [`ingest`]: taking samples in, beside everybody else; `bench query` is [`query`]:
//! what a dashboard asks, likewise.
//!
//! CPU seconds per unit of work are what to compare: wall clocks depend on who else is busy.
//! Nothing else should run meanwhile.

pub mod ingest;
mod load;
mod query;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use tinyobs_testing::process::{cpu_seconds, memory_bytes};
use tinyobs_testing::{Server, Start, agent};

use self::load::Load;
use crate::tools;

/// How much load.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    what: Option<What>,
    /// Series.
    #[arg(long, default_value_t = 10_000)]
    series: u32,
    /// Steps of 15 s, one sample of each series a step.
    #[arg(long, default_value_t = 480)]
    steps: u32,
    /// Leave out the SDK.
    #[arg(long)]
    no_sdk: bool,
}

/// One thing alone.
#[derive(Subcommand)]
enum What {
    /// Taking samples in, beside Prometheus, VictoriaMetrics and a server that only decodes.
    Ingest(ingest::Options),
    /// What a dashboard asks, beside Prometheus and VictoriaMetrics with the same samples.
    Query(query::Options),
}

const CONNECTIONS: u32 = 2;
/// Samples of one request: a large agent's push.
const SAMPLES_PER_REQUEST: u32 = 5_000;

/// Measures everything and prints a table.
pub fn run(options: &Options) -> Result<()> {
    match &options.what {
        Some(What::Ingest(options)) => return ingest::run(options),
        Some(What::Query(options)) => return query::run(options),
        None => {}
    }
    let binary = tools::build_server(true)?;
    let dir = tempfile::tempdir()?;
    let start = Start {
        binary,
        data_dir: dir.path().join("data"),
        args: vec!["--max-series".into(), (options.series + 100).to_string()],
    };
    let samples = f64::from(options.series) * f64::from(options.steps);
    println!(
        "\n{} series × {} steps = {samples} samples\n",
        options.series, options.steps
    );
    println!("| figure | value |\n|---|---:|");

    let server = Server::start(&start)?;
    row(
        "cold start to first answer, ms",
        server.started_in.as_secs_f64() * 1e3,
    );
    thread::sleep(Duration::from_secs(2));
    let idle = memory_bytes(server.pid(), "VmRSS")?;
    row("idle memory (RSS), MB", idle as f64 / 1e6);

    let before = cpu_seconds(server.pid())?;
    let began = Instant::now();
    send(&server, Load::new(options.series, options.steps))?;
    let wall = began.elapsed().as_secs_f64();
    let until_ack = cpu_seconds(server.pid())? - before;
    let until_idle = settle(server.pid())? - before;
    row(
        "JSON in: samples per CPU-second, until the last answer",
        samples / until_ack,
    );
    row(
        "JSON in: samples per CPU-second, until idle",
        samples / until_idle,
    );
    row(
        "JSON in: samples per second of wall clock (2 connections, this machine)",
        samples / wall,
    );
    let settled = memory_bytes(server.pid(), "VmRSS")?;
    row(
        "settled memory above idle, bytes per series",
        per(settled.saturating_sub(idle), options.series),
    );
    row(
        "peak memory, MB",
        memory_bytes(server.pid(), "VmHWM")? as f64 / 1e6,
    );
    let held = server.get("/v1/stats")?["TotalMetrics"]
        .as_f64()
        .unwrap_or(0.0);
    ensure!(
        held == samples,
        "the server holds {held} of {samples} samples"
    );

    let stopping = Instant::now();
    ensure!(server.stop()?.success(), "the server did not stop cleanly");
    row("clean stop, ms", stopping.elapsed().as_secs_f64() * 1e3);
    disk("after a clean stop", &start.data_dir, samples)?;

    let server = Server::start(&start)?;
    row(
        "restart with that data to first answer, ms",
        server.started_in.as_secs_f64() * 1e3,
    );
    settle(server.pid())?;
    let before = cpu_seconds(server.pid())?;
    let answer = server.post("/v1/admin/maintenance", "")?;
    ensure!(answer.status == 200, "maintenance: {}", answer.text());
    let cost = cpu_seconds(server.pid())? - before;
    let done = answer.json()?;
    let windows = done["rolled_windows"].as_f64().unwrap_or(0.0);
    row(
        "maintenance of it all, CPU ns per sample",
        cost * 1e9 / samples,
    );
    row("windows that it computed", windows);
    ensure!(server.stop()?.success(), "the server did not stop cleanly");
    disk("fully compacted", &start.data_dir, samples)?;
    if !options.no_sdk {
        sdk()?;
    }
    Ok(())
}

/// What all files occupy, and what the tables of each kind hold.
fn disk(when: &str, dir: &Path, samples: f64) -> Result<()> {
    let bytes = allocated_bytes(dir)?;
    row(
        &format!("disk {when}, all files, bytes per sample"),
        bytes as f64 / samples,
    );
    for space in ["raw", "5m", "1h", "catalogue"] {
        let bytes = table_bytes(dir, space)?;
        row(
            &format!("of that in {space} tables, bytes per raw sample"),
            bytes as f64 / samples,
        );
    }
    Ok(())
}

fn row(name: &str, value: f64) {
    if value >= 1_000.0 {
        println!("| {name} | {value:.0} |");
    } else {
        println!("| {name} | {value:.2} |");
    }
}

fn per(bytes: u64, count: u32) -> f64 {
    bytes as f64 / f64::from(count)
}

/// Sends the whole load over some connections. Targets stay on their connection, so that each
/// series' samples arrive in order.
fn send(server: &Server, load: Load) -> Result<()> {
    let load = Arc::new(load);
    let failed = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|connection| {
            let (load, failed, url) = (Arc::clone(&load), Arc::clone(&failed), server.url.clone());
            thread::spawn(move || {
                let agent = agent();
                for step in 0..load.steps() {
                    let requests = load.series().div_ceil(SAMPLES_PER_REQUEST);
                    for request in (0..requests).filter(|r| r % CONNECTIONS == connection) {
                        let from = request * SAMPLES_PER_REQUEST;
                        let body =
                            load.body(step, from..(from + SAMPLES_PER_REQUEST).min(load.series()));
                        let answer = agent
                            .post(format!("{url}/v1/ingest"))
                            .header("Content-Type", "application/json")
                            .send(&body);
                        if !answer.is_ok_and(|answer| answer.status() == 200) {
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        if thread.join().is_err() {
            bail!("a sender panicked");
        }
    }
    let failed = failed.load(Ordering::Relaxed);
    ensure!(failed == 0, "{failed} requests failed");
    Ok(())
}

/// Waits until the process uses no CPU to speak of; returns what it has used.
fn settle(pid: u32) -> Result<f64> {
    let mut last = cpu_seconds(pid)?;
    for _ in 0..60 {
        thread::sleep(Duration::from_secs(1));
        let now = cpu_seconds(pid)?;
        if now - last < 0.02 {
            return Ok(now);
        }
        last = now;
    }
    bail!("the server does not come to rest");
}

/// Blocks, not lengths: what `du` counts.
fn allocated_bytes(dir: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut sum = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() {
            allocated_bytes(&entry.path())?
        } else {
            entry.metadata()?.blocks() * 512
        };
    }
    Ok(sum)
}

/// What the manifest says of the tables of a space: lines of words and values, all of them twice.
fn table_bytes(dir: &Path, space: &str) -> Result<u64> {
    let manifest = std::fs::read_to_string(dir.join("MANIFEST"))?;
    let mut tables = BTreeMap::new();
    for line in manifest.lines().filter(|line| line.starts_with("table ")) {
        let words: Vec<&str> = line.split(' ').collect();
        let after = |name| words.windows(2).find(|pair| pair[0] == name);
        let value = |name| after(name).map(|pair| pair[1]);
        if value("partition").is_some_and(|partition| partition.split('/').nth(1) == Some(space)) {
            let bytes: u64 = value("bytes").context("a table's bytes")?.parse()?;
            tables.insert(value("table").context("a table's number")?, bytes);
        }
    }
    Ok(tables.values().sum())
}

/// The SDK's own example prints `name value unit` lines.
fn sdk() -> Result<()> {
    let args = [
        "run",
        "--quiet",
        "--release",
        "-p",
        "tinyobs",
        "--example",
        "update_cost",
    ];
    let printed = tools::output_of("cargo", &args).context("the SDK's update_cost example")?;
    println!("\nSDK, cost of one update:\n{printed}");
    Ok(())
}
