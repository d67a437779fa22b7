//! Version 2.0: strings once a request, kind, help and unit with each series.

use std::collections::HashSet;

use tinyobs_model::labels::{METRIC_NAME, put_wire_pair};
use tinyobs_model::{Kind, Refusal, Sample, limits};

use super::{Rows, WriteError, kind_of};
use crate::json::Decoded;
use crate::proto::{Fields, ProtoError, Value, packed_varints};

/// What a series says besides its labels.
#[derive(Default)]
struct Said {
    kind: Kind,
    help: u64,
    unit: u64,
    /// Of the series.
    created_ms: Option<i64>,
    /// Of its newest sample that says so.
    started_ms: Option<i64>,
}

/// Why a series is not stored.
enum Wrong {
    /// It refers to what is not there.
    Series(String),
    Body(WriteError),
}

impl From<WriteError> for Wrong {
    fn from(error: WriteError) -> Self {
        Self::Body(error)
    }
}

/// `Request`: 4 strings, 5 time series.
pub fn two(mut body: Vec<u8>, mut rows: Rows) -> Result<Decoded, WriteError> {
    let mut symbols: Vec<&[u8]> = Vec::new();
    let mut fields = Fields::new(&body);
    // The strings stand before the series that use them, or so everybody writes them.
    while let Some((number, value)) = fields.next_field().map_err(|e| rows.malformed(e))? {
        if number == 4 {
            if symbols.len() == limits::SYMBOLS_PER_REQUEST {
                return Err(WriteError::TooMany {
                    what: "strings",
                    limit: limits::SYMBOLS_PER_REQUEST,
                });
            }
            symbols.push(value.bytes());
        }
    }
    let mut reader = Reader {
        symbols,
        described: HashSet::new(),
        refs: Vec::new(),
    };
    let mut fields = Fields::new(&body);
    while let Some((number, value)) = fields.next_field().map_err(|e| rows.malformed(e))? {
        if number == 5 {
            rows.begin_series()?;
            reader.series(value.bytes(), &mut rows)?;
            rows.items += 1;
        }
    }
    drop(reader);
    // Every label is put together: nothing of the body is needed any more, only its memory.
    body.clear();
    Ok(rows.into_decoded(body))
}

struct Reader<'a> {
    symbols: Vec<&'a [u8]>,
    /// Names whose kind, help and unit have been noted.
    described: HashSet<&'a [u8]>,
    refs: Vec<u64>,
}

