//! Flip: one bit of one file is wrong, and nobody may believe it.
//!
//!   golden store and its answers ─▶ copy, flip, start, ask ─▶ verdicts by kind of file
//!
//! In reading order: [`golden`] makes the store and the questions, [`judge`] compares.
//!
//! Passes when every flip is harmless or detected: the store opens, names the damaged file, and
//! answers everything outside the damaged unit as before.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use clap::Args;

use self::golden::Golden;
use self::judge::{Flip, Verdict};
use super::random::{Random, seed_or_new};
use crate::tools;

mod golden;
mod judge;

/// How many bits.
#[derive(Args)]
pub struct Options {
    /// How many flips in each kind of file.
    #[arg(long, default_value_t = 50)]
    flips: u64,
    /// Seed of the random bits, to repeat a run.
    #[arg(long)]
    seed: Option<u64>,
    /// Only this one of the run's flips, counted from 0, and keep its store.
    #[arg(long)]
    only: Option<usize>,
    /// Only this kind of file, such as `log` or `table raw`.
    #[arg(long)]
    kind: Option<String>,
    /// Use the release build.
    #[arg(long)]
    release: bool,
}

impl Options {
    /// So many flips, everything else as usual.
    pub fn short(flips: u64) -> Self {
        Self {
            flips,
            seed: None,
            only: None,
            kind: None,
            release: false,
        }
    }
}

/// Stores are started and asked side by side, so many.
const WORKERS: usize = 2;

type Judged = Vec<(usize, Verdict, String)>;

/// Runs it.
pub fn run(options: &Options) -> Result<()> {
    let binary = tools::build_server(options.release)?;
    let seed = seed_or_new(options.seed);
    let repeat = format!(
        "cargo xtask crash flip --flips {} --seed {seed}",
        options.flips
    );
    println!("repeat with `{repeat}`");
    let root = tempfile::tempdir_in(memory_dir())?;
    let golden = Golden::make(&binary, &root.path().join("golden"))?;
    let flips = judge::choose(&golden, options.flips, &mut Random::new(seed))?;
    let begun = Instant::now();
    let judged = judge_all(&golden, &binary, &flips, options)?;
    report(&flips, &judged);
    println!(
        "{} flips in {:.0} s; {}",
        judged.len(),
        begun.elapsed().as_secs_f64(),
        golden.maintenance.note(1)
    );
    if options.only.is_some() {
        println!("the store is kept in {}", root.keep().display());
    }
    let bad = judged.iter().filter(|(_, verdict, _)| !verdict.passes());
    let bad = bad.count();
    ensure!(bad == 0, "{bad} flips were neither harmless nor detected");
    Ok(())
}

fn judge_all(golden: &Golden, binary: &Path, flips: &[Flip], options: &Options) -> Result<Judged> {
    let next = AtomicUsize::new(0);
    let judged = Mutex::new(Judged::new());
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::SeqCst);
            let Some(flip) = flips.get(number) else {
                return Ok(());
            };
            let is_other = options.only.is_some_and(|only| only != number);
            if is_other || options.kind.as_ref().is_some_and(|kind| *kind != flip.kind) {
                continue;
            }
            let dir = copy(&golden.dir, &format!("flip-{number}"))?;
            let (verdict, why) = judge::judge(golden, binary, flip, &dir)?;
            if options.only.is_none() {
                fs::remove_dir_all(&dir)?;
            }
            let mut judged = judged.lock().unwrap_or_else(PoisonError::into_inner);
            judged.push((number, verdict, why));
            if judged.len().is_multiple_of(50) {
                println!("  {} of {} flips", judged.len(), flips.len());
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            match worker.join() {
                Ok(done) => done?,
                Err(_) => bail!("a worker panicked"),
            }
        }
        Ok(())
    })?;
    let mut judged = judged.into_inner().unwrap_or_else(PoisonError::into_inner);
    judged.sort();
    Ok(judged)
}

/// One line for each kind of file, and an example of each failure.
fn report(flips: &[Flip], judged: &Judged) {
    let mut kinds: BTreeMap<&str, BTreeMap<Verdict, Vec<usize>>> = BTreeMap::new();
    for (place, (number, verdict, _)) in judged.iter().enumerate() {
        let kind = kinds.entry(&flips[*number].kind).or_default();
        kind.entry(*verdict).or_default().push(place);
    }
    for (kind, verdicts) in &kinds {
        let counts = Verdict::ALL.map(|verdict| {
            let count = verdicts.get(&verdict).map_or(0, Vec::len);
            format!("{count} {}", format!("{verdict:?}").to_lowercase())
        });
        println!("{kind}: {}", counts.join(", "));
        for (verdict, places) in verdicts.iter().filter(|(verdict, _)| !verdict.passes()) {
            for place in places.iter().take(3) {
                let (number, _, why) = &judged[*place];
                let Flip { file, bit, .. } = &flips[*number];
                let (byte, bit, file) = (bit / 8, bit % 8, file.display());
                println!("  {verdict:?} (--only {number}): {file} byte {byte} bit {bit}: {why}");
            }
        }
    }
}

/// A copy beside the original.
fn copy(from: &Path, name: &str) -> Result<PathBuf> {
    let to = from.with_file_name(name);
    for (file, _) in files(from)? {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().unwrap_or(&to))?;
        fs::copy(from.join(&file), target)?;
    }
    Ok(to)
}

/// Every file below `dir` with its size, by name.
fn files(dir: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(&next)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                dirs.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(dir)?.to_path_buf();
                found.push((name, metadata.len()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Where files cost no waiting for a disk.
fn memory_dir() -> PathBuf {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() {
        shm.to_path_buf()
    } else {
        std::env::temp_dir()
    }
}
