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
//! I-WRITE-2  What cannot be stored (native histograms), or refers to what is not there, costs only its
//!            series.
//! I-WRITE-3  No more than `limits::SAMPLES_PER_REQUEST` rows are made of a body.
//! I-WRITE-4  What is put together behind a body, and what is said of metrics, is bounded before it is
//!            copied: one string may be named by many series.
//! I-WRITE-5  A request of the other version is refused, not read as an empty one.
//! I-WRITE-6  A sample out of time costs only itself, not its series: an item is a series here, and
//!            the batch says that its samples stand for themselves.
//! Proved by: remote_write/tests.rs, tests/it/remote_write.rs of the server, fuzz target
//! `remote_write`.

use std::ops::Range;

use tinyobs_model::batch::grow;
use tinyobs_model::kind::metadata_text;
use tinyobs_model::labels::put_wire_message;
use tinyobs_model::{Kind, Refusal, Refused, Sample, WriteBatch, limits};

use crate::json::Decoded;
use crate::proto::{Fields, ProtoError, Value, read_varint};

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
    /// There is something in it, but nothing that this version of the protocol has.
    #[error(
        "body is not a request of this version of remote write, of which it has no field: send the \
         `content-type` of the version that it is"
    )]
    OtherVersion,
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
    decode_into(version, body, WriteBatch::new())
}

/// Like [`decode`], into a batch whose memory was used before.
///
/// # Errors
/// As those of [`decode`].
pub fn decode_into(
    version: Version,
    body: Vec<u8>,
    mut spare: WriteBatch,
) -> Result<Decoded, WriteError> {
    spare.recycle();
    // I-WRITE-6
    spare.set_loose();
    let mut rows = Rows {
        batch: spare,
        ..Rows::default()
    };
    check_version(version, &body)?;
    match version {
        Version::One => one(&body, &mut rows)?,
        Version::Two => return v2::two(body, rows),
    }
    Ok(rows.into_decoded(body))
}

/// I-WRITE-5: the versions share no number of a field, so a request of the other one has none of ours.
fn check_version(version: Version, body: &[u8]) -> Result<(), WriteError> {
    let ours: [u32; 2] = match version {
        Version::One => [1, 3],
        Version::Two => [4, 5],
    };
    let mut fields = Fields::new(body);
    // What is malformed is said by whoever reads it. Usually the first field is one of ours.
    let mut others = 0;
    while let Ok(next) = fields.next_field() {
        match next {
            Some((number, _)) if ours.contains(&number) => return Ok(()),
            Some(_) => others += 1,
            None if others > 0 => return Err(WriteError::OtherVersion),
            None => return Ok(()),
        }
    }
    Ok(())
}

/// What has been read so far.
#[derive(Default)]
struct Rows {
    batch: WriteBatch,
    refused: Vec<Refused>,
    items: u32,
    kinds: Vec<(String, Kind)>,
    described: Vec<(String, String, String)>,
    /// Bytes of both.
    described_bytes: usize,
    /// Labels that do not stand in the body in one piece, with the places they will have behind it.
    apart: Vec<u8>,
}

impl Rows {
    /// Adds a row, whose labels stand somewhere in what the batch will be over.
    #[inline]
    fn push(&mut self, labels: Range<usize>, sample: Sample) -> Result<(), WriteError> {
        let limit = limits::SAMPLES_PER_REQUEST;
        if self.batch.len() == limit {
            return Err(WriteError::TooMany {
                what: "samples",
                limit,
            });
        }
        self.batch
            .push_unchecked(self.items, labels, Kind::Unknown, sample, None);
        Ok(())
    }

    /// Notes what is wrong with the series in hand.
    fn refuse(&mut self, rule: Refusal, message: String) {
        self.refused.push(Refused {
            item: self.items,
            rule,
            message,
        });
    }

    fn refuse_histograms(&mut self) {
        let message = "native histograms are not stored; send classic ones";
        self.refuse(Refusal::HistogramInvalid, message.to_owned());
    }

    fn malformed(&self, source: ProtoError) -> WriteError {
        WriteError::Malformed {
            series: self.items,
            source,
        }
    }

    /// Counts a series, before anything is noted of it.
    fn begin_series(&self) -> Result<(), WriteError> {
        let limit = limits::SAMPLES_PER_REQUEST;
        if self.items as usize >= limit {
            return Err(WriteError::TooMany {
                what: "series",
                limit,
            });
        }
        Ok(())
    }

