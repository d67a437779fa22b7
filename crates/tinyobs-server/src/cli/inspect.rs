//! Inspect: `tinyobs inspect`, what lies in the files of a store, for readers of its code.
//!
//! Each view is a list of rows, shown as a table for people or as JSON.

use std::error::Error;

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};
use tinyobs_model::{Matcher, Resolution};
use tinyobs_store::inspect::Inspector;
use tinyobs_wire::selector;

use super::check::json_argument;
use super::{Outcome, arguments_of_client, say};
use crate::config::Resolved;

mod views;

/// The subcommand.
pub fn command() -> Command {
    let view = |name: &'static str, about: &'static str| Command::new(name).about(about);
    let of_series = |name, about| {
        view(name, about).arg(
            Arg::new("selector")
                .value_name("SELECTOR")
                .required(true)
                .help("Which series, such as 'http_requests_total{status=\"500\"}'"),
        )
    };
    Command::new("inspect")
        .about("Show what lies in the files of a store")
        .after_help(
            "Examples:\n  tinyobs inspect\n  tinyobs inspect wal\n  tinyobs inspect tables --json\n  \
             tinyobs inspect series 'http_requests_total{service=\"shop\"}'\n  \
             tinyobs inspect rollups room_temperature_celsius\n\n\
             Nothing is written, and a server may have the store open meanwhile.",
        )
        // Before the view or behind it.
        .args(arguments_of_client(&["data-dir"]).map(|arg| arg.global(true)))
        .arg(json_argument().global(true))
        .subcommand(view("summary", "How much there is of what (without a view, too)"))
        .subcommand(view("wal", "The records of the write-ahead log, with offsets and sizes"))
        .subcommand(view("tables", "The tables of each partition, with sizes"))
        .subcommand(of_series(
            "series",
            "The chunks of the series that a selector names, with times, sizes and encodings",
        ))
        .subcommand(of_series("rollups", "Their windows of 5 minutes and of 1 hour"))
}

/// Runs it.
pub fn run(matches: &ArgMatches, resolved: &Resolved) -> Outcome {
    let inspector = Inspector::open(&resolved.config.data_dir_absolute())?;
    let (view, matches) = matches.subcommand().unwrap_or(("summary", matches));
    let rows = match view {
        "wal" => views::wal(&inspector)?,
        "tables" => views::tables(&inspector),
        "series" => views::series(&inspector, &selected(matches)?)?,
        "rollups" => views::rollups(&inspector, &selected(matches)?)?,
        _ => views::summary(&inspector)?,
    };
    if matches.get_flag("json") {
        let rows: Vec<Value> = rows.iter().map(Row::to_json).collect();
        say(&format!("{}\n", json!(rows)));
    } else if rows.is_empty() {
        say("nothing\n");
    } else {
        say(&table(&rows));
    }
    Ok(())
}

fn selected(matches: &ArgMatches) -> Result<Vec<Matcher>, Box<dyn Error>> {
    let text = matches.get_one::<String>("selector").ok_or("no selector")?;
    let conditions = selector::parse(text)?;
    let matchers = conditions.into_iter().map(|one| one.compile(text));
    Ok(matchers.collect::<Result<_, _>>()?)
}

/// The resolutions that have rollups.
const ROLLED: [Resolution; 2] = [Resolution::FiveMinutes, Resolution::Hour];

/// Columns and what stands in them.
struct Row(Vec<(&'static str, Value)>);

impl Row {
    fn to_json(&self) -> Value {
        let pairs = self.0.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// Rows under their headings; a heading of its own wherever the columns change.
fn table(rows: &[Row]) -> String {
    let mut out = String::new();
    let headings = |row: &Row| row.0.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let names = headings(first);
        let end = rest.iter().position(|row| headings(row) != names);
        let (part, tail) = rest.split_at(end.unwrap_or(rest.len()));
        if !out.is_empty() {
            out.push('\n');
        }
        put_part(&mut out, &names, part);
        rest = tail;
    }
    out
}

fn put_part(out: &mut String, names: &[&str], rows: &[Row]) {
    let cell = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let mut lines = vec![names.iter().map(|name| (*name).to_owned()).collect()];
    for row in rows {
        lines.push(
            row.0
                .iter()
                .map(|(_, value)| cell(value))
                .collect::<Vec<String>>(),
        );
    }
    let is_number = |column: usize| rows.iter().all(|row| !row.0[column].1.is_string());
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let columns: Vec<(usize, bool)> = (0..names.len())
        .map(|column| (width(column), is_number(column)))
        .collect();
    for line in &lines {
        let cells: Vec<String> = line
            .iter()
            .zip(&columns)
            .map(|(text, (width, right))| {
                if *right {
                    format!("{text:>width$}")
                } else {
                    format!("{text:<width$}")
                }
            })
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests;
