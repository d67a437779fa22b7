//! Oracle: what a store must answer, computed in the most naive way there is.
//!
//!   batches, clock, maintenance ─▶ [Oracle] ─▶ samples, windows, series
//!
//! Each series is a sorted map from time to the bits of a value, in which the last write wins. A
//! window is counted from it whenever somebody asks. Time partitions are whole stretches of one day,
//! ten days and sixty days, aligned to the epoch; maintenance drops those that ended longer ago than
//! their retention. Of a dropped day the oracle remembers the samples by window, so that it can still
//! say what the windows must be; what comes later for such a day is one more part of its windows.

use std::collections::{BTreeMap, BTreeSet};

use tinyobs_model::{Kind, Refusal, Resolution, limits};
use tinyobs_store::Retention;

use crate::window::{Expected, Part};

/// Milliseconds of a day.
pub const DAY: i64 = 24 * 3_600 * 1_000;
/// How wide partitions are, by resolution.
pub const PARTITION: [i64; 3] = [DAY, 10 * DAY, 60 * DAY];
/// The resolutions that are computed.
pub const ROLLED: [Resolution; 2] = [Resolution::FiveMinutes, Resolution::Hour];

/// A metric of the tests: its name says what it is.
pub const METRICS: [(&str, Kind); 4] = [
    ("requests_total", Kind::Counter),
    ("temperature", Kind::Gauge),
    ("latency_bucket", Kind::Histogram),
    ("something", Kind::Unknown),
];

/// A series of the tests: a number. Its metric is one of [`METRICS`], in turn.
pub type Series = u16;

/// Which metric a series belongs to.
pub fn metric(series: Series) -> (&'static str, Kind) {
    METRICS[usize::from(series) % METRICS.len()]
}

/// One row of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// The series.
    pub series: Series,
    /// Time in ms.
    pub time_ms: i64,
    /// Bits of the value.
    pub bits: u64,
    /// When the series says it began at 0.
    pub start_ms: Option<i64>,
}

/// What is known of one series.
#[derive(Debug, Default, Clone)]
pub struct Line {
    /// Samples that are kept as they were sent.
    pub raw: BTreeMap<i64, u64>,
    /// Samples of dropped days that have come since the last maintenance.
    pub late: BTreeMap<i64, u64>,
    /// Of dropped days: the parts of each window, by resolution, by its start.
    pub frozen: [BTreeMap<i64, Vec<Part>>; 3],
    /// The newest time ever written.
    newest_ms: Option<i64>,
}

/// What maintenance must have done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Partitions that had become too old.
    pub dropped_partitions: u64,
}

/// The naive store.
#[derive(Debug, Clone)]
pub struct Oracle {
    /// How long data is kept.
    pub retention: Retention,
    /// Series at most.
    pub max_series: u64,
    /// Series of a metric at most, 0 for no limit.
    pub max_series_per_metric: u64,
    /// By resolution: everything before has been dropped.
    pub marks: [i64; 3],
    /// By series.
    pub lines: BTreeMap<Series, Line>,
}

