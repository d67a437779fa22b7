//! Families: series of a store, put into the order and the names of the text format.
//!
//! A histogram's `_bucket`, `_sum` and `_count` stand under the name without the suffix; so do a
//! summary's `_sum` and `_count`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use tinyobs_model::{Kind, Labels};

use super::{TextWriter, write_labels};

/// One series with its latest value.
#[derive(Debug, Clone)]
pub struct Exposed<'a> {
    /// The series.
    pub labels: &'a Labels,
    /// What its numbers mean.
    pub kind: Kind,
    /// The latest value.
    pub value: f64,
}

/// Writes `series` by family. `help` knows a metric name's help, or "". Returns how many series
/// could not be written, because the page has their name and labels already.
pub fn write_series<'a>(
    writer: &mut TextWriter,
    series: impl IntoIterator<Item = Exposed<'a>>,
    help: impl Fn(&str) -> String,
) -> u64 {
    let series: Vec<Exposed<'a>> = series.into_iter().collect();
    let total = series.len() as u64;
    // Without a changed name no two lines can be alike, and nothing need be remembered.
    let mut written = series
        .iter()
        .any(|one| is_changed(one.labels))
        .then(HashSet::new);
    let mut lines = 0;
    for (name, family) in &group(series) {
        writer.family(name, family.kind, &help(family.described_by));
        lines += write_family(writer, family, written.as_mut());
    }
    total - lines
}

struct Family<'a> {
    kind: Kind,
    /// The metric name that its help is known by.
    described_by: &'a str,
    series: Vec<Exposed<'a>>,
}

