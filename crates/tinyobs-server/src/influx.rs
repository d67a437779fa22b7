//! Influx: InfluxDB's line protocol, `POST /write` and `POST /api/v2/write`, and what its clients
//! ask before they write.
//!
//!   [`intake`] ─▶ influx::read ─▶ store ─▶ 204, or what InfluxDB says of a partial write
//!
//! I-INFLUXIN-1  204 means that every line is stored; the good lines of a body with bad ones are
//!               stored too, and the answer says how many were not, and names the first of them by
//!               line and rule.
//! Proved by: tests/it/influx.rs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use tinyobs_model::Refused;
use tinyobs_wire::influx::{self, Precision};

use crate::error::{ApiError, ItemError};
use crate::intake::{self, Taken};
use crate::params::Params;
use crate::state::App;
use crate::{body, json};

/// What clients take for the version: they look at the first number only.
const VERSION: &str = concat!("1.8-tinyobs-", env!("CARGO_PKG_VERSION"));

/// Which answers the client understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    V1,
    V2,
}

/// `POST /write`
pub async fn write_v1(State(app): State<App>, request: Request) -> Response {
    // Where it goes to, and who asks, is not told apart: there is one store.
    let known = ["db", "rp", "precision", "consistency", "u", "p"];
    write(app, request, Api::V1, &known).await
}

/// `POST /api/v2/write`
pub async fn write_v2(State(app): State<App>, request: Request) -> Response {
    let known = ["org", "orgID", "bucket", "bucketID", "precision"];
    write(app, request, Api::V2, &known).await
}

async fn write(app: App, request: Request, api: Api, known: &[&str]) -> Response {
    match stored(&app, request, api, known).await {
        Ok((taken, _)) if taken.refused.is_empty() => StatusCode::NO_CONTENT.into_response(),
        Ok((taken, besides)) => refused(&taken, besides).shaped(|error| {
            let mut shaped = shape(api, error);
            if let (Api::V2, Some(first)) = (api, taken.refused.first()) {
                shaped["line"] = line(first).into();
            }
            shaped
        }),
        Err(error) => error.shaped(|error| shape(api, error)),
    }
}

/// What was stored, and how many lines were refused without being told one by one.
async fn stored(
    app: &App,
    request: Request,
    api: Api,
    known: &[&str],
) -> Result<(Taken, u64), ApiError> {
    let params = Params::parse_lenient(request.uri().query(), known)?;
    let precision = precision(api, params.text("precision"))?;
    let besides = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&besides);
    let read = move |app: &App, body: &[u8], now_ms: i64| {
        let read = influx::read(body, precision, now_ms);
        app.counters.texts_skipped(read.texts_skipped);
        app.counters.refused_besides(&read.refused_besides);
        let besides = read.refused_besides.iter().map(|(_, count)| count);
        count.store(besides.sum(), Ordering::Relaxed);
        Ok(read.decoded)
    };
    let taken = intake::take(app, request, read).await?;
    Ok((taken, besides.load(Ordering::Relaxed)))
}

fn precision(api: Api, name: Option<&str>) -> Result<Precision, ApiError> {
    let Some(name) = name else {
        return Ok(Precision::default());
    };
    let known: &[&str] = match api {
        Api::V1 => &["n", "ns", "u", "us", "µ", "µs", "ms", "s", "m", "h"],
        Api::V2 => &["ns", "us", "ms", "s"],
    };
    let found = known.contains(&name).then(|| Precision::from_name(name));
    found.flatten().ok_or_else(|| {
        let shown: String = name.chars().take(64).collect();
        let message = format!("precision {shown:?} is none of {}", known.join(", "));
        ApiError::bad_request(message)
    })
}

fn refused(taken: &Taken, besides: u64) -> ApiError {
    /// Lines that a message names: clients log it, and log it again with the next push.
    const TOLD: usize = 10;
    let told = taken.refused.iter().take(TOLD);
    let told = told.map(|one| ItemError::of_line(line(one), one.clone()).to_string());
    let mut told: Vec<String> = told.collect();
    let dropped = taken.refused.len() as u64 + besides;
    let more = dropped - told.len() as u64;
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    let message = format!("partial write: {} dropped={dropped}", told.join("; "));
    if taken.is_over_limit() && besides == 0 {
        return ApiError::new(StatusCode::TOO_MANY_REQUESTS, message).retry_after(60);
    }
    ApiError::bad_request(message)
}