impl Line {
    /// Whether nothing of it is left.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty() && self.late.is_empty() && self.frozen.iter().all(BTreeMap::is_empty)
    }

    /// What raw reads find: also what is late, until maintenance has joined it to its windows.
    pub fn samples(&self, from_ms: i64, to_ms: i64) -> BTreeMap<i64, u64> {
        let both = self.raw.iter().chain(&self.late);
        both.filter(|(at, _)| (from_ms..=to_ms).contains(*at))
            .map(|(&at, &bits)| (at, bits))
            .collect()
    }

    /// The parts of the window of `resolution` that begins at `start_ms`.
    pub fn parts(&self, resolution: Resolution, start_ms: i64) -> Vec<Part> {
        let end_ms = start_ms + resolution.width_ms();
        let live: Part = self
            .raw
            .range(start_ms..end_ms)
            .map(|(&at, &bits)| (at, bits))
            .collect();
        let frozen = self.frozen[resolution as usize].get(&start_ms);
        let mut parts = frozen.cloned().unwrap_or_default();
        if !live.is_empty() {
            parts.push(live);
        }
        parts
    }

    /// What the window of `resolution` that begins at `start_ms` must hold.
    pub fn window(&self, resolution: Resolution, start_ms: i64, kind: Kind) -> Option<Expected> {
        let parts = self.parts(resolution, start_ms);
        (!parts.is_empty()).then(|| Expected::of(&parts, kind == Kind::Gauge))
    }

    /// Every time at which there is something that a resolved read must cover.
    pub fn moments(&self) -> BTreeSet<i64> {
        let frozen = self.frozen.iter().flat_map(BTreeMap::values).flatten();
        let frozen = frozen.flat_map(|part| part.keys());
        self.raw.keys().chain(frozen).copied().collect()
    }

    fn freeze(&mut self, samples: &BTreeMap<i64, u64>, marks: [i64; 3]) {
        for resolution in ROLLED {
            let mut parts: BTreeMap<i64, Part> = BTreeMap::new();
            for (&at, &bits) in samples {
                let place = parts.entry(resolution.window(at)).or_default();
                place.insert(at, bits);
            }
            let kept = parts
                .into_iter()
                .filter(|(start, _)| *start >= marks[resolution as usize]);
            for (start, part) in kept {
                let windows = &mut self.frozen[resolution as usize];
                windows.entry(start).or_default().push(part);
            }
        }
    }
}

impl Oracle {
    /// An empty store.
    pub fn new(retention: Retention, max_series: u64, max_series_per_metric: u64) -> Self {
        Self {
            retention,
            max_series,
            max_series_per_metric,
            marks: [i64::MIN; 3],
            lines: BTreeMap::new(),
        }
    }

    /// Writes the items of a batch, one `Put` slice an item; says which are refused by which rule.
    /// Between the age at which an item may be refused and the age at which it must be, `refused`
    /// (what the store did) decides.
    pub fn append(
        &mut self,
        items: &[Vec<Put>],
        now_ms: i64,
        refused: &[(u32, Refusal)],
    ) -> Vec<(u32, Refusal)> {
        let mut found = Vec::new();
        for (number, item) in (0..).zip(items) {
            let store_says = refused.iter().find(|(of, _)| *of == number);
            match self.refusal(item, now_ms, store_says.map(|(_, rule)| *rule)) {
                Some(rule) => found.push((number, rule)),
                None => item.iter().for_each(|put| self.put(put, now_ms)),
            }
        }
        found
    }

    fn refusal(&self, item: &[Put], now_ms: i64, store_says: Option<Refusal>) -> Option<Refusal> {
        if item
            .iter()
            .any(|put| put.time_ms > now_ms + limits::FUTURE_MS)
        {
            return Some(Refusal::TimeInFuture);
        }
        let oldest = item.iter().map(|put| put.time_ms).min().unwrap_or(i64::MAX);
        let must = self.marks.into_iter().min().unwrap_or(i64::MIN);
        if oldest < must {
            return Some(Refusal::TimeExpired);
        }
        if oldest < self.may_refuse_before(now_ms) && store_says == Some(Refusal::TimeExpired) {
            return store_says;
        }
        let new: BTreeSet<Series> = item
            .iter()
            .map(|put| put.series)
            .filter(|series| !self.lines.contains_key(series))
            .collect();
        if new.is_empty() {
            return None;
        }
        if (self.lines.len() + new.len()) as u64 > self.max_series {
            return Some(Refusal::SeriesLimit);
        }
        let of_metric = |name: &str, series: &mut dyn Iterator<Item = &Series>| {
            series.filter(|one| metric(**one).0 == name).count() as u64
        };
        let over = METRICS.iter().any(|(name, _)| {
            let wanted = of_metric(name, &mut new.iter());
            let held = of_metric(name, &mut self.lines.keys());
            wanted > 0 && held + wanted > self.max_series_per_metric
        });
        (self.max_series_per_metric > 0 && over).then_some(Refusal::MetricSeriesLimit)
    }

