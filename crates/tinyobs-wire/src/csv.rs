//! Csv: stored series as rows of a table, for spreadsheets and data frames.
//!
//!   store::select ─▶ [Table] ─▶ `GET /v1/export?format=csv`
//!   `POST /v1/import` ─▶ [Records] ─▶ [Header] ─▶ [Row] ─▶ batches ─▶ store::append
//!
//!   timestamp,name,type,value,resolution,code,path
//!   2026-11-22T00:16:02.347Z,http_requests_total,counter,42,raw,200,/users
//!
//! One column for each label name of the export, sorted. A label whose name is one of the first five,
//! whatever number of `label_` stands before it, has one more `label_` before it.
//!
//! I-CSV-1  Every row has as many cells as the header, and a reader of RFC 4180 gets the text back.
//! I-CSV-2  No cell of text is a formula to a spreadsheet: one that would begin like one gets a `'`
//!          before it, unless it is a number such as `-1` or `+Inf`; so does one with such a `'`.
//! I-CSV-3  A finite value reads back bit for bit.
//! I-CSV-4  What is written reads back: series, types, times and values. (A table has no word for
//!          one NaN rather than another, for help and unit, nor for what else a rollup's row holds.)
//! I-CSV-5  A bad row costs only itself, with the rule that it breaks; what is held of one is bounded.
//! I-CSV-6  Of a record of several lines that is none, only the first line is lost: what follows it is
//!          read as rows of its own, and no line more than twice.
//! Proved by: csv/tests.rs, fuzz target `import`.

use std::collections::BTreeSet;
use std::io::Write as _;

use tinyobs_model::{Kind, Labels, Resolution, Sample};

use crate::exposition::write_value;
use crate::time::format_rfc3339;

mod cells;
mod read;

pub use read::{Header, Record, Records, Row, looks_like_one};

/// `Content-Type` of the table.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";

const FIXED: [&str; 5] = ["timestamp", "name", "type", "value", "resolution"];

/// What stands before the name of a label that a column of ours has.
const PREFIX: &str = "label_";

/// Whether a label's column gets the prefix: as many as there are, one more tells it apart.
fn is_prefixed(label: &str) -> bool {
    FIXED.contains(&label.trim_start_matches(PREFIX))
}

/// Whether a spreadsheet would take the text for a formula, or for one that was kept from being one.
fn is_formula(text: &str) -> bool {
    let inner = text.trim_start_matches('\'');
    let is_number = inner.len() == text.len() && text.parse::<f64>().is_ok();
    inner.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number
}

/// A table as it grows.
#[derive(Debug)]
pub struct Table {
    /// Label names, sorted.
    labels: Vec<String>,
    /// What stands between the time and the value in every row of the series.
    head: Vec<u8>,
    /// What stands behind the resolution.
    tail: Vec<u8>,
    value: String,
}

impl Table {
    /// A table with a column for each of these labels.
    pub fn new(labels: BTreeSet<String>) -> Self {
        Self {
            labels: labels.into_iter().collect(),
            head: Vec::new(),
            tail: Vec::new(),
            value: String::new(),
        }
    }

    /// Appends the header.
    pub fn header(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(FIXED.join(",").as_bytes());
        for label in &self.labels {
            out.push(b',');
            if is_prefixed(label) {
                cell(out, &format!("{PREFIX}{label}"));
            } else {
                cell(out, label);
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Begins a series, whose labels must be among the columns.
    pub fn begin(&mut self, labels: &Labels, kind: Kind) {
        self.head.clear();
        self.head.push(b',');
        cell(&mut self.head, labels.metric_name());
        self.head.push(b',');
        self.head.extend_from_slice(kind.as_str().as_bytes());
        self.head.push(b',');
        self.tail.clear();
        // Both are sorted by name.
        let mut pairs = labels.iter_without_name().peekable();
        for column in &self.labels {
            self.tail.push(b',');
            if let Some((_, value)) = pairs.next_if(|(name, _)| name == column) {
                cell(&mut self.tail, value);
            }
        }
        self.tail.extend_from_slice(b"\r\n");
    }

    /// Appends a row of the series.
    pub fn row(&mut self, out: &mut Vec<u8>, sample: Sample, resolution: Resolution) {
        out.extend_from_slice(format_rfc3339(sample.time_ms).as_bytes());
        out.extend_from_slice(&self.head);
        self.value.clear();
        write_value(&mut self.value, sample.value);
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{},{resolution}", self.value);
        out.extend_from_slice(&self.tail);
    }
}

/// I-CSV-1, I-CSV-2
fn cell(out: &mut Vec<u8>, text: &str) {
    let is_formula = is_formula(text);
    if !is_formula && !text.contains([',', '"', '\n', '\r']) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    if is_formula {
        out.push(b'\'');
    }
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests;
