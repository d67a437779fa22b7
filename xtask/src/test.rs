//! Test: all that proves TinyObs, in the order of what fails fastest.

use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use tinyobs_testing::{Server, Start};

use crate::{clients, crash, fuzz, overload, tools};

/// What to leave out while working on something else. CI leaves out nothing.
#[derive(Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub struct Options {
    /// Leave out the browser tests.
    #[arg(long)]
    no_browser: bool,
    /// Leave out the crash tests.
    #[arg(long)]
    no_crash: bool,
    /// Leave out other people's programs.
    #[arg(long)]
    no_clients: bool,
    /// Leave out the fuzzer.
    #[arg(long)]
    no_fuzz: bool,
}

/// Runs everything.
pub fn run(options: &Options) -> Result<()> {
    let begun = Instant::now();
    tools::require_node()?;
    let chromium = if options.no_browser {
        None
    } else {
        Some(tools::require_chromium()?)
    };

    tools::run("cargo", &["fmt", "--all", "--check"], &[])?;
    for apart in ["fuzz/Cargo.toml", "clients/Cargo.toml"] {
        let fmt = ["fmt", "--manifest-path", apart, "--check"];
        tools::run("cargo", &fmt, &[])?;
    }
    // Its lock file stands alone: a dependency added to a crate is missing there until it is.
    let fuzz_lock = ["fetch", "--locked", "--manifest-path", "fuzz/Cargo.toml"];
    tools::run("cargo", &fuzz_lock, &[])?;
    let ui = [("TINYOBS_UI", "require")];
    let lints = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ];
    tools::run("cargo", &lints, &ui)?;
    tools::run("cargo", &["test", "--workspace", "--all-features"], &ui)?;

    let npm = [
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefix",
        "ui",
    ];
    tools::run("npm", &npm, &[])?;
    tools::run("npm", &["test", "--prefix", "ui"], &[])?;

    if !options.no_fuzz {
        fuzz::run(&fuzz::Options::short())?;
    }
    if !options.no_crash {
        crash::short()?;
        let cores = std::thread::available_parallelism()?.get();
        let two = (cores > 1).then_some(());
        let two = two.context("the server and the generator need a core each");
        if tools::allowed("overload", two) {
            overload::short()?;
        }
    }
    if !options.no_clients {
        clients::short()?;
    }
    if let Some(chromium) = &chromium {
        browser(chromium)?;
    }
    println!(
        "\neverything passed in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The dashboard in a real browser, once on a server with the demo's data, once on an empty one.
fn browser(chromium: &str) -> Result<()> {
    let binary = tools::build_server(false)?;
    let dir = tempfile::tempdir()?;
    let start = |name: &str, args: &[&str]| {
        Server::start(&Start {
            binary: binary.clone(),
            data_dir: dir.path().join(name),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
        })
    };
    let full = start("full", &["--demo"])?;
    let empty = start("empty", &[])?;
    let envs = [
        ("TINYOBS_URL", full.url.as_str()),
        ("TINYOBS_EMPTY_URL", empty.url.as_str()),
        ("CHROMIUM", chromium),
    ];
    tools::run("npm", &["run", "e2e", "--prefix", "ui"], &envs)?;
    for server in [full, empty] {
        let status = server.stop()?;
        anyhow::ensure!(
            status.success(),
            "a server under the browser tests ended with {status}"
        );
    }
    Ok(())
}
