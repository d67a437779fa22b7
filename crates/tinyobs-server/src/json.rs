//! JSON answers, and labels and numbers as they stand in them.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::ser::{Serialize, SerializeMap, Serializer};
use tinyobs_model::{Labels, Sample};
use tinyobs_wire::number;

/// An answer of `value`, ended by a line break so that it reads well in a terminal.
pub fn response(status: StatusCode, value: &impl Serialize) -> Response {
    let mut text = serde_json::to_vec(value).expect("answers have string keys only");
    text.push(b'\n');
    from_text(status, text)
}

/// An answer of text that is JSON already.
pub fn from_text(status: StatusCode, text: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Labels as an object, without the metric name.
pub struct LabelsObject<'a>(pub &'a Labels);

impl Serialize for LabelsObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter_without_name() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// One point of a line.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Point {
    /// Milliseconds since the epoch.
    pub t: i64,
    /// Finite: JSON has no other numbers.
    #[serde(serialize_with = "short_number")]
    pub v: f64,
}

impl Point {
    /// None for a value that JSON has no number for.
    pub fn from_sample(sample: &Sample) -> Option<Self> {
        let point = Self {
            t: sample.time_ms,
            v: sample.value,
        };
        point.v.is_finite().then_some(point)
    }
}

/// Whole numbers without `.0`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn short_number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match number::whole(*value) {
        Some(whole) => serializer.serialize_i64(whole),
        None => serializer.serialize_f64(*value),
    }
}
