//! Maintenance: `/v1/admin/maintenance`, the store's housekeeping on demand and how far it is.
//!
//!   POST ─▶ gate (one at a time) ─▶ store::maintain ─▶ what it did
//!
//! I-ADMIN-1  A cycle that was begun goes on when its client leaves or its time is up: who asks
//!            again gets the next one, or this one's progress.
//! I-ADMIN-2  A request for it waits no longer than `limits::MAINTENANCE_WAIT_SECONDS`.
//! Proved by: maintenance/tests.rs, tests/it/maintenance.rs.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tinyobs_model::limits;
use tinyobs_store::{Maintained, MaintenanceStatus, Phase};
use tinyobs_wire::json::reason_at;
use tinyobs_wire::time;
use tokio::time::timeout;

use crate::body;
use crate::error::ApiError;
use crate::json;
use crate::params::Params;
use crate::state::App;

/// `POST /v1/admin/maintenance`
pub async fn run(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let params = Params::parse(request.uri().query(), &["wait"])?;
    let (parts, body) = request.into_parts();
    let wanted = Wanted::read(&body::read_small(&parts.headers, body).await?)?;
    if wanted.is_async || !params.switch("wait", true)? {
        tokio::spawn(async move {
            if let Err(error) = cycle(&app).await {
                tracing::warn!(?error, "maintenance on demand failed");
            }
        });
        return Ok(json::response(
            StatusCode::ACCEPTED,
            &Begun { status: "started" },
        ));
    }
    let wait = Duration::from_secs(limits::MAINTENANCE_WAIT_SECONDS);
    // I-ADMIN-1: a task of its own, so that giving up waiting does not end it.
    let running = app.clone();
    let cycle = tokio::spawn(async move { cycle(&running).await });
    match timeout(wait, cycle).await {
        Ok(Ok(done)) => Ok(json::response(StatusCode::OK, &Done::from(done?))),
        Ok(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
        Err(_) => Err(goes_on(&app.store.maintenance())),
    }
}

/// `GET /v1/admin/maintenance`
pub async fn progress(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    let progress = Progress::from(&app.store.maintenance());
    Ok(json::response(StatusCode::OK, &progress))
}

async fn cycle(app: &App) -> Result<Maintained, ApiError> {
    let store = app.clone();
    let work = move |_: &crate::gate::Cancel| store.maintain();
    app.maintenance.run(work).await
}

impl App {
    /// A cycle; blocks.
    fn maintain(&self) -> Result<Maintained, ApiError> {
        self.store.maintain().map_err(|error| {
            if error.is_fatal() {
                self.raise_fatal(error.to_string());
            }
            ApiError::from(error)
        })
    }
}

fn goes_on(status: &MaintenanceStatus) -> ApiError {
    let phase = status.phase.map_or("waiting", Phase::as_str);
    ApiError::unavailable(format!(
        "maintenance goes on after {} seconds ({phase}, {} of {}); \
         GET /v1/admin/maintenance shows its progress",
        limits::MAINTENANCE_WAIT_SECONDS,
        status.done,
        status.total
    ))
    .retry_after(limits::MAINTENANCE_WAIT_SECONDS as u32)
}

/// The body of a request; none is as good as `{}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    #[serde(rename = "async")]
    is_async: bool,
}

impl Wanted {
    fn read(body: &Bytes) -> Result<Self, ApiError> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(body).map_err(|error| {
            let reason = reason_at(&error);
            let message = format!("{reason}; the body is {{\"async\": true}}, or nothing");
            ApiError::bad_request(message)
        })
    }
}

#[derive(Serialize)]
struct Begun {
    status: &'static str,
}

/// What a cycle did.
#[derive(Serialize)]
pub struct Done {
    status: &'static str,
    #[serde(flatten)]
    did: Did,
}

#[derive(Serialize)]
struct Did {
    rolled_windows: u64,
    merged_tables: u64,
    dropped_partitions: u64,
    freed_bytes: u64,
    expired_series: u64,
    took_ms: u64,
}

impl From<Maintained> for Did {
    fn from(done: Maintained) -> Self {
        Self {
            rolled_windows: done.rolled_windows,
            merged_tables: done.merged_tables,
            dropped_partitions: done.dropped_partitions,
            freed_bytes: done.freed_bytes,
            expired_series: done.expired_series,
            took_ms: done.took_ms,
        }
    }
}

impl From<Maintained> for Done {
    fn from(done: Maintained) -> Self {
        Self {
            status: "success",
            did: done.into(),
        }
    }
}

/// How far maintenance is.
#[derive(Serialize)]
struct Progress {
    running: bool,
    /// What is being done.
    phase: Option<&'static str>,
    /// Of the phase.
    done: u64,
    total: u64,
    /// What the last whole cycle did.
    last: Option<Did>,
    last_success: Option<String>,
    last_attempt: Option<String>,
    consecutive_errors: u64,
    last_error: Option<String>,
    /// The newest time that stands in rollups.
    rolled_until: Option<String>,
    /// From there to the newest sample; 0 when nothing waits.
    lag_seconds: f64,
}

impl From<&MaintenanceStatus> for Progress {
    fn from(status: &MaintenanceStatus) -> Self {
        Self {
            running: status.phase.is_some(),
            phase: status.phase.map(Phase::as_str),
            done: status.done,
            total: status.total,
            last: status.last.map(Did::from),
            last_success: status.last_success_ms.map(time::format_rfc3339),
            last_attempt: status.last_attempt_ms.map(time::format_rfc3339),
            consecutive_errors: status.consecutive_errors,
            last_error: status.last_error.clone(),
            rolled_until: status.rolled_until_ms.map(time::format_rfc3339),
            lag_seconds: status.lag_ms as f64 / 1_000.0,
        }
    }
}

#[cfg(test)]
mod tests;
