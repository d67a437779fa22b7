//! Remote write: what Prometheus and its kin push, versions 1.0 and 2.0.
//!
//!   [`decompress`](crate::decompress) ─▶ [decode] ─▶ `WriteBatch` ─▶ store::append
//!
//! Of version 1.0 nothing is copied: the batch takes the body over, and its rows name the bytes of
//! their labels in it, by which the store finds a series it knows. Version 2.0 numbers its strings;
//! their pairs are put together behind the body. Names and numbers of the fields: the remote-write
//! specifications 1.0 and 2.0, and `types.proto` there.
//!
//! I-WRITE-1  A sample arrives with its bits as they were: a stale marker is one.
//! I-WRITE-2  What cannot be stored (native histograms) costs only its series.
//! I-WRITE-3  No more than `limits::SAMPLES_PER_REQUEST` rows are made of a body.
//! Proved by: remote_write/tests.rs, tests/it/remote_write.rs of the server, fuzz target
//! `remote_write`.

use std::ops::Range;

use tinyobs_model::labels::put_wire_message;
use tinyobs_model::{Kind, Refusal, Refused, Sample, WriteBatch, limits};

use crate::json::Decoded;
use crate::proto::{Fields, ProtoError, Value};

mod v2;

/// The two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `prometheus.WriteRequest`
    One,
    /// `io.prometheus.write.v2.Request`
    Two,
}

impl Version {
    /// The version that a `Content-Type` names; none when it is another message, or none of these.
    /// Senders of the first hour named none: that is 1.0.
    pub fn of_content_type(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        match parts.next()? {
            "" => return Some(Self::One),
            essence if essence.eq_ignore_ascii_case("application/x-protobuf") => {}
            _ => return None,
        }
        let message = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("proto").then_some(value)
        });
        match message {
            None | Some("prometheus.WriteRequest") => Some(Self::One),
            Some("io.prometheus.write.v2.Request") => Some(Self::Two),
            Some(_) => None,
        }
    }
}

/// Why a whole body was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Not the message that it should be.
    #[error("body is not a remote-write request: series {series}: {source}")]
    Malformed {
        /// Series before the place.
        series: u32,
        /// What is wrong.
        source: ProtoError,
    },
    /// A series names a string that the request does not have.
    #[error("series {series} refers to string {symbol}, of {symbols} in the request")]
    NoSymbol {
        /// Counted from 0.
        series: u32,
        /// What it refers to.
        symbol: u64,
        /// Strings in the request.
        symbols: usize,
    },
    /// Too much for one request.
    #[error("body has more than {limit} {what}; send them in several requests")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound that was passed.
        limit: usize,
    },
}

/// Reads an unpacked body.
///
/// # Errors
/// The body as a whole cannot be read; nothing of it may be stored then.
pub fn decode(version: Version, body: Vec<u8>) -> Result<Decoded, WriteError> {
    let mut rows = Rows::default();
    match version {
        Version::One => one(&body, &mut rows)?,
        Version::Two => return v2::two(body, rows),
    }
    Ok(rows.into_decoded(WriteBatch::over(body)))
}

/// A row whose labels are still a place in the body.
struct RawRow {
    item: u32,
    labels: Range<usize>,
    kind: Kind,
    sample: Sample,
    start_ms: Option<i64>,
}

/// What has been read so far.
#[derive(Default)]
struct Rows {
    samples: Vec<RawRow>,
    refused: Vec<Refused>,
    items: u32,
    kinds: Vec<(String, Kind)>,
    described: Vec<(String, String, String)>,
    /// Labels that do not stand in the body in one piece, with the places they will have behind it.
    apart: Vec<u8>,
}

impl Rows {
    fn push(&mut self, row: RawRow) -> Result<(), WriteError> {
        let limit = limits::SAMPLES_PER_REQUEST;
        if self.samples.len() == limit {
            return Err(WriteError::TooMany {
                what: "samples",
                limit,
            });
        }
        self.samples.push(row);
        Ok(())
    }

    fn refuse_histograms(&mut self) {
        self.refused.push(Refused {
            item: self.items,
            rule: Refusal::HistogramInvalid,
            message: "native histograms are not stored; send classic ones".to_owned(),
        });
    }

    fn malformed(&self, source: ProtoError) -> WriteError {
        WriteError::Malformed {
            series: self.items,
            source,
        }
    }

    fn describe(&mut self, family: &str, kind: Kind, unit: &str, help: &str) {
        for name in names_of(family, kind) {
            if kind != Kind::Unknown {
                self.kinds.push((name.clone(), kind));
            }
            if !unit.is_empty() || !help.is_empty() {
                self.described
                    .push((name, unit.to_owned(), help.to_owned()));
            }
        }
    }

    fn into_decoded(self, mut batch: WriteBatch) -> Decoded {
        batch.arena().extend_from_slice(&self.apart);
        batch.reserve(self.samples.len());
        for row in self.samples {
            batch.push_unchecked(row.item, row.labels, row.kind, row.sample, row.start_ms);
        }
        for (name, kind) in self.kinds {
            batch.set_kind(name, kind);
        }
        for (name, unit, help) in self.described {
            batch.describe(&name, &unit, &help);
        }
        Decoded {
            batch,
            refused: self.refused,
            items: self.items,
            source: None,
        }
    }
}

