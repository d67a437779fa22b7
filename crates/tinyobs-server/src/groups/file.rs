//! File: the groups in `pushed-groups.json` of the data directory.
//!
//! Values are text, as the exposition formats have them, because JSON has no NaN.
//!
//! I-GROUPFILE-1  After a crash the file is the old one or the new one, whole and on the device.
//! I-GROUPFILE-2  A file that cannot be understood is set aside and reported, never overwritten.
//! Proved by: groups/file/tests.rs, tests/process/pushgateway.rs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tinyobs_model::{Kind, Labels, METRIC_NAME};
use tinyobs_wire::families::{Family, Series};
use tinyobs_wire::json::reason_at;
use tinyobs_wire::number::Short;

use super::{Group, Key, Options};

/// Its name in the data directory.
pub const NAME: &str = "pushed-groups.json";
const VERSION: u32 = 1;

/// The file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}: {source}")]
pub struct FileError {
    action: &'static str,
    path: String,
    source: io::Error,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    version: u32,
    groups: Vec<GroupText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupText {
    labels: BTreeMap<String, String>,
    pushed_ms: i64,
    failed_ms: i64,
    ttl_ms: Option<i64>,
    interval_ms: Option<i64>,
    watched_ms: Option<i64>,
    families: Vec<FamilyText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyText {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    unit: String,
    help: String,
    series: Vec<(BTreeMap<String, String>, String)>,
}

/// The groups as text.
pub fn render(groups: &BTreeMap<Key, Group>) -> String {
    let groups = groups.iter().map(|(key, group)| GroupText {
        labels: key.iter().cloned().collect(),
        pushed_ms: group.pushed_ms,
        failed_ms: group.failed_ms,
        ttl_ms: group.options.ttl_ms,
        interval_ms: group.options.interval_ms,
        watched_ms: group.watched_ms,
        families: group.families.values().map(family_text).collect(),
    });
    let text = FileText {
        version: VERSION,
        groups: groups.collect(),
    };
    serde_json::to_string(&text).expect("maps of strings are JSON")
}

fn family_text(family: &Family) -> FamilyText {
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let series = family.series.iter().map(|series| {
        let labels = series.labels.iter().map(own).collect();
        let value = series.value;
        let value = if value.is_finite() {
            Short(value).to_string()
        } else {
            value.to_string()
        };
        (labels, value)
    });
    FamilyText {
        name: family.name.clone(),
        kind: family.kind.to_string(),
        unit: family.unit.clone(),
        help: family.help.clone(),
        series: series.collect(),
    }
}

/// Replaces the file (I-GROUPFILE-1).
pub fn write(path: &Path, text: &str) -> Result<(), FileError> {
    let draft = path.with_extension("tmp");
    let fail = |action: &'static str, path: &Path| {
        let path = path.display().to_string();
        move |source| FileError {
            action,
            path,
            source,
        }
    };
    let mut file = File::create(&draft).map_err(fail("write", &draft))?;
    file.write_all(text.as_bytes())
        .map_err(fail("write", &draft))?;
    file.sync_all().map_err(fail("sync", &draft))?;
    fs::rename(&draft, path).map_err(fail("replace", path))?;
    let dir = path.parent().unwrap_or(Path::new("."));
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(fail("sync", dir))
}

/// The groups of the file; none when there is no file yet.
pub fn read(path: &Path) -> Result<BTreeMap<Key, Group>, FileError> {
    let fail = |action: &'static str, source| FileError {
        action,
        path: path.display().to_string(),
        source,
    };
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(fail("read", error)),
        Ok(bytes) => bytes,
    };
    match parse(&bytes) {
        Ok(groups) => Ok(groups),
        Err(reason) => {
            // I-GROUPFILE-2
            let aside: PathBuf = path.with_extension("json.damaged");
            fs::rename(path, &aside).map_err(|error| fail("set aside", error))?;
            tracing::error!(
                file = %aside.display(),
                reason,
                "the pushed groups cannot be read and were set aside; push them again"
            );
            Ok(BTreeMap::new())
        }
    }
}

/// What is wrong with the file, if there is one and it cannot be read or understood. It stays where
/// it is.
pub fn damage(path: &Path) -> Option<String> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(format!("it cannot be read: {error}")),
        Ok(bytes) => parse(&bytes).err(),
    }
}

fn parse(bytes: &[u8]) -> Result<BTreeMap<Key, Group>, String> {
    let text: FileText = serde_json::from_slice(bytes).map_err(|error| reason_at(&error))?;
    if text.version != VERSION {
        return Err(format!("version {} is not known", text.version));
    }
    let groups = text.groups.into_iter().map(|group| {
        let key = group.labels.into_iter().collect();
        let families: Option<Vec<Family>> = group.families.into_iter().map(family).collect();
        let families = families.ok_or("a series in it is malformed")?;
        let mut read = Group::new();
        read.families = families
            .into_iter()
            .map(|one| (one.name.clone(), one))
            .collect();
        read.pushed_ms = group.pushed_ms;
        read.failed_ms = group.failed_ms;
        read.options = Options {
            ttl_ms: group.ttl_ms,
            interval_ms: group.interval_ms,
        };
        read.watched_ms = group.watched_ms;
        Ok((key, read))
    });
    groups.collect()
}

fn family(text: FamilyText) -> Option<Family> {
    let series = text.series.iter().map(|(labels, value)| {
        let name = labels.get(METRIC_NAME)?;
        let pairs = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
        let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
        Some(Series {
            labels: Labels::new(name, pairs).ok()?,
            value: value.parse().ok()?,
            start_ms: None,
            line: 0,
        })
    });
    Some(Family {
        series: series.collect::<Option<_>>()?,
        kind: text.kind.parse::<Kind>().ok()?,
        name: text.name,
        unit: text.unit,
        help: text.help,
    })
}

#[cfg(test)]
mod tests;
