//! Batch: lines that are sent together, each with its time.

use std::collections::HashMap;

use serde_json::Value;

use super::sample::Sample;

/// Lines that wait.
#[derive(Debug, Default)]
pub struct Batch {
    items: Vec<(usize, Value)>,
    /// The line that has a time of a series.
    places: HashMap<(String, i64), usize>,
    /// The newest time of each series that may still be ahead of the clock (I-PUSH-2).
    newest: HashMap<String, i64>,
    /// When the last line was read.
    read_ms: i64,
}

impl Batch {
    /// Adds a line that was read at a time. Returns the line whose place it takes.
    pub fn add(
        &mut self,
        number: usize,
        read_ms: i64,
        sample: &Sample<'_>,
        kind: Option<&str>,
    ) -> Option<usize> {
        let series = sample.series();
        self.read_ms = read_ms;
        let newest = self.newest.get(&series).copied();
        let time_ms = sample.time_ms.unwrap_or_else(|| {
            // I-PUSH-2
            newest.map_or(read_ms, |newest| read_ms.max(newest + 1))
        });
        // A time that was given far ahead draws nothing after it: the server refuses it anyway.
        if sample.time_ms.is_none_or(|given_ms| given_ms <= read_ms) {
            let newest = self.newest.entry(series.clone()).or_insert(time_ms);
            *newest = time_ms.max(*newest);
        }
        let mut item = sample.item(kind);
        item["timestamp"] = time_ms.into();
        self.items.push((number, item));
        self.places.insert((series, time_ms), number)
    }

    /// Lines in it.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Its lines by number, which are forgotten.
    pub fn take(&mut self) -> Vec<(usize, Value)> {
        self.places.clear();
        // The next line is read no earlier than the last one.
        self.newest.retain(|_, newest| *newest >= self.read_ms);
        std::mem::take(&mut self.items)
    }
}
