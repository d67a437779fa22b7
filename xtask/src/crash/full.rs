//! Full: no space is left, and then there is again.
//!
//!   writers ─▶ server on a small tmpfs ◀─ ballast until nothing fits ─▶ 507 ─▶ ballast away ─▶ 200
//!
//! Each file system has several such moments, some of them with a maintenance run; at the last one
//! the store takes the last megabytes by itself, and space comes back by making the file system
//! larger. Then the server is killed, or told to stop while the disk is full again, and started, with space and without.
//! `--inject` is the exhaustive sister, see [`inject`].
//!
//! Passes when every refusal is 507 or 503 with `Retry-After`, reads answer as before all the
//! while, every writer is acknowledged again within five seconds of the space's return, without a
//! restart, and nothing acknowledged is lost and nothing refused is stored.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use tinyobs_testing::{Around, Server, Start, Started};

use super::load::{self, Outcome, Sent, Shape, Writers};
use super::maintenance::Maintenance;
use super::random::{Random, seed_or_new};
use super::{sandbox, verify};
use crate::tools;

mod inject;

/// How often.
#[derive(Args)]
pub struct Options {
    /// How often the disk is full.
    #[arg(long, default_value_t = 20)]
    moments: u64,
    /// Instead: how many single writes fail, each in a life of its own.
    #[arg(long)]
    inject: Option<u64>,
    /// Only this life of `--inject`, such as `busy/write/3`.
    #[arg(long)]
    only: Option<super::lives::Life>,
    /// Seed of the random moments, to repeat a run.
    #[arg(long)]
    seed: Option<u64>,
    /// Use the release build.
    #[arg(long)]
    release: bool,
}

impl Options {
    /// So many moments, or so many writes that fail.
    pub fn short(moments: u64, inject: Option<u64>) -> Self {
        Self {
            moments,
            inject,
            only: None,
            seed: None,
            release: false,
        }
    }
}

const WRITERS: u64 = 2;
const SHAPE: Shape = Shape {
    samples: 60,
    days: 3,
    is_late: false,
    ..Shape::SMALL
};
const RESUMES_WITHIN: Duration = Duration::from_secs(5);
/// What the store fills by itself at the last moment.
const OWN_GROWTH: u64 = 2 << 20;
/// Moments of one file system.
const MOMENTS: u64 = 5;

/// What all file systems gave.
#[derive(Default)]
struct Figures {
    moments: u64,
    acked: usize,
    refused: usize,
    reads: u64,
    slowest: Duration,
    restarts: u64,
    maintained: u64,
}

/// Runs it.
pub fn run(options: &Options) -> Result<()> {
    if let Some(writes) = options.inject {
        return inject::run(writes, options.only.as_ref(), options.release);
    }
    let seed = seed_or_new(options.seed);
    let mut words: Vec<String> = ["crash", "full", "--moments"].map(str::to_owned).to_vec();
    words.extend([
        options.moments.to_string(),
        "--seed".into(),
        seed.to_string(),
    ]);
    if options.release {
        words.push("--release".into());
    }
    needs()?;
    if !sandbox::inside(&words)? {
        return Ok(());
    }
    let binary = tools::build_server(options.release)?;
    println!("repeat with `cargo xtask {}`", words.join(" "));
    let mut random = Random::new(seed);
    let mut figures = Figures::default();
    let mut maintenance = Maintenance::NotYet;
    while figures.moments < options.moments {
        let megabytes = 8 + random.below(25);
        let dir = sandbox::mount_tmpfs("full", megabytes)?;
        let moments = MOMENTS.min(options.moments - figures.moments);
        let disk = Disk {
            dir: dir.clone(),
            megabytes,
        };
        maintenance = one_disk(&binary, disk, moments, &mut random, &mut figures)
            .with_context(|| format!("a disk of {megabytes} MB, moment {}", figures.moments))?;
        sandbox::unmount(&dir)?;
    }
    println!(
        "{} moments without space, {} samples acknowledged, {} requests refused with Retry-After, {} \
         reads meanwhile right, {}: 0 lost, 0 refused ones stored; acknowledged again within {:?}; \
         {} starts on a full disk",
        figures.moments,
        figures.acked,
        figures.refused,
        figures.reads,
        maintenance.note(figures.maintained),
        figures.slowest,
        figures.restarts
    );
    Ok(())
}

/// An error that says what is missing here.
pub fn needs() -> Result<()> {
    sandbox::missing(&[("mount", "mount")])
}

/// A tmpfs.
struct Disk {
    dir: PathBuf,
    megabytes: u64,
}

impl Disk {
    fn ballast(&self) -> PathBuf {
        self.dir.join("ballast")
    }

    /// Takes all space that is left, but for some bytes.
    fn fill(&self, leave: u64) -> Result<()> {
        let ballast = self.ballast();
        let mut file = File::options().create(true).append(true).open(&ballast)?;
        let mut block = vec![0x55_u8; 64 << 10];
        while !block.is_empty() {
            match file.write(&block) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => {
                    block.truncate(block.len() / 2);
                }
                Err(error) => return Err(error.into()),
            }
        }
        let bytes = file.metadata()?.len();
        Ok(file.set_len(bytes.saturating_sub(leave))?)
    }

    fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    fn grow(&mut self, megabytes: u64) -> Result<()> {
        self.megabytes += megabytes;
        let size = format!("remount,size={}m", self.megabytes);
        sandbox::mount(&["-o", &size], &self.dir)
    }
}

