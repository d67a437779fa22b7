//! Record: what the log says, independent of the file it says it in.
//!
//!   ┌ kind ┐┌ tenant ┐┌─ body ─┐
//!   │  u8  ││ varint ││        │
//!   └──────┘└────────┘└────────┘
//!
//!   1 series    count, then per series: id, labels (canonical bytes)
//!   2 floats    count, then per sample: id − previous id, time − previous time, 64 bits
//!   3 metadata  count, then per metric: name, kind, unit, help
//!
//! Kinds 4 and up are kept for histogram samples, tombstones, documents and spans. A reader that
//! meets a kind it does not know stops there: a newer version wrote the log.

use tinyobs_model::{Kind, Labels, Metadata, Sample};

use crate::bytes::{Reader, put_bytes, put_signed, put_varint};

const KIND_SERIES: u8 = 1;
const KIND_FLOATS: u8 = 2;
const KIND_METADATA: u8 = 3;
/// The only tenant there is until tenants come.
const TENANT: u64 = 0;

/// A series' number within one store. Never reused.
pub type SeriesId = u64;

/// A series' number and labels.
pub type Definition = (SeriesId, Labels);
/// A metric's name and what is known of it.
pub type Described = (String, Metadata);

/// One record of the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// New series; logged before their first sample.
    Series(Vec<Definition>),
    /// Float samples.
    Floats(Vec<(SeriesId, Sample)>),
    /// Metadata of metric names.
    Metadata(Vec<Described>),
}

/// Appends a series record.
pub fn put_series(out: &mut Vec<u8>, series: &[Definition]) {
    begin(out, KIND_SERIES, series.len());
    for (id, labels) in series {
        put_varint(out, *id);
        put_bytes(out, labels.as_bytes());
    }
}

/// Appends a record of float samples.
pub fn put_floats(out: &mut Vec<u8>, samples: &[(SeriesId, Sample)]) {
    begin(out, KIND_FLOATS, samples.len());
    // One push tends to carry neighbouring series at one time: both differences are small.
    let (mut last_id, mut last_ms) = (0u64, 0i64);
    for (id, sample) in samples {
        put_signed(out, id.wrapping_sub(last_id) as i64);
        put_signed(out, sample.time_ms.wrapping_sub(last_ms));
        out.extend_from_slice(&sample.value.to_bits().to_le_bytes());
        (last_id, last_ms) = (*id, sample.time_ms);
    }
}

/// Appends a metadata record.
pub fn put_metadata(out: &mut Vec<u8>, metrics: &[Described]) {
    begin(out, KIND_METADATA, metrics.len());
    for (name, metadata) in metrics {
        put_bytes(out, name.as_bytes());
        put_meta_value(out, metadata);
    }
}

/// Appends metadata without its name, as tables keep it too.
pub fn put_meta_value(out: &mut Vec<u8>, metadata: &Metadata) {
    out.push(metadata.kind as u8);
    put_bytes(out, metadata.unit.as_bytes());
    put_bytes(out, metadata.help.as_bytes());
}

/// Reads what [`put_meta_value`] wrote.
pub fn read_meta_value(reader: &mut Reader<'_>) -> Option<Metadata> {
    let kind = Kind::from_byte(reader.u8()?)?;
    let unit = text(reader)?;
    let help = text(reader)?;
    Some(Metadata { kind, unit, help })
}

/// Reads one record; none when the bytes are not one.
pub fn decode(payload: &[u8]) -> Option<Record> {
    let mut reader = Reader::new(payload);
    let kind = reader.u8()?;
    let _tenant = reader.varint()?;
    let record = match kind {
        KIND_SERIES => {
            let count = reader.len(2)?;
            Record::Series(
                (0..count)
                    .map(|_| definition(&mut reader))
                    .collect::<Option<_>>()?,
            )
        }
        KIND_FLOATS => Record::Floats(floats(&mut reader)?),
        KIND_METADATA => {
            let count = reader.len(4)?;
            Record::Metadata(
                (0..count)
                    .map(|_| described(&mut reader))
                    .collect::<Option<_>>()?,
            )
        }
        _ => return None,
    };
    reader.is_empty().then_some(record)
}

fn begin(out: &mut Vec<u8>, kind: u8, count: usize) {
    out.push(kind);
    put_varint(out, TENANT);
    put_varint(out, count as u64);
}

fn definition(reader: &mut Reader<'_>) -> Option<Definition> {
    let id = reader.varint()?;
    Some((id, Labels::from_canonical(reader.bytes()?)?))
}

fn described(reader: &mut Reader<'_>) -> Option<Described> {
    let name = text(reader)?;
    Some((name, read_meta_value(reader)?))
}

fn floats(reader: &mut Reader<'_>) -> Option<Vec<(SeriesId, Sample)>> {
    let count = reader.len(10)?;
    let mut samples = Vec::with_capacity(count);
    let (mut id, mut time_ms) = (0u64, 0i64);
    for _ in 0..count {
        id = id.wrapping_add(reader.signed()? as u64);
        time_ms = time_ms.wrapping_add(reader.signed()?);
        samples.push((
            id,
            Sample {
                time_ms,
                value: f64::from_bits(reader.u64()?),
            },
        ));
    }
    Some(samples)
}

fn text(reader: &mut Reader<'_>) -> Option<String> {
    String::from_utf8(reader.bytes()?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn series_and_metadata_survive() {
        let labels = Labels::new("m", [("a", "1,\"🙂\n")]).expect("valid");
        let series = vec![(7, labels.clone()), (u64::MAX, labels)];
        let mut bytes = Vec::new();
        put_series(&mut bytes, &series);
        assert_eq!(decode(&bytes), Some(Record::Series(series)));

        let metadata = Metadata {
            kind: Kind::Counter,
            unit: "seconds".into(),
            help: "how long".into(),
        };
        let metrics = vec![("m".to_owned(), metadata)];
        bytes.clear();
        put_metadata(&mut bytes, &metrics);
        assert_eq!(decode(&bytes), Some(Record::Metadata(metrics)));
    }

    proptest! {
        #[test]
        fn floats_survive(rows: Vec<(u64, i64, u64)>) {
            let samples: Vec<_> = rows
                .into_iter()
                .map(|(id, time_ms, bits)| (id, Sample { time_ms, value: f64::from_bits(bits) }))
                .collect();
            let mut bytes = Vec::new();
            put_floats(&mut bytes, &samples);
            prop_assert_eq!(decode(&bytes), Some(Record::Floats(samples)));
        }

        #[test]
        fn any_bytes_do_no_harm(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
