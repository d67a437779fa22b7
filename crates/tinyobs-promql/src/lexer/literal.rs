//! Literal: numbers, durations and quoted text, from how they are written to what they mean.
//!
//! I-LITERAL-1  Durations are whole milliseconds, in units from large to small, each once.
//! Proved by: lexer/tests.rs.

use crate::error::quoted;
use crate::number::{MILLISECONDS_MAX, Number, UNITS};

/// The number that `text` writes, without a sign.
pub(crate) fn number(text: &str) -> Result<Number, String> {
    let plain = || {
        let text = quoted(text);
        format!("{text} is neither a number nor a duration like 1h30m")
    };
    if text.eq_ignore_ascii_case("inf") {
        return Ok(Number::plain(f64::INFINITY));
    }
    if text.eq_ignore_ascii_case("nan") {
        return Ok(Number::plain(f64::NAN));
    }
    let lower = text.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        let digits = without_underscores(digits, true).ok_or_else(plain)?;
        return integer(&digits, 16).ok_or_else(plain);
    }
    if lower.ends_with(|last: char| last.is_ascii_alphabetic()) {
        return duration(&lower, text).unwrap_or_else(|| Err(plain()));
    }
    let digits = without_underscores(&lower, false).ok_or_else(plain)?;
    // As in Go, which reads it so for Prometheus: a leading zero means octal, where that can be.
    if digits.len() > 1
        && digits.starts_with('0')
        && let Some(octal) = integer(&digits, 8)
    {
        return Ok(octal);
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Number::plain(value)),
        Ok(_) => Err(format!("{} is larger than any number", quoted(text))),
        Err(_) => Err(plain()),
    }
}

fn integer(digits: &str, base: u32) -> Option<Number> {
    let value = u64::from_str_radix(digits, base).ok()?;
    Some(Number::plain(value as f64))
}

/// Without its underscores, each of which must stand between two digits, or behind `0x`.
fn without_underscores(text: &str, after_prefix: bool) -> Option<String> {
    let digit = |byte: &u8| byte.is_ascii_digit() || after_prefix && byte.is_ascii_hexdigit();
    let mut before = after_prefix;
    for (i, byte) in text.bytes().enumerate() {
        if byte == b'_' && !(before && text.as_bytes().get(i + 1).is_some_and(digit)) {
            return None;
        }
        before = digit(&byte);
    }
    Some(text.replace('_', ""))
}

/// The duration of `lower`, written `text`; none when it is not written as one (I-LITERAL-1).
fn duration(lower: &str, text: &str) -> Option<Result<Number, String>> {
    // Units are in lower case.
    if lower != text {
        return None;
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut ms: Option<i64> = Some(0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, unit) = rest.split_at(digits);
        let name = unit
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(unit.len());
        let (name, after) = unit.split_at(name);
        let (_, unit_ms) = units.find(|(unit, _)| *unit == name)?;
        let count = (!count.is_empty()).then(|| count.parse::<i64>().ok())?;
        let more = count.and_then(|count| count.checked_mul(*unit_ms));
        ms = ms.zip(more).and_then(|(ms, more)| ms.checked_add(more));
        rest = after;
    }
    let ms = ms.filter(|&ms| ms <= MILLISECONDS_MAX);
    Some(ms.map(Number::milliseconds).ok_or_else(|| {
        let text = quoted(text);
        format!("duration {text} is out of range, the longest is about 292 years")
    }))
}

/// What stands between the quotes of `text`, escapes resolved; or where it is wrong, and why.
pub(crate) fn unquote(text: &str) -> Result<String, (usize, String)> {
    let inner = text.get(1..text.len().max(2) - 1).unwrap_or_default();
    if text.starts_with('`') || !inner.contains('\\') {
        return Ok(inner.to_owned());
    }
    // Bytes, because `\xff` is one: whether they are text in the end is another question.
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let place = 1 + inner.len() - rest.len() + at;
        let taken = escape(&rest[at + 1..], text.as_bytes()[0], &mut out);
        let Some(taken) = taken else {
            return Err((
                place,
                "unknown escape sequence, write \\\\ for a backslash".into(),
            ));
        };
        rest = &rest[at + 1 + taken..];
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).map_err(|_| (0, "text that is not UTF-8 once unescaped".into()))
}

/// Resolves the escape that `rest` begins with, without its backslash; gives the bytes it takes.
fn escape(rest: &str, quote: u8, out: &mut Vec<u8>) -> Option<usize> {
    let first = *rest.as_bytes().first()?;
    let simple = match first {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        _ if first == quote => quote,
        b'0'..=b'7' => {
            out.push(digits(rest, 0, 3, 8)?.try_into().ok()?);
            return Some(3);
        }
        b'x' => {
            out.push(digits(rest, 1, 2, 16)?.try_into().ok()?);
            return Some(3);
        }
        b'u' | b'U' => {
            let count = if first == b'u' { 4 } else { 8 };
            let char = char::from_u32(digits(rest, 1, count, 16)?)?;
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(1 + count);
        }
        _ => return None,
    };
    out.push(simple);
    Some(1)
}

/// The number of exactly `count` digits that begins at `start`.
fn digits(text: &str, start: usize, count: usize, base: u32) -> Option<u32> {
    let digits = text.get(start..start + count)?;
    // `from_str_radix` would take a sign.
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, base).ok())?
}
