//! Config: what the server is told, and by whom.
//!
//!   flags > `TINYOBS_*` > `tinyobs.toml` > defaults ─▶ [Config]
//!
//! I-CONFIG-1  Each setting is declared once, in [`settings`]: its flag, variable, key, default and
//!             help follow from there.
//! I-CONFIG-2  A value that cannot be read is an error that names where it stands; what is not
//!             known in the file is an error too. Nothing is silently replaced by a default.
//! Proved by: config/tests.rs.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use tinyobs_model::Resolution;
use tinyobs_store::{Durability, EngineKind, Retention, StoreOptions};

mod file;
pub mod settings;
pub mod units;

pub use settings::{SETTINGS, Setting};

/// What the server is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// `address:port`.
    pub listen: String,
    /// `address:port` for OTLP besides; none is off.
    pub otlp_listen: Option<String>,
    /// Where the data lies; relative to the working directory.
    pub data_dir: PathBuf,
    /// On disk or in memory.
    pub engine: EngineKind,
    /// When a push is acknowledged.
    pub durability: Durability,
    /// Series of the store.
    pub max_series: u64,
    /// Series of one metric; 0 = no limit of its own.
    pub max_series_per_metric: u64,
    /// Bytes of all data on disk; 0 = no limit.
    pub max_storage_bytes: u64,
    /// How long data of each resolution is kept.
    pub retention: Retention,
    /// Whether other machines may read and write without a key.
    pub allow_anonymous: bool,
    /// Host names to answer for, besides IP addresses and localhost.
    pub allowed_hosts: Vec<String>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines there are.
    pub log_level: tracing::level_filters::LevelFilter,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment(String),
    /// The configuration file.
    File(PathBuf, usize),
    /// Nobody said.
    Default,
}

/// How much somebody meant a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Nobody said, or something that is not about us in the first place, such as `PORT`.
    Default,
    /// The file.
    File,
    /// A variable of ours.
    Variable,
    /// A flag.
    Flag,
}

/// A configuration, and who said what.
#[derive(Debug)]
pub struct Resolved {
    /// The values.
    pub config: Config,
    /// For each of [`SETTINGS`], in order: its value as text, and its origin.
    pub origins: Vec<(&'static Setting, String, Origin)>,
}

/// A value cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read as what it should be.
    #[error("{place}: {reason}")]
    Value {
        /// The flag, variable, or file, line and key.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    File {
        /// As given.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// The places that values come from, so that tests bring their own.
pub struct Places<'a> {
    /// The value of a flag, by key.
    pub flag: &'a dyn Fn(&str) -> Option<String>,
    /// The value of an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The file named by `--config`; without it, `tinyobs.toml` is read if it is there.
    pub file: Option<&'a Path>,
}

impl Default for Config {
    /// All defaults.
    fn default() -> Self {
        let nowhere = Places {
            flag: &|_| None,
            variable: &|_| None,
            file: None,
        };
        resolve_with(&nowhere, &file::File::default())
            .expect("defaults can be read")
            .config
    }
}

impl Config {
    /// The data directory as an absolute path.
    pub fn data_dir_absolute(&self) -> PathBuf {
        std::path::absolute(&self.data_dir).unwrap_or_else(|_| self.data_dir.clone())
    }

    /// What is allowed but hardly meant, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let kept = |resolution| match self.retention.of(resolution) {
            0 => i64::MAX,
            ms => ms,
        };
        let finer = Resolution::ALL.windows(2).filter_map(|pair| {
            let (fine, coarse) = (pair[0], pair[1]);
            (kept(fine) > kept(coarse)).then(|| {
                format!(
                    "--retention-{fine} keeps data longer than --retention-{coarse}: what is \
                     coarser takes less room, and is dropped first here"
                )
            })
        });
        finer.collect()
    }

    /// What the store is told.
    pub fn store_options(&self) -> StoreOptions {
        StoreOptions {
            engine: self.engine,
            data_dir: self.data_dir_absolute(),
            durability: self.durability,
            max_series: self.max_series,
            max_series_per_metric: self.max_series_per_metric,
            max_bytes: self.max_storage_bytes,
            retention: self.retention,
            ..StoreOptions::memory()
        }
    }
}

