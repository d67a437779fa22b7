//! Stats: how much there is, where it lies, and what bounds it.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tinyobs_model::limits;
use tinyobs_store::EngineKind;
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
    }
    Params::parse(request.uri().query(), &[])?;
    app.query(|app, _| {
        let stats = app.store.stats();
        let answer = Answer {
            total_metrics: stats.samples,
            total_series: stats.series,
            size_bytes: stats.disk_bytes,
            oldest_metric: stats.oldest_ms.map(time::format_rfc3339),
            newest_metric: stats.newest_ms.map(time::format_rfc3339),
            metrics: stats.metrics,
            services: app.store.label_values("service"),
            clients: app.clients.pushing(app.now_ms()),
        };
        Ok(json::response(StatusCode::OK, &answer))
    })
    .await
}

/// `GET /v1/storage`
pub async fn storage(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Answer {
        used_bytes: u64,
        /// 0: there is no budget yet.
        max_bytes: u64,
        engine: &'static str,
        /// "" in memory.
        data_dir: String,
    }
    Params::parse(request.uri().query(), &[])?;
    app.query(|app, _| {
        let data_dir = match app.config.engine {
            EngineKind::Disk => app.config.data_dir_absolute().display().to_string(),
            EngineKind::Memory => String::new(),
        };
        let answer = Answer {
            used_bytes: app.store.stats().disk_bytes,
            max_bytes: 0,
            engine: app.config.engine.as_str(),
            data_dir,
        };
        Ok(json::response(StatusCode::OK, &answer))
    })
    .await
}

/// `GET /v1/limits`
pub async fn limits(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Answer {
        limits: Vec<One>,
    }
    #[derive(Serialize)]
    struct One {
        name: &'static str,
        value: u64,
        unit: &'static str,
        reason: &'static str,
    }
    Params::parse(request.uri().query(), &[])?;
    let series = One {
        name: "series",
        value: app.store.max_series(),
        unit: "series",
        reason: "each series takes memory; set by --max-series",
    };
    let fixed = limits::ALL.iter().map(|limit| One {
        name: limit.name,
        value: limit.value,
        unit: limit.unit,
        reason: limit.reason,
    });
    let limits = fixed.chain([series]).collect();
    Ok(json::response(StatusCode::OK, &Answer { limits }))
}
