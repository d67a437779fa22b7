//! Ingest: what it costs to take samples in, beside everybody else, in one run.
//!
//!   [`mix`] ─▶ [`body`] ─▶ [`payload`] ─▶ [`send`] ─▶ [`target`] ─▶ [`report`]
//!
//! All targets get the same bytes, one after the other, in rounds, so that a machine that becomes
//! busy is so for all. [`null`] is the server that only decodes. What is compared is samples per
//! CPU-second of the server's process; ratios below 1.3 may be chance.

pub mod body;
mod machine;
pub mod mix;
pub mod null;
pub mod payload;
mod report;
mod send;
pub mod target;

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use clap::Args;

use self::body::Protocol;
use self::mix::Mix;
use self::payload::Payload;
use self::report::Report;
use self::target::Target;
use crate::tools;

/// How much load, and for whom.
#[derive(Args)]
pub struct Options {
    /// Series; each number is a load of its own.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000])]
    series: Vec<u32>,
    /// Samples of each series, 15 s apart; without it as many as make 4.8 million, at least 6.
    #[arg(long)]
    steps: Option<u32>,
    /// Whom to send it to.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [
        Target::TinyObs, Target::Prometheus, Target::VictoriaMetrics, Target::Null,
    ])]
    targets: Vec<Target>,
    /// How to send it; JSON goes to TinyObs and the null server alone.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [
        Protocol::RemoteWrite, Protocol::Json,
    ])]
    protocols: Vec<Protocol>,
    /// How often each target gets each load; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// One round of 10,000 series × 120 steps: to see that it works, too short for figures.
    #[arg(long, conflicts_with_all = ["series", "steps", "rounds"])]
    quick: bool,
    /// Fail below the floors: remote write at twice VictoriaMetrics, JSON at 0.54 M samples per
    /// CPU-second.
    #[arg(long)]
    check: bool,
    /// This `tinyobs` instead of a release build made now.
    #[arg(long)]
    server: Option<PathBuf>,
}

/// Measures everything and prints tables.
pub fn run(options: &Options) -> Result<()> {
    if cfg!(debug_assertions) {
        return in_release();
    }
    let programs = target::programs(&options.targets, options.server.as_deref())?;
    let (all_series, steps, rounds) = if options.quick {
        (&[10_000][..], Some(120), 1)
    } else {
        (&options.series[..], options.steps, options.rounds)
    };
    ensure!(rounds > 0 && steps != Some(0), "nothing would be sent");
    let mut shortcomings = Vec::new();
    for &series in all_series {
        ensure!(series > 0, "a load of no series");
        for &protocol in &options.protocols {
            let steps = steps.unwrap_or((4_800_000 / series).max(6));
            let report = compare(&programs, protocol, (series, steps), rounds)?;
            println!("{}", report.text());
            shortcomings.extend(report.shortcomings());
        }
    }
    if options.check && !shortcomings.is_empty() {
        bail!("below the floor:\n{}", shortcomings.join("\n"));
    }
    Ok(())
}

/// What generates, sends and decodes must be compiled as what is measured is.
pub fn in_release() -> Result<()> {
    tools::run("cargo", &["build", "--release", "--package", "xtask"], &[])?;
    let program = tools::target_dir()?.join("release/xtask");
    let status = Command::new(program)
        .args(env::args_os().skip(1))
        .status()?;
    ensure!(
        status.success(),
        "the release build of it failed ({status})"
    );
    Ok(())
}

/// One load, sent to everybody who speaks its protocol, in rounds.
fn compare(
    programs: &BTreeMap<Target, PathBuf>,
    protocol: Protocol,
    (series, steps): (u32, u32),
    rounds: u32,
) -> Result<Report> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let mix = Mix::new(series, steps, now.as_millis() as i64);
    let dir = tempfile::tempdir()?;
    let begun = Instant::now();
    let payload = Payload::build(protocol, &mix, dir.path())?;
    eprintln!(
        "{series} series × {steps} steps in {:.1} bytes a sample, made in {:.1} s",
        payload.bytes() as f64 / mix.samples() as f64,
        begun.elapsed().as_secs_f64()
    );
    ensure!(
        payload.samples() == mix.samples(),
        "samples are missing in the requests"
    );
    let mut report = Report {
        series,
        steps,
        protocol,
        rounds: BTreeMap::new(),
    };
    for round in 1..=rounds {
        for (&target, program) in programs
            .iter()
            .filter(|(target, _)| target.speaks(protocol))
        {
            let measured = target::measure(target, program, &payload, &mix)?;
            eprintln!(
                "round {round}, {}: {:.0} samples per CPU-second",
                target.name(),
                measured.until_idle
            );
            report.rounds.entry(target).or_default().push(measured);
        }
    }
    Ok(report)
}
