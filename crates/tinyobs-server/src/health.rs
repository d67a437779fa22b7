//! Health: whether the server lives, takes work, and can keep what it is given.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tinyobs_model::limits;

use crate::error::ApiError;
use crate::json;
use crate::params::Params;
use crate::state::App;

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

/// `GET /v1/health`
pub async fn health(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Answer<'a> {
        status: &'static str,
        version: &'static str,
        uptime: String,
        uptime_seconds: u64,
        durability: &'static str,
        engine: &'static str,
        store: StoreHealth<'a>,
    }
    #[derive(Serialize)]
    struct StoreHealth<'a> {
        healthy: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_error: Option<String>,
        /// Found by the start and set aside: no reason to take the server out of service.
        damage: &'a [String],
    }
    Params::parse(request.uri().query(), &[])?;
    let last_error = app.store.health().err();
    let healthy = last_error.is_none();
    let (code, status) = if healthy {
        (StatusCode::OK, "healthy")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "degraded")
    };
    let damage = app.store.damage();
    let uptime_seconds = app.started.elapsed().as_secs();
    let answer = Answer {
        status,
        version: env!("CARGO_PKG_VERSION"),
        uptime: duration_text(uptime_seconds),
        uptime_seconds,
        durability: app.config.durability.as_str(),
        engine: app.config.engine.as_str(),
        store: StoreHealth {
            healthy,
            last_error,
            damage: &damage[..damage.len().min(limits::DAMAGE_LISTED)],
        },
    };
    Ok(json::response(code, &answer))
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
mod tests {
    #[test]
    fn durations_read_like_gos() {
        assert_eq!(super::duration_text(59), "59s");
        assert_eq!(super::duration_text(61), "1m1s");
        assert_eq!(super::duration_text(7_200), "2h0m0s");
    }
}
