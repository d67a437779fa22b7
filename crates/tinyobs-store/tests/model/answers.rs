//! Answers: everything that can be asked of a store, beside what the oracle says.

use std::collections::BTreeMap;

use tinyobs_model::{Columns, Kind, Resolution, SeriesSource, Stretch, TimeRange};
use tinyobs_store::Store;

use crate::oracle::{METRICS, Oracle, Series, metric};
use crate::resolved::{self, Item};
use crate::world::{matchers, pod};

/// A store and what it must hold.
pub struct Answers<'a> {
    pub store: &'a Store,
    pub oracle: &'a Oracle,
    /// Nothing has been written since the last maintenance.
    pub settled: bool,
}

impl Answers<'_> {
    /// Compares everything.
    pub fn all(&self) -> Result<(), String> {
        self.series()?;
        for &series in self.oracle.lines.keys() {
            self.raw(series, TimeRange::ALL)?;
            for step_ms in [0, 300_000, 3_600_000] {
                self.resolved(series, TimeRange::ALL, step_ms)?;
            }
        }
        Ok(())
    }

    /// Compares which series there are.
    pub fn series(&self) -> Result<(), String> {
        let known = self.oracle.lines.keys();
        let mut names: Vec<(String, String)> = known
            .map(|&series| (metric(series).0.to_owned(), pod(series)))
            .collect();
        names.sort();
        let listed = self.store.series(&[]);
        let text = |label: Option<&str>| label.unwrap_or_default().to_owned();
        let got: Vec<(String, String)> = listed
            .iter()
            .map(|info| {
                (
                    text(info.labels.get("__name__")),
                    text(info.labels.get("pod")),
                )
            })
            .collect();
        if got != names {
            return Err(format!("series: got {got:?}, expected {names:?}"));
        }
        for info in &listed {
            let of_name = |(name, _): &&(&str, Kind)| *name == info.labels.metric_name();
            let kind = METRICS.iter().find(of_name).map(|(_, kind)| *kind);
            if kind != Some(info.kind) {
                return Err(format!("kind: {info:?}"));
            }
        }
        let counted = self.store.cardinality().series;
        if counted != names.len() as u64 {
            return Err(format!(
                "{counted} series counted, expected {}",
                names.len()
            ));
        }
        Ok(())
    }

    /// Compares the samples of a series in a range.
    pub fn raw(&self, series: Series, range: TimeRange) -> Result<(), String> {
        let line = self.oracle.lines.get(&series);
        let expected = line.map(|line| line.samples(range.start_ms, range.end_ms));
        let expected = expected.unwrap_or_default();
        let got = read_raw(self.store, series, range)?;
        let times: BTreeMap<i64, u64> = got.iter().copied().collect();
        let ascends = got.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if ascends && times == expected {
            return Ok(());
        }
        let missing = expected
            .iter()
            .find(|(at, bits)| times.get(at) != Some(bits));
        let extra = times
            .iter()
            .find(|(at, bits)| expected.get(at) != Some(bits));
        Err(format!(
            "raw of series {series} in {range:?}: ascends {ascends}, {} of {} samples, first \
             expected and not got {missing:?}, first got and not expected {extra:?}",
            times.len(),
            expected.len()
        ))
    }

    /// Compares a series in a range at a step.
    pub fn resolved(&self, series: Series, range: TimeRange, step_ms: i64) -> Result<(), String> {
        let Some(line) = self.oracle.lines.get(&series) else {
            return Ok(());
        };
        let items = read_resolved(self.store, series, range, step_ms)?;
        let asked = resolved::Asked {
            range,
            wanted: resolved::wanted(step_ms),
            marks: self.oracle.marks,
            settled: self.settled,
        };
        resolved::check(line, metric(series).1, &asked, &items)
            .map_err(|what| format!("series {series}, step {step_ms}, {asked:?}: {what}"))
    }
}

/// The raw samples of a series.
pub fn read_raw(
    store: &Store,
    series: Series,
    range: TimeRange,
) -> Result<Vec<(i64, u64)>, String> {
    let mut columns = Columns::default();
    let mut all = Vec::new();
    let cursors = store.select(&matchers(series), range);
    for mut cursor in cursors.map_err(|error| error.to_string())? {
        // The two ways to read on, in turn.
        for turn in 0.. {
            columns.clear();
            let more = if turn % 2 == 0 {
                cursor.read_more(&mut columns)
            } else {
                cursor.next_block(&mut columns)
            };
            if !more.map_err(|error| error.to_string())? {
                break;
            }
            all.extend(columns.iter().map(|one| (one.time_ms, one.value.to_bits())));
        }
    }
    Ok(all)
}

/// What a resolved read of a series yields, one after the other.
pub fn read_resolved(
    store: &Store,
    series: Series,
    range: TimeRange,
    step_ms: i64,
) -> Result<Vec<Item>, String> {
    let mut stretch = Stretch::default();
    let mut items = Vec::new();
    let cursors = store.select_resolved(&matchers(series), range, step_ms);
    for mut cursor in cursors.map_err(|error| error.to_string())? {
        while cursor
            .next_stretch(&mut stretch)
            .map_err(|error| error.to_string())?
        {
            let (samples, rows) = (stretch.samples.len(), stretch.rollups.len());
            if (stretch.resolution == Resolution::Raw) != (rows == 0) || samples + rows == 0 {
                return Err(format!("a stretch that makes no sense: {stretch:?}"));
            }
            items.extend(stretch.samples.iter().map(Item::Sample));
            let rows = stretch.rollups.iter();
            items.extend(rows.map(|row| Item::Row(stretch.resolution, *row)));
        }
    }
    Ok(items)
}
