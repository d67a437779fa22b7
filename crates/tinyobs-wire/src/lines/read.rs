//! Read: a line becomes samples or rows.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use tinyobs_model::{Columns, Kind, METRIC_NAME, Refusal, Resolution, Rollup, Sample, limits};

use super::columns::{integers, restore_nans, sample_times, sample_values, values};
use crate::json::fields::Broken;
use crate::json::item::{Pairs, Text};
use crate::json::{reason, shown};

/// What a line says.
#[derive(Debug, Default)]
pub struct Line<'a> {
    /// The metric's name.
    pub name: Cow<'a, str>,
    /// The other labels, in the order they are written.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What the numbers mean; unknown where the line does not say.
    pub kind: Kind,
    /// One sentence for people, or "".
    pub help: Cow<'a, str>,
    /// Base unit, or "".
    pub unit: Cow<'a, str>,
    /// What it holds.
    pub content: Content,
    /// What is wrong with samples of the line that are left out of it.
    pub left_out: Option<String>,
}

/// What a line holds.
#[derive(Debug)]
pub enum Content {
    /// Samples, in the order they are written.
    Samples(Columns),
    /// Rows of a resolution that is not raw.
    Rollups(Resolution, Vec<Rollup>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Samples(Columns::default())
    }
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    metric: Option<Metric<'a>>,
    #[serde(borrow)]
    values: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamps: Option<&'a RawValue>,
    #[serde(borrow)]
    nans: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    help: Option<Text<'a>>,
    #[serde(borrow)]
    unit: Option<Text<'a>>,
    #[serde(borrow)]
    resolution: Option<Text<'a>>,
    #[serde(borrow)]
    rollup: Option<RawRollup<'a>>,
}

/// The columns of rows.
#[derive(Deserialize)]
struct RawRollup<'a> {
    #[serde(borrow)]
    start: &'a RawValue,
    #[serde(borrow)]
    count: &'a RawValue,
    #[serde(borrow)]
    first_time: &'a RawValue,
    #[serde(borrow)]
    ended: &'a RawValue,
    #[serde(borrow)]
    first: &'a RawValue,
    #[serde(borrow)]
    min: &'a RawValue,
    #[serde(borrow)]
    max: &'a RawValue,
    #[serde(borrow)]
    sum: &'a RawValue,
    #[serde(borrow)]
    increase: &'a RawValue,
}

struct Metric<'a>(Pairs<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Metric<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        Pairs::deserialize_object(json).map(Self)
    }
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// The rule that it breaks, and the sentence for people.
    pub fn parse(text: &'a str) -> Result<Self, Broken> {
        let raw: Raw<'a> = serde_json::from_str(text)
            .map_err(|error| malformed(format!("line is malformed: {}", reason(&error))))?;
        let Some(Metric(pairs)) = raw.metric else {
            return Err(malformed("\"metric\" is missing".to_owned()));
        };
        // One of them is the name.
        if pairs.count > limits::LABELS_PER_SERIES + 1 {
            let message = format!(
                "metric has {} labels, at most {} are allowed beside its name",
                pairs.count,
                limits::LABELS_PER_SERIES
            );
            return Err((Refusal::TooManyLabels, message));
        }
        let mut line = Self {
            kind: read_kind(raw.kind.as_ref())?,
            help: raw.help.map_or(Cow::Borrowed(""), |Text(text)| text),
            unit: raw.unit.map_or(Cow::Borrowed(""), |Text(text)| text),
            ..Self::default()
        };
        for (Text(name), Text(value)) in pairs.kept {
            // A second name would be a second label of that name, which is refused as such.
            if name == METRIC_NAME && line.name.is_empty() {
                line.name = value;
            } else {
                line.labels.push((name, value));
            }
        }
        let (samples, left_out) =
            read_samples(raw.values, raw.timestamps, raw.nans).map_err(malformed)?;
        // A row of a rollup has its value beside other columns.
        if let (Some(wrong), Some(_)) = (&left_out, &raw.rollup) {
            return Err(malformed(wrong.clone()));
        }
        line.left_out = left_out;
        line.content = match (raw.resolution, raw.rollup) {
            (None, None) => Content::Samples(samples),
            (Some(Text(name)), None) if name == Resolution::Raw.as_str() => {
                Content::Samples(samples)
            }
            (Some(Text(name)), Some(rollup)) => {
                let resolution = read_resolution(&name).map_err(malformed)?;
                let rows = read_rollups(resolution, &samples, &rollup).map_err(malformed)?;
                Content::Rollups(resolution, rows)
            }
            _ => {
                let message = "\"resolution\" and \"rollup\" come together or not at all";
                return Err(malformed(message.to_owned()));
            }
        };
        Ok(line)
    }
}

fn malformed(message: String) -> Broken {
    (Refusal::Malformed, message)
}

