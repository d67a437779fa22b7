//! Unread: which series are not whole in an export, or not there.
//!
//!   a cursor's error │ a name that is taken ─▶ [Unread] ─▶ last line, log, exit code of `tinyobs export`
//!
//! I-UNREAD-1  However much is damaged, so many series are named, here and in the log, and the others
//!             are a number.
//! Proved by: unread/tests.rs, tests/it/damaged.rs.

use std::io::{self, Write};

use serde_json::json;
use tinyobs_model::{Labels, SelectError};

/// Series that are named. The others are counted.
const NAMED_MAX: usize = 20;
/// Bytes of their names together.
const NAMED_BYTES_MAX: usize = 8 << 10;
/// What the last line of a text format begins with.
const COMMENT: &str = "# error: ";

/// The series that could not be read to their end (I-EXPORT-5), and those that are left out because
/// the format has no name for them (I-EXPORT-6).
#[derive(Debug, Default, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct Unread {
    broken: Named,
    /// What was wrong with the first.
    why: String,
    left_out: Named,
}

/// Some series by name, the others by number.
#[derive(Debug, Default)]
struct Named {
    count: u64,
    names: Vec<String>,
    bytes: usize,
}

impl Unread {
    /// Notes one that cannot be read.
    pub fn note(&mut self, labels: &Labels, error: &SelectError) {
        let name = labels.to_string();
        if self.broken.count == 0 {
            self.why = error.to_string();
        }
        if self.broken.add(&name) {
            // A damaged disk has millions of them.
            tracing::error!(series = name, %error, "a series cannot be exported whole");
        }
    }

    /// Notes one whose name another has.
    pub fn leave_out(&mut self, labels: &Labels) {
        self.left_out.add(&labels.to_string());
    }

    /// Ends an export: an error when there were any, behind a last line that says so.
    pub fn finish(self, is_json: bool, out: &mut dyn Write) -> io::Result<()> {
        if self.broken.count + self.left_out.count == 0 {
            return Ok(());
        }
        let more = self.broken.more();
        if more > 0 {
            tracing::error!(more, "further series cannot be exported whole");
        }
        let sentence = self.sentence();
        if is_json {
            writeln!(out, "{}", json!({ "error": sentence }))?;
        } else {
            writeln!(out, "{COMMENT}{}", sentence.replace('\n', " "))?;
        }
        // It must arrive, although the answer is broken off behind it.
        out.flush()?;
        Err(io::Error::other(self))
    }

    /// The sentence in the last line of an export, if it ends with one.
    pub fn sentence_in(end: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(end);
        let line = text.strip_suffix('\n')?.rsplit('\n').next()?;
        if let Some(sentence) = line.strip_prefix(COMMENT) {
            return Some(sentence.to_owned());
        }
        let json: serde_json::Value = serde_json::from_str(line).ok()?;
        json["error"].as_str().map(str::to_owned)
    }

    fn sentence(&self) -> String {
        let mut parts = Vec::new();
        if self.broken.count > 0 {
            parts.push(format!(
                "{} series could not be read to their end, everything else is there: {}; the first \
                 because {}",
                self.broken.count,
                self.broken.list(),
                self.why
            ));
        }
        if self.left_out.count > 0 {
            parts.push(format!(
                "{} series are left out, because OpenMetrics has no name for them that is not \
                 another's: {}; export them by themselves with match[], or all as JSON",
                self.left_out.count,
                self.left_out.list()
            ));
        }
        parts.join("; and ")
    }
}

impl Named {
    /// Whether it is one of those that are named.
    fn add(&mut self, name: &str) -> bool {
        self.count += 1;
        let bytes = self.bytes + name.len();
        let is_named = self.names.len() < NAMED_MAX && bytes <= NAMED_BYTES_MAX;
        if is_named {
            self.bytes = bytes;
            self.names.push(name.to_owned());
        }
        is_named
    }

    /// Series that are counted and not named.
    fn more(&self) -> u64 {
        self.count - self.names.len() as u64
    }

    fn list(&self) -> String {
        let names = self.names.join(", ");
        match self.more() {
            0 => names,
            more => format!("{names} and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests;
