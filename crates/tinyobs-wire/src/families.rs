//! Families: what a page of metrics holds, owned, under the labels of the group it was pushed to.
//!
//!   [`text`](crate::text), [`metric_family`](crate::metric_family) ─▶ [Collector] ─▶ [Family]
//!
//! Histograms and summaries keep their classic series (`_bucket{le}`, `_sum`, `_count`,
//! `{quantile}`). A `_created` sample is the start of its counter or histogram: in OpenMetrics it
//! is nothing else, in the older format, where it is a gauge of its own, it is stored as well.
//!
//! I-FAMILY-1  A series that breaks a rule costs only itself, and is named with its line.
//! I-FAMILY-2  The group's labels replace labels of the same name.
//! I-FAMILY-3  No two series of a page are the same: whichever was meant cannot be guessed.
//! I-FAMILY-4  What a page takes in memory is checked before it is taken.
//! I-FAMILY-5  A family has one type: of two, whichever was meant cannot be guessed either.
//! Proved by: families/tests.rs, fuzz targets `text` and `metric_family`.

use std::collections::{HashMap, HashSet};

use tinyobs_model::kind::metadata_text;
use tinyobs_model::{Kind, Labels, METRIC_NAME, Refusal, Refused, limits};

use crate::text::{Dialect, Entry, FamilyType, Lines, Pair, TextError};

/// Metrics of one name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Family {
    /// Its name, without the suffixes of its parts.
    pub name: String,
    /// What its numbers mean.
    pub kind: Kind,
    /// Base unit; empty when nobody said.
    pub unit: String,
    /// One sentence for people; empty when nobody said.
    pub help: String,
    /// Its series, in the order of their lines.
    pub series: Vec<Series>,
}

/// One series with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name and labels, the group's among them.
    pub labels: Labels,
    /// Any number.
    pub value: f64,
    /// When it began at 0, in milliseconds.
    pub start_ms: Option<i64>,
    /// The line or, of a body without lines, the metric that it came from; counted from 1.
    pub line: u32,
}

/// What a body held.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// By their first line.
    pub families: Vec<Family>,
    /// One entry for each series that is not in them, by line.
    pub refused: Vec<Refused>,
    /// The first line with a time, if one has one.
    pub timestamp_line: Option<u32>,
}

/// Why a whole body was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// Not of the text format.
    #[error("body is not in the text format: {0}")]
    Text(#[from] TextError),
    /// Not a list of protobuf messages.
    #[error("body is not a list of delimited MetricFamily messages: {reason} in message {message}")]
    Proto {
        /// Counted from 1.
        message: u32,
        /// What is wrong.
        reason: String,
    },
    /// I-FAMILY-3
    #[error("line {line}: {series} is there twice once the group's labels are set")]
    Twice {
        /// The second one's.
        line: u32,
        /// Cut when long.
        series: String,
    },
    /// I-FAMILY-4
    #[error("line {line}: the metrics before it take more than {limit} bytes")]
    TooLarge {
        /// The first that has no room.
        line: u32,
        /// The bound that was passed.
        limit: usize,
    },
}

/// A group's labels; they replace labels of the same name.
pub type Grouping = [(String, String)];

/// What a series takes besides its text.
const OVERHEAD: usize = 128;
/// What a family takes besides its text.
const FAMILY_OVERHEAD: usize = 256;

/// Reads a body in either text format.
///
/// # Errors
/// The body as a whole cannot be read; nothing of it may be stored then.
pub fn read_text(body: &[u8], dialect: Dialect, grouping: &Grouping) -> Result<Page, PageError> {
    let mut lines = Lines::new(body, dialect)?;
    let mut page = Collector::new(grouping);
    let mut typed = HashSet::new();
    while let Some(entry) = lines.next_entry()? {
        let line = u32::try_from(lines.line()).unwrap_or(u32::MAX);
        match entry {
            Entry::Type(name, family_type) => {
                let known = page.family(line, &name)?;
                if !typed.insert(known) {
                    let name = crate::text::shown(&name);
                    return Err(lines
                        .error(format!("a second TYPE line for {name:?}"))
                        .into());
                }
                page.set_type(known, family_type);
            }
            Entry::Help(name, help) => {
                let known = page.family(line, &name)?;
                metadata_text(&help).clone_into(&mut page.families[known].help);
            }
            Entry::Unit(name, unit) => {
                let known = page.family(line, &name)?;
                metadata_text(&unit).clone_into(&mut page.families[known].unit);
            }
            Entry::Sample {
                name,
                value,
                time_ms,
            } => {
                if time_ms.is_some() {
                    page.timestamp_line.get_or_insert(line);
                }
                let family = page.family_of_sample(line, &name)?;
                let is_created = dialect == Dialect::OpenMetrics
                    && page.is_created(family, &name)
                    && name.len() > page.families[family].name.len();
                page.push(family, line, &name, lines.labels(), value, is_created)?;
            }
        }
    }
    page.finish()
}

