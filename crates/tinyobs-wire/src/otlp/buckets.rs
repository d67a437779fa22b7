//! Buckets: both kinds of histogram points as the cumulative counts of a classic histogram.
//!
//!   explicit bounds ─▶ [explicit] ─┐
//!                                  ├─▶ (bound, how many values are not above it), ascending
//!   scale and offset ─▶ [exponential]
//!
//! Clients change the scale of an exponential histogram whenever its values spread, so its own
//! bounds would be other series after each change. Its buckets are merged into those of scale 0
//! instead, whose bounds are the powers of two: every finer scale has these among its bounds, so
//! the counts stay exact. Scale 0 because the 14 buckets that it has from a millisecond to ten
//! seconds are about as many series as the 15 of OTel's explicit histograms; each step finer
//! doubles them.
//!
//! I-OTLP-BUCKET-1  The count at a power of two is the number of values not above it, exactly, for
//!                  every scale from 0 up.
//! I-OTLP-BUCKET-2  A bound stands where it stood: which bounds there are depends on where values
//!                  lie, never on the scale, and the lowest one has no values below it but those of
//!                  the other sign.
//! I-OTLP-BUCKET-3  At most `limits::BUCKETS_PER_HISTOGRAM` come out, checked before they are made.
//! A coarser scale than 0 counts each bucket at the highest power of two in it.
//! Proved by: buckets/tests.rs.

use std::collections::BTreeMap;

use tinyobs_model::{Refusal, limits};

use super::point::{Broken, Buckets, Point};

/// Upper bounds with cumulative counts, `+Inf` left out.
pub type Cumulative = Vec<(f64, f64)>;

fn invalid<T>(message: impl Into<String>) -> Result<T, Broken> {
    Err((Refusal::HistogramInvalid, message.into()))
}

/// Of a point with bounds.
pub fn explicit(point: &Point<'_>) -> Result<Cumulative, Broken> {
    let (bounds, counts) = (&point.bounds, &point.counts);
    if counts.is_empty() && bounds.is_empty() {
        return Ok(Vec::new());
    }
    if counts.len() != bounds.len() + 1 {
        return invalid(format!(
            "histogram has {} bounds and {} buckets, which must be one more",
            bounds.len(),
            counts.len()
        ));
    }
    let are_finite = bounds.iter().all(|bound| bound.is_finite());
    if !are_finite || !bounds.is_sorted_by(|a, b| a < b) {
        return invalid("histogram bounds are not finite or do not ascend");
    }
    let mut below = 0_u64;
    let mut rows = Vec::with_capacity(bounds.len());
    for (place, count) in counts.iter().enumerate() {
        below = below.saturating_add(*count);
        if let Some(bound) = bounds.get(place) {
            rows.push((*bound, below as f64));
        }
    }
    check_total(below, point.count)?;
    Ok(rows)
}

fn check_total(counted: u64, count: u64) -> Result<(), Broken> {
    if counted != count {
        return invalid(format!(
            "histogram has {counted} values in its buckets, yet says that it has {count}"
        ));
    }
    Ok(())
}

/// The exponent of the greatest number below +Inf, and of the least above 0.
const EXPONENTS: (i64, i64) = (-1_074, 1_024);

/// Of a point with a scale.
pub fn exponential(point: &Point<'_>) -> Result<Cumulative, Broken> {
    let positive = merged(&point.positive, point.scale);
    let negative = merged(&point.negative, point.scale);
    let zeros = point.zero_count;
    let mut counted = zeros;
    for count in positive.values().chain(negative.values()) {
        counted = counted.saturating_add(*count);
    }
    check_total(counted, point.count)?;
    check_span([&positive, &negative])?;
    let mut rows = Vec::new();
    let mut below = 0_u64;
    // What lies in (2^e, 2^(e+1)] above 0 lies in [-2^(e+1), -2^e) below it.
    if let (Some((&low, _)), Some((&high, _))) =
        (negative.first_key_value(), negative.last_key_value())
    {
        rows.push((-power(high + 1), 0.0));
        for exponent in (low..=high).rev() {
            below = below.saturating_add(negative.get(&exponent).copied().unwrap_or(0));
            rows.push((-power(exponent), below as f64));
        }
    }
    // Values around 0 are counted at the next power of two, or at 0 where that is all there is.
    let around = exponent_above(point.zero_threshold);
    if zeros > 0 || !negative.is_empty() {
        below = below.saturating_add(zeros);
        rows.push((around.map_or(0.0, power), below as f64));
    }
    if let (Some((&low, _)), Some((&high, _))) =
        (positive.first_key_value(), positive.last_key_value())
    {
        let lowest = rows.last().map_or(f64::NEG_INFINITY, |(bound, _)| *bound);
        if power(low) > lowest {
            rows.push((power(low), below as f64));
        }
        for exponent in low..=high {
            below = below.saturating_add(positive.get(&exponent).copied().unwrap_or(0));
            match rows.last_mut() {
                // A bucket that lies inside the zero bucket.
                Some((bound, count)) if *bound >= power(exponent + 1) => *count = below as f64,
                _ => rows.push((power(exponent + 1), below as f64)),
            }
        }
    }
    // Beyond the numbers there is only `+Inf`.
    rows.retain(|(bound, _)| bound.is_finite());
    Ok(rows)
}

/// Counts by exponent: those of `e` lie in (2^e, 2^(e+1)]. Empty buckets are left out.
fn merged(buckets: &Buckets, scale: i32) -> BTreeMap<i64, u64> {
    let mut merged = BTreeMap::new();
    for (place, count) in buckets.counts.iter().enumerate() {
        if *count > 0 {
            let index = i64::from(buckets.offset) + place as i64;
            let exponent = exponent_of(index, scale).clamp(EXPONENTS.0, EXPONENTS.1 - 1);
            let known: &mut u64 = merged.entry(exponent).or_default();
            *known = known.saturating_add(*count);
        }
    }
    merged
}

/// Where bucket `index` of `scale` lies at scale 0.
fn exponent_of(index: i64, scale: i32) -> i64 {
    if scale >= 0 {
        // Indexes double with each scale, so halving them goes back, rounding down.
        return index >> scale.min(63);
    }
    let factor = 1_i64 << scale.unsigned_abs().min(24);
    (index + 1).saturating_mul(factor).saturating_sub(1)
}

/// The exponent of the least power of two that is not below `threshold`; none for 0.
fn exponent_above(threshold: f64) -> Option<i64> {
    (threshold > 0.0).then(|| (threshold.log2().ceil() as i64).clamp(EXPONENTS.0, EXPONENTS.1))
}

/// I-OTLP-BUCKET-3
fn check_span(sides: [&BTreeMap<i64, u64>; 2]) -> Result<(), Broken> {
    let span = |side: &BTreeMap<i64, u64>| match (side.first_key_value(), side.last_key_value()) {
        (Some((low, _)), Some((high, _))) => high - low + 2,
        _ => 0,
    };
    let buckets = sides.map(span).iter().sum::<i64>() + 1;
    if buckets > limits::BUCKETS_PER_HISTOGRAM as i64 {
        return invalid(format!(
            "exponential histogram spans {buckets} powers of two, at most {} are allowed",
            limits::BUCKETS_PER_HISTOGRAM
        ));
    }
    Ok(())
}

/// 2^exponent, exactly.
fn power(exponent: i64) -> f64 {
    match exponent {
        1_024.. => f64::INFINITY,
        -1_022..=1_023 => f64::from_bits(((exponent + 1_023) as u64) << 52),
        -1_074..=-1_023 => f64::from_bits(1 << (exponent + 1_074)),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests;
