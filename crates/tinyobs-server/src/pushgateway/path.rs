//! Path: a group's labels, as the Pushgateway's paths have them.
//!
//! `/metrics/job/<job>{/<label>/<value>}`; a name that ends with `@base64` says that its value is
//! in URL-safe base64, padded or not, where `=` alone is the empty value.
//!
//! I-PUSHPATH-1  Two spellings of the same labels are the same group.
//! Proved by: pushgateway/path/tests.rs.

use tinyobs_model::{Labels, limits};

use crate::error::ApiError;
use crate::groups::Key;

const JOB: &str = "job";
const BASE64: &str = "@base64";

/// The labels of the group that `path` names, by name.
pub fn read(path: &str) -> Result<Key, ApiError> {
    let bad = |message: &str| ApiError::bad_request(format!("{message} in {:?}", shown(path)));
    let rest = path.strip_prefix("/metrics/").unwrap_or_default();
    let mut parts = rest.split('/');
    let mut key = Key::new();
    while let Some(name) = parts.next() {
        if name.is_empty() && parts.clone().next().is_none() {
            // One slash at the end is as good as none.
            break;
        }
        let Some(value) = parts.next() else {
            return Err(bad("a label without a value"));
        };
        let name = percent(name).ok_or_else(|| bad("a name that is not UTF-8"))?;
        let value = percent(value).ok_or_else(|| bad("a value that is not UTF-8"))?;
        let (name, value) = match name.strip_suffix(BASE64) {
            None => (name, value),
            Some(bare) => {
                let bytes = base64(&value).and_then(|bytes| String::from_utf8(bytes).ok());
                let value = bytes.ok_or_else(|| bad("a value that is not base64 of UTF-8"))?;
                (bare.to_owned(), value)
            }
        };
        if name.is_empty() || name.starts_with("__") {
            return Err(bad("an improper label name"));
        }
        if key.len() > limits::LABELS_PER_SERIES {
            return Err(bad("too many labels"));
        }
        key.push((name, value));
    }
    if !key
        .iter()
        .any(|(name, value)| name == JOB && !value.is_empty())
    {
        return Err(bad("the job is missing"));
    }
    key.sort();
    let pairs = key
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    Labels::new("m", pairs).map_err(|(_, message)| {
        ApiError::bad_request(
            message
                .replace(" in metric \"m\"", "")
                .replace(" of metric \"m\"", ""),
        )
    })?;
    // An empty label is as good as none (I-PUSHPATH-1), once its name is known to be there once.
    key.retain(|(_, value)| !value.is_empty());
    Ok(key)
}

/// Undoes `%41`. A plus stays one: it is so in paths.
fn percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, tail) = rest.split_first_chunk::<2>()?;
        let [high, low] = digits.map(|digit| (digit as char).to_digit(16));
        bytes.push((high? * 16 + low?) as u8);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// RFC 4648, section 5, padding optional.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    // A last digit alone has six bits, which is no byte.
    if text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut held, mut bits) = (0u32, 0);
    for byte in text.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

fn shown(path: &str) -> String {
    path.chars().take(128).collect()
}

#[cfg(test)]
mod tests;
