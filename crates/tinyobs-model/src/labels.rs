//! Labels: the identity of a series.
//!
//!   decoder ─▶ [LabelsBuilder] ─▶ canonical bytes ─▶ store::index
//!
//! Canonical bytes are the pairs sorted by name, the metric name among them as `__name__`, each
//! string as a little-endian `u16` length and its UTF-8 bytes:
//!
//!   ┌ len ┐┌─ name ─┐┌ len ┐┌─ value ─┐┌ len ┐┌─ name ─┐ …
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
    std::iter::from_fn(move || {
        let name = take(&mut rest)?;
        let value = take(&mut rest)?;
        Some((name, value))
    })
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (len, tail) = rest.split_first_chunk::<2>()?;
    let (text, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
    *rest = tail;
    std::str::from_utf8(text).ok()
}

fn is_canonical(bytes: &[u8]) -> bool {
    let mut read = 0;
    let mut previous: Option<&str> = None;
    for (name, value) in pairs(bytes) {
        if value.is_empty() || previous.is_some_and(|before| before >= name) {
            return false;
        }
        previous = Some(name);
        read += 4 + name.len() + value.len();
    }
    read == bytes.len()
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
        if count > limits::LABELS_PER_SERIES {
            return Err((
                Refusal::TooManyLabels,
                format!(
                    "metric {} has {count} labels, at most {} are allowed",
                    quoted(metric),
                    limits::LABELS_PER_SERIES
                ),
            ));
        }
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
                put(out, name);
                put(out, value);
            }
        }
        Ok(())
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    let len = u16::try_from(text.len()).expect("label limits fit 16 bits");
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
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
