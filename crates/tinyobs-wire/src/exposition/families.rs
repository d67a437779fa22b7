//! Families: series of a store, put into the order and the names of the text format.
//!
//! A histogram's `_bucket`, `_sum` and `_count` stand under the name without the suffix; so do a
//! summary's `_sum` and `_count`. Where one of them is not what the format asks for, all of them are
//! families of their own, of no known type.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet, btree_map};

use tinyobs_model::{Kind, Labels};

use super::{About, Format, TOTAL, TextWriter, write_labels};

/// What the name of a histogram's bucket ends in.
const BUCKET: &str = "_bucket";

/// One series with its latest value, or with whatever tells its reader which one it is.
#[derive(Debug, Clone)]
pub struct Exposed<'a, T> {
    /// The series.
    pub labels: &'a Labels,
    /// What its numbers mean.
    pub kind: Kind,
    /// The latest value.
    pub value: T,
}

/// The latest value, and its time where that is to be shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latest {
    /// The value.
    pub value: f64,
    /// Milliseconds since the epoch.
    pub time_ms: Option<i64>,
}

/// Writes `series` by family. `about` knows a metric name's help and unit. Returns how many series
/// could not be written, because the page has their name and labels already.
pub fn write_series<'a, 'h>(
    writer: &mut TextWriter,
    series: impl IntoIterator<Item = Exposed<'a, Latest>>,
    about: impl Fn(&str) -> About<'h>,
) -> u64 {
    let series: Vec<_> = series.into_iter().collect();
    let total = series.len() as u64;
    let mut lines = 0;
    for family in arranging(writer.format, writer.always, series) {
        family.begin(writer, &about);
        for line in &family.lines {
            writer.line(&line.text, line.value.value, line.value.time_ms);
            lines += 1;
        }
    }
    total - lines
}

/// A family with its lines in order.
#[derive(Debug)]
pub struct Arranged<T> {
    name: String,
    kind: Kind,
    /// The metric name that its help is known by.
    described_by: String,
    /// The series in the order that the format asks for.
    pub lines: Vec<Line<T>>,
    /// What came with series that the page has no room for: their names or those of their labels
    /// become those of others.
    pub left_out: Vec<T>,
}

impl<T> Arranged<T> {
    /// Writes what stands above the samples.
    pub fn begin<'h>(&self, writer: &mut TextWriter, about: impl Fn(&str) -> About<'h>) {
        writer.family_named(&self.name, self.kind, about(&self.described_by));
    }

    /// The lines that are one to the format: the parts of a histogram or of a summary, or a series.
    pub fn metrics(&self) -> impl Iterator<Item = &[Line<T>]> {
        let has_parts = matches!(self.kind, Kind::Histogram | Kind::Summary);
        self.lines
            .chunk_by(move |a, b| has_parts && a.rest == b.rest)
    }
}

/// `series` family by family; what has a place taken already is left out, and named.
pub fn arrange<T: Copy>(
    format: Format,
    series: Vec<Exposed<'_, T>>,
) -> impl Iterator<Item = Arranged<T>> {
    arranging(format, None, series)
}

fn arranging<'a, T: Copy>(
    format: Format,
    always: Option<&'static str>,
    series: Vec<Exposed<'a, T>>,
) -> Arranging<'a, T> {
    // Without a changed name no two lines can be alike, and nothing need be remembered.
    let written = series
        .iter()
        .any(|one| is_changed(one, format))
        .then(HashSet::new);
    Arranging {
        format,
        always,
        families: group(series, format).into_iter(),
        written,
    }
}

struct Arranging<'a, T> {
    format: Format,
    always: Option<&'static str>,
    families: btree_map::IntoIter<String, Family<'a, T>>,
    written: Option<HashSet<String>>,
}

