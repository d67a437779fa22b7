//! Item: one element of `metrics`, borrowed from the body.
//!
//! Numbers and times stay raw text here: that way one that does not fit an `f64` breaks a rule
//! instead of the JSON parser, and is read by Rust's exact parser (I-JSON-4).

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};
use serde_json::value::RawValue;
use tinyobs_model::limits;

use super::shown;

/// A string that borrows from the body unless it has escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

/// One element of `metrics`, as it is written.
#[derive(Debug, Default)]
pub struct Item<'a> {
    pub name: Option<Text<'a>>,
    pub kind: Option<Text<'a>>,
    pub value: Option<&'a str>,
    pub labels: Pairs<'a>,
    pub timestamp: Option<&'a str>,
    pub start: Option<&'a str>,
    pub help: Option<Text<'a>>,
    pub unit: Option<Text<'a>>,
    pub buckets: Option<&'a str>,
    pub sum: Option<&'a str>,
    pub count: Option<&'a str>,
    /// A field that is there twice: nobody can know which one is meant.
    pub twice: Option<&'static str>,
    /// Whether there are labels, for who does not ask [`Self::see`].
    pub has_labels: bool,
    /// The fields that are there, as bits in the order of [`FIELDS`].
    seen: u16,
    /// The field that was read last, for who has to say where it is malformed.
    reading: Option<&'static str>,
}

/// What an item may have.
const FIELDS: [&str; 11] = [
    "name",
    "type",
    "value",
    "labels",
    "timestamp",
    "start",
    "help",
    "unit",
    "buckets",
    "sum",
    "count",
];

/// Labels in the order they are written; a name may come twice, which the builder refuses.
#[derive(Debug, Default)]
pub struct Pairs<'a> {
    /// At most one more than the limit: the rest is only counted.
    pub kept: Vec<(Text<'a>, Text<'a>)>,
    pub count: usize,
    /// The label that is being read.
    reading: Option<Text<'a>>,
}

impl Item<'_> {
    /// Where the item is malformed, to be put before the reason: `label "code": `.
    pub fn place(&self) -> String {
        match (self.reading, &self.labels.reading) {
            (Some("labels"), Some(Text(label))) => format!("label {:?}: ", shown(label)),
            (Some(field), _) => format!("{field}: "),
            (None, _) => String::new(),
        }
    }

    /// Notes that a field is there.
    fn see(&mut self, field: &str) -> Option<&'static str> {
        let place = FIELDS.iter().position(|known| *known == field);
        let field = place.map(|place| FIELDS[place]);
        self.reading = field;
        let bit = 1 << place?;
        if self.seen & bit != 0 {
            self.twice = self.twice.or(field);
        }
        self.seen |= bit;
        field
    }

    /// Forgets everything but keeps the memory for labels.
    pub fn clear(&mut self) {
        let mut labels = std::mem::take(&mut self.labels);
        labels.clear();
        *self = Self {
            labels,
            ..Self::default()
        };
    }
}

impl<'a> Pairs<'a> {
    /// An object of strings on its own; `null` is one without entries.
    pub fn deserialize_object<D: Deserializer<'a>>(json: D) -> Result<Self, D::Error> {
        let mut pairs = Self::default();
        FillPairs(&mut pairs).deserialize(json)?;
        Ok(pairs)
    }

    pub fn clear(&mut self) {
        self.kept.clear();
        self.count = 0;
        self.reading = None;
    }
}

/// Reads an item into memory that was used before.
pub struct Fill<'s, 'a>(pub &'s mut Item<'a>);

impl<'de> DeserializeSeed<'de> for Fill<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item such as {\"name\":\"…\",\"value\":1}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(item) = self;
        item.clear();
        while let Some(Text(key)) = map.next_key()? {
            match item.see(&key).unwrap_or_default() {
                "name" => item.name = map.next_value()?,
                "type" => item.kind = map.next_value()?,
                "value" => item.value = raw(&mut map)?,
                "labels" => map.next_value_seed(FillPairs(&mut item.labels))?,
                "timestamp" => item.timestamp = raw(&mut map)?,
                "start" => item.start = raw(&mut map)?,
                "help" => item.help = map.next_value()?,
                "unit" => item.unit = map.next_value()?,
                "buckets" => item.buckets = raw(&mut map)?,
                "sum" => item.sum = raw(&mut map)?,
                "count" => item.count = raw(&mut map)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        item.reading = None;
        Ok(())
    }
}

/// A value as it is written; `null` is none.
fn raw<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<&'de str>, A::Error> {
    let raw = map.next_value::<Option<&'de RawValue>>()?;
    Ok(raw.map(RawValue::get))
}

struct FillPairs<'s, 'a>(&'s mut Pairs<'a>);

impl<'de> DeserializeSeed<'de> for FillPairs<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FillPairs<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    /// `null` is as good as no labels.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.clear();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(pairs) = self;
        pairs.clear();
        while let Some(name) = map.next_key::<Text<'_>>()? {
            pairs.reading = Some(name);
            let value = map.next_value()?;
            let name = pairs.reading.take();
            if pairs.count <= limits::LABELS_PER_SERIES {
                pairs.kept.extend(name.map(|name| (name, value)));
            }
            pairs.count += 1;
        }
        pairs.reading = None;
        Ok(())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}
