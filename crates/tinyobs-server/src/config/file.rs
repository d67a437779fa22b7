//! File: `tinyobs.toml`, with the line of each key.

use std::fs;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::{ConfigError, SETTINGS};

/// Read when it is in the working directory and `--config` names no other.
pub const NAME: &str = "tinyobs.toml";

/// What the file says.
#[derive(Debug, Default)]
pub struct File {
    /// As given.
    pub path: PathBuf,
    /// Key, value as text, and line.
    values: Vec<(String, String, usize)>,
}

impl File {
    /// The value of `key` and its line.
    pub fn get(&self, key: &str) -> Option<(&str, usize)> {
        self.values
            .iter()
            .find(|(known, ..)| known == key)
            .map(|(_, value, line)| (value.as_str(), *line))
    }
}

/// Reads the file at `path`.
pub fn read(path: &Path) -> Result<File, ConfigError> {
    let text = fs::read_to_string(path).map_err(|error| ConfigError::File {
        path: path.display().to_string(),
        reason: error.to_string(),
    })?;
    parse(path, &text)
}

/// Reads the text of a file.
pub fn parse(path: &Path, text: &str) -> Result<File, ConfigError> {
    let line = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let error = |at: usize, reason: String| ConfigError::Value {
        place: format!("{}:{}", path.display(), line(at)),
        reason,
    };
    let table = DeTable::parse(text).map_err(|broken| {
        let at = broken.span().map_or(0, |span| span.start);
        error(at, broken.message().to_owned())
    })?;
    let mut values = Vec::new();
    for (key, value) in table.get_ref() {
        let (name, at) = (key.get_ref(), key.span().start);
        if !SETTINGS.iter().any(|setting| setting.key == *name) {
            let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
            let reason = format!("unknown key {name:?}; known: {}", known.join(", "));
            return Err(error(at, reason));
        }
        let text = plain(value.get_ref()).ok_or_else(|| {
            let reason = format!("{name} must be a string, a number, true, false, or a list");
            error(at, reason)
        })?;
        values.push((name.to_string(), text, line(at)));
    }
    Ok(File {
        path: path.to_owned(),
        values,
    })
}

/// The value as a flag would have it.
fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        DeValue::Array(list) => {
            let items: Option<Vec<String>> = list.iter().map(|one| plain(one.get_ref())).collect();
            Some(items?.join(","))
        }
        _ => None,
    }
}