impl<'a> Reader<'a> {
    /// `TimeSeries`: 1 label references, 2 samples, 3 native histograms, 4 exemplars, 5 metadata,
    /// 6 created.
    fn series(&mut self, bytes: &[u8], rows: &mut Rows) -> Result<(), WriteError> {
        let first_row = rows.batch.len();
        let mut said = Said::default();
        let mut has_histograms = false;
        self.refs.clear();
        let mut fields = Fields::new(bytes);
        while let Some((number, value)) = fields.next_field().map_err(|e| rows.malformed(e))? {
            match number {
                1 => self.references(value).map_err(|e| rows.malformed(e))?,
                2 => {
                    let (sample, start_ms) = sample(value).map_err(|e| rows.malformed(e))?;
                    said.started_ms = start_ms.or(said.started_ms);
                    rows.push(0..0, sample)?;
                }
                3 => has_histograms = true,
                5 => metadata(value, &mut said).map_err(|e| rows.malformed(e))?,
                6 => said.created_ms = Some(value.signed()).filter(|at| *at > 0),
                _ => {}
            }
        }
        if has_histograms {
            rows.refuse_histograms();
        }
        let before = rows.apart.len();
        match self.refer_to(first_row, &said, rows) {
            // I-WRITE-2
            Err(Wrong::Series(message)) => {
                rows.batch.truncate(first_row);
                rows.apart.truncate(before);
                rows.refuse(Refusal::Malformed, message);
                Ok(())
            }
            Err(Wrong::Body(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    /// Gives the rows from place `first_row` on what their series refers to.
    fn refer_to(&mut self, first_row: usize, said: &Said, rows: &mut Rows) -> Result<(), Wrong> {
        let (labels, name) = self.labels(rows)?;
        rows.batch.relabel(first_row, &labels);
        let start_ms = said.started_ms.or(said.created_ms);
        for row in rows.batch.rows_from(first_row) {
            row.kind = said.kind;
            row.start_ms = start_ms.filter(|at| *at < row.sample.time_ms);
        }
        self.describe(name, said, rows)
    }

    /// The list is packed, or one number a field.
    fn references(&mut self, value: Value<'_>) -> Result<(), ProtoError> {
        match value {
            Value::Bytes(packed) => {
                for number in packed_varints(packed) {
                    self.refer(number?);
                }
            }
            one => self.refer(one.number()),
        }
        Ok(())
    }

    /// Two more labels than may be say enough for the refusal: the rest is not kept.
    fn refer(&mut self, symbol: u64) {
        if self.refs.len() < 2 * (limits::LABELS_PER_SERIES + 3) {
            self.refs.push(symbol);
        }
    }

    /// Puts the pairs together: where they stand there, and the metric's name.
    fn labels(&self, rows: &mut Rows) -> Result<(std::ops::Range<usize>, &'a [u8]), Wrong> {
        let from = rows.apart.len();
        let mut metric = &[][..];
        for pair in self.refs.chunks(2) {
            let &[name, value] = pair else {
                let wrong = "the number of label references is odd: the last name has no value";
                return Err(Wrong::Series(wrong.to_owned()));
            };
            let (name, value) = (self.symbol(name)?, self.symbol(value)?);
            if name == METRIC_NAME.as_bytes() {
                metric = value;
            }
            rows.reserve(name.len() + value.len(), limits::BATCH_BYTES)?;
            put_wire_pair(&mut rows.apart, name, value);
        }
        Ok((from..rows.apart.len(), metric))
    }

    fn symbol(&self, reference: u64) -> Result<&'a [u8], Wrong> {
        let place = usize::try_from(reference).ok();
        let symbol = place.and_then(|place| self.symbols.get(place));
        symbol.copied().ok_or_else(|| {
            let symbols = self.symbols.len();
            Wrong::Series(format!(
                "string {reference} is referred to, of {symbols} in the request (counted from 0)"
            ))
        })
    }

    /// Notes help and unit once a name.
    fn describe(&mut self, name: &'a [u8], said: &Said, rows: &mut Rows) -> Result<(), Wrong> {
        if said.help == 0 && said.unit == 0 {
            return Ok(());
        }
        let (help, unit) = (self.symbol(said.help)?, self.symbol(said.unit)?);
        if !self.described.insert(name) {
            return Ok(());
        }
        let limit = limits::DESCRIPTIONS_PER_REQUEST;
        if rows.described.len() == limit {
            let what = "descriptions of metrics";
            return Err(WriteError::TooMany { what, limit }.into());
        }
        if name.len() > limits::METRIC_NAME_BYTES {
            return Ok(());
        }
        let (help, unit) = (kept(help), kept(unit));
        if rows.has_room_for(name.len() + help.len() + unit.len()) {
            rows.described.push((kept(name), unit, help));
        }
        Ok(())
    }
}

/// As much of a text as is kept of help and units: many series may refer to one long string.
fn kept(bytes: &[u8]) -> String {
    // A character may be cut in two, which is not kept either.
    let front = &bytes[..bytes.len().min(limits::METADATA_BYTES)];
    match std::str::from_utf8(front) {
        Ok(text) => text.to_owned(),
        Err(error) => String::from_utf8_lossy(&front[..error.valid_up_to()]).into_owned(),
    }
}

/// `Sample`: 1 value, 2 time, 3 start, both in ms.
fn sample(value: Value<'_>) -> Result<(Sample, Option<i64>), ProtoError> {
    let mut read = Sample::new(0, 0.0);
    let mut start_ms = None;
    let mut fields = Fields::new(value.bytes());
    while let Some((number, value)) = fields.next_field()? {
        match number {
            1 => read.value = value.double(),
            2 => read.time_ms = value.signed(),
            3 => start_ms = Some(value.signed()).filter(|at| *at > 0),
            _ => {}
        }
    }
    Ok((read, start_ms))
}

/// `Metadata`: 1 kind, 3 help, 4 unit.
fn metadata(value: Value<'_>, said: &mut Said) -> Result<(), ProtoError> {
    let mut fields = Fields::new(value.bytes());
    while let Some((number, value)) = fields.next_field()? {
        match number {
            1 => said.kind = kind_of(value.number()),
            3 => said.help = value.number(),
            4 => said.unit = value.number(),
            _ => {}
        }
    }
    Ok(())
}
