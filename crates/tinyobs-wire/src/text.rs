//! Text: the Prometheus text format 0.0.4 and OpenMetrics 1.0, line by line.
//!
//!   body ─▶ [Lines] ─▶ [Entry] ─▶ [`families`](crate::families)
//!
//! Both are read by one reader: [`Dialect`] says how times are written, whether exemplars may
//! follow and what ends the body. Names may be quoted, as Prometheus 3 writes those in UTF-8:
//! `{"my.name","a.b"="c"} 1`.
//! Sources: Prometheus' "Exposition formats" and "OpenMetrics 1.0".
//!
//! I-TEXT-1  A line is read once, and borrowed: only text with escapes in it is copied.
//! I-TEXT-2  What is not of the format is an error that names line and column; nothing is guessed.
//! I-TEXT-3  Numbers are read by Rust's exact parser, so every `f64` survives bit for bit.
//! I-TEXT-4  A body that may have been cut is not read: the last line ends, or `# EOF` stands there.
//! Proved by: text/tests.rs, fuzz target `text`.

use std::borrow::Cow;

use tinyobs_model::{Kind, limits};

mod cursor;

use cursor::Cursor;
pub(crate) use cursor::shown;

/// Which of the two formats a body is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Times are whole milliseconds; the last line ends with a line feed.
    Prometheus,
    /// Times are seconds; `# EOF` ends the body; exemplars may follow a value.
    OpenMetrics,
}

impl Dialect {
    /// The format that a `Content-Type` names; everything but OpenMetrics is taken for the older
    /// one, as all receivers of it do.
    pub fn of_content_type(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }
}

/// What is wrong with a body, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at line {line}, column {column}")]
pub struct TextError {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
}

/// What a family says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FamilyType {
    /// `counter`
    Counter,
    /// `gauge`
    Gauge,
    /// `histogram`
    Histogram,
    /// `gaugehistogram`, of OpenMetrics
    GaugeHistogram,
    /// `summary`
    Summary,
    /// `info`, of OpenMetrics
    Info,
    /// `stateset`, of OpenMetrics
    StateSet,
    /// `untyped` or `unknown`
    #[default]
    Unknown,
}

impl FamilyType {
    /// The type by its word in either format.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "gaugehistogram" => Self::GaugeHistogram,
            "summary" => Self::Summary,
            "info" => Self::Info,
            "stateset" => Self::StateSet,
            "untyped" | "unknown" => Self::Unknown,
            _ => return None,
        })
    }

    /// What its numbers mean.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Counter => Kind::Counter,
            // Counts of things that are there: they go up and down.
            Self::Gauge | Self::GaugeHistogram | Self::Info | Self::StateSet => Kind::Gauge,
            Self::Histogram => Kind::Histogram,
            Self::Summary => Kind::Summary,
            Self::Unknown => Kind::Unknown,
        }
    }

    /// What its samples may have behind the family's name.
    pub const fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["_total", "_created"],
            Self::Histogram => &["_bucket", "_sum", "_count", "_created"],
            Self::GaugeHistogram => &["_bucket", "_gsum", "_gcount"],
            Self::Summary => &["_sum", "_count", "_created"],
            Self::Info => &["_info"],
            Self::Gauge | Self::StateSet | Self::Unknown => &[],
        }
    }
}

/// One line that says something.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry<'a> {
    /// `# HELP family text`
    Help(Cow<'a, str>, Cow<'a, str>),
    /// `# TYPE family type`
    Type(Cow<'a, str>, FamilyType),
    /// `# UNIT family unit`
    Unit(Cow<'a, str>, Cow<'a, str>),
    /// A sample; its labels are [`Lines::labels`].
    Sample {
        /// The name of its metric.
        name: Cow<'a, str>,
        /// Any number, NaN and both infinities among them.
        value: f64,
        /// When, if the line says so.
        time_ms: Option<i64>,
    },
}

/// A name and a value.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The lines of a body.
#[derive(Debug)]
pub struct Lines<'a> {
    rest: &'a str,
    dialect: Dialect,
    /// The line that was read last, counted from 1.
    line: usize,
    labels: Vec<Pair<'a>>,
    has_ended: bool,
}

