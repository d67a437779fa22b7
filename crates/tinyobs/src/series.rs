//! Series and metrics as the registry keeps them.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::Relaxed};

use tinyobs_model::labels::Labels;

use crate::counter::CounterCell;
use crate::gauge::GaugeCell;
use crate::histogram::{HistogramCell, clean_bounds};

/// What a metric is; the same for all its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric: what its series have in common.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: Box<str>,
    pub(crate) kind: Kind,
    /// Bounds of a histogram; empty otherwise.
    pub(crate) bounds: Arc<[f64]>,
    /// Series registered, the overflow series not counted. Changed under the registry's write lock.
    pub(crate) series: AtomicUsize,
    /// Takes what all label sets beyond the limit count together.
    pub(crate) overflow: OnceLock<Arc<Series>>,
    /// Whether somebody was told that the name is also used as another kind or with other bounds.
    pub(crate) conflict_told: AtomicBool,
}

impl Family {
    /// What to say, once a metric, when it is asked for as something that it is not.
    pub(crate) fn conflict(&self, kind: Kind, bounds: Option<&[f64]>) -> Option<String> {
        let message = if self.kind != kind {
            format!(
                "metric {:?} is a {}; what is recorded into it as a {} is dropped",
                self.name,
                self.kind.name(),
                kind.name()
            )
        } else if bounds.is_some_and(|bounds| self.differs_from(bounds)) {
            let (name, bounds) = (&self.name, &self.bounds);
            format!("histogram {name:?} keeps its first bounds {bounds:?}")
        } else {
            return None;
        };
        (!self.conflict_told.swap(true, Relaxed)).then_some(message)
    }

    fn differs_from(&self, bounds: &[f64]) -> bool {
        *self.bounds != *bounds && *clean_bounds(bounds).0 != *self.bounds
    }
}

/// Bytes of a row in the server's batch beside its labels. Less than it really is, so that nothing
/// is turned away here that a server would take.
const ROW_BYTES: usize = 128;

impl Family {
    /// Bytes that a series takes in the server's batch, where each bucket repeats all labels;
    /// `implied` are the labels that the server adds.
    pub(crate) fn unfolded_bytes(&self, labels: &Labels, implied: &[(String, String)]) -> usize {
        let rows = match self.kind {
            // The bounds' buckets, that of +Inf, the sum and the count.
            Kind::Histogram => self.bounds.len() + 3,
            Kind::Counter | Kind::Gauge => 1,
        };
        let implied: usize = implied.iter().map(|(_, value)| value.len()).sum();
        rows * (ROW_BYTES + labels.as_bytes().len() + implied)
    }
}

/// One series: a metric and its labels.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) family: Arc<Family>,
    /// All labels, the client's own ones among them.
    pub(crate) labels: Labels,
    /// When it began at 0. Strictly before its first sample, so that the server can tell a fresh
    /// counter from one that jumps.
    pub(crate) start_ms: AtomicI64,
    /// Whether it is the first of its metric: that one carries unit and help.
    pub(crate) first: bool,
    /// What it takes in the server's batch; see [`Family::unfolded_bytes`].
    pub(crate) unfolded_bytes: usize,
    pub(crate) cell: Cell,
}

impl Series {
    /// When it began at 0, for a sample of `at_ms`. A clock that was set back since the series
    /// began moves the start, for good (I-SNAPSHOT-4).
    pub(crate) fn start_before(&self, at_ms: i64) -> i64 {
        let latest = at_ms - 1;
        self.start_ms.fetch_min(latest, Relaxed).min(latest)
    }
}

/// Where the value lives.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Counter(Arc<CounterCell>),
    Gauge(Arc<GaugeCell>),
    Histogram(Arc<HistogramCell>),
}

/// What a metric is about, as [`describe`](crate::Client::describe) was told.
#[derive(Debug)]
pub(crate) struct Meta {
    pub(crate) unit: Box<str>,
    pub(crate) help: Box<str>,
}
