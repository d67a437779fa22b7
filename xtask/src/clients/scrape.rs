//! Scrape: what a real Prometheus has after it collected from us is what was stored here.
//!
//!   lines ─▶ `POST /v1/import` ─▶ tinyobs ◀─ `/metrics`, `/federate` ─ prometheus ─▶ compare
//!
//! Prometheus, which is fetched when it is not there, collects each page as a job of its own:
//! `/metrics` in the text format and as OpenMetrics, `/federate` with its times, and `/metrics/self`.
//!
//! Passes when every series is there under every job with its value, bit for bit but for the bits of
//! a NaN, and none that should not be; under `federate` with its time; and with its type and help.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::{Value, json};
use tinyobs_testing::Server;

use crate::peers::prometheus::Prometheus;
use crate::peers::{self, Peer};

/// What is compared.
#[derive(Args, Default)]
pub struct Options {
    /// This `tinyobs` instead of one built now.
    #[arg(long)]
    server: Option<PathBuf>,
}

/// Longer than three collections take on a busy machine.
const WITHIN: Duration = Duration::from_secs(30);

/// Name, labels, type and value of a series that is stored, and its name at Prometheus.
type Series = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    f64,
    &'static str,
);

const SERIES: [Series; 16] = [
    (
        "orders_total",
        &[("path", "a \"b\"\\\n")],
        "counter",
        9_007_199_254_740_993.0,
        "orders_total",
    ),
    (
        "orders_total",
        &[("path", "größe")],
        "counter",
        0.1,
        "orders_total",
    ),
    // In OpenMetrics no counter: its name does not end in `_total`.
    ("requests", &[], "counter", 3.0, "requests"),
    ("load", &[("host", "a")], "gauge", -0.0, "load"),
    ("load", &[("host", "b")], "gauge", 5e-324, "load"),
    ("load", &[("host", "c")], "gauge", f64::NEG_INFINITY, "load"),
    ("load", &[("host", "d")], "gauge", f64::NAN, "load"),
    ("load", &[("host", "e")], "gauge", f64::MAX, "load"),
    (
        "http.server.active",
        &[("net.peer", "x")],
        "gauge",
        7.0,
        "http_server_active",
    ),
    (
        "took_seconds_bucket",
        &[("le", "0.5")],
        "histogram",
        1.0,
        "took_seconds_bucket",
    ),
    (
        "took_seconds_bucket",
        &[("le", "1")],
        "histogram",
        2.0,
        "took_seconds_bucket",
    ),
    (
        "took_seconds_bucket",
        &[("le", "+Inf")],
        "histogram",
        4.0,
        "took_seconds_bucket",
    ),
    (
        "took_seconds_sum",
        &[],
        "histogram",
        3.75,
        "took_seconds_sum",
    ),
    (
        "took_seconds_count",
        &[],
        "histogram",
        4.0,
        "took_seconds_count",
    ),
    (
        "rpc_seconds",
        &[("quantile", "0.5")],
        "summary",
        0.25,
        "rpc_seconds",
    ),
    (
        "untyped",
        &[("instance", "its own"), ("job", "its own")],
        "unknown",
        1.0,
        "untyped",
    ),
];

/// What is said of a family: the name that a page has it under, its type and its help.
const TEXT_TYPES: [(&str, &str, &str); 4] = [
    ("orders_total", "counter", "Of orders_total."),
    ("requests", "counter", "Of requests."),
    ("load", "gauge", "Of load."),
    ("rpc_seconds", "summary", "Of rpc_seconds."),
];
const OPEN_TYPES: [(&str, &str, &str); 4] = [
    ("orders", "counter", "Of orders_total."),
    ("requests", "unknown", "Of requests."),
    ("load", "gauge", "Of load."),
    ("rpc_seconds", "summary", "Of rpc_seconds."),
];

/// Runs it.
pub fn run(options: &Options) -> Result<()> {
    let program = peers::find(Peer::Prometheus)?.program;
    let dir = tempfile::tempdir()?;
    let server = super::start(options.server.as_deref(), dir.path())?;
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    store(&server, now_ms - 5_000)?;
    let prometheus = Prometheus::start(&program, dir.path(), &config(&server), &[])?;
    let prometheus = Compared(prometheus);
    prometheus.wait_for(&["text", "open", "federate", "self"])?;
    for job in ["text", "open", "federate"] {
        prometheus.compare_values(job)?;
    }
    prometheus.compare_times("federate", now_ms - 5_000)?;
    prometheus.compare_types("text", &TEXT_TYPES)?;
    prometheus.compare_types("federate", &TEXT_TYPES)?;
    prometheus.compare_types("open", &OPEN_TYPES)?;
    let own = prometheus
        .0
        .query("{job=\"self\",__name__!~\"up|scrape_.*\"}")?;
    let is_ours = |one: &Value| {
        one["metric"]["__name__"]
            .as_str()
            .is_some_and(|name| name.starts_with("tinyobs_"))
    };
    ensure!(
        own.len() > 40 && own.iter().all(is_ours),
        "/metrics/self is not ours alone: {own:?}"
    );
    println!(
        "{} series under text, open and federate: values, times and types as stored",
        SERIES.len()
    );
    println!("{} series of our own", own.len());
    Ok(())
}

