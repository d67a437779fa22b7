//! Metadata: `/api/v1/metadata`, the type, help and unit of each metric.
//!
//! The parts of a histogram or summary (`x_bucket`, `x_sum`, `x_count`) are stored as metrics of
//! their own; here they are one, `x`, as in Prometheus.
//!
//! I-METADATA-1  Metrics of which nothing is known are left out.
//! Proved by: tests/it/api_series.rs.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;
use tinyobs_model::{Kind, Metadata};

use super::compose;
use super::failure::Failure;
use super::form::Form;
use crate::state::App;

#[derive(Serialize)]
struct About {
    #[serde(rename = "type")]
    kind: &'static str,
    help: String,
    unit: String,
}

/// `GET /api/v1/metadata`
pub async fn metadata(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let form = Form::read(&app, request).await?;
    let limit = limit(&form, "limit")?;
    let per_metric = self::limit(&form, "limit_per_metric")?;
    let metric = form.text("metric").map(str::to_owned);
    let answer = app.query(move |app, _| {
        let mut found: BTreeMap<String, Vec<About>> = BTreeMap::new();
        for one in app.store.metrics() {
            let name = family(&one.name, one.metadata.kind);
            let is_wanted = metric.as_deref().is_none_or(|metric| metric == name);
            if is_wanted && is_known(&one.metadata) && !found.contains_key(name) {
                let about = About {
                    kind: one.metadata.kind.as_str(),
                    help: one.metadata.help.clone(),
                    unit: one.metadata.unit.clone(),
                };
                found.insert(name.to_owned(), vec![about]);
            }
        }
        let listed: BTreeMap<_, Vec<About>> = found
            .into_iter()
            .take(limit)
            .map(|(name, about)| (name, about.into_iter().take(per_metric).collect()))
            .collect();
        Ok(compose::success(&listed, &[]))
    });
    Ok(answer.await?)
}

/// As elsewhere, but a negative one is none: clients send -1.
fn limit(form: &Form, name: &str) -> Result<usize, Failure> {
    let is_negative = |text: &str| text.parse::<i64>().is_ok_and(|limit| limit < 0);
    if form.text(name).is_some_and(is_negative) {
        return Ok(usize::MAX);
    }
    form.limit(name)
}

fn is_known(metadata: &Metadata) -> bool {
    metadata.kind != Kind::Unknown || !metadata.help.is_empty() || !metadata.unit.is_empty()
}

/// The metric whose part `name` is.
fn family(name: &str, kind: Kind) -> &str {
    let parts: &[&str] = match kind {
        Kind::Histogram => &["_bucket", "_sum", "_count"],
        Kind::Summary => &["_sum", "_count"],
        _ => &[],
    };
    let part = parts.iter().find_map(|part| name.strip_suffix(part));
    part.filter(|name| !name.is_empty()).unwrap_or(name)
}
