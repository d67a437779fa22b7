//! Fields: the raw numbers and times of an item, each with the rule that it breaks.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use tinyobs_model::{Kind, Refusal, limits};

use super::item::{Item, Text};
use super::shown;
use crate::time;

/// The rule an item breaks, and the sentence for people.
pub type Broken = (Refusal, String);

/// The item's type; one with buckets is a histogram.
pub fn read_kind(item: &Item<'_>) -> Result<Kind, Broken> {
    let kind = match &item.kind {
        None if item.buckets.is_some() => Kind::Histogram,
        None => Kind::Unknown,
        Some(Text(text)) => text.parse().map_err(|()| {
            let known = Kind::ALL.map(Kind::as_str).join(", ");
            let message = format!("type {:?} is not one of {known}", shown(text));
            (Refusal::TypeUnknown, message)
        })?,
    };
    if item.buckets.is_some() && kind != Kind::Histogram {
        let message = format!("an item of type {kind} has no buckets");
        return Err((Refusal::HistogramInvalid, message));
    }
    Ok(kind)
}

/// A finite number; another value breaks `rule`.
pub fn read_number(field: &str, raw: Option<&str>, rule: Refusal) -> Result<f64, Broken> {
    let raw = raw.ok_or_else(|| (rule, format!("{field} is missing")))?;
    number(raw).ok_or_else(|| {
        let message = format!("{field} is not a finite JSON number: {}", shown(raw));
        (rule, message)
    })
}

fn number(text: &str) -> Option<f64> {
    // Other JSON values begin otherwise, and Rust would take `nan` too.
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        .then(|| text.parse::<f64>().ok())?
        .filter(|value| value.is_finite())
}

/// RFC 3339, or whole milliseconds since the epoch.
pub fn read_time(field: &str, text: &str) -> Result<i64, Broken> {
    let bad = |why: &str| {
        let message = format!("{field} {} {why}", shown(text));
        Err((Refusal::TimeInvalid, message))
    };
    if text.starts_with('"') {
        let Ok(text) = serde_json::from_str::<Cow<'_, str>>(text) else {
            return bad("is not a string that can be read");
        };
        return match time::parse_rfc3339(&text) {
            Ok(time_ms) if time_ms >= 0 => Ok(time_ms),
            Ok(_) => bad("lies before 1970"),
            Err(time::BadTime::NoZone { .. }) => {
                bad("has no zone: end it with Z for UTC, or with an offset such as +01:00")
            }
            Err(_) => bad("is not RFC 3339, such as 2026-11-22T00:16:02.347Z"),
        };
    }
    match text.parse::<i64>() {
        Ok(time_ms) if time_ms >= time::MILLISECONDS_FROM => Ok(time_ms),
        Ok(_) => bad("is too small for milliseconds since the epoch; are they seconds?"),
        Err(_) => bad("is neither RFC 3339 nor whole milliseconds since the epoch"),
    }
}

/// `[[bound, count below it], …]`
pub fn read_buckets(raw: &str) -> Result<Vec<(f64, f64)>, Broken> {
    let bad = |message: String| (Refusal::HistogramInvalid, message);
    let pairs: Pairs<'_> = serde_json::from_str(raw)
        .map_err(|error| bad(format!("buckets are malformed: {}", super::reason(&error))))?;
    if pairs.count > limits::BUCKETS_PER_HISTOGRAM {
        return Err(bad(format!(
            "histogram has {} buckets, at most {} are allowed",
            pairs.count,
            limits::BUCKETS_PER_HISTOGRAM
        )));
    }
    let rule = Refusal::HistogramInvalid;
    pairs
        .kept
        .into_iter()
        .map(|(bound, count)| {
            let bound = read_number("bucket bound", Some(bound.get()), rule)?;
            let count = read_number("bucket count", Some(count.get()), rule)?;
            Ok((bound, count))
        })
        .collect()
}

/// As many pairs as there may be, and how many there are: a body of nothing else has millions.
struct Pairs<'a> {
    kept: Vec<(&'a RawValue, &'a RawValue)>,
    count: usize,
}

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Pairs<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < limits::BUCKETS_PER_HISTOGRAM {
                    match list.next_element()? {
                        Some(pair) => kept.push(pair),
                        None => break,
                    }
                }
                let mut count = kept.len();
                while list.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Pairs { kept, count })
            }
        }

        deserializer.deserialize_seq(Each)
    }
}

/// Whether bounds ascend and cumulative counts do not shrink.
pub fn check_buckets(buckets: &[(f64, f64)], count: f64) -> Result<(), Broken> {
    let bad = |message: String| Err((Refusal::HistogramInvalid, message));
    if let Some(pair) = buckets.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
        return bad(format!(
            "bucket bounds do not ascend: {} before {}",
            pair[0].0, pair[1].0
        ));
    }
    let mut below = 0.0;
    for next in buckets.iter().map(|(_, count)| *count).chain([count]) {
        if next < below {
            return bad(format!(
                "bucket counts are cumulative, yet {next} follows {below}"
            ));
        }
        below = next;
    }
    Ok(())
}
