//! Settings: the one table of what can be configured.

use std::path::PathBuf;

use tinyobs_model::limits;
use tinyobs_store::{Durability, EngineKind, Retention};
use tracing::level_filters::LevelFilter;

use super::{Config, LogFormat, units};

/// One thing that can be configured.
#[derive(Debug)]
pub struct Setting {
    /// The flag without its dashes, and the key in the file.
    pub key: &'static str,
    /// What stands for the value in the help text.
    pub value_name: &'static str,
    /// The value when nobody says otherwise.
    pub default: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Whether the flag alone means `true`.
    pub is_switch: bool,
    /// A variable of the original, and what its value means here.
    pub legacy: Option<Legacy>,
    /// Reads the value.
    pub set: fn(&mut Config, &str) -> Result<(), String>,
}

/// The variable's name, and how its value is completed.
pub type Legacy = (&'static str, fn(&str) -> String);

impl Setting {
    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("TINYOBS_{}", self.key.to_uppercase().replace('-', "_"))
    }
}

const fn setting(
    key: &'static str,
    value_name: &'static str,
    default: &'static str,
    help: &'static str,
    set: fn(&mut Config, &str) -> Result<(), String>,
) -> Setting {
    Setting {
        key,
        value_name,
        default,
        help,
        is_switch: false,
        legacy: None,
        set,
    }
}

/// Everything that can be configured, in the order of the help text.
pub const SETTINGS: &[Setting] = &[
    Setting {
        legacy: Some(("PORT", |port| format!("127.0.0.1:{port}"))),
        ..setting(
            "listen",
            "ADDRESS:PORT",
            "127.0.0.1:8080",
            "Where to listen; port 0 takes any free one",
            |config, text| {
                config.listen = listen(text)?;
                Ok(())
            },
        )
    },
    setting(
        "otlp-listen",
        "ADDRESS:PORT|off",
        "127.0.0.1:4318",
        "Where else to listen, for OpenTelemetry clients that are told nothing; when another program \
         does, the server says so and goes on",
        |config, text| {
            config.otlp_listen = match text {
                "off" => None,
                address => Some(listen(address).map_err(|error| format!("{error}, or off"))?),
            };
            Ok(())
        },
    ),
    setting(
        "data-dir",
        "DIR",
        "./tinyobs-data",
        "Where the data lies; made when it is not there",
        |config, text| {
            if text.is_empty() {
                return Err("a directory is needed".to_owned());
            }
            config.data_dir = PathBuf::from(text);
            Ok(())
        },
    ),
    setting(
        "engine",
        "disk|memory",
        "disk",
        "Keep data on disk, or in memory until the end",
        |config, text| {
            config.engine = text.parse()?;
            Ok(())
        },
    ),
    setting(
        "durability",
        "interval|sync",
        "interval",
        "When a push is acknowledged: once the operating system has it, which forces it to disk \
         within a second, or once it is on disk",
        |config, text| {
            config.durability = text.parse()?;
            Ok(())
        },
    ),
    setting(
        "max-series",
        "NUMBER",
        "10000",
        "How many series there may be",
        |config, text| {
            let number = text.parse::<u64>().ok().filter(|number| *number > 0);
            let message = || format!("{text:?} is not a number of series, which is 1 or more");
            config.max_series = number.ok_or_else(message)?;
            Ok(())
        },
    ),
    setting(
        "max-series-per-metric",
        "NUMBER",
        "0",
        "How many of them one metric may have; 0 means as many as there may be",
        |config, text| {
            let message = || format!("{text:?} is not a number of series; 0 means no limit");
            config.max_series_per_metric = text.parse().map_err(|_| message())?;
            Ok(())
        },
    ),
    Setting {
        legacy: Some(("TINYOBS_MAX_STORAGE_GB", |number| format!("{number}GiB"))),
        ..setting(
            "max-storage",
            "SIZE",
            "1GiB",
            "How much disk all data may take, such as 512MB, 16MiB at least; the oldest goes first, a little before it is spent; 0 means no limit",
            |config, text| {
                config.max_storage_bytes = storage(text)?;
                Ok(())
            },
        )
    },
    setting(
        "retention-raw",
        "DURATION",
        "14d",
        "How long samples are kept as they were sent, such as 12h; 0 means for ever",
        |config, text| {
            config.retention.raw_ms = units::parse_duration_ms(text)?;
            Ok(())
        },
    ),
    setting(
        "retention-5m",
        "DURATION",
        "90d",
        "How long their summaries of 5 minutes are kept; 0 means for ever",
        |config, text| {
            config.retention.five_minutes_ms = units::parse_duration_ms(text)?;
            Ok(())
        },
    ),
    setting(
        "retention-1h",
        "DURATION",
        "365d",
        "How long their summaries of 1 hour are kept; 0 means for ever",
        |config, text| {
            config.retention.hour_ms = units::parse_duration_ms(text)?;
            Ok(())
        },
    ),
    Setting {
        is_switch: true,
        ..setting(
            "allow-anonymous",
            "true|false",
            "false",
            "Let other machines read and write without a key",
            |config, text| {
                let message = || format!("{text:?} is neither true nor false");
                config.allow_anonymous = text.parse().map_err(|_| message())?;
                Ok(())
            },
        )
    },
    setting(
        "allowed-hosts",
        "NAME,…",
        "",
        "Host names to answer for, besides IP addresses and localhost",
        |config, text| {
            config.allowed_hosts = hosts(text)?;
            Ok(())
        },
    ),
    setting(
        "log-format",
        "text|json",
        "text",
        "How log lines look",
        |config, text| {
            config.log_format = match text {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err(format!("{text:?} is not one of text, json")),
            };
            Ok(())
        },
    ),
    setting(
        "log-level",
        "LEVEL",
        "info",
        "Which log lines there are: off, error, warn, info, debug, trace",
        |config, text| {
            let message = || format!("{text:?} is not one of off, error, warn, info, debug, trace");
            config.log_level = text.parse().map_err(|_| message())?;
            Ok(())
        },
    ),
];

