//! Oracle: made-up queries over made-up series, answered by `evaluate` and by a naive evaluator.
//!
//!   seed ─▶ [`data`], [`text`] ─▶ [`compare`]: `evaluate` │ [`naive`] ─▶ the same ─▶ or [`shrink`]
//!
//! The naive evaluator knows no columns and no sliding windows: for each moment and each series it
//! looks the samples up by their definition. `cargo test` takes a few thousand queries, the long run is
//! `cargo xtask oracle --queries 1000000 --seed S`.
//!
//! Carries I-EVAL-2, I-WINDOW-1 to I-WINDOW-3, I-RATE-1, I-STATS-1, I-INFO-1, I-INFO-2.

use std::collections::BTreeSet;

use tinyobs_promql::{AggregateOp, ExprKind, functions, parse};

mod compare;
mod data;
#[path = "../scripts/memory.rs"]
mod memory;
mod naive;
mod random;
mod shrink;
mod text;

use compare::{Verdict, compare};
use data::Case;
use random::Random;

/// Queries of the same series, which take longer to make than a query to answer.
const QUERIES_PER_WORLD: u64 = 16;

/// What a run came by.
#[derive(Debug, Default)]
struct Tally {
    queries: u64,
    values: usize,
    with_values: u64,
    empty: u64,
    errors: u64,
    undetermined: u64,
    unreadable: u64,
    /// Functions and aggregations that took part in an answer with values.
    seen: BTreeSet<&'static str>,
}

/// A number from the environment, where `cargo xtask oracle` puts it.
fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok().and_then(|text| text.parse().ok());
    given.unwrap_or(otherwise)
}

#[test]
fn every_answer_is_what_the_definition_says() {
    let seed = number("TINYOBS_ORACLE_SEED", 1);
    let queries = number("TINYOBS_ORACLE_QUERIES", 4_000);
    let mut tally = Tally::default();
    for world in 0..queries.div_ceil(QUERIES_PER_WORLD) {
        // Each world has a seed of its own: it can be repeated without those before it.
        let seed = seed.wrapping_add(world);
        if let Err(failure) = run(seed, &mut tally) {
            panic!(
                "seed {seed}, repeat with --seed {seed} --queries {QUERIES_PER_WORLD}:\n{failure}"
            );
        }
    }
    println!("{tally:#?} from seed {seed}");
    // A comparison of nothing would find nothing.
    assert!(tally.with_values * 3 > tally.queries, "{tally:?}");
    assert!(tally.undetermined * 50 < tally.queries, "{tally:?}");
    assert!(tally.unreadable * 20 < tally.queries, "{tally:?}");
    if queries >= 4_000 {
        let missing: Vec<&str> = expected()
            .filter(|name| !tally.seen.contains(name))
            .collect();
        assert!(missing.is_empty(), "no answer had {missing:?}");
    }
}

/// What answers of floats can come from.
fn expected() -> impl Iterator<Item = &'static str> {
    let native = [
        "histogram_avg",
        "histogram_count",
        "histogram_stddev",
        "histogram_stdvar",
    ];
    let calls = functions::ALL.iter().map(|(_, signature)| signature.name);
    calls
        .chain(AggregateOp::ALL.iter().map(|op| op.name()))
        .filter(move |name| !native.contains(name))
        .filter(|name| !["histogram_sum", "start_timestamp"].contains(name))
}

fn run(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut random = Random::new(seed);
    let mut case = data::world(&mut random);
    for _ in 0..QUERIES_PER_WORLD {
        data::times(&mut random, &mut case);
        let base_s = case.start_ms.div_euclid(60_000) * 60;
        let instant = case.step_ms == 0;
        case.text = text::Writer {
            random: &mut random,
            base_s,
            subqueries: 2,
        }
        .query(instant);
        tally.queries += 1;
        match compare(&case) {
            Verdict::Same(0) => tally.empty += 1,
            Verdict::Same(values) => {
                tally.with_values += 1;
                tally.values += values;
                note(&case, tally);
            }
            Verdict::SameError => tally.errors += 1,
            Verdict::Undetermined => tally.undetermined += 1,
            Verdict::NotAQuery => tally.unreadable += 1,
            Verdict::Different(_) => return Err(failure(case.clone())),
        }
    }
    Ok(())
}

fn note(case: &Case, tally: &mut Tally) {
    let Ok(expr) = parse(&case.text) else {
        return;
    };
    expr.walk(&mut |node| match &node.kind {
        ExprKind::Call(call) => {
            tally.seen.insert(call.function.name());
        }
        ExprKind::Aggregate(aggregate) => {
            tally.seen.insert(aggregate.op.name());
        }
        _ => {}
    });
}

fn failure(case: Case) -> String {
    let text = case.text.clone();
    let case = shrink::smallest(case);
    let Verdict::Different(difference) = compare(&case) else {
        return format!("{case}");
    };
    format!("first seen in {text}\n{case}{difference}")
}
