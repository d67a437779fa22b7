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

mod derive;

/// The label that holds the metric name.
pub const METRIC_NAME: &str = "__name__";
/// Names that begin like this are ours.
pub const RESERVED_PREFIX: &str = "__tinyobs_";

/// Canonical bytes are no longer than this: the name, as many labels as may be, each as long as it may
/// be, with what stands between them.
pub const BYTES_MAX: usize =
    (limits::LABELS_PER_SERIES + 1) * (limits::LABEL_NAME_BYTES + limits::LABEL_VALUE_BYTES + 16);

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
        let mut rest = &self.0[..];
        while let Some((other, value)) = take_raw_pair(&mut rest) {
            if other == name.as_bytes() {
                return std::str::from_utf8(value).ok();
            }
        }
        None
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

/// Pair by pair, as a person would sort them; canonical bytes would put short names first. Neighbours
/// in a list share most of their bytes, and a query sorts thousands of them: the pairs that they share
/// are stepped over.
impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (&self.0[..], &other.0[..]);
        let mut same = same_bytes(a, b);
        loop {
            let before = a;
            let Some(pair) = take_raw_pair(&mut a) else {
                return if b.is_empty() {
                    Ordering::Equal
                } else {
                    Ordering::Less
                };
            };
            let read = before.len() - a.len();
            if same >= read {
                same -= read;
                b = &b[read..];
                continue;
            }
            same = 0;
            let order = take_raw_pair(&mut b).map_or(Ordering::Greater, |other| pair.cmp(&other));
            if order != Ordering::Equal {
                return order;
            }
        }
    }
}

/// How many bytes two strings of bytes begin with that are the same, or fewer by less than a word.
fn same_bytes(a: &[u8], b: &[u8]) -> usize {
    const WORD: usize = 8;
    let (a, _) = a.as_chunks::<WORD>();
    let (b, _) = b.as_chunks::<WORD>();
    a.iter().zip(b).take_while(|(a, b)| a == b).count() * WORD
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
    let (name, value) = take_raw_pair(rest)?;
    let text = |bytes| std::str::from_utf8(bytes).ok();
    Some((text(name)?, text(value)?))
}

fn take_raw_pair<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut pair = take(rest, PAIR)?;
    let name = take(&mut pair, NAME)?;
    let value = take(&mut pair, VALUE)?;
    pair.is_empty().then_some((name, value))
}

fn take<'a>(rest: &mut &'a [u8], key: u8) -> Option<&'a [u8]> {
    let (&first, tail) = rest.split_first()?;
    let (len, tail) = take_len(tail)?;
    let (taken, tail) = tail.split_at_checked(len)?;
    *rest = tail;
    (first == key).then_some(taken)
}

/// A varint of at most four bytes, and not of more than it needs.
fn take_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut len = 0;
    for (place, &byte) in bytes.iter().enumerate().take(4) {
        len |= usize::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            let is_shortest = place == 0 || byte > 0;
            return is_shortest.then_some((len, &bytes[place + 1..]));
        }
    }
    None
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
    let bits = usize::BITS - (len | 1).leading_zeros();
    1 + bits.div_ceil(7) as usize + len
}

fn pair_bytes(name: &str, value: &str) -> usize {
    field_bytes(field_bytes(name.len()) + field_bytes(value.len()))
}

/// Labels of the bytes that remote write 1.0 has for them, which may be in any order; every rule is
/// checked.
///
/// # Errors
/// The rule broken and the sentence for people.
pub fn from_wire(bytes: &[u8]) -> Result<Labels, (Refusal, String)> {
    let malformed = |what: &str| (Refusal::Malformed, what.to_owned());
    if bytes.len() > BYTES_MAX {
        let message = format!(
            "the labels of a series take {} bytes, more than {BYTES_MAX}",
            bytes.len()
        );
        return Err((Refusal::LabelValueTooLong, message));
    }
    let mut builder = LabelsBuilder::new();
    builder.begin("");
    let mut rest = bytes;
    while !rest.is_empty() {
        let mut pair = take(&mut rest, PAIR).ok_or_else(|| malformed("a label is malformed"))?;
        let (mut name, mut value) = (&[][..], &[][..]);
        while let Some(&key) = pair.first() {
            let text = take(&mut pair, key).ok_or_else(|| malformed("a label is malformed"))?;
            match key {
                NAME => name = text,
                VALUE => value = text,
                _ => return Err(malformed("a label has a field that is unknown")),
            }
        }
        let utf8 = |text| std::str::from_utf8(text);
        let (Ok(name), Ok(value)) = (utf8(name), utf8(value)) else {
            return Err(malformed("a label is not text in UTF-8"));
        };
        match name {
            METRIC_NAME if builder.pairs[0].1.is_empty() => builder.pairs[0].1 = value,
            _ => builder.push(name, value),
        }
        // Before more memory is taken for them.
        if builder.pairs.len() > limits::LABELS_PER_SERIES + 1 {
            let most = limits::LABELS_PER_SERIES;
            let message = format!("a series has more than the {most} labels that are allowed");
            return Err((Refusal::TooManyLabels, message));
        }
    }
    let mut canonical = Vec::with_capacity(bytes.len());
    builder.write_canonical(&mut canonical)?;
    Ok(Labels(canonical.into()))
}

/// Appends the message of a pair as remote write 1.0 has it, which is not looked into.
pub fn put_wire_message(out: &mut Vec<u8>, pair: &[u8]) {
    put_len(out, PAIR, pair.len());
    out.extend_from_slice(pair);
}

/// Appends a pair as remote write 1.0 has it; text and order are not checked.
pub fn put_wire_pair(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    put_len(
        out,
        PAIR,
        field_bytes(name.len()) + field_bytes(value.len()),
    );
    for (key, text) in [(NAME, name), (VALUE, value)] {
        put_len(out, key, text.len());
        out.extend_from_slice(text);
    }
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

    /// Adds a pair unless there is one of that name with a value.
    pub fn push_default(&mut self, name: &'a str, value: &'a str) {
        match self.pairs.iter_mut().find(|(n, _)| *n == name) {
            None => self.pairs.push((name, value)),
            Some((_, own)) if own.is_empty() => *own = value,
            Some(_) => {}
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
                put_wire_pair(out, name.as_bytes(), value.as_bytes());
            }
        }
        Ok(())
    }
}

fn put_len(out: &mut Vec<u8>, key: u8, len: usize) {
    out.push(key);
    let mut rest = len;
    while rest > 0x7f {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn check_count(metric: &str, count: usize) -> Result<(), (Refusal, String)> {
    if count > limits::LABELS_PER_SERIES {
        let message = format!(
            "metric {} has more than the {} labels that are allowed",
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
