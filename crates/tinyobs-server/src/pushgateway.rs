//! Pushgateway: `PUT|POST|DELETE /metrics/job/<job>{/<label>/<value>}`, as the Prometheus
//! Pushgateway has them, so that every client library that can push can push here.
//!
//!   path ─▶ [`path`] ─▶ the group's labels ┐
//!   body ─▶ text or protobuf ─▶ families ──┴▶ [`groups`](crate::groups)
//!
//! I-PUSHGW-1  PUT makes the body the group's content, POST puts its families in place of those of
//!             the same names, DELETE ends the group: 200, 200 and 202.
//! I-PUSHGW-2  A body that cannot be read, has times, or holds a series twice changes nothing of
//!             the group but when a push to it failed.
//! I-PUSHGW-3  A series that breaks a rule costs only itself; the answer is then an error that
//!             names it and its line, for senders look at nothing but the status.
//! Proved by: pushgateway/path/tests.rs, tests/it/pushgateway.rs.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tinyobs_model::limits;
use tinyobs_wire::families::{Page, PageError, read_text};
use tinyobs_wire::metric_family::{self, read_delimited};
use tinyobs_wire::text::Dialect;

use crate::config::units;
use crate::error::{ApiError, ItemError};
use crate::groups::{Key, Options, Pushed};
use crate::params::Params;
use crate::state::App;
use crate::{body, intake, json};

mod path;

/// `PUT` and `POST`
pub async fn push(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let params = Params::parse(request.uri().query(), &["ttl", "interval"])?;
    let options = Options {
        ttl_ms: duration(&params, "ttl", limits::PUSHED_TTL_MS)?,
        interval_ms: duration(&params, "interval", limits::CLIENT_INTERVAL_MS_MAX as i64)?,
    };
    let key = path::read(request.uri().path())?;
    let format = Format::of(request.headers())?;
    let replace = request.method() == Method::PUT;
    let (parts, body) = request.into_parts();
    let held = body::read(&app.body_bytes, &parts.headers, body).await?;
    let shared = app.clone();
    let pushed = app
        .ingest
        .run(move |_| {
            let unpacked = intake::unpack(&held)?;
            let read = format.read(&unpacked, &key);
            take(&shared, &key, read, replace, options)
        })
        .await?;
    answer(pushed)
}

/// `DELETE`
pub async fn delete(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    let key = path::read(request.uri().path())?;
    let shared = app.clone();
    app.ingest
        .run(move |_| {
            let deleted = shared.groups.delete(&shared.store, &key, shared.now_ms());
            deleted.map_err(|error| shared.group_failed(error))
        })
        .await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// `GET /api/v1/metrics`: the groups, in the Pushgateway's shape.
pub async fn list(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    app.query(|app, _| Ok(json::from_text(StatusCode::OK, app.groups.listing())))
        .await
}

fn take(
    app: &App,
    key: &Key,
    read: Result<Page, PageError>,
    replace: bool,
    options: Options,
) -> Result<Pushed, ApiError> {
    let now_ms = app.now_ms();
    // I-PUSHGW-2
    let refuse = |status: StatusCode, message: String, make: bool| {
        let noted = app.groups.failed(&app.store, key, make, options, now_ms);
        if let Err(error) = noted {
            tracing::debug!(%error, "a failed push could not be noted");
        }
        Err(ApiError::new(status, message))
    };
    let page = match read {
        Ok(page) => page,
        Err(error @ PageError::TooLarge { .. }) => {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, error.to_string(), true);
        }
        Err(error) => {
            let is_read = matches!(error, PageError::Twice { .. });
            return refuse(StatusCode::BAD_REQUEST, error.to_string(), is_read);
        }
    };
    if let Some(line) = page.timestamp_line {
        let message = format!(
            "line {line}: pushed metrics must not have timestamps: a group is sampled again \
             every minute, at the time that is then"
        );
        return refuse(StatusCode::BAD_REQUEST, message, true);
    }
    let pushed = app
        .groups
        .push(&app.store, key, page, replace, options, now_ms)
        .map_err(|error| app.group_failed(error))?;
    app.counters.stored(pushed.stored);
    app.counters.refused(&pushed.refused);
    Ok(pushed)
}

fn answer(pushed: Pushed) -> Result<Response, ApiError> {
    let Some(first) = pushed.refused.first() else {
        return Ok(StatusCode::OK.into_response());
    };
    let total = pushed.refused.len();
    let message = format!(
        "{total} of the series were refused, the others are stored; the first: {}",
        first.message
    );
    let is_over_limit = pushed.refused.iter().all(|one| one.rule.is_series_limit());
    let errors = pushed.refused.into_iter().take(limits::ERRORS_LISTED);
    let errors = errors.map(ItemError::from).collect();
    let error = if is_over_limit {
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, message).retry_after(60)
    } else {
        ApiError::bad_request(message)
    };
    Err(error.with_items(errors))
}

/// What the content type says that the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text(Dialect),
    /// What Go's and Java's libraries send.
    Delimited,
}

impl Format {
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let sent = headers.get(header::CONTENT_TYPE);
        let sent = sent.map_or("", |value| value.to_str().unwrap_or_default());
        let mut parts = sent.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        if !essence.eq_ignore_ascii_case("application/vnd.google.protobuf") {
            return Ok(Self::Text(Dialect::of_content_type(sent)));
        }
        let of = |name: &str| {
            let mut pairs = parts.clone().filter_map(|part| part.split_once('='));
            let found = pairs.find(|(known, _)| known.trim().eq_ignore_ascii_case(name));
            found.map_or("", |(_, value)| value.trim().trim_matches('"'))
        };
        if of("proto") == metric_family::MESSAGE && of("encoding") == "delimited" {
            return Ok(Self::Delimited);
        }
        let message = format!(
            "of protobuf only `proto={}; encoding=delimited` is understood; or send the text \
             format as `text/plain; version=0.0.4`",
            metric_family::MESSAGE
        );
        Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
    }

    fn read(self, body: &[u8], key: &Key) -> Result<Page, PageError> {
        match self {
            Self::Text(dialect) => read_text(body, dialect, key),
            Self::Delimited => read_delimited(body, key),
        }
    }
}

/// A parameter such as `90s`, `1h30m` or `7d`, at least a second.
fn duration(params: &Params, name: &str, most_ms: i64) -> Result<Option<i64>, ApiError> {
    let Some(text) = params.text(name) else {
        return Ok(None);
    };
    match units::parse_duration_ms(text) {
        Ok(ms) if (1_000..=most_ms).contains(&ms) => Ok(Some(ms)),
        Ok(_) => {
            let most = most_ms / 1_000;
            let message = format!("parameter {name:?}: it must be between 1s and {most}s");
            Err(ApiError::bad_request(message))
        }
        Err(_) => {
            let shown: String = text.chars().take(64).collect();
            let message =
                format!("parameter {name:?}: {shown:?} is not a duration such as 90s, 1h30m or 7d");
            Err(ApiError::bad_request(message))
        }
    }
}
