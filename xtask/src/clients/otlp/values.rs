//! Values: what must be stored of the instruments that a client of `clients otlp` pushed.
//!
//!   `/v1/query` ─▶ [compare] ─▶ the values below
//!
//! Every SDK is given the same numbers, so these are the same for all of them: series, names and
//! labels as `POST /v1/metrics` makes them, and the newest value of each.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tinyobs_testing::Server;

/// A client that has pushed.
pub struct Pushed<'a> {
    /// The label `job` of what it pushed.
    pub job: &'a str,
    /// `cumulative` or `delta`.
    pub temporality: &'a str,
    /// What its resource says of the SDK's language.
    pub language: &'a str,
    /// Whether counters that are only observed begin with their instrument, and not with the first
    /// push.
    pub begins_observed: bool,
}

/// Series without the labels that all have, and their newest values.
const STORED: &[(&str, f64)] = &[
    ("cpu_time_seconds_total cpu_mode=user", 3.0),
    ("cpu_utilization_ratio", 0.5),
    ("orders_placed_total shop_kind=app", 9.0),
    ("orders_placed_total shop_kind=web", 4.0),
    ("pool_used", 8.0),
    ("queue_length", -2.0),
    ("request_duration_seconds_bucket le=+Inf", 8.0),
    ("request_duration_seconds_bucket le=0.1", 1.0),
    ("request_duration_seconds_bucket le=0.5", 4.0),
    ("request_duration_seconds_bucket le=1", 5.0),
    ("request_duration_seconds_count", 8.0),
    ("request_duration_seconds_sum", 12.1875),
    ("request_size_bytes_bucket le=+Inf", 6.0),
    ("request_size_bytes_bucket le=0", 1.0),
    ("request_size_bytes_bucket le=1", 1.0),
    ("request_size_bytes_bucket le=1024", 5.0),
    ("request_size_bytes_bucket le=128", 5.0),
    ("request_size_bytes_bucket le=2", 2.0),
    ("request_size_bytes_bucket le=2048", 5.0),
    ("request_size_bytes_bucket le=256", 5.0),
    ("request_size_bytes_bucket le=4", 4.0),
    ("request_size_bytes_bucket le=4096", 5.0),
    ("request_size_bytes_bucket le=512", 5.0),
    ("request_size_bytes_bucket le=64", 4.0),
    ("request_size_bytes_bucket le=8192", 6.0),
    ("request_size_bytes_count", 6.0),
    ("request_size_bytes_sum", 5_107.5),
    ("room_temperature_celsius", 22.5),
    // Ours, of who pushes.
    ("up", 1.0),
];

/// The counter among them that is only observed.
const OBSERVED: &str = "cpu_time_seconds_total cpu_mode=user";

/// A cumulative histogram tells of all buckets between its least and its greatest value, deltas
/// only of those between the values of an interval.
const BETWEEN: [(&str, f64); 3] = [
    ("request_size_bytes_bucket le=16", 4.0),
    ("request_size_bytes_bucket le=32", 4.0),
    ("request_size_bytes_bucket le=8", 4.0),
];

/// The counters from their beginning.
const COUNTED: [(&str, [f64; 3]); 3] = [
    (OBSERVED, [0.0, 1.5, 3.0]),
    ("orders_placed_total shop_kind=app", [0.0, 3.0, 9.0]),
    ("orders_placed_total shop_kind=web", [0.0, 2.0, 4.0]),
];

/// Labels that every series has, or that change with the SDK.
const LEFT_OUT: [&str; 9] = [
    "job",
    "instance",
    "service_name",
    "service_namespace",
    "service_instance_id",
    "deployment_environment_name",
    "otel_scope_name",
    "otel_scope_version",
    "telemetry_sdk_version",
];

/// Compares what is stored of a client with what it pushed.
pub fn compare(server: &Server, pushed: &Pushed<'_>) -> Result<()> {
    let selector = format!("%7Bjob%3D%22{}%22%7D", pushed.job.replace('/', "%2F"));
    let answer = server.get(&format!("/v1/query?match[]={selector}&start=1700000000"))?;
    let stored = by_series(&answer)?;
    let info = format!(
        "target_info host_name=here some_list=[\"a\",\"b\"] telemetry_sdk_language={} \
         telemetry_sdk_name=opentelemetry",
        pushed.language
    );
    let mut expected: BTreeMap<&str, f64> = STORED.iter().copied().collect();
    expected.insert(&info, 1.0);
    if pushed.temporality == "cumulative" {
        expected.extend(BETWEEN);
    }
    let newest = stored.iter();
    let newest: BTreeMap<&str, f64> = newest
        .filter_map(|(series, values)| Some((series.as_str(), *values.last()?)))
        .collect();
    for (series, value) in &expected {
        let got = newest.get(series);
        ensure!(got == Some(value), "{series} is {got:?}, not {value}");
    }
    for series in newest.keys() {
        ensure!(expected.contains_key(series), "{series} was not pushed");
    }
    for (series, values) in COUNTED {
        let mut got = stored[series].clone();
        // The SDK pushes once more when it ends.
        got.dedup();
        // Where the beginning falls into the first push's millisecond, nothing begins before it.
        let is_open = series == OBSERVED && !pushed.begins_observed;
        if is_open && got.first() != Some(&0.0) {
            got.insert(0, 0.0);
        }
        ensure!(got == values, "{series} was {got:?}, not {values:?}");
    }
    Ok(())
}

/// Every series' values by its name and labels.
fn by_series(answer: &Value) -> Result<BTreeMap<String, Vec<f64>>> {
    let mut stored: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in answer["metrics"].as_array().context("no list of rows")? {
        let mut series = row["name"].as_str().context("no name")?.to_owned();
        for (label, value) in row["labels"].as_object().context("no labels")? {
            if !LEFT_OUT.contains(&label.as_str()) {
                series.extend([" ", label, "=", value.as_str().unwrap_or_default()]);
            }
        }
        let value = row["value"].as_f64().context("no value")?;
        stored.entry(series).or_default().push(value);
    }
    Ok(stored)
}
