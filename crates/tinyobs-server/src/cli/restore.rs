//! Restore: `tinyobs restore`, a backup becomes a data directory.
//!
//!   FILE.tar ─▶ DIR.restoring ─▶ every checksum ─▶ renamed to DIR
//!
//! I-RESTORE-1  The directory that was asked for is a whole store with sound checksums, or is as it
//!              was before; with `--keep-damaged` it may be damaged where the answer says so.
//! Proved by: tests/it/backup.rs.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};
use tinyobs_store::check::Damage;

use super::backup::sync_parent;
use super::{Outcome, arguments_of, check, counted, progress, say};
use crate::archive;
use crate::config::Resolved;
use crate::groups::file;

/// The subcommand.
pub fn command() -> Command {
    Command::new("restore")
        .about("Make a data directory of a backup")
        .after_help(
            "Examples:\n  tinyobs restore tinyobs.tar --data-dir ./restored\n  \
             tinyobs serve --data-dir ./restored\n\n\
             The directory must be empty or not there yet. Every checksum is verified before the \
             directory gets its name. A backup with damage in it is refused: with --keep-damaged \
             it becomes a store all the same, and everything outside the damaged units answers.",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE.tar")
                .required(true)
                .value_parser(clap::value_parser!(PathBuf))
                .help("A file that `tinyobs backup` wrote"),
        )
        .arg(
            Arg::new("keep-damaged")
                .long("keep-damaged")
                .action(ArgAction::SetTrue)
                .help("Restore what is sound of a damaged backup, and say what is not"),
        )
        .args(arguments_of(&["data-dir"]))
}

/// Runs it.
pub fn run(matches: &ArgMatches, resolved: &Resolved) -> Outcome {
    let path = matches.get_one::<PathBuf>("file").ok_or("no file")?;
    let dir = resolved.config.data_dir_absolute();
    require_empty(&dir)?;
    let draft = dir.with_added_extension("restoring");
    if draft.exists() {
        return Err(format!(
            "{} is there, from a restore that was broken off: remove it",
            draft.display()
        )
        .into());
    }
    let keep_damaged = matches.get_flag("keep-damaged");
    let restored = restore(path, &draft, &dir, keep_damaged).and_then(|text| {
        // Over an empty directory of that name, too.
        fs::rename(&draft, &dir)?;
        sync_parent(&dir)?;
        Ok(text)
    });
    let text = restored.inspect_err(|_| {
        let _ = fs::remove_dir_all(&draft);
    })?;
    say(&format!("{text}restored to {}\n", dir.display()));
    Ok(())
}

/// Unpacks into `draft`, which will be `dir`, and checks what came out.
fn restore(
    path: &Path,
    draft: &Path,
    dir: &Path,
    keep_damaged: bool,
) -> Result<String, Box<dyn Error>> {
    let cannot = |error: io::Error| format!("cannot read {}: {error}", path.display());
    let file = File::open(path).map_err(cannot)?;
    let bar = progress::bytes("restore", file.metadata().map_err(cannot)?.len());
    fs::create_dir_all(draft)
        .map_err(|error| format!("cannot create {}: {error}", draft.display()))?;
    let unpacked = archive::unpack(BufReader::new(bar.wrap_read(file)), draft);
    bar.finish_and_clear();
    unpacked.map_err(|error| format!("{}: {error}", path.display()))?;
    let mut report = check::examine(draft)?;
    let groups = draft.join(file::NAME);
    if let Some(what) = file::damage(&groups) {
        // Kept, it is set aside by the next start, which goes on without groups.
        report.damage.push(Damage {
            path: groups,
            offset: 0,
            what,
        });
    }
    for one in &mut report.damage {
        if let Ok(inside) = one.path.strip_prefix(draft) {
            // What is not restored has no place in the directory: it is named as in the archive.
            one.path = if keep_damaged {
                dir.join(inside)
            } else {
                inside.to_path_buf()
            };
        }
    }
    if report.damage.is_empty() || keep_damaged {
        return Ok(check::as_text(&report));
    }
    say(&check::as_text(&report));
    let places = counted(report.damage.len(), "place", "places");
    let are = if report.damage.len() == 1 {
        "is"
    } else {
        "are"
    };
    Err(format!(
        "{}: {places} in the backup {are} damaged, nothing was restored; \
         --keep-damaged restores what is sound",
        path.display()
    )
    .into())
}

fn require_empty(dir: &Path) -> Outcome {
    let has_entries = fs::read_dir(dir).map(|mut entries| entries.next().is_some());
    match has_entries {
        Ok(true) => Err(format!(
            "{} is not empty: choose another directory with --data-dir, or move this one away",
            dir.display()
        )
        .into()),
        Ok(false) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("cannot read {}: {error}", dir.display()).into()),
    }
}
