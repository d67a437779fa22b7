//! Query: what a dashboard asks, of three servers that hold the same samples, side by side.
//!
//!   [`mix`](super::ingest::mix) ─▶ remote write to everybody ─▶ [`set`] ─▶ [`ask`] ─▶ [`agree`]
//!   ─▶ [`report`]
//!
//! Two loads: many series for six hours, and a thousand for thirty days, which TinyObs has rolled up
//! and thinned out by then. Each query goes to one after the other, so that a machine that becomes
//! busy is so for all. What is compared is CPU time of the server's process; wall clocks are shown,
//! and ratios below 1.3 may be chance.

mod agree;
mod ask;
mod report;
mod set;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use tempfile::TempDir;
use tinyobs_testing::agent;

use self::ask::Question;
use self::report::Row;
use super::ingest::body::Protocol;
use super::ingest::mix::{INTERVAL_MS, Mix};
use super::ingest::payload::Payload;
use super::ingest::target::{Running, Target, programs, settle};

/// Which loads, for whom, and how often.
#[derive(Args)]
pub struct Options {
    /// The loads.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Span::Hours, Span::Days])]
    loads: Vec<Span>,
    /// Whom to ask.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [
        Target::TinyObs, Target::Prometheus, Target::VictoriaMetrics,
    ])]
    targets: Vec<Target>,
    /// Only queries whose name holds this.
    #[arg(long, default_value = "")]
    only: String,
    /// How often each query is asked at least, once more before to warm up.
    #[arg(long, default_value_t = 5)]
    times: u32,
    /// A tenth of the series, each query once: to see that it works.
    #[arg(long)]
    quick: bool,
    /// This `tinyobs` instead of a release build made now.
    #[arg(long)]
    server: Option<PathBuf>,
}

/// A load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Span {
    /// 10,000 series × 6 h.
    Hours,
    /// 1,000 series × 30 d.
    Days,
}

impl Span {
    fn mix(self, quick: bool) -> Result<Mix> {
        let (series, hours) = match self {
            Self::Hours => (10_000, 6),
            Self::Days => (1_000, 30 * 24),
        };
        let steps = hours * 3_600_000 / INTERVAL_MS;
        let series = if quick { series / 10 } else { series };
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
        // Whole minutes, so that steps fall on the same moments everywhere.
        Ok(Mix::new(series, steps as u32, now - now % 60_000))
    }

    fn queries(self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self {
            Self::Hours => set::HOURS,
            Self::Days => set::DAYS,
        }
    }
}

/// Measures everything and prints tables.
pub fn run(options: &Options) -> Result<()> {
    if cfg!(debug_assertions) {
        return super::ingest::in_release();
    }
    ensure!(options.times > 0, "nothing would be asked");
    ensure!(
        !options.targets.contains(&Target::Null),
        "the null server has no answers"
    );
    let programs = programs(&options.targets, options.server.as_deref())?;
    for &load in &options.loads {
        let mix = load.mix(options.quick)?;
        let rows = compare(&programs, load, &mix, options)?;
        println!("{}", report::text(&mix, &rows));
    }
    Ok(())
}

/// All of the load to everybody, then one query after the other.
fn compare(
    programs: &BTreeMap<Target, PathBuf>,
    load: Span,
    mix: &Mix,
    options: &Options,
) -> Result<Vec<Row>> {
    let scratch = tempfile::tempdir()?;
    let payload = Payload::build(Protocol::RemoteWrite, mix, scratch.path())?;
    let mut servers: BTreeMap<Target, (Running, TempDir)> = BTreeMap::new();
    for (&target, program) in programs {
        let dir = tempfile::tempdir()?;
        let running = filled(target, program, dir.path(), load, &payload, mix)?;
        eprintln!("{} holds {} samples", target.name(), payload.samples());
        servers.insert(target, (running, dir));
    }
    let agent = agent();
    let times = if options.quick { 1 } else { options.times };
    let mut rows = Vec::new();
    for &(name, kind, text) in load.queries() {
        if !name.contains(&options.only) {
            continue;
        }
        let question = Question::new(kind, text, mix.end_ms)?;
        let mut row = Row {
            name,
            asked: BTreeMap::new(),
        };
        for (&target, (running, _)) in &servers {
            let asked = ask::measure(&agent, &running.url, running.pid(), &question, times)?;
            row.asked.insert(target, asked);
        }
        eprintln!("{name}: {}", row.cpu_text());
        rows.push(row);
    }
    Ok(rows)
}

/// A server with the load in it, as it is after a while.
fn filled(
    target: Target,
    program: &Path,
    dir: &Path,
    load: Span,
    payload: &Payload,
    mix: &Mix,
) -> Result<Running> {
    let keep_all: &[&str] = match target {
        Target::TinyObs => &["--retention-raw", "0"],
        Target::Prometheus => &["--storage.tsdb.retention.time=100d"],
        _ => &[],
    };
    let mut running = Running::start_with(target, program, dir, mix, keep_all)?;
    running.fill(payload, mix)?;
    if target == Target::TinyObs && load == Span::Days {
        // From here on as by default: raw samples go after their time, rollups stay.
        running.stop()?;
        running = Running::start_with(target, program, dir, mix, &[])?;
        let agent = agent();
        let url = format!("{}/v1/admin/maintenance", running.url);
        let answer = agent.post(url).send_empty()?;
        ensure!(answer.status() == 200, "maintenance: {}", answer.status());
        settle(running.pid())?;
    }
    Ok(running)
}
