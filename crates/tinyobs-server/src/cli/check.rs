//! Check: `tinyobs check`, every checksum of a store, and what is damaged.

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use tinyobs_store::check::{self, Report};

use super::{Outcome, arguments_of_client, progress, say};
use crate::config::Resolved;
use crate::config::units::show_size;

/// The subcommand.
pub fn command() -> Command {
    Command::new("check")
        .about("Verify every checksum of a store; fails when something is damaged")
        .after_help(
            "Examples:\n  tinyobs check\n  tinyobs check --data-dir /var/lib/tinyobs\n  \
             tinyobs check --json\n\n\
             Nothing is written. The store may be stopped, or a server may have it open; then its \
             tables are checked as its manifest names them now.",
        )
        .args(arguments_of_client(&["data-dir"]))
        .arg(json_argument())
}

/// `--json`.
pub fn json_argument() -> Arg {
    Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Answer in JSON")
}

/// Runs it.
pub fn run(matches: &ArgMatches, resolved: &Resolved) -> Outcome {
    let dir = resolved.config.data_dir_absolute();
    let report = examine(&dir)?;
    if matches.get_flag("json") {
        say(&format!("{}\n", as_json(&report)));
    } else {
        say(&as_text(&report));
    }
    match report.damage.len() {
        0 => Ok(()),
        1 => Err(format!("1 place in {} is damaged", dir.display()).into()),
        places => Err(format!("{places} places in {} are damaged", dir.display()).into()),
    }
}

/// Checks the store in `dir` behind a bar.
pub fn examine(dir: &Path) -> Result<Report, Box<dyn std::error::Error>> {
    let bar = progress::bytes("check", 0);
    let report = check::check(dir, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    Ok(report?)
}

/// One line for each damaged place.
pub fn damage_lines(report: &Report) -> impl Iterator<Item = String> {
    report.damage.iter().map(|one| {
        let path = one.path.display();
        format!("damaged: {path} at byte {}: {}", one.offset, one.what)
    })
}

/// One line for each damaged place and note, then what was looked at.
pub fn as_text(report: &Report) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    // Writing to a String cannot fail.
    for line in damage_lines(report) {
        let _ = writeln!(out, "{line}");
    }
    for note in &report.notes {
        let _ = writeln!(out, "note: {note}");
    }
    let verdict = if report.damage.is_empty() {
        "sound"
    } else {
        "damaged"
    };
    let _ = writeln!(
        out,
        "{verdict}: {} tables ({}) with {} samples in {} chunks, {} rollup windows and {} series; \
         {} log segments ({}) with {} records",
        report.tables,
        show_size(report.table_bytes),
        report.samples,
        report.chunks,
        report.windows,
        report.series,
        report.segments,
        show_size(report.log_bytes),
        report.records
    );
    out
}

fn as_json(report: &Report) -> serde_json::Value {
    let damage = report.damage.iter().map(|one| {
        json!({"file": one.path.display().to_string(), "offset": one.offset, "what": one.what})
    });
    json!({
        "sound": report.damage.is_empty(),
        "damage": damage.collect::<Vec<_>>(),
        "notes": report.notes,
        "tables": report.tables,
        "table_bytes": report.table_bytes,
        "series": report.series,
        "chunks": report.chunks,
        "samples": report.samples,
        "windows": report.windows,
        "segments": report.segments,
        "log_bytes": report.log_bytes,
        "records": report.records,
    })
}
