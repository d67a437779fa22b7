//! Maintain: `tinyobs maintain`, what a server does once an hour, now.

use std::error::Error;
use std::thread;
use std::time::Duration;

use clap::{ArgMatches, Command};
use indicatif::ProgressBar;
use serde_json::Value;
use tinyobs_store::Store;

use super::http::Remote;
use super::target::{self, Limits, Target};
use super::{Outcome, arguments_of_client, progress, say};
use crate::config::Resolved;
use crate::config::units::show_size;
use crate::maintenance::Done;

const ASK_EVERY: Duration = Duration::from_millis(200);

/// The subcommand.
pub fn command() -> Command {
    Command::new("maintain")
        .about("Roll up, merge and drop old data now instead of within the hour")
        .after_help(
            "Examples:\n  tinyobs maintain\n  tinyobs maintain --url http://127.0.0.1:8080\n  \
             tinyobs maintain --data-dir ./tinyobs-data --retention-raw 3d\n\n\
             A running server does it itself, by its own settings; the store of a stopped one is opened \
             for it, and drops only what a flag, a variable or the file says should go: the defaults \
             drop nothing here.",
        )
        .args(arguments_of_client(&[
            "data-dir",
            "listen",
            "max-storage",
            "retention-raw",
            "retention-5m",
            "retention-1h",
        ]))
        .arg(target::url_argument())
}

/// Runs it.
pub fn run(matches: &ArgMatches, resolved: &Resolved) -> Outcome {
    let done = match Target::find(matches, resolved, said(resolved))? {
        Target::Server(server) => by_server(&server)?,
        Target::Store(store) => here(&store)?,
    };
    say(&format!("{}\n", sentence(&done)));
    Ok(())
}

/// The limits that somebody has set (I-TARGET-1).
fn said(resolved: &Resolved) -> Limits {
    let (config, mut limits) = (&resolved.config, Limits::NONE);
    if resolved.is_said("retention-raw") {
        limits.retention.raw_ms = config.retention.raw_ms;
    }
    if resolved.is_said("retention-5m") {
        limits.retention.five_minutes_ms = config.retention.five_minutes_ms;
    }
    if resolved.is_said("retention-1h") {
        limits.retention.hour_ms = config.retention.hour_ms;
    }
    if resolved.is_said("max-storage") {
        limits.max_bytes = config.max_storage_bytes;
    }
    limits
}

fn by_server(server: &Remote) -> Result<Value, Box<dyn Error>> {
    let bar = progress::steps("asked", 0);
    let answer = thread::scope(|scope| {
        let asked = scope.spawn(|| server.post("/v1/admin/maintenance"));
        while !asked.is_finished() {
            let _ = show(server, &bar);
            thread::sleep(ASK_EVERY);
        }
        asked.join()
    });
    let (status, json) = answer.map_err(|_| "the request ended in a panic")??;
    let goes_on = status == 503 && json["message"].to_string().contains("goes on");
    let done = match status {
        200 => json,
        // It takes longer than a request may: look on until it has ended.
        503 if goes_on => loop {
            let progress = show(server, &bar)?;
            if progress["running"] == false {
                if let Some(error) = progress["last_error"].as_str() {
                    return Err(format!("maintenance failed: {error}").into());
                }
                break progress["last"].clone();
            }
            thread::sleep(ASK_EVERY);
        },
        _ => return Err(server.refused(status, &json).into()),
    };
    bar.finish_and_clear();
    Ok(done)
}

fn show(server: &Remote, bar: &ProgressBar) -> Result<Value, Box<dyn Error>> {
    let progress = server.get("/v1/admin/maintenance")?;
    if let Some(phase) = progress["phase"].as_str() {
        bar.set_message(phase.to_owned());
        bar.set_length(progress["total"].as_u64().unwrap_or(0));
        bar.set_position(progress["done"].as_u64().unwrap_or(0));
    }
    Ok(progress)
}

fn here(store: &Store) -> Result<Value, Box<dyn Error>> {
    let bar = progress::steps("opened", 0);
    let done = thread::scope(|scope| {
        let cycle = scope.spawn(|| store.maintain());
        while !cycle.is_finished() {
            let status = store.maintenance();
            if let Some(phase) = status.phase {
                bar.set_message(phase.as_str());
                bar.set_length(status.total);
                bar.set_position(status.done);
            }
            thread::sleep(ASK_EVERY);
        }
        cycle.join()
    });
    bar.finish_and_clear();
    let done = done.map_err(|_| "maintenance ended in a panic")??;
    store.close()?;
    Ok(serde_json::to_value(Done::from(done))?)
}

/// What was done, for people.
fn sentence(done: &Value) -> String {
    let number = |name: &str| done[name].as_u64().unwrap_or(0);
    format!(
        "rolled up {} windows, merged {} tables, dropped {} partitions, freed {}, forgot {} series; \
         took {:.1} s",
        number("rolled_windows"),
        number("merged_tables"),
        number("dropped_partitions"),
        show_size(number("freed_bytes")),
        number("expired_series"),
        number("took_ms") as f64 / 1_000.0
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_was_done_reads_well() {
        let done = serde_json::json!({
            "rolled_windows": 12, "merged_tables": 3, "dropped_partitions": 1,
            "freed_bytes": 1_572_864, "expired_series": 0, "took_ms": 1_250,
        });
        assert_eq!(
            super::sentence(&done),
            "rolled up 12 windows, merged 3 tables, dropped 1 partitions, freed 1.5 MiB, forgot 0 \
             series; took 1.2 s"
        );
    }
}
