//! Unfold: bodies that unfold to a gigabyte, or claim to, 64 at once, over every way in.
//!
//!   [bombs] × [WAYS] ─▶ 64 connections at once ─▶ 4xx that names the rule, or 429/503 and when to
//!   come again ─▶ the highest memory since the round began ─▶ a good push is taken
//!
//! Passes when no answer is anything else, memory stays within what the server has when idle, its
//! budget for bodies and [`BESIDE`], and the good push that follows every round can be read back.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use tinyobs_testing::process::memory_bytes;
use tinyobs_testing::{Answer, Server, Start, agent, post_bytes};

use super::random::now_ms;
use crate::tools;

mod bombs;

use bombs::{Bomb, bombs};

/// How many.
#[derive(Args)]
pub struct Options {
    /// Requests at once.
    #[arg(long, default_value_t = 64)]
    at_once: usize,
    /// All bombs and all ways in one round, instead of a round for each pair.
    #[arg(long)]
    mixed: bool,
    /// Use the release build.
    #[arg(long)]
    release: bool,
}

impl Options {
    /// One round of everything.
    pub fn short() -> Self {
        Self {
            at_once: 64,
            mixed: true,
            release: false,
        }
    }
}

/// What a way in is asked as.
#[derive(Debug, Clone, Copy)]
struct Way {
    path: &'static str,
    content_type: &'static str,
    /// The cheapest item that its decoder must look at, good or not.
    item: &'static [u8],
    /// What stands before and after the items.
    around: (&'static [u8], &'static [u8]),
}

const fn way(path: &'static str, content_type: &'static str, item: &'static [u8]) -> Way {
    Way {
        path,
        content_type,
        item,
        around: (b"", b""),
    }
}

const PROTOBUF: &str = "application/x-protobuf";

const WAYS: [Way; 10] = [
    way("/api/v1/write", PROTOBUF, b"\x0a\x00"),
    way(
        "/api/v1/write",
        "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        b"\x22\x00",
    ),
    way("/v1/metrics", PROTOBUF, b"\x0a\x00"),
    way("/v1/metrics", "application/json", b"{}"),
    Way {
        around: (b"{\"metrics\":[{}", b"]}"),
        ..way("/v1/ingest", "application/json", b",{}")
    },
    way("/v1/ingest", "application/x-ndjson", b"{}\n"),
    way("/write", "text/plain", b"a\n"),
    way("/metrics/job/bombs", "text/plain", b"a 1\n"),
    way("/v1/import", "application/x-ndjson", b"{}\n"),
    way("/api/v1/import", "application/x-ndjson", b"{}\n"),
];

/// Beside idle memory and the budget for bodies: two imports with a line of 16 MiB each as it grows,
/// the windows of decoders, and what the allocator has not given back.
const BESIDE: u64 = 96 << 20;

/// Runs it.
pub fn run(options: &Options) -> Result<()> {
    let binary = tools::build_server(options.release)?;
    let dir = tempfile::tempdir()?;
    let server = Server::start(&Start {
        binary,
        data_dir: dir.path().join("data"),
        args: ["--log-level", "error"].map(str::to_owned).to_vec(),
    })?;
    let begun = Instant::now();
    let idle = memory_bytes(server.pid(), "VmRSS")?;
    let bound = idle + budget(&server)? + BESIDE;
    let mut tally = Tally::default();
    let all: Vec<(Way, Bomb)> = WAYS
        .into_iter()
        .flat_map(|way| bombs(way).into_iter().map(move |bomb| (way, bomb)))
        .collect();
    if options.mixed {
        // Enough of them that all are there.
        let round: Vec<_> = all.iter().collect();
        for round in round.chunks(options.at_once) {
            tally.round(&server, round, bound)?;
        }
    } else {
        for pair in &all {
            tally.round(&server, &vec![pair; options.at_once], bound)?;
        }
    }
    let statuses = tally.statuses.iter();
    let statuses: Vec<String> = statuses
        .map(|(what, count)| format!("{count} × {what}"))
        .collect();
    println!(
        "{} kinds of bomb over {} ways, {} at once, in {:.0} s: {}; memory {:.0} MiB idle, {:.0} MiB \
         at its highest, {:.0} MiB allowed",
        all.len() / WAYS.len(),
        WAYS.len(),
        options.at_once,
        begun.elapsed().as_secs_f64(),
        statuses.join(", "),
        megabytes(idle),
        megabytes(tally.highest),
        megabytes(bound)
    );
    let status = server.stop()?;
    ensure!(status.success(), "the server ended with {status}");
    Ok(())
}

