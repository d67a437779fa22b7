//! Cells: one record of RFC 4180, as its lines come.
//!
//! I-CELLS-1  A quote opens only where a cell begins; in the middle of one it is an error of its line.
//! I-CELLS-2  A quote that stays open is an error once its cell is longer than any of ours.
//! Proved by: csv/tests.rs `i_cells_1_…`, `i_cells_2_…`.

use tinyobs_model::limits;

/// More columns than any series of ours has labels would be of another table.
const CELLS_MAX: usize = 1 << 16;
/// Twice the longest text that is stored: one that is a little too long is refused as such.
const OPEN_BYTES_MAX: usize = 2 * limits::LABEL_VALUE_BYTES;

/// What is wrong with a quote that no other one follows.
pub const OPEN: Wrong = "a quote that a cell begins with is not closed";

/// What is wrong with a record.
pub type Wrong = &'static str;

/// The cells of a record, in memory that is used again.
#[derive(Debug, Default)]
pub struct Cells {
    /// The text of all cells, and where each of them ends in it.
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Whether the last line ended inside of quotes.
    is_open: bool,
}

impl Cells {
    /// Forgets the record, and all but so much of its memory.
    pub fn clear(&mut self, kept_bytes: usize) {
        self.text.clear();
        self.text.shrink_to(kept_bytes);
        self.ends.clear();
        self.is_open = false;
    }

    /// Takes a line with its end. Whether the record goes on in the next one.
    ///
    /// # Errors
    /// The line is not of a record.
    pub fn add(&mut self, line: &[u8]) -> Result<bool, Wrong> {
        let mut rest = line;
        loop {
            let behind = if let Some(text) = self.opened(rest) {
                match self.unquote(text) {
                    Some(behind) => behind,
                    None => return self.goes_on(),
                }
            } else {
                self.plain(rest)?
            };
            if self.ends.len() == CELLS_MAX {
                return Err("row has too many cells");
            }
            self.ends.push(self.text.len());
            rest = match behind.strip_prefix(b",") {
                Some(more) => more,
                None if is_end(behind) => return Ok(false),
                None => return Err("text follows a quoted cell"),
            };
        }
    }

    /// The cells of a whole record.
    ///
    /// # Errors
    /// They are not UTF-8.
    pub fn get(&self) -> Result<Vec<&str>, Wrong> {
        let text = std::str::from_utf8(&self.text).map_err(|_| "row is not UTF-8")?;
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let ranges = begins.zip(self.ends.iter().copied());
        // A letter that two cells share is none.
        let cell = |(begin, end)| text.get(begin..end).ok_or("row is not UTF-8");
        ranges.map(cell).collect()
    }

    /// What stands in quotes at the front, if something does.
    fn opened<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        if std::mem::take(&mut self.is_open) {
            return Some(rest);
        }
        rest.strip_prefix(b"\"")
    }

    /// Takes the text up to the closing quote, and returns what follows; none where it stays open.
    fn unquote<'a>(&mut self, mut text: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            let Some(end) = text.iter().position(|byte| *byte == b'"') else {
                self.text.extend_from_slice(text);
                return None;
            };
            self.text.extend_from_slice(&text[..end]);
            let behind = &text[end + 1..];
            match behind.strip_prefix(b"\"") {
                None => return Some(behind),
                Some(more) => {
                    self.text.push(b'"');
                    text = more;
                }
            }
        }
    }

    /// I-CELLS-2
    fn goes_on(&mut self) -> Result<bool, Wrong> {
        self.is_open = true;
        let begin = self.ends.last().copied().unwrap_or_default();
        if self.text.len() - begin > OPEN_BYTES_MAX {
            return Err(OPEN);
        }
        Ok(true)
    }

    /// Takes the text up to the next comma or the line's end, and returns what follows.
    fn plain<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], Wrong> {
        let end = text.iter().position(|byte| matches!(byte, b',' | b'"'));
        let end = end.unwrap_or_else(|| text.len() - end_bytes(text));
        let (cell, behind) = text.split_at(end);
        // I-CELLS-1
        if behind.first() == Some(&b'"') {
            return Err(
                "a quote stands in a cell that does not begin with one; put the cell in \
                        quotes, and write those inside of it twice",
            );
        }
        self.text.extend_from_slice(cell);
        Ok(behind)
    }
}

/// How long the line's end is at the end of a text.
fn end_bytes(text: &[u8]) -> usize {
    let is_end = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
    text.iter().rev().take_while(is_end).count()
}

fn is_end(text: &[u8]) -> bool {
    end_bytes(text) == text.len()
}