fn store(server: &Server, at_ms: i64) -> Result<()> {
    let mut lines = String::new();
    for (name, labels, kind, value, _) in SERIES {
        let mut metric: BTreeMap<&str, &str> = labels.iter().copied().collect();
        metric.insert("__name__", name);
        let value = if value.is_nan() {
            Value::Null
        } else if value.is_infinite() {
            json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
        } else {
            json!(value)
        };
        let help = format!("Of {name}.");
        let line = json!({"metric": metric, "type": kind, "help": help, "values": [value], "timestamps": [at_ms]});
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    super::import(server, &lines, SERIES.len())
}

/// What Prometheus is to collect.
fn config(server: &Server) -> String {
    let target = server.url.trim_start_matches("http://");
    let job = |name: &str, path: &str, protocol: &str, more: &str| {
        format!(
            "- job_name: {name}\n  metrics_path: {path}\n  scrape_protocols: [{protocol}]\n  \
             honor_labels: true\n  static_configs: [{{targets: ['{target}']}}]\n{more}"
        )
    };
    let (text, open) = ("PrometheusText0.0.4", "OpenMetricsText1.0.0");
    let every = "  params: {'match[]': ['{__name__=~\".+\"}', '{job=\"its own\"}']}\n";
    "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n".to_owned()
        + &job("text", "/metrics", text, "")
        + &job("open", "/metrics", open, "")
        + &job("federate", "/federate", text, every)
        + &job("self", "/metrics/self", open, "")
}

/// A Prometheus that has collected, compared with what is stored.
struct Compared(Prometheus);

impl Compared {
    /// Until each job has collected something twice: the first time, another one may have been under
    /// way.
    fn wait_for(&self, jobs: &[&str]) -> Result<()> {
        let begun = Instant::now();
        loop {
            let up = self
                .0
                .query("sum_over_time(up{job=~\"text|open|federate|self\"}[1m])");
            let is_up = |job: &&str| {
                up.iter().flatten().any(|one| {
                    let count = one["value"][1]
                        .as_str()
                        .and_then(|text| text.parse::<f64>().ok());
                    one["metric"]["job"] == *job && count.is_some_and(|count| count >= 2.0)
                })
            };
            if jobs.iter().all(is_up) {
                return Ok(());
            }
            if begun.elapsed() > WITHIN {
                let targets = self.0.get("/api/v1/targets", &[])?;
                bail!("Prometheus did not collect from every page: {targets}");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The pushed series under a job, by name and labels.
    fn series(&self, job: &str, query: &str) -> Result<BTreeMap<String, f64>> {
        let mut found = BTreeMap::new();
        for one in self.0.query(query)? {
            let metric = one["metric"].as_object().context("no labels")?;
            let mut labels: BTreeMap<&str, &str> = metric
                .iter()
                .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
                .collect();
            // What Prometheus put there.
            if labels.get("job") == Some(&job) {
                labels.remove("job");
                labels.remove("instance");
            }
            let value = one["value"][1].as_str().context("no value")?.parse()?;
            found.insert(format!("{labels:?}"), value);
        }
        Ok(found)
    }

    fn compare_values(&self, job: &str) -> Result<()> {
        let own = "__name__!~\"tinyobs_.*|up|scrape_.*\"";
        let mut found = self.series(job, &format!("{{job=\"{job}\",{own}}}"))?;
        // It keeps its own job, so all three pages write to it.
        found.extend(self.series(job, &format!("{{job=\"its own\",{own}}}"))?);
        let expected = expected();
        let bits = |value: f64| {
            if value.is_nan() {
                f64::NAN.to_bits()
            } else {
                value.to_bits()
            }
        };
        for (series, value) in &expected {
            let there = found
                .remove(series)
                .with_context(|| format!("{job}: no {series}"))?;
            ensure!(
                bits(there) == bits(*value),
                "{job}: {series} is {there}, not {value}"
            );
        }
        ensure!(found.is_empty(), "{job}: nobody stored {found:?}");
        Ok(())
    }

    fn compare_times(&self, job: &str, at_ms: i64) -> Result<()> {
        for (series, at) in self.series(job, &format!("timestamp({{job=\"{job}\",host!=\"\"}})"))? {
            ensure!(
                at == at_ms as f64 / 1_000.0,
                "{series} is of {at}, not {at_ms} ms"
            );
        }
        Ok(())
    }

    fn compare_types(&self, job: &str, types: &[(&str, &str, &str)]) -> Result<()> {
        let target = format!("{{job=\"{job}\"}}");
        for (name, kind, help) in types {
            let pairs = [("match_target", target.as_str()), ("metric", name)];
            let said = self.0.get("/api/v1/targets/metadata", &pairs)?;
            let said = &said[0];
            ensure!(
                said["type"] == *kind && said["help"] == *help,
                "{job}: {name} should be a {kind}: {said}"
            );
        }
        Ok(())
    }
}

/// What Prometheus should have.
fn expected() -> BTreeMap<String, f64> {
    let series = SERIES.iter().map(|(_, labels, kind, value, name)| {
        let mut pairs = BTreeMap::from([("__name__", *name)]);
        for (label, value) in *labels {
            // It gives bounds their point itself, and so do we.
            let is_bound = matches!(*kind, "histogram" | "summary");
            let value = if is_bound && *value == "1" {
                "1.0"
            } else {
                value
            };
            pairs.insert(
                if *label == "net.peer" {
                    "net_peer"
                } else {
                    label
                },
                value,
            );
        }
        (format!("{pairs:?}"), *value)
    });
    series.collect()
}
