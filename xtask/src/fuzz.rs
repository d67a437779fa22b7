//! Fuzz: inputs made up by coverage, for everything that reads bytes; on stable Rust.
//!
//!   fuzz/seeds ─▶ libFuzzer around fuzz/fuzz_targets ─▶ nothing, or target/fuzz/found/<target>-…
//!
//! cargo-fuzz does the same on a nightly compiler; its targets' layout is kept, so that it works
//! there. What libFuzzer learns stays in target/fuzz/corpus and is used the next time.
//!
//! Passes when no input of any target made it panic, hang, or reserve memory on an input's word.

mod log;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use self::log::{follow, grouped, lines_of};
use crate::tools;

/// What to run, and for how long.
#[derive(Args)]
pub struct Options {
    /// Only this target; all of them when it is left out.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(TARGETS.map(|t| t.0)))]
    target: Option<String>,
    /// Stop each target after so many inputs.
    #[arg(long, conflicts_with = "seconds")]
    runs: Option<u64>,
    /// Stop each target after so many seconds.
    #[arg(long, default_value_t = SECONDS)]
    seconds: u64,
    /// Targets that run at once.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    jobs: u8,
    /// Do not watch comparisons: twice as many inputs a second, of which each finds less. For the many
    /// that follow on what was learnt with them.
    #[arg(long)]
    fast: bool,
    /// Run TARGET once, on the bytes of this file, to repeat what was found.
    #[arg(long, requires = "target")]
    input: Option<PathBuf>,
}

impl Options {
    /// Every target for a moment, as CI runs it.
    pub fn short() -> Self {
        Self {
            target: None,
            runs: None,
            seconds: SECONDS,
            jobs: 2,
            fast: false,
            input: None,
        }
    }
}

/// Seconds that each target gets unless told otherwise.
const SECONDS: u64 = 15;

/// Each target with the most bytes that its inputs have: as few as reach everything, because
/// short inputs run faster.
const TARGETS: [(&str, usize); 19] = [
    ("wal_record", 400),
    ("wal_segment", 600),
    ("chunk", 128),
    ("rollup_rows", 160),
    ("table", 300),
    ("manifest", 600),
    ("catalogue", 300),
    ("ingest_json", 600),
    ("otlp", 600),
    ("text", 300),
    ("metric_family", 200),
    ("influx", 300),
    ("import", 600),
    ("selector", 300),
    ("promql", 300),
    ("evaluation", 160),
    ("labels", 300),
    ("remote_write", 400),
    ("decompress", 400),
];

/// A whole input may take this long; usually it takes microseconds, but on a busy machine a process may not
/// run for seconds.
const TIMEOUT_SECONDS: u32 = 20;
/// MiB that a target may hold; usually it holds 30.
const MEMORY_MIB: u32 = 512;

/// Makes the compiler report to libFuzzer which places were reached, and, with the last one, what was
/// compared there.
const INSTRUMENT: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Builds the targets and runs them.
pub fn run(options: &Options) -> Result<()> {
    let named = |target: &&(&str, usize)| options.target.as_deref().is_none_or(|t| t == target.0);
    let targets: Vec<_> = TARGETS.iter().filter(named).collect();
    let place = Place::new(options.fast)?;
    place.build(options.target.as_deref())?;
    if let Some(input) = &options.input {
        return place.repeat(targets[0].0, input);
    }
    let waiting = Mutex::new(VecDeque::from(targets));
    let next = || waiting.lock().ok()?.pop_front();
    let work = || -> Result<u32> {
        let mut found = 0;
        while let Some((target, longest)) = next() {
            found += u32::from(!place.fuzz(target, *longest, options)?);
        }
        Ok(found)
    };
    let found = thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs).map(|_| scope.spawn(work)).collect();
        let one = |worker: thread::ScopedJoinHandle<'_, Result<u32>>| {
            worker
                .join()
                .unwrap_or_else(|_| bail!("a fuzzing thread panicked"))
        };
        workers.into_iter().map(one).sum::<Result<u32>>()
    })?;
    ensure!(
        found == 0,
        "fuzzing found an input that {found} of the targets do not stand"
    );
    Ok(())
}

