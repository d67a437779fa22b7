//! Time: moments as people and programs write them, to and from milliseconds since the epoch.
//!
//!   `?start=…` ─▶ [`parse_param`]      `"timestamp":"…"` ─▶ [`parse_rfc3339`]
//!   `tinyobs push` ─▶ [`parse_moment`]   answers ◀─ [`format_rfc3339`]
//!
//! Where a time says what is stored, it must have a zone: a local time taken for UTC would stand in
//! the wrong hour for good. A parameter of a query may go without, and is UTC: so the original had it.
//!
//! I-TIME-1  Milliseconds survive: what [`format_rfc3339`] writes, both parsers read back equal.
//! I-TIME-2  What cannot be read is an error that shows it, never silently another time.
//! I-TIME-3  What is stored says its zone.
//! Proved by: time/tests.rs.

use jiff::Timestamp;
use jiff::civil::{DateTime, datetime};
use jiff::fmt::temporal::Pieces;

/// Numbers from here on are milliseconds, smaller ones seconds: in seconds this is the year 5138,
/// in milliseconds March 1973.
pub const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Text that is no moment in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadTime {
    /// It is none at all.
    #[error("{shown:?} is not a time: use RFC 3339, Unix seconds or Unix milliseconds")]
    NoTime {
        /// The text, cut when long.
        shown: String,
    },
    /// It is one somewhere on the earth.
    #[error("{shown:?} has no zone: end it with Z for UTC, or with an offset such as +01:00")]
    NoZone {
        /// The text, cut when long.
        shown: String,
    },
}

/// A time as a query parameter: RFC 3339, Unix seconds (whole or not), or whole Unix milliseconds.
/// Without a zone it is UTC.
///
/// # Errors
/// It is none of these.
pub fn parse_param(text: &str) -> Result<i64, BadTime> {
    match parse_moment(text) {
        Err(BadTime::NoZone { .. }) => parse_rfc3339(&format!("{text}Z")).map_err(|_| bad(text)),
        other => other,
    }
}

/// As [`parse_param`], but with a zone.
///
/// # Errors
/// It is none of these.
pub fn parse_moment(text: &str) -> Result<i64, BadTime> {
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    // `2026-11-22` has only such characters too, but is no number.
    if is_number && let Ok(number) = text.parse::<f64>() {
        return from_number(text, number).ok_or_else(|| bad(text));
    }
    parse_rfc3339(text)
}

/// RFC 3339 such as `2026-11-22T00:16:02.347Z`.
///
/// # Errors
/// It is not such a text, has no date, or no zone.
pub fn parse_rfc3339(text: &str) -> Result<i64, BadTime> {
    // A bare date parses as midnight; it is too easily a mistake.
    let Some((_, time)) = text.split_once(['T', 't', ' ']) else {
        return Err(bad(text));
    };
    // What reads it below would take a leap second for the one before it (I-TIME-2).
    let digits = time.bytes().filter(|byte| *byte != b':');
    if digits.skip("hhmm".len()).take("60".len()).eq(*b"60") {
        return Err(bad(text));
    }
    match text.parse::<Timestamp>() {
        Ok(moment) => Ok(floor_ms(moment.as_nanosecond())),
        Err(_) => beyond(text).ok_or_else(|| match text.parse::<DateTime>() {
            Ok(_) => BadTime::NoZone { shown: cut(text) },
            Err(_) => bad(text),
        }),
    }
}

/// RFC 3339 in UTC with milliseconds. Times beyond the year 9999 are shown as its end.
pub fn format_rfc3339(time_ms: i64) -> String {
    let moment = Timestamp::from_millisecond(time_ms).unwrap_or(if time_ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    });
    format!("{moment:.3}")
}

fn from_number(text: &str, number: f64) -> Option<i64> {
    // Beyond, neighbours among f64 are further apart than milliseconds.
    const EXACT: f64 = (1u64 << 53) as f64;
    // Exact for whole numbers, where f64 is not beyond 2^53.
    if let Ok(whole) = text.parse::<i64>() {
        return if whole.unsigned_abs() >= MILLISECONDS_FROM.unsigned_abs() {
            Some(whole)
        } else {
            whole.checked_mul(1_000)
        };
    }
    let milliseconds = if number.abs() < MILLISECONDS_FROM as f64 {
        number * 1_000.0
    } else {
        number
    };
    (milliseconds.abs() <= EXACT).then(|| milliseconds.round() as i64)
}

/// A moment of the last day of the year 9999, which clients send for "for ever": the library's own
/// moments end a day earlier, so that they have a date in every zone.
fn beyond(text: &str) -> Option<i64> {
    let pieces = Pieces::parse(text).ok()?;
    let local = pieces.date().to_datetime(pieces.time()?);
    let epoch = datetime(1970, 1, 1, 0, 0, 0, 0);
    let offset = i128::from(pieces.to_numeric_offset()?.seconds()) * 1_000_000_000;
    let nanoseconds = local.duration_since(epoch).as_nanos() - offset;
    (nanoseconds > Timestamp::MAX.as_nanosecond()).then(|| floor_ms(nanoseconds))
}

/// Towards the past, also before 1970.
fn floor_ms(nanoseconds: i128) -> i64 {
    nanoseconds.div_euclid(1_000_000) as i64
}

fn bad(text: &str) -> BadTime {
    BadTime::NoTime { shown: cut(text) }
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests;
