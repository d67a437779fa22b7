//! Backup: `tinyobs backup`, everything stored as one tar file, of a running server or a stopped one.
//!
//! I-BACKUP-4  Under the name that was asked for stands a whole backup or nothing.
//! I-BACKUP-5  What was pushed as to a Pushgateway is in it: restored, it is sampled on.
//! I-BACKUP-6  Damage in the store is named when it is copied, not when the copy is needed.
//! Proved by: tests/it/backup.rs, tests/it/damaged.rs.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Arg, ArgMatches, Command};
use tinyobs_store::check::{Damage, Report};

use super::target::{self, Limits, Target};
use super::{Incomplete, Outcome, arguments_of_client, check, counted, progress, say};
use crate::archive::{self, TarFiles};
use crate::config::Resolved;
use crate::config::units::show_size;
use crate::groups::Groups;
use crate::groups::file::{self, FileError};

/// The subcommand.
pub fn command() -> Command {
    Command::new("backup")
        .about("Copy everything stored to one file, also while the server runs")
        .after_help(
            "Examples:\n  tinyobs backup tinyobs.tar\n  \
             tinyobs backup tinyobs.tar --url http://127.0.0.1:8080\n  \
             tinyobs backup tinyobs.tar --data-dir ./tinyobs-data\n\n\
             The file holds what was acknowledged when it was begun. `tinyobs restore` makes a data \
             directory of it; `tar tvf` shows what is in it.\n\n\
             Every checksum in the file is verified. When something in the store is damaged, the \
             file is kept, what is damaged in it is named, and the exit code is 3; `tinyobs restore \
             --keep-damaged` takes such a file. 0: all is sound. 1: there is no backup.",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE.tar")
                .required(true)
                .value_parser(clap::value_parser!(PathBuf))
                .help("The file to write; it must not be there yet"),
        )
        .args(arguments_of_client(&["data-dir", "listen"]))
        .arg(target::url_argument())
}

/// Runs it.
pub fn run(matches: &ArgMatches, resolved: &Resolved) -> Outcome {
    let path = matches.get_one::<PathBuf>("file").ok_or("no file")?;
    if path.exists() {
        return Err(format!("{} is there already: choose another name", path.display()).into());
    }
    let draft = path.with_added_extension("part");
    let written = write(matches, resolved, &draft);
    let (bytes, groups) = written.inspect_err(|_| {
        // Half a backup helps nobody.
        let _ = fs::remove_file(&draft);
    })?;
    let report = verify(&draft).inspect_err(|_| {
        let _ = fs::remove_file(&draft);
    })?;
    fs::rename(&draft, path)?;
    sync_parent(path)?;
    say(&format!("{} in {}\n", show_size(bytes), path.display()));
    complete(path, report, groups)
}

/// I-BACKUP-6
fn complete(path: &Path, mut report: Report, groups: Option<Damage>) -> Outcome {
    let places = report.damage.len();
    let has_groups = groups.is_none();
    report.damage.extend(groups);
    for line in check::damage_lines(&report) {
        eprintln!("{line}");
    }
    let without = "the pushed groups are not in it, since their file is damaged";
    let lack = match (places, has_groups) {
        (0, true) => return Ok(()),
        (0, false) => without.to_owned(),
        (_, has_groups) => format!(
            "{} in it {} damaged, as in the store; `tinyobs restore --keep-damaged` restores what \
             is sound{}",
            counted(places, "place", "places"),
            if places == 1 { "is" } else { "are" },
            if has_groups {
                String::new()
            } else {
                format!("; {without}")
            },
        ),
    };
    let message = format!("{} was written, but {lack}", path.display());
    Err(Box::new(Incomplete(message)))
}

/// Every checksum of a backup, as a restore would look at them.
fn verify(draft: &Path) -> Result<Report, Box<dyn Error>> {
    let fail = |error: io::Error| format!("cannot read {}: {error}", draft.display());
    let files = Arc::new(TarFiles::open(draft).map_err(fail)?);
    let bar = progress::bytes("check", 0);
    let report = tinyobs_store::check::check_files(files, Path::new(""), &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    Ok(report?)
}

/// How many bytes were written, and what is wrong with the groups when they are not among them.
fn write(
    matches: &ArgMatches,
    resolved: &Resolved,
    draft: &Path,
) -> Result<(u64, Option<Damage>), Box<dyn Error>> {
    let target = Target::find(matches, resolved, Limits::NONE)?;
    let fail = |error: io::Error| format!("cannot write {}: {error}", draft.display());
    let file = File::create(draft).map_err(fail)?;
    let bar = progress::bytes("backup", 0);
    let mut out = BufWriter::with_capacity(256 << 10, bar.wrap_write(&file));
    let mut damage = None;
    match target {
        Target::Server(server) => {
            let (len, mut body) = server.download("/v1/admin/backup")?;
            bar.set_length(len);
            let copied = io::copy(&mut body, &mut out).map_err(|error| {
                format!("the backup broke off: {error}; see the server's log, and try again")
            })?;
            if copied != len {
                return Err(format!("the backup broke off after {copied} of {len} bytes").into());
            }
        }
        Target::Store(store) => {
            let groups;
            (groups, damage) = groups_in(&resolved.config.data_dir_absolute())?;
            let content = archive::Content::new(store.backup()?, groups);
            bar.set_length(archive::size(&content)?);
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
            archive::write(&content, &mut out, now.as_secs()).map_err(fail)?;
            drop(content);
            store.close()?;
        }
    }
    out.flush().map_err(fail)?;
    drop(out);
    file.sync_all().map_err(fail)?;
    bar.finish_and_clear();
    Ok((file.metadata().map_err(fail)?.len(), damage))
}

/// The groups as text, or why there are none. Whoever copies sets nothing aside: the server does,
/// and says so.
fn groups_in(dir: &Path) -> Result<(Option<String>, Option<Damage>), FileError> {
    let path = dir.join(file::NAME);
    match file::damage(&path) {
        None => Ok((Groups::open(dir)?.text(), None)),
        Some(what) => Ok((
            None,
            Some(Damage {
                path,
                offset: 0,
                what,
            }),
        )),
    }
}

/// Makes a new name durable.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => File::open(dir)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}
