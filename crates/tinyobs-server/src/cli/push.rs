//! Push: `tinyobs push`, values from a script to a running server.
//!
//!   NAME VALUE [TIME] [LABEL=VALUE…] │ such [`lines`] on standard input ─▶ [`Batch`] ─▶ `POST /v1/ingest`
//!
//! I-PUSH-1  Every line is stored, named with what is wrong with it, or named as one that takes the
//!           place of another: none goes away in silence.
//! I-PUSH-2  A line without a time of its own has the time at which it was read, or the first
//!           millisecond after it that no other line of its series has, which is waited for: never
//!           one that is still to come. (Where the clock is set back, its series begins anew there.)
//! I-PUSH-3  A line is sent a second after it was read, however slowly the next ones come.
//! Proved by: push/tests.rs, tests/it/push.rs.

use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tinyobs_model::{Kind, limits};

use super::http::Remote;
use super::{Outcome, arguments_of_client, counted, progress, target};
use crate::config::Resolved;

mod batch;
mod clock;
mod delivery;
mod lines;
mod sample;

use batch::Batch;
use delivery::deliver;
use lines::{Line, Next};
use sample::Sample;

/// How long a line waits for others that are sent with it.
const WAIT: Duration = Duration::from_secs(1);

/// The subcommand.
pub fn command() -> Command {
    Command::new("push")
        .about("Send values to a running server, from arguments or standard input")
        .after_help(
            "Examples:\n  tinyobs push backup_last_success_seconds $(date +%s) host=db1\n  \
             tinyobs push jobs_total 3 --type counter queue=mail\n  \
             df --output=target,used | awk 'NR>1 {print \"disk_used_kb\", $2, \"mount=\"$1}' | \
             tinyobs push --type gauge\n  \
             echo 'room_celsius 21.5 2026-11-22T03:04:05Z room=hall' | tinyobs push\n\n\
             On standard input a line is a name, a value, and in any order a time and labels, with \
             spaces between them; lines that begin with # are passed over. Labels may also stand \
             behind the name, as in room_celsius{room=\"main hall\"} 21.5. A time is RFC 3339 with a \
             zone, Unix seconds or Unix milliseconds.\n\n\
             Without a time, arguments get the time of this machine, and a line that at which it was \
             read. The next line of the same series is at least a millisecond later, which is \
             waited for: so there are at most 1,000 of them a second. Of several lines with the same \
             series and time the last one is stored; the others are named when they are sent together. \
             Lines are sent within a second.\n\n\
             What the server refuses is named by the number of its line. When it cannot be reached or \
             has no room, lines are sent again for --retry seconds; after that the first one that is \
             not stored is named. Whatever was not stored, the exit code is 1.",
        )
        .arg(
            Arg::new("sample")
                .value_names(["NAME", "VALUE", "TIME|LABEL=VALUE"])
                .num_args(1..)
                .allow_negative_numbers(true)
                .action(ArgAction::Set)
                .help("What to send; standard input is read when it is left out"),
        )
        .arg(
            Arg::new("type")
                .long("type")
                .value_name("TYPE")
                .value_parser(Kind::ALL.map(Kind::as_str))
                .help("What the numbers mean"),
        )
        .arg(
            Arg::new("retry")
                .long("retry")
                .value_name("SECONDS")
                .value_parser(value_parser!(u64).range(..=86_400))
                .default_value("30")
                .help("How long new attempts begin when the server cannot be reached or has no room"),
        )
        .args(arguments_of_client(&["listen"]))
        .arg(Arg::new("url").long("url").value_name("URL").help(
            "The running server, such as http://127.0.0.1:8080; without it, the one at --listen or \
             at the configured address",
        ))
}

