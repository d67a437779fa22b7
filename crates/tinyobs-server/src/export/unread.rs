//! Unread: which series an export could not read to their end.
//!
//!   a cursor's error ─▶ [Unread] ─▶ last line of the export, log, exit code of `tinyobs export`
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

/// The series that could not be read to their end (I-EXPORT-5).
#[derive(Debug, Default, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct Unread {
    count: u64,
    named: Vec<String>,
    named_bytes: usize,
    /// What was wrong with the first.
    why: String,
}

impl Unread {
    /// Notes one.
    pub fn note(&mut self, labels: &Labels, error: &SelectError) {
        let name = labels.to_string();
        if self.count == 0 {
            self.why = error.to_string();
        }
        self.count += 1;
        let bytes = self.named_bytes + name.len();
        if self.named.len() < NAMED_MAX && bytes <= NAMED_BYTES_MAX {
            // A damaged disk has millions of them.
            tracing::error!(series = name, %error, "a series cannot be exported whole");
            self.named_bytes = bytes;
            self.named.push(name);
        }
    }

    /// Ends an export: an error when there were any, behind a last line that says so.
    pub fn finish(self, is_json: bool, out: &mut dyn Write) -> io::Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let more = self.more();
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

    /// Series that are counted and not named.
    fn more(&self) -> u64 {
        self.count - self.named.len() as u64
    }

    fn sentence(&self) -> String {
        let more = match self.more() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "{} series could not be read to their end, everything else is there: {}{more}; the \
             first because {}",
            self.count,
            self.named.join(", "),
            self.why
        )
    }
}

#[cfg(test)]
mod tests;
