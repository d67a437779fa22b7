//! Check: every checksum of a store, and whether its parts agree, without opening it.
//!
//!   manifest ─▶ tables, block by block ─▶ definitions, chunks, rows, each decoded
//!   log ─▶ segments, frame by frame ─▶ records, each decoded
//!
//! I-CHECK-1  A flipped bit anywhere in a file that counts is found, and named with file and offset.
//! I-CHECK-2  Damage in one place hides none in another: what comes after it is looked at as well.
//! I-CHECK-3  A sound store has none, also while a server writes to it.
//! Proved by: check/tests.rs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::directory::Directory;
use crate::error::StoreError;
use crate::files::{self, Files};

mod entries;
mod log;
mod tables;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Tables that the manifest names.
    pub tables: u64,
    /// Their bytes.
    pub table_bytes: u64,
    /// Series defined in them.
    pub series: u64,
    /// Chunks of samples in them.
    pub chunks: u64,
    /// Samples in those.
    pub samples: u64,
    /// Windows of rollups in them.
    pub windows: u64,
    /// Segments of the log.
    pub segments: u64,
    /// Their bytes.
    pub log_bytes: u64,
    /// Whole records in them.
    pub records: u64,
    /// What is damaged.
    pub damage: Vec<Damage>,
    /// What is no damage but good to know, one sentence each.
    pub notes: Vec<String>,
}

/// One damaged place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// Where in it.
    pub offset: u64,
    /// What does not hold.
    pub what: String,
}

/// Called with the bytes that are done, and those that there are.
pub type Progress<'a> = dyn FnMut(u64, u64) + 'a;

/// Checks the store in `dir`.
///
/// # Errors
/// There is no store, neither copy of its manifest holds, or it is of another format.
pub fn check(dir: &Path, progress: &mut Progress<'_>) -> Result<Report, StoreError> {
    examine(&Directory::open(dir)?, progress)
}

/// Checks a store in `dir` of `files`, such as one inside an archive.
///
/// # Errors
/// As [`check`].
pub fn check_files(
    files: Arc<dyn Files>,
    dir: &Path,
    progress: &mut Progress<'_>,
) -> Result<Report, StoreError> {
    examine(&Directory::of(files, dir)?, progress)
}

fn examine(directory: &Directory, progress: &mut Progress<'_>) -> Result<Report, StoreError> {
    let mut report = Report::default();
    manifest(directory, &mut report);
    if directory.is_in_use {
        let note = "a server has this store open: what its manifest names now is checked, and the \
                    log as far as it is written";
        report.notes.push(note.to_owned());
    }
    let segments = directory.segments()?;
    let of_log: u64 = segments.iter().map(|(_, _, bytes)| bytes).sum();
    let tables = &directory.manifest.tables;
    let total = of_log + tables.iter().map(|line| line.bytes).sum::<u64>();
    let mut done = 0;
    for line in tables {
        tables::check(directory, line, &mut report, &mut |bytes| {
            progress(done + bytes, total);
        });
        done += line.bytes;
        progress(done, total);
    }
    let newest = segments.last().map(|(number, _, _)| *number);
    for (number, path, bytes) in &segments {
        let is_newest = newest == Some(*number);
        log::check(directory, *number, path, is_newest, &mut report)?;
        done += bytes;
        progress(done, total);
    }
    leftovers(directory, &mut report);
    Ok(report)
}

/// Both copies, byte for byte: that a copy can be believed does not say that no bit of it flipped.
fn manifest(directory: &Directory, report: &mut Report) {
    let path = directory.dir.join("MANIFEST");
    if directory.manifest_damage.is_some() {
        return report.damage(&path, 0, "one of its two copies is damaged");
    }
    let expected = directory.manifest.to_text().into_bytes();
    match files::read_all(directory.files.as_ref(), &path) {
        // A server may have replaced it meanwhile.
        Ok(_) if directory.is_in_use => {}
        Ok(found) => {
            let pairs = found.iter().zip(&expected);
            let same = pairs.take_while(|(found, expected)| found == expected);
            let at = same.count();
            if found != expected {
                report.damage(&path, at as u64, "a byte is not what was written");
            }
        }
        Err(error) => report.error(&path, StoreError::io("read", &path, error)),
    }
}

/// What the next start removes, and what an earlier one has set aside.
fn leftovers(directory: &Directory, report: &mut Report) {
    let list = |name: &str| directory.files.list(&directory.dir.join(name));
    let named = |path: &PathBuf| {
        let lines = directory.manifest.tables.iter();
        lines
            .map(|line| directory.table_path(line.number))
            .any(|table| table == *path)
    };
    let orphans = list("tables").unwrap_or_default();
    let orphans = orphans.iter().filter(|path| !named(path)).count();
    if orphans > 0 && !directory.is_in_use {
        let (files, them) = match orphans {
            1 => ("1 file in tables/ is".to_owned(), "it"),
            _ => (format!("{orphans} files in tables/ are"), "them"),
        };
        report.notes.push(format!(
            "{files} not named by the manifest; the next start removes {them}"
        ));
    }
    let aside = list("quarantine").unwrap_or_default().len();
    if aside > 0 {
        let segments = match aside {
            1 => "1 damaged segment of the log was".to_owned(),
            _ => format!("{aside} damaged segments of the log were"),
        };
        report.notes.push(format!(
            "{segments} set aside in quarantine/ by an earlier start"
        ));
    }
}

impl Report {
    fn damage(&mut self, path: &Path, offset: u64, what: impl Into<String>) {
        self.damage.push(Damage {
            path: path.to_path_buf(),
            offset,
            what: what.into(),
        });
    }

    fn error(&mut self, path: &Path, error: StoreError) {
        match error {
            StoreError::Corrupt { path, offset, what } => self.damage(&path, offset, what),
            StoreError::Io { source, .. } => {
                self.damage(path, 0, format!("it cannot be read: {source}"));
            }
            other => self.damage(path, 0, other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