/// Where a refused line stands, counted from 1.
fn line(refused: &Refused) -> u64 {
    u64::from(refused.item) + 1
}

/// An error as the version's clients read it.
fn shape(api: Api, error: &ApiError) -> serde_json::Value {
    let message = error.message();
    match api {
        Api::V1 => json!({ "error": message }),
        Api::V2 => {
            let code = match error.status() {
                StatusCode::PAYLOAD_TOO_LARGE => "request too large",
                StatusCode::METHOD_NOT_ALLOWED => "method not allowed",
                StatusCode::TOO_MANY_REQUESTS => "too many requests",
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE => "unavailable",
                status if status.is_server_error() => "internal error",
                _ => "invalid",
            };
            json!({ "code": code, "message": message })
        }
    }
}

/// An error about a request that did not come as far as here.
pub fn failed_before(path: &str, error: &ApiError) -> Response {
    let api = match path {
        "/api/v2/write" => Api::V2,
        _ => Api::V1,
    };
    error.shaped(|error| shape(api, error))
}

/// `GET|POST /query`: only what clients of version 1 ask before they write.
pub async fn query(State(app): State<App>, request: Request) -> Response {
    let answer = statement(&app, request).await.map(|text| {
        let word = text.split_ascii_whitespace().take(2).collect::<Vec<_>>();
        word.join(" ").to_ascii_uppercase()
    });
    match answer.as_deref() {
        Ok("CREATE DATABASE") => {
            let empty = json!({"results": [{"statement_id": 0}]});
            json::response(StatusCode::OK, &empty)
        }
        Ok(_) => {
            let message = "InfluxQL is not answered, but for CREATE DATABASE; GET /v1/query/range \
                           has points, and /v1/metrics/list the names";
            ApiError::bad_request(message).shaped(|error| shape(Api::V1, error))
        }
        Err(error) => error.shaped(|error| shape(Api::V1, error)),
    }
}

/// The parameter `q`, in the path or as a form.
async fn statement(_: &App, request: Request) -> Result<String, ApiError> {
    let known = ["q", "db", "rp", "epoch", "pretty", "chunked", "u", "p"];
    let params = Params::parse_lenient(request.uri().query(), &known)?;
    if let Some(text) = params.text("q") {
        return Ok(text.to_owned());
    }
    let (_, body) = request.into_parts();
    let form = body::read_form(body).await?;
    let form = std::str::from_utf8(&form).unwrap_or_default();
    let params = Params::parse_lenient(Some(form), &known)?;
    let text = params.text("q");
    text.map(str::to_owned)
        .ok_or_else(|| ApiError::bad_request("parameter \"q\" is missing"))
}

/// `GET /ping`
pub async fn ping(State(_): State<App>, request: Request) -> Result<Response, ApiError> {
    let params = Params::parse_lenient(request.uri().query(), &["verbose", "wait_for_leader"])?;
    let mut response = if params.text("verbose").is_some_and(|text| text != "false") {
        json::response(StatusCode::OK, &json!({ "version": VERSION }))
    } else {
        StatusCode::NO_CONTENT.into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in [("x-influxdb-version", VERSION), ("x-influxdb-build", "OSS")] {
        let name = HeaderName::from_static(name);
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// `GET /health`
pub async fn health(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Answer {
        name: &'static str,
        message: &'static str,
        status: &'static str,
        checks: [(); 0],
        version: &'static str,
    }
    Params::parse(request.uri().query(), &[])?;
    let (code, status, message) = if app.is_ready() {
        (StatusCode::OK, "pass", "ready for queries and writes")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "fail", "stopping")
    };
    let answer = Answer {
        name: "tinyobs",
        message,
        status,
        checks: [],
        version: VERSION,
    };
    Ok(json::response(code, &answer))
}
