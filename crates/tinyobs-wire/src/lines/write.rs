//! Write: a series becomes lines.

use std::io::Write as _;

use tinyobs_model::{Kind, Labels, METRIC_NAME, Resolution, Rollup, stale_marker};

use crate::encode::write_text;
use crate::exposition::About;
use crate::number::Short;

/// What is known of a metric besides its series, for lines that say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Described<'a> {
    /// What the numbers mean.
    pub kind: Kind,
    /// Help and unit.
    pub about: About<'a>,
}

/// Writes the lines of one series after another.
#[derive(Debug, Default)]
pub struct Writer {
    /// How each line of the series begins.
    head: Vec<u8>,
}

impl Writer {
    /// Begins a series. `described` is left out where others shall read the lines byte by byte.
    pub fn begin(&mut self, labels: &Labels, described: Option<Described<'_>>) {
        let out = &mut self.head;
        out.clear();
        out.extend_from_slice(b"{\"metric\":");
        let mut border = b'{';
        let name = [(METRIC_NAME, labels.metric_name())];
        // The name first, as everybody has it.
        for (name, value) in name.into_iter().chain(labels.iter_without_name()) {
            out.push(border);
            write_text(out, name);
            out.push(b':');
            write_text(out, value);
            border = b',';
        }
        out.push(b'}');
        let Some(described) = described else { return };
        let About { help, unit } = described.about;
        for (key, text) in [
            (",\"type\":", described.kind.as_str()),
            (",\"help\":", help),
            (",\"unit\":", unit),
        ] {
            if !text.is_empty() {
                out.extend_from_slice(key.as_bytes());
                write_text(out, text);
            }
        }
    }

    /// Appends a line of samples.
    pub fn samples(&self, out: &mut Vec<u8>, times: &[i64], values: &[f64]) {
        out.extend_from_slice(&self.head);
        columns(out, times.iter().copied(), values.iter().copied());
        out.extend_from_slice(b"}\n");
    }

    /// Appends a line of rows.
    pub fn rollups(&self, out: &mut Vec<u8>, resolution: Resolution, rows: &[Rollup]) {
        out.extend_from_slice(&self.head);
        // A window that holds nothing but the end of its series has no last value.
        let has = |row: &Rollup| row.count > 0;
        let time = |row: &Rollup| {
            if has(row) {
                row.last.time_ms
            } else {
                row.start_ms
            }
        };
        let value = |row: &Rollup| {
            if has(row) {
                row.last.value
            } else {
                stale_marker()
            }
        };
        columns(out, rows.iter().map(time), rows.iter().map(value));
        out.extend_from_slice(b",\"resolution\":\"");
        out.extend_from_slice(resolution.as_str().as_bytes());
        out.extend_from_slice(b"\",\"rollup\":");
        let first_ms = |row: &Rollup| {
            if has(row) {
                row.first.time_ms
            } else {
                row.start_ms
            }
        };
        let first = |row: &Rollup| if has(row) { row.first.value } else { 0.0 };
        let mut ints = |key: &str, of: &dyn Fn(&Rollup) -> i128| {
            out.extend_from_slice(key.as_bytes());
            list(out, rows.iter(), |out, row| put(out, of(row)));
        };
        ints("{\"start\":[", &|row| row.start_ms.into());
        ints("],\"count\":[", &|row| row.count.into());
        ints("],\"first_time\":[", &|row| first_ms(row).into());
        ints("],\"ended\":[", &|row| row.ended.into());
        let mut numbers = |key: &str, of: &dyn Fn(&Rollup) -> f64| {
            out.extend_from_slice(key.as_bytes());
            list(out, rows.iter(), |out, row| exact(out, of(row)));
        };
        numbers("],\"first\":[", &first);
        numbers("],\"min\":[", &|row| row.min);
        numbers("],\"max\":[", &|row| row.max);
        numbers("],\"sum\":[", &|row| row.sum);
        numbers("],\"increase\":[", &|row| row.increase);
        out.extend_from_slice(b"]}}\n");
    }
}

/// `values`, `timestamps`, and `nans` where they are needed.
fn columns(
    out: &mut Vec<u8>,
    times: impl Iterator<Item = i64>,
    values: impl Iterator<Item = f64> + Clone,
) {
    out.extend_from_slice(b",\"values\":[");
    list(out, values.clone(), number);
    out.extend_from_slice(b"],\"timestamps\":[");
    list(out, times, put);
    out.push(b']');
    let mut nans = values
        .filter(|value| value.is_nan())
        .map(f64::to_bits)
        .peekable();
    let mut all = nans.clone();
    if nans.peek().is_some() && !all.all(|bits| bits == f64::NAN.to_bits()) {
        out.extend_from_slice(b",\"nans\":[");
        list(out, nans, |out, bits| {
            let _ = write!(out, "\"{bits:016x}\"");
        });
        out.push(b']');
    }
}

fn list<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, each: impl Fn(&mut Vec<u8>, T)) {
    for (place, item) in items.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        each(out, item);
    }
}

/// As VictoriaMetrics has it.
fn number(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        put(out, Short(value));
    } else if value.is_nan() {
        out.extend_from_slice(b"null");
    } else if value > 0.0 {
        out.extend_from_slice(b"\"Infinity\"");
    } else {
        out.extend_from_slice(b"\"-Infinity\"");
    }
}

/// As [`number`], and a NaN that is not the plain one as its bits: these columns are read by us.
fn exact(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() && value.to_bits() != f64::NAN.to_bits() {
        let _ = write!(out, "\"0x{:016x}\"", value.to_bits());
    } else {
        number(out, value);
    }
}

fn put(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{value}");
}