fn read_kind(text: Option<&Text<'_>>) -> Result<Kind, Broken> {
    let Some(Text(text)) = text else {
        return Ok(Kind::Unknown);
    };
    text.parse().map_err(|()| {
        let known = Kind::ALL.map(Kind::as_str).join(", ");
        let message = format!("type {:?} is not one of {known}", shown(text));
        (Refusal::TypeUnknown, message)
    })
}

/// The good samples, and what is wrong with the others.
fn read_samples(
    raw_values: Option<&RawValue>,
    raw_times: Option<&RawValue>,
    nans: Option<&RawValue>,
) -> Result<(Columns, Option<String>), String> {
    let missing = |key: &str| format!("{key:?} is missing");
    let mut values = sample_values("values", raw_values.ok_or_else(|| missing("values"))?)?;
    let times = raw_times.ok_or_else(|| missing("timestamps"))?;
    let times = sample_times("timestamps", times)?;
    same_length("timestamps", times.all.len(), values.all.len())?;
    if let Some(nans) = nans {
        restore_nans(&mut values.all, nans)?;
    }
    let Some(wrong) = values.first_wrong.or(times.first_wrong) else {
        let (times, values) = (times.all, values.all);
        return Ok((Columns { times, values }, None));
    };
    let mut good = Columns::default();
    for (at, (time_ms, value)) in times.all.iter().zip(&values.all).enumerate() {
        let is_bad = |bad: &[u32]| bad.binary_search(&(at as u32)).is_ok();
        if !is_bad(&values.bad) && !is_bad(&times.bad) {
            good.push(Sample::new(*time_ms, *value));
        }
    }
    let bad = values.all.len() - good.len();
    let wrong = format!("{bad} of {} samples left out: {wrong}", values.all.len());
    Ok((good, Some(wrong)))
}

fn read_resolution(name: &str) -> Result<Resolution, String> {
    let mut known = Resolution::ALL
        .into_iter()
        .filter(|one| *one != Resolution::Raw);
    known
        .find(|one| one.as_str() == name)
        .ok_or_else(|| format!("resolution {:?} is not one of raw, 5m, 1h", shown(name)))
}

fn read_rollups(
    resolution: Resolution,
    last: &Columns,
    raw: &RawRollup<'_>,
) -> Result<Vec<Rollup>, String> {
    let starts: Vec<i64> = integers("start", raw.start)?;
    let counts: Vec<u64> = integers("count", raw.count)?;
    let first_times: Vec<i64> = integers("first_time", raw.first_time)?;
    let ended: Vec<u8> = integers("ended", raw.ended)?;
    let numbers = [
        ("first", raw.first),
        ("min", raw.min),
        ("max", raw.max),
        ("sum", raw.sum),
        ("increase", raw.increase),
    ];
    let mut columns = numbers.into_iter().map(|(key, raw)| {
        let column = values(key, raw)?;
        same_length(key, column.len(), last.len())?;
        Ok::<_, String>(column)
    });
    let mut next = || columns.next().unwrap_or_else(|| Ok(Vec::new()));
    let (firsts, mins, maxs, sums, increases) = (next()?, next()?, next()?, next()?, next()?);
    for (key, len) in [
        ("start", starts.len()),
        ("count", counts.len()),
        ("first_time", first_times.len()),
        ("ended", ended.len()),
    ] {
        same_length(key, len, last.len())?;
    }
    let rows = last.iter().enumerate().map(|(at, last)| Rollup {
        start_ms: starts[at],
        count: counts[at],
        sum: sums[at],
        min: mins[at],
        max: maxs[at],
        first: Sample::new(first_times[at], firsts[at]),
        last,
        increase: increases[at],
        ended: ended[at] != 0,
    });
    rows.map(|row| check_row(resolution, row)).collect()
}

/// A row that could have been one of ours.
fn check_row(resolution: Resolution, row: Rollup) -> Result<Rollup, String> {
    let start_ms = row.start_ms;
    let end_ms = start_ms.saturating_add(resolution.width_ms() - 1);
    let inside = |time_ms: i64| (start_ms..=end_ms).contains(&time_ms);
    let in_order = row.first.time_ms <= row.last.time_ms;
    if resolution.window(start_ms) != start_ms {
        return Err(format!("no window of {resolution} starts at {start_ms}"));
    }
    if !inside(row.first.time_ms) || !inside(row.last.time_ms) || !in_order {
        return Err(format!(
            "a time of the window at {start_ms} lies outside of it"
        ));
    }
    Ok(row)
}

fn same_length(key: &str, len: usize, expected: usize) -> Result<(), String> {
    if len == expected {
        return Ok(());
    }
    Err(format!(
        "{key:?} has {len} elements where \"values\" has {expected}"
    ))
}
