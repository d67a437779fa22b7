//! Inject: one single write has no space, whichever it is.
//!
//!   strace makes call k fail ─▶ 507 ─▶ the same batch again ─▶ 200 ─▶ stop ─▶ start ─▶ compare
//!
//! A busy life meets the failure at the start and while it writes, a quiet one in maintenance and
//! the flush of a clean stop, see [`lives`](super::super::lives). A failing start must say so; the
//! next one must succeed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tinyobs_testing::{Server, Start, Started, agent};

use super::super::lives::{Kind, Life, Lives};
use super::super::load::{self, Outcome, Sent, Shape};
use super::super::maintenance::Maintenance;
use super::super::random::now_ms;
use super::super::trace::{self, Injected, Trace};
use super::super::verify;
use super::RESUMES_WITHIN;
use crate::tools;

const SHAPE: Shape = Shape {
    series: 3,
    samples: 4,
    days: 3,
    ..Shape::SMALL
};
/// Calls that may find the disk full.
const LISTS: [(Kind, &str); 8] = [
    (Kind::Busy, "write"),
    (Kind::Quiet, "write"),
    (Kind::Quiet, "openat"),
    (Kind::Quiet, "rename"),
    (Kind::Busy, "mkdir"),
    (Kind::Busy, "rename"),
    (Kind::Quiet, "ftruncate"),
    (Kind::Quiet, "pwrite64"),
];
const STOPS_WITHIN: Duration = Duration::from_secs(20);

/// Runs it.
pub fn run(writes: u64, only: Option<&Life>, release: bool) -> Result<()> {
    let binary = tools::build_server(release)?;
    println!("repeat with `cargo xtask crash full --inject {writes}`");
    let dir = tempfile::tempdir()?;
    let mut lives = match only {
        Some(only) => Lives::only(only.clone()),
        None => Lives::new(writes, &LISTS),
    };
    let (mut failed, mut broken) = (Vec::new(), Vec::new());
    let (mut acked, mut refused, mut unreal) = (0, 0, 0);
    while let Some(life) = lives.next() {
        let name = life.to_string().replace('/', "-");
        match lead(&binary, &dir.path().join(name).join("data"), &life) {
            Ok(ended) => {
                lives.note(ended.injected.is_some());
                failed.extend(ended.injected);
                acked += load::acked(&ended.log);
                let refusals = ended.log.iter().filter(|sent| sent.status != 200);
                refused += refusals.count();
            }
            Err(error) if error.is::<NeedsNoSpace>() => {
                lives.note(true);
                unreal += 1;
            }
            Err(error) => {
                lives.note(true);
                println!("  --only {life}: {error:#}");
                broken.push(life.to_string());
            }
        }
    }
    println!(
        "{} writes without space, each in a life of its own: {}; {acked} samples acknowledged, \
         {refused} requests refused; {} lives failed the test; {unreal} more opened something to read \
         it, which a full disk allows",
        failed.len() + broken.len(),
        trace::kinds(&failed),
        broken.len()
    );
    ensure!(
        broken.is_empty(),
        "{} lives failed: {}",
        broken.len(),
        broken.join(" ")
    );
    Ok(())
}

/// The call that failed is one that no full disk refuses.
#[derive(Debug)]
struct NeedsNoSpace;

impl std::fmt::Display for NeedsNoSpace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the call needs no space")
    }
}

impl std::error::Error for NeedsNoSpace {}

struct Ended {
    injected: Option<Injected>,
    log: Vec<Sent>,
}

