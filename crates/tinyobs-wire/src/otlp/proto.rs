//! Proto: a request in protobuf, read field by field.
//!
//!   bytes ─▶ [read] ─▶ [`Sink`](super::rows::Sink)
//!
//! A message's fields may come in any order, and what its points mean may stand behind them: each
//! message is gone through twice, first for what its parts share, then for the parts. That is cheap,
//! because going past a part is one addition.
//! Numbers of fields: opentelemetry-proto, `metrics/v1/metrics.proto`.
//!
//! Proved by: otlp/tests.rs.

use std::borrow::Cow;

use tinyobs_model::limits;

use super::any::{AnyError, Proto, text};
use super::point::{
    Attributes, Broken, Buckets, Metric, Place, Point, Shape, Temporality, push_capped,
};
use super::rows::Sink;
use super::{BodyError, text_of};
use crate::proto::{Fields, ProtoError, Value, packed_fixed64, packed_varints};

/// Reads an `ExportMetricsServiceRequest`.
pub fn read(body: &[u8], sink: &mut Sink<'_>) -> Result<(), BodyError> {
    let mut point = Point::default();
    each_message(body, 1, |resource_metrics| {
        resource(resource_metrics, sink, &mut point)
    })
}

/// Calls `part` with every sub-message of field `number`.
pub fn each_message<'a>(
    message: &'a [u8],
    number: u32,
    mut part: impl FnMut(&'a [u8]) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    let mut fields = Fields::new(message);
    while let Some((found, value)) = fields.next_field()? {
        if let (true, Value::Bytes(bytes)) = (found == number, value) {
            part(bytes)?;
        }
    }
    Ok(())
}

/// The last sub-message of field `number`, or an empty one.
fn message_of(message: &[u8], number: u32) -> Result<&[u8], BodyError> {
    let mut last = &[][..];
    each_message(message, number, |bytes| {
        last = bytes;
        Ok(())
    })?;
    Ok(last)
}

fn resource<'a>(
    message: &'a [u8],
    sink: &mut Sink<'_>,
    point: &mut Point<'a>,
) -> Result<(), BodyError> {
    let mut place = Place::default();
    each_message(message_of(message, 1)?, 1, |pair| {
        attribute(pair, &mut place.attributes)
    })?;
    each_message(message, 2, |scope_metrics| {
        let (mut name, mut version) = ("", "");
        let mut fields = Fields::new(message_of(scope_metrics, 1)?);
        while let Some((number, value)) = fields.next_field()? {
            match number {
                1 => name = text_of(value.bytes())?,
                2 => version = text_of(value.bytes())?,
                _ => {}
            }
        }
        place.set_scope(Cow::Borrowed(name), Cow::Borrowed(version));
        each_message(scope_metrics, 2, |bytes| {
            metric(bytes, &mut place, sink, point)
        })
    })?;
    sink.end_resource(&place);
    Ok(())
}

fn attribute<'a>(pair: &'a [u8], attributes: &mut Attributes<'a>) -> Result<(), BodyError> {
    let (key, any) = Proto::pair(pair)?;
    match text(any, &Proto) {
        Ok(value) => {
            attributes.push(Cow::Borrowed(key), value);
        }
        Err(AnyError::Broken((rule, message))) => attributes.break_as(rule, message),
        Err(AnyError::Body(error)) => return Err(error),
    }
    Ok(())
}

fn metric<'a>(
    message: &'a [u8],
    place: &mut Place<'a>,
    sink: &mut Sink<'_>,
    point: &mut Point<'a>,
) -> Result<(), BodyError> {
    let (mut name, mut description, mut unit, mut data) = ("", "", "", None);
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next_field()? {
        match number {
            1 => name = text_of(value.bytes())?,
            2 => description = text_of(value.bytes())?,
            3 => unit = text_of(value.bytes())?,
            5 | 7 | 9 | 10 | 11 => data = Some((number, value.bytes())),
            _ => {}
        }
    }
    let Some((number, data)) = data else {
        return Ok(());
    };
    let metric = Metric {
        name: Cow::Borrowed(name),
        description: Cow::Borrowed(description),
        unit: Cow::Borrowed(unit),
        shape: shape(number, data)?,
        broken: None,
    };
    let mut is_told = false;
    each_message(data, 1, |bytes| {
        if !std::mem::replace(&mut is_told, true) {
            sink.begin(place, &metric);
        }
        point.clear();
        match number {
            9 => histogram(bytes, point)?,
            10 => exponential(bytes, point)?,
            11 => summary(bytes, point)?,
            _ => scalar(bytes, point)?,
        }
        sink.point(point)
    })
}

