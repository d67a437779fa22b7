//! Index: which series there are, and how to find them by their labels.
//!
//!   store::append ─▶ [Index::find] ─▶ id          select ─▶ [Index::select] ─▶ ids
//!
//! I-INDEX-1  A hash only finds candidates; identity is equality of canonical bytes.
//! I-INDEX-2  Ids ascend in the order of admission, so a series is found by its id by halving.
//! I-INDEX-3  A series is here if and only if its definition is in the log or in a table.
//! Proved by: index/tests.rs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use tinyobs_model::{Kind, Labels, MatchOp, Matcher, Metadata, SERVICE_LABELS};

use crate::cardinality::LabelSize;
use crate::wal::record::SeriesId;

/// Series by identity and by label.
#[derive(Default)]
pub struct Index {
    /// Places in `series`, found by the hash of canonical bytes. The hasher is seeded at random,
    /// so that nobody can choose labels that collide.
    by_labels: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// By ascending id (I-INDEX-2).
    series: Vec<Series>,
    /// Label name → value → ids.
    postings: BTreeMap<Box<str>, HashMap<Box<str>, Vec<SeriesId>>>,
    /// What is known of each metric name.
    metadata: BTreeMap<String, Metadata>,
}

struct Series {
    id: SeriesId,
    labels: Labels,
    /// The kind last sent with this series: as long as it stays, nobody asks for metadata.
    kind: Kind,
}

/// A metric name and how many series it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricSize {
    /// The metric name.
    pub metric: String,
    /// Its series.
    pub series: u64,
}

/// Finds the series of many labels, most of them in the order in which they were made: that is how
/// senders push.
pub struct Finder<'a> {
    index: &'a Index,
    /// The place behind the series found last. To compare with it costs less than a hash, and the
    /// memory that it lies in is near.
    next: usize,
}

impl Finder<'_> {
    /// As [`Index::find`].
    pub fn find(&mut self, labels: &[u8]) -> Option<(SeriesId, Kind)> {
        let all = &self.index.series;
        let is_next = |series: &Series| series.labels.as_bytes() == labels;
        let place = if all.get(self.next).is_some_and(is_next) {
            self.next
        } else {
            self.index.place(labels)?
        };
        self.next = place + 1;
        Some((all[place].id, all[place].kind))
    }
}

