//! Stats: how much there is, and what bounds it.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tinyobs_model::{Resolution, limits};
use tinyobs_wire::time;

use crate::error::ApiError;
use crate::json;
use crate::params::Params;
use crate::state::App;

/// `GET /v1/stats`. The names are the original's.
pub async fn stats(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        /// Samples, in spite of its name.
        total_metrics: u64,
        total_series: u64,
        size_bytes: u64,
        oldest_metric: Option<String>,
        newest_metric: Option<String>,
        /// Distinct names.
        metrics: u64,
        services: Vec<String>,
        /// Processes that push at the moment.
        clients: usize,
        /// Windows stored, by resolution.
        #[serde(rename = "Rollups5m")]
        rollups_5m: u64,
        #[serde(rename = "Rollups1h")]
        rollups_1h: u64,
        /// The newest time that stands in rollups.
        rolled_until: Option<String>,
        rollup_lag_seconds: f64,
    }
    Params::parse(request.uri().query(), &[])?;
    app.query(|app, _| {
        let stats = app.store.stats();
        let maintenance = app.store.maintenance();
        let spaces = app.store.storage().spaces;
        let rows = |resolution| {
            let of_it = spaces.iter().filter(|space| space.resolution == resolution);
            of_it.map(|space| space.samples_or_rows).sum()
        };
        let answer = Answer {
            total_metrics: stats.samples,
            total_series: stats.series,
            size_bytes: stats.disk_bytes,
            oldest_metric: stats.oldest_ms.map(time::format_rfc3339),
            newest_metric: stats.newest_ms.map(time::format_rfc3339),
            metrics: stats.metrics,
            services: app.store.services(),
            clients: app.clients.pushing(app.now_ms()),
            rollups_5m: rows(Resolution::FiveMinutes),
            rollups_1h: rows(Resolution::Hour),
            rolled_until: maintenance.rolled_until_ms.map(time::format_rfc3339),
            rollup_lag_seconds: maintenance.lag_ms as f64 / 1_000.0,
        };
        Ok(json::response(StatusCode::OK, &answer))
    })
    .await
}

/// One limit of `/v1/limits`.
#[derive(Serialize)]
struct One {
    name: &'static str,
    value: u64,
    unit: &'static str,
    reason: &'static str,
}

/// `GET /v1/limits`
pub async fn limits(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Answer {
        limits: Vec<One>,
    }
    Params::parse(request.uri().query(), &[])?;
    let fixed = limits::ALL.iter().map(|limit| One {
        name: limit.name,
        value: limit.value,
        unit: limit.unit,
        reason: limit.reason,
    });
    let limits = fixed.chain(configured(&app)).collect();
    Ok(json::response(StatusCode::OK, &Answer { limits }))
}

/// What the configuration bounds; 0 is no bound, save for the series.
fn configured(app: &App) -> impl Iterator<Item = One> + use<> {
    let kept = app.config.retention;
    let seconds = |ms: i64| (ms / 1_000) as u64;
    let one = |(name, value, unit, reason)| One {
        name,
        value,
        unit,
        reason,
    };
    let all = [
        (
            "series",
            app.store.max_series(),
            "series",
            "each series takes memory; set by --max-series",
        ),
        (
            "series_per_metric",
            app.config.max_series_per_metric,
            "series",
            "one careless label must not take all series; set by --max-series-per-metric, 0 is none",
        ),
        (
            "storage_bytes",
            app.config.max_storage_bytes,
            "bytes",
            "a disk is shared with others; set by --max-storage, 0 is none",
        ),
        (
            "retention_raw_seconds",
            seconds(kept.raw_ms),
            "seconds",
            "samples take the most room; set by --retention-raw, 0 is for ever",
        ),
        (
            "retention_5m_seconds",
            seconds(kept.five_minutes_ms),
            "seconds",
            "set by --retention-5m, 0 is for ever",
        ),
        (
            "retention_1h_seconds",
            seconds(kept.hour_ms),
            "seconds",
            "set by --retention-1h, 0 is for ever",
        ),
    ];
    all.into_iter().map(one)
}
