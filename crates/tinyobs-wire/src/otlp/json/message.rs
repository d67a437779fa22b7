//! Message: OTLP's objects as they stand in JSON, lists and numbers left as text.
//!
//! I-OTLP-JSON-1  Where the JSON is whole, no element of a list of points, or of what points stand in,
//!                ends the reading of its neighbours.
//! Proved by: otlp/tests/json_places.rs.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{Text, reason};

/// A value as it is written, if it is there and not null.
pub type Raw<'a> = Option<&'a RawValue>;

/// What is an object: by itself serde takes a list for one as well, field by field.
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(Of(PhantomData))
    }
}

struct Of<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Of<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// Declares an object whose fields may all be missing; fields that are not listed are ignored.
macro_rules! objects {
    ($($name:ident { $($field:ident: $kind:ty,)* })*) => {
        $(
            #[derive(Debug, Default, Deserialize)]
            #[serde(default, rename_all = "camelCase")]
            pub struct $name<'a> {
                $(#[serde(borrow)] pub $field: $kind,)*
            }
        )*
    };
}

objects! {
    Request { resource_metrics: Raw<'a>, }
    Resource { attributes: Raw<'a>, }
    Scope { name: Option<Text<'a>>, version: Option<Text<'a>>, }
    KeyValue { key: Option<Text<'a>>, value: Raw<'a>, }
    ExponentialBuckets { offset: Raw<'a>, bucket_counts: Raw<'a>, }
    Quantile { quantile: Raw<'a>, value: Raw<'a>, }
    Values { values: Raw<'a>, }
}

/// Declares an element of a list whose neighbours must not notice when it is wrong: reading it never
/// fails where the JSON is whole.
macro_rules! elements {
    ($($name:ident { $($field:ident: $key:literal,)* })*) => {
        $(
            #[derive(Debug, Default)]
            pub struct $name<'a> {
                $(pub $field: Raw<'a>,)*
                /// What is wrong with it.
                pub wrong: Option<String>,
            }

            impl<'a> Element<'a> for $name<'a> {
                fn field(&mut self, key: &str) -> Option<&mut Raw<'a>> {
                    match key {
                        $($key => Some(&mut self.$field),)*
                        _ => None,
                    }
                }

                fn break_as(&mut self, wrong: String) {
                    self.wrong.get_or_insert(wrong);
                }
            }

            impl<'de> Deserialize<'de> for $name<'de> {
                fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
                    json.deserialize_any(Fill(PhantomData))
                }
            }
        )*
    };
}

elements! {
    ResourceMetrics { resource: "resource", scope_metrics: "scopeMetrics", }
    ScopeMetrics { scope: "scope", metrics: "metrics", }
    Metric {
        name: "name",
        description: "description",
        unit: "unit",
        gauge: "gauge",
        sum: "sum",
        histogram: "histogram",
        exponential_histogram: "exponentialHistogram",
        summary: "summary",
    }
    DataPoint {
        attributes: "attributes",
        start_time_unix_nano: "startTimeUnixNano",
        time_unix_nano: "timeUnixNano",
        flags: "flags",
        as_double: "asDouble",
        as_int: "asInt",
        count: "count",
        sum: "sum",
        bucket_counts: "bucketCounts",
        explicit_bounds: "explicitBounds",
        scale: "scale",
        zero_count: "zeroCount",
        zero_threshold: "zeroThreshold",
        positive: "positive",
        negative: "negative",
        quantile_values: "quantileValues",
    }
}

/// What is read field by field.
trait Element<'a>: Default {
    /// Where the value of a key belongs, if anybody wants it.
    fn field(&mut self, key: &str) -> Option<&mut Raw<'a>>;

    /// Notes the first thing that is wrong.
    fn break_as(&mut self, wrong: String);
}

struct Fill<T>(PhantomData<T>);

impl<T> Fill<T> {
    fn no_object<'a>(what: &str) -> T
    where
        T: Element<'a>,
    {
        let mut element = T::default();
        element.break_as(format!("is {what}, which must be an object"));
        element
    }
}

impl<'de, T: Element<'de>> Visitor<'de> for Fill<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut element = T::default();
        while let Some(Text(key)) = map.next_key()? {
            match element.field(&key) {
                Some(field @ None) => *field = map.next_value()?,
                known => {
                    let is_twice = known.is_some();
                    map.next_value::<IgnoredAny>()?;
                    if is_twice {
                        element.break_as(format!("has the field {key} twice"));
                    }
                }
            }
        }
        Ok(element)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::no_object("a list"))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(Self::no_object("null"))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<T, E> {
        Ok(Self::no_object("a boolean"))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<T, E> {
        Ok(Self::no_object("a string"))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<T, E> {
        Ok(Self::no_object("a number"))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<T, E> {
        Ok(Self::no_object("a number"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<T, E> {
        Ok(Self::no_object("a number"))
    }
}

/// Of all kinds of metrics.
#[expect(clippy::struct_field_names, reason = "OTLP's names")]
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Data<'a> {
    #[serde(borrow)]
    pub data_points: Raw<'a>,
    #[serde(borrow)]
    pub aggregation_temporality: Raw<'a>,
    #[serde(borrow)]
    pub is_monotonic: Raw<'a>,
}

/// A value of any type: at most one field is there.
#[expect(clippy::struct_field_names, reason = "OTLP's names")]
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AnyValue<'a> {
    #[serde(borrow)]
    pub string_value: Option<Text<'a>>,
    pub bool_value: Option<bool>,
    #[serde(borrow)]
    pub int_value: Raw<'a>,
    #[serde(borrow)]
    pub double_value: Raw<'a>,
    #[serde(borrow)]
    pub array_value: Raw<'a>,
    #[serde(borrow)]
    pub kvlist_value: Raw<'a>,
    #[serde(borrow)]
    pub bytes_value: Option<Text<'a>>,
}

/// Goes through a list without keeping it.
pub struct Each<'e, T, F, E> {
    part: F,
    /// Why `part` wants no more.
    failed: &'e mut Option<E>,
    of: PhantomData<T>,
}

impl<'a, T: Deserialize<'a>, F: FnMut(T) -> Result<(), E>, E> Each<'_, T, F, E> {
    /// What `part` came to; an error when it is no list, or not one of these.
    pub fn of(list: &'a str, part: F) -> Result<Result<(), E>, String> {
        let mut failed = None;
        let each = Each {
            part,
            failed: &mut failed,
            of: PhantomData,
        };
        let read = serde_json::Deserializer::from_str(list).deserialize_seq(each);
        match (failed, read) {
            (Some(error), _) => Ok(Err(error)),
            (None, read) => read.map(Ok).map_err(|error| reason(&error)),
        }
    }
}

impl<'a, T: Deserialize<'a>, F: FnMut(T) -> Result<(), E>, E> Visitor<'a> for Each<'_, T, F, E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(one) = list.next_element()? {
            if let Err(error) = (self.part)(one) {
                *self.failed = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
