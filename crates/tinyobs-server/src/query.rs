//! Query: `GET /v1/query`, samples as they are stored.
//!
//!   store::select ─▶ blocks of samples ─▶ one JSON row each
//!
//! The text is written as it is read: a row repeats its series' labels, and as values they would
//! take many times the memory. NaN and infinity have no JSON number, so such samples are left out.

use std::io::Write;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tinyobs_model::{Columns, Kind, Labels, limits};
use tinyobs_wire::encode::{write_f64, write_text};
use tinyobs_wire::time;

use crate::error::ApiError;
use crate::json::{self, LabelsObject};
use crate::params::Params;
use crate::range::{Budget, kinds, select};
use crate::state::App;
use crate::warnings::warnings;

/// `GET /v1/query`
pub async fn dump(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let known = ["metric", "match[]", "start", "end", "limit"];
    let params = Params::parse(request.uri().query(), &known)?;
    let range = params.range(app.now_ms())?;
    let limit = params.count(
        "limit",
        limits::DUMP_SAMPLES_DEFAULT,
        limits::DUMP_SAMPLES_MAX,
    )?;
    app.query(move |app, cancel| {
        let selection = params.selection(cancel)?;
        let kinds = kinds(&app.store, &selection);
        let mut budget = Budget::new(cancel);
        let mut rows = Rows::new(limit);
        let mut block = Columns::default();
        'series: for mut cursor in select(&*app.store, &selection, range)? {
            let labels = cursor.labels();
            let kind = kinds.get(labels.metric_name()).copied();
            rows.begin_series(labels, kind.unwrap_or_default());
            while cursor.next_block(&mut block)? {
                budget.spend(block.len())?;
                for sample in block.iter().filter(|sample| sample.value.is_finite()) {
                    if !rows.push(sample.time_ms, sample.value) {
                        break 'series;
                    }
                }
            }
        }
        Ok(json::from_text(StatusCode::OK, rows.finish(&warnings(app))))
    })
    .await
}

/// The answer as it grows.
struct Rows {
    text: Vec<u8>,
    /// What all rows of the series begin and end with.
    head: Vec<u8>,
    tail: Vec<u8>,
    count: usize,
    limit: usize,
    is_truncated: bool,
}

impl Rows {
    fn new(limit: usize) -> Self {
        Self {
            text: b"{\"metrics\":[".to_vec(),
            head: Vec::new(),
            tail: Vec::new(),
            count: 0,
            limit,
            is_truncated: false,
        }
    }

    fn begin_series(&mut self, labels: &Labels, kind: Kind) {
        self.head.clear();
        self.head.extend_from_slice(b"{\"name\":");
        write_text(&mut self.head, labels.metric_name());
        self.head.extend_from_slice(b",\"type\":\"");
        self.head.extend_from_slice(kind.as_str().as_bytes());
        self.head.extend_from_slice(b"\",\"value\":");
        self.tail.clear();
        self.tail.extend_from_slice(b",\"labels\":");
        serde_json::to_writer(&mut self.tail, &LabelsObject(labels))
            .expect("labels have string keys only");
        self.tail.extend_from_slice(b",\"timestamp\":\"");
    }

    /// False when there is no room for the row.
    fn push(&mut self, time_ms: i64, value: f64) -> bool {
        if self.count == self.limit || self.text.len() + self.tail.len() > limits::DUMP_BYTES {
            self.is_truncated = true;
            return false;
        }
        if self.count > 0 {
            self.text.push(b',');
        }
        self.text.extend_from_slice(&self.head);
        write_f64(&mut self.text, value);
        self.text.extend_from_slice(&self.tail);
        self.text
            .extend_from_slice(time::format_rfc3339(time_ms).as_bytes());
        self.text.extend_from_slice(b"\"}");
        self.count += 1;
        true
    }

    fn finish(mut self, warnings: &[&str]) -> Vec<u8> {
        // Writing to a Vec cannot fail.
        let _ = write!(
            self.text,
            "],\"count\":{},\"truncated\":{}",
            self.count, self.is_truncated
        );
        if !warnings.is_empty() {
            self.text.extend_from_slice(b",\"warnings\":");
            serde_json::to_writer(&mut self.text, warnings).expect("strings have no other keys");
        }
        self.text.extend_from_slice(b"}\n");
        self.text
    }
}
