//! Fuzz: inputs made up by coverage, for everything that reads bytes; on stable Rust.
//!
//!   fuzz/seeds ─▶ libFuzzer around fuzz/fuzz_targets ─▶ nothing, or target/fuzz/found/<target>-…
//!
//! cargo-fuzz does the same on a nightly compiler; its targets' layout is kept, so that it works
//! there. What libFuzzer learns stays in target/fuzz/corpus and is used the next time.
//!
//! Passes when no input of any target made it panic, hang, or reserve memory on an input's word.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

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
            input: None,
        }
    }
}

/// Seconds that each target gets unless told otherwise.
const SECONDS: u64 = 15;

/// Each target with the most bytes that its inputs have: as few as reach everything, because
/// short inputs run faster.
const TARGETS: [(&str, usize); 10] = [
    ("wal_record", 400),
    ("wal_segment", 600),
    ("chunk", 128),
    ("rollup_rows", 160),
    ("table", 300),
    ("manifest", 600),
    ("catalogue", 300),
    ("ingest_json", 600),
    ("selector", 300),
    ("labels", 300),
];

/// A whole input may take this long; usually it takes microseconds.
const TIMEOUT_SECONDS: u32 = 5;
/// MiB that a target may hold; usually it holds 30.
const MEMORY_MIB: u32 = 512;
/// How often a target that runs says how far it is.
const PROGRESS: Duration = Duration::from_secs(15);

/// Makes the compiler report to libFuzzer which places were reached and what was compared there.
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
    let place = Place::new()?;
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
}

impl Place {
    fn new() -> Result<Self> {
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
        })
    }

    /// Builds one target or all of them. With the triple named, build scripts and macros are not
    /// instrumented.
    fn build(&self, target: Option<&str>) -> Result<()> {
        let (manifest, dir) = (self.manifest.display().to_string(), self.dir.join("build"));
        let dir = dir.display().to_string();
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
        let flags = INSTRUMENT.join("\u{1f}");
        tools::run("cargo", &args, &[("CARGO_ENCODED_RUSTFLAGS", &flags)])
    }

    fn program(&self, target: &str) -> Command {
        let path = self
            .dir
            .join("build")
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

/// What a target has said.
#[derive(Default)]
struct Log {
    /// Inputs run, at least.
    runs: u64,
    /// Places in the code reached.
    reached: u64,
    /// The file with the input that was found.
    input: Option<String>,
    last: VecDeque<String>,
}

impl Log {
    /// Takes a line such as `#4096 pulse cov: 412 ft: 900 corp: 80/2Kb exec/s: 20000 rss: 28Mb`.
    fn take(&mut self, line: String) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |word: &str| word.parse::<u64>().ok();
        if let Some(runs) = words
            .first()
            .and_then(|word| number(word.strip_prefix('#')?))
        {
            self.runs = runs;
            let cov = words.iter().position(|word| *word == "cov:");
            let reached = cov.and_then(|at| number(words.get(at + 1)?));
            self.reached = reached.unwrap_or(self.reached);
            return;
        }
        if let ["stat::number_of_executed_units:", runs] = words[..] {
            self.runs = number(runs).unwrap_or(self.runs);
        }
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.input = Some(path.to_owned());
        }
        if !line.starts_with("stat::") && self.last.len() < 4_000 {
            self.last.push_back(line);
        }
    }

    /// The panic, or else what libFuzzer said last.
    fn trouble(&self) -> String {
        const SHOWN: usize = 12;
        let own =
            |line: &String| line.contains("panicked at") || line.starts_with("one allocation");
        let from = self.last.iter().position(own);
        let from = from.unwrap_or(self.last.len().saturating_sub(SHOWN));
        let lines = self.last.iter().skip(from).take(SHOWN);
        lines.map(|line| format!("    {line}\n")).collect()
    }

    fn command(&self, target: &str) -> String {
        match &self.input {
            Some(path) => format!("cargo xtask fuzz {target} --input {path}"),
            None => format!("cargo xtask fuzz {target}; it kept no input"),
        }
    }
}

fn lines_of(child: &mut Child) -> Result<Receiver<String>> {
    let stderr = child.stderr.take().context("stderr is piped")?;
    let (sender, lines) = channel();
    thread::spawn(move || {
        // A panic may print an input, which may be any bytes.
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            if sender
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
    Ok(lines)
}

/// Reads all lines, and says how far it is every now and then.
fn follow(target: &str, begun: Instant, lines: &Receiver<String>) -> Log {
    let mut log = Log::default();
    let mut said = begun;
    loop {
        match lines.recv_timeout(PROGRESS.saturating_sub(said.elapsed())) {
            Ok(line) => log.take(line),
            Err(RecvTimeoutError::Disconnected) => return log,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if said.elapsed() >= PROGRESS {
            said = Instant::now();
            let (seconds, runs) = (begun.elapsed().as_secs(), grouped(log.runs));
            println!("  {target:<12} {runs:>12} inputs or more after {seconds} s");
        }
    }
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma = |(at, digit)| {
        let border = at > 0 && (digits.len() - at) % 3 == 0;
        border.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(comma).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    fn names(dir: &str) -> BTreeSet<String> {
        let entries = fs::read_dir(tools::root().join("fuzz").join(dir)).expect("is there");
        let stem = |entry: std::io::Result<fs::DirEntry>| {
            let path = entry.expect("can be read").path();
            path.file_stem()
                .expect("has a name")
                .to_string_lossy()
                .into_owned()
        };
        entries.map(stem).collect()
    }

    #[test]
    fn every_target_is_run_and_has_small_seeds() {
        let listed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names("fuzz_targets"), listed);
        assert_eq!(names("seeds"), listed);
        for (target, longest) in TARGETS {
            let seeds = tools::root().join("fuzz/seeds").join(target);
            let entries = fs::read_dir(seeds).expect("is there");
            let sizes: Vec<u64> = entries
                .map(|e| e.expect("can be read").metadata().expect("likewise").len())
                .collect();
            assert!(!sizes.is_empty(), "{target} has no seeds");
            assert!(
                sizes.iter().all(|size| *size <= longest as u64),
                "{target}: {sizes:?}"
            );
        }
    }

    #[test]
    fn libfuzzers_lines_are_understood() {
        let mut log = Log::default();
        for line in [
            "INFO: Seed: 1",
            "#4096\tpulse  cov: 412 ft: 900 corp: 80/2Kb lim: 4096 exec/s: 2048 rss: 28Mb",
            "thread '<unnamed>' (1) panicked at src/lib.rs:1:1:",
            "left is not right",
            "artifact_prefix='f/'; Test unit written to f/labels-crash-1",
            "stat::number_of_executed_units: 5000",
        ] {
            log.take(line.to_owned());
        }
        assert_eq!((log.runs, log.reached), (5_000, 412));
        assert!(
            log.trouble()
                .starts_with("    thread '<unnamed>' (1) panicked")
        );
        let command = "cargo xtask fuzz labels --input f/labels-crash-1";
        assert_eq!(log.command("labels"), command);
    }

    #[test]
    fn numbers_have_commas() {
        assert_eq!(
            [0, 999, 1_000, 10_000_000].map(grouped),
            ["0", "999", "1,000", "10,000,000"]
        );
    }
}
