//! Cli: the subcommands of the binary `tinyobs`.
//!
//! `serve` (also without a subcommand), `config`, `query`, `push`, `export`, `import`, `maintain`, `backup`,
//! `restore`, `check`, `inspect`, `healthcheck`, `version`. Exit codes: 0 when all went well, 1 when
//! something failed, 2 when the command line cannot be read, 3 when what was asked for is there, but
//! lacks what is damaged in the store, or what the format has no name for ([`Incomplete`]).

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::{self, Places, Resolved, SETTINGS};

mod backup;
mod check;
mod export;
mod healthcheck;
mod http;
mod import;
mod inspect;
mod logging;
mod maintain;
mod progress;
mod push;
mod query;
mod restore;
mod serve;
mod target;

/// What a subcommand returns: an error is shown as one line.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// What was asked for was written, as far as the store is sound. A code of its own: a job that runs
/// at night must not take it for success, and need not throw it away.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Incomplete(String);

/// `1 place`, `2 places`.
fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}

/// Runs the command line `arguments`, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = command().get_matches_from(arguments);
    let outcome = match matches.subcommand() {
        Some(("config", matches)) => resolve(matches).map(|resolved| {
            say(&resolved.to_toml());
            for warning in resolved
                .config
                .warnings()
                .iter()
                .chain(&unknown_variables())
            {
                eprintln!("warning: {warning}");
            }
        }),
        Some(("query", matches)) => with(matches, query::run),
        Some(("push", matches)) => with(matches, push::run),
        Some(("export", matches)) => with(matches, export::run),
        Some(("import", matches)) => with(matches, import::run),
        Some(("maintain", matches)) => with(matches, maintain::run),
        Some(("backup", matches)) => with(matches, backup::run),
        Some(("restore", matches)) => with(matches, restore::run),
        Some(("check", matches)) => with(matches, check::run),
        Some(("inspect", matches)) => with(matches, inspect::run),
        Some(("healthcheck", matches)) => {
            resolve(matches).and_then(|resolved| healthcheck::run(&resolved.config))
        }
        Some(("version", _)) => {
            println!("tinyobs {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Some((_, matches)) => serve(matches),
        None => serve(&matches),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if error.is::<Incomplete>() {
                return ExitCode::from(3);
            }
            ExitCode::FAILURE
        }
    }
}

