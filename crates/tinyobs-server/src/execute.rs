//! Execute: `POST /v1/query/execute` and `/v1/query/instant`, the original's queries in its shape.
//!
//!   JSON or parameters ─▶ [Ask] ─▶ the engine of `api` ─▶ `{"status","data":{…},"query"}`
//!
//! What the original had and its clients read: `values` in an instant answer as well, and the query
//! beside the data. What it had wrong is not kept: values have all their digits, times their
//! milliseconds, series that a query adds up are one, and what is wrong with a query is a 4xx.
//!
//! I-EXECUTE-1  The answer is the one that `/api/v1/query_range` and `/api/v1/query` give.
//! Proved by: tests/it/execute.rs.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use tinyobs_model::limits;
use tinyobs_promql::{AnswerValue, SeriesPoints};
use tinyobs_wire::encode::write_text;
use tinyobs_wire::json::reason_at;
use tinyobs_wire::time;

use crate::api::ask::{Ask, length_ms};
use crate::api::form::Form;
use crate::api::query::run;
use crate::api::write::{Written, write_labels, write_list, write_sample};
use crate::body;
use crate::error::ApiError;
use crate::params::Params;
use crate::state::App;

const STEP_MS: i64 = 15_000;
const WINDOW_MS: i64 = 3_600_000;

#[derive(Deserialize)]
#[serde(expecting = "an object such as {\"query\":\"up\"}")]
struct Wish {
    query: Option<String>,
    start: Option<Value>,
    end: Option<Value>,
    step: Option<Value>,
}

/// `POST /v1/query/execute`
pub async fn execute(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    let (head, body) = request.into_parts();
    // As with everything that takes JSON: another site's page cannot send it without asking first.
    body::require_json(&head.headers)?;
    let text = read(body).await?;
    let wish: Wish = serde_json::from_slice(&text)
        .map_err(|error| ApiError::bad_request(format!("invalid JSON: {}", reason_at(&error))))?;
    let query = required(wish.query)?;
    let moment = |name: &str, value: Option<Value>, default_ms: i64| {
        text_of(name, value)?.map_or(Ok(default_ms), |text| moment_ms(name, &text))
    };
    let now_ms = app.now_ms();
    let end_ms = moment("end", wish.end, now_ms)?;
    let start_ms = moment("start", wish.start, end_ms.saturating_sub(WINDOW_MS))?;
    if start_ms >= end_ms {
        return Err(ApiError::bad_request("start must be before end"));
    }
    let step_ms = match text_of("step", wish.step)? {
        Some(step) => length_ms("step", &step)?,
        None => STEP_MS,
    };
    if step_ms <= 0 {
        return Err(ApiError::bad_request("step must be a millisecond at least"));
    }
    let mut ask = Ask::of_range(&Form::default(), start_ms, end_ms, step_ms)?;
    ask.text.clone_from(&query);
    answered(&app, ask, &query).await
}

/// `GET`, `POST /v1/query/instant`
pub async fn instant(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let has_body =
        request.method() == Method::POST && request.headers().contains_key(header::CONTENT_TYPE);
    let query = request.uri().query().unwrap_or_default().to_owned();
    let params = if has_body {
        let form = Form::read(&app, request).await?;
        let text = |name| form.text(name).map(str::to_owned);
        (text("query"), text("time"))
    } else {
        let params = Params::parse(Some(&query), &["query", "time"])?;
        let text = |name| params.text(name).map(str::to_owned);
        (text("query"), text("time"))
    };
    let query = required(params.0)?;
    let at_ms = match params.1 {
        Some(text) => moment_ms("time", &text)?,
        None => app.now_ms(),
    };
    let mut ask = Ask::instant(&Form::default(), at_ms)?;
    ask.text.clone_from(&query);
    answered(&app, ask, &query).await
}

/// A time, or a length of one, as a parameter would have it; an empty one is as good as none.
fn text_of(name: &str, value: Option<Value>) -> Result<Option<String>, ApiError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(ApiError::bad_request(format!(
            "{name} must be text or a number"
        ))),
    }
}

fn moment_ms(name: &str, text: &str) -> Result<i64, ApiError> {
    time::parse_param(text).map_err(|error| ApiError::bad_request(format!("{name}: {error}")))
}

fn required(query: Option<String>) -> Result<String, ApiError> {
    let query = query.filter(|query| !query.is_empty());
    query.ok_or_else(|| ApiError::bad_request("query parameter is required"))
}

async fn read(body: Body) -> Result<Vec<u8>, ApiError> {
    let bytes = axum::body::to_bytes(body, 2 * limits::QUERY_BYTES).await;
    let bytes = bytes.map_err(|_| {
        let most = 2 * limits::QUERY_BYTES;
        let message = format!("body has more than {most} bytes, or broke off");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    })?;
    Ok(bytes.to_vec())
}

async fn answered(app: &App, ask: Ask, query: &str) -> Result<Response, ApiError> {
    let is_instant = ask.step_ms == 0;
    let deadline = Instant::now() + ask.timeout;
    let written = run(app, ask, deadline).await?;
    let mut text = Vec::new();
    write(&mut text, &written, is_instant, query);
    Ok(app.answers.send_text(text, deadline).await?)
}

fn write(text: &mut Vec<u8>, written: &Written, is_instant: bool, query: &str) {
    let name: &[u8] = if is_instant { b"vector" } else { b"matrix" };
    text.extend_from_slice(b"{\"status\":\"success\",\"data\":{\"resultType\":\"");
    text.extend_from_slice(name);
    text.extend_from_slice(b"\",\"result\":[");
    match &written.answer.value {
        AnswerValue::Vector(series) | AnswerValue::Matrix(series) => {
            for (place, one) in series.iter().enumerate() {
                if place > 0 {
                    text.push(b',');
                }
                write_series(text, one);
            }
        }
        // A number is a series without labels, as the original had it.
        AnswerValue::Scalar(sample) => {
            text.extend_from_slice(b"{\"metric\":{},\"values\":[");
            write_sample(text, *sample);
            text.extend_from_slice(b"]}");
        }
        AnswerValue::String(value) => {
            text.extend_from_slice(b"{\"metric\":{},\"text\":");
            write_text(text, value);
            text.extend_from_slice(b",\"values\":[]}");
        }
    }
    text.extend_from_slice(b"]},\"query\":");
    write_text(text, query);
    let own = written.warnings.iter().copied();
    let notes = written.answer.warnings.iter().map(String::as_str);
    write_list(text, "warnings", own.chain(notes));
    write_list(
        text,
        "infos",
        written.answer.infos.iter().map(String::as_str),
    );
    text.extend_from_slice(b"}\n");
}

fn write_series(text: &mut Vec<u8>, series: &SeriesPoints) {
    text.extend_from_slice(b"{\"metric\":");
    write_labels(text, &series.labels);
    text.extend_from_slice(b",\"values\":[");
    for (place, &sample) in series.points.iter().enumerate() {
        if place > 0 {
            text.push(b',');
        }
        write_sample(text, sample);
    }
    text.extend_from_slice(b"]}");
}
