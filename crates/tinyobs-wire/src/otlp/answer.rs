//! Answer: what a client is told, in the encoding in which it asked.
//!
//!   (rejected, message) ─▶ [export] ─▶ `Export…ServiceResponse`
//!   (code, message) ─▶ [status] ─▶ `google.rpc.Status`
//!
//! Proved by: answer/tests.rs.

use super::Format;
use crate::encode::write_text;

/// What was pushed: the responses differ in one word of their JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Data points.
    Metrics,
    /// Log records.
    Logs,
}

/// The response to a request that was taken: empty when all was stored, otherwise with how much was
/// rejected and why. With nothing rejected a message is a hint.
pub fn export(format: Format, signal: Signal, rejected: u64, message: &str) -> Vec<u8> {
    let is_full = rejected == 0 && message.is_empty();
    match format {
        Format::Protobuf if is_full => Vec::new(),
        Format::Protobuf => {
            let mut partial = Vec::new();
            put_number(&mut partial, 1, rejected);
            put_bytes(&mut partial, 2, message.as_bytes());
            let mut out = Vec::new();
            put_bytes(&mut out, 1, &partial);
            out
        }
        Format::Json if is_full => b"{}".to_vec(),
        Format::Json => {
            let what = match signal {
                Signal::Metrics => "rejectedDataPoints",
                Signal::Logs => "rejectedLogRecords",
            };
            // 64-bit numbers are strings in OTLP's JSON.
            let mut out =
                format!("{{\"partialSuccess\":{{\"{what}\":\"{rejected}\",\"errorMessage\":")
                    .into_bytes();
            write_text(&mut out, message);
            out.extend_from_slice(b"}}");
            out
        }
    }
}

/// Why a request was not taken.
pub fn status(format: Format, code: u32, message: &str) -> Vec<u8> {
    match format {
        Format::Protobuf => {
            let mut out = Vec::new();
            put_number(&mut out, 1, code.into());
            put_bytes(&mut out, 2, message.as_bytes());
            out
        }
        Format::Json => {
            let mut out = format!("{{\"code\":{code},\"message\":").into_bytes();
            write_text(&mut out, message);
            out.push(b'}');
            out
        }
    }
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_number(out: &mut Vec<u8>, field: u64, number: u64) {
    if number > 0 {
        put_varint(out, field << 3);
        put_varint(out, number);
    }
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_varint(out, field << 3 | 2);
        put_varint(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests;
