//! Labels: the identity of a series.
//!
//!   decoder ─▶ [LabelsBuilder] ─▶ canonical bytes ─▶ store::index
//!
//! Canonical bytes are the pairs sorted by name, the metric name among them as `__name__`, as remote
//! write 1.0 has them in protobuf (lengths are varints, in as few bytes as they need):
//!
//!   ┌ 0a ┐┌ len of the pair ┐┌ 0a ┐┌ len ┐┌─ name ─┐┌ 12 ┐┌ len ┐┌─ value ─┐┌ 0a ┐ …
//!
//! So a series that comes by remote write is looked up by the very bytes that came.
//!
//! I-LABEL-1  Two series are the same if and only if their canonical bytes are equal: lengths
//!            come before the text, so no character in a value can imitate a border.
//! I-LABEL-2  Names ascend strictly; values are never empty (an empty label is an absent one).
//! I-LABEL-3  Names that begin with `__tinyobs_` never get in from outside.
//! Proved by: labels/tests.rs.

use std::cmp::Ordering;
use std::fmt;

use crate::limits;
use crate::refusal::Refusal;

/// The label that holds the metric name.
pub const METRIC_NAME: &str = "__name__";
/// Names that begin like this are ours.
pub const RESERVED_PREFIX: &str = "__tinyobs_";

/// The labels of one series, the metric name among them, as canonical bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels(Box<[u8]>);

impl Labels {
    /// Builds labels from pairs in any order, checking every rule.
    ///
    /// # Errors
    /// The rule that a pair breaks, and the sentence for people.
    pub fn new<'a>(
        name: &'a str,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, (Refusal, String)> {
        let mut builder = LabelsBuilder::new();
        builder.begin(name);
        for (name, value) in pairs {
            builder.push(name, value);
        }
        let mut bytes = Vec::new();
        builder.write_canonical(&mut bytes)?;
        Ok(Self(bytes.into()))
    }

    /// Takes canonical bytes from a trusted place (the log, a table); none when they are not
    /// canonical after all.
    pub fn from_canonical(bytes: &[u8]) -> Option<Self> {
        is_canonical(bytes).then(|| Self(bytes.into()))
    }

    /// The canonical bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The metric name, or "" for a series that has none.
    pub fn metric_name(&self) -> &str {
        self.get(METRIC_NAME).unwrap_or_default()
    }

    /// The value of label `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value)
    }

    /// All pairs in the order of their names, `__name__` among them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.0)
    }

    /// The pairs without the metric name.
    pub fn iter_without_name(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(|(name, _)| *name != METRIC_NAME)
    }
}

/// Pair by pair, as a person would sort them; canonical bytes would put short names first.
impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As PromQL writes a series: `name{a="1",b="2"}`.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric_name())?;
        f.write_str("{")?;
        for (i, (name, value)) in self.iter_without_name().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The pairs of canonical bytes. Stops early at bytes that are not canonical.
pub fn pairs(bytes: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = bytes;
    std::iter::from_fn(move || take_pair(&mut rest))
}

/// The field numbers and wire types of the format: a pair, its name, its value.
const PAIR: u8 = 0x0a;
const NAME: u8 = 0x0a;
const VALUE: u8 = 0x12;

fn take_pair<'a>(rest: &mut &'a [u8]) -> Option<(&'a str, &'a str)> {
    let mut pair = take(rest, PAIR)?;
    let name = take(&mut pair, NAME)?;
    let value = take(&mut pair, VALUE)?;
    let text = |bytes| std::str::from_utf8(bytes).ok();
    pair.is_empty().then_some((text(name)?, text(value)?))
}

fn take<'a>(rest: &mut &'a [u8], key: u8) -> Option<&'a [u8]> {
    let (&first, tail) = rest.split_first()?;
    let (len, tail) = take_len(tail)?;
    let (taken, tail) = tail.split_at_checked(len)?;
    *rest = tail;
    (first == key).then_some(taken)
}

/// A length of at most two bytes, and not of more than it needs; a pair is shorter than 2^14.
fn take_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [len @ 0..=0x7f, tail @ ..] => Some((usize::from(*len), tail)),
        [low, high @ 1..=0x7f, tail @ ..] => {
            Some((usize::from(*low & 0x7f) | usize::from(*high) << 7, tail))
        }
        _ => None,
    }
}

fn is_canonical(bytes: &[u8]) -> bool {
    let mut read = 0;
    let mut previous: Option<&str> = None;
    for (name, value) in pairs(bytes) {
        if value.is_empty() || previous.is_some_and(|before| before >= name) {
            return false;
        }
        previous = Some(name);
        read += pair_bytes(name, value);
    }
    read == bytes.len()
}

/// Bytes that a string takes with its key and length.
fn field_bytes(len: usize) -> usize {
    2 + usize::from(len > 0x7f) + len
}

fn pair_bytes(name: &str, value: &str) -> usize {
    field_bytes(field_bytes(name.len()) + field_bytes(value.len()))
}

/// Checks the rules of labels on bytes that came from outside and may be canonical.
///
/// # Errors
/// The rule broken and the sentence for people.
pub fn check(bytes: &[u8]) -> Result<Labels, (Refusal, String)> {
    let Some(labels) = Labels::from_canonical(bytes) else {
        let message = "labels are not text in UTF-8, sorted, each once".to_owned();
        return Err((Refusal::Malformed, message));
    };
    let metric = labels.metric_name();
    check_metric_name(metric)?;
    let mut count = 0;
    for (name, value) in labels.iter_without_name() {
        check_label(metric, name, value)?;
        count += 1;
    }
    check_count(metric, count)?;
    Ok(labels)
}

