//! Exposition: the Prometheus text format 0.0.4, which every scraper reads.
//!
//!   store::latest ─▶ [families] ─▶ [TextWriter] ─▶ `GET /metrics`
//!
//! Two choices, and why:
//!
//! - No timestamps. The values are the latest ones, and a scraper that is given a timestamp stops
//!   marking series as stale when they vanish. Whether a value is fresh enough is decided before.
//! - Names that the format has no room for (`http.server.duration`, `größe`) are written with `_`
//!   for each character that is not allowed: Prometheus' scheme "underscores". The quoted form of
//!   Prometheus 3 needs content negotiation, which comes with OpenMetrics.
//!
//! I-EXPO-1  Every family is written once, its samples together: a scraper refuses the whole page
//!           otherwise.
//! I-EXPO-2  No two samples have the same name and labels, also after names were changed.
//! I-EXPO-3  No text gets out of its quotes or its line.
//! I-EXPO-4  The same samples give the same bytes, in whatever order they come.
//! Proved by: exposition/tests.rs.

use std::fmt::Write;

use tinyobs_model::Kind;

use crate::number::Short;

pub mod families;

pub use families::{Exposed, write_series};

/// `Content-Type` of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes families line by line. Names must be legal; [`write_series`] makes them so.
#[derive(Debug, Default)]
pub struct TextWriter {
    out: String,
}

impl TextWriter {
    /// A page without a line.
    pub fn new() -> Self {
        Self::default()
    }

    /// The page.
    pub fn into_string(self) -> String {
        self.out
    }

    /// Begins a family.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        if !help.is_empty() {
            self.out.push_str("# HELP ");
            self.out.push_str(name);
            self.out.push(' ');
            escape(&mut self.out, help, false);
            self.out.push('\n');
        }
        self.out.push_str("# TYPE ");
        self.out.push_str(name);
        self.out.push(' ');
        // The format's word for what nobody said.
        self.out.push_str(match kind {
            Kind::Unknown => "untyped",
            known => known.as_str(),
        });
        self.out.push('\n');
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
        self.value(value);
    }

    /// A line whose name and labels are written out already.
    fn line(&mut self, series: &str, value: f64) {
        self.out.push_str(series);
        self.value(value);
    }

    fn value(&mut self, value: f64) {
        self.out.push(' ');
        write_value(&mut self.out, value);
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

/// As JSON has it, and the three values that JSON has not.
fn write_value(out: &mut String, value: f64) {
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
