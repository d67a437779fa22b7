//! Cardinality: `GET /v1/cardinality`, how many series there are, where they come from, and who is
//! to blame when there are too many.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tinyobs_model::limits;
use tinyobs_store::Cardinality;
use tinyobs_wire::time;

use crate::error::ApiError;
use crate::json;
use crate::params::Params;
use crate::state::App;

#[derive(Serialize)]
struct Answer {
    total_series: u64,
    unique_metrics: u64,
    max_series_metric: String,
    max_series_count: u64,
    series_limit: u64,
    /// 0: there is no limit per metric.
    per_metric_limit: u64,
    utilization_percent: f64,
    top_metrics: Vec<Metric>,
    top_labels: Vec<Spread>,
    growth: Growth,
    refused_total: u64,
    last_refusal: Option<Refusal>,
    expired_total: u64,
}

#[derive(Serialize)]
struct Metric {
    metric: String,
    series: u64,
}

#[derive(Serialize)]
struct Spread {
    label: String,
    /// Different ones.
    values: u64,
    /// Series that have it.
    series: u64,
}

/// What came since a moment.
#[derive(Serialize)]
struct Growth {
    since: String,
    /// Expired ones count against it.
    series_added: i64,
    metrics: Vec<Metric>,
    labels: Vec<NewValues>,
}

#[derive(Serialize)]
struct NewValues {
    label: String,
    values_added: u64,
}

/// The last series that was refused.
#[derive(Serialize)]
struct Refusal {
    at: String,
    metric: String,
    /// The one of its labels with the most values: the likely reason.
    label: String,
    values: u64,
    rule: &'static str,
}

/// `GET /v1/cardinality`
pub async fn cardinality(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    Params::parse(request.uri().query(), &[])?;
    app.query(|app, _| {
        let answer = Answer::of(app.store.cardinality());
        Ok(json::response(StatusCode::OK, &answer))
    })
    .await
}

impl Answer {
    fn of(found: Cardinality) -> Self {
        let (max_series_metric, max_series_count) =
            found.metrics.first().cloned().unwrap_or_default();
        let labels = found.labels.into_iter().take(limits::TOP_METRICS);
        let grown = found.growth.labels.into_iter().take(limits::TOP_METRICS);
        Self {
            total_series: found.series,
            unique_metrics: found.metric_count,
            max_series_metric,
            max_series_count,
            series_limit: found.max_series,
            per_metric_limit: found.max_series_per_metric,
            utilization_percent: 100.0 * found.series as f64 / found.max_series.max(1) as f64,
            top_metrics: top(found.metrics),
            top_labels: labels
                .map(|one| Spread {
                    label: one.label,
                    values: one.values,
                    series: one.series,
                })
                .collect(),
            growth: Growth {
                since: time::format_rfc3339(found.growth.since_ms),
                series_added: found.growth.series_added,
                metrics: top(found.growth.metrics),
                labels: grown
                    .map(|(label, values_added)| NewValues {
                        label,
                        values_added,
                    })
                    .collect(),
            },
            refused_total: found.refused,
            last_refusal: found.last_refusal.map(|last| Refusal {
                at: time::format_rfc3339(last.at_ms),
                metric: last.metric,
                label: last.label,
                values: last.values,
                rule: last.rule.as_str(),
            }),
            expired_total: found.expired,
        }
    }
}

fn top(metrics: Vec<(String, u64)>) -> Vec<Metric> {
    let listed = metrics.into_iter().take(limits::TOP_METRICS);
    listed
        .map(|(metric, series)| Metric { metric, series })
        .collect()
}
