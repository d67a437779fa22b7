//! Write: the answer of a query as Prometheus writes it, straight to bytes.
//!
//!   [Answer] ─▶ [`Written`] ─▶ one series after the other ─▶ body
//!
//! I-WRITE-1  A value is text in the fewest digits that read back to the same bits, with an exponent
//!            only below 1e-6 and from 1e21 on, and a scalar with none; NaN, +Inf and -Inf are written
//!            so.
//! I-WRITE-2  A time is seconds with three digits behind the point, or none.
//! I-WRITE-3  However large the answer, what is held of its text is a piece.
//! Proved by: api/write/tests.rs, tests/it/api.rs.

use std::io::{self, Write};

use tinyobs_model::{Labels, Sample};
use tinyobs_promql::{Answer, AnswerValue, Number, SeriesPoints};
use tinyobs_wire::encode::write_text;
use tinyobs_wire::number;

use super::stats::Took;

/// Bytes of text that are handed on at once.
const PIECE_BYTES: usize = 64 << 10;

/// An answer, and what stands around it.
#[derive(Debug)]
pub struct Written {
    /// What the query came to.
    pub answer: Answer,
    /// The moment of an instant query.
    pub time_ms: i64,
    /// Series that are wanted at most.
    pub limit: usize,
    /// What the server has to say about it.
    pub warnings: Vec<&'static str>,
    /// What it took, if that is wanted.
    pub took: Option<Took>,
}

impl Written {
    /// `answer`, about which nothing more is to be said.
    pub fn new(answer: Answer, time_ms: i64, limit: usize) -> Self {
        Self {
            answer,
            time_ms,
            limit,
            warnings: Vec::new(),
            took: None,
        }
    }

    /// Bytes that the answer holds, about.
    pub fn bytes(&self) -> usize {
        match &self.answer.value {
            AnswerValue::Scalar(_) | AnswerValue::String(_) => 0,
            AnswerValue::Vector(series) | AnswerValue::Matrix(series) => {
                let of_points: usize = series.iter().map(|one| one.points.len()).sum();
                let of_labels: usize = series.iter().map(|one| one.labels.as_bytes().len()).sum();
                of_points * size_of::<Sample>() + of_labels
            }
        }
    }

    /// The whole answer.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut text = Vec::with_capacity(4 << 10);
        text.extend_from_slice(b"{\"status\":\"success\",\"data\":{\"resultType\":\"");
        let name = match &self.answer.value {
            AnswerValue::Scalar(_) => "scalar",
            AnswerValue::Vector(_) => "vector",
            AnswerValue::Matrix(_) => "matrix",
            AnswerValue::String(_) => "string",
        };
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"\",\"result\":");
        match &self.answer.value {
            AnswerValue::Scalar(sample) => write_scalar(&mut text, *sample),
            AnswerValue::String(value) => {
                text.push(b'[');
                write_time(&mut text, self.time_ms);
                text.push(b',');
                write_text(&mut text, value);
                text.push(b']');
            }
            AnswerValue::Vector(series) => self.write_series(&mut text, out, series, write_one)?,
            AnswerValue::Matrix(series) => self.write_series(&mut text, out, series, write_all)?,
        }
        if let Some(took) = &self.took {
            text.extend_from_slice(b",\"stats\":");
            took.write(&mut text, &self.answer.stats);
        }
        text.push(b'}');
        self.write_notes(&mut text);
        text.extend_from_slice(b"}\n");
        out.write_all(&text)
    }

    fn write_series(
        &self,
        text: &mut Vec<u8>,
        out: &mut dyn Write,
        series: &[SeriesPoints],
        points: fn(&mut Vec<u8>, &[Sample]),
    ) -> io::Result<()> {
        text.push(b'[');
        for (place, one) in series.iter().take(self.limit).enumerate() {
            if place > 0 {
                text.push(b',');
            }
            text.extend_from_slice(b"{\"metric\":");
            write_labels(text, &one.labels);
            points(text, &one.points);
            text.push(b'}');
            // I-WRITE-3
            if text.len() > PIECE_BYTES {
                out.write_all(text)?;
                text.clear();
            }
        }
        text.push(b']');
        Ok(())
    }

    fn write_notes(&self, text: &mut Vec<u8>) {
        let count = match &self.answer.value {
            AnswerValue::Vector(series) | AnswerValue::Matrix(series) => series.len(),
            _ => 0,
        };
        let cut = (count > self.limit).then(|| truncated(self.limit, "series"));
        let own = self.warnings.iter().copied();
        let warnings = self.answer.warnings.iter().map(String::as_str);
        write_list(
            text,
            "warnings",
            cut.as_deref().into_iter().chain(own).chain(warnings),
        );
        write_list(text, "infos", self.answer.infos.iter().map(String::as_str));
    }
}

