//! Scrape: the pages that Prometheus collects, `GET /metrics` and `GET /metrics/self`.
//!
//!   store::latest ─▶ [`exposition`](tinyobs_wire::exposition) ─▶ text ◀─ `own`
//!
//! `/metrics` is the latest value of each live series and what the server counts about itself;
//! `/metrics/self` is only the latter.
//!
//! I-SCRAPE-1  Our own families all begin with `tinyobs_`, and no pushed series stands beside them
//!             under the same name.
//! I-SCRAPE-2  A page is in the format that its reader prefers, and says which it is.
//! Proved by: tests/it/scrape.rs, `cargo xtask clients scrape`.

use std::collections::HashMap;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tinyobs_model::{Metadata, limits};
use tinyobs_wire::exposition::{About, Exposed, Format, Latest, TextWriter, write_series};

use crate::error::ApiError;
use crate::params::Params;
use crate::state::App;

mod federate;
mod own;

pub use federate::federate;
use own::Own;

/// `GET /metrics`
pub async fn scrape(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    let format = accepted(request.headers());
    let page = app.query(move |app, _| page(app, format)).await?;
    Ok(answer(page, format))
}

/// `GET /metrics/self`
pub async fn own(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    let format = accepted(request.headers());
    let page = app.query(move |app, _| Ok(Own::of(app, format).into_string()));
    Ok(answer(page.await?, format))
}

fn accepted(headers: &HeaderMap) -> Format {
    let accept = headers.get_all(header::ACCEPT).iter();
    Format::accepted(accept.filter_map(|value| value.to_str().ok()))
}

fn answer(mut page: String, format: Format) -> Response {
    page.push_str(format.end());
    let content_type = HeaderValue::from_static(format.content_type());
    // What is between us and the scraper must not give one scraper's format to another.
    let vary = HeaderValue::from_static("accept");
    let headers = [(header::CONTENT_TYPE, content_type), (header::VARY, vary)];
    (headers, page).into_response()
}

fn page(app: &App, format: Format) -> Result<String, ApiError> {
    let mut own = Own::of(app, format);
    let latest = app.store.latest(&[], app.now_ms() - limits::LIVE_MS)?;
    let known = Known::of(app);
    let pushed = latest
        .iter()
        .filter(|(info, _)| !own.has(info.labels.metric_name()))
        .map(|(info, sample)| Exposed {
            labels: &info.labels,
            kind: info.kind,
            value: Latest {
                value: sample.value,
                time_ms: None,
            },
        });
    let mut writer = TextWriter::new(format);
    let skipped = write_series(&mut writer, pushed, |name| known.about(name));
    own.skipped(skipped);
    Ok(writer.into_string() + &own.into_string())
}

/// Help and unit of every metric.
struct Known(HashMap<String, Metadata>);

impl Known {
    fn of(app: &App) -> Self {
        let metrics = app.store.metrics().into_iter();
        Self(metrics.map(|one| (one.name, one.metadata)).collect())
    }

    fn about(&self, name: &str) -> About<'_> {
        let known = self.0.get(name);
        known.map_or(About::default(), |metadata| About {
            help: &metadata.help,
            unit: &metadata.unit,
        })
    }
}
