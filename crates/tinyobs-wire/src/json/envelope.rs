//! Envelope: the object around the items, read key by key while the items stream past.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use tinyobs_model::limits;

use super::Source;
use super::fields::read_time;
use super::item::{Fill, Item, Text};
use super::rows::Sink;
use crate::time::MILLISECONDS_FROM;

/// Reads the whole of `text` into `sink`.
///
/// With `lenient`, elements of the list are taken as raw text first, so that one without the shape
/// of an item is refused alone; otherwise it is an error here.
pub fn read(text: &str, lenient: bool, sink: &mut Sink) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_any(Envelope { lenient, sink })?;
    // I-JSON-2: nothing but white space may follow.
    json.end()
}

struct Envelope<'s> {
    lenient: bool,
    sink: &'s mut Sink,
}

impl<'de> Visitor<'de> for Envelope<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object such as {\"metrics\":[…]}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut metrics, mut source, mut unknown) = (false, false, false);
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "metrics" if metrics => return Err(A::Error::custom("`metrics` is given twice")),
                "metrics" => {
                    metrics = true;
                    map.next_value_seed(Items {
                        lenient: self.lenient,
                        sink: &mut *self.sink,
                    })?;
                }
                "source" if source => return Err(A::Error::custom("`source` is given twice")),
                "source" => {
                    source = true;
                    let read = map.next_value::<Option<SourceText<'de>>>()?;
                    self.sink.set_source(read.map(Source::from), metrics);
                }
                _ => {
                    unknown = true;
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        // An empty object sends nothing, as in the original; a bare item is a mistake.
        if unknown && !metrics {
            return Err(A::Error::custom(
                "`metrics` is missing, items belong into {\"metrics\":[…]}",
            ));
        }
        Ok(())
    }
}

struct Items<'s> {
    lenient: bool,
    sink: &'s mut Sink,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of items in `metrics`")
    }

    /// Go's encoder writes an empty list so.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { lenient, sink } = self;
        let mut item = Item::default();
        loop {
            let refused = if lenient {
                let Some(raw) = list.next_element::<&'de RawValue>()? else {
                    return Ok(());
                };
                let read = read_alone(raw.get(), &mut item);
                read.err().map(|error| (error, raw.get()))
            } else {
                if list.next_element_seed(Fill(&mut item))?.is_none() {
                    return Ok(());
                }
                None
            };
            // I-JSON-3
            if sink.items as usize == limits::ITEMS_PER_REQUEST {
                sink.too_many_items = true;
                return Err(A::Error::custom("too many items"));
            }
            match refused {
                None => sink.push(&item),
                Some((error, text)) => sink.refuse_malformed(&item, &error, text),
            }
        }
    }
}

/// Reads `source` at the front of `text`, and says how long it is; none when it is malformed.
pub fn read_source(text: &str) -> Option<(Option<Source>, usize)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Option<SourceText<'_>>>();
    let source = values.next()?.ok()?;
    Some((source.map(Source::from), values.byte_offset()))
}

/// Reads an item from a text of its own.
pub fn read_alone<'de>(text: &'de str, item: &mut Item<'de>) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    Fill(item).deserialize(&mut json)?;
    json.end()
}

/// `source` as it is written.
#[derive(serde::Deserialize)]
#[serde(expecting = "`source` as an object")]
struct SourceText<'a> {
    #[serde(borrow)]
    service: Option<Text<'a>>,
    #[serde(borrow)]
    instance: Option<Text<'a>>,
    #[serde(default, deserialize_with = "read_start")]
    start: Option<i64>,
    interval_ms: Option<u64>,
    #[serde(rename = "final")]
    is_final: Option<bool>,
}

impl From<SourceText<'_>> for Source {
    fn from(read: SourceText<'_>) -> Self {
        let owned = |text: Option<Text<'_>>| text.map_or_else(String::new, |Text(t)| t.into());
        Self {
            service: owned(read.service),
            instance: owned(read.instance),
            start_ms: read.start,
            interval_ms: read.interval_ms,
            is_final: read.is_final.unwrap_or(false),
        }
    }
}

/// As an item's time; but a clock that was not set when the process started must not cost it every push
/// from then on.
fn read_start<'de, D: Deserializer<'de>>(json: D) -> Result<Option<i64>, D::Error> {
    let raw = Option::<&'de RawValue>::deserialize(json)?.map(RawValue::get);
    let is_unset = |raw: &&str| raw.parse::<i64>().is_ok_and(|at| at < MILLISECONDS_FROM);
    let read = raw.filter(|raw| !is_unset(raw));
    read.map(|raw| read_time("`start` of `source`:", raw))
        .transpose()
        .map_err(|(_, message)| D::Error::custom(message))
}
