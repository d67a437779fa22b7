//! Import: `tinyobs import`, files of samples into a running server or a stopped one's store.
//!
//! I-IMPORT-5  When anything was not stored the exit code says so, and the lines are named.
//! Proved by: tests/it/transfer.rs.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command};
use serde_json::Value;
use tinyobs_store::{Store, StoreError};
use tinyobs_wire::decompress::{Encoding, unpack_stream};

use super::http::Remote;
use super::target::{self, Limits, Target};
use super::{Outcome, arguments_of_client, progress, say};
use crate::config::Resolved;
use crate::import::batches::Batches;
use crate::import::reader;

/// The subcommand.
pub fn command() -> Command {
    Command::new("import")
        .about("Store what `tinyobs export` or VictoriaMetrics wrote")
        .after_help(
            "Examples:\n  tinyobs import everything.jsonl\n  \
             tinyobs import january.jsonl.gz february.jsonl.zst --url http://127.0.0.1:8080\n  \
             curl -sd 'match[]={job=\"x\"}' http://vm:8428/api/v1/export | tinyobs import -\n\n\
             A file holds JSON lines, ours or VictoriaMetrics', a table as `tinyobs export --format \
             csv` writes it, or an export of the Go original; which it is, it says itself. Good lines \
             are kept, bad ones are named.",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .num_args(1..)
                .value_parser(clap::value_parser!(PathBuf))
                .help("Files to read, packed (.gz, .zst) or not; - is standard input"),
        )
        .args(arguments_of_client(&["data-dir", "listen"]))
        .arg(target::url_argument())
}

/// Runs it.
pub fn run(matches: &ArgMatches, resolved: &Resolved) -> Outcome {
    let paths = || matches.get_many::<PathBuf>("file").into_iter().flatten();
    // Before anything is stored, and before a server is blamed.
    for path in paths().filter(|path| path.as_os_str() != "-") {
        let file = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
        if file.is_dir() {
            let path = path.display();
            return Err(format!("{path} is a directory: name the files in it").into());
        }
    }
    let target = Target::find(matches, resolved, Limits::NONE)?;
    let mut refused = 0;
    for path in paths() {
        let done = one(&target, path).map_err(|error| format!("{}: {error}", path.display()))?;
        say(&format!(
            "{}: {} samples stored of {} lines\n",
            path.display(),
            done.stored,
            done.lines
        ));
        for error in &done.errors {
            eprintln!("{}: {error}", path.display());
        }
        refused += done.refused;
    }
    if let Target::Store(store) = target {
        store.close()?;
    }
    match refused {
        0 => Ok(()),
        1 => Err("1 line was not stored whole".into()),
        more => Err(format!("{more} lines were not stored whole").into()),
    }
}

/// What became of a file.
struct Done {
    stored: u64,
    lines: u64,
    refused: u64,
    errors: Vec<String>,
}

fn one(target: &Target, path: &Path) -> Result<Done, Box<dyn std::error::Error>> {
    let (len, file): (u64, Box<dyn Read + Send>) = if path.as_os_str() == "-" {
        (0, Box::new(io::stdin()))
    } else {
        let file = File::open(path)?;
        (file.metadata()?.len(), Box::new(file))
    };
    let bar = match len {
        0 => progress::flow("import"),
        len => progress::bytes("import", len),
    };
    let encoding = match path.extension().and_then(OsStr::to_str) {
        Some("gz") => Encoding::Gzip,
        Some("zst") => Encoding::Zstd,
        _ => Encoding::Identity,
    };
    let mut body = bar.wrap_read(file);
    let done = match target {
        Target::Server(server) => send(server, encoding, &mut body),
        Target::Store(store) => store_here(store, encoding, body),
    };
    bar.finish_and_clear();
    done
}

fn send(
    server: &Remote,
    encoding: Encoding,
    body: &mut dyn Read,
) -> Result<Done, Box<dyn std::error::Error>> {
    let (status, json) = server.upload("/v1/import", encoding.as_str(), body)?;
    if status != 200 {
        return Err(server.refused(status, &json).into());
    }
    let number = |key: &str| json[key].as_u64().unwrap_or(0);
    let errors = json["errors"].as_array().into_iter().flatten();
    Ok(Done {
        stored: number("metrics_imported"),
        lines: number("lines"),
        refused: number("refused"),
        errors: errors
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    })
}

fn store_here(
    store: &Store,
    encoding: Encoding,
    body: impl Read + Send,
) -> Result<Done, Box<dyn std::error::Error>> {
    let body = unpack_stream(encoding, body)?.ok_or("it is packed in a way that cannot be read")?;
    let mut append = |batch: &_| Ok::<_, StoreError>(store.append(batch)?.into());
    let mut batches = Batches::new(&mut append);
    let read = reader::read(body, encoding == Encoding::Identity, &mut batches);
    let (report, failed) = batches.finish();
    if let Some(error) = failed {
        return Err(error.into());
    }
    read.map_err(|error| reader::sentence(&error, report.stored))?;
    Ok(Done {
        stored: report.stored,
        lines: report.lines,
        refused: report.refused,
        errors: report.errors(),
    })
}
