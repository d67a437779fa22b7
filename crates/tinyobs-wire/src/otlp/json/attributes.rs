//! Attributes: keys with values of any type, level by level.

use std::borrow::Cow;

use serde::Deserialize;
use tinyobs_model::Refusal;

use super::message::{AnyValue, Each, KeyValue, Object, Raw, Values};
use super::scalar::{Wrong, double, int};
use super::{broken, each, object};
use crate::json::Text;
use crate::otlp::BodyError;
use crate::otlp::any::{Any, AnyError, Levels, text};
use crate::otlp::point::Attributes;

/// Reads a list of them; `under` is what it stands in.
pub fn read_attributes<'a>(
    under: &str,
    list: Raw<'a>,
    attributes: &mut Attributes<'a>,
) -> Result<(), Wrong> {
    let Some(list) = list else {
        return Ok(());
    };
    let mut place = 0;
    let read = Each::of(list.get(), |Object(pair): Object<KeyValue<'a>>| {
        let field = || format!("{under}attributes[{place}].value");
        let wrong = |reason: &str| Wrong::malformed(&field(), reason);
        let any: AnyValue<'a> = object(pair.value).map_err(|reason| wrong(&reason))?;
        let value = match any.string_value {
            Some(text) => Ok(text.0),
            None => any
                .level()
                .map_err(AnyError::Body)
                .and_then(|level| text(level, &Json))
                .map(|text| Cow::Owned(text.into_owned())),
        };
        match value {
            Ok(value) => {
                let key = pair.key.map_or(Cow::Borrowed(""), |Text(key)| key);
                attributes.push(key, value);
            }
            Err(AnyError::Broken((rule, message))) => attributes.break_as(rule, message),
            Err(AnyError::Body(BodyError::Json { reason })) => return Err(wrong(&reason)),
            Err(AnyError::Body(error)) => return Err(wrong(&error.to_string())),
        }
        place += 1;
        Ok(())
    });
    let field = format!("{under}attributes");
    read.map_err(|reason| Wrong::malformed(&field, &reason))?
}

/// Levels of JSON text.
struct Json;

/// An object whose text is known to be one value.
fn object_in<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, BodyError> {
    serde_json::from_slice(text)
        .map(|Object(read)| read)
        .map_err(|error| broken(&crate::json::reason(&error)))
}

impl Levels for Json {
    fn list(
        &self,
        list: &[u8],
        one: &mut dyn FnMut(Any<'_>) -> Result<(), AnyError>,
    ) -> Result<(), AnyError> {
        let values: Values<'_> = object_in(list)?;
        let mut failed = None;
        each(values.values, |Object(any): Object<AnyValue<'_>>| {
            if failed.is_none() {
                failed = any
                    .level()
                    .map_err(AnyError::Body)
                    .and_then(&mut *one)
                    .err();
            }
            Ok(())
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn map(
        &self,
        map: &[u8],
        one: &mut dyn FnMut(&str, Any<'_>) -> Result<(), AnyError>,
    ) -> Result<(), AnyError> {
        let values: Values<'_> = object_in(map)?;
        let mut failed = None;
        each(values.values, |Object(pair): Object<KeyValue<'_>>| {
            if failed.is_none() {
                let any: AnyValue<'_> = object(pair.value).map_err(|reason| broken(&reason))?;
                let key = pair.key.map_or(Cow::Borrowed(""), |Text(key)| key);
                let level = any.level().map_err(AnyError::Body);
                failed = level.and_then(|level| one(&key, level)).err();
            }
            Ok(())
        })?;
        failed.map_or(Ok(()), Err)
    }
}

impl AnyValue<'_> {
    /// One level of it.
    fn level(&self) -> Result<Any<'_>, BodyError> {
        Ok(if let Some(text) = &self.string_value {
            Any::Text(&text.0)
        } else if let Some(yes) = self.bool_value {
            Any::Bool(yes)
        } else if let Some(raw) = self.int_value {
            Any::Int(int("intValue", raw).map_err(|wrong| broken(&wrong.what))?)
        } else if let Some(raw) = self.double_value {
            let read = double("doubleValue", Refusal::ValueNotANumber, raw);
            Any::Double(read.map_err(|wrong| broken(&wrong.what))?)
        } else if let Some(raw) = self.array_value {
            Any::List(raw.get().as_bytes())
        } else if let Some(raw) = self.kvlist_value {
            Any::Map(raw.get().as_bytes())
        } else if let Some(text) = &self.bytes_value {
            // It is base64 already.
            Any::Text(&text.0)
        } else {
            Any::Nothing
        })
    }
}
