//! Overload: a server is offered four times what it can take.
//!
//!   core 0: server · core 1: [`sender`]s ─▶ [`wire`] requests, built before ─▶ 204, or 429/503
//!
//!   peak (closed loop) ─▶ normal (half of it) ─▶ overload (four times it, open loop) ─▶ normal
//!   ─▶ read back ─▶ kill -9 ─▶ start ─▶ read back
//!
//! A sender has series of its own and numbers its requests: number n is n milliseconds after the
//! beginning, and its samples have the value n. It sends what was refused again, as real ones do, but
//! most of them at once, whatever `Retry-After` says; a few (`polite`) do as they are told.
//!
//! Passes when what is acknowledged while overloaded is 90 % of the peak or more, memory stays flat and
//! within [`MEMORY_MAX`], every refusal is 429 or 503 with `Retry-After` or a closed connection, nothing
//! acknowledged is missing, nothing that was never sent is there, and requests at half of the peak are
//! answered as before within five seconds. `--no-timing` leaves out what depends on the time: how
//! much is acknowledged, how memory grows, and how fast answers are; then something must have been
//! refused and something acknowledged while overloaded, or nothing was tried.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::Args;
use tinyobs_testing::process::memory_bytes;
use tinyobs_testing::{Around, Server, Start, Started};

use crate::crash::{now_ms, quietly, require};
use crate::tools;

mod check;
mod sender;
mod wire;

use sender::{Load, Pace, Told, run_load};
use wire::Template;

/// How long.
#[derive(Args)]
pub struct Options {
    /// Seconds of overload.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// How many times the peak is offered.
    #[arg(long, default_value_t = 4.0)]
    times: f64,
    /// Use the release build.
    #[arg(long)]
    release: bool,
    /// Leave out what depends on the time, for a busy machine.
    #[arg(long)]
    no_timing: bool,
    /// Fewer connections with fewer series, so that reading back takes seconds; with --no-timing.
    #[arg(long, requires = "no_timing")]
    few: bool,
}

/// The short form that `cargo xtask test` runs, as a process of its own: it stays on one core.
pub fn short() -> Result<()> {
    let xtask = std::env::current_exe()?.display().to_string();
    let args = ["overload", "--seconds", "5", "--no-timing", "--few"];
    tools::run(&xtask, &args, &[])
}

/// How many send how much.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Senders, each with a connection: more than the server lets wait (`INGEST_WAITING`).
    pub senders: usize,
    /// Those among them that wait as long as `Retry-After` says.
    pub polite: usize,
    /// Series of a sender: so many samples has a request.
    pub series: usize,
    /// Connections that measure the peak, with the series of all senders: nearly as many as may wait, so
    /// that the server always has work and refuses none.
    peak_connections: usize,
}

/// What the figures of docs/RELIABILITY.md are of.
const FULL: Scale = Scale {
    senders: 512,
    polite: 32,
    series: 200,
    peak_connections: 240,
};
/// As few as are still more than may wait and be worked at.
const FEW: Scale = Scale {
    senders: 400,
    polite: 16,
    series: 10,
    peak_connections: 200,
};
/// The peak is what goes on and on, with all that is written out of the log meanwhile.
const PEAK: Duration = Duration::from_mins(1);
/// All of it, at any time.
const MEMORY_MAX: u64 = 768 << 20;
/// Growth of memory from the first half to the second, in percent, and this much besides.
const GROWTH_MAX: f64 = 5.0;
const GROWTH_BESIDE: u64 = 16 << 20;
const GOODPUT_MIN: f64 = 0.9;
/// After the overload everything is as before within this time.
const NORMAL_WITHIN: Duration = Duration::from_secs(5);

