//! Pushes of OpenTelemetry: any body is read or refused as a whole, in both encodings; no point is
//! lost, stored twice, or stored in part; a delta that comes again adds nothing.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use tinyobs_model::{Kind, Labels, Refusal, Sample};
use tinyobs_wire::json::Decoded;
use tinyobs_wire::otlp::{Counted, Format, Stored, TARGET_ITEMS, decode, logs};

fuzz_target!(|data: &[u8]| {
    let Some((format, body)) = data.split_first() else {
        return;
    };
    let format = match format {
        b'j' => Format::Json,
        _ => Format::Protobuf,
    };
    let _ = logs::count(format, body);
    let mut shelf = Shelf::default();
    let Ok(decoded) = said(decode(format, body, &mut shelf)) else {
        return;
    };
    checked(&decoded);
    shelf.put(&decoded);
    let again = said(decode(format, body, &mut shelf)).expect("what was read can be read");
    checked(&again);
    assert_eq!(again.items, decoded.items);
    assert!(
        again.batch.len() <= decoded.batch.len(),
        "a retry adds rows"
    );
    // Whatever was stored stays: cumulative values are the same, deltas are counted already.
    let before = shelf.clone();
    shelf.put(&again);
    assert_eq!(shelf.values(), before.values(), "a retry changes values");
});

fn said<T, E: ToString>(result: Result<T, E>) -> Result<T, E> {
    result.inspect_err(|error| assert!(error.to_string().len() < 2_000))
}

/// The start of the year 2100: deltas that end later are refused.
const LATEST_MS: i64 = 4_102_444_800_000;

/// A store that is a list of series, each with its newest sample.
#[derive(Default, Clone)]
struct Shelf(BTreeMap<Vec<u8>, Sample>, Counted);

impl Stored for Shelf {
    fn newest(&mut self, labels: &[u8]) -> Result<Option<Sample>, String> {
        Ok(self.0.get(labels).copied())
    }

    fn value_at(&mut self, labels: &[u8], time_ms: i64) -> Result<Option<f64>, String> {
        let held = self.0.get(labels).filter(|it| it.time_ms == time_ms);
        Ok(held.map(|held| held.value))
    }

    fn counted(&mut self) -> Result<&mut Counted, String> {
        Ok(&mut self.1)
    }

    fn check_time(&mut self, time_ms: i64) -> Result<(), (Refusal, String)> {
        if time_ms > LATEST_MS {
            return Err((Refusal::TimeInFuture, "too far ahead".to_owned()));
        }
        Ok(())
    }

    fn bounds(&mut self, labels: &[u8]) -> Result<Vec<f64>, String> {
        let own = |labels: &[u8]| {
            let pairs = tinyobs_model::labels::pairs(labels);
            let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            owned.collect::<BTreeMap<String, String>>()
        };
        let wanted = own(labels);
        let bound = |known: &Vec<u8>| {
            let mut known = own(known);
            let bound = known.remove("le")?.parse().ok()?;
            (known == wanted).then_some(bound)
        };
        Ok(self.0.keys().filter_map(bound).collect())
    }
}

impl Shelf {
    fn put(&mut self, decoded: &Decoded) {
        for row in decoded.batch.rows() {
            let labels = decoded.batch.labels(row).to_vec();
            let known = self.0.entry(labels).or_insert(row.sample);
            if row.sample.time_ms >= known.time_ms {
                *known = row.sample;
            }
        }
    }

    /// By bits, so that NaN equals itself.
    fn values(&self) -> Vec<(&[u8], i64, u64)> {
        self.0
            .iter()
            .map(|(labels, sample)| (&**labels, sample.time_ms, sample.value.to_bits()))
            .collect()
    }
}

/// What holds of whatever was decoded.
fn checked(decoded: &Decoded) {
    let rows = decoded.batch.rows();
    let stored: BTreeSet<u32> = rows.iter().map(|row| row.item).collect();
    let refused: BTreeSet<u32> = decoded.refused.iter().map(|refused| refused.item).collect();
    assert_eq!(refused.len(), decoded.refused.len(), "refused twice");
    assert!(stored.is_disjoint(&refused), "stored and refused");
    let items = stored.union(&refused);
    assert!(
        items
            .copied()
            .all(|item| item < decoded.items || item >= TARGET_ITEMS)
    );
    for refused in &decoded.refused {
        assert!(refused.message.len() < 2_000, "{}", refused.message);
    }
    for item in rows.chunk_by(|a, b| a.item == b.item) {
        let mut below: Option<f64> = None;
        for row in item {
            let labels = Labels::from_canonical(decoded.batch.labels(row)).expect("canonical");
            let name = labels.metric_name();
            let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
            assert!(!name.is_empty() && name.chars().all(is_fine), "{name:?}");
            assert!(labels.get("job").is_some());
            assert!(
                row.start_ms
                    .is_none_or(|start_ms| start_ms < row.sample.time_ms)
            );
            if row.kind == Kind::Histogram
                && name.ends_with("_bucket")
                && labels.get("le").is_some()
            {
                // The bounds ascend, and so do the counts; NaN is a stale marker.
                let value = row.sample.value;
                assert!(
                    !below.is_some_and(|below| value < below),
                    "{below:?} before {value}"
                );
                below = Some(value);
            }
        }
    }
}
