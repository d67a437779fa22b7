//! Units: sizes and durations as people write them, and back.
//!
//! I-UNIT-1  What is shown can be read back, and is the same.
//! Proved by: units/tests.rs.

use tinyobs_promql::number::UNITS;

const KIB: u64 = 1 << 10;

/// Each unit of a size with its bytes; the first of equals is the one that is shown.
const SIZES: [(&str, u64); 12] = [
    ("TiB", KIB * KIB * KIB * KIB),
    ("GiB", KIB * KIB * KIB),
    ("MiB", KIB * KIB),
    ("KiB", KIB),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("T", KIB * KIB * KIB * KIB),
    ("G", KIB * KIB * KIB),
    ("M", KIB * KIB),
    ("K", KIB),
];

/// Reads a size: `512MB`, `1GiB`, `1.5G`, `B` or nothing for bytes; 0 for none.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a size, such as 512MB, 1GiB or 0 for no limit");
    let trimmed = text.trim();
    let bytes = |number: &str, unit: u64| -> Option<u64> {
        let number = number.trim_end();
        if let Ok(whole) = number.parse::<u64>() {
            return whole.checked_mul(unit);
        }
        let is_plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let number: f64 = number.parse().ok().filter(|_| is_plain)?;
        let bytes = number * unit as f64;
        (bytes < u64::MAX as f64).then_some(bytes as u64)
    };
    let upper = trimmed.to_ascii_uppercase();
    for (unit, factor) in SIZES {
        if let Some(number) = upper.strip_suffix(&unit.to_ascii_uppercase()) {
            return bytes(number, factor).ok_or_else(wrong);
        }
    }
    bytes(upper.strip_suffix('B').unwrap_or(&upper), 1).ok_or_else(wrong)
}

/// Reads a duration: `14d`, `12h`, `1y`, `1h30m`; 0 for ever.
pub fn parse_duration_ms(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is not a duration, such as 12h, 14d, 1y or 0 for ever");
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let letters = tail.bytes().take_while(|byte| !byte.is_ascii_digit());
        let (name, behind) = tail.split_at(letters.count());
        let unit = UNITS.into_iter().find(|(unit, _)| *unit == name);
        let (_, factor) = unit.ok_or_else(wrong)?;
        rest = behind;
        let part = number.checked_mul(factor);
        total = part
            .and_then(|part| total.checked_add(part))
            .ok_or_else(wrong)?;
    }
    Ok(total)
}

/// A size for people: `1.5 GiB`.
pub fn show_size(bytes: u64) -> String {
    for (unit, factor) in SIZES.into_iter().filter(|(unit, _)| unit.ends_with("iB")) {
        if bytes >= factor {
            let text = format!("{:.2}", bytes as f64 / factor as f64);
            let text = text.trim_end_matches('0').trim_end_matches('.');
            return format!("{text} {unit}");
        }
    }
    format!("{bytes} B")
}

/// A duration in the largest unit that divides it: `14d`, `36h`, `1y`.
pub fn show_duration_ms(ms: i64) -> String {
    let whole = UNITS
        .into_iter()
        .filter(|(unit, _)| !matches!(*unit, "ms" | "w"))
        .find(|(_, factor)| ms != 0 && ms % factor == 0);
    match whole {
        Some((unit, factor)) => format!("{}{unit}", ms / factor),
        None => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests;
