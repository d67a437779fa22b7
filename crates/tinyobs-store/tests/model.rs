//! The store against a naive model: whatever is written, in whatever order, with flushes, rollups,
//! merges, retention, restarts and kills in between, it answers as the oracle does.
//!
//!   [`steps`] ─▶ [`world`]: store │ [`oracle`] ─▶ the same samples, windows, series, figures
//!
//! - [`times`]: few series, times that collide, shrunk by proptest.
//! - [`runs`]: months in the life of a store, drawn from a seed. `cargo test` takes a short walk, the
//!   long one is `cargo xtask model --ops 1000000 --seed S`.
//!
//! Carries I-SELECT-1, I-SELECT-2, I-HEAD-2, I-FLUSH-1, I-FLUSH-2, I-ROLLUP-1 to I-ROLLUP-5,
//! I-MERGE-1, I-MERGE-2, I-RESOLVE-1, I-RETENTION-1 to I-RETENTION-3.

#[path = "model/answers.rs"]
mod answers;
#[path = "model/cases.rs"]
mod cases;
#[path = "model/disk.rs"]
mod disk;
#[path = "model/faults.rs"]
mod faults;
#[path = "model/found.rs"]
mod found;
#[path = "model/oracle.rs"]
mod oracle;
#[path = "model/resolved.rs"]
mod resolved;
#[path = "model/runs.rs"]
mod runs;
#[path = "model/steps.rs"]
mod steps;
#[path = "model/threads.rs"]
mod threads;
#[path = "model/times.rs"]
mod times;
#[path = "model/window.rs"]
mod window;
#[path = "model/world.rs"]
mod world;

/// A number from the environment, where `cargo xtask model` puts it.
fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok().and_then(|text| text.parse().ok());
    given.unwrap_or(otherwise)
}

/// I-ROLLUP-1 … I-RETENTION-3: the store and the model give identical answers.
#[test]
fn the_store_answers_as_the_model_does() {
    let seed = number("TINYOBS_MODEL_SEED", 1);
    let steps = number("TINYOBS_MODEL_OPS", 20_000);
    let begun = std::time::Instant::now();
    match runs::run(seed, steps) {
        Ok(tally) => println!("{tally:?} from seed {seed} in {:.1?}", begun.elapsed()),
        Err(failure) => panic!("{failure}"),
    }
}
