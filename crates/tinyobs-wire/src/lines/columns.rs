//! Columns: JSON lists of numbers, element by element.
//!
//! The lists are JSON already when they come here: a reader of JSON has passed over them. Their
//! elements are numbers, `null` and short words, none of which holds a comma or an escape.

use serde_json::value::RawValue;
use tinyobs_model::limits;

use crate::number;

/// A list that cannot be read: what is wrong with it.
pub type Wrong = String;

/// The elements of a list; an error when it is none.
pub fn elements<'a>(key: &str, raw: &'a RawValue) -> Result<impl Iterator<Item = &'a str>, Wrong> {
    let inner = raw
        .get()
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let inner = inner.ok_or_else(|| format!("{key:?} is not a list"))?;
    let empty = inner.trim().is_empty();
    Ok(inner.split(',').map(str::trim).filter(move |_| !empty))
}

/// A column of whole numbers.
pub fn integers<T: std::str::FromStr>(key: &str, raw: &RawValue) -> Result<Vec<T>, Wrong> {
    elements(key, raw)?
        .map(|text| {
            text.parse()
                .map_err(|_| wrong(key, text, "is not a whole number that fits"))
        })
        .collect()
}

/// A column whose bad elements are left out of account.
#[derive(Debug, Default)]
pub struct Column<T> {
    /// All elements; a bad one is 0.
    pub all: Vec<T>,
    /// Places of the bad ones, ascending.
    pub bad: Vec<u32>,
    /// What is wrong with the first of them.
    pub first_wrong: Option<Wrong>,
}

impl<T: Default> Column<T> {
    /// More bad elements are no list of samples.
    const BAD_MAX: usize = limits::LINE_SAMPLES_MAX;

    fn read(
        key: &str,
        raw: &RawValue,
        what: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Self, Wrong> {
        let mut column = Self::default();
        for text in elements(key, raw)? {
            let one = parse(text);
            if one.is_none() {
                let is_first = column.bad.is_empty();
                if is_first || column.bad.len() == Self::BAD_MAX {
                    let wrong = wrong(key, text, what);
                    if !is_first {
                        return Err(wrong);
                    }
                    column.first_wrong = Some(wrong);
                }
                column.bad.push(column.all.len() as u32);
            }
            column.all.push(one.unwrap_or_default());
        }
        Ok(column)
    }
}

/// A column of times.
pub fn sample_times(key: &str, raw: &RawValue) -> Result<Column<i64>, Wrong> {
    Column::read(key, raw, "is not a whole number that fits", |text| {
        text.parse().ok()
    })
}

/// A column of values of samples.
pub fn sample_values(key: &str, raw: &RawValue) -> Result<Column<f64>, Wrong> {
    Column::read(key, raw, "is not a value", value)
}

/// A column of values, with what VictoriaMetrics and we write where JSON has no number.
pub fn values(key: &str, raw: &RawValue) -> Result<Vec<f64>, Wrong> {
    elements(key, raw)?
        .map(|text| value(text).ok_or_else(|| wrong(key, text, "is not a value")))
        .collect()
}

fn value(text: &str) -> Option<f64> {
    let Some(word) = text.strip_prefix('"') else {
        if text == "null" {
            return Some(f64::NAN);
        }
        // Other JSON values begin otherwise, and Rust would take `nan` too; 1e999 is too large.
        let begins = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        return begins
            .then(|| text.parse::<f64>().ok())?
            .filter(|value| value.is_finite());
    };
    let word = word.strip_suffix('"')?;
    if let Some(bits) = word.strip_prefix("0x") {
        return nan(bits);
    }
    match word {
        "null" | "Null" => Some(f64::NAN),
        // A number in quotes is none.
        _ => number::read(word).filter(|value| !value.is_finite()),
    }
}

/// Puts the bits of `nans` into the NaNs of `values`.
pub fn restore_nans(values: &mut [f64], raw: &RawValue) -> Result<(), Wrong> {
    let mut bits = elements("nans", raw)?;
    for value in values.iter_mut().filter(|value| value.is_nan()) {
        let text = bits.next().unwrap_or_default();
        let word = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        *value = word
            .and_then(nan)
            .ok_or_else(|| wrong("nans", text, "is not the 16 digits of a NaN"))?;
    }
    match bits.next() {
        None => Ok(()),
        Some(_) => Err("\"nans\" has more elements than there are NaNs".to_owned()),
    }
}

fn nan(digits: &str) -> Option<f64> {
    let is_hex = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bits = is_hex.then(|| u64::from_str_radix(digits, 16).ok())??;
    Some(f64::from_bits(bits)).filter(|value| value.is_nan())
}

fn wrong(key: &str, text: &str, what: &str) -> Wrong {
    const SHOWN: usize = 32;
    let shown: String = text.chars().take(SHOWN).collect();
    format!("{shown:?} in {key:?} {what}")
}
