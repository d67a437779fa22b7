//! Judge: what one flipped bit did.
//!
//!   copy ─▶ flip ─▶ start ─▶ ask everything ─▶ compare with the golden answers ─▶ [Verdict]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use serde_json::Value;
use tinyobs_testing::{Around, Server, Started};

use super::golden::{Golden, Question, normal, rows, start_of};

const HOUR_MS: i64 = 3_600_000;

/// What became of a store with one flipped bit, the good before the bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Every answer is the golden one, and nothing is reported.
    Harmless,
    /// The file is named, by the health page, the log or the answer that fails for it, and all
    /// outside the damaged unit is the golden answer.
    Detected,
    /// Named, but more is missing than lay in the damaged unit.
    Beyond,
    /// Something is missing and nothing names the file.
    Silent,
    /// An answer has a value that was never, or is no longer, the right one.
    Wrong,
    /// The process panicked.
    Panic,
    /// The process did not start.
    Refused,
}

impl Verdict {
    pub const ALL: [Self; 7] = [
        Self::Harmless,
        Self::Detected,
        Self::Beyond,
        Self::Silent,
        Self::Wrong,
        Self::Panic,
        Self::Refused,
    ];

    pub fn passes(self) -> bool {
        matches!(self, Self::Harmless | Self::Detected)
    }
}

/// A bit of a file of the golden store.
#[derive(Debug, Clone)]
pub struct Flip {
    /// Relative to the store.
    pub file: PathBuf,
    /// For people: `table raw`, `log`, …
    pub kind: String,
    pub bit: u64,
    /// What may be missing when the file is damaged there.
    pub unit: Unit,
}

/// What may be missing, if that is said.
#[derive(Debug, Clone)]
pub enum Unit {
    /// Nothing: what the file says stands elsewhere too.
    Nothing,
    /// What has samples on the day that starts then.
    Day(i64),
    /// What needs series to be known.
    Everything,
    /// These series.
    Series(HashSet<String>),
    /// What is answered from rollups.
    Charts,
}

impl Unit {
    fn allows(&self, question: &Question) -> bool {
        match (self, question) {
            (Self::Nothing, _) | (Self::Charts, Question::Samples(..)) => false,
            (Self::Day(day), Question::Samples(_, of)) => day == of,
            (Self::Series(series), Question::Samples(at, _)) => series.contains(at),
            _ => true,
        }
    }
}

enum Difference {
    None,
    /// The answer is an error.
    Error(String),
    Missing,
    Wrong(String),
}

/// Flips, starts, asks and compares. Returns the verdict and what speaks for it.
pub fn judge(golden: &Golden, binary: &Path, flip: &Flip, dir: &Path) -> Result<(Verdict, String)> {
    let path = dir.join(&flip.file);
    let mut bytes = fs::read(&path)?;
    bytes[(flip.bit / 8) as usize] ^= 1 << (flip.bit % 8);
    fs::write(&path, &bytes)?;
    let log = dir.with_extension("log");
    let around = Around {
        log: Some(log.clone()),
        ..Around::default()
    };
    let started = Server::start_in(&start_of(binary, dir), &around)?;
    let verdict = match started {
        Started::Ended(status) => {
            let said = fs::read_to_string(&log)?;
            let verdict = if said.contains("panicked") {
                Verdict::Panic
            } else {
                Verdict::Refused
            };
            let last = said.lines().last().unwrap_or_default().to_owned();
            (verdict, format!("{status}: {last}"))
        }
        Started::Ready(server) => compare_all(golden, flip, &server, &log)?,
    };
    fs::remove_file(&log)?;
    Ok(verdict)
}

