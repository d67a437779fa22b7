//! Power: the plug is pulled, again and again, on a real file system.
//!
//!   writers ─▶ server ─▶ ext4 in a file on XFS ─▶ reflink copy = what the device holds now
//!                                                  └─▶ mount ─▶ start ─▶ read all ─▶ compare
//!
//! A loop device hands to the file only what the kernel has submitted as block writes; what ext4
//! still holds in memory is not in the copy. So a copy, which takes milliseconds, is the device at
//! the instant of a power cut, and the server runs on for the next one. A copy is opened by the real
//! binary after ext4 has replayed its journal.
//!
//! In reading order: [`rig`] is the disk, [`life`] the server on it.
//!
//! Passes when everything acknowledged before the copy began is there, nothing is there that was
//! never sent, and every copy opens unaided and without calling the cut damage. What it cannot show is a device that lies about what
//! it has written, or tears a sector.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use tinyobs_testing::{Around, Server, Start, Started};

use self::life::{Cut, Life};
use self::rig::Rig;
use super::load::{self, Sent};
use super::maintenance::Maintenance;
use super::random::{Random, seed_or_new};
use super::{sandbox, verify};
use crate::tools;

mod life;
mod rig;

/// How often.
#[derive(Args)]
pub struct Options {
    /// How many power cuts.
    #[arg(long, default_value_t = 60)]
    cuts: u64,
    /// `sync`: nothing acknowledged is lost; or `interval`: nothing older than two seconds.
    #[arg(long, default_value = "sync")]
    durability: String,
    /// Seed of the random moments, to repeat a run.
    #[arg(long)]
    seed: Option<u64>,
    /// Use the release build.
    #[arg(long)]
    release: bool,
}

impl Options {
    /// So many cuts, everything else as usual.
    pub fn short(cuts: u64) -> Self {
        Self {
            cuts,
            durability: "sync".into(),
            seed: None,
            release: false,
        }
    }
}

/// The device lags a second behind, and then there is the sync itself.
const INTERVAL_GRACE: Duration = Duration::from_secs(2);
/// Cuts of one life of a server.
const CUTS: u64 = 10;

/// What all cuts gave.
#[derive(Default)]
struct Figures {
    cuts: u64,
    lives: u64,
    acked: usize,
    acked_unknown: usize,
    slowest: Duration,
    maintained: u64,
    /// Images of which the start says that something is damaged.
    false_alarms: u64,
}

/// Runs it.
pub fn run(options: &Options) -> Result<()> {
    let seed = seed_or_new(options.seed);
    let mut words: Vec<String> = ["crash", "power", "--cuts"].map(str::to_owned).to_vec();
    words.extend([options.cuts.to_string(), "--seed".into(), seed.to_string()]);
    words.extend(["--durability".into(), options.durability.clone()]);
    if options.release {
        words.push("--release".into());
    }
    needs()?;
    if !sandbox::inside(&words)? {
        return Ok(());
    }
    let binary = tools::build_server(options.release)?;
    println!("repeat with `cargo xtask {}`", words.join(" "));
    let rig = Rig::up()?;
    let start = Start {
        binary,
        data_dir: rig.disk.join("data"),
        args: [
            "--durability",
            &options.durability,
            "--max-series",
            "1000000",
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    let grace = match options.durability.as_str() {
        "sync" => Duration::ZERO,
        _ => INTERVAL_GRACE,
    };
    let mut random = Random::new(seed);
    let mut figures = Figures::default();
    let mut history: Vec<Vec<Sent>> = Vec::new();
    let mut maintenance = Maintenance::NotYet;
    while figures.cuts < options.cuts {
        let count = CUTS.min(options.cuts - figures.cuts);
        let round = history.len() as u64;
        let mut life = Life::begin(&rig, &start, round, grace)?;
        let cuts = life.lead(count, &mut random)?;
        maintenance = life.maintenance;
        figures.maintained += life.maintained;
        figures.lives += 1;
        drop(life);
        for cut in &cuts {
            look(&rig, &start, cut, &history, &mut figures)
                .with_context(|| format!("cut {}", figures.cuts))?;
            figures.cuts += 1;
        }
        history.push(cuts.into_iter().last().context("a cut")?.log);
        println!("  {} of {} cuts", figures.cuts, options.cuts);
    }
    println!(
        "{} power cuts in {} lives of a server, {}, {} samples acknowledged before a cut and found \
         after it, {} on their way: 0 lost, 0 phantom, 0 twice, every image opened unaided, {} of \
         them with a report of damage; slowest start {:?}",
        figures.cuts,
        figures.lives,
        maintenance.note(figures.maintained),
        figures.acked,
        figures.acked_unknown,
        figures.false_alarms,
        figures.slowest
    );
    ensure!(
        figures.false_alarms == 0,
        "a power cut was taken for damage {} times",
        figures.false_alarms
    );
    Ok(())
}

/// An error that says what is missing here.
pub fn needs() -> Result<()> {
    sandbox::missing(&[
        ("mount", "mount"),
        ("mkfs.xfs", "xfsprogs"),
        ("mkfs.ext4", "e2fsprogs"),
    ])
}

/// Opens a copy and compares it with the log.
fn look(
    rig: &Rig,
    start: &Start,
    cut: &Cut,
    history: &[Vec<Sent>],
    figures: &mut Figures,
) -> Result<()> {
    sandbox::mount(&["-o", "loop", &cut.image.to_string_lossy()], &rig.look)?;
    let looked = {
        let start = Start {
            data_dir: rig.look.join("data"),
            ..start.clone()
        };
        compare(&start, cut, history, figures)
    };
    sandbox::unmount(&rig.look)?;
    fs::remove_file(&cut.image)?;
    looked
}

fn compare(start: &Start, cut: &Cut, history: &[Vec<Sent>], figures: &mut Figures) -> Result<()> {
    let log = start.data_dir.with_file_name("log");
    let around = Around {
        log: Some(log.clone()),
        ..Around::default()
    };
    let server = match Server::start_in(start, &around)? {
        Started::Ready(server) => server,
        Started::Ended(status) => {
            bail!(
                "the image does not open: {status}: {}",
                fs::read_to_string(log)?
            )
        }
    };
    figures.slowest = figures.slowest.max(server.started_in);
    verify::round(&server, cut.round, &cut.log, i64::MIN)?;
    // All of it in one copy of each life; the others differ from it in the newest round only.
    if figures.cuts.is_multiple_of(CUTS) {
        for (round, log) in history.iter().enumerate() {
            verify::round(&server, round as u64, log, i64::MIN)?;
        }
    }
    let health = server.get("/v1/health")?;
    if let Some(damage) = health["store"]["damage"]
        .as_array()
        .filter(|d| !d.is_empty())
    {
        println!(
            "  cut {}: a power cut is no damage: {damage:?}; see {}",
            figures.cuts,
            keep(&start.data_dir, figures.cuts)?.display()
        );
        figures.false_alarms += 1;
    }
    figures.acked += load::acked(&cut.log);
    let sent: usize = cut.log.iter().map(|sent| sent.samples.len()).sum();
    figures.acked_unknown += sent - load::acked(&cut.log);
    server.kill()
}

/// Copies what the start has set aside to where it outlives the sandbox.
fn keep(data_dir: &Path, cut: u64) -> Result<PathBuf> {
    let kept = tools::target_dir()?
        .join("crash-kept")
        .join(format!("cut-{cut}"));
    fs::create_dir_all(&kept)?;
    for file in fs::read_dir(data_dir.join("quarantine"))? {
        let file = file?;
        fs::copy(file.path(), kept.join(file.file_name()))?;
    }
    Ok(kept)
}
