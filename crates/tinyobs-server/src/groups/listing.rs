//! Listing: the groups as the Pushgateway's `GET /api/v1/metrics` has them.
//!
//!   groups ─▶ [render] ─▶ `{"status":"success","data":[{"labels",…,"<family>":{"type",…}}]}`
//!
//! Histograms and summaries are put together again from their classic series.
//! Proved by: groups/listing/tests.rs, tests/it/pushgateway.rs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use tinyobs_model::{Kind, METRIC_NAME};
use tinyobs_wire::families::{Family, Series};
use tinyobs_wire::number::Short;
use tinyobs_wire::time;

use super::group::{FAILURE_TIME, FAILURE_TIME_HELP, PUSH_TIME, PUSH_TIME_HELP};
use super::{Group, Key};

/// The listing as JSON.
pub fn render(groups: &BTreeMap<Key, Group>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Answer<'a> {
        status: &'static str,
        data: Vec<One<'a>>,
    }
    let data = groups.iter().map(|(key, group)| One { key, group });
    let answer = Answer {
        status: "success",
        data: data.collect(),
    };
    let mut text = serde_json::to_vec(&answer).expect("answers have string keys only");
    text.push(b'\n');
    text
}

struct One<'a> {
    key: &'a Key,
    group: &'a Group,
}

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { key, group } = *self;
        let time_stamp = time::format_rfc3339(group.pushed_ms);
        let labels: BTreeMap<&str, &str> = key
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("labels", &labels)?;
        let is_good = group.pushed_ms > group.failed_ms;
        map.serialize_entry("last_push_successful", &is_good)?;
        let times = [
            (PUSH_TIME, PUSH_TIME_HELP, group.pushed_ms),
            (FAILURE_TIME, FAILURE_TIME_HELP, group.failed_ms),
        ];
        for (name, help, time_ms) in times {
            if !group.families.contains_key(name) {
                let value = Parts::of_value(number(time_ms as f64 / 1_000.0));
                let metrics = vec![(labels.clone(), value)];
                map.serialize_entry(name, &Listed::new(Kind::Gauge, help, &time_stamp, metrics))?;
            }
        }
        for (name, family) in &group.families {
            let metrics = metrics(family);
            let shown = Listed::new(family.kind, &family.help, &time_stamp, metrics);
            map.serialize_entry(name, &shown)?;
        }
        map.end()
    }
}

type LabelMap<'a> = BTreeMap<&'a str, &'a str>;

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(rename = "type")]
    kind: String,
    help: &'a str,
    time_stamp: &'a str,
    metrics: Vec<Metric<'a>>,
}

#[derive(Serialize)]
struct Metric<'a> {
    labels: LabelMap<'a>,
    #[serde(flatten)]
    parts: Parts<'a>,
}

impl<'a> Listed<'a> {
    fn new(
        kind: Kind,
        help: &'a str,
        time_stamp: &'a str,
        metrics: Vec<(LabelMap<'a>, Parts<'a>)>,
    ) -> Self {
        let kind = match kind {
            Kind::Unknown => "UNTYPED".to_owned(),
            known => known.as_str().to_ascii_uppercase(),
        };
        let metrics = metrics.into_iter();
        Self {
            kind,
            help,
            time_stamp,
            metrics: metrics
                .map(|(labels, parts)| Metric { labels, parts })
                .collect(),
        }
    }
}

/// What one metric of a family says.
#[derive(Debug, Default, Serialize)]
struct Parts<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    buckets: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    quantiles: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<String>,
}

impl Parts<'_> {
    fn of_value(value: String) -> Self {
        Self {
            value: Some(value),
            ..Self::default()
        }
    }
}

/// One entry for each set of labels.
fn metrics(family: &Family) -> Vec<(LabelMap<'_>, Parts<'_>)> {
    let mut found: BTreeMap<LabelMap<'_>, Parts<'_>> = BTreeMap::new();
    for series in &family.series {
        add(&mut found, family, series);
    }
    found.into_iter().collect()
}

fn add<'a>(found: &mut BTreeMap<LabelMap<'a>, Parts<'a>>, family: &Family, series: &'a Series) {
    let is_whole = matches!(family.kind, Kind::Histogram | Kind::Summary);
    let name = series.labels.metric_name();
    let suffix = name.strip_prefix(&*family.name).filter(|_| is_whole);
    let mut labels: LabelMap<'_> = series.labels.iter().collect();
    labels.remove(METRIC_NAME);
    let value = number(series.value);
    let bound = match suffix {
        Some("_bucket") => labels.remove("le"),
        Some("") => labels.remove("quantile"),
        _ => None,
    };
    let parts = found.entry(labels).or_default();
    match (suffix, bound) {
        (Some("_bucket"), Some(le)) => drop(parts.buckets.insert(le, value)),
        (Some(""), Some(quantile)) => drop(parts.quantiles.insert(quantile, value)),
        (Some("_count" | "_gcount"), _) => parts.count = Some(value),
        (Some("_sum" | "_gsum"), _) => parts.sum = Some(value),
        _ => parts.value = Some(value),
    }
}

/// As the exposition formats have it: JSON has no NaN.
fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value if value.is_nan() => "NaN".to_owned(),
        value => Short(value).to_string(),
    }
}

#[cfg(test)]
mod tests;
