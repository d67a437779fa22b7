//! Log: the segments of the write-ahead log, frame by frame.

use std::path::Path;

use super::Report;
use crate::directory::Directory;
use crate::error::StoreError;
use crate::wal::record;
use crate::wal::segment::{self, Header};

/// Checks one segment.
pub fn check(
    directory: &Directory,
    number: u64,
    path: &Path,
    is_newest: bool,
    report: &mut Report,
) -> Result<(), StoreError> {
    let bytes = match directory.segment(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(()),
        Err(error) => {
            report.error(path, error);
            return Ok(());
        }
    };
    if number < directory.manifest.counters.first_segment {
        // Its content stands in tables; only its removal was not reached.
        return Ok(());
    }
    report.segments += 1;
    report.log_bytes += bytes.len() as u64;
    match segment::read_header(&bytes) {
        Header::Known(_) => {}
        Header::Torn if is_newest => return Ok(()),
        // Not damage: what it holds is whole to whoever wrote it.
        Header::Newer(found) => {
            return Err(StoreError::NewerFormat {
                path: path.to_path_buf(),
                found,
                known: segment::VERSION,
            });
        }
        Header::Torn | Header::Foreign => report.damage(path, 0, "the header is damaged"),
    }
    let mut unknown = Vec::new();
    let holes = segment::scan(&bytes, |offset, payload| match record::decode(payload) {
        Some(_) => report.records += 1,
        None => unknown.push(offset),
    });
    for offset in unknown {
        report.damage(path, offset, "a whole record of unknown kind");
    }
    for hole in holes {
        if is_newest && hole.torn {
            // I-WAL-2: nobody was told that it was stored.
            if !directory.is_in_use {
                report.notes.push(format!(
                    "{}: the last {} bytes are a record that was being written when the process \
                     ended; the next start cuts them",
                    path.display(),
                    hole.len
                ));
            }
        } else {
            let what = format!("{} bytes hold no whole record", hole.len);
            report.damage(path, hole.offset, what);
        }
    }
    Ok(())
}
