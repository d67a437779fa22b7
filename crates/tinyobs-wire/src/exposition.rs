//! Exposition: the Prometheus text format 0.0.4, which every scraper reads, and OpenMetrics 1.0.
//!
//!   store::latest ─▶ [families] ─▶ [TextWriter] ─▶ `GET /metrics`, `GET /federate`
//!   store::select ─▶ [families::arrange] ─▶ `GET /v1/export?format=openmetrics`
//!
//! Four choices, and why:
//!
//! - No timestamps at `/metrics`. The values are the latest ones, and a scraper that is given a
//!   timestamp stops marking series as stale when they vanish. Whether a value is fresh enough is
//!   decided before. Federation is the opposite: there the time of a value is part of the answer.
//! - In OpenMetrics a counter's samples must end in `_total`. One that does not keeps its name and is
//!   shown as unknown: a name that depended on what the scraper accepts would be two series.
//! - In OpenMetrics the bounds of a histogram are written as numbers with a point (`le="1.0"`), which
//!   the format asks for and Prometheus does to either format when it scrapes.
//! - Names that the format has no room for (`http.server.duration`, `größe`) are written with `_`
//!   for each character that is not allowed: Prometheus' scheme "underscores". The quoted form of
//!   Prometheus 3 is for another day.
//!
//! I-EXPO-1  Every family is written once, its samples together: a scraper refuses the whole page
//!           otherwise.
//! I-EXPO-2  No two samples have the same name and labels, also after names were changed.
//! I-EXPO-3  No text gets out of its quotes or its line.
//! I-EXPO-4  The same samples give the same bytes, in whatever order they come.
//! I-EXPO-5  What a scraper gets is the format that it prefers of those we write.
//! Proved by: exposition/tests.rs, exposition/format/tests.rs, `cargo xtask clients scrape`.

use std::fmt::Write;

use tinyobs_model::Kind;

use crate::number::Short;

/// What a counter's name ends in.
const TOTAL: &str = "_total";

pub mod families;
mod format;

pub use families::{Exposed, Latest, arrange, write_series};
pub use format::Format;

/// Help and unit of a metric name, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct About<'a> {
    /// One sentence for people, or "".
    pub help: &'a str,
    /// Base unit, or "".
    pub unit: &'a str,
}

/// Writes families line by line. Names must be legal; [`write_series`] makes them so.
#[derive(Debug, Default)]
pub struct TextWriter {
    out: String,
    format: Format,
    always: Option<&'static str>,
}

impl TextWriter {
    /// A page without a line.
    pub fn new(format: Format) -> Self {
        Self {
            out: String::new(),
            format,
            always: None,
        }
    }

    /// Gives every series a label of this name, empty where it has none.
    #[must_use]
    pub fn with_empty(mut self, label: &'static str) -> Self {
        self.always = Some(label);
        self
    }

    /// The page, without what ends it: see [`Format::end`].
    pub fn into_string(self) -> String {
        self.out
    }

    /// The page so far, which is forgotten: for pages that are sent in pieces.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Bytes of the page so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written, or all of it taken.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Begins the family of a metric: for a counter in OpenMetrics, its name without `_total`.
    pub fn family(&mut self, metric: &str, kind: Kind, about: About<'_>) {
        let (name, kind) = match (self.format, kind) {
            (Format::OpenMetrics, Kind::Counter) => match metric.strip_suffix(TOTAL) {
                Some(base) if !base.is_empty() => (base, kind),
                _ => (metric, Kind::Unknown),
            },
            _ => (metric, kind),
        };
        self.family_named(name, kind, about);
    }

    /// Begins a family by its own name.
    fn family_named(&mut self, name: &str, kind: Kind, about: About<'_>) {
        let is_open = self.format == Format::OpenMetrics;
        if !about.help.is_empty() {
            self.meta("HELP", name);
            escape(&mut self.out, about.help, is_open);
            self.out.push('\n');
        }
        self.meta("TYPE", name);
        // The formats' words for what nobody said.
        self.out.push_str(match kind {
            Kind::Unknown if is_open => "unknown",
            Kind::Unknown => "untyped",
            known => known.as_str(),
        });
        self.out.push('\n');
        // A name that does not end in its unit may not have one.
        let is_in_name = name
            .strip_suffix(about.unit)
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('_'));
        if is_open && !about.unit.is_empty() && is_in_name {
            self.meta("UNIT", name);
            self.out.push_str(about.unit);
            self.out.push('\n');
        }
    }

    fn meta(&mut self, what: &str, name: &str) {
        for part in ["# ", what, " ", name, " "] {
            self.out.push_str(part);
        }
    }

    /// A sample of the family that was begun last.
    pub fn sample<'a>(
        &mut self,
        name: &str,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        value: f64,
    ) {
        self.out.push_str(name);
        write_labels(&mut self.out, labels);
        self.value(value, None);
    }

    /// A line whose name and labels are written out already.
    pub fn line(&mut self, series: &str, value: f64, time_ms: Option<i64>) {
        self.out.push_str(series);
        self.value(value, time_ms);
    }

    fn value(&mut self, value: f64, time_ms: Option<i64>) {
        self.out.push(' ');
        write_value(&mut self.out, value);
        if let Some(time_ms) = time_ms {
            self.out.push(' ');
            write_time(&mut self.out, self.format, time_ms);
        }
        self.out.push('\n');
    }
}

fn write_labels<'a>(out: &mut String, labels: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let mut open = '{';
    for (name, value) in labels {
        out.push(open);
        out.push_str(name);
        out.push_str("=\"");
        escape(out, value, true);
        out.push('"');
        open = ',';
    }
    if open == ',' {
        out.push('}');
    }
}

/// I-EXPO-3: help needs no escape for quotes, label values do.
fn escape(out: &mut String, text: &str, in_quotes: bool) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if in_quotes => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}

/// Milliseconds, or in OpenMetrics seconds, where nothing is rounded either.
fn write_time(out: &mut String, format: Format, time_ms: i64) {
    // Writing to a String cannot fail.
    let _ = match format {
        Format::Text => write!(out, "{time_ms}"),
        Format::OpenMetrics => {
            let sign = if time_ms < 0 { "-" } else { "" };
            let (whole, rest) = (
                time_ms.unsigned_abs() / 1_000,
                time_ms.unsigned_abs() % 1_000,
            );
            write!(out, "{sign}{whole}.{rest:03}")
        }
    };
}

/// As JSON has it, and the three values that JSON has not.
pub fn write_value(out: &mut String, value: f64) {
    // Writing to a String cannot fail.
    let _ = if value.is_nan() {
        write!(out, "NaN")
    } else if value.is_infinite() {
        write!(out, "{}Inf", if value > 0.0 { '+' } else { '-' })
    } else {
        write!(out, "{}", Short(value))
    };
}

#[cfg(test)]
mod tests;