impl<'a> Lines<'a> {
    /// Of a whole body.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn new(body: &'a [u8], dialect: Dialect) -> Result<Self, TextError> {
        let text = std::str::from_utf8(body).map_err(|error| {
            let before = &body[..error.valid_up_to()];
            let from = before.iter().rposition(|byte| *byte == b'\n');
            TextError {
                line: before.split(|byte| *byte == b'\n').count(),
                column: before.len() - from.map_or(0, |at| at + 1) + 1,
                reason: "text is not UTF-8".to_owned(),
            }
        })?;
        Ok(Self {
            rest: text,
            dialect,
            line: 0,
            labels: Vec::new(),
            has_ended: false,
        })
    }

    /// The line that the last entry stands on, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Something that is wrong with the line of the last entry.
    pub fn error(&self, reason: String) -> TextError {
        TextError {
            line: self.line,
            column: 1,
            reason,
        }
    }

    /// The labels of the last sample, in the order in which they are written.
    pub fn labels(&self) -> &[Pair<'a>] {
        &self.labels
    }

    /// The next entry; none at the end.
    ///
    /// # Errors
    /// A line is not of the format.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'a>>, TextError> {
        while !self.rest.is_empty() {
            self.line += 1;
            let (line, rest, ends) = match self.rest.split_once('\n') {
                Some((line, rest)) => (line, rest, true),
                None => (self.rest, "", false),
            };
            self.rest = rest;
            let line = line.strip_suffix('\r').unwrap_or(line);
            let mut cursor = Cursor::new(line, self.line);
            cursor.blanks();
            if self.has_ended && !cursor.is_done() {
                return Err(cursor.error("something stands behind `# EOF`"));
            }
            let is_comment = cursor.peek() == Some(b'#');
            let entry = match cursor.peek() {
                None => None,
                Some(b'#') => self.comment(&mut cursor)?,
                Some(_) => Some(self.sample(&mut cursor)?),
            };
            // I-TEXT-4
            if !ends && !is_comment && self.dialect == Dialect::Prometheus {
                cursor.skip_all();
                return Err(cursor.error("the last line does not end with a line feed"));
            }
            if entry.is_some() {
                return Ok(entry);
            }
        }
        // I-TEXT-4
        if self.dialect == Dialect::OpenMetrics && !self.has_ended {
            let reason = "`# EOF` is missing: the body may have been cut";
            return Err(Cursor::new("", self.line + 1).error(reason));
        }
        Ok(None)
    }

    /// A line that begins with `#`; a comment says nothing.
    fn comment(&mut self, cursor: &mut Cursor<'a>) -> Result<Option<Entry<'a>>, TextError> {
        cursor.take(b'#');
        cursor.blanks();
        let entry = match cursor.word() {
            "EOF" if self.dialect == Dialect::OpenMetrics => {
                self.has_ended = true;
                None
            }
            "HELP" => {
                let family = cursor.family_name()?;
                cursor.blanks();
                Some(Entry::Help(family, cursor.help()))
            }
            "TYPE" => {
                let family = cursor.family_name()?;
                cursor.blanks();
                let before = cursor.clone();
                let word = cursor.word();
                let Some(family_type) = FamilyType::from_word(word) else {
                    let reason = format!("{:?} is not a type of metric", shown(word));
                    return Err(before.error(&reason));
                };
                cursor.ends()?;
                Some(Entry::Type(family, family_type))
            }
            "UNIT" => {
                let family = cursor.family_name()?;
                cursor.blanks();
                Some(Entry::Unit(family, Cow::Borrowed(cursor.word())))
            }
            _ => None,
        };
        Ok(entry)
    }

    fn sample(&mut self, cursor: &mut Cursor<'a>) -> Result<Entry<'a>, TextError> {
        self.labels.clear();
        let mut name = None;
        if cursor.peek() != Some(b'{') {
            name = Some(Cow::Borrowed(cursor.metric_name()?));
            cursor.blanks();
        }
        if cursor.peek() == Some(b'{') {
            read_labels(cursor, &mut name, &mut self.labels)?;
        }
        let Some(name) = name else {
            return Err(cursor.error("a metric name is missing"));
        };
        cursor.blanks();
        let value = cursor.number("a value")?;
        cursor.blanks();
        let time_ms = match cursor.peek() {
            None | Some(b'#') => None,
            Some(_) => Some(cursor.time(self.dialect)?),
        };
        cursor.blanks();
        if self.dialect == Dialect::OpenMetrics && cursor.take(b'#') {
            exemplar(cursor)?;
        }
        cursor.ends()?;
        Ok(Entry::Sample {
            name,
            value,
            time_ms,
        })
    }
}

/// `{a="1","b.c"="2"}`, and in it the metric's name when that is quoted.
fn read_labels<'a>(
    cursor: &mut Cursor<'a>,
    name: &mut Option<Cow<'a, str>>,
    labels: &mut Vec<Pair<'a>>,
) -> Result<(), TextError> {
    cursor.take(b'{');
    loop {
        cursor.blanks();
        if cursor.take(b'}') {
            return Ok(());
        }
        let before = cursor.clone();
        let (label, is_quoted) = match cursor.peek() {
            Some(b'"') => (cursor.quoted()?, true),
            _ => (Cow::Borrowed(cursor.label_name()?), false),
        };
        cursor.blanks();
        if cursor.take(b'=') {
            cursor.blanks();
            let value = cursor.quoted()?;
            // One more than allowed says enough for the refusal: the rest is not kept.
            if labels.len() <= limits::LABELS_PER_SERIES {
                labels.push((label, value));
            }
        } else if is_quoted && name.is_none() && labels.is_empty() {
            *name = Some(label);
        } else if is_quoted && name.is_some() {
            return Err(before.error("a second metric name, or a label without a value"));
        } else {
            return Err(cursor.error("`=` is missing behind a label name"));
        }
        cursor.blanks();
        if !cursor.take(b',') && cursor.peek() != Some(b'}') {
            return Err(cursor.error("neither `,` nor `}` follows a label"));
        }
    }
}

/// Accepted and let go: nothing stores them yet.
fn exemplar(cursor: &mut Cursor<'_>) -> Result<(), TextError> {
    cursor.blanks();
    if cursor.peek() != Some(b'{') {
        return Err(cursor.error("an exemplar begins with `{`"));
    }
    // It has no name.
    let mut name = Some(Cow::Borrowed(""));
    read_labels(cursor, &mut name, &mut Vec::new())?;
    cursor.blanks();
    cursor.number("an exemplar's value")?;
    cursor.blanks();
    if !cursor.is_done() {
        cursor.time(Dialect::OpenMetrics)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