    fn describe(&mut self, family: &str, kind: Kind, unit: &str, help: &str) {
        if family.len() > limits::METRIC_NAME_BYTES {
            return;
        }
        let (unit, help) = (metadata_text(unit), metadata_text(help));
        for name in names_of(family, kind) {
            if !self.has_room_for(2 * name.len() + unit.len() + help.len()) {
                return;
            }
            if kind != Kind::Unknown {
                self.kinds.push((name.clone(), kind));
            }
            if !unit.is_empty() || !help.is_empty() {
                self.described
                    .push((name, unit.to_owned(), help.to_owned()));
            }
        }
    }

    /// I-WRITE-4: counts a description; where they would take more than half of what a request may,
    /// the rest is left out, for values count more.
    fn has_room_for(&mut self, text_bytes: usize) -> bool {
        const OVERHEAD: usize = 128;
        self.described_bytes += OVERHEAD + text_bytes;
        self.described_bytes <= limits::BATCH_BYTES / 2
    }

    /// I-WRITE-4: makes room for a label behind the others.
    fn reserve(&mut self, label_bytes: usize, limit: usize) -> Result<(), WriteError> {
        // A tag and a length for the label, its name and its value.
        const OVERHEAD: usize = 18;
        let more = OVERHEAD + label_bytes;
        if self.apart.len() + more > limit {
            return Err(WriteError::TooMany {
                what: "bytes of labels",
                limit,
            });
        }
        grow(&mut self.apart, more);
        Ok(())
    }

    /// Puts the bytes that the rows' labels stand in under them.
    fn into_decoded(mut self, mut body: Vec<u8>) -> Decoded {
        if body.is_empty() && body.capacity() < self.apart.len() {
            body = self.apart;
        } else {
            body.reserve_exact(self.apart.len());
            body.append(&mut self.apart);
        }
        *self.batch.arena() = body;
        for (name, kind) in self.kinds {
            self.batch.set_kind(name, kind);
        }
        for (name, unit, help) in self.described {
            self.batch.describe(&name, &unit, &help);
        }
        Decoded {
            batch: self.batch,
            refused: self.refused,
            items: self.items,
            source: None,
            more_sources: Vec::new(),
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
                rows.begin_series()?;
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
    let from = offset(body, bytes);
    // Labels stand in one piece at the front, as everybody writes them.
    let front = leading(bytes, LABEL);
    let labels = from..from + front;
    let mut is_scattered = false;
    let mut has_histograms = false;
    let first_row = rows.batch.len();
    let mut fields = Fields::from(bytes, front);
    while let Some((number, value)) = fields.next_field().map_err(|e| rows.malformed(e))? {
        match number {
            1 => is_scattered = true,
            2 => {
                let sample = sample(value).map_err(|e| rows.malformed(e))?;
                rows.push(labels.clone(), sample)?;
            }
            4 => has_histograms = true,
            _ => {}
        }
    }
    if has_histograms {
        rows.refuse_histograms();
    }
    if is_scattered {
        let labels = gather(body, bytes, rows)?;
        rows.batch.relabel(first_row, &labels);
    }
    Ok(())
}

/// Field 1 with wire type 2: a label of a series.
const LABEL: u8 = 1 << 3 | 2;

/// How many bytes at the front of a message are fields with this key, of less than 2^14 bytes each.
/// This is the inside of the loop that remote write spends its time in: a step a label.
#[inline]
fn leading(bytes: &[u8], key: u8) -> usize {
    let mut at = 0;
    while let [first, low, high, ..] = bytes[at..] {
        if first != key {
            break;
        }
        let next = match (low, high) {
            (0..=0x7f, _) => at + 2 + usize::from(low),
            (_, 0..=0x7f) => at + 3 + (usize::from(low & 0x7f) | usize::from(high) << 7),
            _ => break,
        };
        if next > bytes.len() {
            break;
        }
        at = next;
    }
    at
}

/// Puts labels that stand between other fields together behind the body, and says where.
fn gather(body: &[u8], bytes: &[u8], rows: &mut Rows) -> Result<Range<usize>, WriteError> {
    // The body, which is moved to make room behind it, is as large as this and they together.
    const MOST: usize = limits::BATCH_BYTES / 2;
    let from = body.len() + rows.apart.len();
    let mut fields = Fields::new(bytes);
    while let Some((number, value)) = fields.next_field().map_err(|e| rows.malformed(e))? {
        if number == 1 {
            rows.reserve(value.bytes().len(), MOST)?;
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
    let bytes = value.bytes();
    // As everybody writes it: both, in this order.
    if let Some(([0x09, value @ .., 0x10], time)) = bytes.split_first_chunk::<10>()
        && let Some((time_ms, len)) = read_varint(time)
        && len == time.len()
    {
        let value = f64::from_bits(u64::from_le_bytes(*value));
        return Ok(Sample::new(time_ms as i64, value));
    }
    let mut read = Sample::new(0, 0.0);
    let mut fields = Fields::new(bytes);
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