impl<T: Copy> Iterator for Arranging<'_, T> {
    type Item = Arranged<T>;

    fn next(&mut self) -> Option<Arranged<T>> {
        let (name, family) = self.families.next()?;
        let mut left_out = Vec::new();
        let mut lines = Vec::with_capacity(family.series.len());
        for one in &family.series {
            match Line::new(one, self.format, self.always) {
                Some(line) => lines.push(line),
                None => left_out.push(one.value),
            }
        }
        lines.sort_by(Line::order);
        // I-EXPO-2
        if let Some(written) = &mut self.written {
            lines.retain(|line| {
                let is_new = written.insert(line.text.clone());
                if !is_new {
                    left_out.push(line.value);
                }
                is_new
            });
        }
        Some(Arranged {
            name,
            kind: family.kind,
            described_by: family.described_by.to_owned(),
            lines,
            left_out,
        })
    }
}

struct Family<'a, T> {
    kind: Kind,
    /// The metric name that its help is known by.
    described_by: &'a str,
    series: Vec<Exposed<'a, T>>,
}

/// Sorts series into families, so that each family has one kind (I-EXPO-1).
fn group<T>(series: Vec<Exposed<'_, T>>, format: Format) -> BTreeMap<String, Family<'_, T>> {
    let mut families = BTreeMap::new();
    let mut of_parts: BTreeMap<String, Vec<Exposed<'_, T>>> = BTreeMap::new();
    for mut one in series {
        if let Some((base, _)) = part(one.labels, one.kind, format) {
            let base = legal_metric_name(base).into_owned();
            of_parts.entry(base).or_default().push(one);
            continue;
        }
        // Only parts may stand under these.
        if !parts_of(one.kind, format).is_empty() {
            one.kind = Kind::Unknown;
        }
        add(&mut families, one.labels.metric_name(), one);
    }
    // A family of parts gives way to others, and is then shown part by part: `x_bucket` may not stand
    // under a gauge `x`, and beside a gauge `x_sum` no reader knows whose that is. Its parts may be in
    // the way of others in turn, for as long as names become longer.
    loop {
        let giving;
        (giving, of_parts) = of_parts
            .into_iter()
            .partition(|(base, parts)| gives_way(base, parts, format, &families));
        if giving.is_empty() {
            break;
        }
        for mut one in giving.into_values().flatten() {
            one.kind = Kind::Unknown;
            add(&mut families, one.labels.metric_name(), one);
        }
    }
    for (base, parts) in of_parts {
        for one in parts {
            add(&mut families, &base, one);
        }
    }
    families
}

/// Whether these parts cannot be the family of that name.
fn gives_way<T>(
    base: &str,
    parts: &[Exposed<'_, T>],
    format: Format,
    families: &BTreeMap<String, Family<'_, T>>,
) -> bool {
    let kind = parts.first().map_or(Kind::Unknown, |first| first.kind);
    let is_taken = |(suffix, _): &(&str, u8)| families.contains_key(&format!("{base}{suffix}"));
    families.contains_key(base)
        || parts.iter().any(|one| one.kind != kind)
        || parts_of(kind, format).iter().any(is_taken)
}

fn add<'a, T>(families: &mut BTreeMap<String, Family<'a, T>>, name: &str, one: Exposed<'a, T>) {
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

/// A series on its way to the page, with what puts it in order: the buckets of one series first,
/// by bound, then its sum and its count.
#[derive(Debug)]
pub struct Line<T> {
    /// Name and labels, written out.
    pub text: String,
    /// The labels without `le` and `quantile`, written out: equal for the parts of one histogram.
    rest: String,
    /// What came with the series.
    pub value: T,
    part: u8,
    bound: f64,
    /// An unchanged name goes before one that was changed into it.
    changed: bool,
    original: String,
}

impl<T: Copy> Line<T> {
    /// None when two label names become one.
    fn new(one: &Exposed<'_, T>, format: Format, always: Option<&'static str>) -> Option<Self> {
        let name = one.labels.metric_name();
        let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = one
            .labels
            .iter_without_name()
            .map(|(name, value)| {
                (
                    legal_label_name(name),
                    shown_value(one, name, value, format),
                )
            })
            .collect();
        let distinct: BTreeSet<&str> = pairs.iter().map(|(name, _)| &**name).collect();
        if distinct.len() < pairs.len() {
            return None;
        }
        if let Some(label) = always.filter(|label| !distinct.contains(label)) {
            pairs.push((label.into(), "".into()));
        }
        let all = || pairs.iter().map(|(name, value)| (&**name, &**value));
        let mut text = legal_metric_name(name).into_owned();
        write_labels(&mut text, all());
        let is_bound = |name: &str| name == bound_label(one.kind);
        let mut rest = String::new();
        write_labels(&mut rest, all().filter(|(name, _)| !is_bound(name)));
        let bound = all().find(|(name, _)| is_bound(name));
        Some(Self {
            rest,
            part: part(one.labels, one.kind, format).map_or(0, |(_, place)| place),
            bound: bound.map_or(0.0, |(_, text)| text.parse().unwrap_or(f64::NAN)),
            text,
            value: one.value,
            changed: is_changed(one, format),
            original: one.labels.to_string(),
        })
    }
}

impl<T> Line<T> {
    /// Part by part, bucket by bucket; the original settles what is still equal.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let (ours, theirs) = ((&self.rest, self.part), (&other.rest, other.part));
        ours.cmp(&theirs)
            .then(self.bound.total_cmp(&other.bound))
            .then(self.changed.cmp(&other.changed))
            .then_with(|| self.original.cmp(&other.original))
    }
}

/// The label that holds a number by which lines are put in order.
fn bound_label(kind: Kind) -> &'static str {
    if kind == Kind::Summary {
        "quantile"
    } else {
        "le"
    }
}

