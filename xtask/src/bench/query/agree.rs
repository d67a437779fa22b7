//! Agree: how far two answers say the same.
//!
//! Proved by: agree/tests.rs.

use std::collections::BTreeMap;

use serde_json::Value;

/// Values are the same that differ by no more than this share.
const TOLERANCE: f64 = 1e-6;

/// The values of a series by their moments, in milliseconds.
type Points = BTreeMap<i64, f64>;

/// Of all points of either answer, the share that is in both and the same.
pub fn share(a: &Value, b: &Value) -> f64 {
    let (a, b) = (points(a), points(b));
    let places = a
        .iter()
        .chain(&b)
        .flat_map(|(labels, points)| points.keys().map(move |&time| (labels.as_str(), time)));
    let mut places: Vec<(&str, i64)> = places.collect();
    places.sort_unstable();
    places.dedup();
    if places.is_empty() {
        return 1.0;
    }
    let at = |of: &BTreeMap<String, Points>, (labels, time): (&str, i64)| {
        of.get(labels).and_then(|points| points.get(&time)).copied()
    };
    let same = places
        .iter()
        .filter(|&&place| match (at(&a, place), at(&b, place)) {
            (Some(a), Some(b)) => is_near(a, b),
            _ => false,
        });
    same.count() as f64 / places.len() as f64
}

fn is_near(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

/// Series by their labels; the name is left out, because not everybody drops it where it goes.
fn points(result: &Value) -> BTreeMap<String, Points> {
    let mut all = BTreeMap::new();
    for series in result.as_array().into_iter().flatten() {
        let labels: BTreeMap<&String, &Value> = series["metric"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "__name__")
            .collect();
        let one = series.get("value").into_iter();
        let pairs = one.chain(series["values"].as_array().into_iter().flatten());
        let points: Points = pairs.filter_map(point).collect();
        all.insert(format!("{labels:?}"), points);
    }
    all
}

fn point(pair: &Value) -> Option<(i64, f64)> {
    let time = (pair.get(0)?.as_f64()? * 1_000.0).round() as i64;
    Some((time, pair.get(1)?.as_str()?.parse().ok()?))
}

#[cfg(test)]
mod tests;
