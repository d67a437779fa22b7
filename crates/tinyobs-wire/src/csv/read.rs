//! Read: rows of a table become samples.

use std::borrow::Cow;
use std::io::{self, BufRead};

use tinyobs_model::{Kind, Refusal, Resolution, Sample, limits};

use super::{FIXED, PREFIX, is_formula, is_prefixed};
use crate::json::fields::Broken;
use crate::json::shown;
use crate::time;

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
    bytes: Vec<u8>,
    /// The text of all cells, and where each of them ends in it.
    text: String,
    ends: Vec<usize>,
    /// Whether a quote is open at the end of `bytes`: one that stands for itself is written twice.
    is_open: bool,
    /// Lines read, for a record may be several.
    lines: u64,
}

impl<R: BufRead> Records<R> {
    /// Of a file that nothing was read of.
    pub fn new(file: R) -> Self {
        Self {
            file,
            bytes: Vec::new(),
            text: String::new(),
            ends: Vec::new(),
            is_open: false,
            lines: 0,
        }
    }

    /// The next record; none at the end. Blank lines are passed over.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next_record(&mut self) -> io::Result<Option<Record<'_>>> {
        loop {
            self.clear();
            if !self.line()? {
                return Ok(None);
            }
            // A line break inside of quotes is text.
            let begun = self.lines;
            while self.is_open && self.bytes.len() <= limits::LINE_BYTES && self.line()? {}
            if !self.bytes.trim_ascii().is_empty() {
                return Ok(Some((begun, self.cells())));
            }
        }
    }

    fn clear(&mut self) {
        /// A record longer than usual gives its memory back.
        const KEPT_BYTES: usize = 1 << 20;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.text.clear();
        self.text.shrink_to(KEPT_BYTES);
        self.ends.clear();
        self.is_open = false;
    }

    fn cells(&mut self) -> Result<Vec<&str>, Broken> {
        if self.bytes.len() > limits::LINE_BYTES {
            let message = format!("row has more than {} bytes", limits::LINE_BYTES);
            return Err((Refusal::BatchTooLarge, message));
        }
        let text = std::str::from_utf8(&self.bytes);
        let text = text.map_err(|_| malformed("row is not UTF-8".to_owned()))?;
        let text = text.trim_end_matches(['\r', '\n']);
        let cut = split(text, &mut self.text, &mut self.ends);
        cut.map_err(|reason| malformed(reason.to_owned()))?;
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let ranges = begins.zip(&self.ends);
        Ok(ranges.map(|(begin, end)| &self.text[begin..*end]).collect())
    }

    /// Adds a line to the record; false at the end of the file.
    fn line(&mut self) -> io::Result<bool> {
        let most = (limits::LINE_BYTES + 1 - self.bytes.len()) as u64;
        let before = self.bytes.len();
        let mut some = io::Read::take(&mut self.file, most);
        let read = some.read_until(b'\n', &mut self.bytes)?;
        let new = &self.bytes[before..];
        let is_open = |open: bool, byte: &u8| open ^ (*byte == b'"');
        self.is_open = new.iter().fold(self.is_open, is_open);
        if read as u64 == most && new.last() != Some(&b'\n') {
            self.file.skip_until(b'\n')?;
        }
        self.lines += u64::from(read > 0);
        Ok(read > 0)
    }
}

/// RFC 4180: cells between commas, in quotes where they hold one.
fn split(text: &str, out: &mut String, ends: &mut Vec<usize>) -> Result<(), &'static str> {
    /// More columns than any series of ours has labels would be of another table.
    const MOST: usize = 1 << 16;
    let mut rest = Some(text);
    while let Some(text) = rest {
        if ends.len() == MOST {
            return Err("row has too many cells");
        }
        let after = if let Some(quoted) = text.strip_prefix('"') {
            unquote(quoted, out)?
        } else {
            let end = text.find(',').unwrap_or(text.len());
            out.push_str(&text[..end]);
            &text[end..]
        };
        ends.push(out.len());
        rest = match after.strip_prefix(',') {
            Some(more) => Some(more),
            None if after.is_empty() => None,
            None => return Err("text follows a quoted cell"),
        };
    }
    Ok(())
}

/// Puts the text up to the closing quote into `cell`, and returns what follows.
fn unquote<'a>(mut text: &'a str, cell: &mut String) -> Result<&'a str, &'static str> {
    loop {
        let (before, after) = text.split_once('"').ok_or("a quote is not closed")?;
        cell.push_str(before);
        match after.strip_prefix('"') {
            None => return Ok(after),
            Some(more) => {
                cell.push('"');
                text = more;
            }
        }
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
        let value = read_value(value).ok_or_else(|| {
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

fn malformed(message: String) -> Broken {
    (Refusal::Malformed, message)
}

/// The text of a cell, without what keeps it from being a formula.
fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(inner) if is_formula(cell) => inner,
        _ => cell,
    }
}

/// As we write it; Rust would take more words.
fn read_value(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        number => {
            let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
            let is_number =
                digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
            let value = is_number.then(|| number.parse::<f64>().ok())?;
            value.filter(|value| value.is_finite())
        }
    }
}
