//! Otlp: OpenTelemetry's SDK for Python pushes every kind of instrument, each request twice.
//!
//!   xtask/clients/otlp.py ─▶ tinyobs ─▶ /v1/query ─▶ the values below
//!
//! Passes when each push stored exactly these series with these newest values, and the counters have
//! one sample an interval: a request that was sent again has added nothing.

use std::collections::BTreeMap;
use std::net::TcpListener;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tinyobs_testing::{Server, Start};

use crate::tools;

/// Where the SDK pushes when it is told nothing.
const USUAL: &str = "127.0.0.1:4318";

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
    (
        "target_info host_name=here some_list=[\"a\",\"b\"] telemetry_sdk_language=python \
         telemetry_sdk_name=opentelemetry",
        1.0,
    ),
];

/// A cumulative histogram tells of all buckets between its least and its greatest value, deltas
/// only of those between the values of an interval.
const BETWEEN: [(&str, f64); 3] = [
    ("request_size_bytes_bucket le=16", 4.0),
    ("request_size_bytes_bucket le=32", 4.0),
    ("request_size_bytes_bucket le=8", 4.0),
];

/// The counters from their beginning. (Of what is only observed, the SDK tells no beginning.)
const COUNTED: [(&str, [f64; 3]); 2] = [
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

/// Lets the SDK push in every way.
pub fn run() -> Result<()> {
    let clients = tools::root().join("xtask/clients");
    let python = super::python("otlp", &clients.join("otlp.txt"))?
        .display()
        .to_string();
    let script = clients.join("otlp.py").display().to_string();
    let binary = tools::build_server(false)?;
    let dir = tempfile::tempdir()?;
    let is_free = TcpListener::bind(USUAL).is_ok();
    let listen = if is_free { USUAL } else { "off" };
    let server = Server::start(&Start {
        binary,
        data_dir: dir.path().join("data"),
        args: vec!["--otlp-listen".to_owned(), listen.to_owned()],
    })?;
    let mut encodings = vec!["protobuf", "json"];
    if is_free {
        encodings.push("default");
    } else {
        println!("{USUAL} is taken: what the SDK does when it is told nothing is NOT tested");
    }
    for temporality in ["cumulative", "delta"] {
        for encoding in &encodings {
            tools::run(&python, &[&script, &server.url, temporality, encoding], &[])?;
            let job = format!("clients/python-{temporality}-{encoding}");
            compare(&server, &job, temporality).with_context(|| job.clone())?;
        }
    }
    let status = server.stop()?;
    ensure!(status.success(), "the server ended with {status}");
    println!("\nevery value is the one that was pushed");
    Ok(())
}

fn compare(server: &Server, job: &str, temporality: &str) -> Result<()> {
    let selector = format!("%7Bjob%3D%22{}%22%7D", job.replace('/', "%2F"));
    let answer = server.get(&format!("/v1/query?match[]={selector}&start=1700000000"))?;
    let stored = by_series(&answer)?;
    let mut expected: BTreeMap<&str, f64> = STORED.iter().copied().collect();
    if temporality == "cumulative" {
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
                for part in [" ", label, "=", value.as_str().unwrap_or_default()] {
                    series.push_str(part);
                }
            }
        }
        let value = row["value"].as_f64().context("no value")?;
        stored.entry(series).or_default().push(value);
    }
    Ok(stored)
}