/// `INGEST_BYTES_IN_FLIGHT`, as the server has it.
fn budget(server: &Server) -> Result<u64> {
    let all = server.get("/v1/limits")?;
    let mut limits = all["limits"].as_array().into_iter().flatten();
    let found = limits.find(|limit| limit["name"] == "ingest_bytes_in_flight");
    let value = found.and_then(|limit| limit["value"].as_u64());
    value.context("no budget for bodies among the limits")
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// What was seen so far.
#[derive(Default)]
struct Tally {
    statuses: BTreeMap<u16, u64>,
    highest: u64,
    rounds: u64,
}

impl Tally {
    /// All of a round's bombs at once, then a good push.
    fn round(&mut self, server: &Server, round: &[&(Way, Bomb)], bound: u64) -> Result<()> {
        // Forgets the highest memory so far (`man 5 proc_pid_clear_refs`).
        fs::write(format!("/proc/{}/clear_refs", server.pid()), "5")?;
        let together = Barrier::new(round.len());
        let answers: Vec<Result<Answer>> = thread::scope(|scope| {
            let send = |pair| {
                let (url, together) = (&server.url, &together);
                scope.spawn(move || {
                    together.wait();
                    send(url, pair)
                })
            };
            let threads: Vec<_> = round.iter().map(|pair| send(*pair)).collect();
            let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
            joined
                .map(|answer| answer.unwrap_or_else(|_| bail!("a thread panicked")))
                .collect()
        });
        for ((way, bomb), answer) in round.iter().copied().zip(answers) {
            let told = || format!("{} as {} to {}", bomb.name, way.content_type, way.path);
            let answer = answer.with_context(told)?;
            judge(way, bomb, &answer).with_context(told)?;
            *self.statuses.entry(answer.status).or_default() += 1;
        }
        let highest = memory_bytes(server.pid(), "VmHWM")?;
        self.highest = self.highest.max(highest);
        let told = round.first().map(|(way, bomb)| (bomb.name, way.path));
        ensure!(
            highest <= bound,
            "memory went to {:.0} MiB, {:.0} MiB are allowed: {told:?}",
            megabytes(highest),
            megabytes(bound)
        );
        self.rounds += 1;
        good(server, self.rounds)
    }
}

fn send(url: &str, (way, bomb): &(Way, Bomb)) -> Result<Answer> {
    let headers = [
        ("content-type", way.content_type),
        ("content-encoding", bomb.encoding),
    ];
    post_bytes(
        &agent(),
        &format!("{url}{}", way.path),
        &headers,
        &bomb.body,
    )
}

/// An answer names the rule, or says when to come again.
fn judge(way: &Way, bomb: &Bomb, answer: &Answer) -> Result<()> {
    let text = answer.text();
    if matches!(answer.status, 429 | 503) {
        ensure!(
            answer.retry_after.is_some(),
            "{} without Retry-After: {text}",
            answer.status
        );
        return Ok(());
    }
    let is_import = way.path.ends_with("/import");
    let rules: &[(u16, &str)] = match (is_import, bomb.encoding) {
        (true, "snappy") => &[(415, "is not taken here; it may be gzip, zstd, identity")],
        (true, _) => bomb.rules_of_lines,
        (false, _) => bomb.rules,
    };
    let named = rules
        .iter()
        .any(|(status, rule)| answer.status == *status && text.contains(rule));
    ensure!(named, "{} {text}, not one of {rules:?}", answer.status);
    Ok(())
}

/// A push that is as it should be is taken right afterwards.
fn good(server: &Server, number: u64) -> Result<()> {
    let body = format!(
        "{{\"metrics\":[{{\"name\":\"good\",\"type\":\"gauge\",\"value\":{number},\
         \"timestamp\":{}}}]}}",
        now_ms()
    );
    let (status, answer) = server.ingest(&body)?;
    ensure!(status == 200, "a good push afterwards: {status} {answer}");
    let stored = server.get("/v1/query?match[]=good&start=1700000000")?;
    let rows = stored["metrics"].as_array().context("no rows")?;
    let newest = rows.last().and_then(|row| row["value"].as_f64());
    ensure!(
        newest == Some(number as f64),
        "the good push is {newest:?}, not {number}"
    );
    Ok(())
}
