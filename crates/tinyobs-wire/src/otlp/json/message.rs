//! Message: OTLP's objects as they stand in JSON, lists and numbers left as text.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer as _, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::broken;
use crate::json::Text;
use crate::otlp::BodyError;

type Raw<'a> = Option<&'a RawValue>;

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
    ResourceMetrics { resource: Raw<'a>, scope_metrics: Raw<'a>, }
    Resource { attributes: Raw<'a>, }
    Scope { name: Option<Text<'a>>, version: Option<Text<'a>>, }
    ScopeMetrics { scope: Raw<'a>, metrics: Raw<'a>, }
    Metric {
        name: Option<Text<'a>>,
        description: Option<Text<'a>>,
        unit: Option<Text<'a>>,
        gauge: Raw<'a>,
        sum: Raw<'a>,
        histogram: Raw<'a>,
        exponential_histogram: Raw<'a>,
        summary: Raw<'a>,
    }
    KeyValue { key: Option<Text<'a>>, value: Raw<'a>, }
    ExponentialBuckets { offset: Raw<'a>, bucket_counts: Raw<'a>, }
    Quantile { quantile: Raw<'a>, value: Raw<'a>, }
    Values { values: Raw<'a>, }
    DataPoint {
        attributes: Raw<'a>,
        start_time_unix_nano: Raw<'a>,
        time_unix_nano: Raw<'a>,
        flags: Raw<'a>,
        as_double: Raw<'a>,
        as_int: Raw<'a>,
        count: Raw<'a>,
        sum: Raw<'a>,
        bucket_counts: Raw<'a>,
        explicit_bounds: Raw<'a>,
        scale: Raw<'a>,
        zero_count: Raw<'a>,
        zero_threshold: Raw<'a>,
        positive: Raw<'a>,
        negative: Raw<'a>,
        quantile_values: Raw<'a>,
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
    pub is_monotonic: Option<bool>,
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
pub struct Each<'e, T, F> {
    part: F,
    /// Why `part` wants no more.
    failed: &'e mut Option<BodyError>,
    of: PhantomData<T>,
}

impl<'a, T: Deserialize<'a>, F: FnMut(T) -> Result<(), BodyError>> Each<'_, T, F> {
    pub fn of(list: &'a str, part: F) -> Result<(), BodyError> {
        let mut failed = None;
        let each = Each {
            part,
            failed: &mut failed,
            of: PhantomData,
        };
        let read = serde_json::Deserializer::from_str(list).deserialize_seq(each);
        match (failed, read) {
            (Some(error), _) => Err(error),
            (None, read) => read.map_err(|error| broken(&error)),
        }
    }
}

impl<'a, T: Deserialize<'a>, F: FnMut(T) -> Result<(), BodyError>> Visitor<'a> for Each<'_, T, F> {
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
