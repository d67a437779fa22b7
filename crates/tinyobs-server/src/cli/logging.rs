//! Logging: lines on stderr, for people or for programs.

use std::io::IsTerminal;

use crate::config::{Config, LogFormat};

/// Starts logging as configured. Later calls change nothing.
pub fn start(config: &Config) {
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(config.log_level)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    // An error says that somebody has started it before.
    let _ = match config.log_format {
        LogFormat::Text => tracing::subscriber::set_global_default(lines.finish()),
        LogFormat::Json => {
            let lines = lines.with_ansi(false).json().flatten_event(true);
            tracing::subscriber::set_global_default(lines.finish())
        }
    };
}