/// Writes to standard output. Whoever closed the other end has seen enough.
fn say(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Runs a subcommand with its configuration.
fn with(matches: &ArgMatches, run: fn(&ArgMatches, &Resolved) -> Outcome) -> Outcome {
    // The flags may stand behind a subcommand of the subcommand.
    let innermost = matches.subcommand().map_or(matches, |(_, inner)| inner);
    run(matches, &resolve(innermost)?)
}

fn serve(matches: &ArgMatches) -> Outcome {
    let resolved = resolve(matches)?;
    serve::run(
        resolved.config,
        &unknown_variables(),
        matches.get_flag("demo"),
    )
}

/// Variables that look like ours and are not: a slip of the pen would otherwise go unnoticed. No
/// error, for other programs of ours may have variables, too.
fn unknown_variables() -> Vec<String> {
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let mut unknown: Vec<String> = names
        .filter(|name| name.starts_with("TINYOBS_"))
        .filter(|name| !config::is_variable(name) && !is_of_kubernetes(name))
        .map(|name| {
            format!("the environment variable {name} is none that is known: `tinyobs serve --help` has them all")
        })
        .collect();
    unknown.sort();
    unknown
}

/// Whether Kubernetes sets it in every pod beside a service that is named `tinyobs`.
fn is_of_kubernetes(name: &str) -> bool {
    let is_one_of = |name: &str| name.is_empty() || name.starts_with('_');
    name == "TINYOBS_SERVICE_HOST"
        || ["TINYOBS_PORT", "TINYOBS_SERVICE_PORT"]
            .iter()
            .any(|stem| name.strip_prefix(stem).is_some_and(is_one_of))
}

fn resolve(matches: &ArgMatches) -> Result<Resolved, Box<dyn std::error::Error>> {
    // A subcommand has only the flags that mean something to it.
    let flag = |key: &str| matches.try_get_one::<String>(key).ok().flatten().cloned();
    // What is not UTF-8 is made so, and then refused like any other value that makes no sense.
    // An empty variable is as good as none: compose files and shells cannot unset one.
    let variable = |name: &str| {
        let text = std::env::var_os(name)?.to_string_lossy().into_owned();
        Some(text).filter(|text| !text.is_empty())
    };
    let file = matches.get_one::<PathBuf>("config").cloned();
    let file = file.or_else(|| variable("TINYOBS_CONFIG").map(PathBuf::from));
    let places = Places {
        flag: &flag,
        variable: &variable,
        file: file.as_deref(),
    };
    Ok(config::resolve(&places)?)
}

fn command() -> Command {
    let demo = Arg::new("demo")
        .long("demo")
        .action(ArgAction::SetTrue)
        .help("Also run the example app, which pushes to this server");
    Command::new("tinyobs")
        .about("A metrics platform in one binary")
        .version(env!("CARGO_PKG_VERSION"))
        .args_conflicts_with_subcommands(true)
        .args(arguments())
        .arg(demo.clone())
        .subcommand(
            Command::new("serve")
                .about("Run the server (what happens without a subcommand, too)")
                .args(arguments())
                .arg(demo),
        )
        .subcommand(
            Command::new("config")
                .about("Show each setting and where its value comes from")
                .args(arguments()),
        )
        .subcommand(query::command())
        .subcommand(push::command())
        .subcommand(export::command())
        .subcommand(import::command())
        .subcommand(maintain::command())
        .subcommand(backup::command())
        .subcommand(restore::command())
        .subcommand(check::command())
        .subcommand(inspect::command())
        .subcommand(
            Command::new("healthcheck")
                .about("Ask the configured server whether it is ready; fails when it is not")
                .args(arguments()),
        )
        .subcommand(Command::new("version").about("Show the version"))
}

/// One flag for each setting. They are read as text here and understood in [`config`], which says
/// the same about a flag, a variable and a line of the file.
fn arguments() -> impl Iterator<Item = Arg> {
    let keys: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
    arguments_of(&keys)
}

/// The flags of some settings, and the one that names the file.
fn arguments_of(keys: &[&str]) -> impl Iterator<Item = Arg> + use<> {
    let of_keys = SETTINGS
        .iter()
        .filter(|setting| keys.contains(&setting.key))
        .collect::<Vec<_>>();
    let settings = of_keys.into_iter().map(|setting| {
        let default = match setting.default {
            "" => String::new(),
            default => format!(", default: {default}"),
        };
        let help = format!("{} [env: {}{default}]", setting.help, setting.variable());
        let arg = Arg::new(setting.key)
            .long(setting.key)
            .value_name(setting.value_name)
            // A minus is part of a wrong value, and that is said better where values are read.
            .allow_hyphen_values(setting.key.starts_with("retention-"))
            .help(help);
        if setting.is_switch {
            arg.num_args(0..=1).default_missing_value("true")
        } else {
            arg
        }
    });
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help(
            "The configuration file [env: TINYOBS_CONFIG, default: tinyobs.toml if there is one]",
        );
    settings.chain([file])
}

/// Like [`arguments_of`], for those who ask a server or take a store as it is, and make neither.
fn arguments_of_client(keys: &[&str]) -> impl Iterator<Item = Arg> + use<> {
    let may_ask_a_server = keys.contains(&"listen");
    arguments_of(keys).map(move |arg| match arg.get_id().as_str() {
        "data-dir" if may_ask_a_server => arg.help(
            "The store in this directory, which must be there, and no other server's; while a \
             server has it open, that one is asked. Without it: see --url [env: TINYOBS_DATA_DIR]",
        ),
        "data-dir" => arg.help(
            "Where the store is; it must be there [env: TINYOBS_DATA_DIR, default: ./tinyobs-data]",
        ),
        "listen" => arg.help(
            "Where the running server listens [env: TINYOBS_LISTEN, default: 127.0.0.1:8080]",
        ),
        _ => arg,
    })
}

/// Where a program on this machine reaches a server that listens at `addr`: "any address" is only
/// for listening.
fn reachable(mut addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => addr.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => addr.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    addr
}

#[cfg(test)]
mod tests;
