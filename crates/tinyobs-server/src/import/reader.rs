//! Reader: a file, whatever it is, line by line or item by item.
//!
//!   bytes ─▶ its first few, [`guess`] ─▶ unpacked ─▶ lines │ table │ the original's export
//!                                                       └────────┴─▶ [`Batches`]

use std::io::{self, BufRead, BufReader, Cursor, Read};

use tinyobs_model::{Refusal, limits};
use tinyobs_wire::bom::without_bom;
use tinyobs_wire::csv::{Header, Records};
use tinyobs_wire::decompress::unpack_stream;
use tinyobs_wire::lines::Line;
use tinyobs_wire::original::{self, Item};

use super::batches::Batches;
use super::guess::{Guess, guess};

/// Bytes by which a file is known.
const START_BYTES: u64 = 1_024;
/// What is wrong with a file of which nothing was read.
const NO_IMPORT: io::ErrorKind = io::ErrorKind::Unsupported;

/// What to say of a file that was not read to its end, of which so much is stored.
pub fn sentence(error: &io::Error, stored: u64) -> String {
    if error.kind() == NO_IMPORT {
        return format!("the file cannot be imported: {error}");
    }
    format!(
        "the file could not be read to its end: {error}; {stored} samples before that are stored"
    )
}

/// Reads a file to its end, or until the batches want no more. What cannot be read is in their
/// report; an error is that the file itself breaks off, or is nothing that can be imported.
///
/// `may_be_packed`: nothing was unpacked on the way. Packed twice, a few bytes could unfold to what
/// takes hours to read.
pub fn read<'a, E>(
    file: impl Read + Send + 'a,
    may_be_packed: bool,
    batches: &mut Batches<'_, E>,
) -> io::Result<()> {
    read_any(Box::new(file), may_be_packed, batches)
}

fn read_any<E>(
    mut file: Box<dyn Read + Send + '_>,
    may_be_packed: bool,
    batches: &mut Batches<'_, E>,
) -> io::Result<()> {
    let (start, broken) = start_of(&mut file);
    let start = without_bom(&start);
    let guess = guess(start);
    let rest: Box<dyn Read + Send + '_> = match broken {
        None => file,
        // So little of it was there that it may have looked otherwise.
        Some(error) if matches!(guess, Guess::Other(_)) => return Err(error),
        Some(error) => Box::new(BrokenOff(Some(error))),
    };
    let whole = Cursor::new(start).chain(rest);
    match guess {
        Guess::Packed(encoding) if may_be_packed => {
            let unpacked = unpack_stream(encoding, whole).map_err(io::Error::other)?;
            let unpacked = unpacked.ok_or_else(|| io::Error::other("it cannot be unpacked"))?;
            read_any(unpacked, false, batches)
        }
        Guess::Packed(encoding) => {
            let message = format!("it is packed twice, inside with {}", encoding.as_str());
            Err(io::Error::new(NO_IMPORT, message))
        }
        Guess::Other(what) => {
            let message = format!("it looks like {what}");
            Err(io::Error::new(NO_IMPORT, message))
        }
        Guess::Original => items(whole, batches),
        Guess::Table => rows(whole, batches),
        Guess::Lines => {
            let mut lines = Lines {
                file: BufReader::with_capacity(64 << 10, whole),
                line: Vec::new(),
                number: 0,
            };
            while !batches.is_over() && lines.next(batches)? {}
            Ok(())
        }
    }
}

/// What is behind the last byte that came: an error, never an end (I-IMPORT-6).
struct BrokenOff(Option<io::Error>);

impl Read for BrokenOff {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        let again = || io::Error::from(io::ErrorKind::UnexpectedEof);
        Err(self.0.take().unwrap_or_else(again))
    }
}

/// The first bytes of a file, and the error that they end with.
fn start_of(file: &mut impl Read) -> (Vec<u8>, Option<io::Error>) {
    let mut start = Vec::new();
    // What was read before an error is in the buffer.
    let read = file.take(START_BYTES).read_to_end(&mut start);
    (start, read.err())
}

fn items<E>(file: impl Read, batches: &mut Batches<'_, E>) -> io::Result<()> {
    batches.count_items();
    let mut number = 0;
    let read = original::items(file, |text| {
        match Item::parse(text) {
            Ok(item) => batches.item(number, &item),
            Err((rule, message)) => batches.refuse(number, rule, &message),
        }
        number += 1;
        !batches.is_over()
    });
    read.map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))
}

fn rows<E>(file: impl Read, batches: &mut Batches<'_, E>) -> io::Result<()> {
    let wrong = |reason| io::Error::new(io::ErrorKind::InvalidData, reason);
    let mut records = Records::new(BufReader::with_capacity(64 << 10, file));
    let header = match records.next_record()? {
        None => return Ok(()),
        Some((_, Err((_, message)))) => return Err(wrong(message)),
        Some((_, Ok(cells))) => Header::read(&cells).map_err(wrong)?,
    };
    while !batches.is_over() {
        let Some((number, record)) = records.next_record()? else {
            break;
        };
        match record.and_then(|cells| header.row(&cells)) {
            Ok(row) => batches.row(number, &row),
            Err((rule, message)) => batches.refuse(number, rule, &message),
        }
    }
    Ok(())
}

struct Lines<R> {
    file: BufReader<R>,
    line: Vec<u8>,
    number: u64,
}

impl<R: Read> Lines<R> {
    /// Reads the next line; false at the end.
    fn next<E>(&mut self, batches: &mut Batches<'_, E>) -> io::Result<bool> {
        /// A line longer than usual gives its memory back.
        const KEPT_BYTES: usize = 1 << 20;
        self.line.clear();
        self.line.shrink_to(KEPT_BYTES);
        let most = limits::LINE_BYTES as u64 + 1;
        let read = self
            .file
            .by_ref()
            .take(most)
            .read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(false);
        }
        self.number += 1;
        let is_whole = self.line.last() == Some(&b'\n');
        if !is_whole && self.line.len() > limits::LINE_BYTES {
            self.skip_rest()?;
            let message = format!(
                "line has more than {} bytes; export it with max_rows_per_line, or split it",
                limits::LINE_BYTES
            );
            batches.refuse(self.number, Refusal::BatchTooLarge, &message);
            return Ok(true);
        }
        match std::str::from_utf8(&self.line) {
            Err(_) => batches.refuse(self.number, Refusal::Malformed, "line is not UTF-8"),
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => match Line::parse(text) {
                Ok(line) => batches.line(self.number, &line),
                Err((rule, message)) => batches.refuse(self.number, rule, &message),
            },
        }
        Ok(true)
    }

    /// Passes over the rest of a line.
    fn skip_rest(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.file.fill_buf()?;
            if bytes.is_empty() {
                return Ok(());
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let len = end.map_or(bytes.len(), |at| at + 1);
            self.file.consume(len);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}
