//! Export: everything stored of some series, of any size, as text.
//!
//!   match[], start, end ─▶ store::select_resolved ─▶ [`json`] │ [`csv`] │ [`open`] ─▶ [`streamed`]
//!
//! `GET /v1/export` in one of three formats, `GET /api/v1/export` in VictoriaMetrics'. Where raw
//! samples are kept, they are what is exported; where only rollups are left, their rows: as rows in
//! our own JSON, and as their last value elsewhere.
//!
//! Series come one after the other in the order of their labels, except in OpenMetrics, which wants
//! families together and the parts of a histogram side by side.
//!
//! I-EXPORT-1  Nothing is cut off: what is in the asked range is in the answer, or the answer ends
//!             before its last byte (I-STREAM-1).
//! I-EXPORT-2  What is held is the labels of the series and a block of samples of the series being
//!             written, however long it is. (In OpenMetrics: a block for each part of a histogram.)
//! I-EXPORT-3  JSON imported into a new store makes the same samples, bit for bit.
//! I-EXPORT-5  A series that cannot be read costs the others nothing: they follow, a last line names
//!             those that are not whole, and the answer is broken off there all the same.
//! Proved by: tests/it/export.rs, tests/it/round_trip.rs, tests/it/damaged.rs.

use std::collections::HashMap;
use std::io::{self, Write};

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use tinyobs_model::{
    Metadata, Resolution, ResolvedCursor, Sample, SeriesSource, Stretch, TimeRange,
    is_stale_marker, limits,
};
use tinyobs_store::Store;
use tinyobs_wire::exposition::{self, About};
use tinyobs_wire::{csv as table, time};

use crate::error::ApiError;
use crate::params::{Params, Selection};
use crate::range::union;
use crate::state::App;
use crate::streamed;

mod csv;
mod json;
mod open;
mod unread;

pub use unread::Unread;

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines of JSON that say everything, [`tinyobs_wire::lines`].
    Json,
    /// A table.
    Csv,
    /// OpenMetrics with a time for each sample.
    OpenMetrics,
    /// Lines of JSON as VictoriaMetrics writes them, of so many samples each.
    VictoriaMetrics {
        /// At most.
        line_samples: usize,
    },
}

impl Format {
    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "openmetrics" => Some(Self::OpenMetrics),
            _ => None,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-ndjson",
            Self::Csv => table::CONTENT_TYPE,
            Self::OpenMetrics => exposition::Format::OpenMetrics.content_type(),
            Self::VictoriaMetrics { .. } => "application/stream+json; charset=utf-8",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Json | Self::VictoriaMetrics { .. } => "jsonl",
            Self::Csv => "csv",
            Self::OpenMetrics => "txt",
        }
    }
}

/// `GET /v1/export`
pub async fn export(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let known = ["format", "metric", "match[]", "start", "end"];
    let params = Params::parse(request.uri().query(), &known)?;
    let format = Format::named(params.text("format").unwrap_or("json")).ok_or_else(|| {
        ApiError::bad_request("parameter \"format\": it must be json, csv or openmetrics")
    })?;
    let mut response = answer(&app, params, format).await?;
    let at = time::format_rfc3339(app.now_ms());
    let digits: String = at
        .bytes()
        .take(19)
        .filter(u8::is_ascii_digit)
        .map(char::from)
        .collect();
    let (day, moment) = digits.split_at_checked(8).unwrap_or((&digits, ""));
    let extension = format.extension();
    let disposition = format!("attachment; filename=\"tinyobs-export-{day}-{moment}.{extension}\"");
    let disposition = HeaderValue::from_str(&disposition).expect("digits are ASCII");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// `GET /api/v1/export`
pub async fn victoriametrics(
    State(app): State<App>,
    request: Request,
) -> Result<Response, ApiError> {
    let known = [
        "match[]",
        "start",
        "end",
        "max_rows_per_line",
        "reduce_mem_usage",
    ];
    let params = Params::parse(request.uri().query(), &known)?;
    if params.text("match[]").is_none() {
        return Err(ApiError::bad_request("parameter \"match[]\" is required"));
    }
    let line_samples = params.count(
        "max_rows_per_line",
        limits::LINE_SAMPLES_DEFAULT,
        limits::LINE_SAMPLES_MAX,
    )?;
    answer(&app, params, Format::VictoriaMetrics { line_samples }).await
}

async fn answer(app: &App, params: Params, format: Format) -> Result<Response, ApiError> {
    let range = params.range_or_all()?;
    let place = std::sync::Arc::clone(&app.exports).try_acquire_owned();
    let place = place.map_err(|_| {
        let message = "as many exports as may be are being read; ask again when one has ended";
        ApiError::unavailable(message).retry_after(10)
    })?;
    // What may be refused is found out before the answer begins.
    let export = app.query(move |app, cancel| {
        let selection = params.selection(cancel)?;
        Export::new(&app.store, &selection, range)
    });
    let export = export.await?;
    let mut response = streamed::answer(place, "an export", move |out| export.write(format, out));
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static(format.content_type());
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What is to be exported, nothing of it read yet.
pub struct Export {
    series: Vec<Box<dyn ResolvedCursor>>,
    metrics: HashMap<String, Metadata>,
}

impl Export {
    /// Everything of the selection in `range`.
    pub fn new(store: &Store, selection: &Selection, range: TimeRange) -> Result<Self, ApiError> {
        // As fine as it is kept.
        const STEP_MS: i64 = 1;
        let metrics = store.metrics().into_iter();
        Ok(Self {
            series: union(selection, |matchers| {
                store.select_resolved(matchers, range, STEP_MS)
            })?,
            metrics: metrics
                .map(|metric| (metric.name, metric.metadata))
                .collect(),
        })
    }

    /// Reads and writes everything.
    pub fn write(self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Json => json::write(self, None, out),
            Format::VictoriaMetrics { line_samples } => json::write(self, Some(line_samples), out),
            Format::Csv => csv::write(self, out),
            Format::OpenMetrics => open::write(self, out),
        }
    }
}

fn about(metadata: &Metadata) -> About<'_> {
    About {
        help: &metadata.help,
        unit: &metadata.unit,
    }
}

/// Whether there is a next stretch: what cannot be read ends its series, not the export (I-EXPORT-5).
fn next(cursor: &mut dyn ResolvedCursor, stretch: &mut Stretch, unread: &mut Unread) -> bool {
    match cursor.next_stretch(stretch) {
        Ok(is_more) => is_more,
        Err(error) => {
            unread.note(cursor.labels(), &error);
            *stretch = Stretch::default();
            false
        }
    }
}

/// The samples of a stretch for formats that have nothing else: of rows the last values, and no
/// markers of an end, for which those formats have no word.
fn plain_samples(stretch: &Stretch) -> impl Iterator<Item = Sample> {
    let rows = stretch.rollups.iter().filter(|row| row.count > 0);
    let is_raw = stretch.resolution == Resolution::Raw;
    let samples = is_raw.then(|| stretch.samples.iter()).into_iter().flatten();
    samples
        .chain(rows.map(|row| row.last))
        .filter(|sample| !is_stale_marker(sample.value))
}