/// Collects the pairs of one series after another, reusing its memory.
#[derive(Debug, Default)]
pub struct LabelsBuilder<'a> {
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> LabelsBuilder<'a> {
    /// A builder without pairs.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty builder that keeps this one's memory, for text that lives elsewhere.
    pub fn recycle<'b>(mut self) -> LabelsBuilder<'b> {
        self.pairs.clear();
        // Nothing is left to convert; collecting in place keeps the allocation.
        let pairs = self.pairs.into_iter().map(|_| ("", "")).collect();
        LabelsBuilder { pairs }
    }

    /// Starts over with metric name `name`.
    pub fn begin(&mut self, name: &'a str) {
        self.pairs.clear();
        self.pairs.push((METRIC_NAME, name));
    }

    /// Adds a pair. An empty value is as good as no pair at all.
    pub fn push(&mut self, name: &'a str, value: &'a str) {
        self.pairs.push((name, value));
    }

    /// Adds a pair unless there is one of that name.
    pub fn push_default(&mut self, name: &'a str, value: &'a str) {
        if !self.pairs.iter().any(|(n, _)| *n == name) {
            self.pairs.push((name, value));
        }
    }

    /// Checks every rule and appends the canonical bytes to `out`.
    ///
    /// # Errors
    /// The rule broken and the sentence for people; `out` may hold a part then.
    pub fn write_canonical(&mut self, out: &mut Vec<u8>) -> Result<(), (Refusal, String)> {
        let metric = self.pairs.first().map_or("", |(_, name)| *name);
        check_metric_name(metric)?;
        // One pair is the name itself.
        let count = self.pairs.len() - 1;
        check_count(metric, count)?;
        self.pairs.sort_unstable_by_key(|(name, _)| *name);
        let mut previous = None;
        for (name, value) in &self.pairs {
            check_label(metric, name, value)?;
            if previous == Some(name) {
                return Err((
                    Refusal::LabelDuplicate,
                    format!(
                        "label {} of metric {} is given twice",
                        quoted(name),
                        quoted(metric)
                    ),
                ));
            }
            previous = Some(name);
            if !value.is_empty() {
                put_pair(out, name, value);
            }
        }
        Ok(())
    }
}

fn put_pair(out: &mut Vec<u8>, name: &str, value: &str) {
    put_len(
        out,
        PAIR,
        field_bytes(name.len()) + field_bytes(value.len()),
    );
    for (key, text) in [(NAME, name), (VALUE, value)] {
        put_len(out, key, text.len());
        out.extend_from_slice(text.as_bytes());
    }
}

fn put_len(out: &mut Vec<u8>, key: u8, len: usize) {
    debug_assert!(len < 1 << 14, "label limits are far below");
    out.push(key);
    if len > 0x7f {
        out.push(len as u8 | 0x80);
        out.push((len >> 7) as u8);
    } else {
        out.push(len as u8);
    }
}

fn check_count(metric: &str, count: usize) -> Result<(), (Refusal, String)> {
    if count > limits::LABELS_PER_SERIES {
        let message = format!(
            "metric {} has {count} labels, at most {} are allowed",
            quoted(metric),
            limits::LABELS_PER_SERIES
        );
        return Err((Refusal::TooManyLabels, message));
    }
    Ok(())
}

fn check_metric_name(name: &str) -> Result<(), (Refusal, String)> {
    if name.is_empty() {
        return Err((Refusal::NameEmpty, "metric name is empty".to_owned()));
    }
    if name.len() > limits::METRIC_NAME_BYTES {
        let message = format!(
            "metric name {} has {} bytes, at most {} are allowed",
            quoted(name),
            name.len(),
            limits::METRIC_NAME_BYTES
        );
        return Err((Refusal::NameTooLong, message));
    }
    Ok(())
}

fn check_label(metric: &str, name: &str, value: &str) -> Result<(), (Refusal, String)> {
    let broken = |rule, what: String| Err((rule, format!("{what} in metric {}", quoted(metric))));
    if name.is_empty() {
        return broken(Refusal::LabelNameEmpty, "a label name is empty".to_owned());
    }
    if name.len() > limits::LABEL_NAME_BYTES {
        let (len, most) = (name.len(), limits::LABEL_NAME_BYTES);
        let what = format!(
            "label name {} has {len} bytes, at most {most} are allowed",
            quoted(name)
        );
        return broken(Refusal::LabelNameTooLong, what);
    }
    if name.starts_with(RESERVED_PREFIX) {
        let what = format!(
            "label name {} begins with the reserved {RESERVED_PREFIX}",
            quoted(name)
        );
        return broken(Refusal::LabelNameReserved, what);
    }
    if value.len() > limits::LABEL_VALUE_BYTES {
        let (len, most) = (value.len(), limits::LABEL_VALUE_BYTES);
        let what = format!(
            "value of label {} has {len} bytes, at most {most} are allowed",
            quoted(name)
        );
        return broken(Refusal::LabelValueTooLong, what);
    }
    Ok(())
}

/// A name as it may stand in a message: escaped, and short however long it is.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 64;
    if text.chars().count() <= SHOWN {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start:?}…")
}

#[cfg(test)]
mod tests;
