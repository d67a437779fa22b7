//! Scalar: numbers, words and enumerations of OTLP's JSON, and what is wrong with them.

use std::borrow::Cow;

use serde_json::value::RawValue;
use tinyobs_model::Refusal;

use super::message::Raw;
use crate::json::{Text, shown};
use crate::otlp::point::{Broken, Temporality};

/// What is wrong with a field of an element.
#[derive(Debug)]
pub struct Wrong {
    /// The rule that it breaks.
    pub rule: Refusal,
    /// The field and what is wrong with it: `asInt is not a whole number: 1.5`.
    pub what: String,
}

impl Wrong {
    pub fn malformed(field: &str, reason: &str) -> Self {
        Self {
            rule: Refusal::Malformed,
            what: format!("{field}: {reason}"),
        }
    }

    /// The same with the path of the element before it.
    pub fn at(self, path: &str) -> Broken {
        (self.rule, format!("{path}.{}", self.what))
    }
}

/// What a 64-bit number may be written as: a number, or a string of one.
fn digits(raw: &RawValue) -> &str {
    let text = raw.get();
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text)
}

fn wrong<T>(field: &str, rule: Refusal, what: &str, raw: &RawValue) -> Result<T, Wrong> {
    let what = format!("{field} is not {what}: {}", shown(raw.get()));
    Err(Wrong { rule, what })
}

/// A whole number from 0 on; 0 when it is missing.
pub fn unsigned(field: &str, rule: Refusal, raw: Raw<'_>) -> Result<u64, Wrong> {
    let Some(raw) = raw else {
        return Ok(0);
    };
    match digits(raw).parse() {
        Ok(number) => Ok(number),
        Err(_) => wrong(field, rule, "a whole number from 0 on", raw),
    }
}

/// A whole number.
pub fn int(field: &str, raw: &RawValue) -> Result<i64, Wrong> {
    match digits(raw).parse() {
        Ok(number) => Ok(number),
        Err(_) => wrong(field, Refusal::ValueNotANumber, "a whole number", raw),
    }
}

/// A whole number of 32 bits; 0 when it is missing.
pub fn int32(field: &str, raw: Raw<'_>) -> Result<i32, Wrong> {
    let Some(raw) = raw else {
        return Ok(0);
    };
    match digits(raw).parse() {
        Ok(number) => Ok(number),
        Err(_) => wrong(
            field,
            Refusal::HistogramInvalid,
            "a whole number of 32 bits",
            raw,
        ),
    }
}

/// A number, or one of the three that JSON has none for, by name.
pub fn double(field: &str, rule: Refusal, raw: &RawValue) -> Result<f64, Wrong> {
    let begins = |text: &str| text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let read = match digits(raw) {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // One that is too large for a double is no infinity.
        text => begins(text)
            .then(|| text.parse().ok())
            .flatten()
            .filter(|number: &f64| number.is_finite()),
    };
    match read {
        Some(number) => Ok(number),
        None => wrong(
            field,
            rule,
            "a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
            raw,
        ),
    }
}

/// A text; empty when it is missing.
pub fn words<'a>(field: &str, raw: Raw<'a>) -> Result<Cow<'a, str>, Wrong> {
    let Some(raw) = raw else {
        return Ok(Cow::Borrowed(""));
    };
    match serde_json::from_str::<Text<'a>>(raw.get()) {
        Ok(Text(text)) => Ok(text),
        Err(_) => wrong(field, Refusal::Malformed, "a string", raw),
    }
}

/// A boolean; false when it is missing.
pub fn flag(field: &str, raw: Raw<'_>) -> Result<bool, Wrong> {
    match raw.map(|raw| (raw, raw.get())) {
        None | Some((_, "false")) => Ok(false),
        Some((_, "true")) => Ok(true),
        Some((raw, _)) => wrong(field, Refusal::Malformed, "true or false", raw),
    }
}

/// A number of the enumeration, or its name.
pub fn temporality(raw: Raw<'_>) -> Result<Temporality, Wrong> {
    let Some(raw) = raw else {
        return Ok(Temporality::Unspecified);
    };
    let text = digits(raw);
    match text
        .strip_prefix("AGGREGATION_TEMPORALITY_")
        .unwrap_or(text)
    {
        "1" | "DELTA" => Ok(Temporality::Delta),
        "2" | "CUMULATIVE" => Ok(Temporality::Cumulative),
        "0" | "UNSPECIFIED" => Ok(Temporality::Unspecified),
        _ => wrong(
            "aggregationTemporality",
            Refusal::TypeUnknown,
            "1 (AGGREGATION_TEMPORALITY_DELTA) or 2 (AGGREGATION_TEMPORALITY_CUMULATIVE)",
            raw,
        ),
    }
}