/// Gathers series under their families.
#[derive(Debug)]
pub struct Collector<'g> {
    grouping: &'g Grouping,
    pub(crate) families: Vec<Family>,
    types: Vec<FamilyType>,
    by_name: HashMap<String, usize>,
    /// The family of the last sample: the next one is most likely of it too.
    last: Option<usize>,
    /// By family and labels without their name, in canonical bytes.
    created: HashMap<(usize, Vec<u8>), i64>,
    refused: Vec<Refused>,
    pub(crate) timestamp_line: Option<u32>,
    bytes: usize,
}

/// Where a family stood.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    series: usize,
    refused: usize,
}

impl<'g> Collector<'g> {
    /// An empty page for a group.
    pub fn new(grouping: &'g Grouping) -> Self {
        Self {
            grouping,
            families: Vec::new(),
            types: Vec::new(),
            by_name: HashMap::new(),
            last: None,
            created: HashMap::new(),
            refused: Vec::new(),
            timestamp_line: None,
            bytes: 0,
        }
    }

    /// The family `name`, made when it is new.
    pub(crate) fn family(&mut self, line: u32, name: &str) -> Result<usize, PageError> {
        if let Some(known) = self.by_name.get(name) {
            return Ok(*known);
        }
        self.reserve(line, FAMILY_OVERHEAD + 2 * name.len())?;
        let place = self.families.len();
        self.families.push(Family {
            name: name.to_owned(),
            ..Family::default()
        });
        self.types.push(FamilyType::Unknown);
        self.by_name.insert(name.to_owned(), place);
        Ok(place)
    }

    /// I-FAMILY-4
    fn reserve(&mut self, line: u32, bytes: usize) -> Result<(), PageError> {
        self.bytes += bytes;
        if self.bytes > limits::PUSHED_BYTES {
            let limit = limits::PUSHED_BYTES;
            return Err(PageError::TooLarge { line, limit });
        }
        Ok(())
    }

    pub(crate) fn set_type(&mut self, family: usize, family_type: FamilyType) {
        self.types[family] = family_type;
        self.families[family].kind = family_type.kind();
    }

    /// The family that a sample of this name belongs to.
    fn family_of_sample(&mut self, line: u32, name: &str) -> Result<usize, PageError> {
        if let Some(last) = self.last
            && self.is_part(last, name)
        {
            return Ok(last);
        }
        let exact = self.by_name.get(name).copied();
        let found = exact.or_else(|| {
            let bases = [
                "_total", "_bucket", "_sum", "_count", "_created", "_info", "_gsum", "_gcount",
            ];
            let of_base = |suffix: &&str| self.by_name.get(name.strip_suffix(suffix)?).copied();
            let mut found = bases.iter().filter_map(of_base);
            found.find(|family| self.is_part(*family, name))
        });
        let family = match found {
            Some(family) => family,
            None => self.family(line, name)?,
        };
        self.last = Some(family);
        Ok(family)
    }

    fn is_part(&self, family: usize, name: &str) -> bool {
        let suffix = name.strip_prefix(self.families[family].name.as_str());
        suffix.is_some_and(|suffix| {
            suffix.is_empty() || self.types[family].suffixes().contains(&suffix)
        })
    }

    fn is_created(&self, family: usize, name: &str) -> bool {
        let has_one = self.types[family].suffixes().contains(&"_created");
        has_one && name.ends_with("_created")
    }

