//! Otlp: OpenTelemetry's SDKs push every kind of instrument, each request twice.
//!
//!   xtask/clients/otlp.py      ┐
//!   clients/src/otel_rust.rs ──┴▶ tinyobs ─▶ /v1/query ─▶ [`values`]
//!
//! Passes when each push stored exactly the series and the newest values that it should, and the
//! counters have one sample an interval: a request that was sent again has added nothing.

mod values;

use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use tinyobs_testing::{Server, Start};

use crate::tools;
use values::Pushed;

/// Where the SDKs push when they are told nothing.
const USUAL: &str = "127.0.0.1:4318";

/// One of the SDKs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sdk {
    /// `opentelemetry-sdk`, a Python package.
    Python,
    /// `opentelemetry_sdk`, a crate.
    Rust,
}

impl Sdk {
    /// As its resource says it.
    fn language(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Rust => "rust",
        }
    }

    /// Installs it: the program to run, and its first arguments.
    ///
    /// # Errors
    /// It cannot be fetched.
    pub fn install(self) -> Result<Vec<String>> {
        let path = |path: PathBuf| path.display().to_string();
        match self {
            Self::Python => {
                let clients = tools::root().join("xtask/clients");
                let python = super::python("otlp", &clients.join("otlp.txt"))?;
                Ok(vec![path(python), path(clients.join("otlp.py"))])
            }
            Self::Rust => Ok(vec![path(super::crates::build("otel-rust")?)]),
        }
    }
}

/// Lets an SDK push in every way.
pub fn run(sdk: Sdk, client: &[String]) -> Result<()> {
    let (program, first) = client.split_first().context("no program")?;
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
            let mut args: Vec<&str> = first.iter().map(String::as_str).collect();
            args.extend([server.url.as_str(), temporality, encoding]);
            tools::run(program, &args, &[])?;
            let job = format!("clients/{}-{temporality}-{encoding}", sdk.language());
            let pushed = Pushed {
                job: &job,
                temporality,
                language: sdk.language(),
                begins_observed: sdk == Sdk::Rust,
            };
            values::compare(&server, &pushed).with_context(|| job.clone())?;
        }
    }
    let status = server.stop()?;
    ensure!(status.success(), "the server ended with {status}");
    println!("\nevery value is the one that was pushed");
    Ok(())
}
