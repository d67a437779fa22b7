//! Range: `GET /v1/query/range`, lines for charts.
//!
//!   store::select_resolved ─▶ samples │ rows of rollups ─▶ [`rows`] ─▶ [`downsample`] ─▶ points
//!
//! A reader of so many points of such a window needs no more than one value every window / points:
//! that step decides which resolution the store answers in, and the answer says which it was.
//!
//! I-RANGE-1  A series has at most `maxPoints` points; the lowest and highest value are among them
//!            unless it is cumulative.
//! I-RANGE-2  What a query may read and hold is counted while it reads, not afterwards.
//! I-RANGE-3  Series come in the order of their labels, each once, whatever the selectors.
//! I-RANGE-4  A counter that restarts inside a bucket or a row keeps its increase, see I-DOWN-4 and
//!            I-POINTS-3.
//! I-RANGE-5  Every point lies inside the asked range, and on a stretch that the answer lists with
//!            its resolution.
//! Proved by: range/tests.rs, range/rows/tests.rs, range/downsample/tests.rs, tests/it/query.rs,
//! tests/it/resolution.rs.

use std::collections::{BTreeMap, HashMap};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Serialize, Serializer};
use tinyobs_model::{
    Kind, Labels, Matcher, Resolution, ResolvedCursor, Sample, SelectError, SeriesCursor,
    SeriesSource, Stretch, TimeRange, limits,
};
use tinyobs_store::Store;

use crate::error::ApiError;
use crate::gate::Cancel;
use crate::json::{self, LabelsObject, Point};
use crate::params::{Params, Selection};
use crate::state::App;
use crate::warnings::warnings;

mod answered;
mod budget;
pub mod downsample;
mod rows;

use answered::{Answered, Stretches};
pub use budget::Budget;
use downsample::{Downsampler, Keep};

#[derive(Serialize)]
struct Answer {
    data: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<&'static str>,
}

/// One series as a chart draws it.
#[derive(Serialize)]
struct Line {
    metric: String,
    #[serde(serialize_with = "labels_object")]
    labels: Labels,
    points: Vec<Point>,
    /// The coarsest of `stretches`.
    resolution: &'static str,
    stretches: Vec<Answered>,
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
            "query window too large (max 10 years)",
        ));
    }
    app.query(move |app, cancel| {
        let selection = params.selection(cancel)?;
        let kinds = kinds(&app.store, &selection);
        let data = lines(&*app.store, &kinds, &selection, range, max_points, cancel)?;
        let warnings = warnings(app);
        Ok(json::response(StatusCode::OK, &Answer { data, warnings }))
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
    let mut stretch = Stretch::default();
    let step_ms = step_ms(range, max_points);
    let cursors = union(selection, |matchers| {
        source.select_resolved(matchers, range, step_ms)
    })?;
    for mut cursor in cursors {
        let kind = kinds.get(cursor.labels().metric_name()).copied();
        let keep = Keep::of(kind.unwrap_or_default());
        let mut downsampler = Downsampler::new(range, max_points, keep);
        let mut stretches = Stretches::default();
        while cursor.next_stretch(&mut stretch)? {
            budget.spend(stretch.samples.len() + stretch.rollups.len())?;
            stretches.push(&stretch, range);
            match stretch.resolution {
                Resolution::Raw => stretch.samples.iter().for_each(|s| downsampler.push(s)),
                _ => stretch
                    .rollups
                    .iter()
                    .flat_map(|row| rows::points(row, keep, range))
                    .for_each(|point| downsampler.push(point)),
            }
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
            lines.push(Line::new(cursor.labels(), &samples, stretches));
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
    union(selection, |matchers| source.select(matchers, range))
}

/// One cursor for each series that any selector selects, in order (I-RANGE-3).
pub fn union<C: Labelled>(
    selection: &Selection,
    select: impl Fn(&[Matcher]) -> Result<Vec<C>, SelectError>,
) -> Result<Vec<C>, ApiError> {
    if let [matchers] = selection.as_slice() {
        return Ok(select(matchers)?);
    }
    let mut by_labels = BTreeMap::new();
    for matchers in selection {
        for cursor in select(matchers)? {
            by_labels.entry(cursor.series().clone()).or_insert(cursor);
        }
    }
    Ok(by_labels.into_values().collect())
}

/// A cursor of either sort.
pub trait Labelled {
    /// Whose cursor it is.
    fn series(&self) -> &Labels;
}

impl Labelled for Box<dyn SeriesCursor> {
    fn series(&self) -> &Labels {
        self.labels()
    }
}

impl Labelled for Box<dyn ResolvedCursor> {
    fn series(&self) -> &Labels {
        self.labels()
    }
}

/// How far apart so many points of this range are, and so how coarse the data may be.
fn step_ms(range: TimeRange, max_points: usize) -> i64 {
    let window_ms = range.end_ms.saturating_sub(range.start_ms);
    (window_ms / max_points as i64).max(1)
}

impl Line {
    fn new(labels: &Labels, samples: &[Sample], stretches: Stretches) -> Self {
        Self {
            metric: labels.metric_name().to_owned(),
            labels: labels.clone(),
            points: samples.iter().filter_map(Point::from_sample).collect(),
            resolution: stretches.coarsest().as_str(),
            stretches: stretches.into_vec(),
        }
    }
}

fn labels_object<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    LabelsObject(labels).serialize(serializer)
}

#[cfg(test)]
mod tests;
