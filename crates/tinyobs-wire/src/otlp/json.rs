//! JSON: a request in OTLP's JSON, read list by list.
//!
//!   text ─▶ [read] ─▶ [`Sink`](super::rows::Sink)
//!
//! An object is read into a small struct whose lists stay raw text, and a list is gone through
//! element by element: so fields may come in any order, and no list becomes memory before its
//! elements are counted. Numbers stay text too, because 64-bit ones are strings in OTLP, and Rust's
//! parser reads every `f64` bit for bit.
//!
//! Proved by: otlp/tests.rs.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use tinyobs_model::limits;

use super::BodyError;
use super::any::{Any, AnyError, Levels, text};
use super::point::{
    Attributes, Broken, Buckets, Metric, Place, Point, Shape, Temporality, push_capped,
};
use super::rows::Sink;
use crate::json::{Text, shown};

mod message;

use message::{
    AnyValue, Data, DataPoint, ExponentialBuckets, KeyValue, Metric as MetricMessage, Quantile,
    Request, Resource, ResourceMetrics, Scope, ScopeMetrics, Values,
};

/// Why the text cannot be read.
pub fn broken(reason: &impl ToString) -> BodyError {
    BodyError::Json {
        reason: shown(&reason.to_string()),
    }
}

/// Reads an `ExportMetricsServiceRequest`.
pub fn read(body: &[u8], sink: &mut Sink<'_>) -> Result<(), BodyError> {
    let request: Request<'_> = serde_json::from_slice(body).map_err(|error| broken(&error))?;
    let mut point = Point::default();
    each(request.resource_metrics, |one| {
        resource(&one, sink, &mut point)
    })
}

/// Calls `part` with every element of a list; null and nothing are empty.
pub fn each<'a, T: Deserialize<'a>>(
    list: Option<&'a RawValue>,
    part: impl FnMut(T) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    let Some(list) = list else {
        return Ok(());
    };
    message::Each::of(list.get(), part)
}

/// An object, or its defaults when it is not there.
fn object<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> Result<T, BodyError> {
    match raw {
        Some(raw) => serde_json::from_str(raw.get()).map_err(|error| broken(&error)),
        None => Ok(T::default()),
    }
}

/// A text that may be missing.
fn words(text: Option<Text<'_>>) -> Cow<'_, str> {
    text.map_or(Cow::Borrowed(""), |Text(text)| text)
}

fn resource<'a>(
    message: &ResourceMetrics<'a>,
    sink: &mut Sink<'_>,
    point: &mut Point<'a>,
) -> Result<(), BodyError> {
    let resource: Resource<'a> = object(message.resource)?;
    let mut place = Place::default();
    read_attributes(resource.attributes, &mut place.attributes)?;
    each(message.scope_metrics, |metrics: ScopeMetrics<'a>| {
        let scope: Scope<'a> = object(metrics.scope)?;
        place.set_scope(words(scope.name), words(scope.version));
        each(metrics.metrics, |one| metric(one, &mut place, sink, point))
    })?;
    sink.end_resource(&place);
    Ok(())
}

fn read_attributes<'a>(
    list: Option<&'a RawValue>,
    attributes: &mut Attributes<'a>,
) -> Result<(), BodyError> {
    each(list, |pair: KeyValue<'a>| {
        let any: AnyValue<'a> = object(pair.value)?;
        let value = match any.string_value {
            Some(text) => Ok(text.0),
            None => text(any.level()?, &Json).map(|text| Cow::Owned(text.into_owned())),
        };
        match value {
            Ok(value) => {
                attributes.push(words(pair.key), value);
            }
            Err(AnyError::Broken((rule, message))) => attributes.break_as(rule, message),
            Err(AnyError::Body(error)) => return Err(error),
        }
        Ok(())
    })
}

fn metric<'a>(
    message: MetricMessage<'a>,
    place: &mut Place<'a>,
    sink: &mut Sink<'_>,
    point: &mut Point<'a>,
) -> Result<(), BodyError> {
    let kinds = [
        message.gauge,
        message.sum,
        message.histogram,
        message.exponential_histogram,
        message.summary,
    ];
    let Some((kind, data)) = (0..).zip(kinds).find_map(|(kind, raw)| Some((kind, raw?))) else {
        return Ok(());
    };
    let data: Data<'a> = object(Some(data))?;
    let temporality = temporality(data.aggregation_temporality)?;
    let shape = match kind {
        0 => Shape::Gauge,
        1 => Shape::Sum {
            is_monotonic: data.is_monotonic.unwrap_or_default(),
            temporality,
        },
        2 => Shape::Histogram(temporality),
        3 => Shape::Exponential(temporality),
        _ => Shape::Summary,
    };
    let metric = Metric {
        name: words(message.name),
        description: words(message.description),
        unit: words(message.unit),
        shape,
    };
    let mut is_told = false;
    each(data.data_points, |one: DataPoint<'a>| {
        if !std::mem::replace(&mut is_told, true) {
            sink.begin(place, &metric);
        }
        point.clear();
        fill(&one, shape, point)?;
        sink.point(point)
    })
}

/// A number of the enumeration, or its name.
fn temporality(raw: Option<&RawValue>) -> Result<Temporality, BodyError> {
    let text = raw.map_or("0", |raw| raw.get().trim_matches('"'));
    Ok(
        match text
            .strip_prefix("AGGREGATION_TEMPORALITY_")
            .unwrap_or(text)
        {
            "1" | "DELTA" => Temporality::Delta,
            "2" | "CUMULATIVE" => Temporality::Cumulative,
            "0" | "UNSPECIFIED" => Temporality::Unspecified,
            _ => {
                return Err(broken(&format!(
                    "aggregationTemporality {text:?} is unknown"
                )));
            }
        },
    )
}

