//! Point: a data point as both encodings tell it, before anybody asks what it means.
//!
//!   [`proto`](super::proto), [`json`](super::json) ─▶ [Metric], [Point] ─▶ [`rows`](super::rows)
//!
//! One struct for all kinds of points, whose memory is used again for the next one.

use std::borrow::Cow;

use tinyobs_model::{Refusal, limits};

/// The rule that a point breaks, and the sentence for people.
pub type Broken = (Refusal, String);

/// Whether values are since the start, or since the last ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Temporality {
    /// Nobody said, which is an error.
    #[default]
    Unspecified,
    /// Since the last point.
    Delta,
    /// Since the start.
    Cumulative,
}

/// What a metric's points are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The value of the moment.
    Gauge,
    /// Added up.
    Sum {
        /// Whether it only grows.
        is_monotonic: bool,
        /// Since when.
        temporality: Temporality,
    },
    /// With bounds that are told.
    Histogram(Temporality),
    /// With bounds that are powers of a base.
    Exponential(Temporality),
    /// With quantiles.
    Summary,
}

/// What all points of a metric share.
#[derive(Debug, Clone)]
pub struct Metric<'a> {
    /// As OTel has it.
    pub name: Cow<'a, str>,
    /// For people.
    pub description: Cow<'a, str>,
    /// In UCUM's codes.
    pub unit: Cow<'a, str>,
    /// What its points are.
    pub shape: Shape,
    /// Why none of them can be used.
    pub broken: Option<Broken>,
}

/// Keys with their values as text.
#[derive(Debug, Default)]
pub struct Attributes<'a> {
    /// In the order in which they came.
    pub pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Why they cannot be used.
    pub broken: Option<Broken>,
}

impl<'a> Attributes<'a> {
    /// Forgets them, and keeps their memory.
    pub fn clear(&mut self) {
        self.pairs.clear();
        self.broken = None;
    }

    /// Adds one; false when there are too many already.
    pub fn push(&mut self, key: Cow<'a, str>, value: Cow<'a, str>) -> bool {
        if self.pairs.len() >= limits::OTLP_ATTRIBUTES {
            self.break_as(
                Refusal::TooManyLabels,
                format!("more than {} attributes", limits::OTLP_ATTRIBUTES),
            );
            return false;
        }
        self.pairs.push((key, value));
        true
    }

    /// Notes the first thing that is wrong.
    pub fn break_as(&mut self, rule: Refusal, message: String) {
        self.broken.get_or_insert((rule, message));
    }

    /// The value of `key`, or "".
    pub fn get(&self, key: &str) -> &str {
        let found = self.pairs.iter().find(|(known, _)| known == key);
        found.map_or("", |(_, value)| value)
    }
}

/// Where points stand. It is told to the sink with the first point in it: a body may have millions
/// of resources and scopes with nothing in them, which should cost no more than going past them.
#[derive(Debug, Default)]
pub struct Place<'a> {
    /// The resource's.
    pub attributes: Attributes<'a>,
    /// Name and version of the scope.
    pub scope: (Cow<'a, str>, Cow<'a, str>),
    /// Whether the sink knows the resource.
    pub is_resource_told: bool,
    /// Whether the sink knows the scope.
    pub is_scope_told: bool,
}

impl<'a> Place<'a> {
    /// Another scope's points follow.
    pub fn set_scope(&mut self, name: Cow<'a, str>, version: Cow<'a, str>) {
        self.scope = (name, version);
        self.is_scope_told = false;
    }
}

/// Counts of neighbouring buckets of an exponential histogram.
#[derive(Debug, Default)]
pub struct Buckets {
    /// The index of the first.
    pub offset: i32,
    /// How many values lie in each.
    pub counts: Vec<u64>,
}

/// One data point; which fields mean something is up to the metric's shape.
#[derive(Debug, Default)]
pub struct Point<'a> {
    /// What tells it from the metric's other points.
    pub attributes: Attributes<'a>,
    /// Nanoseconds since the epoch; 0 is not told.
    pub start_ns: u64,
    /// Nanoseconds since the epoch.
    pub time_ns: u64,
    /// See [`Self::is_end`].
    pub flags: u64,
    /// Of gauges and sums.
    pub number: Option<f64>,
    /// Values in a histogram or summary.
    pub count: u64,
    /// Their sum.
    pub sum: Option<f64>,
    /// Upper bounds of a histogram's buckets, `+Inf` left out.
    pub bounds: Vec<f64>,
    /// How many values lie in each, `+Inf` included.
    pub counts: Vec<u64>,
    /// Of an exponential histogram: its base is 2 to the power of 2 to the power of minus this.
    pub scale: i32,
    /// Values around 0.
    pub zero_count: u64,
    /// How far around.
    pub zero_threshold: f64,
    /// Values above 0.
    pub positive: Buckets,
    /// Values below 0.
    pub negative: Buckets,
    /// Of a summary, each with its value.
    pub quantiles: Vec<(f64, f64)>,
    /// Why it cannot be read.
    pub broken: Option<Broken>,
}

impl Point<'_> {
    /// Forgets everything, and keeps the memory of lists.
    pub fn clear(&mut self) {
        let mut old = std::mem::take(self);
        old.attributes.clear();
        old.bounds.clear();
        old.counts.clear();
        old.positive.counts.clear();
        old.negative.counts.clear();
        old.quantiles.clear();
        *self = Self {
            attributes: old.attributes,
            bounds: old.bounds,
            counts: old.counts,
            positive: Buckets {
                offset: 0,
                counts: old.positive.counts,
            },
            negative: Buckets {
                offset: 0,
                counts: old.negative.counts,
            },
            quantiles: old.quantiles,
            ..Self::default()
        };
    }

    /// Whether it says that there is no value any more.
    pub fn is_end(&self) -> bool {
        self.flags & 1 == 1
    }
}

/// Adds to a list that may have `max` elements; false, and the point is broken, when it has them.
pub fn push_capped<T>(list: &mut Vec<T>, one: T, max: usize, broken: &mut Option<Broken>) -> bool {
    if list.len() >= max {
        broken.get_or_insert_with(|| {
            let message = format!("a list of the data point has more than {max} elements");
            (Refusal::HistogramInvalid, message)
        });
        return false;
    }
    list.push(one);
    true
}