impl Index {
    /// A finder that has found nothing yet.
    pub fn finder(&self) -> Finder<'_> {
        Finder {
            index: self,
            next: 0,
        }
    }

    /// The id of the series with these canonical bytes, and the kind last sent with it.
    pub fn find(&self, labels: &[u8]) -> Option<(SeriesId, Kind)> {
        let series = &self.series[self.place(labels)?];
        Some((series.id, series.kind))
    }

    fn place(&self, labels: &[u8]) -> Option<usize> {
        let same = |&place: &u32| self.series[place as usize].labels.as_bytes() == labels;
        let place = self.by_labels.find(self.hasher.hash_one(labels), same)?;
        Some(*place as usize)
    }

    /// The labels of series `id`.
    pub fn labels(&self, id: SeriesId) -> Option<&Labels> {
        let place = self
            .series
            .binary_search_by_key(&id, |series| series.id)
            .ok()?;
        Some(&self.series[place].labels)
    }

    /// Notes the kind sent with a series.
    pub fn set_kind(&mut self, id: SeriesId, kind: Kind) {
        if let Ok(place) = self.series.binary_search_by_key(&id, |series| series.id) {
            self.series[place].kind = kind;
        }
    }

    /// Adds a series whose id is above all others; false when its labels are known already.
    pub fn insert(&mut self, id: SeriesId, labels: Labels) -> bool {
        if self.find(labels.as_bytes()).is_some() {
            return false;
        }
        debug_assert!(
            self.series.last().is_none_or(|last| last.id < id),
            "I-INDEX-2"
        );
        for (name, value) in labels.iter() {
            if !self.postings.contains_key(name) {
                self.postings.insert(name.into(), HashMap::new());
            }
            let values = self.postings.get_mut(name).expect("inserted above");
            match values.get_mut(value) {
                Some(ids) => ids.push(id),
                None => {
                    values.insert(value.into(), vec![id]);
                }
            }
        }
        let place = self.series.len() as u32;
        let hash = self.hasher.hash_one(labels.as_bytes());
        let kind = self.kind(labels.metric_name());
        self.series.push(Series { id, labels, kind });
        let Self {
            by_labels,
            hasher,
            series,
            ..
        } = self;
        by_labels.insert_unique(hash, place, |&place| {
            hasher.hash_one(series[place as usize].labels.as_bytes())
        });
        true
    }

    /// Takes series out, and what is known of a metric with its last series.
    pub fn remove(&mut self, gone: &HashSet<SeriesId>) {
        self.take_out(gone);
        let names = self.postings.get(tinyobs_model::METRIC_NAME);
        self.metadata
            .retain(|name, _| names.is_some_and(|names| names.contains_key(name.as_str())));
    }

    fn take_out(&mut self, gone: &HashSet<SeriesId>) {
        self.series.retain(|series| !gone.contains(&series.id));
        self.postings.retain(|_, values| {
            values.retain(|_, ids| {
                ids.retain(|id| !gone.contains(id));
                !ids.is_empty()
            });
            !values.is_empty()
        });
        let Self {
            by_labels,
            hasher,
            series,
            ..
        } = self;
        by_labels.clear();
        for (place, one) in (0u32..).zip(series.iter()) {
            let hash = hasher.hash_one(one.labels.as_bytes());
            by_labels.insert_unique(hash, place, |&place| {
                hasher.hash_one(series[place as usize].labels.as_bytes())
            });
        }
    }

    /// Gives the labels of a series that is gone to a newer one.
    pub fn replace(&mut self, id: SeriesId, labels: Labels) {
        if let Some((older, _)) = self.find(labels.as_bytes()) {
            self.take_out(&HashSet::from([older]));
        }
        self.insert(id, labels);
    }

    /// The ids of all series, ascending.
    pub fn ids(&self) -> impl Iterator<Item = SeriesId> {
        self.series.iter().map(|series| series.id)
    }

    /// Series in all.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Ids of the series that satisfy every matcher, in the order of their labels.
    pub fn select(&self, matchers: &[Matcher]) -> Vec<SeriesId> {
        let mut found: Vec<(&Labels, SeriesId)> = match self.candidates(matchers) {
            Some(ids) => {
                let with_labels = |id: SeriesId| self.labels(id).map(|labels| (labels, id));
                ids.into_iter().filter_map(with_labels).collect()
            }
            None => self
                .series
                .iter()
                .map(|series| (&series.labels, series.id))
                .collect(),
        };
        found.retain(|(labels, _)| {
            matchers
                .iter()
                .all(|matcher| matcher.matches_labels(labels))
        });
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// The smallest set that some matcher narrows the answer to; none when every matcher also
    /// accepts series without its label, so that postings cannot tell.
    fn candidates(&self, matchers: &[Matcher]) -> Option<Vec<SeriesId>> {
        let narrowing = matchers.iter().filter(|matcher| !matcher.matches(""));
        narrowing
            .map(|matcher| self.postings_of(matcher))
            .min_by_key(Vec::len)
    }

    fn postings_of(&self, matcher: &Matcher) -> Vec<SeriesId> {
        let Some(values) = self.postings.get(matcher.name()) else {
            return Vec::new();
        };
        if matcher.op() == MatchOp::Equal {
            return values.get(matcher.value()).cloned().unwrap_or_default();
        }
        let matching = values.iter().filter(|(value, _)| matcher.matches(value));
        matching.flat_map(|(_, ids)| ids.iter().copied()).collect()
    }

    /// The values of a label, sorted.
    pub fn label_values(&self, name: &str) -> Vec<String> {
        let values = self.postings.get(name).into_iter().flatten();
        let mut values: Vec<String> = values.map(|(value, _)| value.to_string()).collect();
        values.sort_unstable();
        values
    }

    /// Distinct values of a label.
    pub fn label_value_count(&self, name: &str) -> usize {
        self.postings.get(name).map_or(0, HashMap::len)
    }

    /// Whether some series has this label with this value.
    pub fn has_label_value(&self, name: &str, value: &str) -> bool {
        let values = self.postings.get(name);
        values.is_some_and(|values| values.contains_key(value))
    }

    /// The size of each label but the metric's name.
    pub fn label_sizes(&self) -> Vec<LabelSize> {
        let labels = self.postings.iter();
        labels
            .filter(|(name, _)| &***name != tinyobs_model::METRIC_NAME)
            .map(|(name, values)| LabelSize {
                label: name.to_string(),
                values: values.len() as u64,
                series: values.values().map(|ids| ids.len() as u64).sum(),
            })
            .collect()
    }

    /// Series of a metric.
    pub fn metric_series(&self, metric: &str) -> u64 {
        let names = self.postings.get(tinyobs_model::METRIC_NAME);
        names
            .and_then(|names| names.get(metric))
            .map_or(0, |ids| ids.len() as u64)
    }

    /// Metric names with the number of their series, sorted by name.
    pub fn metric_sizes(&self) -> Vec<MetricSize> {
        let names = self
            .postings
            .get(tinyobs_model::METRIC_NAME)
            .into_iter()
            .flatten();
        let mut sizes: Vec<MetricSize> = names
            .map(|(name, ids)| MetricSize {
                metric: name.to_string(),
                series: ids.len() as u64,
            })
            .collect();
        sizes.sort_unstable_by(|a, b| a.metric.cmp(&b.metric));
        sizes
    }

    /// Distinct services among the series of each metric that has some, sorted, and how many series
    /// those are.
    pub fn services_by_metric(&self) -> BTreeMap<&str, (Vec<&str>, u64)> {
        let mut found: BTreeMap<&str, (Vec<&str>, u64)> = BTreeMap::new();
        for (service, labels) in SERVICE_LABELS.iter().flat_map(|label| self.named_by(label)) {
            let (services, series) = found.entry(labels.metric_name()).or_default();
            *series += 1;
            if services.last() != Some(&service) {
                services.push(service);
            }
        }
        for (values, _) in found.values_mut() {
            values.sort_unstable();
            values.dedup();
        }
        found
    }

    /// Each service, sorted.
    pub fn services(&self) -> Vec<String> {
        let mut found = BTreeSet::new();
        for label in SERVICE_LABELS {
            for (value, ids) in self.postings.get(label).into_iter().flatten() {
                // Nearly always the first one is.
                let is_named = |id: &SeriesId| {
                    let service = self.labels(*id).and_then(Labels::service);
                    service.is_some_and(|(by, _)| by == label)
                };
                if !found.contains(&**value) && ids.iter().any(is_named) {
                    found.insert(value.to_string());
                }
            }
        }
        found.into_iter().collect()
    }

    /// The series whose service is named by `label`, and not by one that counts before it.
    fn named_by(&self, label: &str) -> impl Iterator<Item = (&str, &Labels)> {
        let values = self.postings.get(label).into_iter().flatten();
        let series = values.flat_map(|(value, ids)| ids.iter().map(move |id| (&**value, *id)));
        let series = series.filter_map(|(value, id)| Some((value, self.labels(id)?)));
        series.filter(move |(_, labels)| labels.service().is_some_and(|(by, _)| by == label))
    }

    /// Whether a metric name has any series.
    pub fn has_metric(&self, metric: &str) -> bool {
        let names = self.postings.get(tinyobs_model::METRIC_NAME);
        names.is_some_and(|names| names.contains_key(metric))
    }

    /// What is known of a metric name.
    pub fn metadata(&self, metric: &str) -> Option<&Metadata> {
        self.metadata.get(metric)
    }

    /// The kind of a metric name.
    pub fn kind(&self, metric: &str) -> Kind {
        self.metadata(metric)
            .map_or(Kind::Unknown, |metadata| metadata.kind)
    }

    /// Notes what is known of a metric name.
    pub fn describe(&mut self, metric: String, metadata: Metadata) {
        self.metadata.insert(metric, metadata);
    }
}

#[cfg(test)]
mod tests;
