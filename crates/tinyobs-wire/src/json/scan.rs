//! Scan: pushes as nearly everybody writes them, read in one walk over the text.
//!
//!   text ─▶ [read] ─▶ [`Sink`](super::rows::Sink)        anything unusual ─▶ [`envelope`](super::envelope)
//!
//! The plain shape: `{"source":{…},"metrics":[{…},…]}` with known fields, strings without escapes and
//! numbers as JSON has them. Whatever is not of it, a wrong character as much as an unknown field, ends
//! the walk with nothing, and the body is read by serde from its start, errors included.
//!
//! I-SCAN-1  What is read here is read alike there.
//! Proved by: json/tests.rs.

use serde_json::value::RawValue;
use tinyobs_model::limits;

use super::envelope::read_source;
use super::item::{Item, Text};
use super::rows::Sink;

/// Reads the whole of `text` into `sink`; none when it is not of the plain shape, or has too many
/// items, which the sink says.
pub fn read(text: &str, sink: &mut Sink) -> Option<()> {
    let mut scan = Scan { text, at: 0 };
    scan.expect(b'{')?;
    let mut key = scan.key()?;
    if key == "source" {
        let (source, end) = read_source(&text[scan.at..])?;
        scan.at += end;
        sink.set_source(source, false);
        scan.expect(b',')?;
        key = scan.key()?;
    }
    if key != "metrics" {
        return None;
    }
    scan.items(sink)?;
    scan.expect(b'}')?;
    scan.space();
    (scan.at == text.len()).then_some(())
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn items(&mut self, sink: &mut Sink) -> Option<()> {
        self.expect(b'[')?;
        if self.accept(b']') {
            return Some(());
        }
        let mut item = Item::default();
        loop {
            self.item(&mut item)?;
            // I-JSON-3
            if sink.items as usize == limits::ITEMS_PER_REQUEST {
                sink.too_many_items = true;
                return None;
            }
            sink.push(&item);
            if !self.accept(b',') {
                return self.expect(b']');
            }
        }
    }

    fn item(&mut self, item: &mut Item<'a>) -> Option<()> {
        item.clear();
        self.expect(b'{')?;
        if self.accept(b'}') {
            return Some(());
        }
        loop {
            // A field that is there twice is left to serde as well, which says so.
            match self.key()? {
                "name" if item.name.is_none() => item.name = Some(self.words()?),
                "type" if item.kind.is_none() => item.kind = Some(self.words()?),
                "value" if item.value.is_none() => item.value = Some(self.number()?),
                "labels" if !item.has_labels => self.labels(item)?,
                "timestamp" if item.timestamp.is_none() => item.timestamp = Some(self.time()?),
                "start" if item.start.is_none() => item.start = Some(self.time()?),
                "help" if item.help.is_none() => item.help = Some(self.words()?),
                "unit" if item.unit.is_none() => item.unit = Some(self.words()?),
                "buckets" if item.buckets.is_none() => item.buckets = Some(self.list()?),
                "sum" if item.sum.is_none() => item.sum = Some(self.number()?),
                "count" if item.count.is_none() => item.count = Some(self.number()?),
                _ => return None,
            }
            if !self.accept(b',') {
                return self.expect(b'}');
            }
        }
    }

    fn labels(&mut self, item: &mut Item<'a>) -> Option<()> {
        item.has_labels = true;
        let pairs = &mut item.labels;
        pairs.clear();
        self.expect(b'{')?;
        if self.accept(b'}') {
            return Some(());
        }
        loop {
            let name = self.key()?;
            let value = self.words()?;
            if pairs.count <= limits::LABELS_PER_SERIES {
                pairs.kept.push((Text(name.into()), value));
            }
            pairs.count += 1;
            if !self.accept(b',') {
                return self.expect(b'}');
            }
        }
    }

    /// A string and the colon behind it.
    fn key(&mut self) -> Option<&'a str> {
        let key = self.string()?;
        self.expect(b':')?;
        Some(key)
    }

    fn words(&mut self) -> Option<Text<'a>> {
        Some(Text(self.string()?.into()))
    }

    /// A string without escapes, without its quotes.
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let from = self.at;
        let end = from + plain_bytes(&self.text.as_bytes()[from..]);
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        Some(&self.text[from..end])
    }

    /// A number as it is written.
    fn number(&mut self) -> Option<&'a str> {
        self.space();
        let rest = &self.text[self.at..];
        let len = number_bytes(rest.as_bytes())?;
        self.at += len;
        Some(&rest[..len])
    }

    /// A time as it is written: a string, with its quotes, or a number.
    fn time(&mut self) -> Option<&'a str> {
        self.space();
        if self.text.as_bytes().get(self.at) != Some(&b'"') {
            return self.number();
        }
        let from = self.at;
        self.string()?;
        Some(&self.text[from..self.at])
    }

    /// A list as it is written; serde says whether it is one.
    fn list(&mut self) -> Option<&'a str> {
        self.space();
        let rest = &self.text[self.at..];
        if !rest.starts_with('[') {
            return None;
        }
        let mut lists = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let list = lists.next()?.ok()?.get();
        self.at += list.len();
        Some(list)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.accept(byte).then_some(())
    }

    /// Goes past white space, and past `byte` if that is next.
    #[inline]
    fn accept(&mut self, byte: u8) -> bool {
        self.space();
        let is_next = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.as_bytes().get(self.at) {
            self.at += 1;
        }
    }
}

/// How many bytes at the front are neither a quote, nor a backslash, nor below a space: eight at a
/// time, because most of a push is text.
fn plain_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte that is zero. It may be set for bytes above one that is, but the
    // lowest of them is right, which is the one that is asked for.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*chunk);
        let quotes = zeros(word ^ (ONES * u64::from(b'"')));
        let escapes = zeros(word ^ (ONES * u64::from(b'\\')));
        let below_space = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let found = quotes | escapes | below_space;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let is_plain = |byte: &&u8| !matches!(**byte, b'"' | b'\\' | 0..0x20);
    at + bytes[at..].iter().take_while(is_plain).count()
}

/// The length of the JSON number at the front. Source: RFC 8259, section 6.
fn number_bytes(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || whole > 1 && bytes[at] == b'0' {
        return None;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
    }
    Some(at)
}