/// What the parts of a family of this kind end in, and their places.
fn parts_of(kind: Kind, format: Format) -> &'static [(&'static str, u8)] {
    match kind {
        Kind::Histogram => &[(BUCKET, 1), ("_sum", 2), ("_count", 3)],
        // Behind its quantiles.
        Kind::Summary => &[("_sum", 2), ("_count", 3)],
        Kind::Counter if format == Format::OpenMetrics => &[(TOTAL, 0)],
        _ => &[],
    }
}

/// The family that a series is a part of, and the part's place. A bucket without its bound is none,
/// nor is what a summary has without a quantile.
fn part(labels: &Labels, kind: Kind, format: Format) -> Option<(&str, u8)> {
    let name = labels.metric_name();
    let bound = labels.get(bound_label(kind));
    let has_bound = bound.is_some_and(|bound| bound.parse::<f64>().is_ok());
    if kind == Kind::Summary && has_bound {
        return Some((name, 0));
    }
    parts_of(kind, format).iter().find_map(|(suffix, place)| {
        let base = name.strip_suffix(suffix)?;
        (!base.is_empty() && (*suffix != BUCKET || has_bound)).then_some((base, *place))
    })
}

/// A label's value; a whole bound gets its point in OpenMetrics.
fn shown_value<'v, T>(
    one: &Exposed<'_, T>,
    name: &str,
    value: &'v str,
    format: Format,
) -> Cow<'v, str> {
    let is_bound = matches!(one.kind, Kind::Histogram | Kind::Summary)
        && format == Format::OpenMetrics
        && name == bound_label(one.kind);
    let digits = value.strip_prefix('-').unwrap_or(value);
    // From a million on the format's own examples have an exponent: those stay as they are.
    let is_whole = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if is_bound && is_whole {
        Cow::Owned(format!("{value}.0"))
    } else {
        Cow::Borrowed(value)
    }
}

/// Whether a name or a bound of the series is not written as it is.
fn is_changed<T>(one: &Exposed<'_, T>, format: Format) -> bool {
    matches!(legal_metric_name(one.labels.metric_name()), Cow::Owned(_))
        || one.labels.iter_without_name().any(|(name, value)| {
            matches!(legal_label_name(name), Cow::Owned(_))
                || matches!(shown_value(one, name, value, format), Cow::Owned(_))
        })
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
