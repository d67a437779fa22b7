//! Promtool: what Prometheus' own tool shows of us is what was stored.
//!
//!   lines ─▶ `POST /v1/import` ─▶ tinyobs ◀─ `/api/v1/…` ─ promtool ─▶ compare
//!
//! promtool, which is fetched when it is not there, asks as people do: instant and range queries,
//! series, label values, and a query with a mistake in it. Its library reads our answers strictly.
//!
//! Passes when each command prints the values, labels and times that were stored, and the mistake ends
//! it with our sentence.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use tinyobs_testing::Server;

use crate::peers::{self, Peer};

/// What is asked.
#[derive(Args, Default)]
pub struct Options {
    /// This `tinyobs` instead of one built now.
    #[arg(long)]
    server: Option<PathBuf>,
}

/// Seconds between two samples.
const INTERVAL: i64 = 15;
/// A sample every interval.
const ORDERS: [f64; 5] = [96.0, 97.0, 98.5, 1e21, 9_007_199_254_740_993.0];
const LOAD: [f64; 5] = [-0.1, f64::INFINITY, 5e-324, f64::NEG_INFINITY, -0.1];

/// The tool and whom it asks.
struct Promtool {
    program: PathBuf,
    url: String,
}

/// Runs it.
pub fn run(options: &Options) -> Result<()> {
    let program = peers::find(Peer::Promtool)?.program;
    let dir = tempfile::tempdir()?;
    let server = super::start(options.server.as_deref(), dir.path())?;
    let end = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() as i64;
    let times: Vec<i64> = (0..5).map(|n| end - (4 - n) * INTERVAL).collect();
    store(&server, &times)?;
    let promtool = Promtool {
        program,
        url: server.url.clone(),
    };
    promtool.instant(end)?;
    promtool.range(&times)?;
    promtool.lists()?;
    promtool.mistakes()?;
    println!("promtool: instant, range, series, labels and errors as stored");
    Ok(())
}

fn store(server: &Server, times: &[i64]) -> Result<()> {
    let mut lines = String::new();
    for (metric, values) in [(orders(), ORDERS), (load(), LOAD)] {
        for (time, value) in times.iter().zip(values) {
            let value = match value {
                f64::INFINITY => json!("Infinity"),
                f64::NEG_INFINITY => json!("-Infinity"),
                finite => json!(finite),
            };
            let line = json!({"metric": metric, "values": [value], "timestamps": [time * 1_000]})
                .to_string();
            lines.push_str(&line);
            lines.push('\n');
        }
    }
    super::import(server, &lines, 10)
}

fn orders() -> Value {
    json!({"__name__": "orders_total", "path": "a \"b\"\\\n", "größe": "ß"})
}

fn load() -> Value {
    json!({"__name__": "load"})
}

/// A value as promtool writes it: without an exponent, however many digits that takes.
fn written(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        other => other.to_string(),
    }
}

impl Promtool {
    fn instant(&self, end: i64) -> Result<()> {
        let time = format!("--time={end}");
        let newest = json!([{"metric": orders(), "value": [end, written(ORDERS[4])]}]);
        self.shows_json(&["instant"], &[&time], "orders_total", &newest)?;
        self.shows_json(&["instant"], &[&time], "nothing_at_all", &json!([]))?;
        let sum = json!([{"metric": {}, "value": [end, "1.5"]}]);
        let before = "sum(orders_total offset 30s - orders_total offset 45s)";
        self.shows_json(&["instant"], &[&time], before, &sum)?;
        let printed = self.prints(&["instant", &time, &self.url, "1 / 0"])?;
        ensure!(
            printed.trim() == format!("scalar: +Inf @[{end}]"),
            "1 / 0 is shown as {printed:?}"
        );
        Ok(())
    }

    fn range(&self, times: &[i64]) -> Result<()> {
        let [first, .., last] = times else {
            unreachable!("there are five times");
        };
        let bounds = [
            format!("--start={first}"),
            format!("--end={last}"),
            format!("--step={INTERVAL}s"),
        ];
        let flags: Vec<&str> = bounds.iter().map(String::as_str).collect();
        for (name, metric, values) in [("orders_total", orders(), ORDERS), ("load", load(), LOAD)] {
            let pairs = times.iter().zip(values.map(written));
            let pairs: Vec<Value> = pairs.map(|(time, value)| json!([time, value])).collect();
            let matrix = json!([{"metric": metric, "values": pairs}]);
            self.shows_json(&["range"], &flags, name, &matrix)?;
        }
        Ok(())
    }

    fn lists(&self) -> Result<()> {
        let series = self.prints(&["series", "--match=orders_total", "--match=load", &self.url])?;
        let wanted = "{__name__=\"load\"}\n\
                      {__name__=\"orders_total\", größe=\"ß\", path=\"a \\\"b\\\"\\\\\\n\"}\n";
        ensure!(series == wanted, "series are shown as {series:?}");
        for (flags, name, wanted) in [
            (&[][..], "__name__", "load\norders_total\n"),
            (&["--match=load"][..], "__name__", "load\n"),
            (&[][..], "größe", "ß\n"),
            (&[][..], "path", "a \"b\"\\\n\n"),
        ] {
            let arguments = [&["labels"], flags, &[&self.url, name]].concat();
            let values = self.prints(&arguments)?;
            ensure!(
                values == wanted,
                "values of {name} are shown as {values:?}, not {wanted:?}"
            );
        }
        Ok(())
    }

    /// What is wrong is told by us, and ends it.
    fn mistakes(&self) -> Result<()> {
        for (query, told) in [
            ("sum(", "unexpected end of the query"),
            (
                "rate(load)",
                "argument 1 of rate must be of type range vector",
            ),
            (
                "load + on(x) group_left load[5m]",
                "+ needs scalars or instant vectors",
            ),
        ] {
            let output = self.run(&["instant", &self.url, query])?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(
                !output.status.success() && said.contains("bad_data") && said.contains(told),
                "{query} ended with {}: {said}",
                output.status
            );
        }
        Ok(())
    }

    fn shows_json(&self, kind: &[&str], flags: &[&str], query: &str, wanted: &Value) -> Result<()> {
        let arguments = [&["-o", "json"], kind, flags, &[&self.url, query]].concat();
        let printed = self.prints(&arguments)?;
        let shown: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
        ensure!(
            shown == *wanted,
            "{query} is shown as {shown}, not {wanted}"
        );
        Ok(())
    }

    fn prints(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "promtool query {arguments:?}: {said}"
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(&self.program);
        let command = command.arg("query").args(arguments);
        command.output().context("promtool cannot be run")
    }
}
