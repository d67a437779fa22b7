//! Line: a place in a body of line protocol, and what can be read there.

use std::borrow::Cow;

use tinyobs_model::Refusal;

use super::Broken;

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Field {
    /// An integer, a float or a boolean.
    Number(f64),
    /// What has no place in a metric.
    Text,
}

/// A place in a body.
#[derive(Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    line_begins: usize,
    /// Counted from 1.
    pub line: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line_begins: 0,
            line: 1,
        }
    }

    /// Goes to the next line that says something; false at the end.
    pub fn skip_to_line(&mut self) -> bool {
        loop {
            while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n' | 0)) = self.peek() {
                self.pass(byte);
            }
            match self.peek() {
                None => return false,
                Some(b'#') => self.skip_line(),
                Some(_) => return true,
            }
        }
    }

    /// Goes to the line feed that ends this line, or to the end of the body.
    pub fn skip_line(&mut self) {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|byte| *byte == b'\n');
        self.at += len.unwrap_or(rest.len());
    }

    /// An error here.
    pub fn malformed(&self, reason: &str) -> Broken {
        let column = self.at - self.line_begins + 1;
        (Refusal::Malformed, format!("{reason} at column {column}"))
    }

    /// Whether `byte` stood here; if so it is passed.
    pub fn take(&mut self, byte: u8) -> bool {
        let is_here = self.peek() == Some(byte);
        if is_here {
            self.pass(byte);
        }
        is_here
    }

    /// Passes blanks; whether there were some.
    pub fn blanks(&mut self) -> bool {
        let from = self.at;
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
        self.at > from
    }

    /// Up to the first comma or blank that is not escaped.
    pub fn measurement(&mut self) -> Result<Cow<'a, str>, Broken> {
        self.text(b", ")
    }

    /// `key=`
    pub fn key(&mut self, what: &str) -> Result<Cow<'a, str>, Broken> {
        let key = self.text(b",= ")?;
        if key.is_empty() {
            return Err(self.malformed(&format!("a {what} key is missing")));
        }
        if !self.take(b'=') {
            return Err(self.malformed(&format!("`=` is missing behind a {what} key")));
        }
        Ok(key)
    }

    pub fn tag_value(&mut self) -> Result<Cow<'a, str>, Broken> {
        let value = self.text(b",= ")?;
        if value.is_empty() {
            return Err(self.malformed("a tag value is missing"));
        }
        if self.peek() == Some(b'=') {
            return Err(self.malformed("a second `=` in a tag must be escaped"));
        }
        Ok(value)
    }

    pub fn field_value(&mut self) -> Result<Field, Broken> {
        if self.peek() == Some(b'"') {
            return self.quoted().map(|()| Field::Text);
        }
        let from = self.at;
        let word = self.word(|byte| matches!(byte, b',' | b' '));
        number(word).map(Field::Number).ok_or_else(|| {
            let shown: String = String::from_utf8_lossy(word).chars().take(64).collect();
            let column = from - self.line_begins + 1;
            let message = format!("{shown:?} is no value of a field at column {column}");
            (Refusal::ValueNotANumber, message)
        })
    }

    /// A whole number, if one is here.
    pub fn time(&mut self) -> Result<Option<i64>, Broken> {
        let word = self.word(|byte| byte == b' ');
        if word.is_empty() {
            return Ok(None);
        }
        let time = std::str::from_utf8(word).ok().and_then(|w| w.parse().ok());
        time.map(Some).ok_or_else(|| {
            let shown: String = String::from_utf8_lossy(word).chars().take(64).collect();
            let message = format!("timestamp {shown:?} is not a whole number");
            (Refusal::TimeInvalid, message)
        })
    }

    /// An error unless the line ends here.
    pub fn ends(&mut self) -> Result<(), Broken> {
        self.blanks();
        self.take(b'\r');
        match self.peek() {
            None | Some(b'\n') => Ok(()),
            Some(_) => Err(self.malformed("something stands behind the timestamp")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn pass(&mut self, byte: u8) {
        self.at += 1;
        if byte == b'\n' {
            self.line += 1;
            self.line_begins = self.at;
        }
    }

    /// All up to the line's end or a byte that `stops`.
    fn word(&mut self, stops: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let is_end = |byte: u8| matches!(byte, b'\n' | b'\r') || stops(byte);
        let len = rest.iter().position(|byte| is_end(*byte));
        let word = &rest[..len.unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    /// Text up to the first of `stops` that has no backslash before it. A backslash before another
    /// byte stands for itself.
    fn text(&mut self, stops: &[u8]) -> Result<Cow<'a, str>, Broken> {
        let from = self.at;
        let mut has_escapes = false;
        while let Some(byte) = self.peek() {
            if byte == b'\n' || stops.contains(&byte) {
                break;
            }
            let next = self.bytes.get(self.at + 1);
            if byte == b'\\' && next.is_some_and(|next| stops.contains(next)) {
                has_escapes = true;
                self.at += 1;
            }
            self.at += 1;
        }
        let raw = &self.bytes[from..self.at];
        let Ok(text) = std::str::from_utf8(raw) else {
            return Err(self.malformed("text is not UTF-8"));
        };
        if !has_escapes {
            return Ok(Cow::Borrowed(text));
        }
        let mut out = String::with_capacity(text.len());
        let mut chars = text.chars().peekable();
        while let Some(next) = chars.next() {
            let is_escaped = |after: &char| stops.iter().any(|stop| char::from(*stop) == *after);
            if next == '\\' && chars.peek().is_some_and(is_escaped) {
                out.extend(chars.next());
            } else {
                out.push(next);
            }
        }
        Ok(Cow::Owned(out))
    }

    /// `"text"`, which may go over several lines; when it is broken, only its first line is.
    fn quoted(&mut self) -> Result<(), Broken> {
        let (at, line, line_begins) = (self.at, self.line, self.line_begins);
        let mut broken = self.malformed("a quoted text does not end");
        self.at += 1;
        while let Some(byte) = self.peek() {
            if byte == b'\\' && matches!(self.bytes.get(self.at + 1), Some(b'"' | b'\\')) {
                self.at += 2;
                continue;
            }
            self.pass(byte);
            if byte == b'"' {
                if matches!(self.peek(), None | Some(b',' | b' ' | b'\r' | b'\n')) {
                    return Ok(());
                }
                if self.line == line {
                    broken = self.malformed("something stands behind a quoted text");
                }
                break;
            }
        }
        // I-INFLUX-4: at most up to the next quote is read again.
        (self.at, self.line, self.line_begins) = (at, line, line_begins);
        Err(broken)
    }
}

/// `1.5`, `-3i`, `7u`, `t`; none for everything else, NaN and infinity among it.
fn number(word: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(word).ok()?;
    match text {
        "t" | "T" | "true" | "True" | "TRUE" => return Some(1.0),
        "f" | "F" | "false" | "False" | "FALSE" => return Some(0.0),
        _ => {}
    }
    if let Some(integer) = text.strip_suffix('i') {
        return integer.parse::<i64>().ok().map(|integer| integer as f64);
    }
    if let Some(unsigned) = text.strip_suffix('u') {
        return unsigned.parse::<u64>().ok().map(|unsigned| unsigned as f64);
    }
    let is_decimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    let value: f64 = word
        .iter()
        .all(|byte| is_decimal(*byte))
        .then(|| text.parse().ok())??;
    value.is_finite().then_some(value)
}