/// A configuration to be filled in; every field has a setting.
pub fn blank() -> Config {
    Config {
        listen: String::new(),
        otlp_listen: None,
        data_dir: PathBuf::new(),
        engine: EngineKind::Disk,
        durability: Durability::Interval,
        max_series: limits::SERIES_DEFAULT,
        max_series_per_metric: 0,
        max_storage_bytes: limits::STORAGE_BYTES_DEFAULT,
        retention: Retention::default(),
        allow_anonymous: false,
        allowed_hosts: Vec::new(),
        log_format: LogFormat::Text,
        log_level: LevelFilter::INFO,
    }
}

/// The log alone may take more than a budget smaller than this.
const STORAGE_BYTES_MIN: u64 = 16 << 20;

fn storage(text: &str) -> Result<u64, String> {
    let bytes = units::parse_size(text)?;
    if (1..STORAGE_BYTES_MIN).contains(&bytes) {
        let least = units::show_size(STORAGE_BYTES_MIN);
        return Err(format!(
            "{text:?} is too little to work with; {least} is the least, 0 means no limit"
        ));
    }
    Ok(bytes)
}

/// `address:port`; a lone port means localhost.
fn listen(text: &str) -> Result<String, String> {
    let (address, port) = match text.rsplit_once(':') {
        Some((address, port)) => (address, port),
        None => ("127.0.0.1", text),
    };
    if address.is_empty() || port.parse::<u16>().is_err() {
        return Err(format!(
            "{text:?} is not an address and a port, such as 127.0.0.1:8080"
        ));
    }
    Ok(format!("{address}:{port}"))
}

fn hosts(text: &str) -> Result<Vec<String>, String> {
    let names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names
        .map(|name| {
            if name.contains(['/', ':', '*', ' ']) {
                Err(format!(
                    "{name:?} is not a host name (no scheme, port or *)"
                ))
            } else {
                Ok(name.to_owned())
            }
        })
        .collect()
}
