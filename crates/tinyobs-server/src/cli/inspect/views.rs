//! Views: the rows that each view shows.

use std::error::Error;

use serde_json::{Value, json};
use tinyobs_model::{Matcher, Sample};
use tinyobs_store::inspect::{ChunkInfo, Inspector, LogRecord};
use tinyobs_store::wal::record::Record;
use tinyobs_wire::time::format_rfc3339;

use super::{ROLLED, Row};

type Rows = Result<Vec<Row>, Box<dyn Error>>;

/// How much there is of what.
pub fn summary(inspector: &Inspector) -> Rows {
    let overview = inspector.overview()?;
    let mut rows = vec![Row(vec![
        ("series", json!(overview.series)),
        ("next_series", json!(overview.counters.next_series)),
        ("next_sequence", json!(overview.counters.next_sequence)),
        ("rolled_up_to_sequence", json!(overview.counters.rolled)),
        ("first_log_segment", json!(overview.counters.first_segment)),
        ("in_use", json!(overview.is_in_use)),
    ])];
    for (space, tables, bytes, samples) in overview.spaces {
        rows.push(Row(vec![
            ("space", json!(space.as_str())),
            ("files", json!(tables)),
            ("bytes", json!(bytes)),
            ("samples_or_windows", json!(samples)),
            ("bytes_each", per(bytes, samples)),
        ]));
    }
    let (segments, bytes) = overview.log;
    rows.push(Row(vec![
        ("space", json!("wal")),
        ("files", json!(segments)),
        ("bytes", json!(bytes)),
        ("samples_or_windows", Value::Null),
        ("bytes_each", Value::Null),
    ]));
    Ok(rows)
}

/// The records of the log.
pub fn wal(inspector: &Inspector) -> Rows {
    let mut rows = Vec::new();
    inspector.log(&mut |entry| rows.push(record(inspector, &entry)))?;
    Ok(rows)
}

fn record(inspector: &Inspector, entry: &LogRecord) -> Row {
    let (kind, items, detail) = match &entry.record {
        None => ("unknown", 0, String::new()),
        Some(Record::Series(series)) => {
            let first = series.first();
            let detail = first.map(|(id, labels)| format!("{id} = {labels}"));
            ("series", series.len(), detail.unwrap_or_default())
        }
        Some(Record::Floats(samples)) => {
            let detail = samples.first().map(|(id, sample)| {
                let labels = inspector.labels(*id);
                let labels = labels.map_or_else(|| id.to_string(), ToString::to_string);
                format!(
                    "{labels} {} {}",
                    sample.value,
                    format_rfc3339(sample.time_ms)
                )
            });
            ("floats", samples.len(), detail.unwrap_or_default())
        }
        Some(Record::Metadata(metrics)) => {
            let first = metrics.first();
            let detail = first.map(|(name, known)| format!("{name}: {}", known.kind));
            ("metadata", metrics.len(), detail.unwrap_or_default())
        }
    };
    let file = entry.path.file_name().unwrap_or_default();
    Row(vec![
        ("segment", json!(file.to_string_lossy())),
        ("offset", json!(entry.offset)),
        ("bytes", json!(entry.bytes)),
        ("record", json!(kind)),
        ("items", json!(items)),
        ("bytes_each", per(entry.bytes, items as u64)),
        ("first", json!(detail)),
    ])
}

/// The tables.
pub fn tables(inspector: &Inspector) -> Vec<Row> {
    let all = inspector.tables();
    let row = |table: &tinyobs_store::inspect::TableInfo| {
        let line = &table.line;
        let has_times = line.summary.samples > 0;
        let time = |ms: i64| has_times.then(|| format_rfc3339(ms));
        let file = table.path.file_name().unwrap_or_default();
        Row(vec![
            ("space", json!(line.partition.space.as_str())),
            (
                "partition",
                json!(has_times.then(|| day(line.partition.start_ms))),
            ),
            ("table", json!(file.to_string_lossy())),
            ("bytes", json!(line.bytes)),
            ("entries", json!(line.entries)),
            ("samples_or_windows", json!(line.summary.samples)),
            ("bytes_each", per(line.bytes, line.summary.samples)),
            ("sequence", json!(line.summary.sequence)),
            ("first", json!(time(line.summary.first_ms))),
            ("last", json!(time(line.summary.last_ms))),
        ])
    };
    all.iter().map(row).collect()
}