fn one_disk(
    binary: &Path,
    mut disk: Disk,
    moments: u64,
    random: &mut Random,
    figures: &mut Figures,
) -> Result<Maintenance> {
    let start = Start {
        binary: binary.to_path_buf(),
        data_dir: disk.dir.join("data"),
        args: ["--log-level", "off", "--max-series", "1000000"]
            .map(str::to_owned)
            .to_vec(),
    };
    let server = Server::start(&start)?;
    let maintenance = Maintenance::of(&server)?;
    // Something to read while nothing can be written; round 1, of one writer.
    let (body, samples) = load::batch(SHAPE, 1, 0, 0, super::random::now_ms());
    let reference = [load::send(
        &tinyobs_testing::agent(),
        &server.url,
        &body,
        samples,
    )];
    ensure!(
        reference[0].outcome == Outcome::Acked,
        "the first batch was not taken"
    );
    let writers = Writers::start(&server.url, 0, 0..WRITERS, SHAPE);
    for moment in 0..moments {
        thread::sleep(Duration::from_millis(50 + random.below(400)));
        let is_last = moment + 1 == moments;
        disk.fill(if is_last { OWN_GROWTH } else { 0 })?;
        let seen = writers.log().len();
        while_full(&server, &writers, &reference, seen, is_last, figures)?;
        if random.below(2) == 0 {
            // It may fail now, but neither hang nor break anything.
            maintenance.run(&server.url).ok();
            figures.maintained += 1;
        }
        thread::sleep(Duration::from_millis(random.below(300)));
        if is_last {
            disk.grow(4)?;
        } else {
            disk.free()?;
        }
        figures.slowest = figures.slowest.max(resumes(&writers)?);
        figures.moments += 1;
    }
    disk.fill(0)?;
    thread::sleep(Duration::from_millis(random.below(200)));
    if random.below(2) == 0 {
        server.kill()?;
    } else {
        // The head cannot be written out; the log has everything.
        server.stop()?;
    }
    let log = writers.finish()?;
    check_refusals(&log, figures)?;
    figures.restarts += 1;
    let quiet = Around {
        log: Some(disk.dir.with_extension("log")),
        ..Around::default()
    };
    match Server::start_in(&start, &quiet)? {
        Started::Ready(server) => {
            verify::round(&server, 0, &log, i64::MIN).context("on the full disk")?;
            server.kill()?;
        }
        Started::Ended(status) => {
            let log = fs::read_to_string(disk.dir.with_extension("log")).unwrap_or_default();
            bail!("it did not start on the full disk: {status}: {log}")
        }
    }
    disk.free()?;
    let server = Server::start(&start)?;
    verify::round(&server, 0, &log, i64::MIN)?;
    verify::round(&server, 1, &reference, i64::MIN)?;
    Ok(maintenance)
}

/// Until a writer has been refused, and a while longer: reads must answer.
fn while_full(
    server: &Server,
    writers: &Writers,
    reference: &[Sent],
    seen: usize,
    is_own_growth: bool,
    figures: &mut Figures,
) -> Result<()> {
    // Filling it without ballast takes the store a while.
    let patience = Duration::from_secs(if is_own_growth { 120 } else { 10 });
    let begun = Instant::now();
    let mut after = 0;
    while after < 5 {
        let refused = writers.log()[seen..]
            .iter()
            .any(|sent| sent.outcome == Outcome::Refused);
        after += u32::from(refused);
        ensure!(
            begun.elapsed() < patience,
            "the disk is full, and nothing was refused in {patience:?}"
        );
        verify::round(server, 1, reference, i64::MIN).context("a read while the disk was full")?;
        figures.reads += 1;
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// How long it takes until a batch of every writer, begun since now, is acknowledged.
fn resumes(writers: &Writers) -> Result<Duration> {
    let (begun, wall) = (Instant::now(), std::time::SystemTime::now());
    loop {
        let acked: Vec<String> = writers
            .log()
            .iter()
            .filter(|sent| sent.outcome == Outcome::Acked && sent.begun >= wall)
            .map(|sent| sent.samples[0].0.0.clone())
            .collect();
        let is_back = |writer: u64| acked.iter().any(|at| at.contains(&format!(" w{writer} ")));
        if (0..WRITERS).all(is_back) {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > RESUMES_WITHIN {
            let log = writers.log();
            let last = log.last().map(|sent| (sent.status, sent.outcome));
            bail!("space came back {RESUMES_WITHIN:?} ago, and the last answer is {last:?}");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Every answer but 200 says that there is no space now, and when to come again.
fn check_refusals(log: &[Sent], figures: &mut Figures) -> Result<()> {
    for sent in log.iter().filter(|sent| ![0, 200].contains(&sent.status)) {
        ensure!(
            matches!(sent.status, 507 | 503) && sent.retry_after,
            "a refusal was {} {} Retry-After",
            sent.status,
            if sent.retry_after { "with" } else { "without" }
        );
        figures.refused += 1;
    }
    figures.acked += load::acked(log);
    Ok(())
}
