//! Fsync: the k-th sync fails, and nothing is acknowledged after it.
//!
//!   strace makes call k fail ─▶ refusals ─▶ the process ends and names the file ─▶ start ─▶ compare
//!
//! Two kinds of life take turns, see [`lives`]. A busy one writes in `sync` mode: each
//! acknowledgement waits for a sync. A quiet one writes in `interval` mode, so that the failure
//! meets the log's rotation, tables, manifest and directories.
//!
//! Passes when no request that was begun after the failure is acknowledged, the process ends by
//! itself within five seconds, not with success and naming the file, and the next start has all
//! that was acknowledged.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use tinyobs_testing::{Server, Start, Started, agent};

use super::lives::{Kind, Life, Lives};
use super::load::{self, Sent, Shape};
use super::maintenance::Maintenance;
use super::random::now_ms;
use super::trace::{self, Injected, Trace};
use super::verify;
use crate::tools;

/// Which calls fail.
#[derive(Args)]
pub struct Options {
    /// How many syncs fail, each in a life of its own.
    #[arg(long, default_value_t = 40)]
    calls: u64,
    /// Only this life, such as `busy/fdatasync/3`.
    #[arg(long)]
    only: Option<Life>,
    /// Use the release build.
    #[arg(long)]
    release: bool,
}

impl Options {
    /// So many calls, everything else as usual.
    pub fn short(calls: u64) -> Self {
        Self {
            calls,
            only: None,
            release: false,
        }
    }
}

const SHAPE: Shape = Shape {
    series: 3,
    samples: 4,
    days: 3,
    ..Shape::SMALL
};
const LISTS: [(Kind, &str); 4] = [
    (Kind::Busy, "fdatasync"),
    (Kind::Quiet, "fdatasync"),
    (Kind::Busy, "fsync"),
    (Kind::Quiet, "fsync"),
];
const ENDS_WITHIN: Duration = Duration::from_secs(5);
/// In `interval` mode a batch may be acknowledged while the sync is failing.
const INTERVAL_SLACK: Duration = Duration::from_millis(200);

/// What one life gave.
struct Outcome {
    injected: Option<Injected>,
    ended_in: Duration,
    acked: usize,
}

/// Runs it.
pub fn run(options: &Options) -> Result<()> {
    let binary = tools::build_server(options.release)?;
    println!(
        "repeat with `cargo xtask crash fsync --calls {}`",
        options.calls
    );
    let dir = tempfile::tempdir()?;
    let (mut failed, mut acked) = (Vec::new(), 0);
    let mut slowest = Duration::ZERO;
    let mut broken = Vec::new();
    let mut lives = match &options.only {
        Some(only) => Lives::only(only.clone()),
        None => Lives::new(options.calls, &LISTS),
    };
    while let Some(life) = lives.next() {
        let name = life.to_string().replace('/', "-");
        match lead(&binary, &dir.path().join(name).join("data"), &life) {
            Ok(ended) => {
                lives.note(ended.injected.is_some());
                acked += ended.acked;
                slowest = slowest.max(ended.ended_in);
                failed.extend(ended.injected);
            }
            Err(error) => {
                lives.note(true);
                println!("  --only {life}: {error:#}");
                broken.push(life.to_string());
            }
        }
    }
    println!(
        "{} failed syncs, each in a life of its own: {}; {acked} samples acknowledged before; \
         {} lives failed the test; slowest end {slowest:?}",
        failed.len() + broken.len(),
        trace::kinds(&failed),
        broken.len()
    );
    ensure!(
        broken.is_empty(),
        "{} lives failed: {broken:?}",
        broken.len()
    );
    Ok(())
}

