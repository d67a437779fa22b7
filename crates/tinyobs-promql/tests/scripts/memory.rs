//! Memory: series in memory as a source, for tests.

use std::collections::BTreeMap;

use tinyobs_model::{
    Columns, Labels, Matcher, Sample, SelectError, SeriesCursor, SeriesSource, TimeRange,
};

/// Samples of series, by time.
#[derive(Debug, Default, Clone)]
pub struct Memory {
    series: BTreeMap<Labels, BTreeMap<i64, f64>>,
}

impl Memory {
    pub fn insert(&mut self, labels: &Labels, time_ms: i64, value: f64) {
        let samples = self.series.entry(labels.clone()).or_default();
        samples.insert(time_ms, value);
    }
}

struct Cursor {
    labels: Labels,
    samples: Vec<(i64, f64)>,
    at: usize,
}

/// Small, so that every test crosses blocks.
const BLOCK: usize = 3;

impl SeriesCursor for Cursor {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn next_block(&mut self, out: &mut Columns) -> Result<bool, SelectError> {
        out.clear();
        for &(time_ms, value) in self.samples[self.at..].iter().take(BLOCK) {
            out.push(Sample::new(time_ms, value));
        }
        self.at += out.len();
        Ok(!out.is_empty())
    }
}

impl SeriesSource for Memory {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<Box<dyn SeriesCursor>>, SelectError> {
        let mut cursors: Vec<Box<dyn SeriesCursor>> = Vec::new();
        for (labels, samples) in &self.series {
            if !matchers.iter().all(|m| m.matches_labels(labels)) {
                continue;
            }
            let inside = samples.iter().filter(|(time, _)| range.contains(**time));
            cursors.push(Box::new(Cursor {
                labels: labels.clone(),
                samples: inside.map(|(&time, &value)| (time, value)).collect(),
                at: 0,
            }));
        }
        Ok(cursors)
    }
}
