//! Form: the parameters of a request to the API, from its address and, when it is a POST, its body.
//!
//! I-FORM-1  What the body says comes before what the address says; of one name the first counts.
//! I-FORM-2  A form is small and has few parameters, both checked before it is taken apart; packed it is
//!           small before and after.
//! I-FORM-3  An empty value is as good as none: that is how clients write what they do not set.
//! Proved by: api/form/tests.rs, tests/it/api.rs.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use tinyobs_model::limits;
use tinyobs_wire::decompress::decompress;
use tokio::time::timeout;

use super::failure::{Failure, Kind};
use crate::body;
use crate::params::decode;
use crate::state::App;

/// The decoded pairs.
#[derive(Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the whole request.
    pub async fn read(app: &App, request: Request) -> Result<Self, Failure> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        if request.method() != Method::POST {
            return Self::parse(&[&query]);
        }
        let body = read_body(app, request).await?;
        Self::parse(&[&body, &query])
    }

    /// From `a=1&b=2`, in the order in which they count (I-FORM-1).
    pub fn parse(texts: &[&str]) -> Result<Self, Failure> {
        let bad = |message: String| Failure::new(Kind::BadData, message);
        let pairs = texts.iter().flat_map(|text| text.split('&'));
        let pairs = pairs.filter(|pair| !pair.is_empty());
        if pairs.clone().count() > limits::FORM_PARAMETERS {
            let most = limits::FORM_PARAMETERS;
            return Err(bad(format!("the request has more than {most} parameters")));
        }
        let mut form = Self::default();
        for pair in pairs {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let whole = decode(name).zip(decode(value));
            let (name, value) = whole.ok_or_else(|| {
                let shown: String = name.chars().take(64).collect();
                bad(format!(
                    "invalid parameter {shown:?}: it is not UTF-8 in percent encoding"
                ))
            })?;
            form.0.push((name, value));
        }
        Ok(form)
    }

    /// Of pairs that are decoded already.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        let own = pairs
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()));
        Self(own.collect())
    }

    /// The value of `name` (I-FORM-3).
    pub fn text(&self, name: &str) -> Option<&str> {
        let first = self.0.iter().find(|(known, _)| known == name);
        first
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The value of `name`, which must be there.
    pub fn required(&self, name: &str) -> Result<&str, Failure> {
        self.text(name)
            .ok_or_else(|| Failure::parameter(name, "it is missing"))
    }

    /// Every value of `name`.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let all = self.0.iter().filter(move |(known, _)| known == name);
        all.map(|(_, value)| value.as_str())
    }

    /// How many are wanted at most; none or 0 is all.
    pub fn limit(&self, name: &str) -> Result<usize, Failure> {
        match self.text(name) {
            None => Ok(usize::MAX),
            Some(text) => match text.parse::<usize>() {
                Ok(0) => Ok(usize::MAX),
                Ok(limit) => Ok(limit),
                Err(_) => Err(Failure::parameter(
                    name,
                    format!("{:?} is not a number from 0 on; 0 is all", cut(text)),
                )),
            },
        }
    }
}

/// `text`, if it is long.
pub fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

async fn read_body(app: &App, request: Request) -> Result<String, Failure> {
    let (head, body) = request.into_parts();
    let encoding = body::encoding(&head.headers, body::HELD_AS)?;
    let declared = head.headers.get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse().ok());
    // I-FORM-2, and a share of what all bodies may take.
    let bytes = declared.map_or(limits::FORM_BYTES, |bytes: usize| {
        bytes.min(limits::FORM_BYTES)
    });
    let _share = body::take(&app.body_bytes, bytes).await?;
    let read = axum::body::to_bytes(body, limits::FORM_BYTES);
    let bytes = match timeout(Duration::from_secs(limits::IDLE_SECONDS), read).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            let most = limits::FORM_BYTES;
            let message = format!("the form has more than {most} bytes, or broke off");
            return Err(Failure::new(Kind::BadData, message));
        }
        Err(_) => {
            let seconds = limits::IDLE_SECONDS;
            let message = format!("the form did not end within {seconds} seconds");
            return Err(Failure::new(Kind::BadData, message));
        }
    };
    if bytes.is_empty() {
        return Ok(String::new());
    }
    if !is_form(&head.headers) {
        let message = "send parameters as `content-type: application/x-www-form-urlencoded`, or in \
                       the address";
        return Err(Failure::new(Kind::BadData, message));
    }
    let unfolded = encoding.unfolded_bytes_max(bytes.len(), limits::FORM_BYTES);
    let _unfolded = body::take(&app.body_bytes, unfolded).await?;
    let unpacked = decompress(encoding, &bytes, limits::FORM_BYTES)
        .map_err(|error| Failure::new(Kind::BadData, error.to_string()))?;
    String::from_utf8(unpacked.into_owned())
        .map_err(|_| Failure::new(Kind::BadData, "the form is not UTF-8"))
}

fn is_form(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let value = value.to_str().unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests;
