//! Catalogue: which metrics and series there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tinyobs_model::{Kind, Labels, Sample, limits};
use tinyobs_store::MetricInfo;

use crate::error::ApiError;
use crate::gate::Cancel;
use crate::json::{self, LabelsObject, Point};
use crate::params::{Params, Selection};
use crate::state::App;
use crate::warnings::warnings;

/// `GET /v1/metrics/list`
pub async fn metrics(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Answer<'a> {
        metrics: Vec<&'a str>,
        count: usize,
        details: Vec<Detail<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<&'static str>,
    }
    #[derive(Serialize)]
    struct Detail<'a> {
        name: &'a str,
        #[serde(rename = "type")]
        kind: &'static str,
        help: &'a str,
        unit: &'a str,
        series: u64,
        services: &'a [String],
    }
    impl<'a> From<&'a MetricInfo> for Detail<'a> {
        fn from(metric: &'a MetricInfo) -> Self {
            Self {
                name: &metric.name,
                kind: metric.metadata.kind.as_str(),
                help: &metric.metadata.help,
                unit: &metric.metadata.unit,
                series: metric.series,
                services: &metric.services,
            }
        }
    }
    let params = Params::parse(request.uri().query(), &["service"])?;
    let service = params.text("service").map(str::to_owned);
    app.query(move |app, _| {
        let mut metrics = app.store.metrics();
        if let Some(service) = service {
            metrics.retain(|metric| metric.services.contains(&service));
        }
        let answer = Answer {
            metrics: metrics.iter().map(|metric| metric.name.as_str()).collect(),
            count: metrics.len(),
            details: metrics.iter().map(Detail::from).collect(),
            warnings: warnings(app),
        };
        Ok(json::response(StatusCode::OK, &answer))
    })
    .await
}

/// `GET /v1/series`
pub async fn series(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Answer<'a> {
        series: Vec<One<'a>>,
        count: usize,
        truncated: bool,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<&'static str>,
    }
    #[derive(Serialize)]
    struct One<'a> {
        metric: &'a str,
        #[serde(rename = "type")]
        kind: &'static str,
        labels: LabelsObject<'a>,
        last: Option<Point>,
    }
    let params = Params::parse(request.uri().query(), &["match[]", "metric", "limit"])?;
    let limit = params.count(
        "limit",
        limits::SERIES_LISTED_DEFAULT,
        limits::SERIES_LISTED_MAX,
    )?;
    app.query(move |app, cancel| {
        let selection = params.selection(cancel)?;
        let all = select(app, &selection);
        cancel.check()?;
        let listed: BTreeSet<&Labels> = all.keys().take(limit).collect();
        let last = last_samples(app, &selection, &listed, cancel)?;
        let listed = all.iter().take(limit);
        let series: Vec<One<'_>> = listed
            .map(|(labels, kind)| One {
                metric: labels.metric_name(),
                kind: kind.as_str(),
                labels: LabelsObject(labels),
                last: last.get(labels).and_then(Point::from_sample),
            })
            .collect();
        let answer = Answer {
            count: series.len(),
            truncated: all.len() > limit,
            series,
            warnings: warnings(app),
        };
        Ok(json::response(StatusCode::OK, &answer))
    })
    .await
}

/// The series of the selection with their kinds, each once, in order.
fn select(app: &App, selection: &Selection) -> BTreeMap<Labels, Kind> {
    selection
        .iter()
        .flat_map(|matchers| app.store.series(matchers))
        .map(|series| (series.labels, series.kind))
        .collect()
}

fn last_samples(
    app: &App,
    selection: &Selection,
    listed: &BTreeSet<&Labels>,
    cancel: &Cancel,
) -> Result<HashMap<Labels, Sample>, ApiError> {
    let mut last = HashMap::new();
    // Nothing more is read for a client that has left.
    let mut wanted = |labels: &Labels| cancel.check().is_ok() && listed.contains(labels);
    for matchers in selection {
        let latest = app.store.latest_of(matchers, i64::MIN, &mut wanted)?;
        cancel.check()?;
        last.extend(
            latest
                .into_iter()
                .map(|(info, sample)| (info.labels, sample)),
        );
    }
    Ok(last)
}
