//! Faults: the store is stopped at every operation on its files, or finds no room there, and goes on.
//!
//!   script on a [Disk] ─▶ cut off at operation n ─▶ what a crash leaves ─▶ open ─▶ maintain ─▶ compare
//!
//! The script writes, flushes, rolls up, merges, drops, joins late samples, restarts, lets series
//! expire and come back. Stopped anywhere, and after any crash that a device allows, a store that is
//! opened again and maintained holds every acknowledged sample in exactly one window, as if nothing
//! had happened. Of a batch that was not acknowledged it holds all or nothing.

use std::sync::atomic::Ordering;

use tinyobs_model::TimeRange;
use tinyobs_store::{Durability, EngineKind, Retention};

use crate::answers::Answers;
use crate::disk::{Disk, Leaves};
use crate::number;
use crate::oracle::{DAY, Oracle, Series};
use crate::steps::{Burst, Setting, Step};
use crate::world::{Batch, World};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn setting(durability: Durability) -> Setting {
    Setting {
        engine: EngineKind::Disk,
        retention: Retention {
            raw_ms: DAY,
            five_minutes_ms: 10 * DAY,
            hour_ms: 60 * DAY,
        },
        max_series: 100,
        max_series_per_metric: 0,
        // Half an hour after midnight.
        now_ms: 20_000 * DAY + HOUR / 2,
        series: 8,
        durability,
        // Small, so that the reserve is, too.
        max_bytes: 16 << 20,
    }
}

/// So many samples of a counter that restarts at 0 now and then.
fn burst(series: Series, ago_ms: i64, step_ms: i64, count: u64) -> Burst {
    let value = |number: u64| ((number + ago_ms.unsigned_abs() / 7) % 23 * 3) as f64;
    Burst {
        series,
        ago_ms,
        step_ms,
        values: (0..count).map(|number| value(number).to_bits()).collect(),
        began_ago_ms: None,
        together: false,
        unnamed: false,
        backwards: false,
    }
}

/// A year in the life of a store, in as few steps as have everything in them.
fn script() -> Vec<Step> {
    let write = |bursts: &[Burst]| Step::Write(bursts.to_vec());
    vec![
        // Across midnight: two partitions.
        write(&[
            burst(0, 2 * HOUR, MINUTE, 100),
            burst(1, HOUR, 5 * MINUTE, 9),
        ]),
        write(&[burst(2, HOUR, 20 * MINUTE, 3)]),
        Step::Maintain,
        // Out of order, again, and with other values.
        write(&[
            burst(0, 90 * MINUTE, 30_000, 50),
            burst(3, 5 * MINUTE, 1_000, 20),
        ]),
        Step::Flush,
        Step::Conflict(2),
        Step::Repeat,
        Step::Maintain,
        Step::Restart,
        // The first days are dropped.
        Step::Advance(2 * DAY + 3 * HOUR),
        write(&[burst(0, HOUR, 5 * MINUTE, 12), burst(1, MINUTE, 1_000, 5)]),
        Step::Maintain,
        // Late: twice for dropped days, once for a day that is there.
        write(&[
            burst(0, 52 * HOUR, 10 * MINUTE, 6),
            burst(2, 50 * HOUR, MINUTE, 3),
        ]),
        write(&[burst(1, 2 * HOUR, MINUTE, 7)]),
        Step::Flush,
        write(&[burst(0, 55 * HOUR, 7 * MINUTE, 30)]),
        Step::Maintain,
        Step::Advance(13 * DAY),
        write(&[burst(0, HOUR, 5 * MINUTE, 12)]),
        Step::Kill,
        Step::Maintain,
        // Everything old goes, and three series with it.
        Step::Advance(140 * DAY),
        write(&[burst(0, HOUR, MINUTE, 12)]),
        Step::Maintain,
        write(&[burst(2, HOUR, MINUTE, 12)]),
        Step::Maintain,
    ]
}

/// Takes the script on a disk that is cut off at operation `at`. Of a run that got through: none.
fn crash_at(at: u64, durability: Durability, leaves: Leaves) -> Result<Option<()>, String> {
    let disk = Disk::default();
    disk.cut_off_at(at);
    let mut world = World::closed(setting(durability), Some(disk));
    let mut outcome = world.open();
    for step in script() {
        if outcome.is_err() {
            break;
        }
        outcome = world.take(&step);
    }
    let disk = world.disk.clone().expect("given above");
    if !disk.is_cut_off() {
        return outcome.map(|()| None);
    }
    if outcome.is_err() {
        // What failed was never acknowledged; anything else that differs was noticed by `take`.
        let found = disk.crash(leaves);
        world.store = None;
        recovers(&mut world, found)?;
    }
    Ok(Some(()))
}

/// Opens what a crash left, maintains it, and compares it with what had been acknowledged.
fn recovers(world: &mut World, found: Disk) -> Result<(), String> {
    world.disk = Some(found);
    world.open()?;
    let maintain = |world: &World| {
        let done = world.store().maintain();
        done.map_err(|error| format!("maintain: {error}"))
    };
    maintain(world)?;
    let mut candidates = vec![world.oracle.clone()];
    if let Some(batch) = world.unanswered.take() {
        let mut with = world.oracle.clone();
        with.append(&batch.items, world.now_ms(), &[]);
        candidates.push(with);
    }
    for oracle in &mut candidates {
        oracle.maintain(world.now_ms());
        oracle.expire();
    }
    world.oracle = agree(world, candidates)?;
    // Again changes nothing, nor does a restart.
    maintain(world)?;
    settled(world)?;
    world.take(&Step::Restart)?;
    settled(world)
}