/// Runs it.
pub fn run(options: &Options) -> Result<()> {
    require("taskset", "util-linux")?;
    ensure!(
        options.no_timing || !cfg!(debug_assertions),
        "the generator must be fast: `cargo run --release --package xtask -- overload --release`"
    );
    let binary = tools::build_server(options.release)?;
    let dir = tempfile::tempdir()?;
    let start = Start {
        binary,
        data_dir: dir.path().join("data"),
        args: [
            "--log-level",
            "error",
            "--max-series",
            "200000",
            "--max-storage",
            "16GB",
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    let server = start_on_core_0(&start)?;
    // All that is started from here on, threads too, is on the other core.
    let own = std::process::id().to_string();
    let mut pin = Command::new("taskset");
    quietly(pin.args(["-a", "-c", "-p", "1", &own]))?;

    let base_ms = now_ms() - 3_600_000;
    let scale = if options.few { FEW } else { FULL };
    let mut senders: Vec<Template> = (0..scale.senders)
        .map(|n| Template::new(n, scale, base_ms))
        .collect();
    let phase = Duration::from_secs(if options.no_timing { 1 } else { 10 });
    // The first requests make the series, which costs more than any later one.
    run_load(&server, &mut senders, scale.senders, Pace::Once, phase)?;
    let peaking = if options.no_timing { phase } else { PEAK };
    let peak = run_load(
        &server,
        &mut senders,
        scale.peak_connections,
        Pace::Closed,
        peaking,
    )?;
    let half = Pace::Open(peak.rate() / 2.0);
    let before = run_load(&server, &mut senders, scale.senders, half, phase)?;
    let offered = Pace::Open(peak.rate() * options.times);
    let (over, memory) = overload(&server, &mut senders, offered, options.seconds)?;
    let after = run_load(&server, &mut senders, scale.senders, half, 2 * phase)?;
    report(&peak, &before, &over, &after, memory);

    let loads = [&peak, &before, &over, &after];
    for load in loads {
        ensure!(
            load.told.wrong.is_none(),
            "a refusal that says nothing: {:?}",
            load.told.wrong
        );
    }
    let highest = memory_bytes(server.pid(), "VmHWM")?;
    ensure!(
        highest <= MEMORY_MAX,
        "memory went to {} MiB",
        highest >> 20
    );
    let read = check::compare(&server, &senders, base_ms)?;
    server.kill()?;
    let server = start_on_core_0(&start)?;
    check::compare(&server, &senders, base_ms)?;
    println!("all of {read} samples read back are right, before and after kill -9");
    let status = server.stop()?;
    ensure!(status.success(), "the server ended with {status}");
    if options.no_timing {
        let Told { acked, refused, .. } = over.told;
        ensure!(
            acked > 0 && refused > 0,
            "that was no overload: {acked} requests acknowledged, {refused} refused"
        );
        return Ok(());
    }
    judge(&peak, &before, &over, &after, memory)
}

fn start_on_core_0(start: &Start) -> Result<Server> {
    let around = Around {
        wrapper: ["taskset", "-c", "0"].map(str::to_owned).to_vec(),
        log: None,
    };
    match Server::start_in(start, &around)? {
        Started::Ready(server) => Ok(server),
        Started::Ended(status) => bail!("the server did not start: {status}"),
    }
}

/// Memory at its highest in either half.
type Halves = (u64, u64);

fn overload(
    server: &Server,
    senders: &mut [Template],
    pace: Pace,
    seconds: u64,
) -> Result<(Load, Halves)> {
    let whole = Duration::from_secs(seconds);
    let pid = server.pid();
    let watch = move || -> Result<Halves> {
        let begun = Instant::now();
        let (mut first, mut second) = (0, 0);
        while begun.elapsed() < whole {
            let half = if begun.elapsed() < whole / 2 {
                &mut first
            } else {
                &mut second
            };
            *half = memory_bytes(pid, "VmRSS")?.max(*half);
            thread::sleep(Duration::from_millis(100));
        }
        Ok((first, second))
    };
    let watcher = thread::spawn(watch);
    let load = run_load(server, senders, senders.len(), pace, whole)?;
    let Ok(memory) = watcher.join() else {
        bail!("the watcher panicked");
    };
    Ok((load, memory?))
}

fn report(peak: &Load, before: &Load, over: &Load, after: &Load, memory: Halves) {
    println!("peak: {:.0} samples a second", peak.rate());
    for (name, load) in [("before", before), ("overload", over), ("after", after)] {
        let Told {
            acked,
            refused,
            closed,
            ..
        } = load.told;
        println!(
            "{name}: {:.2} times the peak offered, {:.2} sent, {:.3} acknowledged ({:.3} for the same CPU \
             time): {acked} requests \
             acknowledged ({} by those who wait), {refused} refused, {closed} connections closed, {} \
             not sent for want of a free connection; answers: {}",
            load.offered() / peak.rate(),
            load.sent() / peak.rate(),
            load.rate() / peak.rate(),
            load.rate_of_cpu() / peak.rate_of_cpu(),
            load.told.acked_polite,
            load.told.late,
            load.answers(),
        );
    }
    println!(
        "memory: {} MiB, then {} MiB",
        memory.0 >> 20,
        memory.1 >> 20
    );
}

fn judge(peak: &Load, before: &Load, over: &Load, after: &Load, memory: Halves) -> Result<()> {
    let goodput = over.rate() / peak.rate();
    ensure!(
        goodput >= GOODPUT_MIN,
        "goodput is {goodput:.3} of the peak"
    );
    let allowed = (memory.0 as f64 * (1.0 + GROWTH_MAX / 100.0)) as u64 + GROWTH_BESIDE;
    ensure!(
        memory.1 <= allowed,
        "memory grew from {} to {} bytes",
        memory.0,
        memory.1
    );
    // What others do on the machine shows in either.
    let usual = before.slowest_usual(Duration::ZERO) * 3 + Duration::from_millis(20);
    let then = after.slowest_usual(NORMAL_WITHIN);
    ensure!(
        then <= usual,
        "after {NORMAL_WITHIN:?} answers take {then:?}, before it {usual:?}"
    );
    let refused = after.refused_from(NORMAL_WITHIN);
    ensure!(
        refused == 0,
        "{refused} requests were refused {NORMAL_WITHIN:?} after"
    );
    Ok(())
}
