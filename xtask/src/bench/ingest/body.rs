//! Body: a request as a sender writes it, one sample after the other.
//!
//! Remote write 1.0 has one sample a series, as scrapers send them; JSON is what our SDK pushes.
//! Written by hand and by nobody's library of ours: what the benchmark sends must not change with
//! what it measures.
//!
//! Proved by: body/tests.rs, which reads it with the server's decoders.

use std::io::Write as _;

use anyhow::Result;
use clap::ValueEnum;

use super::mix::{Kind, Mix};

/// How samples travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Remote write 1.0, Snappy.
    RemoteWrite,
    /// `POST /v1/ingest`.
    Json,
}

impl Protocol {
    /// Where it is sent to.
    pub fn path(self) -> &'static str {
        match self {
            Self::RemoteWrite => "/api/v1/write",
            Self::Json => "/v1/ingest",
        }
    }

    /// What goes with it.
    pub fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::RemoteWrite => &[
                ("Content-Type", "application/x-protobuf"),
                ("Content-Encoding", "snappy"),
                ("X-Prometheus-Remote-Write-Version", "0.1.0"),
            ],
            Self::Json => &[("Content-Type", "application/json")],
        }
    }
}

/// What of a series is the same in each request: before the value, and after the time.
pub struct Fixed {
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// A request that is being written.
pub struct Body {
    protocol: Protocol,
    bytes: Vec<u8>,
    samples: u32,
}

impl Body {
    /// One without samples.
    pub fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            bytes: Vec::new(),
            samples: 0,
        }
    }

    /// Samples so far.
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// Adds a sample.
    pub fn push(&mut self, fixed: &Fixed, value: f64, time_ms: i64) -> Result<()> {
        let bytes = &mut self.bytes;
        match self.protocol {
            Protocol::RemoteWrite => {
                let mut sample = vec![1 << 3 | 1];
                sample.extend(value.to_le_bytes());
                sample.push(2 << 3);
                put_varint(&mut sample, time_ms as u64);
                // The length of a sample takes one byte.
                let series = fixed.head.len() + 2 + sample.len();
                put_varint(bytes, 1 << 3 | 2);
                put_varint(bytes, series as u64);
                bytes.extend(&fixed.head);
                put_field(bytes, 2, &sample);
            }
            Protocol::Json => {
                bytes.extend(if self.samples == 0 {
                    &b"{\"metrics\":["[..]
                } else {
                    b","
                });
                bytes.extend(&fixed.head);
                write!(bytes, "{value},\"timestamp\":{time_ms}")?;
                bytes.extend(&fixed.tail);
            }
        }
        self.samples += 1;
        Ok(())
    }

    /// The request, ready to be sent; the next one begins empty.
    pub fn finish(&mut self) -> Result<Vec<u8>> {
        let finished = match self.protocol {
            Protocol::RemoteWrite => snap::raw::Encoder::new().compress_vec(&self.bytes)?,
            Protocol::Json => [&self.bytes[..], b"]}"].concat(),
        };
        self.bytes.clear();
        self.samples = 0;
        Ok(finished)
    }
}

/// What of a series is the same in each request.
pub fn fixed(protocol: Protocol, mix: &Mix, series: u32) -> Result<Fixed> {
    let (name, kind, labels) = mix.describe(series);
    let labels = labels.iter().map(|(name, value)| (*name, value.as_str()));
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    match protocol {
        Protocol::RemoteWrite => {
            // Sorted: no label of the mix begins with what stands before `_`.
            for (name, value) in [("__name__", name)].into_iter().chain(labels) {
                let mut label = Vec::new();
                put_field(&mut label, 1, name.as_bytes());
                put_field(&mut label, 2, value.as_bytes());
                put_field(&mut head, 1, &label);
            }
        }
        Protocol::Json => {
            let kind = match kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
            };
            let labels: serde_json::Map<_, _> = labels
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            write!(head, "{{\"name\":\"{name}\",\"type\":\"{kind}\",\"value\":")?;
            write!(tail, ",\"labels\":{}}}", serde_json::to_string(&labels)?)?;
        }
    }
    Ok(Fixed { head, tail })
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 1 << 7 {
        out.push(number as u8 | 1 << 7);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A field with a length.
fn put_field(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend(bytes);
}

#[cfg(test)]
mod tests;