    /// What is older than this is older than every retention, though its partition may still be there.
    fn may_refuse_before(&self, now_ms: i64) -> i64 {
        let before = |resolution: Resolution| {
            let by_age = match self.retention.of(resolution) {
                0 => i64::MIN,
                kept_ms => now_ms - kept_ms,
            };
            by_age.max(self.marks[resolution as usize])
        };
        let all = Resolution::ALL.into_iter().map(before);
        all.min().unwrap_or(i64::MIN)
    }

    /// A counter that began while raw samples are kept begins at 0.
    fn put(&mut self, put: &Put, now_ms: i64) {
        let raw_from_ms = match self.retention.raw_ms {
            0 => self.marks[0],
            kept_ms => self.marks[0].max(now_ms - kept_ms),
        };
        let line = self.lines.entry(put.series).or_default();
        let is_cumulative = metric(put.series).1.is_cumulative();
        if let Some(start_ms) = put.start_ms
            && is_cumulative
            && start_ms < put.time_ms
            && start_ms >= raw_from_ms
            && line.newest_ms.is_none_or(|newest| newest < start_ms)
        {
            line.write(start_ms, 0.0f64.to_bits(), self.marks[0]);
        }
        line.write(put.time_ms, put.bits, self.marks[0]);
    }

    /// The newest time of a series; none when some of it has been dropped and nobody can tell.
    pub fn newest_ms(&self, series: Series) -> Option<i64> {
        let line = self.lines.get(&series)?;
        let held = line.held_until_ms();
        line.newest_ms.filter(|newest| held == Some(*newest))
    }

    /// Flush, roll up, merge, retain.
    pub fn maintain(&mut self, now_ms: i64) -> Done {
        let marks = self.marks;
        for line in self.lines.values_mut() {
            let late = std::mem::take(&mut line.late);
            line.freeze(&late, marks);
        }
        let mut dropped_partitions = 0;
        let mut after = self.marks;
        for resolution in Resolution::ALL {
            let kept_ms = self.retention.of(resolution);
            let place = resolution as usize;
            let old = |start: &i64| kept_ms > 0 && start + PARTITION[place] <= now_ms - kept_ms;
            let there = self.partitions(resolution);
            for start in there.into_iter().filter(old) {
                dropped_partitions += 1;
                after[place] = after[place].max(start + PARTITION[place]);
            }
        }
        self.marks = after;
        for line in self.lines.values_mut() {
            let kept = line.raw.split_off(&after[0]);
            let gone = std::mem::replace(&mut line.raw, kept);
            line.freeze(&gone, after);
            for resolution in ROLLED {
                let windows = &mut line.frozen[resolution as usize];
                *windows = windows.split_off(&after[resolution as usize]);
            }
        }
        Done { dropped_partitions }
    }

    /// The partitions of a resolution that hold anything, by their start.
    fn partitions(&self, resolution: Resolution) -> BTreeSet<i64> {
        let place = resolution as usize;
        let start = |at: i64| at - at.rem_euclid(PARTITION[place]);
        let mut found = BTreeSet::new();
        for line in self.lines.values() {
            let windows = line.frozen[place].keys();
            found.extend(windows.map(|&at| start(at)));
            let live = line.raw.keys().filter(|at| **at >= self.marks[place]);
            found.extend(live.map(|&at| start(at)));
        }
        found
    }

    /// Forgets series of which nothing is left, and returns how many.
    pub fn expire(&mut self) -> u64 {
        let before = self.lines.len();
        self.lines.retain(|_, line| !line.is_empty());
        (before - self.lines.len()) as u64
    }

    /// The store was opened anew: the newest times are those that it holds.
    pub fn reopened(&mut self) {
        for line in self.lines.values_mut() {
            line.newest_ms = line.held_until_ms();
        }
    }
}

impl Line {
    fn held_until_ms(&self) -> Option<i64> {
        let last = |samples: &BTreeMap<i64, u64>| samples.keys().next_back().copied();
        last(&self.raw).max(last(&self.late))
    }

    fn write(&mut self, time_ms: i64, bits: u64, mark_ms: i64) {
        self.newest_ms = self.newest_ms.max(Some(time_ms));
        if time_ms < mark_ms {
            self.late.insert(time_ms, bits);
        } else {
            self.raw.insert(time_ms, bits);
        }
    }
}
