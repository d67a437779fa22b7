//! `tinyobs-demo`: the example app on its own.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use tinyobs_demo::{Demo, DemoError, DemoOptions};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let options = options(&command().get_matches());
    let endpoint = options.endpoint.clone();
    match serve(options, &endpoint).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: DemoOptions, endpoint: &str) -> Result<(), DemoError> {
    let demo = Demo::bind(options).await?;
    println!("Shop:      http://{}", demo.address());
    println!("Pushes to: {endpoint}");
    demo.run(asked_to_stop()).await.map(drop)
}

fn command() -> Command {
    Command::new("tinyobs-demo")
        .about("The TinyObs example app: a small web shop with traffic of its own")
        .version(env!("CARGO_PKG_VERSION"))
        .arg(
            Arg::new("endpoint")
                .long("endpoint")
                .value_name("URL")
                .help("The TinyObs server to push to [default: TINYOBS_ENDPOINT, or http://127.0.0.1:8080]"),
        )
        .arg(
            Arg::new("listen")
                .long("listen")
                .value_name("ADDRESS")
                .value_parser(value_parser!(std::net::SocketAddr))
                .help("Where to serve the shop's page; a free port if this one is taken [default: 127.0.0.1:3000]"),
        )
}

fn options(matches: &ArgMatches) -> DemoOptions {
    let mut options = DemoOptions::default();
    let from_environment = std::env::var("TINYOBS_ENDPOINT").ok();
    let endpoint = matches.get_one("endpoint").cloned().or(from_environment);
    if let Some(endpoint) = endpoint.filter(|endpoint: &String| !endpoint.is_empty()) {
        options.endpoint = endpoint;
    }
    if let Some(listen) = matches.get_one("listen") {
        options.listen = *listen;
    }
    options
}

#[cfg(unix)]
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() {
    drop(tokio::signal::ctrl_c().await);
}
