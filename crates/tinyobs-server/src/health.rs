//! Health: whether the server lives, takes work, and can keep what it is given.
//!
//! I-HEALTH-1  A server that has just started is healthy: nothing is held against it that it had no
//!             time for yet.
//! I-HEALTH-2  A damaged store is not called healthy, and stays in service: what is sound answers, and
//!             a restart would not mend it.
//! Proved by: health/tests.rs, tests/it/maintenance.rs, tests/it/damaged.rs.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tinyobs_model::limits;
use tinyobs_store::Level;

use crate::error::ApiError;
use crate::json;
use crate::params::Params;
use crate::state::App;
use crate::storage::warnings;

mod compaction;

use compaction::Compaction;

/// `GET /healthz`: the process answers.
pub async fn live() -> Response {
    "ok\n".into_response()
}

/// `GET /readyz`: new work should come here.
pub async fn ready(State(app): State<App>) -> Response {
    if app.is_ready() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response()
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    status: &'static str,
    version: &'static str,
    uptime: String,
    uptime_seconds: u64,
    durability: &'static str,
    engine: &'static str,
    store: StoreHealth<'a>,
    /// The store's maintenance, under its name in the original.
    compaction: Compaction,
    storage: StorageHealth,
}

#[derive(Serialize)]
struct StoreHealth<'a> {
    healthy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// Found by the start, or met by readers since, and set aside: no reason to take the server out
    /// of service.
    damage: &'a [String],
}

#[derive(Serialize)]
struct StorageHealth {
    healthy: bool,
    level: &'static str,
    warnings: Vec<String>,
}

/// `GET /v1/health`
pub async fn health(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    // Not behind the queries: a busy server is not an ill one. But sizes are asked of the disk.
    let answer = tokio::task::spawn_blocking(move || answer(&app)).await;
    let answer: Response =
        answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    Ok(answer)
}

fn answer(app: &App) -> Response {
    let refusing = app.store.refusing();
    let last_error = app.store.health().err().or_else(|| refusing.clone());
    let damage = app.store.damage();
    let uptime = app.started.elapsed();
    let storage = app.store.storage();
    let store = StoreHealth {
        healthy: last_error.is_none(),
        last_error,
        damage: &damage[..damage.len().min(limits::DAMAGE_LISTED)],
    };
    let compaction = Compaction::of(&app.store.maintenance(), app.now_ms(), uptime);
    let storage = StorageHealth {
        healthy: storage.level != Level::Full && storage.refusing.is_none(),
        level: storage.level.as_str(),
        warnings: warnings(&storage),
    };
    let keeps_up = store.healthy && compaction.healthy && storage.healthy;
    let (code, status) = match (keeps_up, store.damage.is_empty()) {
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "degraded"),
        (true, true) => (StatusCode::OK, "healthy"),
        // I-HEALTH-2
        (true, false) => (StatusCode::OK, "damaged"),
    };
    let answer = Answer {
        status,
        version: env!("CARGO_PKG_VERSION"),
        uptime: duration_text(uptime.as_secs()),
        uptime_seconds: uptime.as_secs(),
        durability: app.config.durability.as_str(),
        engine: app.config.engine.as_str(),
        store,
        compaction,
        storage,
    };
    json::response(code, &answer)
}

/// As Go prints durations: `2h3m4s`.
fn duration_text(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests;
