//! Range: `GET /v1/query/range`, lines for charts.
//!
//!   store::select ─▶ blocks of samples ─▶ [`downsample`] ─▶ points
//!
//! I-RANGE-1  A series has at most `maxPoints` points; the lowest and highest value are among them
//!            unless it is cumulative.
//! I-RANGE-2  What a query may read and hold is counted while it reads, not afterwards.
//! I-RANGE-3  Series come in the order of their labels, each once, whatever the selectors.
//! I-RANGE-4  A counter that restarts inside a bucket keeps its increase, see I-DOWN-4.
//! Proved by: range/tests.rs, range/downsample/tests.rs, tests/it/query.rs.

use std::collections::{BTreeMap, HashMap};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Serialize, Serializer};
use tinyobs_model::{
    Columns, Kind, Labels, Resolution, Sample, SeriesCursor, SeriesSource, TimeRange, limits,
};
use tinyobs_store::Store;

use crate::error::ApiError;
use crate::gate::Cancel;
use crate::json::{self, LabelsObject, Point};
use crate::params::{Params, Selection};
use crate::state::App;

pub mod downsample;

use downsample::{Downsampler, Keep};

#[derive(Serialize)]
struct Answer {
    data: Vec<Line>,
}

/// One series as a chart draws it.
#[derive(Serialize)]
struct Line {
    metric: String,
    #[serde(serialize_with = "labels_object")]
    labels: Labels,
    points: Vec<Point>,
    resolution: &'static str,
}

/// `GET /v1/query/range`
pub async fn range(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let known = ["metric", "match[]", "start", "end", "maxPoints"];
    let params = Params::parse(request.uri().query(), &known)?;
    if params.text("metric").is_none() && params.text("match[]").is_none() {
        return Err(ApiError::bad_request(
            "parameter \"metric\" or \"match[]\" is required",
        ));
    }
    let max_points = params.count("maxPoints", limits::POINTS_DEFAULT, limits::POINTS_MAX)?;
    let range = params.range(app.now_ms())?;
    if range.end_ms.saturating_sub(range.start_ms) > limits::QUERY_WINDOW_MS {
        return Err(ApiError::bad_request(
            "query window too large (max 90 days)",
        ));
    }
    app.query(move |app, cancel| {
        let selection = params.selection(cancel)?;
        let kinds = kinds(&app.store, &selection);
        let data = lines(&*app.store, &kinds, &selection, range, max_points, cancel)?;
        Ok(json::response(StatusCode::OK, &Answer { data }))
    })
    .await
}

fn lines(
    source: &dyn SeriesSource,
    kinds: &HashMap<String, Kind>,
    selection: &Selection,
    range: TimeRange,
    max_points: usize,
    cancel: &Cancel,
) -> Result<Vec<Line>, ApiError> {
    let mut budget = Budget::new(cancel);
    let mut lines = Vec::new();
    let mut points_left = limits::QUERY_POINTS;
    let mut block = Columns::default();
    for mut cursor in select(source, selection, range)? {
        let kind = kinds.get(cursor.labels().metric_name()).copied();
        let keep = Keep::of(kind.unwrap_or_default());
        let mut downsampler = Downsampler::new(range, max_points, keep);
        while cursor.next_block(&mut block)? {
            budget.spend(block.len())?;
            block.iter().for_each(|sample| downsampler.push(sample));
        }
        let samples = downsampler.finish();
        // One series more than fits is as much as is ever held.
        points_left = points_left.checked_sub(samples.len()).ok_or_else(|| {
            ApiError::too_much(format!(
                "the answer would hold more than {} points; narrow match[] or lower maxPoints",
                limits::QUERY_POINTS
            ))
        })?;
        if !samples.is_empty() {
            lines.push(Line::new(cursor.labels(), &samples));
        }
    }
    Ok(lines)
}

/// The kinds of the metrics in the selection, by name.
pub fn kinds(store: &Store, selection: &Selection) -> HashMap<String, Kind> {
    let mut kinds = HashMap::new();
    for series in selection.iter().flat_map(|matchers| store.series(matchers)) {
        let name = series.labels.metric_name();
        if !kinds.contains_key(name) {
            kinds.insert(name.to_owned(), series.kind);
        }
    }
    kinds
}

/// One cursor for each series of the selection, in order (I-RANGE-3).
pub fn select(
    source: &dyn SeriesSource,
    selection: &Selection,
    range: TimeRange,
) -> Result<Vec<Box<dyn SeriesCursor>>, ApiError> {
    if let [matchers] = selection.as_slice() {
        return Ok(source.select(matchers, range)?);
    }
    let mut by_labels = BTreeMap::new();
    for matchers in selection {
        for cursor in source.select(matchers, range)? {
            by_labels.entry(cursor.labels().clone()).or_insert(cursor);
        }
    }
    Ok(by_labels.into_values().collect())
}

/// What one query may read.
pub struct Budget<'a> {
    samples_left: u64,
    cancel: &'a Cancel,
}

impl<'a> Budget<'a> {
    /// The budget of one query.
    pub fn new(cancel: &'a Cancel) -> Self {
        Self {
            samples_left: limits::QUERY_SAMPLES,
            cancel,
        }
    }

    /// Takes a block's samples from the budget, and stops when nobody waits any more.
    pub fn spend(&mut self, samples: usize) -> Result<(), ApiError> {
        self.cancel.check()?;
        let left = self.samples_left.checked_sub(samples as u64);
        self.samples_left = left.ok_or_else(|| {
            ApiError::too_much(format!(
                "the query would read more than {} samples; narrow the time or match[]",
                limits::QUERY_SAMPLES
            ))
        })?;
        Ok(())
    }
}

impl Line {
    fn new(labels: &Labels, samples: &[Sample]) -> Self {
        Self {
            metric: labels.metric_name().to_owned(),
            labels: labels.clone(),
            points: samples.iter().filter_map(Point::from_sample).collect(),
            resolution: Resolution::Raw.as_str(),
        }
    }
}

fn labels_object<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    LabelsObject(labels).serialize(serializer)
}

#[cfg(test)]
mod tests;
