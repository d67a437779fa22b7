//! Original: what the Go original exported, item by item.
//!
//!   `{"metadata":{…},"metrics":[{"name":…,"type":…,"value":…,"labels":{…},"timestamp":…},…]}`
//!   file ─▶ [items], one element of `metrics` after another ─▶ [Item::parse] ─▶ one sample
//!
//! Such a file holds what a store of the original held: samples, and among them the means that it
//! had made of five minutes or an hour, marked by labels such as `__resolution__`. A mean becomes a
//! sample of its series at the start of its window, and says nothing about the metric's type: the
//! original calls every mean a gauge, those of counters too.
//!
//! I-ORIGINAL-1  An item is read as `POST /v1/ingest` reads one, except that it needs a time.
//! I-ORIGINAL-2  The labels that marked a mean are not part of its series.
//! I-ORIGINAL-3  A file is read element by element; none may be longer than `limits::ITEM_BYTES`.
//! Proved by: original/tests.rs, fuzz target `import`.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use tinyobs_model::{Kind, Refusal, Sample, limits};

use crate::json::fields::{Broken, read_kind, read_number, read_time};
use crate::json::item::{self, Fill, Text};
use crate::json::{reason, reason_at};

/// The label that only means have.
const RESOLUTION: &str = "__resolution__";
/// What else the original put into the labels of a mean.
const MARKS: [&str; 5] = [RESOLUTION, "__count__", "__sum__", "__min__", "__max__"];

/// One element of `metrics`.
#[derive(Debug, PartialEq)]
pub struct Item<'a> {
    /// The metric's name.
    pub name: Cow<'a, str>,
    /// Its labels.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What the number means.
    pub kind: Kind,
    /// The sample.
    pub sample: Sample,
}

impl<'a> Item<'a> {
    /// Reads an element.
    ///
    /// # Errors
    /// The rule that it breaks, and the sentence for people.
    pub fn parse(text: &'a str) -> Result<Self, Broken> {
        let mut item = item::Item::default();
        let mut json = serde_json::Deserializer::from_str(text);
        Fill(&mut item)
            .deserialize(&mut json)
            .and_then(|()| json.end())
            .map_err(|error| {
                let message = format!("item is malformed: {}", reason(&error));
                (Refusal::Malformed, message)
            })?;
        let name = item
            .name
            .take()
            .map_or(Cow::Borrowed(""), |Text(name)| name);
        if item.labels.count > limits::LABELS_PER_SERIES {
            let (count, most) = (item.labels.count, limits::LABELS_PER_SERIES);
            let message = format!("item has {count} labels, at most {most} are allowed");
            return Err((Refusal::TooManyLabels, message));
        }
        let Some(time) = item.timestamp else {
            return Err((Refusal::TimeInvalid, "timestamp is missing".to_owned()));
        };
        let time_ms = read_time("timestamp", time)?;
        let value = read_number("value", item.value, Refusal::ValueNotANumber)?;
        let mut kind = read_kind(&item)?;
        let pairs = item.labels.kept.into_iter();
        let mut labels: Vec<_> = pairs
            .map(|(Text(name), Text(value))| (name, value))
            .collect();
        if labels.iter().any(|(name, _)| name == RESOLUTION) {
            labels.retain(|(name, _)| !MARKS.contains(&&**name));
            kind = Kind::Unknown;
        }
        Ok(Self {
            name,
            labels,
            kind,
            sample: Sample::new(time_ms, value),
        })
    }
}

/// Whether a file that begins like this is an export of the original.
pub fn looks_like_one(start: &str) -> bool {
    let rest = start.trim_start().strip_prefix('{').unwrap_or_default();
    let rest = rest.trim_start();
    rest.starts_with("\"metadata\"") || rest.starts_with("\"metrics\"")
}

/// Hands each element of the list `metrics` to `each`, as it is written, until that says no.
///
/// # Errors
/// The file is not such an object, breaks off, or an element is too long; what was handed over
/// before stands.
pub fn items(file: impl Read, mut each: impl FnMut(&str) -> bool) -> Result<(), String> {
    let left = Cell::new(limits::ITEM_BYTES);
    let mut reading = Reading {
        each: &mut each,
        left: &left,
        stopped: false,
    };
    let metered = Metered { file, left: &left };
    let mut json = serde_json::Deserializer::from_reader(io::BufReader::new(metered));
    let read = json.deserialize_map(&mut reading).and_then(|()| json.end());
    match read {
        Err(_) if reading.stopped => Ok(()),
        Err(error) if error.is_io() => Err(error.to_string()),
        Err(error) => Err(reason_at(&error)),
        Ok(()) => Ok(()),
    }
}

/// Lets a bounded number of bytes through for each element (I-ORIGINAL-3), a buffer more or less.
struct Metered<'c, R> {
    file: R,
    left: &'c Cell<usize>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        let left = self.left.get().checked_sub(read).ok_or_else(|| {
            let message = format!("an element has more than {} bytes", limits::ITEM_BYTES);
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        self.left.set(left);
        Ok(read)
    }
}

struct Reading<'c, F> {
    each: &'c mut F,
    left: &'c Cell<usize>,
    stopped: bool,
}

impl<'de, F: FnMut(&str) -> bool> Visitor<'de> for &mut Reading<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list of metrics")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "metrics" {
                map.next_value_seed(&mut *self)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    /// Go writes `null` for an empty list.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(raw) = list.next_element::<Box<RawValue>>()? {
            self.left.set(limits::ITEM_BYTES);
            if !(self.each)(raw.get()) {
                self.stopped = true;
                return Err(A::Error::custom("no more is wanted"));
            }
        }
        Ok(())
    }
}

impl<'de, F: FnMut(&str) -> bool> DeserializeSeed<'de> for &mut Reading<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

#[cfg(test)]
mod tests;