/// `WriteRequest`: 1 time series, 3 metadata.
fn one(body: &[u8], rows: &mut Rows) -> Result<(), WriteError> {
    let mut fields = Fields::new(body);
    let mut descriptions = 0;
    while let Some((number, value)) = fields.next_field().map_err(|e| rows.malformed(e))? {
        match (number, value) {
            (1, Value::Bytes(bytes)) => {
                series(body, bytes, rows)?;
                rows.items += 1;
            }
            (3, Value::Bytes(bytes)) => {
                descriptions += 1;
                if descriptions > limits::DESCRIPTIONS_PER_REQUEST {
                    return Err(WriteError::TooMany {
                        what: "descriptions of metrics",
                        limit: limits::DESCRIPTIONS_PER_REQUEST,
                    });
                }
                metadata(bytes, rows).map_err(|e| rows.malformed(e))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// `TimeSeries`: 1 label, 2 sample, 3 exemplar, 4 native histogram.
fn series(body: &[u8], bytes: &[u8], rows: &mut Rows) -> Result<(), WriteError> {
    let mut fields = Fields::new(bytes);
    // Labels that stand in one piece at the front, as everybody writes them.
    let mut front = 0;
    let mut is_scattered = false;
    let first_row = rows.samples.len();
    let mut has_histograms = false;
    loop {
        let before = fields.position();
        let Some((number, value)) = fields.next_field().map_err(|e| rows.malformed(e))? else {
            break;
        };
        match number {
            1 if before == front => front = fields.position(),
            1 => is_scattered = true,
            2 => {
                let sample = sample(value).map_err(|e| rows.malformed(e))?;
                rows.push(RawRow {
                    item: rows.items,
                    labels: 0..0,
                    kind: Kind::Unknown,
                    sample,
                    start_ms: None,
                })?;
            }
            4 => has_histograms = true,
            _ => {}
        }
    }
    if has_histograms {
        rows.refuse_histograms();
    }
    let from = offset(body, bytes);
    let labels = if is_scattered {
        gather(body, bytes, rows).map_err(|e| rows.malformed(e))?
    } else {
        from..from + front
    };
    for row in &mut rows.samples[first_row..] {
        row.labels = labels.clone();
    }
    Ok(())
}

/// Puts labels that stand between other fields together behind the body, and says where.
fn gather(body: &[u8], bytes: &[u8], rows: &mut Rows) -> Result<Range<usize>, ProtoError> {
    let from = body.len() + rows.apart.len();
    let mut fields = Fields::new(bytes);
    while let Some((number, value)) = fields.next_field()? {
        if number == 1 {
            put_wire_message(&mut rows.apart, value.bytes());
        }
    }
    Ok(from..body.len() + rows.apart.len())
}

/// Where a part of the body begins in it.
fn offset(body: &[u8], part: &[u8]) -> usize {
    part.as_ptr() as usize - body.as_ptr() as usize
}

/// `Sample`: 1 value, 2 time in ms.
#[inline]
fn sample(value: Value<'_>) -> Result<Sample, ProtoError> {
    let mut read = Sample::new(0, 0.0);
    let mut fields = Fields::new(value.bytes());
    while let Some((number, value)) = fields.next_field()? {
        match number {
            1 => read.value = value.double(),
            2 => read.time_ms = value.signed(),
            _ => {}
        }
    }
    Ok(read)
}

/// `MetricMetadata`: 1 kind, 2 family, 4 help, 5 unit.
fn metadata(bytes: &[u8], rows: &mut Rows) -> Result<(), ProtoError> {
    let (mut kind, mut family, mut help, mut unit) = (0, &[][..], &[][..], &[][..]);
    let mut fields = Fields::new(bytes);
    while let Some((number, value)) = fields.next_field()? {
        match number {
            1 => kind = value.number(),
            2 => family = value.bytes(),
            4 => help = value.bytes(),
            5 => unit = value.bytes(),
            _ => {}
        }
    }
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    let family = text(family);
    if !family.is_empty() {
        rows.describe(family, kind_of(kind), text(unit), text(help));
    }
    Ok(())
}

/// Both versions number the kinds alike: 0 unknown, 1 counter, 2 gauge, 3 histogram, 4 gauge
/// histogram, 5 summary, 6 info, 7 state set.
fn kind_of(number: u64) -> Kind {
    match number {
        1 => Kind::Counter,
        // The buckets of a gauge histogram go up and down.
        2 | 4 | 6 | 7 => Kind::Gauge,
        3 => Kind::Histogram,
        5 => Kind::Summary,
        _ => Kind::Unknown,
    }
}

/// The names of the series of a family.
fn names_of(family: &str, kind: Kind) -> Vec<String> {
    let with = |suffix: &str| format!("{family}{suffix}");
    match kind {
        Kind::Histogram => vec![with("_bucket"), with("_sum"), with("_count")],
        Kind::Summary => vec![with(""), with("_sum"), with("_count")],
        // OpenMetrics names the family without what every counter ends with.
        Kind::Counter if !family.ends_with("_total") => vec![with(""), with("_total")],
        _ => vec![with("")],
    }
}

#[cfg(test)]
mod tests;
