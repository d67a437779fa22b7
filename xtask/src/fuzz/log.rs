//! Log: what a fuzzing process says of itself.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How often a target that runs says how far it is.
const PROGRESS: Duration = Duration::from_secs(15);

/// What a target has said.
#[derive(Default)]
pub struct Log {
    /// Inputs run, at least.
    pub runs: u64,
    /// Places in the code reached.
    pub reached: u64,
    /// The file with the input that was found.
    input: Option<String>,
    last: VecDeque<String>,
}

impl Log {
    /// Takes a line such as `#4096 pulse cov: 412 ft: 900 corp: 80/2Kb exec/s: 20000 rss: 28Mb`.
    pub fn take(&mut self, line: String) {
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
    pub fn trouble(&self) -> String {
        const SHOWN: usize = 12;
        let own =
            |line: &String| line.contains("panicked at") || line.starts_with("one allocation");
        let from = self.last.iter().position(own);
        let from = from.unwrap_or(self.last.len().saturating_sub(SHOWN));
        let lines = self.last.iter().skip(from).take(SHOWN);
        let lines: Vec<String> = lines.map(|line| format!("    {line}")).collect();
        lines.join("\n")
    }

    pub fn command(&self, target: &str) -> String {
        match &self.input {
            Some(path) => format!("cargo xtask fuzz {target} --input {path}"),
            None => format!("cargo xtask fuzz {target}; it kept no input"),
        }
    }
}

/// What it prints to stderr, line by line.
pub fn lines_of(child: &mut Child) -> Result<Receiver<String>> {
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
pub fn follow(target: &str, begun: Instant, lines: &Receiver<String>) -> Log {
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
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma = |(at, digit): (usize, char)| {
        let border = at > 0 && (digits.len() - at).is_multiple_of(3);
        border.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(comma).collect()
}
