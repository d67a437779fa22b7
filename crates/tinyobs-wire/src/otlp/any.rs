//! Any: an attribute's value of any type as the text of a label.
//!
//!   AnyValue ─▶ [text] ─▶ `Attributes` ─▶ label
//!
//! Text is itself, numbers and booleans are written out, bytes are base64, lists and maps are JSON.
//!
//! I-OTLP-ANY-1  Nothing recurses deeper than `limits::OTLP_NESTING`.
//! I-OTLP-ANY-2  A text grows no further once it is longer than any label may be.
//! Proved by: any/tests.rs, fuzz target `otlp`.

use std::borrow::Cow;

use tinyobs_model::{Refusal, limits};

use super::point::Broken;
use super::{BodyError, text_of};
use crate::encode::{write_f64, write_text};
use crate::proto::{Fields, Value};

/// Why a value has no text.
#[derive(Debug)]
pub enum AnyError {
    /// The message cannot be read, and with it the whole body.
    Body(BodyError),
    /// It breaks a rule.
    Broken(Broken),
}

impl<E: Into<BodyError>> From<E> for AnyError {
    fn from(error: E) -> Self {
        Self::Body(error.into())
    }
}

/// A value as any encoding has it: one level of it.
#[derive(Debug, Clone, Copy)]
pub enum Any<'a> {
    Nothing,
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(&'a [u8]),
    /// The message or text of a list.
    List(&'a [u8]),
    /// The message or text of a map.
    Map(&'a [u8]),
}

/// How the levels below are found.
pub trait Levels {
    /// Calls `each` with every element of a list's message.
    fn list(
        &self,
        list: &[u8],
        each: &mut dyn FnMut(Any<'_>) -> Result<(), AnyError>,
    ) -> Result<(), AnyError>;
    /// Calls `each` with every key and value of a map's message.
    fn map(
        &self,
        map: &[u8],
        each: &mut dyn FnMut(&str, Any<'_>) -> Result<(), AnyError>,
    ) -> Result<(), AnyError>;
}

/// The text of a value.
pub fn text<'a>(any: Any<'a>, levels: &impl Levels) -> Result<Cow<'a, str>, AnyError> {
    Ok(match any {
        Any::Nothing => Cow::Borrowed(""),
        Any::Text(text) => Cow::Borrowed(text),
        Any::Bool(yes) => Cow::Borrowed(if yes { "true" } else { "false" }),
        Any::Int(number) => Cow::Owned(number.to_string()),
        Any::Double(number) => Cow::Owned(number.to_string()),
        Any::Bytes(bytes) => Cow::Owned(base64(bytes)),
        Any::List(_) | Any::Map(_) => {
            let mut out = Vec::new();
            write(any, levels, 0, &mut out)?;
            Cow::Owned(String::from_utf8_lossy(&out).into_owned())
        }
    })
}

/// The value as JSON.
fn write(
    any: Any<'_>,
    levels: &impl Levels,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), AnyError> {
    // I-OTLP-ANY-2: whoever makes a label of it will refuse it.
    if out.len() > limits::LABEL_VALUE_BYTES {
        return Ok(());
    }
    match any {
        Any::Nothing => out.extend_from_slice(b"null"),
        Any::Text(text) => write_cut(out, text),
        Any::Bool(yes) => out.extend_from_slice(if yes { b"true" } else { b"false" }),
        Any::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Any::Double(number) if number.is_finite() => write_f64(out, number),
        Any::Double(number) => write_text(out, &number.to_string()),
        Any::Bytes(bytes) => write_text(out, &base64(bytes)),
        Any::List(_) | Any::Map(_) if depth >= limits::OTLP_NESTING => {
            let message = format!(
                "an attribute is nested in more than {} levels",
                limits::OTLP_NESTING
            );
            return Err(AnyError::Broken((Refusal::Malformed, message)));
        }
        Any::List(list) => {
            out.push(b'[');
            let mut comma = false;
            levels.list(list, &mut |one| {
                if std::mem::replace(&mut comma, true) {
                    out.push(b',');
                }
                write(one, levels, depth + 1, out)
            })?;
            out.push(b']');
        }
        Any::Map(map) => {
            out.push(b'{');
            let mut comma = false;
            levels.map(map, &mut |key, one| {
                if std::mem::replace(&mut comma, true) {
                    out.push(b',');
                }
                write_cut(out, key);
                out.push(b':');
                write(one, levels, depth + 1, out)
            })?;
            out.push(b'}');
        }
    }
    Ok(())
}

/// I-OTLP-ANY-2: the rest of a text that is too long already is not written.
fn write_cut(out: &mut Vec<u8>, text: &str) {
    write_text(
        out,
        &text[..text.floor_char_boundary(limits::LABEL_VALUE_BYTES + 4)],
    );
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    // Longer than a label is long enough (I-OTLP-ANY-2).
    let bytes = &bytes[..bytes.len().min(limits::LABEL_VALUE_BYTES)];
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let group = three
            .iter()
            .chain([&0, &0])
            .take(3)
            .fold(0, |group, byte| group << 8 | u32::from(*byte));
        for place in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= three.len() {
                digit.into()
            } else {
                '='
            });
        }
    }
    out
}

/// Levels of protobuf messages.
pub struct Proto;

impl Proto {
    /// One level of an `AnyValue`.
    pub fn any(message: &[u8]) -> Result<Any<'_>, BodyError> {
        let mut any = Any::Nothing;
        let mut fields = Fields::new(message);
        while let Some((number, value)) = fields.next_field()? {
            any = match (number, value) {
                (1, Value::Bytes(bytes)) => Any::Text(text_of(bytes)?),
                (2, Value::Varint(number)) => Any::Bool(number != 0),
                (3, Value::Varint(_)) => Any::Int(value.signed()),
                (4, Value::Fixed64(_)) => Any::Double(value.double()),
                (5, Value::Bytes(bytes)) => Any::List(bytes),
                (6, Value::Bytes(bytes)) => Any::Map(bytes),
                (7, Value::Bytes(bytes)) => Any::Bytes(bytes),
                _ => any,
            };
        }
        Ok(any)
    }

    /// Key and value of a `KeyValue`.
    pub fn pair(message: &[u8]) -> Result<(&str, Any<'_>), BodyError> {
        let (mut key, mut any) = ("", Any::Nothing);
        let mut fields = Fields::new(message);
        while let Some((number, value)) = fields.next_field()? {
            match (number, value) {
                (1, Value::Bytes(bytes)) => key = text_of(bytes)?,
                (2, Value::Bytes(bytes)) => any = Self::any(bytes)?,
                _ => {}
            }
        }
        Ok((key, any))
    }
}

impl Levels for Proto {
    fn list(
        &self,
        list: &[u8],
        each: &mut dyn FnMut(Any<'_>) -> Result<(), AnyError>,
    ) -> Result<(), AnyError> {
        let mut fields = Fields::new(list);
        while let Some((number, value)) = fields.next_field()? {
            if let (1, Value::Bytes(bytes)) = (number, value) {
                each(Self::any(bytes)?)?;
            }
        }
        Ok(())
    }

    fn map(
        &self,
        map: &[u8],
        each: &mut dyn FnMut(&str, Any<'_>) -> Result<(), AnyError>,
    ) -> Result<(), AnyError> {
        let mut fields = Fields::new(map);
        while let Some((number, value)) = fields.next_field()? {
            if let (1, Value::Bytes(bytes)) = (number, value) {
                let (key, any) = Self::pair(bytes)?;
                each(key, any)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
