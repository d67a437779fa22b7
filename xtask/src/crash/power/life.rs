//! Life: a server on the rig, written to all the while, cut several times and killed once.
//!
//! Every other life is cut while it stops, too; the others end with a cut, and the next one starts
//! on what that left. Half-way the process, not the power, is killed and starts again: what the
//! kernel had not yet written of the first half must reach the device all the same. Nothing is
//! looked at before the end, lest that slow it down.

use std::fs;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use tinyobs_testing::{Around, Server, Start, Started};

use super::super::load::{Outcome, Sent, Shape, Writers};
use super::super::maintenance::Maintenance;
use super::super::random::Random;
use super::rig::Rig;

const WRITERS: u64 = 4;
const SHAPE: Shape = Shape {
    days: 3,
    ..Shape::SMALL
};

/// A copy and what must and may be in it.
pub struct Cut {
    pub image: PathBuf,
    /// The log when the copy was whole: what was acknowledged before it began must be there.
    pub log: Vec<Sent>,
    pub round: u64,
}

/// A server on the rig.
pub struct Life<'r> {
    rig: &'r Rig,
    start: &'r Start,
    round: u64,
    /// What may be lost although it was acknowledged: the last second in `interval` mode.
    grace: Duration,
    server: Server,
    writers: Writers,
    /// What was sent before the process was killed.
    before: Vec<Sent>,
    pub maintenance: Maintenance,
    askers: Vec<JoinHandle<Result<bool>>>,
    pub maintained: u64,
}

impl<'r> Life<'r> {
    /// Begins one.
    pub fn begin(rig: &'r Rig, start: &'r Start, round: u64, grace: Duration) -> Result<Self> {
        let server = launch(rig, start)?;
        Ok(Self {
            rig,
            start,
            round,
            grace,
            maintenance: Maintenance::of(&server)?,
            writers: Writers::start(&server.url, round, 0..WRITERS, SHAPE),
            server,
            before: Vec::new(),
            askers: Vec::new(),
            maintained: 0,
        })
    }

    /// Leads it to its end, with `count` cuts.
    pub fn lead(&mut self, count: u64, random: &mut Random) -> Result<Vec<Cut>> {
        let is_clean = self.round.is_multiple_of(2);
        let mut cuts = Vec::new();
        for number in 0..count {
            if random.below(3) == 0 {
                let (url, maintenance) = (self.server.url.clone(), self.maintenance);
                let asker = thread::spawn(move || maintenance.run(&url));
                self.askers.push(asker);
            }
            if number == count / 2 {
                self.kill_and_start()?;
            }
            let is_stopping = is_clean && number + 2 >= count;
            if is_stopping && number + 2 == count {
                self.server.terminate()?;
            }
            let longest_ms = if is_stopping { 25 } else { 150 };
            // Long enough for something to be older than what may be lost.
            let longest_ms = longest_ms + self.grace.as_millis() as u64 / 2;
            thread::sleep(Duration::from_millis(random.below(longest_ms)));
            cuts.push(self.cut(number)?);
        }
        self.end(is_clean, &mut cuts)?;
        Ok(cuts)
    }

    fn cut(&self, number: u64) -> Result<Cut> {
        let begun = SystemTime::now();
        let image = self.rig.cut(&format!("cut-{}-{number}.img", self.round))?;
        let mut log = self.before.clone();
        log.extend(self.writers.log().iter().cloned());
        for sent in &mut log {
            // Whatever came after the beginning may or may not be in the copy.
            if sent.ended + self.grace >= begun {
                sent.outcome = Outcome::Open;
            }
        }
        let round = self.round;
        Ok(Cut { image, log, round })
    }

    fn kill_and_start(&mut self) -> Result<()> {
        self.server.kill_now()?;
        let server = launch(self.rig, self.start)?;
        let writers = Writers::start(&server.url, self.round, WRITERS..2 * WRITERS, SHAPE);
        let old = std::mem::replace(&mut self.writers, writers);
        self.before.extend(old.finish()?);
        self.server = server;
        Ok(())
    }

    fn end(&mut self, is_clean: bool, cuts: &mut [Cut]) -> Result<()> {
        if is_clean {
            let ended = self.server.ended_within(Duration::from_secs(20))?;
            ensure!(ended.is_some(), "the server did not stop");
        } else {
            self.server.kill_now()?;
        }
        for asker in self.askers.drain(..) {
            if let Ok(asked) = asker.join() {
                self.maintained += u64::from(asked?);
            }
        }
        let nobody = Writers::start(&self.server.url, self.round, 0..0, SHAPE);
        let writers = std::mem::replace(&mut self.writers, nobody);
        self.before.extend(writers.finish()?);
        let last = cuts.last_mut().context("a cut")?;
        if !is_clean {
            return self.rig.replace_disk(&last.image);
        }
        // After everything: this is what later lives must still have.
        fs::remove_file(&last.image)?;
        last.image = self.rig.cut("end.img")?;
        last.log.clone_from(&self.before);
        Ok(())
    }
}

fn launch(rig: &Rig, start: &Start) -> Result<Server> {
    let log: PathBuf = rig.disk.with_extension("log");
    let around = Around {
        log: Some(log.clone()),
        ..Around::default()
    };
    match Server::start_in(start, &around)? {
        Started::Ready(server) => Ok(server),
        Started::Ended(status) => bail!(
            "the server does not start on the disk: {status}: {}",
            fs::read_to_string(log)?
        ),
    }
}