fn settled(world: &World) -> Result<(), String> {
    let answers = Answers {
        settled: true,
        ..world.answers()
    };
    answers.all()?;
    let samples = world
        .oracle
        .lines
        .values()
        .map(|line| line.raw.len() as u64);
    let (stored, expected) = (world.store().stats().samples, samples.sum());
    if stored != expected {
        return Err(format!("{stored} samples counted, expected {expected}"));
    }
    Ok(())
}

/// The first of the candidates that the store agrees with.
fn agree(world: &mut World, candidates: Vec<Oracle>) -> Result<Oracle, String> {
    let mut differ = Vec::new();
    for oracle in candidates {
        world.oracle = oracle.clone();
        match settled(world) {
            Ok(()) => return Ok(oracle),
            Err(what) => differ.push(what),
        }
    }
    Err(differ.join("\n  "))
}

fn sweep(durability: Durability, all: &[Leaves]) {
    // Every so many operations; `cargo xtask model` takes every single one.
    let stride = number("TINYOBS_MODEL_STRIDE", 7);
    let mut at = number("TINYOBS_MODEL_FIRST", 0);
    let mut wrong: Vec<String> = Vec::new();
    loop {
        let leaves = all[(at / stride) as usize % all.len()];
        let each: &[Leaves] = if stride == 1 { all } else { &[leaves] };
        for &leaves in each {
            match crash_at(at, durability, leaves) {
                Ok(Some(())) => {}
                Ok(None) => {
                    println!("{durability}: {at} operations, every {stride}th");
                    assert!(wrong.is_empty(), "{} wrong:{}", wrong.len(), wrong.concat());
                    return;
                }
                Err(what) => {
                    wrong.push(format!("\n cut off at operation {at}, {leaves:?}: {what}"));
                }
            }
        }
        at += stride;
    }
}

/// I-ROLLUP-3, I-ROLLUP-5, I-FLUSH-1, I-MERGE-1, I-RETENTION-1: a killed process.
#[test]
fn i_rollup_3_killed_at_any_operation_nothing_is_lost_and_nothing_counts_twice() {
    sweep(Durability::Interval, &[Leaves::Everything]);
}

/// I-ROLLUP-3: the power goes.
#[test]
fn i_rollup_3_without_power_at_any_operation_nothing_is_lost_and_nothing_counts_twice() {
    let all = [
        Leaves::OnlySynced,
        Leaves::Some(1),
        Leaves::Everything,
        Leaves::Some(2),
    ];
    sweep(Durability::Sync, &all);
}

/// Takes the script on a disk that is full from operation `at` on, for three steps.
fn full_at(at: u64) -> Result<Option<()>, String> {
    let disk = Disk::default();
    let mut world = World::new_on(setting(Durability::Interval), disk.clone())?;
    disk.full_from(Some(at));
    let mut failed = 0;
    for step in script() {
        // A store cannot be opened on a full disk, and need not be.
        if failed > 0 && matches!(step, Step::Restart | Step::Kill) {
            continue;
        }
        match world.take(&step) {
            Ok(()) => {}
            Err(_) if world.store.is_none() => {
                // It was being closed, or opened: that takes room.
                disk.full_from(None);
                world.open()?;
                failed = 4;
            }
            Err(what) if disk.operations() > at && failed < 3 => {
                failed += 1;
                refused_for_room(&mut world, &step, &what)?;
            }
            Err(what) => return Err(format!("{step:?}: {what}")),
        }
        if failed == 3 || failed > 0 && world.lenient {
            // There is room again: everything goes on without a restart.
            disk.full_from(None);
            let now_ms = world.clock.0.load(Ordering::SeqCst);
            world.write(Batch::of(0, now_ms, 7.0))?;
            if world.lenient {
                world.take(&Step::Maintain)?;
            }
            failed = 4;
        }
    }
    disk.full_from(None);
    world.take(&Step::Restart)?;
    world.lenient = true;
    world.take(&Step::Maintain)?;
    settled(&world)?;
    Ok((failed > 0).then_some(()))
}

/// What failed for want of room says so, kept nothing, and is still answering.
fn refused_for_room(world: &mut World, step: &Step, what: &str) -> Result<(), String> {
    if !what.contains("no space left") {
        return Err(format!("{step:?} on a full disk: {what}"));
    }
    world.unanswered = None;
    let health = world.store().health();
    health.map_err(|error| format!("after {what}: {error}"))?;
    world.settled = false;
    if !matches!(step, Step::Maintain) {
        return world
            .answers()
            .all()
            .map_err(|error| format!("after {what}: {error}"));
    }
    // Part of it may have been done: what must be raw after all of it is raw now.
    world.lenient = true;
    let mut after = world.oracle.clone();
    after.maintain(world.now_ms());
    let range = TimeRange::new(after.marks[0], i64::MAX);
    for &series in after.lines.keys() {
        let answer = world.answers().raw(series, range);
        answer.map_err(|error| format!("after {what}: {error}"))?;
    }
    Ok(())
}

/// I-STORAGE-2: a full disk.
#[test]
fn i_storage_2_full_at_any_write_the_store_reads_on_and_writes_again_when_there_is_room() {
    let stride = number("TINYOBS_MODEL_STRIDE", 7);
    let mut at = 0;
    loop {
        match full_at(at) {
            Ok(Some(())) => {}
            Ok(None) => break,
            Err(what) => panic!("full from operation {at} on: {what}"),
        }
        at += stride;
    }
    println!("full: {at} operations, every {stride}th");
}