/// Runs it.
pub fn run(matches: &ArgMatches, resolved: &Resolved) -> Outcome {
    let server = match matches.get_one::<String>("url") {
        Some(url) => Remote::new(url)?,
        None => target::listening(&resolved.config)?,
    };
    let kind = matches.get_one::<String>("type").map(String::as_str);
    let patience = Duration::from_secs(*matches.get_one::<u64>("retry").ok_or("no --retry")?);
    if let Some(words) = matches.get_many::<String>("sample") {
        let words: Vec<&str> = words.map(String::as_str).collect();
        let mut item = Sample::read(&words)?.item(kind);
        if item["timestamp"].is_null() {
            // I-PUSH-5
            item["timestamp"] = clock::now_ms().into();
        }
        return match deliver(&server, vec![(0, item)], patience)?.said.first() {
            None => Ok(()),
            Some((_, message)) => Err(message.as_str().into()),
        };
    }
    let bar = progress::flow("push");
    let mut pushing = Pushing::new(&server, kind, patience);
    let lines = lines::read(bar.wrap_read(std::io::stdin()));
    loop {
        match lines.next_until(pushing.due()) {
            Next::Line(line) => pushing.line(line)?,
            Next::Nothing => pushing.flush()?,
            Next::End => break,
        }
    }
    pushing.flush()?;
    bar.finish_and_clear();
    pushing.outcome()
}

/// Lines on their way.
struct Pushing<'a> {
    server: &'a Remote,
    kind: Option<&'a str>,
    /// How long a batch is tried.
    patience: Duration,
    batch: Batch,
    /// When the batch must be sent.
    due: Option<Instant>,
    is_empty: bool,
    bad: usize,
}

impl<'a> Pushing<'a> {
    fn new(server: &'a Remote, kind: Option<&'a str>, patience: Duration) -> Self {
        Self {
            server,
            kind,
            patience,
            batch: Batch::default(),
            due: None,
            is_empty: true,
            bad: 0,
        }
    }

    fn due(&self) -> Option<Instant> {
        self.due
    }

    fn line(&mut self, line: Line) -> Outcome {
        let text = match line.text {
            Ok(text) => text,
            Err(message) => {
                self.is_empty = false;
                self.complain(line.number, &message);
                return Ok(());
            }
        };
        let words = sample::words(&text);
        if words.first().is_none_or(|first| first.starts_with('#')) {
            return Ok(());
        }
        self.is_empty = false;
        match Sample::read(&words) {
            Err(message) => self.complain(line.number, &message),
            Ok(sample) => {
                let (number, read_ms, kind) = (line.number, line.read_ms, self.kind);
                let batch = &mut self.batch;
                let added = batch.add(number, read_ms, &sample, kind, clock::wait_for);
                if let Some(other) = added {
                    // Nothing is wrong with it, and it may be meant: no failure.
                    eprintln!(
                        "line {number}: takes the place of line {other}, which has the same series \
                         and time"
                    );
                }
                self.due.get_or_insert_with(|| Instant::now() + WAIT);
            }
        }
        if self.batch.len() == limits::ITEMS_PER_REQUEST {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Outcome {
        self.due = None;
        let items = self.batch.take();
        if items.is_empty() {
            return Ok(());
        }
        let first = items.first().map_or(0, |(number, _)| *number);
        let refused = deliver(self.server, items, self.patience)
            .map_err(|error| format!("{error}; nothing is stored from line {first} on"))?;
        for (number, message) in refused.said {
            self.complain(number, &message);
        }
        if refused.unsaid > 0 {
            self.bad += refused.unsaid;
            eprintln!("{} more of these lines were refused", refused.unsaid);
        }
        Ok(())
    }

    fn complain(&mut self, number: usize, message: &str) {
        self.bad += 1;
        eprintln!("line {number}: {message}");
    }

    fn outcome(self) -> Outcome {
        if self.is_empty {
            eprintln!("nothing was pushed: there was no sample on standard input");
        }
        match self.bad {
            0 => Ok(()),
            1 => Err("1 line was not stored".into()),
            bad => Err(format!("{} not stored", counted(bad, "line was", "lines were")).into()),
        }
    }
}

#[cfg(test)]
mod tests;
