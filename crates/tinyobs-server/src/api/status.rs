//! Status: `/api/v1/status/…`, what the server says of itself in Prometheus' shapes.
//!
//!   configuration, store ─▶ buildinfo, runtimeinfo, flags, config, tsdb
//!
//! `buildinfo` names the version of Prometheus whose language and API this is, for clients switch on
//! what they may ask by that number; which TinyObs it is stands in `revision`. It has no `features`:
//! by these Grafana would take the server for another product.
//!
//! I-STATUS-1  What has no counterpart here is left out, not invented.
//! Proved by: tests/it/api_status.rs.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};
use tinyobs_model::limits;
use tinyobs_wire::time;

use super::compose;
use super::failure::Failure;
use super::form::Form;
use crate::config::units::{show_duration_ms, show_size};
use crate::config::{Config, LogFormat};
use crate::state::App;

/// What we speak the language of.
const PROMETHEUS: &str = "3.14.0";

/// `GET /api/v1/status/buildinfo`
pub async fn build() -> Response {
    let answer = json!({
        "version": PROMETHEUS,
        "revision": concat!("tinyobs-", env!("CARGO_PKG_VERSION")),
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
        "application": "TinyObs",
    });
    compose::success(&answer, &[])
}

/// `GET /api/v1/status/runtimeinfo`
pub async fn runtime(State(app): State<App>) -> Response {
    let now_ms = app.now_ms();
    let started_ms = now_ms - i64::try_from(app.started.elapsed().as_millis()).unwrap_or(0);
    let started = time::format_rfc3339(started_ms);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let answer = json!({
        "startTime": started,
        "CWD": "",
        "serverTime": time::format_rfc3339(now_ms),
        "reloadConfigSuccess": true,
        "lastConfigTime": started,
        "corruptionCount": app.store.damage().len(),
        "GOMAXPROCS": cores,
        "storageRetention": retention(&app.config),
    });
    compose::success(&answer, &[])
}

/// `GET /api/v1/status/flags`
pub async fn flags(State(app): State<App>) -> Response {
    let flags: BTreeMap<&str, String> = settings(&app.config).into_iter().collect();
    compose::success(&flags, &[])
}

/// `GET /api/v1/status/config`: the settings again, as YAML.
pub async fn config(State(app): State<App>) -> Response {
    let mut yaml = String::new();
    for (key, value) in settings(&app.config) {
        // A string of JSON is one of YAML too. Writing to a String cannot fail.
        let _ = writeln!(yaml, "{key}: {}", Value::from(value));
    }
    compose::success(&json!({ "yaml": yaml }), &[])
}

fn retention(config: &Config) -> String {
    match config.retention.hour_ms {
        0 => "for ever".to_owned(),
        ms => show_duration_ms(ms),
    }
}

/// Each setting with its value, by its flag.
fn settings(config: &Config) -> Vec<(&'static str, String)> {
    let kept = config.retention;
    let format = match config.log_format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    vec![
        ("listen", config.listen.clone()),
        (
            "otlp-listen",
            config.otlp_listen.clone().unwrap_or("off".to_owned()),
        ),
        ("data-dir", config.data_dir.display().to_string()),
        ("engine", config.engine.to_string()),
        ("durability", config.durability.to_string()),
        ("max-series", config.max_series.to_string()),
        (
            "max-series-per-metric",
            config.max_series_per_metric.to_string(),
        ),
        ("max-storage", show_size(config.max_storage_bytes)),
        ("retention-raw", show_duration_ms(kept.raw_ms)),
        ("retention-5m", show_duration_ms(kept.five_minutes_ms)),
        ("retention-1h", show_duration_ms(kept.hour_ms)),
        ("allow-anonymous", config.allow_anonymous.to_string()),
        ("allowed-hosts", config.allowed_hosts.join(",")),
        ("log-format", format.to_owned()),
        ("log-level", config.log_level.to_string()),
    ]
}

#[derive(Serialize)]
struct Size {
    name: String,
    value: u64,
}

/// `GET /api/v1/status/tsdb`
pub async fn tsdb(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let form = Form::read(&app, request).await?;
    let limit = match form.text("limit") {
        Some(_) => form.limit("limit")?,
        None => limits::TSDB_LISTED,
    };
    let answer = app.query(move |app, cancel| {
        let (mut metrics, mut pairs) = (HashMap::new(), HashMap::new());
        for one in app.store.series(&[]) {
            cancel.check()?;
            let name = one.labels.metric_name().to_owned();
            *metrics.entry(name).or_default() += 1;
            for (name, value) in one.labels.iter() {
                *pairs.entry(format!("{name}={value}")).or_default() += 1;
            }
        }
        let (mut values, mut bytes): (HashMap<String, u64>, HashMap<String, u64>) =
            (HashMap::new(), HashMap::new());
        for pair in pairs.keys() {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            *values.entry(name.to_owned()).or_default() += 1;
            *bytes.entry(name.to_owned()).or_default() += value.len() as u64;
        }
        let stats = app.store.stats();
        let answer = json!({
            "headStats": {
                "numSeries": stats.series,
                "numLabelPairs": pairs.len(),
                "minTime": stats.oldest_ms.unwrap_or(i64::MAX),
                "maxTime": stats.newest_ms.unwrap_or(i64::MIN),
            },
            "seriesCountByMetricName": largest(metrics, limit),
            "labelValueCountByLabelName": largest(values, limit),
            "memoryInBytesByLabelName": largest(bytes, limit),
            "seriesCountByLabelValuePair": largest(pairs, limit),
        });
        Ok(compose::success(&answer, &[]))
    });
    Ok(answer.await?)
}

/// The largest first, of equal ones by name.
fn largest(sizes: HashMap<String, u64>, limit: usize) -> Vec<Size> {
    let mut sizes: Vec<Size> = sizes
        .into_iter()
        .map(|(name, value)| Size { name, value })
        .collect();
    sizes.sort_unstable_by(|a, b| b.value.cmp(&a.value).then_with(|| a.name.cmp(&b.name)));
    sizes.truncate(limit);
    sizes
}