/// Sorts series into families, so that each family has one kind (I-EXPO-1).
fn group(series: Vec<Exposed<'_>>) -> BTreeMap<String, Family<'_>> {
    let mut families = BTreeMap::new();
    let (parts, plain): (Vec<_>, Vec<_>) = series
        .into_iter()
        .partition(|one| base_name(one.labels.metric_name(), one.kind).is_some());
    for mut one in plain {
        // Only the parts of a histogram, and the quantiles of a summary, may stand under these.
        if one.kind == Kind::Histogram
            || (one.kind == Kind::Summary && one.labels.get("quantile").is_none())
        {
            one.kind = Kind::Unknown;
        }
        add(&mut families, one.labels.metric_name(), one);
    }
    // A family of parts gives way to another of its name, and is then shown part by part:
    // `x_bucket` may not stand under a gauge `x`. Histograms first, so that the order of `series`
    // does not matter.
    let (histograms, summaries): (Vec<_>, Vec<_>) = parts
        .into_iter()
        .partition(|one| one.kind == Kind::Histogram);
    for of_one_kind in [histograms, summaries] {
        let taken: HashSet<String> = families
            .iter()
            .filter(|(_, family)| {
                of_one_kind
                    .first()
                    .is_some_and(|one| one.kind != family.kind)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for mut one in of_one_kind {
            let full = one.labels.metric_name();
            let base = base_name(full, one.kind).map_or(full, |(base, _)| base);
            if taken.contains(&*legal_metric_name(base)) {
                one.kind = Kind::Unknown;
                add(&mut families, full, one);
            } else {
                add(&mut families, base, one);
            }
        }
    }
    families
}

fn add<'a>(families: &mut BTreeMap<String, Family<'a>>, name: &str, one: Exposed<'a>) {
    let described_by = one.labels.metric_name();
    let family = families
        .entry(legal_metric_name(name).into_owned())
        .or_insert(Family {
            kind: one.kind,
            described_by,
            series: Vec::new(),
        });
    // I-EXPO-4: whatever comes first, the smallest name speaks for the family.
    if (described_by, one.kind as u8) < (family.described_by, family.kind as u8) {
        family.described_by = described_by;
        family.kind = one.kind;
    }
    family.series.push(one);
}

/// Returns how many lines it wrote.
fn write_family(
    writer: &mut TextWriter,
    family: &Family<'_>,
    mut written: Option<&mut HashSet<String>>,
) -> u64 {
    let mut lines: Vec<Line> = family.series.iter().filter_map(Line::new).collect();
    lines.sort_by(|a, b| {
        a.order()
            .cmp(&b.order())
            .then(a.bound.total_cmp(&b.bound))
            .then_with(|| a.original.cmp(&b.original))
    });
    let mut count = 0;
    for line in &lines {
        // I-EXPO-2
        if let Some(written) = &mut written
            && !written.insert(line.text.clone())
        {
            continue;
        }
        writer.line(&line.text, line.value);
        count += 1;
    }
    count
}

/// A sample on its way to the page, with what puts it in order: the buckets of one series first,
/// by bound, then its sum and its count.
struct Line {
    /// The labels without `le`, written out.
    rest: String,
    part: u8,
    bound: f64,
    text: String,
    value: f64,
    /// An unchanged name goes before one that was changed into it.
    changed: bool,
    original: String,
}

impl Line {
    /// None when two label names become one.
    fn new(one: &Exposed<'_>) -> Option<Self> {
        let name = one.labels.metric_name();
        let pairs: Vec<(Cow<'_, str>, &str)> = one
            .labels
            .iter_without_name()
            .map(|(name, value)| (legal_label_name(name), value))
            .collect();
        let distinct: BTreeSet<&str> = pairs.iter().map(|(name, _)| &**name).collect();
        if distinct.len() < pairs.len() {
            return None;
        }
        let all = || pairs.iter().map(|(name, value)| (&**name, *value));
        let mut text = legal_metric_name(name).into_owned();
        write_labels(&mut text, all());
        let mut rest = String::new();
        write_labels(&mut rest, all().filter(|(name, _)| *name != "le"));
        let bound = all().find(|(name, _)| *name == "le");
        Some(Self {
            rest,
            part: base_name(name, one.kind).map_or(0, |(_, part)| part),
            bound: bound.map_or(0.0, |(_, text)| text.parse().unwrap_or(f64::NAN)),
            text,
            value: one.value,
            changed: is_changed(one.labels),
            original: one.labels.to_string(),
        })
    }

    /// The bound comes behind these, and the original settles what is still equal.
    fn order(&self) -> (&str, u8, bool) {
        (&self.rest, self.part, self.changed)
    }
}

/// The name without a part's suffix, and the part's place.
fn base_name(name: &str, kind: Kind) -> Option<(&str, u8)> {
    let parts: &[(&str, u8)] = match kind {
        Kind::Histogram => &[("_bucket", 1), ("_sum", 2), ("_count", 3)],
        Kind::Summary => &[("_sum", 2), ("_count", 3)],
        _ => return None,
    };
    parts.iter().find_map(|(suffix, part)| {
        let base = name.strip_suffix(suffix)?;
        (!base.is_empty()).then_some((base, *part))
    })
}

/// Whether a name of the series is not legal as it is.
fn is_changed(labels: &Labels) -> bool {
    matches!(legal_metric_name(labels.metric_name()), Cow::Owned(_))
        || labels
            .iter_without_name()
            .any(|(name, _)| matches!(legal_label_name(name), Cow::Owned(_)))
}

fn legal_metric_name(name: &str) -> Cow<'_, str> {
    legal(name, true)
}

fn legal_label_name(name: &str) -> Cow<'_, str> {
    legal(name, false)
}

/// Prometheus' scheme "underscores": one `_` for each character that is not allowed.
fn legal(name: &str, colons: bool) -> Cow<'_, str> {
    let allowed = |(i, character): (usize, char)| {
        character.is_ascii_alphabetic()
            || character == '_'
            || (colons && character == ':')
            || (i > 0 && character.is_ascii_digit())
    };
    if !name.is_empty() && name.chars().enumerate().all(allowed) {
        return Cow::Borrowed(name);
    }
    if name.is_empty() {
        return Cow::Owned("_".to_owned());
    }
    name.chars()
        .enumerate()
        .map(|(i, c)| if allowed((i, c)) { c } else { '_' })
        .collect::<String>()
        .into()
}
