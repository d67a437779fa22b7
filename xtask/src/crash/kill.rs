//! Kill: the process ends at any moment, and what it acknowledged is there when it starts again.
//!
//!   writers ─▶ server ─▶ 200 ─▶ noted outside ─▶ kill -9 ─▶ start ─▶ read all ─▶ compare
//!
//! The samples are spread over several days, so that every flush and merge touches several
//! partitions, and maintenance is asked for at random moments while writers write. Rounds differ in
//! how the server ends: killed under load, killed while it stops, or stopped cleanly. The last
//! quarter of the rounds runs with a short raw retention, where the server has one.
//!
//! Passes when nothing acknowledged is missing (but what retention may take), nothing is there that
//! was never sent, no time of a series is there twice, and every start succeeds within two seconds.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::Args;
use tinyobs_testing::{Server, Start};

use super::load::{self, Sent, Shape, Writers};
use super::maintenance::Maintenance;
use super::random::{Random, now_ms, seed_or_new};
use super::verify;
use crate::tools;

/// How often, and how.
#[derive(Args)]
pub struct Options {
    /// How many times the server is killed; about one clean stop comes with three kills.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// `interval` or `sync`; a killed process loses nothing in either.
    #[arg(long, default_value = "interval")]
    durability: String,
    /// Seed of the random moments, to repeat a run.
    #[arg(long)]
    seed: Option<u64>,
    /// Use the release build.
    #[arg(long)]
    release: bool,
    /// Fail when the server has no maintenance or no retention, instead of leaving them out.
    #[arg(long)]
    whole: bool,
}

impl Options {
    /// So many kills, everything else as usual.
    pub fn short(kills: u32) -> Self {
        Self {
            kills,
            durability: "interval".into(),
            seed: None,
            release: false,
            whole: false,
        }
    }
}

const WRITERS: u64 = 4;
const SHAPE: Shape = Shape {
    days: 5,
    // Of a thousand rounds each must be read back, twice.
    pause: Duration::from_millis(10),
    ..Shape::SMALL
};
const START_WITHIN: Duration = Duration::from_secs(2);
const STARTS: u32 = 3;
/// Of the last quarter of the rounds; whole days leave, so what is this old may still be there.
const SHORT_RETENTION: &str = "2d";
const SHORT_RETENTION_MS: i64 = 2 * 86_400_000;

/// What a run is made of.
struct Run {
    start: Start,
    has_retention: bool,
    maintenance: Maintenance,
    rounds: Vec<Vec<Sent>>,
    slowest: Duration,
    kills: u32,
    clean: u32,
    maintained: u64,
}

/// Runs the rounds.
pub fn run(options: &Options) -> Result<()> {
    let binary = tools::build_server(options.release)?;
    let dir = tempfile::tempdir()?;
    let seed = seed_or_new(options.seed);
    println!("repeat with `{}`", command_line(options, seed));
    let mut random = Random::new(seed);
    let has_retention = tools::output_of(&binary.to_string_lossy(), &["serve", "--help"])?
        .contains("--retention-raw");
    let args = [
        "--durability",
        &options.durability,
        "--max-series",
        "1000000",
    ];
    let start = Start {
        binary,
        data_dir: dir.path().join("data"),
        args: args.map(str::to_owned).to_vec(),
    };
    let maintenance = Maintenance::of(&Server::start(&start)?)?;
    ensure!(
        !options.whole || (has_retention && maintenance == Maintenance::Here),
        "this server has no maintenance or no --retention-raw"
    );
    let mut run = Run {
        start,
        has_retention,
        maintenance,
        rounds: Vec::new(),
        slowest: Duration::ZERO,
        kills: 0,
        clean: 0,
        maintained: 0,
    };
    run.all_rounds(options.kills, &mut random)?;
    run.conclude()
}

impl Run {
    fn all_rounds(&mut self, kills: u32, random: &mut Random) -> Result<()> {
        while self.kills < kills {
            let is_short = self.kills * 4 >= kills * 3;
            if is_short && self.has_retention && self.kept_from_ms() == i64::MIN {
                // Before the retention takes anything, all of it must be there.
                let server = self.begin()?;
                self.verify_all(&server)?;
                server.kill()?;
                let short = ["--retention-raw", SHORT_RETENTION].map(str::to_owned);
                self.start.args.extend(short);
            }
            let server = self.begin()?;
            if let Some(last) = self.rounds.last() {
                let round = self.rounds.len() as u64 - 1;
                verify::round(&server, round, last, self.kept_from_ms())?;
            }
            self.round(server, random)?;
        }
        Ok(())
    }

