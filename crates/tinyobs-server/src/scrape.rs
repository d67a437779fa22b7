//! Scrape: `GET /metrics`, the latest value of each live series and what the server counts about
//! itself, for Prometheus to collect.
//!
//!   store::latest ─▶ [`exposition`](tinyobs_wire::exposition) ─▶ text ◀─ `own`
//!
//! I-SCRAPE-1  Our own families all begin with `tinyobs_`, and no pushed series stands beside them
//!             under the same name.
//! Proved by: tests/it/scrape.rs.

use std::collections::HashMap;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tinyobs_model::limits;
use tinyobs_wire::exposition::{self, Exposed, TextWriter, write_series};

use crate::error::ApiError;
use crate::params::Params;
use crate::state::App;

mod own;

use own::Own;

/// `GET /metrics`
pub async fn scrape(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    let page = app.query(|app, _| page(app)).await?;
    let content_type = HeaderValue::from_static(exposition::CONTENT_TYPE);
    Ok(([(header::CONTENT_TYPE, content_type)], page).into_response())
}

fn page(app: &App) -> Result<String, ApiError> {
    let mut own = Own::of(app);
    let latest = app.store.latest(&[], app.now_ms() - limits::LIVE_MS)?;
    let help: HashMap<String, String> = app
        .store
        .metrics()
        .into_iter()
        .map(|metric| (metric.name, metric.metadata.help))
        .collect();
    let pushed = latest
        .iter()
        .filter(|(info, _)| !own.has(info.labels.metric_name()))
        .map(|(info, sample)| Exposed {
            labels: &info.labels,
            kind: info.kind,
            value: sample.value,
        });
    let mut writer = TextWriter::new();
    let skipped = write_series(&mut writer, pushed, |name| {
        help.get(name).cloned().unwrap_or_default()
    });
    own.skipped(skipped);
    Ok(writer.into_string() + &own.into_string())
}