fn lead(binary: &Path, dir: &Path, life: &Life) -> Result<Ended> {
    let start = Start {
        binary: binary.to_path_buf(),
        data_dir: dir.to_path_buf(),
        args: Vec::new(),
    };
    fs::create_dir_all(dir)?;
    let trace = Trace::new(dir, &life.call, "ENOSPC", life.k, &paths(dir))?;
    let around = match life.kind {
        Kind::Busy => trace.around(),
        Kind::Quiet => trace.around_later(),
    };
    let (log, status) = match Server::start_in(&start, &around)? {
        Started::Ended(status) => {
            ensure!(
                !status.success() && trace.log().contains(&dir.display().to_string()),
                "a start without space ended with {status} and said {}",
                trace.log()
            );
            (Vec::new(), status)
        }
        Started::Ready(server) => match drive(server, &trace, life) {
            // A directory is opened to read before it is synced, and then the store must stop.
            Err(_) if trace.injected().is_some_and(|call| call.is_reading) => bail!(NeedsNoSpace),
            driven => driven.with_context(|| format!("it said {}", trace.log()))?,
        },
    };
    let said = trace.log();
    ensure!(!said.contains("panicked"), "it panicked: {said}");
    let injected = trace.injected();
    ensure!(
        injected.is_some() || status.success(),
        "nothing failed, yet it ended with {status}: {said}"
    );
    let server = Server::start(&start).context("the start after it")?;
    verify::round(&server, 0, &log, i64::MIN)?;
    ensure!(server.stop()?.success(), "the stop after it failed");
    let server = Server::start(&start).context("the second start after it")?;
    verify::round(&server, 0, &log, i64::MIN)?;
    Ok(Ended { injected, log })
}

/// Writes, each batch until it is taken, and stops.
fn drive(mut server: Server, trace: &Trace, life: &Life) -> Result<(Vec<Sent>, ExitStatus)> {
    let base_ms = now_ms();
    let mut log = Vec::new();
    // The threads share the calls, so more batches than k are needed to reach k in one of them.
    let batches = match life.kind {
        Kind::Busy => 8 * life.k + 10,
        Kind::Quiet => 3,
    };
    let mut after = 0;
    for number in 0..batches {
        until_taken(&server, number, base_ms, &mut log)?;
        after += u32::from(trace.injected().is_some());
        if after > 3 {
            break;
        }
    }
    let mut tracer = None;
    if life.kind == Kind::Quiet {
        tracer = Some(trace.attach(server.pid())?);
        if let Ok(maintenance) = Maintenance::of(&server) {
            maintenance.run(&server.url).ok();
        }
        until_taken(&server, batches, base_ms, &mut log)?;
    }
    verify::round(&server, 0, &log, i64::MIN).context("before the stop")?;
    server.terminate()?;
    let Some(status) = server.ended_within(STOPS_WITHIN)? else {
        bail!("it did not stop");
    };
    if let Some(mut tracer) = tracer {
        tracer.wait()?;
    }
    Ok((log, status))
}

/// The same batch again until it is acknowledged; only the last answer to it counts.
fn until_taken(server: &Server, number: u64, base_ms: i64, log: &mut Vec<Sent>) -> Result<()> {
    let begun = Instant::now();
    loop {
        let (body, samples) = load::batch(SHAPE, 0, 0, number, base_ms);
        let sent = load::send(&agent(), &server.url, &body, samples);
        if sent.outcome == Outcome::Acked {
            log.push(sent);
            return Ok(());
        }
        ensure!(
            matches!(sent.status, 507 | 503) && sent.retry_after,
            "a refusal was {} {} Retry-After",
            sent.status,
            if sent.retry_after { "with" } else { "without" }
        );
        // What is refused is not there, and what was there is.
        log.push(sent);
        verify::round(server, 0, log, i64::MIN).context("a read after the refusal")?;
        ensure!(
            begun.elapsed() < RESUMES_WITHIN,
            "there is space again, and it is still refused after {RESUMES_WITHIN:?}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}

/// Every file that a short life may write; strace wants to know them by name.
fn paths(dir: &Path) -> Vec<PathBuf> {
    let mut paths = vec![
        dir.to_path_buf(),
        dir.join("wal"),
        dir.join("tables"),
        dir.join("MANIFEST"),
        dir.join("MANIFEST.tmp"),
    ];
    for number in 0..40 {
        paths.push(dir.join(format!("wal/{number:016}.wal")));
        paths.push(dir.join(format!("tables/{number:016}.table")));
    }
    paths
}
