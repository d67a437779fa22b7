//! Words: what serde says of JSON that it cannot read, as who sends it would say it.
//!
//!   `serde_json::Error` ─▶ [`reason`] ─▶ every message of ours about JSON
//!
//! I-WORDS-1  No message has the name of a type of ours, or a word that only readers of JSON use.
//! Proved by: json/words/tests.rs.

use super::shown;

/// What is wrong, without the place that `serde_json` puts behind it.
pub fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let said = match text.rfind(" at line ") {
        Some(at) => &text[..at],
        None => &text,
    };
    shown(&worded(said))
}

/// The same, and where.
pub fn reason_at(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!("{} at line {line}, column {column}", reason(error))
}

fn worded(said: &str) -> String {
    if let Some((found, wanted)) = said.rsplit_once(", expected ") {
        let kinds = ["invalid type: ", "invalid value: "];
        if let Some(found) = kinds.iter().find_map(|kind| found.strip_prefix(kind)) {
            return format!("{} is expected, not {}", expected(wanted), met(found));
        }
        // A list of values is read as an object's would be.
        if found.starts_with("invalid length ") {
            return format!("{} is expected, not a list", expected(wanted));
        }
        if let Some(field) = found.strip_prefix("unknown field ") {
            let known = wanted.strip_prefix("one of ").unwrap_or(wanted);
            return format!("the field {field} is not known, only {known}");
        }
    }
    if let Some(field) = said.strip_prefix("missing field ") {
        return format!("the field {field} is missing");
    }
    if let Some(field) = said.strip_prefix("duplicate field ") {
        return format!("the field {field} is there twice");
    }
    if let Some(what) = said.strip_prefix("EOF while parsing ") {
        return format!("it ends within {what}");
    }
    match said {
        "expected value" | "expected ident" => "a value, or text in quotes, is expected",
        "trailing characters" => "something stands behind its end",
        other => other,
    }
    .to_owned()
}

fn expected(wanted: &str) -> &str {
    match wanted {
        "a map" => "an object",
        "a sequence" => "a list",
        "a boolean" => "true or false",
        "a borrowed string" => "a string",
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on",
        _ if wanted.starts_with("struct ") => "an object",
        other => other,
    }
}

fn met(found: &str) -> &str {
    let number = ["integer `", "floating point `", "boolean `"];
    if let Some(number) = number.iter().find_map(|kind| found.strip_prefix(kind)) {
        return number.trim_end_matches('`');
    }
    match found {
        "map" => "an object",
        "sequence" => "a list",
        "unit value" => "null",
        other => other.strip_prefix("string ").unwrap_or(other),
    }
}

#[cfg(test)]
mod tests;
