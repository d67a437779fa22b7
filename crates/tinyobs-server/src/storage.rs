//! Storage: `GET /v1/storage`, what lies on disk, how long it stays, and how near the budget is.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tinyobs_store::{EngineKind, Level, SpaceInfo, Storage};
use tinyobs_wire::time;

use crate::config::units::{show_duration_ms, show_size};
use crate::error::ApiError;
use crate::json;
use crate::params::Params;
use crate::state::App;

#[derive(Serialize)]
struct Answer {
    used_bytes: u64,
    /// 0: there is no budget.
    max_bytes: u64,
    /// Of the budget; 0 without one.
    percent: f64,
    level: &'static str,
    /// What should be known about it, one sentence each.
    warnings: Vec<String>,
    wal_bytes: u64,
    /// Kept so that a full disk can be emptied.
    reserve_bytes: u64,
    resolutions: Vec<Space>,
    engine: &'static str,
    /// "" in memory.
    data_dir: String,
}

/// What is kept in one resolution.
#[derive(Serialize)]
struct Space {
    resolution: &'static str,
    tables: u64,
    bytes: u64,
    /// Samples of `raw`, windows of the others.
    rows: u64,
    oldest: Option<String>,
    newest: Option<String>,
    /// What is older has been dropped.
    dropped_until: Option<String>,
    /// As configured; 0 = for ever.
    retention_seconds: i64,
    retention: String,
}

/// `GET /v1/storage`
pub async fn storage(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    app.query(|app, _| {
        let data_dir = match app.config.engine {
            EngineKind::Disk => app.config.data_dir_absolute().display().to_string(),
            EngineKind::Memory => String::new(),
        };
        let storage = app.store.storage();
        let answer = Answer {
            used_bytes: storage.used_bytes,
            max_bytes: storage.max_bytes,
            percent: percent(&storage),
            level: storage.level.as_str(),
            warnings: warnings(&storage),
            wal_bytes: storage.wal_bytes,
            reserve_bytes: storage.reserve_bytes,
            resolutions: storage
                .spaces
                .iter()
                .map(|space| Space::of(app, space))
                .collect(),
            engine: app.config.engine.as_str(),
            data_dir,
        };
        Ok(json::response(StatusCode::OK, &answer))
    })
    .await
}

impl Space {
    fn of(app: &App, space: &SpaceInfo) -> Self {
        let kept_ms = app.config.retention.of(space.resolution);
        Self {
            resolution: space.resolution.as_str(),
            tables: space.tables,
            bytes: space.bytes,
            rows: space.samples_or_rows,
            oldest: space.oldest_ms.map(time::format_rfc3339),
            newest: space.newest_ms.map(time::format_rfc3339),
            dropped_until: space.dropped_until_ms.map(time::format_rfc3339),
            retention_seconds: kept_ms / 1_000,
            retention: match kept_ms {
                0 => "for ever".to_owned(),
                ms => show_duration_ms(ms),
            },
        }
    }
}

/// How much of the budget is used, in percent; 0 without a budget.
pub fn percent(storage: &Storage) -> f64 {
    match storage.max_bytes {
        0 => 0.0,
        max => 100.0 * storage.used_bytes as f64 / max as f64,
    }
}

/// What to know, and do, about room.
pub fn warnings(storage: &Storage) -> Vec<String> {
    // Of a spent budget the other sentence says what to do.
    let refusing = storage.refusing.as_ref();
    let refusing = refusing.filter(|_| storage.level != Level::Full);
    let refusing = refusing.map(|why| {
        format!("new samples are refused since {why}; writing goes on by itself when there is room")
    });
    refusing
        .into_iter()
        .chain(budget_warning(storage))
        .collect()
}

fn budget_warning(storage: &Storage) -> Option<String> {
    let happens = match storage.level {
        Level::Normal => return None,
        Level::Warn80 | Level::Warn90 => {
            "when it is nearly spent, the oldest samples go, then the oldest summaries"
        }
        Level::Full => "nothing more may be dropped, so new samples are refused",
    };
    Some(format!(
        "{} of the disk budget of {} are used ({:.0} %): {happens}; raise --max-storage, or keep \
         data shorter with --retention-raw",
        show_size(storage.used_bytes),
        show_size(storage.max_bytes),
        percent(storage),
    ))
}
