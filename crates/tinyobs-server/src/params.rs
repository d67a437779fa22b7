//! Params: the query string of a request, read strictly.
//!
//! I-PARAM-1  What is not known, given twice or malformed is a 400 that names the parameter; a
//!            default is only for what is absent.
//! I-PARAM-2  All conditions of a request are counted before the first is compiled.
//! Proved by: params/tests.rs.

use tinyobs_model::{METRIC_NAME, Matcher, TimeRange, limits};
use tinyobs_wire::selector::{self, Condition};
use tinyobs_wire::time;

use crate::error::ApiError;
use crate::gate::Cancel;

/// The only parameter that may come more than once.
const MATCH: &str = "match[]";

/// The decoded pairs of a query string.
#[derive(Debug, Default)]
pub struct Params {
    pairs: Vec<(String, String)>,
}

/// The series that a request asks for: those that satisfy all matchers of any one list.
pub type Selection = Vec<Vec<Matcher>>;

impl Params {
    /// Decodes `query`, whose names must all be among `known`.
    pub fn parse(query: Option<&str>, known: &[&str]) -> Result<Self, ApiError> {
        Self::read(query, known, false)
    }

    /// The same for other protocols' clients, which write what they do not set as empty.
    pub fn parse_lenient(query: Option<&str>, known: &[&str]) -> Result<Self, ApiError> {
        Self::read(query, known, true)
    }

    fn read(query: Option<&str>, known: &[&str], empty_is_absent: bool) -> Result<Self, ApiError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in query.unwrap_or_default().split('&') {
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(|| malformed(name, "a name is not UTF-8"))?;
            let value = decode(value).ok_or_else(|| malformed(&name, "its value is not UTF-8"))?;
            if !known.contains(&&*name) {
                let known = if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                };
                let message = format!("unknown parameter {:?}; known: {known}", cut(&name));
                return Err(ApiError::bad_request(message));
            }
            if name != MATCH && pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(malformed(&name, "it is given twice"));
            }
            if value.is_empty() {
                if empty_is_absent {
                    continue;
                }
                return Err(malformed(&name, "it is empty"));
            }
            pairs.push((name, value));
        }
        Ok(Self { pairs })
    }

    /// The value of `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The value of `name` as milliseconds since the epoch.
    pub fn time(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.text(name)
            .map(|text| {
                time::parse_param(text).map_err(|error| malformed(name, &error.to_string()))
            })
            .transpose()
    }

    /// The value of `name` as a number from 1 to `most`.
    pub fn count(&self, name: &str, default: usize, most: usize) -> Result<usize, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        match text.parse::<usize>() {
            Ok(count) if (1..=most).contains(&count) => Ok(count),
            Ok(_) => Err(malformed(name, &format!("it must be between 1 and {most}"))),
            Err(_) => {
                let message = format!("{:?} is not an integer between 1 and {most}", cut(text));
                Err(malformed(name, &message))
            }
        }
    }

    /// The value of `name` as `true` or `false`.
    pub fn switch(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        match self.text(name) {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(text) => {
                let message = format!("{:?} is neither true nor false", cut(text));
                Err(malformed(name, &message))
            }
        }
    }

    /// `start` and `end`, which default to the hour before `now_ms`.
    pub fn range(&self, now_ms: i64) -> Result<TimeRange, ApiError> {
        const HOUR_MS: i64 = 3_600_000;
        let end_ms = self.time("end")?.unwrap_or(now_ms);
        let start_ms = self
            .time("start")?
            .unwrap_or(end_ms.saturating_sub(HOUR_MS));
        if end_ms < start_ms {
            return Err(ApiError::bad_request("end must not lie before start"));
        }
        Ok(TimeRange::new(start_ms, end_ms))
    }

    /// `start` and `end`, all of time where they are not given.
    pub fn range_or_all(&self) -> Result<TimeRange, ApiError> {
        let start_ms = self.time("start")?.unwrap_or(TimeRange::ALL.start_ms);
        let end_ms = self.time("end")?.unwrap_or(TimeRange::ALL.end_ms);
        if end_ms < start_ms {
            return Err(ApiError::bad_request("end must not lie before start"));
        }
        Ok(TimeRange::new(start_ms, end_ms))
    }

    /// `metric` and `match[]`; everything when neither is given. Takes a while when there are
    /// regular expressions, so it belongs behind a gate.
    pub fn selection(&self, cancel: &Cancel) -> Result<Selection, ApiError> {
        let metric = self.metric()?;
        let mut selection = Selection::new();
        for (text, conditions) in self.conditions()? {
            let mut matchers = Vec::with_capacity(conditions.len() + 1);
            for condition in conditions {
                cancel.check()?;
                let matcher = condition.compile(text);
                matchers.push(matcher.map_err(|error| malformed(MATCH, &error.to_string()))?);
            }
            matchers.extend(metric.clone());
            selection.push(matchers);
        }
        if selection.is_empty() {
            selection.push(metric.into_iter().collect());
        }
        Ok(selection)
    }

    fn metric(&self) -> Result<Option<Matcher>, ApiError> {
        let metric = self.text("metric");
        if metric.is_some_and(|name| name.len() > limits::METRIC_NAME_BYTES) {
            let message = format!("it has more than {} bytes", limits::METRIC_NAME_BYTES);
            return Err(malformed("metric", &message));
        }
        Ok(metric.map(|name| Matcher::equal(METRIC_NAME, name)))
    }

    /// Each selector with its conditions, none of them compiled yet (I-PARAM-2).
    fn conditions(&self) -> Result<Vec<(&str, Vec<Condition>)>, ApiError> {
        let (mut matchers, mut regexes) = (0, 0);
        let mut read = Vec::new();
        for text in self.all(MATCH) {
            let conditions =
                selector::parse(text).map_err(|error| malformed(MATCH, &error.to_string()))?;
            matchers += conditions.len();
            regexes += conditions.iter().filter(|one| one.is_regex()).count();
            read.push((text, conditions));
            for (count, most, what) in [
                (read.len(), limits::SELECTORS, "selectors"),
                (matchers, limits::MATCHERS_PER_REQUEST, "matchers"),
                (regexes, limits::REGEXES_PER_REQUEST, "regular expressions"),
            ] {
                if count > most {
                    let message = format!("the request has more than {most} {what}");
                    return Err(malformed(MATCH, &message));
                }
            }
        }
        Ok(read)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs
            .iter()
            .filter(move |(seen, _)| seen == name)
            .map(|(_, value)| value.as_str())
    }
}

fn malformed(name: &str, reason: &str) -> ApiError {
    ApiError::bad_request(format!("parameter {:?}: {reason}", cut(name)))
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

/// `%41` and `+` as HTML forms write them; none when that is no UTF-8 or no escape.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, tail) = rest.split_first_chunk::<2>()?;
                let [high, low] = digits.map(|digit| (digit as char).to_digit(16));
                bytes.push((high? * 16 + low?) as u8);
                rest = tail;
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