    /// Adds a series; one that breaks a rule is only noted (I-FAMILY-1).
    pub(crate) fn push(
        &mut self,
        family: usize,
        line: u32,
        name: &str,
        labels: &[Pair<'_>],
        value: f64,
        is_created: bool,
    ) -> Result<(), PageError> {
        let own = labels.iter().map(|(name, value)| (&**name, &**value));
        // I-FAMILY-2
        let is_replaced = |name: &str| self.grouping.iter().any(|(group, _)| group == name);
        let own = own.filter(|(name, _)| !is_replaced(name));
        let group = self.grouping.iter();
        let group = group.map(|(name, value)| (name.as_str(), value.as_str()));
        // I-FAMILY-4: before the labels are copied.
        let text: usize = own
            .clone()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let fixed: usize = group
            .clone()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        self.reserve(line, OVERHEAD + name.len() + text + fixed)?;
        let labels = match Labels::new(name, own.chain(group)) {
            Ok(labels) => labels,
            Err((rule, message)) => {
                self.refuse(line, rule, &message);
                return Ok(());
            }
        };
        if is_created {
            let key = (family, identity(&labels));
            self.created.insert(key, (value * 1_000.0).round() as i64);
            return Ok(());
        }
        self.families[family].series.push(Series {
            labels,
            value,
            start_ms: None,
            line,
        });
        Ok(())
    }

    pub(crate) fn refuse(&mut self, line: u32, rule: Refusal, message: &str) {
        self.refused.push(Refused {
            item: line,
            rule,
            message: format!("line {line}: {message}"),
        });
    }

    /// How much there is of a family, and of what was refused.
    pub(crate) fn mark(&self, family: usize) -> Mark {
        Mark {
            series: self.families[family].series.len(),
            refused: self.refused.len(),
        }
    }

    /// Takes out what the family got since the mark, if some of that was refused, and keeps the
    /// first reason: for parts that mean something only together.
    pub(crate) fn undo_refused(&mut self, family: usize, since: Mark) {
        if self.refused.len() > since.refused {
            self.refused.truncate(since.refused + 1);
            self.families[family].series.truncate(since.series);
        }
    }

    /// What was gathered.
    pub(crate) fn finish(mut self) -> Result<Page, PageError> {
        self.gauges_of_creation();
        if !self.created.is_empty() {
            self.set_starts();
        }
        self.families.retain(|family| !family.series.is_empty());
        // I-FAMILY-3
        let mut seen = HashSet::new();
        for series in self.families.iter().flat_map(|family| &family.series) {
            if !seen.insert(series.labels.as_bytes()) {
                let line = series.line;
                let series = crate::text::shown(&series.labels.to_string());
                return Err(PageError::Twice { line, series });
            }
        }
        drop(seen);
        Ok(Page {
            families: self.families,
            refused: self.refused,
            timestamp_line: self.timestamp_line,
        })
    }

    /// The older format has no `_created`, so that Python's library writes it as a gauge.
    fn gauges_of_creation(&mut self) {
        for place in 0..self.families.len() {
            let Some(base) = self.families[place].name.strip_suffix("_created") else {
                continue;
            };
            let counter = format!("{base}_total");
            let of = |name: &str| self.by_name.get(name).copied();
            let Some(family) = of(&counter).or_else(|| of(base)) else {
                continue;
            };
            if self.types[place] != FamilyType::Gauge || !self.families[family].kind.is_cumulative()
            {
                continue;
            }
            for series in &self.families[place].series {
                let key = (family, identity(&series.labels));
                let start_ms = (series.value * 1_000.0).round() as i64;
                self.created.insert(key, start_ms);
            }
        }
    }

    fn set_starts(&mut self) {
        for (place, family) in self.families.iter_mut().enumerate() {
            if !family.kind.is_cumulative() {
                continue;
            }
            for series in &mut family.series {
                let started = self.created.get(&(place, identity(&series.labels)));
                let is_moment = |start_ms: &i64| *start_ms >= crate::time::MILLISECONDS_FROM;
                series.start_ms = started.copied().filter(is_moment);
            }
        }
    }
}

/// What the parts of one histogram have in common, as bytes.
fn identity(labels: &Labels) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in labels.iter() {
        if name != METRIC_NAME && name != "le" {
            bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
            bytes.extend_from_slice(value.as_bytes());
        }
    }
    bytes
}

#[cfg(test)]
mod tests;
