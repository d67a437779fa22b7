//! Power: the plug is pulled, again and again, in `sync` mode on a real file system.
//!
//!   writers ─▶ server ─▶ ext4 in a file on XFS ─▶ reflink copy = what the device holds now
//!                                                  └─▶ mount ─▶ start ─▶ read all ─▶ compare
//!
//! A loop device hands to the file only what the kernel has submitted as block writes; what ext4
//! still holds in memory is not in the copy. So a copy, which takes milliseconds, is the device at
//! the instant of a power cut, and the server runs on for the next one. A copy is opened by the real
//! binary after ext4 has replayed its journal.
//!
//! Passes when everything acknowledged before the copy began is there, nothing is there that was
//! never sent, and every copy opens unaided and without calling the cut damage. What it cannot show is a device that lies about what
//! it has written, or tears a sector.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use clap::Args;
use tinyobs_testing::{Around, Server, Start, Started};

use super::load::{self, Outcome, Sent, Shape, Writers};
use super::maintenance::Maintenance;
use super::random::{Random, seed_or_new};
use super::{sandbox, verify};
use crate::tools;

/// How often.
#[derive(Args)]
pub struct Options {
    /// How many power cuts.
    #[arg(long, default_value_t = 60)]
    cuts: u64,
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
            seed: None,
            release: false,
        }
    }
}

const WRITERS: u64 = 4;
const SHAPE: Shape = Shape {
    days: 3,
    ..Shape::SMALL
};
const POOL_MB: u64 = 1_280;
const DISK_MB: u64 = 256;
/// Cuts of one life of a server.
const CUTS: u64 = 10;

/// The file systems.
struct Rig {
    /// XFS, with the disk and its copies as files.
    pool: PathBuf,
    /// ext4, for the server.
    disk: PathBuf,
    /// ext4 of a copy.
    look: PathBuf,
}

/// A copy and what must and may be in it.
struct Cut {
    image: PathBuf,
    /// The log when the copy was whole: what was acknowledged before it began must be there.
    log: Vec<Sent>,
    round: u64,
}

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
        args: ["--durability", "sync", "--max-series", "1000000"]
            .map(str::to_owned)
            .to_vec(),
    };
    let mut random = Random::new(seed);
    let mut figures = Figures::default();
    let mut history: Vec<Vec<Sent>> = Vec::new();
    let mut maintenance = Maintenance::NotYet;
    while figures.cuts < options.cuts {
        let count = CUTS.min(options.cuts - figures.cuts);
        let (cuts, found) = life(&rig, &start, &history, count, &mut random, &mut figures)?;
        maintenance = found;
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

impl Rig {
    fn up() -> Result<Self> {
        // In memory: what matters is the order of writes, not the speed of a disk.
        let base = sandbox::mount_tmpfs("power", POOL_MB + 64)?;
        let rig = Self {
            pool: base.join("pool"),
            disk: base.join("disk"),
            look: base.join("look"),
        };
        for dir in [&rig.pool, &rig.disk, &rig.look] {
            fs::create_dir(dir)?;
        }
        let pool = base.join("pool.img");
        fs::File::create(&pool)?.set_len(POOL_MB << 20)?;
        sandbox::quietly(
            Command::new("mkfs.xfs")
                .args(["-q", "-m", "reflink=1"])
                .arg(&pool),
        )?;
        sandbox::mount(&["-o", "loop", &pool.to_string_lossy()], &rig.pool)?;
        let image = rig.pool.join("disk.img");
        fs::File::create(&image)?.set_len(DISK_MB << 20)?;
        sandbox::quietly(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image))?;
        sandbox::mount(&["-o", "loop", &image.to_string_lossy()], &rig.disk)?;
        Ok(rig)
    }

    /// The power is back: the disk holds what a copy does.
    fn replace_disk(&self, image: &Path) -> Result<()> {
        sandbox::unmount(&self.disk)?;
        let disk = self.pool.join("disk.img");
        fs::remove_file(&disk)?;
        let mut copy = Command::new("cp");
        sandbox::quietly(copy.arg("--reflink=always").args([image, &disk]))?;
        sandbox::mount(&["-o", "loop", &disk.to_string_lossy()], &self.disk)
    }

    /// What the device holds at this instant, more or less a few milliseconds.
    fn cut(&self, name: &str) -> Result<PathBuf> {
        let image = self.pool.join(name);
        sandbox::quietly(
            Command::new("cp")
                .arg("--reflink=always")
                .arg(self.pool.join("disk.img"))
                .arg(&image),
        )?;
        Ok(image)
    }
}

/// One server from start to end, written to all the while and cut several times. Every other one
/// is cut while it stops, too; the others end with a cut, and the next one starts on what that left.
/// Nothing is looked at before the end, lest that slow it down.
fn life(
    rig: &Rig,
    start: &Start,
    history: &[Vec<Sent>],
    count: u64,
    random: &mut Random,
    figures: &mut Figures,
) -> Result<(Vec<Cut>, Maintenance)> {
    let round = history.len() as u64;
    let is_clean = round.is_multiple_of(2);
    let quiet = Around {
        log: Some(rig.disk.with_extension("log")),
        ..Around::default()
    };
    let Started::Ready(mut server) = Server::start_in(start, &quiet)? else {
        anyhow::bail!("the server did not start on the undamaged disk");
    };
    let maintenance = Maintenance::of(&server)?;
    let writers = Writers::start(&server.url, round, WRITERS, SHAPE);
    let mut cuts = Vec::new();
    let mut askers = Vec::new();
    for number in 0..count {
        if random.below(3) == 0 {
            let url = server.url.clone();
            askers.push(thread::spawn(move || maintenance.run(&url)));
        }
        let is_stopping = is_clean && number + 2 >= count;
        if is_stopping && number + 2 == count {
            server.terminate()?;
        }
        let longest_ms = if is_stopping { 25 } else { 150 };
        thread::sleep(Duration::from_millis(random.below(longest_ms)));
        let begun = SystemTime::now();
        let image = rig.cut(&format!("cut-{round}-{number}.img"))?;
        let mut log = writers.log().clone();
        for sent in &mut log {
            // Whatever came after the beginning may or may not be in the copy.
            if sent.ended >= begun {
                sent.outcome = Outcome::Open;
            }
        }
        cuts.push(Cut { image, log, round });
    }
    if is_clean {
        let ended = server.ended_within(Duration::from_secs(20))?;
        ensure!(ended.is_some(), "the server did not stop");
    } else {
        server.kill()?;
    }
    let log = writers.finish()?;
    for asker in askers {
        if let Ok(asked) = asker.join() {
            figures.maintained += u64::from(asked?);
        }
    }
    let last = cuts.last_mut().context("a cut")?;
    if is_clean {
        // After everything: this is what later lives must still have.
        fs::remove_file(&last.image)?;
        let image = rig.cut("end.img")?;
        *last = Cut { image, log, round };
    } else {
        rig.replace_disk(&last.image)?;
    }
    figures.lives += 1;
    Ok((cuts, maintenance))
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
            anyhow::bail!(
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
            "  cut {}: a power cut is no damage: {damage:?}",
            figures.cuts
        );
        figures.false_alarms += 1;
    }
    figures.acked += load::acked(&cut.log);
    let sent: usize = cut.log.iter().map(|sent| sent.samples.len()).sum();
    figures.acked_unknown += sent - load::acked(&cut.log);
    server.kill()
}