    /// Starts it. Where others keep the machine busy a start can take long once; only one that does
    /// so again and again fails, but the slowest of all is told at the end.
    fn begin(&mut self) -> Result<Server> {
        for _ in 0..STARTS {
            let server = Server::start(&self.start)?;
            self.slowest = self.slowest.max(server.started_in);
            if server.started_in <= START_WITHIN {
                return Ok(server);
            }
            println!("  a start took {:?}: once more", server.started_in);
            server.kill()?;
        }
        bail!("{STARTS} starts in a row took longer than {START_WITHIN:?}");
    }

    /// Writes for a random while, then ends the server in a random way.
    fn round(&mut self, server: Server, random: &mut Random) -> Result<()> {
        let url = server.url.clone();
        let writers = Writers::start(&url, self.rounds.len() as u64, 0..WRITERS, SHAPE);
        let until = Instant::now() + Duration::from_millis(20 + random.below(300));
        // Half of the rounds are maintained all the while, and killed in the middle of it.
        let asker = (random.below(2) == 0).then(|| {
            let (maintenance, pause) = (self.maintenance, random.below(60));
            thread::spawn(move || maintain_until(maintenance, &url, until, pause))
        });
        thread::sleep(until.saturating_duration_since(Instant::now()));
        let way = random.below(4);
        match way {
            0 => {
                let status = server.stop()?;
                ensure!(status.success(), "a clean stop ended with {status}");
                self.clean += 1;
            }
            1 => {
                // In the middle of writing everything out.
                server.terminate()?;
                thread::sleep(Duration::from_millis(random.below(40)));
                server.kill()?;
            }
            _ => server.kill()?,
        }
        self.kills += u32::from(way != 0);
        if way != 0 && self.kills.is_multiple_of(20) {
            println!("  {} kills", self.kills);
        }
        self.rounds.push(writers.finish()?);
        if let Some(asker) = asker {
            match asker.join() {
                Ok(runs) => self.maintained += runs?,
                Err(_) => bail!("the asker for maintenance panicked"),
            }
        }
        Ok(())
    }

    /// Samples from then on must be there.
    fn kept_from_ms(&self) -> i64 {
        if self.start.args.iter().any(|arg| arg == SHORT_RETENTION) {
            now_ms() - SHORT_RETENTION_MS
        } else {
            i64::MIN
        }
    }

    /// What stood after one restart must stand after all of them. Returns how many samples have
    /// left by retention.
    fn verify_all(&self, server: &Server) -> Result<usize> {
        let rounds = self.rounds.iter().enumerate();
        let left = rounds
            .map(|(round, log)| verify::round(server, round as u64, log, self.kept_from_ms()));
        left.sum()
    }

    fn conclude(mut self) -> Result<()> {
        let server = self.begin()?;
        // Rounds are short: nothing may interrupt the last one, which takes what is too old.
        let is_maintained = self.maintenance.run(&server.url)?;
        self.maintained += u64::from(is_maintained);
        let left = self.verify_all(&server)?;
        ensure!(
            left > 0 || !is_maintained || self.kept_from_ms() == i64::MIN,
            "the retention took nothing: the test proved little"
        );
        let acked: usize = self.rounds.iter().map(|log| load::acked(log)).sum();
        let sent: usize = self.rounds.iter().flatten().map(|s| s.samples.len()).sum();
        ensure!(
            acked > 0,
            "nothing was ever acknowledged: the test proved nothing"
        );
        if self.kept_from_ms() == i64::MIN {
            let held = server.get("/v1/stats")?["TotalMetrics"].as_u64();
            let held = held.unwrap_or(0) as usize;
            ensure!(
                (acked..=sent).contains(&held),
                "the server counts {held} samples, {acked} of {sent} were acknowledged"
            );
        }
        println!(
            "{} kills and {} clean stops, {}, {}, {acked} samples acknowledged, {} without an \
             answer: 0 lost, 0 phantom, 0 twice; slowest start {:?}",
            self.kills,
            self.clean,
            self.maintenance.note(self.maintained),
            if self.has_retention {
                format!("{left} samples gone by retention")
            } else {
                "no retention in this server".to_owned()
            },
            sent - acked,
            self.slowest
        );
        Ok(())
    }
}

fn maintain_until(
    maintenance: Maintenance,
    url: &str,
    until: Instant,
    pause_ms: u64,
) -> Result<u64> {
    let mut runs = 0;
    loop {
        thread::sleep(Duration::from_millis(pause_ms));
        if !maintenance.run(url)? {
            return Ok(runs);
        }
        runs += 1;
        if Instant::now() > until + Duration::from_secs(1) {
            return Ok(runs);
        }
    }
}

fn command_line(options: &Options, seed: u64) -> String {
    format!(
        "cargo xtask crash kill --kills {} --durability {} --seed {seed}",
        options.kills, options.durability
    )
}