/// The chunks of each selected series, and what of it stands in the log.
pub fn series(inspector: &Inspector, matchers: &[Matcher]) -> Rows {
    let mut rows = Vec::new();
    for (id, labels) in inspector.series(matchers) {
        let labels = labels.to_string();
        for chunk in inspector.chunks(id)? {
            rows.push(chunk_row(&labels, &chunk));
        }
        let mut logged: Vec<Sample> = Vec::new();
        inspector.log(&mut |entry| {
            if let Some(Record::Floats(samples)) = entry.record {
                let own = samples.into_iter().filter(|(of, _)| *of == id);
                logged.extend(own.map(|(_, sample)| sample));
            }
        })?;
        if let (Some(first), Some(last)) = (
            logged.iter().map(|sample| sample.time_ms).min(),
            logged.iter().map(|sample| sample.time_ms).max(),
        ) {
            rows.push(Row(vec![
                ("series", json!(labels)),
                ("where", json!("wal")),
                ("first", json!(format_rfc3339(first))),
                ("last", json!(format_rfc3339(last))),
                ("samples", json!(logged.len())),
                ("bytes", Value::Null),
                ("bytes_each", Value::Null),
                ("ratio", Value::Null),
                ("of_times", Value::Null),
                ("times", Value::Null),
                ("of_values", Value::Null),
                ("values", Value::Null),
            ]));
        }
    }
    Ok(rows)
}

fn chunk_row(labels: &str, chunk: &ChunkInfo) -> Row {
    /// Bytes of a time and a value as they are in memory.
    const PLAIN_BYTES: u64 = 16;
    let ratio = (PLAIN_BYTES * chunk.samples) as f64 / chunk.bytes.max(1) as f64;
    Row(vec![
        ("series", json!(labels)),
        ("where", json!(format!("table {}", chunk.table))),
        ("first", json!(format_rfc3339(chunk.first_ms))),
        ("last", json!(format_rfc3339(chunk.last_ms))),
        ("samples", json!(chunk.samples)),
        ("bytes", json!(chunk.bytes)),
        ("bytes_each", per(chunk.bytes, chunk.samples)),
        ("ratio", json!(rounded(ratio))),
        ("of_times", json!(chunk.layout.times_bytes)),
        ("times", json!(chunk.layout.times)),
        ("of_values", json!(chunk.layout.values_bytes)),
        ("values", json!(chunk.layout.values)),
    ])
}

/// The rollup rows of each selected series.
pub fn rollups(inspector: &Inspector, matchers: &[Matcher]) -> Rows {
    let mut rows = Vec::new();
    for (id, labels) in inspector.series(matchers) {
        for resolution in ROLLED {
            for chunk in inspector.rollups(id, resolution)? {
                for row in &chunk.rows {
                    let known = |value: f64| (row.count > 0).then_some(value);
                    rows.push(Row(vec![
                        ("series", json!(labels.to_string())),
                        ("window", json!(resolution.as_str())),
                        ("start", json!(format_rfc3339(row.start_ms))),
                        ("count", json!(row.count)),
                        ("sum", json!(known(row.sum))),
                        ("min", json!(known(row.min))),
                        ("max", json!(known(row.max))),
                        ("first", json!(known(row.first.value))),
                        ("last", json!(known(row.last.value))),
                        ("increase", json!(known(row.increase))),
                        ("ended", json!(row.ended)),
                        ("table", json!(chunk.table)),
                    ]));
                }
            }
        }
    }
    Ok(rows)
}

fn per(bytes: u64, items: u64) -> Value {
    match items {
        0 => Value::Null,
        items => json!(rounded(bytes as f64 / items as f64)),
    }
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The day that a partition begins at.
fn day(start_ms: i64) -> String {
    format_rfc3339(start_ms)[..10].to_owned()
}