fn shape(number: u32, data: &[u8]) -> Result<Shape, BodyError> {
    let (mut temporality, mut is_monotonic) = (Temporality::Unspecified, false);
    let mut fields = Fields::new(data);
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (2, Value::Varint(1)) => temporality = Temporality::Delta,
            (2, Value::Varint(2)) => temporality = Temporality::Cumulative,
            (3, Value::Varint(yes)) => is_monotonic = yes != 0,
            _ => {}
        }
    }
    Ok(match number {
        7 => Shape::Sum {
            is_monotonic,
            temporality,
        },
        9 => Shape::Histogram(temporality),
        10 => Shape::Exponential(temporality),
        11 => Shape::Summary,
        _ => Shape::Gauge,
    })
}

/// `NumberDataPoint`
fn scalar<'a>(message: &'a [u8], point: &mut Point<'a>) -> Result<(), BodyError> {
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next_field()? {
        match number {
            2 => point.start_ns = value.number(),
            3 => point.time_ns = value.number(),
            4 => point.number = Some(value.double()),
            6 => point.number = Some(value.signed() as f64),
            7 => attribute(value.bytes(), &mut point.attributes)?,
            8 => point.flags = value.number(),
            _ => {}
        }
    }
    Ok(())
}

/// `HistogramDataPoint`
fn histogram<'a>(message: &'a [u8], point: &mut Point<'a>) -> Result<(), BodyError> {
    const MAX: usize = limits::BUCKETS_PER_HISTOGRAM;
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next_field()? {
        match number {
            2 => point.start_ns = value.number(),
            3 => point.time_ns = value.number(),
            4 => point.count = value.number(),
            5 => point.sum = Some(value.double()),
            6 => each_fixed64(value, |one| {
                push_capped(&mut point.counts, one, MAX + 1, &mut point.broken)
            })?,
            7 => each_fixed64(value, |one| {
                let bound = f64::from_bits(one);
                push_capped(&mut point.bounds, bound, MAX, &mut point.broken)
            })?,
            9 => attribute(value.bytes(), &mut point.attributes)?,
            10 => point.flags = value.number(),
            _ => {}
        }
    }
    Ok(())
}

/// `ExponentialHistogramDataPoint`
fn exponential<'a>(message: &'a [u8], point: &mut Point<'a>) -> Result<(), BodyError> {
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next_field()? {
        match number {
            1 => attribute(value.bytes(), &mut point.attributes)?,
            2 => point.start_ns = value.number(),
            3 => point.time_ns = value.number(),
            4 => point.count = value.number(),
            5 => point.sum = Some(value.double()),
            6 => point.scale = value.zigzag() as i32,
            7 => point.zero_count = value.number(),
            8 => buckets(value.bytes(), &mut point.positive, &mut point.broken)?,
            9 => buckets(value.bytes(), &mut point.negative, &mut point.broken)?,
            10 => point.flags = value.number(),
            14 => point.zero_threshold = value.double(),
            _ => {}
        }
    }
    Ok(())
}

fn buckets(
    message: &[u8],
    buckets: &mut Buckets,
    broken: &mut Option<Broken>,
) -> Result<(), BodyError> {
    const MAX: usize = limits::OTLP_EXPONENTIAL_BUCKETS;
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Value::Varint(_)) => buckets.offset = value.zigzag() as i32,
            (2, Value::Bytes(list)) => {
                for count in packed_varints(list) {
                    if !push_capped(&mut buckets.counts, count?, MAX, broken) {
                        break;
                    }
                }
            }
            (2, Value::Varint(count)) => {
                push_capped(&mut buckets.counts, count, MAX, broken);
            }
            _ => {}
        }
    }
    Ok(())
}

/// `SummaryDataPoint`
fn summary<'a>(message: &'a [u8], point: &mut Point<'a>) -> Result<(), BodyError> {
    const MAX: usize = limits::BUCKETS_PER_HISTOGRAM;
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next_field()? {
        match number {
            2 => point.start_ns = value.number(),
            3 => point.time_ns = value.number(),
            4 => point.count = value.number(),
            5 => point.sum = Some(value.double()),
            6 => {
                let (mut quantile, mut at) = (0.0, 0.0);
                let mut fields = Fields::new(value.bytes());
                while let Some((number, value)) = fields.next_field()? {
                    match number {
                        1 => quantile = value.double(),
                        2 => at = value.double(),
                        _ => {}
                    }
                }
                push_capped(&mut point.quantiles, (quantile, at), MAX, &mut point.broken);
            }
            7 => attribute(value.bytes(), &mut point.attributes)?,
            8 => point.flags = value.number(),
            _ => {}
        }
    }
    if point.sum.is_none() && !point.is_end() {
        // Not optional in a summary, and 0 is not sent.
        point.sum = Some(0.0);
    }
    Ok(())
}

/// Packed or one by one; stops when `one` says so.
fn each_fixed64(value: Value<'_>, mut one: impl FnMut(u64) -> bool) -> Result<(), ProtoError> {
    match value {
        Value::Bytes(list) => {
            for number in packed_fixed64(list)? {
                if !one(number) {
                    break;
                }
            }
        }
        Value::Fixed64(number) => {
            one(number);
        }
        Value::Varint(_) | Value::Fixed32(_) => {}
    }
    Ok(())
}
