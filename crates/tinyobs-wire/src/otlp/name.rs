//! Name: OTel's names and units as Prometheus writes them.
//!
//!   `http.server.request.duration` in `s` ─▶ [metric] ─▶ `http_server_request_duration_seconds`
//!
//! Sources: the OpenTelemetry specification, "Prometheus and OpenMetrics compatibility", and what
//! Prometheus itself does where that is silent.
//!
//! I-OTLP-NAME-1  A name consists of letters, digits, `_` and `:` of ASCII and begins with no digit.
//! I-OTLP-NAME-2  A unit, `total` and `ratio` stand in a name once, whoever put them there.
//! Proved by: name/tests.rs.

use std::borrow::Cow;

/// What a unit's suffix depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Gauges, and sums that may fall.
    Gauge,
    /// Sums that only grow.
    Counter,
    /// Everything else.
    Other,
}

/// A metric's name, and its unit in words; "" where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// For `__name__`; empty when no character of the name can stand in one.
    pub name: String,
    /// For the metadata.
    pub unit: String,
}

/// The Prometheus name of OTel metric `name` with `unit`.
pub fn metric(name: &str, unit: &str, role: Role) -> Named {
    let is_token = |c: char| c.is_ascii_alphanumeric() || c == ':';
    let mut tokens: Vec<&str> = name
        .split(|c| !is_token(c))
        .filter(|token| !token.is_empty())
        .collect();
    if tokens.is_empty() {
        return Named::default();
    }
    let (main, per) = unit_words(unit);
    let per = per.map(|per| format!("per_{per}"));
    let main = main.unwrap_or_default();
    for word in [&*main, per.as_deref().unwrap_or_default()] {
        // `x_seconds_total` in `s` has its unit already, and so has `x_bytes_per_second`.
        if !word.is_empty() && !has_words(&tokens, word) {
            tokens.push(word);
        }
    }
    let last = match role {
        Role::Counter => Some("total"),
        Role::Gauge if unit.trim() == "1" => Some("ratio"),
        Role::Gauge | Role::Other => None,
    };
    if let Some(last) = last {
        tokens.retain(|token| *token != last);
        tokens.push(last);
    }
    let mut name = tokens.join("_");
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    let mut unit: Vec<&str> = [&*main, per.as_deref().unwrap_or_default()].into();
    unit.retain(|word| !word.is_empty());
    let mut unit = unit.join("_");
    if role == Role::Gauge && last.is_some() {
        "ratio".clone_into(&mut unit);
    }
    Named { name, unit }
}

/// Whether the words of `suffix` stand side by side among `tokens`.
fn has_words(tokens: &[&str], suffix: &str) -> bool {
    let words: Vec<&str> = suffix.split('_').collect();
    tokens.windows(words.len()).any(|some| *some == *words)
}

/// `By/s` is (`bytes`, `second`); what stands in braces is a remark.
fn unit_words(unit: &str) -> (Option<String>, Option<String>) {
    let (main, per) = match unit.split_once('/') {
        Some((main, per)) => (main, Some(per)),
        None => (unit, None),
    };
    (
        word(main, many),
        per.and_then(|per| word(per, |code| one(code).or(many(code)))),
    )
}

fn word(code: &str, known: impl Fn(&str) -> Option<&'static str>) -> Option<String> {
    let code = code.trim();
    if code.is_empty() || code == "1" || code.contains(['{', '}']) {
        return None;
    }
    if let Some(word) = known(code) {
        return Some(word.to_owned());
    }
    let parts = code.split(|c: char| !c.is_ascii_alphanumeric());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("_"))
}

/// The words of UCUM's codes, as a quantity has them.
fn many(code: &str) -> Option<&'static str> {
    Some(match code {
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tebibytes",
        "KBy" | "kBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "bit" => "bits",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "%" => "percent",
        _ => return None,
    })
}

/// The same, behind "per".
fn one(code: &str) -> Option<&'static str> {
    Some(match code {
        "s" => "second",
        "m" | "min" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        _ => return None,
    })
}

/// An attribute's key as a label name. A digit in front gets `key_` before it, as in Prometheus.
pub fn label(key: &str) -> Cow<'_, str> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let digit = key.starts_with(|c: char| c.is_ascii_digit());
    if !digit && key.chars().all(is_fine) {
        return Cow::Borrowed(key);
    }
    let clean = key.chars().map(|c| if is_fine(c) { c } else { '_' });
    let prefix = if digit { "key_" } else { "" };
    Cow::Owned(prefix.chars().chain(clean).collect())
}

#[cfg(test)]
mod tests;
