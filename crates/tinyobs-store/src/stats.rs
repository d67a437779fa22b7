//! Stats: figures about the store, none of which needs a look at the samples.

use std::sync::atomic::Ordering;

use tinyobs_model::Metadata;

use crate::engine::{Space, Summary};
use crate::inner::{Inner, of_space};
use crate::options::EngineKind;

/// Figures about the whole store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series known.
    pub series: u64,
    /// Metric names known.
    pub metrics: u64,
    /// Samples stored.
    pub samples: u64,
    /// Time of the earliest sample, in ms.
    pub oldest_ms: Option<i64>,
    /// Time of the latest sample, in ms.
    pub newest_ms: Option<i64>,
    /// Bytes that all files occupy on the device.
    pub disk_bytes: u64,
    /// Bytes of the log.
    pub wal_bytes: u64,
    /// Bytes of the tables.
    pub table_bytes: u64,
    /// Tables.
    pub tables: u64,
    /// Samples in the head.
    pub head_samples: u64,
    /// Flushes since the start.
    pub flushes: u64,
    /// Syncs of the log since the start.
    pub fsyncs: u64,
}

/// A metric name and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricInfo {
    /// The metric name.
    pub name: String,
    /// Its kind, unit and help.
    pub metadata: Metadata,
    /// Its series.
    pub series: u64,
    /// Their services, sorted; "" when some have none.
    pub services: Vec<String>,
}

impl Inner {
    pub(crate) fn metrics(&self) -> Vec<MetricInfo> {
        let index = self.index();
        let services = index.services_by_metric();
        let info = |size: crate::index::MetricSize| {
            let (mut names, with) = services
                .get(size.metric.as_str())
                .cloned()
                .unwrap_or_default();
            if with < size.series {
                names.insert(0, "");
            }
            MetricInfo {
                metadata: index.metadata(&size.metric).cloned().unwrap_or_default(),
                services: names.into_iter().map(str::to_owned).collect(),
                name: size.metric,
                series: size.series,
            }
        };
        index.metric_sizes().into_iter().map(info).collect()
    }

    pub(crate) fn stats(&self) -> Stats {
        let (series, metrics) = {
            let index = self.index();
            (
                index.len() as u64,
                index.label_value_count(tinyobs_model::METRIC_NAME) as u64,
            )
        };
        let (head_samples, first_ms, last_ms) = self.head.extent();
        let head = Summary {
            samples: head_samples,
            first_ms,
            last_ms,
            sequence: 0,
        };
        let view = self.engine.view();
        let all = of_space(view.as_ref(), Space::Raw).summary.and(head);
        let partitions = view.partitions();
        let tables = partitions.iter().map(|(_, info)| info.tables).sum();
        let table_bytes = partitions.iter().map(|(_, info)| info.bytes).sum();
        self.measure();
        let on_disk = self.options.engine == EngineKind::Disk;
        Stats {
            series,
            metrics,
            samples: all.samples,
            oldest_ms: (all.has_times()).then_some(all.first_ms),
            newest_ms: (all.has_times()).then_some(all.last_ms),
            disk_bytes: if on_disk { self.used_bytes() } else { 0 },
            wal_bytes: self.wal_bytes(),
            table_bytes,
            tables,
            head_samples,
            flushes: self.flushes.load(Ordering::Relaxed),
            fsyncs: self.syncer.as_ref().map_or(0, |syncer| syncer.syncs()),
        }
    }
}