fn compare_all(
    golden: &Golden,
    flip: &Flip,
    server: &Server,
    log: &Path,
) -> Result<(Verdict, String)> {
    let file = flip.file.file_name().unwrap_or_default();
    let file = file.to_string_lossy().into_owned();
    let mut found: Vec<(Verdict, String)> = Vec::new();
    let mut missing: Option<String> = None;
    for (question, expected) in &golden.answers {
        let what = match difference(golden, flip, server, question, expected)? {
            Difference::None => continue,
            Difference::Wrong(how) => {
                found.push((Verdict::Wrong, format!("{question:?}: {how}")));
                continue;
            }
            Difference::Error(message) => {
                let names = message.contains(&file);
                let verdict = if names {
                    Verdict::Detected
                } else {
                    Verdict::Silent
                };
                found.push((verdict, message));
                "an error"
            }
            Difference::Missing => {
                missing.get_or_insert_with(|| format!("{question:?}"));
                "less"
            }
        };
        if !flip.unit.allows(question) {
            found.push((Verdict::Beyond, format!("{question:?} answers {what}")));
        }
    }
    let health = server.ask("/v1/health")?;
    let said = fs::read_to_string(log)?;
    let report = said.lines().find(|line| line.contains(&file));
    let is_reported = health.text().contains(&file) || report.is_some();
    if is_reported {
        let report = report.map_or_else(|| health.text(), str::to_owned);
        found.push((Verdict::Detected, report));
    } else if let Some(missing) = missing {
        found.push((
            Verdict::Silent,
            format!("{missing} has less, nothing is said"),
        ));
    }
    if let Some(line) = said.lines().find(|line| line.contains("panicked")) {
        found.push((Verdict::Panic, line.to_owned()));
    }
    let worst = found.into_iter().max_by_key(|(verdict, _)| *verdict);
    Ok(worst.unwrap_or((Verdict::Harmless, String::new())))
}

fn difference(
    golden: &Golden,
    flip: &Flip,
    server: &Server,
    question: &Question,
    expected: &Value,
) -> Result<Difference> {
    let answer = server.ask(&golden.path(question))?;
    if answer.status != 200 {
        return Ok(Difference::Error(answer.text()));
    }
    let value = normal(&answer)?;
    if value == *expected {
        return Ok(Difference::None);
    }
    Ok(match question {
        Question::Samples(at, _) => samples_differ(golden, flip, at, &value, expected)?,
        Question::Chart(..) => points_differ(golden, &value, expected)?,
        Question::About(_) => Difference::Missing,
    })
}

/// A sample that is not the golden one is wrong. Only a hole in the log may bring back what was
/// overwritten there, for then nobody can know that it was.
fn samples_differ(
    golden: &Golden,
    flip: &Flip,
    at: &str,
    value: &Value,
    expected: &Value,
) -> Result<Difference> {
    let Ok(rows_now) = rows(value) else {
        return Ok(Difference::Wrong(
            "a time of a series is there twice".into(),
        ));
    };
    let expected = rows(expected)?;
    for (time_ms, value) in rows_now {
        if expected.get(&time_ms) == Some(&value) {
            continue;
        }
        let older = golden.older.get(&(at.to_owned(), time_ms));
        let was_so = older.is_some_and(|older| older.contains(&value));
        if !(was_so && matches!(flip.unit, Unit::Series(_))) {
            let expected = expected.get(&time_ms);
            let was = if was_so { ", as it was before" } else { "" };
            return Ok(Difference::Wrong(format!(
                "{value} at {time_ms} in place of {expected:?}{was}"
            )));
        }
    }
    Ok(Difference::Missing)
}

/// A chart of fewer samples may pick other points, or have rollups where late samples kept them
/// away, but each must be one of the golden chart or a stored sample. Of rollups the time is that of
/// their window, and a counter may begin again at 0.
fn points_differ(golden: &Golden, value: &Value, expected: &Value) -> Result<Difference> {
    let expected = points(expected);
    let mut stored: HashMap<&str, HashSet<(i64, u64)>> = HashMap::new();
    for (question, answer) in &golden.answers {
        if let Question::Samples(at, _) = question {
            let rows = rows(answer)?.into_iter();
            let set = stored.entry(at).or_default();
            set.extend(rows.map(|(time_ms, value)| (time_ms, value.to_bits())));
        }
    }
    for (at, points) in points(value) {
        for point in points {
            let in_chart = expected
                .get(&at)
                .is_some_and(|points| points.contains(&point));
            let (time_ms, bits) = point;
            let in_store = stored.get(at.as_str()).is_some_and(|all| {
                let hour = time_ms.div_euclid(HOUR_MS);
                let of_window = |&(other_ms, other_bits): &(i64, u64)| {
                    other_bits == bits && other_ms.div_euclid(HOUR_MS) == hour
                };
                all.contains(&point) || all.iter().any(of_window) || bits == 0
            });
            if !in_chart && !in_store {
                let value = f64::from_bits(bits);
                return Ok(Difference::Wrong(format!("{at} has {value} at {time_ms}")));
            }
        }
    }
    Ok(Difference::Missing)
}

