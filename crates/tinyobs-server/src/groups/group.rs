//! Group: one group's values, when it was pushed to, and its samples.

use std::collections::{BTreeMap, HashSet};

use tinyobs_model::{Kind, Labels, OWN_ITEMS, Refused, Sample, WriteBatch, limits, stale_marker};
use tinyobs_wire::families::{Family, Series};

use super::Key;
use crate::clients::{INTERVALS_MISSED, UP, push_row};

/// When a group was pushed to last, in seconds since the epoch, as the Pushgateway has it.
pub const PUSH_TIME: &str = "push_time_seconds";
pub const PUSH_TIME_HELP: &str = "Last time when changing this group succeeded.";
/// When a push to it failed last; 0 when none did.
pub const FAILURE_TIME: &str = "push_failure_time_seconds";
pub const FAILURE_TIME_HELP: &str = "Last time when changing this group failed.";
/// The least that is concluded from watching pushes.
const WATCHED_MS_MIN: i64 = 60_000;

/// What a push says besides its values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// How long the group lives without a push.
    pub ttl_ms: Option<i64>,
    /// How long it is between two pushes.
    pub interval_ms: Option<i64>,
}

/// One group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    /// Its values, by family.
    pub families: BTreeMap<String, Family>,
    /// When it was pushed to last; 0 when no push succeeded.
    pub pushed_ms: i64,
    /// When a push to it failed last; 0 when none did.
    pub failed_ms: i64,
    /// As the last push said.
    pub options: Options,
    /// How long it was between the last two pushes.
    pub watched_ms: Option<i64>,
    /// When it was sampled last, not kept over a restart.
    sampled_ms: i64,
}

impl Group {
    pub fn new() -> Self {
        Self::default()
    }

