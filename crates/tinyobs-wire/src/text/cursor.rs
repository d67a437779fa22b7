//! Cursor: a place in one line, and what can be read there.

use std::borrow::Cow;

use super::{Dialect, TextError};
use crate::number;

/// A place in a line.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str, line: usize) -> Self {
        Self { text, at: 0, line }
    }

    /// An error here.
    pub fn error(&self, reason: &str) -> TextError {
        TextError {
            line: self.line,
            column: self.at + 1,
            reason: reason.to_owned(),
        }
    }

    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub fn is_done(&self) -> bool {
        self.at == self.text.len()
    }

    pub fn skip_all(&mut self) {
        self.at = self.text.len();
    }

    /// Whether `byte` stood here; if so it is passed.
    pub fn take(&mut self, byte: u8) -> bool {
        let is_here = self.peek() == Some(byte);
        self.at += usize::from(is_here);
        is_here
    }

    /// Passes spaces and tabs.
    pub fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// An error unless the line ends here.
    pub fn ends(&mut self) -> Result<(), TextError> {
        self.blanks();
        if self.is_done() {
            return Ok(());
        }
        let reason = format!("{:?} is not expected here", shown(self.clone().word()));
        Err(self.error(&reason))
    }

    /// All up to the next blank; empty at one.
    pub fn word(&mut self) -> &'a str {
        self.take_while(|byte| !matches!(byte, b' ' | b'\t'))
    }

    /// The name behind `# TYPE` and the like, quoted or not.
    pub fn family_name(&mut self) -> Result<Cow<'a, str>, TextError> {
        self.blanks();
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        self.metric_name().map(Cow::Borrowed)
    }

    pub fn metric_name(&mut self) -> Result<&'a str, TextError> {
        self.name("metric", |byte| byte == b':')
    }

    pub fn label_name(&mut self) -> Result<&'a str, TextError> {
        self.name("label", |_| false)
    }

    fn name(&mut self, what: &str, also: fn(u8) -> bool) -> Result<&'a str, TextError> {
        let begins_with_digit = self.peek().is_some_and(|byte| byte.is_ascii_digit());
        let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || also(byte);
        let here = self.clone();
        let name = self.take_while(is_of_name);
        if name.is_empty() || begins_with_digit {
            let reason = format!(
                "{:?} does not begin a {what} name; quote names with other characters",
                shown(here.clone().word())
            );
            return Err(here.error(&reason));
        }
        Ok(name)
    }

    /// The text of a help line: all the rest, with its escapes undone.
    pub fn help(&mut self) -> Cow<'a, str> {
        let text = &self.text[self.at..];
        self.skip_all();
        let text = text.trim_end_matches([' ', '\t']);
        if text.contains('\\') {
            Cow::Owned(unescape(text))
        } else {
            Cow::Borrowed(text)
        }
    }

    /// `"text"`, with its escapes undone.
    pub fn quoted(&mut self) -> Result<Cow<'a, str>, TextError> {
        let before = self.clone();
        if !self.take(b'"') {
            return Err(self.error("a quoted text is missing"));
        }
        let from = self.at;
        let mut has_escapes = false;
        loop {
            self.take_while(|byte| !matches!(byte, b'"' | b'\\'));
            let Some(byte) = self.peek() else {
                return Err(before.error("a quoted text does not end"));
            };
            if byte == b'"' {
                break;
            }
            has_escapes = true;
            if !matches!(
                self.text.as_bytes().get(self.at + 1),
                Some(b'"' | b'\\' | b'n')
            ) {
                return Err(self.error("an escape is none of \\\\, \\\" and \\n"));
            }
            self.at += 2;
        }
        let text = &self.text[from..self.at];
        self.at += 1;
        Ok(if has_escapes {
            Cow::Owned(unescape(text))
        } else {
            Cow::Borrowed(text)
        })
    }

    /// A number, as [`number::read`] takes it.
    pub fn number(&mut self, what: &str) -> Result<f64, TextError> {
        let here = self.clone();
        let word = self.word();
        if word.is_empty() {
            return Err(here.error(&format!("{what} is missing")));
        }
        number::read(word).ok_or_else(|| {
            // Digits never mean infinity: what does not fit is a mistake.
            let what = match word.parse::<f64>() {
                Ok(_) => "does not fit a number",
                Err(_) => "is not a number",
            };
            here.error(&format!("{:?} {what}", shown(word)))
        })
    }

    /// A time, in milliseconds.
    pub fn time(&mut self, dialect: Dialect) -> Result<i64, TextError> {
        let here = self.clone();
        let word = self.word();
        let time_ms = match dialect {
            Dialect::Prometheus => word.parse().ok(),
            Dialect::OpenMetrics => seconds(word),
        };
        time_ms.ok_or_else(|| {
            let wanted = match dialect {
                Dialect::Prometheus => "whole milliseconds",
                Dialect::OpenMetrics => "seconds",
            };
            here.error(&format!("{:?} is not a time in {wanted}", shown(word)))
        })
    }

    fn take_while(&mut self, mut is_of: impl FnMut(u8) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let len = rest.bytes().position(|byte| !is_of(byte));
        let taken = &rest[..len.unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }
}

/// Beyond this a float no longer has milliseconds.
const SECONDS_MAX: f64 = 1e12;

/// Seconds as milliseconds; none when they are no moment.
fn seconds(word: &str) -> Option<i64> {
    if let Ok(whole) = word.parse::<i64>() {
        return whole.checked_mul(1_000);
    }
    let seconds = word.parse::<f64>().ok()?;
    (seconds.abs() < SECONDS_MAX).then(|| (seconds * 1_000.0).round() as i64)
}

/// Undoes `\\`, `\"` and `\n`; another backslash stands for itself.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            out.push(next);
            continue;
        }
        match rest.clone().next() {
            Some('n') => out.push('\n'),
            Some(other @ ('\\' | '"')) => out.push(other),
            _ => {
                out.push('\\');
                continue;
            }
        }
        rest.next();
    }
    out
}

/// Text of a sender as it may stand in a message: short however long it is.
pub fn shown(text: &str) -> String {
    const SHOWN: usize = 64;
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