/// Whether a variable means something to the server, the client library or the example app.
pub fn is_variable(name: &str) -> bool {
    const OTHERS: [&str; 3] = ["TINYOBS_CONFIG", "TINYOBS_ENDPOINT", "TINYOBS_API_KEY"];
    let known = |setting: &Setting| {
        setting.variable() == name || setting.legacy.is_some_and(|(legacy, _)| legacy == name)
    };
    OTHERS.contains(&name) || SETTINGS.iter().any(known)
}

/// Brings all places together.
///
/// # Errors
/// A value cannot be read, or the file has a key that is not known.
pub fn resolve(places: &Places<'_>) -> Result<Resolved, ConfigError> {
    let file = match places.file {
        Some(path) => file::read(path)?,
        None if Path::new(file::NAME).is_file() => file::read(Path::new(file::NAME))?,
        None => file::File::default(),
    };
    resolve_with(places, &file)
}

fn resolve_with(places: &Places<'_>, file: &file::File) -> Result<Resolved, ConfigError> {
    let mut config = settings::blank();
    let mut origins = Vec::new();
    for setting in SETTINGS {
        let (text, origin) = find(setting, places, file);
        (setting.set)(&mut config, &text).map_err(|reason| ConfigError::Value {
            place: place(setting, &origin),
            reason,
        })?;
        origins.push((setting, text, origin));
    }
    Ok(Resolved { config, origins })
}

fn find(setting: &Setting, places: &Places<'_>, file: &file::File) -> (String, Origin) {
    if let Some(text) = (places.flag)(setting.key) {
        return (text, Origin::Flag);
    }
    let variable = setting.variable();
    if let Some(text) = (places.variable)(&variable) {
        return (text, Origin::Environment(variable));
    }
    if let Some((variable, complete)) = setting.legacy
        && let Some(text) = (places.variable)(variable)
    {
        return (complete(&text), Origin::Environment(variable.to_owned()));
    }
    if let Some((text, line)) = file.get(setting.key) {
        return (text.to_owned(), Origin::File(file.path.clone(), line));
    }
    (setting.default.to_owned(), Origin::Default)
}

fn place(setting: &Setting, origin: &Origin) -> String {
    match origin {
        Origin::Flag => format!("--{}", setting.key),
        Origin::Environment(variable) => variable.clone(),
        Origin::File(path, line) => format!("{}:{line}: {}", path.display(), setting.key),
        Origin::Default => format!("default of {}", setting.key),
    }
}

impl Resolved {
    /// Whether a flag, a variable or the file says what this setting is.
    pub fn is_said(&self, key: &str) -> bool {
        let mut origins = self.origins.iter();
        origins.any(|(setting, _, origin)| setting.key == key && *origin != Origin::Default)
    }

    /// How much what it is was meant.
    pub fn strength(&self, key: &str) -> Strength {
        let mut origins = self.origins.iter();
        let found = origins.find(|(setting, ..)| setting.key == key);
        match found {
            Some((_, _, Origin::Flag)) => Strength::Flag,
            Some((setting, _, Origin::Environment(name))) if *name == setting.variable() => {
                Strength::Variable
            }
            Some((_, _, Origin::File(..))) => Strength::File,
            _ => Strength::Default,
        }
    }

    /// The configuration as a file that would bring it about, each line with its origin.
    pub fn to_toml(&self) -> String {
        let mut lines = Vec::new();
        for (setting, text, _) in &self.origins {
            let value = if setting.is_switch || text.parse::<u64>().is_ok() {
                text.clone()
            } else {
                // A string of JSON is one of TOML too.
                serde_json::Value::from(text.as_str()).to_string()
            };
            lines.push(format!("{} = {value}", setting.key));
        }
        let width = lines.iter().map(String::len).max().unwrap_or(0);
        let mut out = String::new();
        for (line, (_, _, origin)) in lines.iter().zip(&self.origins) {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{line:width$}  # {origin}");
        }
        out
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::File(path, line) => write!(f, "{}, line {line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

#[cfg(test)]
mod tests;
