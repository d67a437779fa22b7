//! The push body: what the SDK sends to `POST /v1/ingest`, written by hand.
//!
//!   tinyobs::snapshot ─▶ [PushBody] ─▶ HTTP ─▶ server ─▶ decode
//!
//! No serde here: the SDK lives in other people's programs and is asked to bring few crates. The
//! body is one growing `Vec<u8>` that is reused from push to push.
//!
//! I-ENCODE-1  Whatever text comes in, the bytes that come out are valid JSON in UTF-8, and a
//!             reader gets the same text back.
//! I-ENCODE-2  A finite `f64` reads back bit for bit, -0 among them.
//! I-ENCODE-3  An item that JSON cannot carry (NaN, ±Inf) leaves no byte behind.
//! Proved by: encode/tests.rs, with `serde_json` as the reader.

use std::io::Write as _;

use crate::number::Short;

/// Who pushes: the same for every item of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// The service's name.
    pub service: &'a str,
    /// What tells this process from others of the same service.
    pub instance: &'a str,
    /// When the process started, in milliseconds since the epoch.
    pub start_ms: i64,
    /// How long it is between two pushes, in milliseconds.
    pub interval_ms: u64,
    /// Whether this is the last push of the process.
    pub is_final: bool,
}

/// One series at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item<'a> {
    /// The metric's name.
    pub name: &'a str,
    /// When the value was read, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// When the series began at 0; none for what can go down.
    pub start_ms: Option<i64>,
    /// The metric's unit; left out when empty.
    pub unit: &'a str,
    /// What the metric means; left out when empty.
    pub help: &'a str,
    /// The value itself.
    pub value: Value<'a>,
}

/// The value of an [`Item`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// What only grows.
    Counter(f64),
    /// What goes up and down.
    Gauge(f64),
    /// How many observations were at most as large as each bound.
    Histogram {
        /// Upper bounds, ascending, without `+Inf`.
        bounds: &'a [f64],
        /// One count more than bounds: cumulative, the last one is the count of all.
        cumulative: &'a [u64],
        /// Sum of the observations.
        sum: f64,
    },
}

/// The value is NaN or infinite, which JSON has no number for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFinite;

/// A push body under construction: `begin`, `push` as often as fits, `finish`.
#[derive(Debug, Default)]
pub struct PushBody {
    bytes: Vec<u8>,
    items: usize,
}

impl PushBody {
    /// An empty body.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts over, keeping the memory.
    pub fn begin(&mut self, source: Option<&Source<'_>>) {
        self.bytes.clear();
        self.items = 0;
        self.raw("{");
        if let Some(source) = source {
            self.source(source);
        }
        self.raw("\"metrics\":[");
    }

    /// Adds an item.
    ///
    /// # Errors
    /// [`NotFinite`] when a value or bound is NaN or infinite; the body is as before then.
    pub fn push<'l>(
        &mut self,
        item: &Item<'_>,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
    ) -> Result<(), NotFinite> {
        if !is_finite(&item.value) {
            return Err(NotFinite);
        }
        if self.items > 0 {
            self.raw(",");
        }
        self.items += 1;
        self.raw("{\"name\":");
        self.text(item.name);
        self.raw(",\"type\":");
        self.raw(kind(&item.value));
        self.labels(labels);
        self.raw(",\"timestamp\":");
        self.integer(item.timestamp_ms);
        if let Some(start_ms) = item.start_ms {
            self.raw(",\"start\":");
            self.integer(start_ms);
        }
        for (key, text) in [(",\"unit\":", item.unit), (",\"help\":", item.help)] {
            if !text.is_empty() {
                self.raw(key);
                self.text(text);
            }
        }
        self.value(&item.value);
        self.raw("}");
        Ok(())
    }

    /// Closes the body and shows it.
    pub fn finish(&mut self) -> &[u8] {
        self.raw("]}");
        &self.bytes
    }

    /// Items so far.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was begun.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn source(&mut self, source: &Source<'_>) {
        self.raw("\"source\":{\"service\":");
        self.text(source.service);
        self.raw(",\"instance\":");
        self.text(source.instance);
        self.raw(",\"start\":");
        self.integer(source.start_ms);
        self.raw(",\"interval_ms\":");
        self.integer(source.interval_ms);
        self.raw(",\"final\":");
        self.raw(if source.is_final { "true" } else { "false" });
        self.raw("},");
    }

    fn labels<'l>(&mut self, labels: impl IntoIterator<Item = (&'l str, &'l str)>) {
        let mut open = ",\"labels\":{";
        for (name, value) in labels {
            self.raw(open);
            self.text(name);
            self.raw(":");
            self.text(value);
            open = ",";
        }
        if open == "," {
            self.raw("}");
        }
    }

    fn value(&mut self, value: &Value<'_>) {
        match *value {
            Value::Counter(value) | Value::Gauge(value) => {
                self.raw(",\"value\":");
                write_f64(&mut self.bytes, value);
            }
            Value::Histogram {
                bounds,
                cumulative,
                sum,
            } => {
                self.raw(",\"buckets\":[");
                for (i, (bound, count)) in bounds.iter().zip(cumulative).enumerate() {
                    self.raw(if i == 0 { "[" } else { ",[" });
                    write_f64(&mut self.bytes, *bound);
                    self.raw(",");
                    self.integer(*count);
                    self.raw("]");
                }
                self.raw("],\"sum\":");
                write_f64(&mut self.bytes, sum);
                self.raw(",\"count\":");
                self.integer(cumulative.last().copied().unwrap_or(0));
            }
        }
    }

    fn raw(&mut self, json: &str) {
        self.bytes.extend_from_slice(json.as_bytes());
    }

    fn text(&mut self, text: &str) {
        write_text(&mut self.bytes, text);
    }

    fn integer(&mut self, value: impl std::fmt::Display) {
        // Writing to a Vec cannot fail.
        let _ = write!(self.bytes, "{value}");
    }
}

/// Appends `text` as a JSON string, quotes included.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text.as_bytes();
    // Everything but the quote, the backslash and control characters stands for itself in JSON,
    // so whole stretches are copied at once; bytes above 0x7f are parts of characters.
    while let Some(at) = rest
        .iter()
        .position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'))
    {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        match special[0] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 15)]);
            }
        }
        rest = &special[1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends a finite number so that it reads back bit for bit; `null` for any other.
pub fn write_f64(out: &mut Vec<u8>, value: f64) {
    // Writing to a Vec cannot fail.
    let _ = if value.is_finite() {
        write!(out, "{}", Short(value))
    } else {
        write!(out, "null")
    };
}

fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Counter(_) => "\"counter\"",
        Value::Gauge(_) => "\"gauge\"",
        Value::Histogram { .. } => "\"histogram\"",
    }
}

fn is_finite(value: &Value<'_>) -> bool {
    match value {
        Value::Counter(value) | Value::Gauge(value) => value.is_finite(),
        Value::Histogram { bounds, sum, .. } => {
            sum.is_finite() && bounds.iter().all(|bound| bound.is_finite())
        }
    }
}

#[cfg(test)]
mod tests;
