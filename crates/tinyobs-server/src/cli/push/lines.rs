//! Lines: standard input line by line, with the time of each, while others are on their way.
//!
//! I-PUSH-4  A line that cannot be read costs only itself; what is held of one is bounded.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Instant;

use tinyobs_model::limits;
use tinyobs_wire::bom::without_bom;

use super::clock::now_ms;

/// A line, without its end.
#[derive(Debug)]
pub struct Line {
    /// Counted from 1.
    pub number: usize,
    /// When it was there.
    pub read_ms: i64,
    /// What it says, or what is wrong with it.
    pub text: Result<String, String>,
}

/// What came.
#[derive(Debug)]
pub enum Next {
    /// A line.
    Line(Line),
    /// Nothing until the time that was given.
    Nothing,
    /// There are no more.
    End,
}

/// Lines as they are read.
pub struct Lines(Receiver<Line>);

/// Reads `input` on a thread of its own: a pipe that is silent cannot be waited for otherwise.
pub fn read(input: impl Read + Send + 'static) -> Lines {
    /// Lines read ahead.
    const AHEAD: usize = 1_000;
    let (sender, lines) = mpsc::sync_channel(AHEAD);
    thread::spawn(move || read_all(input, &sender));
    Lines(lines)
}

impl Lines {
    /// The next line, waited for until `due`, or for as long as it takes.
    pub fn next_until(&self, due: Option<Instant>) -> Next {
        let got = match due {
            None => self.0.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => {
                let wait = due.saturating_duration_since(Instant::now());
                if wait.is_zero() {
                    return Next::Nothing;
                }
                self.0.recv_timeout(wait)
            }
        };
        match got {
            Ok(line) => Next::Line(line),
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }
}

fn read_all(input: impl Read, sender: &SyncSender<Line>) {
    let mut input = BufReader::new(input);
    let mut bytes = Vec::new();
    for number in 1.. {
        let text = match read_line(&mut input, &mut bytes, number == 1) {
            Ok(None) => return,
            Ok(Some(text)) => text,
            Err(error) => {
                let text = Err(format!("standard input cannot be read: {error}"));
                let _ = sender.send(Line {
                    number,
                    read_ms: now_ms(),
                    text,
                });
                return;
            }
        };
        let line = Line {
            number,
            read_ms: now_ms(),
            text,
        };
        if sender.send(line).is_err() {
            return;
        }
    }
}

/// A line of any length, of which a bounded part is held; none at the end.
fn read_line(
    input: &mut impl BufRead,
    bytes: &mut Vec<u8>,
    is_first: bool,
) -> std::io::Result<Option<Result<String, String>>> {
    const MOST: usize = limits::STREAM_LINE_BYTES;
    bytes.clear();
    let read = input
        .by_ref()
        .take(MOST as u64 + 1)
        .read_until(b'\n', bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if read > MOST && bytes.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
        return Ok(Some(Err(format!("line has more than {MOST} bytes"))));
    }
    let bytes = if is_first { without_bom(bytes) } else { bytes };
    let text = std::str::from_utf8(bytes);
    let text = text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    Ok(Some(text.map_err(|_| "line is not UTF-8".to_owned())))
}