    /// The same without its values.
    pub fn emptied(&self) -> Self {
        Self {
            families: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// Notes a push.
    pub fn pushed(&mut self, options: Options, now_ms: i64) {
        if self.pushed_ms > 0 {
            self.watched_ms = Some((now_ms - self.pushed_ms).max(WATCHED_MS_MIN));
        }
        self.options = options;
        self.pushed_ms = now_ms;
        self.sampled_ms = now_ms;
    }

    pub fn sampled(&mut self, now_ms: i64) {
        self.sampled_ms = now_ms;
    }

    /// Bytes that it takes, roughly.
    pub fn bytes(&self) -> usize {
        const OVERHEAD: usize = 128;
        let of_series = |series: &Series| OVERHEAD + series.labels.as_bytes().len();
        let of_family = |family: &Family| {
            let own = family.name.len() + family.unit.len() + family.help.len();
            OVERHEAD + own + family.series.iter().map(of_series).sum::<usize>()
        };
        OVERHEAD + self.families.values().map(of_family).sum::<usize>()
    }

    /// Whether its time-to-live is over.
    pub fn is_expired(&self, now_ms: i64) -> bool {
        // What failed is no reason to live on, but all there is of a group that was never pushed.
        let since_ms = if self.pushed_ms > 0 {
            self.pushed_ms
        } else {
            self.failed_ms
        };
        self.options
            .ttl_ms
            .is_some_and(|ttl_ms| now_ms - since_ms >= ttl_ms)
    }

    /// Whether it is time for a sample: a minute is over, or its `up` has just become 0.
    pub fn is_due(&self, now_ms: i64) -> bool {
        now_ms - self.sampled_ms >= limits::PUSHED_SAMPLE_MS
            || self.is_up(self.sampled_ms) != self.is_up(now_ms)
    }

    /// Whether it is pushed to. Who pushed once, and never said how often, misses nothing.
    fn is_up(&self, now_ms: i64) -> bool {
        let watched_ms = self.watched_ms;
        let watched_ms = watched_ms.filter(|ms| *ms <= limits::CLIENT_INTERVAL_MS_MAX as i64);
        let interval_ms = self.options.interval_ms.or(watched_ms);
        interval_ms.is_none_or(|ms| now_ms - self.pushed_ms <= INTERVALS_MISSED * ms)
    }

    /// Puts these families in place of those of the same names, and takes their series out of the
    /// others (I-GROUP-5).
    pub fn take(&mut self, families: Vec<Family>) {
        for family in &families {
            self.families.remove(&family.name);
        }
        let series = families.iter().flat_map(|family| &family.series);
        let moved: HashSet<&Labels> = series.map(|one| &one.labels).collect();
        for family in self.families.values_mut() {
            family.series.retain(|one| !moved.contains(&one.labels));
        }
        self.families.retain(|_, family| !family.series.is_empty());
        let families = families.into_iter();
        self.families
            .extend(families.map(|family| (family.name.clone(), family)));
    }

    /// A sample of each series of the families in `taken`; its item is its place among them.
    pub fn write_taken(&self, batch: &mut WriteBatch, taken: &HashSet<String>, now_ms: i64) {
        let mut item = 0;
        for family in self.families_in(taken) {
            let mut names = Vec::new();
            for series in &family.series {
                let sample = Sample::new(now_ms, series.value);
                let start_ms = series.start_ms.filter(|start_ms| *start_ms < now_ms);
                let start_ms = start_ms.filter(|_| family.kind.is_cumulative());
                push_row(batch, item, &series.labels, family.kind, sample, start_ms);
                item += 1;
                let name = series.labels.metric_name();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            if !(family.unit.is_empty() && family.help.is_empty()) {
                for name in names {
                    batch.describe(name, &family.unit, &family.help);
                }
            }
        }
    }

    /// Takes out what the store refused, by item; what it was, by line.
    pub fn without_refused(
        &mut self,
        taken: &HashSet<String>,
        refused: Vec<Refused>,
        now_ms: i64,
    ) -> Vec<Refused> {
        let refused: BTreeMap<u32, Refused> = refused
            .into_iter()
            .filter(Refused::is_of_request)
            .map(|one| (one.item, one))
            .collect();
        if refused.is_empty() {
            return Vec::new();
        }
        self.failed_ms = now_ms;
        let mut by_line = Vec::new();
        let mut item = 0;
        for family in self
            .families
            .values_mut()
            .filter(|one| taken.contains(&one.name))
        {
            family.series.retain(|series| {
                let found = refused.get(&item);
                item += 1;
                by_line.extend(found.map(|one| Refused {
                    item: series.line,
                    rule: one.rule,
                    message: format!("line {}: {}", series.line, one.message),
                }));
                found.is_none()
            });
        }
        self.families.retain(|_, family| !family.series.is_empty());
        by_line
    }

    /// A sample of each series.
    pub fn write_all(&self, batch: &mut WriteBatch, now_ms: i64) {
        for family in self.families.values() {
            for series in &family.series {
                let sample = Sample::new(now_ms, series.value);
                own_row(batch, &series.labels, family.kind, sample);
            }
        }
    }

    /// Samples of what we know of the group: when it was pushed to, and whether it still is.
    pub fn write_own(&self, batch: &mut WriteBatch, key: &Key, now_ms: i64) {
        self.write_times(batch, key, now_ms);
        if let Some(labels) = self.up_labels(key) {
            let is_up = f64::from(u8::from(self.is_up(now_ms)));
            let sample = Sample::new(now_ms, is_up);
            own_row(batch, &labels, Kind::Gauge, sample);
        }
    }

    /// Only when it was pushed to.
    pub fn write_times(&self, batch: &mut WriteBatch, key: &Key, now_ms: i64) {
        for (name, help, time_ms) in [
            (PUSH_TIME, PUSH_TIME_HELP, self.pushed_ms),
            (FAILURE_TIME, FAILURE_TIME_HELP, self.failed_ms),
        ] {
            let sample = Sample::new(now_ms, time_ms as f64 / 1_000.0);
            if let Some(labels) = named(name, key).filter(|own| !self.holds(own)) {
                own_row(batch, &labels, Kind::Gauge, sample);
                batch.describe(name, "seconds", help);
            }
        }
    }

    /// The end of each series that `next` no longer has.
    pub fn write_ends(&self, batch: &mut WriteBatch, next: &Self, now_ms: i64) {
        let kept = next.families.values().flat_map(|family| &family.series);
        let kept: HashSet<&Labels> = kept.map(|series| &series.labels).collect();
        for family in self.families.values() {
            for series in &family.series {
                if !kept.contains(&series.labels) {
                    end(batch, &series.labels, family.kind, now_ms);
                }
            }
        }
    }

    /// The end of all.
    pub fn write_end(&self, batch: &mut WriteBatch, key: &Key, now_ms: i64) {
        self.write_ends(batch, &Self::new(), now_ms);
        let times = [PUSH_TIME, FAILURE_TIME].map(|name| named(name, key));
        for labels in times.into_iter().chain([self.up_labels(key)]).flatten() {
            end(batch, &labels, Kind::Gauge, now_ms);
        }
    }

    /// None when the group has an `up` of its own, or was never pushed to.
    fn up_labels(&self, key: &Key) -> Option<Labels> {
        named(UP, key).filter(|own| self.pushed_ms > 0 && !self.holds(own))
    }

    fn holds(&self, labels: &Labels) -> bool {
        let family = self.families.get(labels.metric_name());
        family.is_some_and(|family| family.series.iter().any(|one| one.labels == *labels))
    }

    fn families_in<'a>(&'a self, taken: &'a HashSet<String>) -> impl Iterator<Item = &'a Family> {
        let families = self.families.values();
        families.filter(|family| taken.contains(&family.name))
    }
}

/// A row that no line stands for. Each has a number of its own, because what shares one is refused
/// together.
fn own_row(batch: &mut WriteBatch, labels: &Labels, kind: Kind, sample: Sample) {
    let item = OWN_ITEMS | batch.len() as u32;
    push_row(batch, item, labels, kind, sample, None);
}

fn end(batch: &mut WriteBatch, labels: &Labels, kind: Kind, now_ms: i64) {
    let marker = Sample::new(now_ms, stale_marker());
    own_row(batch, labels, kind, marker);
}

/// A series of ours about a group.
fn named(name: &str, key: &Key) -> Option<Labels> {
    let pairs = key
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    Labels::new(name, pairs).ok()
}