/// Where everything of the fuzzer lies.
struct Place {
    /// Programs, what was learnt, and what was found; not in the repository.
    dir: PathBuf,
    seeds: PathBuf,
    manifest: PathBuf,
    /// The compiler's name for this kind of machine.
    triple: String,
    /// Comparisons are not watched.
    fast: bool,
}

impl Place {
    fn new(fast: bool) -> Result<Self> {
        tools::output_of("c++", &["--version"])
            .context("a C++ compiler is missing: libFuzzer is built with it (Debian: `g++`)")?;
        let version = tools::output_of("rustc", &["-vV"])?;
        let triple = version.lines().find_map(|line| line.strip_prefix("host: "));
        let crate_dir = tools::root().join("fuzz");
        Ok(Self {
            dir: tools::target_dir()?.join("fuzz"),
            seeds: crate_dir.join("seeds"),
            manifest: crate_dir.join("Cargo.toml"),
            triple: triple.context("rustc names no host")?.to_owned(),
            fast,
        })
    }

    /// Builds one target or all of them. With the triple named, build scripts and macros are not
    /// instrumented.
    fn build(&self, target: Option<&str>) -> Result<()> {
        let manifest = self.manifest.display().to_string();
        let dir = self.build_dir().display().to_string();
        let mut args = vec![
            "build",
            "--release",
            "--locked",
            "--manifest-path",
            &manifest,
        ];
        args.extend(["--target", &self.triple, "--target-dir", &dir]);
        match target {
            Some(target) => args.extend(["--bin", target]),
            None => args.push("--bins"),
        }
        let watched = INSTRUMENT.len() - usize::from(self.fast);
        let flags = INSTRUMENT[..watched].join("\u{1f}");
        tools::run("cargo", &args, &[("CARGO_ENCODED_RUSTFLAGS", &flags)])
    }

    /// Other flags are other programs, side by side.
    fn build_dir(&self) -> PathBuf {
        self.dir
            .join(if self.fast { "build-fast" } else { "build" })
    }

    fn program(&self, target: &str) -> Command {
        let path = self
            .build_dir()
            .join(&self.triple)
            .join("release")
            .join(target);
        let mut program = Command::new(path);
        program.arg(format!("-timeout={TIMEOUT_SECONDS}"));
        program.arg(format!("-rss_limit_mb={MEMORY_MIB}"));
        program
    }

    fn repeat(&self, target: &str, input: &Path) -> Result<()> {
        let status = self
            .program(target)
            .arg(input)
            .env("RUST_BACKTRACE", "1")
            .status()?;
        ensure!(
            status.success(),
            "{target} does not stand {} ({status})",
            input.display()
        );
        println!("{target} stands {}", input.display());
        Ok(())
    }

    /// Runs a target, saying how far it is and how it ended; whether it found nothing.
    fn fuzz(&self, target: &str, longest: usize, options: &Options) -> Result<bool> {
        let (corpus, found) = (self.dir.join("corpus").join(target), self.dir.join("found"));
        std::fs::create_dir_all(&corpus)?;
        std::fs::create_dir_all(&found)?;
        let mut program = self.program(target);
        program.arg(match options.runs {
            Some(runs) => format!("-runs={runs}"),
            None => format!("-max_total_time={}", options.seconds),
        });
        program.args(["-print_final_stats=1", "-print_funcs=0"]);
        program.arg(format!("-max_len={longest}"));
        program.arg(format!("-artifact_prefix={}/{target}-", found.display()));
        program.args([corpus, self.seeds.join(target)]);
        let child = program
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = child
            .spawn()
            .with_context(|| format!("cannot run {target}"))?;
        let begun = Instant::now();
        let log = follow(target, begun, &lines_of(&mut child)?);
        let status = child.wait()?;
        let seconds = begun.elapsed().as_secs_f64();
        let (runs, reached) = (grouped(log.runs), log.reached);
        println!(
            "  {target:<12} {runs:>12} inputs in {seconds:>4.0} s, {reached:>4} places reached{}",
            if status.success() {
                ", nothing found"
            } else {
                ", FOUND:"
            }
        );
        if !status.success() {
            println!("{}\n  repeat with: {}", log.trouble(), log.command(target));
        }
        Ok(status.success())
    }
}

#[cfg(test)]
mod tests;
