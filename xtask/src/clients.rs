//! Clients: other people's programs, as they are, against a real server.
//!
//! Each command installs its client below target/clients from the public package registry, or takes
//! it from [`peers`](crate::peers), lets it push or scrape, and compares values, not counts.

mod codemirror;
mod crates;
mod otlp;
mod promtool;
mod push;
mod remote_write;
mod scrape;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use tinyobs_testing::{Server, Start};

use self::otlp::Sdk;
use crate::peers::{self, Peer};
use crate::tools;

/// Whose clients.
#[derive(Subcommand)]
pub enum Client {
    /// OpenTelemetry's SDK for Python: every instrument, both temporalities, both encodings.
    Otlp,
    /// OpenTelemetry's SDK for Rust: the same instruments, the same values.
    OtelRust,
    /// The editor of Prometheus' own pages completes queries.
    Codemirror(codemirror::Options),
    /// Prometheus' own tool asks the API: instant, range, series, labels, and what is wrong.
    Promtool(promtool::Options),
    /// Python's `prometheus_client` pushes to groups.
    Push(push::Options),
    /// Prometheus remote-writes, 1.0 and 2.0, over a `kill -9` of the server.
    RemoteWrite(remote_write::Options),
    /// Prometheus collects `/metrics`, `/metrics/self` and `/federate`.
    Scrape(scrape::Options),
}

/// Runs one of them.
pub fn run(client: &Client) -> Result<()> {
    match client {
        Client::Otlp => of_otel(Sdk::Python),
        Client::OtelRust => of_otel(Sdk::Rust),
        Client::Codemirror(options) => codemirror::run(options),
        Client::Promtool(options) => promtool::run(options),
        Client::Push(options) => push::run(options),
        Client::RemoteWrite(options) => remote_write::run(options),
        Client::Scrape(options) => scrape::run(options),
    }
}

/// Those that `cargo xtask test` runs. Where a client is not there and cannot be fetched, what it
/// would prove is left out and named.
pub fn short() -> Result<()> {
    let begun = Instant::now();
    let prometheus = peers::find(Peer::Prometheus).map(drop);
    if tools::allowed("scrapes and remote writes of Prometheus", prometheus) {
        scrape::run(&scrape::Options::default())?;
        remote_write::run(&remote_write::Options::default())?;
    }
    let promtool = peers::find(Peer::Promtool).map(drop);
    if tools::allowed("queries of promtool", promtool) {
        promtool::run(&promtool::Options::default())?;
    }
    if tools::allowed("completion of codemirror-promql", codemirror::fetch()?) {
        codemirror::run(&codemirror::Options::default())?;
    }
    if tools::allowed("OpenTelemetry's SDK for Rust", crates::fetch()?) {
        of_otel(Sdk::Rust)?;
    }
    let python = Sdk::Python.install();
    let (client, missing) = match python {
        Ok(client) => (client, Ok(())),
        Err(error) => (Vec::new(), Err(error)),
    };
    if tools::allowed("OpenTelemetry's SDK for Python", missing) {
        otlp::run(Sdk::Python, &client)?;
    }
    println!("clients: {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn of_otel(sdk: Sdk) -> Result<()> {
    otlp::run(sdk, &sdk.install()?)
}

/// The server that is named, or one built now, with its data below `dir`.
fn start(named: Option<&Path>, dir: &Path) -> Result<Server> {
    let binary = match named {
        Some(path) => path.canonicalize()?,
        None => tools::build_server(false)?,
    };
    Server::start(&Start {
        binary,
        data_dir: dir.join("data"),
        args: Vec::new(),
    })
}

/// Stores lines of JSON, which hold so many samples.
fn import(server: &Server, lines: &str, samples: usize) -> Result<()> {
    let answer = server.post("/v1/import", lines)?;
    ensure!(
        answer.status == 200 && answer.json()?["metrics_imported"] == samples,
        "the import was answered {}: {}",
        answer.status,
        answer.text()
    );
    Ok(())
}

/// A Python with the packages of `requirements`, made when it is not there or they have changed.
fn python(name: &str, requirements: &Path) -> Result<PathBuf> {
    tools::output_of("python3", &["--version"]).context(
        "Python is missing: install Python 3.9 or newer with venv (Debian: `python3-venv`)",
    )?;
    let dir = tools::target_dir()?.join("clients").join(name);
    let (python, mark) = (dir.join("bin/python"), dir.join("installed.txt"));
    let wanted = std::fs::read_to_string(requirements)?;
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let path = |path: &Path| path.display().to_string();
    tools::run("python3", &["-m", "venv", "--clear", &path(&dir)], &[])?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ];
    let arguments: Vec<&str> = install.into_iter().collect();
    let file = path(requirements);
    tools::run(&path(&python), &[&arguments[..], &[&file]].concat(), &[])
        .context("the packages cannot be installed: is the package registry reachable?")?;
    std::fs::write(&mark, wanted)?;
    Ok(python)
}
