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
    /// The newest time of each series that a line read now might have as well (I-PUSH-2).
    newest: HashMap<String, i64>,
    /// When the last line was read.
    read_ms: i64,
}

impl Batch {
    /// Adds a line that was read at a time. Returns the line whose place it takes.
    ///
    /// Without a time of its own it gets the one that `wait_for` makes of the earliest that is free.
    pub fn add(
        &mut self,
        number: usize,
        read_ms: i64,
        sample: &Sample<'_>,
        kind: Option<&str>,
        wait_for: impl FnOnce(i64) -> i64,
    ) -> Option<usize> {
        let series = sample.series();
        self.read_ms = read_ms;
        let newest = self.newest.get(&series).copied();
        let time_ms = match sample.time_ms {
            None => {
                // I-PUSH-2
                let free_ms = newest.map_or(read_ms, |newest| read_ms.max(newest + 1));
                let time_ms = wait_for(free_ms);
                self.newest.insert(series.clone(), time_ms);
                time_ms
            }
            Some(time_ms) => {
                // One far ahead draws nothing after it: the server refuses it anyway.
                if time_ms <= read_ms {
                    let newest = newest.map_or(time_ms, |newest| newest.max(time_ms));
                    self.newest.insert(series.clone(), newest);
                }
                time_ms
            }
        };
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
