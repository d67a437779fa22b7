//! Fill: the fields of a data point, each with the rule that it breaks.

use serde_json::value::RawValue;
use tinyobs_model::{Refusal, limits};

use super::attributes::read_attributes;
use super::message::{DataPoint, Each, ExponentialBuckets, Quantile, Raw};
use super::object;
use super::scalar::{Wrong, double, int, int32, unsigned};
use crate::otlp::point::{Broken, Buckets, Point, Shape, push_capped};

/// Reads a point of this shape.
pub fn fill<'a>(from: &DataPoint<'a>, shape: Shape, point: &mut Point<'a>) -> Result<(), Wrong> {
    const TIME: Refusal = Refusal::TimeInvalid;
    const VALUE: Refusal = Refusal::ValueNotANumber;
    read_attributes("", from.attributes, &mut point.attributes)?;
    point.start_ns = unsigned("startTimeUnixNano", TIME, from.start_time_unix_nano)?;
    point.time_ns = unsigned("timeUnixNano", TIME, from.time_unix_nano)?;
    point.flags = unsigned("flags", Refusal::Malformed, from.flags)?;
    point.count = unsigned("count", Refusal::HistogramInvalid, from.count)?;
    let sum = from.sum.map(|raw| double("sum", VALUE, raw));
    point.sum = sum.transpose()?;
    match (from.as_double, from.as_int) {
        (Some(_), Some(_)) => {
            let reason = "a point has one value, and this one has asDouble as well";
            return Err(Wrong::malformed("asInt", reason));
        }
        (Some(raw), None) => point.number = Some(double("asDouble", VALUE, raw)?),
        (None, Some(raw)) => point.number = Some(int("asInt", raw)? as f64),
        (None, None) => {}
    }
    match shape {
        Shape::Histogram(_) => explicit(from, point),
        Shape::Exponential(_) => exponential(from, point),
        Shape::Summary => summary(from, point),
        Shape::Gauge | Shape::Sum { .. } => Ok(()),
    }
}

/// Calls `part` with every element of a list of scalars and its name.
fn each_scalar<'a>(
    field: &str,
    list: Raw<'a>,
    mut part: impl FnMut(&str, &'a RawValue) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let Some(list) = list else {
        return Ok(());
    };
    let read = Each::of(list.get(), |raw: &'a RawValue| part(field, raw));
    read.map_err(|reason| Wrong::malformed(field, &reason))?
}

fn explicit<'a>(from: &DataPoint<'a>, point: &mut Point<'a>) -> Result<(), Wrong> {
    const MAX: usize = limits::BUCKETS_PER_HISTOGRAM;
    const RULE: Refusal = Refusal::HistogramInvalid;
    let broken = &mut point.broken;
    each_scalar("bucketCounts", from.bucket_counts, |field, raw| {
        let count = unsigned(field, RULE, Some(raw))?;
        push_capped(&mut point.counts, count, MAX + 1, broken);
        Ok(())
    })?;
    each_scalar("explicitBounds", from.explicit_bounds, |field, raw| {
        let bound = double(field, RULE, raw)?;
        push_capped(&mut point.bounds, bound, MAX, broken);
        Ok(())
    })
}

fn exponential<'a>(from: &DataPoint<'a>, point: &mut Point<'a>) -> Result<(), Wrong> {
    const RULE: Refusal = Refusal::HistogramInvalid;
    point.scale = int32("scale", from.scale)?;
    point.zero_count = unsigned("zeroCount", RULE, from.zero_count)?;
    let threshold = from.zero_threshold;
    point.zero_threshold = threshold.map_or(Ok(0.0), |raw| double("zeroThreshold", RULE, raw))?;
    let broken = &mut point.broken;
    buckets("positive", from.positive, &mut point.positive, broken)?;
    buckets("negative", from.negative, &mut point.negative, broken)
}

fn buckets<'a>(
    side: &str,
    raw: Raw<'a>,
    buckets: &mut Buckets,
    broken: &mut Option<Broken>,
) -> Result<(), Wrong> {
    const MAX: usize = limits::OTLP_EXPONENTIAL_BUCKETS;
    let from: ExponentialBuckets<'a> =
        object(raw).map_err(|reason| Wrong::malformed(side, &reason))?;
    buckets.offset = int32(&format!("{side}.offset"), from.offset)?;
    let field = format!("{side}.bucketCounts");
    each_scalar(&field, from.bucket_counts, |field, raw| {
        let count = unsigned(field, Refusal::HistogramInvalid, Some(raw))?;
        push_capped(&mut buckets.counts, count, MAX, broken);
        Ok(())
    })
}

fn summary<'a>(from: &DataPoint<'a>, point: &mut Point<'a>) -> Result<(), Wrong> {
    const MAX: usize = limits::BUCKETS_PER_HISTOGRAM;
    const RULE: Refusal = Refusal::ValueNotANumber;
    point.sum = point.sum.or(Some(0.0));
    let broken = &mut point.broken;
    each_scalar("quantileValues", from.quantile_values, |field, raw| {
        let one: Quantile<'a> =
            object(Some(raw)).map_err(|reason| Wrong::malformed(field, &reason))?;
        let read = |name: &str, raw: Raw<'a>| {
            raw.map_or(Ok(0.0), |raw| double(&format!("{field}.{name}"), RULE, raw))
        };
        let pair = (read("quantile", one.quantile)?, read("value", one.value)?);
        push_capped(&mut point.quantiles, pair, MAX, broken);
        Ok(())
    })
}
