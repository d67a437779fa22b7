//! Runs: many short lives of a store, each drawn from a seed of its own.
//!
//!   seed ─▶ [`draw`] ─▶ [World] step by step ─▶ all well, or the shortest steps that still fail

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use tinyobs_store::EngineKind;

use crate::steps::{Random, Setting, Step, draw};
use crate::world::World;

/// Steps of one life: enough for months of a store, few enough to be repeated while shrinking.
const STEPS_OF_A_LIFE: usize = 2_000;
/// Steps beyond this are no clearer when they are fewer.
const SHRINKING: Duration = Duration::from_mins(2);

/// What the lives of a run did.
#[derive(Debug, Default)]
pub struct Tally {
    /// Stores.
    pub lives: u64,
    /// Steps taken.
    pub steps: u64,
    /// Samples stored.
    pub samples: u64,
    /// How often each kind of step was taken.
    pub flushes: u64,
    pub maintenances: u64,
    pub restarts: u64,
    pub kills: u64,
    pub compared: u64,
}

impl Tally {
    fn count(&mut self, step: &Step) {
        self.steps += 1;
        match step {
            Step::Flush => self.flushes += 1,
            Step::Maintain => self.maintenances += 1,
            Step::Restart => self.restarts += 1,
            Step::Kill => self.kills += 1,
            Step::Read { .. } | Step::Resolve { .. } | Step::Compare => self.compared += 1,
            _ => {}
        }
    }
}

/// Takes `steps` steps in all; a failure is shrunk and told with what repeats it.
pub fn run(seed: u64, steps: u64) -> Result<Tally, String> {
    let mut seeds = Random(seed);
    let mut tally = Tally::default();
    while tally.steps < steps {
        let life = if tally.lives == 0 { seed } else { seeds.next() };
        // Some lives are long: tables and levels grow.
        let length = if life.is_multiple_of(10) { 5 } else { 1 } * STEPS_OF_A_LIFE;
        let length = length.min((steps - tally.steps) as usize);
        let (setting, drawn) = draw(life, length);
        if let Err((place, what)) = live(&setting, &drawn, &mut tally) {
            return Err(report(life, &setting, &drawn[..=place], &what));
        }
        tally.lives += 1;
        if tally.lives.is_multiple_of(50) {
            println!("{tally:?}");
        }
    }
    Ok(tally)
}

/// One store from its first to its last step. Of a failure: at which step, and what differs.
fn live(setting: &Setting, steps: &[Step], tally: &mut Tally) -> Result<(), (usize, String)> {
    let mut place = 0;
    let lived = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(setting.clone())?;
        for (number, step) in (0..).zip(steps) {
            place = number;
            world.take(step)?;
            tally.count(step);
        }
        world.take(&Step::Maintain)?;
        world.take(&Step::Compare)?;
        tally.samples += world.sent;
        Ok(())
    }));
    let panicked = |cause: Box<dyn std::any::Any + Send>| {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    };
    lived.unwrap_or_else(panicked).map_err(|what| (place, what))
}

fn report(seed: u64, setting: &Setting, steps: &[Step], what: &str) -> String {
    let (fewest, shortest) = shrink(setting, steps.to_vec(), what.to_owned());
    let mut text = format!(
        "seed {seed}, step {} of {setting:?}:\n  {what}\nrepeat: cargo xtask model --ops {} --seed \
         {seed}\nshrunk to {} steps:\n  {shortest}\n",
        steps.len() - 1,
        steps.len(),
        fewest.len(),
    );
    for step in fewest.iter().take(40) {
        let _ = writeln!(text, "  {step:?}");
    }
    text
}

/// Leaves out what can be left out: halves, quarters, … single steps; then samples of bursts.
fn shrink(setting: &Setting, mut steps: Vec<Step>, mut what: String) -> (Vec<Step>, String) {
    let begun = Instant::now();
    let fails = |steps: &[Step]| live(setting, steps, &mut Tally::default()).err();
    let mut piece = steps.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < steps.len() && begun.elapsed() < SHRINKING {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + piece).min(steps.len()));
            match fails(&fewer) {
                Some((_, other)) => (steps, what) = (fewer, other),
                None => at += piece,
            }
        }
        piece /= 2;
    }
    for at in 0..steps.len() {
        let Step::Write(bursts) = &steps[at] else {
            continue;
        };
        for one in bursts.clone() {
            let mut shorter = one.clone();
            while begun.elapsed() < SHRINKING {
                let mut fewer = steps.clone();
                fewer[at] = Step::Write(vec![shorter.clone()]);
                match fails(&fewer) {
                    Some((_, other)) => (steps, what) = (fewer, other),
                    None => break,
                }
                if shorter.values.len() < 2 {
                    break;
                }
                shorter.values.truncate(shorter.values.len() / 2);
            }
        }
    }
    (steps, what)
}

/// Whether seeds draw both kinds of engine, and repeat.
#[test]
fn a_seed_draws_the_same_again() {
    let text = |seed: u64| format!("{:?}", draw(seed, 300));
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
    let engines: Vec<EngineKind> = (0..40).map(|seed| draw(seed, 0).0.engine).collect();
    assert!(engines.contains(&EngineKind::Disk) && engines.contains(&EngineKind::Memory));
}
