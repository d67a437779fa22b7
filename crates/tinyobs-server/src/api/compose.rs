//! Compose: the envelope around whatever is no answer of a query.
//!
//!   data ─▶ `{"status":"success","data":…}`

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::json;

/// A success with this in it; `warnings` are left out when there are none.
pub fn success(data: &impl Serialize, warnings: &[String]) -> Response {
    json::from_text(StatusCode::OK, text(data, warnings))
}

/// The same as text.
pub fn text(data: &impl Serialize, warnings: &[String]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Envelope<'a, T> {
        status: &'static str,
        data: &'a T,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        warnings: &'a [String],
    }
    let envelope = Envelope {
        status: "success",
        data,
        warnings,
    };
    let mut text = serde_json::to_vec(&envelope).expect("answers have string keys only");
    text.push(b'\n');
    text
}