fn fill<'a>(from: &DataPoint<'a>, shape: Shape, point: &mut Point<'a>) -> Result<(), BodyError> {
    read_attributes(from.attributes, &mut point.attributes)?;
    point.start_ns = unsigned(from.start_time_unix_nano)?;
    point.time_ns = unsigned(from.time_unix_nano)?;
    point.flags = unsigned(from.flags)?;
    point.count = unsigned(from.count)?;
    point.sum = from.sum.map(double).transpose()?;
    match (from.as_double, from.as_int) {
        (Some(raw), _) => point.number = Some(double(raw)?),
        (None, Some(raw)) => point.number = Some(int(raw)? as f64),
        (None, None) => {}
    }
    let broken = &mut point.broken;
    match shape {
        Shape::Histogram(_) => {
            const MAX: usize = limits::BUCKETS_PER_HISTOGRAM;
            each(from.bucket_counts, |raw| {
                push_capped(&mut point.counts, unsigned(Some(raw))?, MAX + 1, broken);
                Ok(())
            })?;
            each(from.explicit_bounds, |raw| {
                push_capped(&mut point.bounds, double(raw)?, MAX, broken);
                Ok(())
            })?;
        }
        Shape::Exponential(_) => {
            point.scale = from.scale.map_or(Ok(0), int)? as i32;
            point.zero_count = unsigned(from.zero_count)?;
            point.zero_threshold = from.zero_threshold.map_or(Ok(0.0), double)?;
            buckets(from.positive, &mut point.positive, broken)?;
            buckets(from.negative, &mut point.negative, broken)?;
        }
        Shape::Summary => {
            point.sum = point.sum.or(Some(0.0));
            each(from.quantile_values, |one: Quantile<'a>| {
                const MAX: usize = limits::BUCKETS_PER_HISTOGRAM;
                let quantile = one.quantile.map_or(Ok(0.0), double)?;
                let value = one.value.map_or(Ok(0.0), double)?;
                push_capped(&mut point.quantiles, (quantile, value), MAX, broken);
                Ok(())
            })?;
        }
        Shape::Gauge | Shape::Sum { .. } => {}
    }
    Ok(())
}

fn buckets<'a>(
    raw: Option<&'a RawValue>,
    buckets: &mut Buckets,
    broken: &mut Option<Broken>,
) -> Result<(), BodyError> {
    const MAX: usize = limits::OTLP_EXPONENTIAL_BUCKETS;
    let from: ExponentialBuckets<'a> = object(raw)?;
    buckets.offset = from.offset.map_or(Ok(0), int)? as i32;
    each(from.bucket_counts, |raw| {
        push_capped(&mut buckets.counts, unsigned(Some(raw))?, MAX, broken);
        Ok(())
    })
}

/// What a 64-bit number may be written as: a number, or a string of one.
fn digits(raw: &RawValue) -> &str {
    let text = raw.get();
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text)
}

fn unsigned(raw: Option<&RawValue>) -> Result<u64, BodyError> {
    let Some(raw) = raw else {
        return Ok(0);
    };
    let text = digits(raw);
    text.parse()
        .map_err(|_| broken(&format!("{} is not a whole number from 0 on", shown(text))))
}

fn int(raw: &RawValue) -> Result<i64, BodyError> {
    let text = digits(raw);
    text.parse()
        .map_err(|_| broken(&format!("{} is not a whole number", shown(text))))
}

fn double(raw: &RawValue) -> Result<f64, BodyError> {
    match digits(raw) {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        text if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => text
            .parse()
            .map_err(|_| broken(&format!("{} is not a number", shown(text)))),
        text => Err(broken(&format!("{} is not a number", shown(text)))),
    }
}

/// Levels of JSON text.
struct Json;

impl Levels for Json {
    fn list(
        &self,
        list: &[u8],
        one: &mut dyn FnMut(Any<'_>) -> Result<(), AnyError>,
    ) -> Result<(), AnyError> {
        let values: Values<'_> = serde_json::from_slice(list).map_err(|error| broken(&error))?;
        let mut failed = None;
        each(values.values, |any: AnyValue<'_>| {
            if failed.is_none() {
                failed = any
                    .level()
                    .map_err(AnyError::Body)
                    .and_then(&mut *one)
                    .err();
            }
            Ok(())
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn map(
        &self,
        map: &[u8],
        one: &mut dyn FnMut(&str, Any<'_>) -> Result<(), AnyError>,
    ) -> Result<(), AnyError> {
        let values: Values<'_> = serde_json::from_slice(map).map_err(|error| broken(&error))?;
        let mut failed = None;
        each(values.values, |pair: KeyValue<'_>| {
            if failed.is_none() {
                let any: AnyValue<'_> = object(pair.value)?;
                let level = any.level().map_err(AnyError::Body);
                failed = level.and_then(|level| one(&words(pair.key), level)).err();
            }
            Ok(())
        })?;
        failed.map_or(Ok(()), Err)
    }
}

impl AnyValue<'_> {
    /// One level of it.
    fn level(&self) -> Result<Any<'_>, BodyError> {
        Ok(if let Some(text) = &self.string_value {
            Any::Text(&text.0)
        } else if let Some(yes) = self.bool_value {
            Any::Bool(yes)
        } else if let Some(raw) = self.int_value {
            Any::Int(int(raw)?)
        } else if let Some(raw) = self.double_value {
            Any::Double(double(raw)?)
        } else if let Some(raw) = self.array_value {
            Any::List(raw.get().as_bytes())
        } else if let Some(raw) = self.kvlist_value {
            Any::Map(raw.get().as_bytes())
        } else if let Some(text) = &self.bytes_value {
            // It is base64 already.
            Any::Text(&text.0)
        } else {
            Any::Nothing
        })
    }
}
