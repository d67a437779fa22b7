//! Export: `tinyobs export`, stored series as text, of a running server or a stopped one.
//!
//! I-EXPORT-4  Under the name that was asked for stands a whole export or nothing; or, of a damaged
//!             store, all that can be read, with a last line that names the rest. What came before
//!             the connection broke stays beside it, as `.part`.
//! Proved by: tests/it/transfer.rs, tests/it/damaged.rs.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::backup::sync_parent;
use super::target::{self, Limits, Target};
use super::{Incomplete, Outcome, arguments_of_client, http, progress};
use crate::config::Resolved;
use crate::config::units::show_size;
use crate::export::{Export, Format, Unread};
use crate::gate::Cancel;
use crate::params::Params;

/// The server, or the way to it, went away in the middle.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off: {0}; see the server's log, and try again")]
struct BrokenOff(io::Error);

/// The subcommand.
pub fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("export")
        .about("Write stored series as JSON lines, CSV or OpenMetrics")
        .after_help(
            "Examples:\n  tinyobs export -o everything.jsonl\n  \
             tinyobs export --match '{service=\"shop\"}' --start 2026-11-01T00:00:00Z -o shop.jsonl\n  \
             tinyobs export --format csv --match http_requests_total > requests.csv\n\n\
             `tinyobs import` reads the JSON back, bit for bit, and the CSV. A store that no server has open is \
             read from its directory.\n\n\
             Series that are damaged in the store are written as far as they can be read, and the \
             others after them; the last line then names them, and the exit code is 3. So it is with \
             series that OpenMetrics has no name for that is not another's, which are left out. When the \
             server goes away in the middle, what came before is kept as FILE.part.",
        )
        .arg(
            option("format", "FORMAT", "What to write")
                .value_parser(["json", "csv", "openmetrics"])
                .default_value("json"),
        )
        .arg(
            option("match", "SELECTOR", "Only these series; may be given several times")
                .action(ArgAction::Append),
        )
        .arg(option("start", "TIME", "Not before: RFC 3339 (UTC where it has no zone) or Unix time"))
        .arg(option("end", "TIME", "Not after"))
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("The file to write, which must not be there yet; standard output otherwise"),
        )
        .args(arguments_of_client(&["data-dir", "listen"]))
        .arg(target::url_argument())
}

/// Runs it.
pub fn run(matches: &ArgMatches, resolved: &Resolved) -> Outcome {
    let Some(path) = matches.get_one::<PathBuf>("output") else {
        let mut out = io::stdout().lock();
        return match write(matches, resolved, &mut out) {
            // Whoever closed the other end has seen enough.
            Err(error) if is_broken_pipe(&*error) => Ok(()),
            other => other,
        };
    };
    if path.exists() {
        return Err(format!("{} is there already: choose another name", path.display()).into());
    }
    let draft = path.with_added_extension("part");
    let written = write_file(matches, resolved, &draft);
    if let Err(error) = &written
        && !error.is::<Incomplete>()
    {
        let bytes = fs::metadata(&draft).map_or(0, |file| file.len());
        if error.is::<BrokenOff>() && bytes > 0 {
            let (size, draft) = (show_size(bytes), draft.display());
            return Err(format!("{error}; what came before, {size}, is in {draft}").into());
        }
        // Half an export would be taken for a whole one.
        let _ = fs::remove_file(&draft);
        return written;
    }
    fs::rename(&draft, path)?;
    sync_parent(path)?;
    written
}

fn write_file(matches: &ArgMatches, resolved: &Resolved, draft: &Path) -> Outcome {
    let fail = |error: io::Error| format!("cannot write {}: {error}", draft.display());
    let file = File::create(draft).map_err(fail)?;
    let written = write(matches, resolved, &mut &file);
    file.sync_all().map_err(fail)?;
    written
}

fn write(matches: &ArgMatches, resolved: &Resolved, out: &mut dyn Write) -> Outcome {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let format = text("format").unwrap_or("json");
    let mut pairs = vec![("format", format)];
    let selectors = matches.get_many::<String>("match").into_iter().flatten();
    pairs.extend(selectors.map(|selector| ("match[]", selector.as_str())));
    for name in ["start", "end"] {
        pairs.extend(text(name).map(|time| (name, time)));
    }
    let path = http::with_query("/v1/export", &pairs);
    let bar = progress::flow("export");
    let mut out = BufWriter::with_capacity(256 << 10, bar.wrap_write(out));
    match Target::find(matches, resolved, Limits::NONE)? {
        Target::Server(server) => {
            let (_, body) = server.download(&path)?;
            let mut body = Tail::new(body);
            let copied = io::copy(&mut body, &mut out);
            out.flush()?;
            copied.map_err(|error| broken_off(error, &body))?;
        }
        Target::Store(store) => {
            let (_, query) = path.split_once('?').unwrap_or_default();
            let known = ["format", "match[]", "start", "end"];
            let params = Params::parse(Some(query), &known);
            let params = params.map_err(|error| error.message().to_owned())?;
            let range = params.range_or_all();
            let export = range.and_then(|range| {
                Export::new(&store, &params.selection(&Cancel::default())?, range)
            });
            let export = export.map_err(|error| error.message().to_owned())?;
            let written = export.write(Format::named(format).ok_or("no format")?, &mut out);
            store.close()?;
            written.map_err(incomplete)?;
        }
    }
    out.flush()?;
    bar.finish_and_clear();
    Ok(())
}

fn broken_off<R>(error: io::Error, body: &Tail<R>) -> Box<dyn Error> {
    if !body.broke {
        return error.into();
    }
    if let Some(sentence) = Unread::sentence_in(&body.end) {
        return Box::new(Incomplete(sentence));
    }
    Box::new(BrokenOff(error))
}

/// Of a store that is read here.
fn incomplete(error: io::Error) -> Box<dyn Error> {
    match error.downcast::<Unread>() {
        Ok(unread) => Box::new(Incomplete(unread.to_string())),
        Err(other) => other.into(),
    }
}

/// A reader that remembers the end of what it has read.
struct Tail<R> {
    inner: R,
    end: Vec<u8>,
    /// Whether it was the reading that failed.
    broke: bool,
}

impl<R> Tail<R> {
    /// More than the last line of a broken-off export has.
    const BYTES: usize = 64 << 10;

    fn new(inner: R) -> Self {
        Self {
            inner,
            end: Vec::new(),
            broke: false,
        }
    }
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out);
        let len = read.inspect_err(|_| self.broke = true)?;
        let new = &out[..len];
        self.end
            .extend_from_slice(&new[len.saturating_sub(Self::BYTES)..]);
        let over = self.end.len().saturating_sub(Self::BYTES);
        self.end.drain(..over);
        Ok(len)
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
