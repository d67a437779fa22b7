//! Read: rows of a table become samples.

use std::borrow::Cow;
use std::io::{self, BufRead, Cursor, Read};

use tinyobs_model::{Kind, Refusal, Resolution, Sample, limits};

use super::cells::{self, Cells};
use super::{FIXED, PREFIX, is_formula, is_prefixed};
use crate::json::fields::Broken;
use crate::json::shown;
use crate::{number, time};

/// Whether a file that begins like this is a table of ours.
pub fn looks_like_one(start: &str) -> bool {
    let rest = start.strip_prefix(&FIXED.join(","));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([',', '\r', '\n']))
}

/// A row of a table.
#[derive(Debug, PartialEq)]
pub struct Row<'a> {
    /// The metric's name.
    pub name: &'a str,
    /// Its labels.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What the number means.
    pub kind: Kind,
    /// The sample; of a rollup's row the last one of its window.
    pub sample: Sample,
    /// What the row was.
    pub resolution: Resolution,
}

/// A record of a file: the line that it began in, counted from 1, and its cells, or why it has none.
pub type Record<'a> = (u64, Result<Vec<&'a str>, Broken>);

/// The records of a file, one by one, in memory that is used again.
#[derive(Debug)]
pub struct Records<R> {
    file: R,
    /// Lines to read once more before those of the file.
    again: Cursor<Vec<u8>>,
    /// The lines of the record.
    bytes: Vec<u8>,
    cells: Cells,
    /// Lines read, for a record may be several.
    lines: u64,
}

impl<R: BufRead> Records<R> {
    /// Of a file that nothing was read of.
    pub fn new(file: R) -> Self {
        Self {
            file,
            again: Cursor::default(),
            bytes: Vec::new(),
            cells: Cells::default(),
            lines: 0,
        }
    }

    /// The next record; none at the end. Blank lines are passed over.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next_record(&mut self) -> io::Result<Option<Record<'_>>> {
        /// A record longer than usual gives its memory back.
        const KEPT_BYTES: usize = 1 << 20;
        while self.bytes.trim_ascii().is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_BYTES);
            if !self.line()? {
                return Ok(None);
            }
        }
        self.cells.clear(KEPT_BYTES);
        let (begun, first_bytes) = (self.lines, self.bytes.len());
        let read = self.read_whole()?;
        // I-CSV-6. (Of a line that is too long the end is gone.)
        if read.is_err() && (first_bytes + 1..=limits::LINE_BYTES).contains(&self.bytes.len()) {
            let mut again = self.bytes.split_off(first_bytes);
            self.again.read_to_end(&mut again)?;
            self.again = Cursor::new(again);
            self.lines = begun;
        }
        self.bytes.clear();
        let cells = read.and_then(|()| self.cells.get().map_err(malformed));
        Ok(Some((begun, cells)))
    }

    /// Goes on from the record's first line to its end.
    fn read_whole(&mut self) -> io::Result<Result<(), Broken>> {
        let mut from = 0;
        loop {
            if self.bytes.len() > limits::LINE_BYTES {
                let message = format!("row has more than {} bytes", limits::LINE_BYTES);
                return Ok(Err((Refusal::BatchTooLarge, message)));
            }
            match self.cells.add(&self.bytes[from..]) {
                Ok(false) => return Ok(Ok(())),
                Ok(true) => from = self.bytes.len(),
                Err(wrong) => return Ok(Err(malformed(wrong))),
            }
            // A line break inside of quotes is text.
            if !self.line()? {
                return Ok(Err(malformed(cells::OPEN)));
            }
        }
    }

    /// Adds a line to the record; false at the end of the file.
    fn line(&mut self) -> io::Result<bool> {
        let most = (limits::LINE_BYTES + 1 - self.bytes.len()) as u64;
        let mut lines = (&mut self.again).chain(&mut self.file);
        let mut some = lines.by_ref().take(most);
        let read = some.read_until(b'\n', &mut self.bytes)?;
        if read as u64 == most && self.bytes.last() != Some(&b'\n') {
            lines.skip_until(b'\n')?;
        }
        self.lines += u64::from(read > 0);
        Ok(read > 0)
    }
}

/// What the columns hold.
#[derive(Debug, PartialEq)]
pub struct Header {
    labels: Vec<String>,
}

impl Header {
    /// Reads the first record.
    ///
    /// # Errors
    /// The table is another one.
    pub fn read(cells: &[&str]) -> Result<Self, String> {
        let labels = cells.strip_prefix(&FIXED[..]);
        let labels =
            labels.ok_or_else(|| format!("the first columns are not {}", FIXED.join(",")))?;
        let names = labels.iter().map(|cell| {
            let text = plain(cell);
            match text.strip_prefix(PREFIX) {
                Some(inner) if is_prefixed(inner) => inner.to_owned(),
                _ => text.to_owned(),
            }
        });
        Ok(Self {
            labels: names.collect(),
        })
    }

    /// Reads a row.
    ///
    /// # Errors
    /// The rule that it breaks, and the sentence for people.
    pub fn row<'a>(&'a self, cells: &[&'a str]) -> Result<Row<'a>, Broken> {
        let [at, name, kind, value, resolution, ref labels @ ..] = *cells else {
            return Err(malformed(self.wrong_count(cells)));
        };
        if labels.len() != self.labels.len() {
            return Err(malformed(self.wrong_count(cells)));
        }
        let time_ms =
            time::parse_moment(at).map_err(|error| (Refusal::TimeInvalid, error.to_string()))?;
        let kind = kind.parse().map_err(|()| {
            let known = Kind::ALL.map(Kind::as_str).join(", ");
            let message = format!("type {:?} is not one of {known}", shown(kind));
            (Refusal::TypeUnknown, message)
        })?;
        let value = number::read(value).ok_or_else(|| {
            let message = format!("{:?} is not a value", shown(value));
            (Refusal::ValueNotANumber, message)
        })?;
        let mut known = Resolution::ALL.into_iter();
        let resolution = known
            .find(|one| one.as_str() == resolution)
            .ok_or_else(|| {
                malformed(format!(
                    "resolution {:?} is not one of raw, 5m, 1h",
                    shown(resolution)
                ))
            })?;
        let labels = self.labels.iter().zip(labels);
        let labels = labels.filter(|(_, value)| !value.is_empty());
        Ok(Row {
            name: plain(name),
            labels: labels
                .map(|(name, value)| (Cow::Borrowed(name.as_str()), plain(value).into()))
                .collect(),
            kind,
            sample: Sample::new(time_ms, value),
            resolution,
        })
    }

    fn wrong_count(&self, cells: &[&str]) -> String {
        let (count, expected) = (cells.len(), self.labels.len() + FIXED.len());
        format!("row has {count} cells where the first row has {expected}")
    }
}

fn malformed(message: impl Into<String>) -> Broken {
    (Refusal::Malformed, message.into())
}

/// The text of a cell, without what keeps it from being a formula.
fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(inner) if is_formula(cell) => inner,
        _ => cell,
    }
}
