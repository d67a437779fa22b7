//! Time: moments as people and programs write them, to and from milliseconds since the epoch.
//!
//!   `?start=…` ─▶ [`parse_param`]      `"timestamp":"…"` ─▶ [`parse_rfc3339`]
//!   answers ◀─ [`format_rfc3339`]
//!
//! I-TIME-1  Milliseconds survive: what [`format_rfc3339`] writes, both parsers read back equal.
//! I-TIME-2  What cannot be read is an error that shows it, never silently another time.
//! Proved by: time/tests.rs.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Numbers from here on are milliseconds, smaller ones seconds: in seconds this is the year 5138,
/// in milliseconds March 1973.
pub const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Text that is no moment in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown:?} is not a time: use RFC 3339, Unix seconds or Unix milliseconds")]
pub struct BadTime {
    /// The text, cut when long.
    pub shown: String,
}

/// A time as a query parameter: RFC 3339, Unix seconds (whole or not), or whole Unix milliseconds.
///
/// # Errors
/// It is none of these.
pub fn parse_param(text: &str) -> Result<i64, BadTime> {
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    // `2026-11-22` has only such characters too, but is no number.
    if is_number && let Ok(number) = text.parse::<f64>() {
        return from_number(text, number).ok_or_else(|| bad(text));
    }
    parse_rfc3339(text)
}

/// RFC 3339 such as `2026-11-22T00:16:02.347Z`; without an offset it is UTC, as the original had
/// it.
///
/// # Errors
/// It is not such a text, or has no date.
pub fn parse_rfc3339(text: &str) -> Result<i64, BadTime> {
    let zoned = text.parse::<Timestamp>();
    let moment = zoned.or_else(|_| {
        let civil = text.parse::<DateTime>()?;
        Offset::UTC.to_timestamp(civil)
    });
    // A bare date parses as midnight; it is too easily a mistake.
    match moment {
        Ok(moment) if text.contains(['T', 't', ' ']) => Ok(floor_ms(moment)),
        _ => Err(bad(text)),
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
    // Exact for whole numbers, where f64 is not beyond 2^53.
    if let Ok(whole) = text.parse::<i64>() {
        return if whole.unsigned_abs() >= MILLISECONDS_FROM.unsigned_abs() {
            Some(whole)
        } else {
            whole.checked_mul(1_000)
        };
    }
    let seconds_max = MILLISECONDS_FROM as f64;
    (number.is_finite() && number.abs() < seconds_max).then(|| (number * 1_000.0).round() as i64)
}

/// Towards the past, also before 1970.
fn floor_ms(moment: Timestamp) -> i64 {
    moment.as_nanosecond().div_euclid(1_000_000) as i64
}

fn bad(text: &str) -> BadTime {
    BadTime {
        shown: text.chars().take(64).collect(),
    }
}

#[cfg(test)]
mod tests;
