//! Codemirror: the editor of Prometheus' own pages completes queries with what is stored here.
//!
//!   lines ─▶ `POST /v1/import` ─▶ tinyobs ◀─ `/api/v1/…` ─ its client, in Node ─▶ compare
//!
//! The package is installed by npm below `clients/codemirror`, unless it is there already. Completion
//! asks for metric names with their metadata, for the labels of a metric, and for the values of a label of
//! it, by POST and by GET. (Its client leaves out the other conditions that stand in the braces.)
//!
//! Passes when each place is offered what is stored there, and none of what is named as belonging
//! elsewhere.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tinyobs_testing::Server;

use crate::tools;

/// What is asked.
#[derive(Args, Default)]
pub struct Options {
    /// This `tinyobs` instead of one built now.
    #[arg(long)]
    server: Option<PathBuf>,
}

/// Installs the package where it is not there.
pub fn fetch() -> Result<Result<()>> {
    let dir = dir();
    let lock = dir.join("package-lock.json");
    let mark = dir.join("node_modules/.installed-from");
    let wanted = fs::read_to_string(lock)?;
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(Ok(()));
    }
    tools::require_node()?;
    let prefix = dir.display().to_string();
    let npm = [
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefix",
        &prefix,
    ];
    if let Err(error) = tools::run("npm", &npm, &[]) {
        return Ok(Err(error));
    }
    fs::write(mark, wanted)?;
    Ok(Ok(()))
}

fn dir() -> PathBuf {
    tools::root().join("clients/codemirror")
}

/// Runs it.
pub fn run(options: &Options) -> Result<()> {
    fetch()??;
    let scratch = tempfile::tempdir()?;
    let server = super::start(options.server.as_deref(), scratch.path())?;
    store(&server)?;
    let file = scratch.path().join("places.json");
    fs::write(&file, places().to_string())?;
    let script = dir().join("complete.mjs").display().to_string();
    let file = file.display().to_string();
    tools::run("node", &[&script, &server.url, &file], &[])?;
    println!("codemirror-promql: names, metadata, labels and values are offered as stored");
    Ok(())
}

fn store(server: &Server) -> Result<()> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    let mut lines = String::new();
    for (metric, kind, help) in [
        (
            json!({"__name__": "orders_total", "shop": "north", "kind": "web"}),
            "counter",
            "Orders.",
        ),
        (
            json!({"__name__": "orders_total", "shop": "south", "kind": "phone"}),
            "counter",
            "Orders.",
        ),
        (
            json!({"__name__": "load", "host": "a \"b\""}),
            "gauge",
            "How busy a host is.",
        ),
    ] {
        let line = json!({
            "metric": metric, "type": kind, "help": help, "values": [1], "timestamps": [now_ms],
        });
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    super::import(server, &lines, 3)
}

/// Queries under way, and what is offered where the stroke stands.
fn places() -> Value {
    json!([
        {
            "text": "ord|",
            "offers": ["orders_total", "load"],
            "not": ["north", "shop"],
            "says": {"orders_total": "counter: Orders.", "load": "gauge: How busy a host is."},
        },
        {"text": "rate(ord|)", "offers": ["orders_total"]},
        {"text": "orders_total{|}", "offers": ["shop", "kind"], "not": ["host"]},
        {"text": "orders_total{shop=\"|\"}", "offers": ["north", "south"], "not": ["web"]},
        {"text": "sum by (|) (load)", "offers": ["host"], "not": ["shop"]},
        {"text": "sum(load) by (|)", "offers": ["host"], "not": ["shop"]},
        {"text": "sum by (|)", "offers": ["shop", "kind", "host"]},
    ])
}