fn points(chart: &Value) -> HashMap<String, Vec<(i64, u64)>> {
    let lines = chart["data"].as_array().map(Vec::as_slice);
    let line = |line: &Value| {
        let at = line["labels"]["at"].as_str().unwrap_or_default().to_owned();
        let points = line["points"].as_array().map(Vec::as_slice);
        let point = |point: &Value| {
            let value = point["v"].as_f64().unwrap_or(f64::NAN);
            (point["t"].as_i64().unwrap_or_default(), value.to_bits())
        };
        (at, points.unwrap_or_default().iter().map(point).collect())
    };
    lines.unwrap_or_default().iter().map(line).collect()
}

/// The flips of each kind of file, `count` of each.
pub fn choose(
    golden: &Golden,
    count: u64,
    random: &mut super::super::random::Random,
) -> Result<Vec<Flip>> {
    let mut kinds: std::collections::BTreeMap<String, Vec<(PathBuf, u64, Unit)>> =
        std::collections::BTreeMap::new();
    for (file, bytes) in super::files(&golden.dir)? {
        // What the reserve holds says nothing, and a start removes it.
        let is_reserve = file.file_name().is_some_and(|name| name == "RESERVE");
        if bytes > 0 && !is_reserve {
            let (kind, unit) = kind_of(golden, &file)?;
            kinds.entry(kind).or_default().push((file, bytes, unit));
        }
    }
    let mut flips = Vec::new();
    for (kind, files) in kinds {
        for _ in 0..count {
            let (file, bytes, unit) = &files[random.below(files.len() as u64) as usize];
            // Headers, indexes and footers are short: half of the flips go to the ends.
            let end = (*bytes).min(96);
            let byte = match random.below(4) {
                0 => random.below(end),
                1 => bytes - 1 - random.below(end),
                _ => random.below(*bytes),
            };
            let unit = match unit {
                Unit::Series(_) => log_unit(golden, byte),
                other => other.clone(),
            };
            flips.push(Flip {
                file: file.clone(),
                kind: kind.clone(),
                bit: byte * 8 + random.below(8),
                unit,
            });
        }
    }
    ensure!(!flips.is_empty(), "the golden store has no files");
    Ok(flips)
}

/// What a file is, from its name and the manifest.
fn kind_of(golden: &Golden, file: &Path) -> Result<(String, Unit)> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.into_owned();
    if file.extension().is_some_and(|extension| extension == "wal") {
        return Ok(("log".into(), Unit::Series(HashSet::new())));
    }
    if name.starts_with("MANIFEST") {
        return Ok(("manifest".into(), Unit::Nothing));
    }
    let Some(number) = name.strip_suffix(".table") else {
        return Ok((format!("other: {name}"), Unit::Nothing));
    };
    let number: u64 = number.parse()?;
    let manifest = fs::read_to_string(golden.dir.join("MANIFEST"))?;
    let begin = format!("table {number} partition ");
    let line = manifest.lines().find_map(|line| line.strip_prefix(&begin));
    let partition = line.and_then(|line| line.split(' ').next());
    let mut parts = partition.unwrap_or_default().split('/').skip(1);
    let space = parts.next().unwrap_or("not in the manifest").to_owned();
    let unit = match space.as_str() {
        "raw" => Unit::Day(parts.next().unwrap_or_default().parse()?),
        space if space.starts_with("cat") => Unit::Everything,
        _ => Unit::Charts,
    };
    Ok((format!("table {space}"), unit))
}

/// The series with samples in the damaged record, and, where series are defined in it, those.
fn log_unit(golden: &Golden, byte: u64) -> Unit {
    let mut series = HashSet::new();
    let hit = golden.log.iter().find(|s| (s.from..s.to).contains(&byte));
    if let Some(hit) = hit {
        series.extend(hit.series.iter().cloned());
    }
    Unit::Series(series)
}