/// What is said of an answer that `limit` cut.
pub fn truncated(limit: usize, what: &str) -> String {
    format!("results truncated due to limit: there are more than {limit} {what}")
}

/// `,"name":["…"]` unless there are none.
pub fn write_list<'a>(text: &mut Vec<u8>, name: &str, items: impl Iterator<Item = &'a str>) {
    for (place, item) in items.enumerate() {
        if place == 0 {
            text.push(b',');
            write_text(text, name);
            text.extend_from_slice(b":[");
        } else {
            // The list is open still.
            text.pop();
            text.push(b',');
        }
        write_text(text, item);
        text.push(b']');
    }
}

/// Labels as an object, the metric's name among them.
pub fn write_labels(text: &mut Vec<u8>, labels: &Labels) {
    text.push(b'{');
    for (place, (name, value)) in labels.iter().enumerate() {
        if place > 0 {
            text.push(b',');
        }
        write_text(text, name);
        text.push(b':');
        write_text(text, value);
    }
    text.push(b'}');
}

fn write_one(text: &mut Vec<u8>, points: &[Sample]) {
    text.extend_from_slice(b",\"value\":");
    if let Some(sample) = points.first() {
        write_sample(text, *sample);
    }
}

fn write_all(text: &mut Vec<u8>, points: &[Sample]) {
    text.extend_from_slice(b",\"values\":[");
    for (place, sample) in points.iter().enumerate() {
        if place > 0 {
            text.push(b',');
        }
        write_sample(text, *sample);
    }
    text.push(b']');
}

/// `[1435781430.781,"1"]`
pub fn write_sample(text: &mut Vec<u8>, sample: Sample) {
    text.push(b'[');
    write_time(text, sample.time_ms);
    text.extend_from_slice(b",\"");
    write_value(text, sample.value);
    text.extend_from_slice(b"\"]");
}

/// The same without an exponent, as Prometheus has it.
fn write_scalar(text: &mut Vec<u8>, sample: Sample) {
    text.push(b'[');
    write_time(text, sample.time_ms);
    // Writing to a Vec cannot fail.
    let _ = write!(text, ",\"{}\"]", Number::plain(sample.value));
}

/// I-WRITE-2
pub fn write_time(text: &mut Vec<u8>, time_ms: i64) {
    let sign = if time_ms < 0 { "-" } else { "" };
    let (seconds, ms) = (
        time_ms.unsigned_abs() / 1_000,
        time_ms.unsigned_abs() % 1_000,
    );
    // Writing to a Vec cannot fail.
    let _ = match ms {
        0 => write!(text, "{sign}{seconds}"),
        _ => write!(text, "{sign}{seconds}.{ms:03}"),
    };
}

/// I-WRITE-1, without quotes.
pub fn write_value(text: &mut Vec<u8>, value: f64) {
    const PLAIN: std::ops::Range<f64> = 1e-6..1e21;
    let size = value.abs();
    let _ = if let Some(whole) = number::whole(value) {
        write!(text, "{whole}")
    } else if value.is_nan() {
        write!(text, "NaN")
    } else if value.is_infinite() {
        write!(text, "{}Inf", if value > 0.0 { '+' } else { '-' })
    } else if value == 0.0 || PLAIN.contains(&size) {
        write!(text, "{value}")
    } else {
        // Two digits of exponent at least, and its sign.
        let shown = format!("{value:e}");
        let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        write!(text, "{digits}e{exponent:+03}")
    };
}

#[cfg(test)]
mod tests;