fn lead(binary: &Path, dir: &Path, life: &Life) -> Result<Outcome> {
    let Life { kind, ref call, k } = *life;
    let durability = if kind == Kind::Busy {
        "sync"
    } else {
        "interval"
    };
    let start = Start {
        binary: binary.to_path_buf(),
        data_dir: dir.to_path_buf(),
        args: ["--durability", durability].map(str::to_owned).to_vec(),
    };
    fs::create_dir_all(dir)?;
    let trace = Trace::new(dir, call, "EIO", k, &[])?;
    let begun = Instant::now();
    let around = match kind {
        Kind::Busy => trace.around(),
        Kind::Quiet => trace.around_later(),
    };
    let (log, status, ended_in) = match Server::start_in(&start, &around)? {
        Started::Ended(status) => (Vec::new(), Some(status), begun.elapsed()),
        Started::Ready(server) => drive(server, &trace, kind, k)?,
    };
    let injected = trace.injected();
    if let Some(injected) = &injected {
        let what = format!("{} of {}", injected.call, injected.path);
        let status = status.with_context(|| {
            format!("{what} failed, and the process lived on for {ENDS_WITHIN:?}")
        })?;
        ensure!(
            !status.success(),
            "{what} failed, and the process ended with success"
        );
        ensure!(
            trace.log().contains(&injected.path),
            "{what} failed, and nothing names the file: {}",
            trace.log()
        );
        no_ack_after(&log, injected, kind).with_context(|| format!("{what} failed"))?;
    } else {
        ensure!(
            status.is_some_and(|status| status.success()),
            "no sync failed, yet the process ended with {status:?}: {}",
            trace.log()
        );
    }
    let server = Server::start(&start).context("the start after it")?;
    verify::round(&server, 0, &log, i64::MIN)?;
    let acked = load::acked(&log);
    Ok(Outcome {
        injected,
        ended_in,
        acked,
    })
}

type Ended = (Vec<Sent>, Option<std::process::ExitStatus>, Duration);

/// Writes until the failure comes, or for a while and then stops; waits for the end.
fn drive(mut server: Server, trace: &Trace, kind: Kind, k: u64) -> Result<Ended> {
    let agent = agent();
    let base_ms = now_ms();
    let url = server.url.clone();
    let mut log = Vec::new();
    // The threads share the calls, so more batches than k are needed to reach k in one of them.
    let batches = if kind == Kind::Busy { 8 * k + 10 } else { 3 };
    let mut after = 0;
    let mut tracer = None;
    for number in 0..batches {
        let (body, samples) = load::batch(SHAPE, 0, 0, number, base_ms);
        log.push(load::send(&agent, &url, &body, samples));
        // A few more after the failure: none of them may be acknowledged.
        after += u64::from(trace.injected().is_some());
        if after > 3 || log.last().is_some_and(|sent| sent.status == 0) {
            break;
        }
    }
    if kind == Kind::Quiet {
        tracer = Some(trace.attach(server.pid())?);
        if let Ok(maintenance) = Maintenance::of(&server) {
            maintenance.run(&url).ok();
        }
        if trace.injected().is_none() {
            // Sometimes let the second pass after which the log is synced.
            thread::sleep(Duration::from_millis(if k % 4 == 1 { 1_100 } else { 0 }));
        }
    }
    if trace.injected().is_none() {
        server.terminate()?;
    }
    let waited = Instant::now();
    let status = server.ended_within(ENDS_WITHIN)?;
    let waited = waited.elapsed();
    if let Some(mut tracer) = tracer {
        tracer.wait()?;
    }
    Ok((log, status, waited))
}

fn no_ack_after(log: &[Sent], injected: &Injected, kind: Kind) -> Result<()> {
    let slack = match kind {
        Kind::Busy => Duration::ZERO,
        Kind::Quiet => INTERVAL_SLACK,
    };
    let late = log
        .iter()
        .filter(|sent| sent.outcome == load::Outcome::Acked && sent.begun > injected.at + slack);
    let count = late.count();
    ensure!(
        count == 0,
        "{count} requests that began after it were acknowledged"
    );
    Ok(())
}
