//! Store: the families about what is stored, how it is kept, and how full the disk is.

use tinyobs_model::Kind;
use tinyobs_store::{MaintenanceStatus, Phase, SpaceInfo, Storage};

use super::Own;
use crate::state::App;

impl Own {
    pub(super) fn store(&mut self, app: &App) {
        self.totals(app);
        self.maintenance(&app.store.maintenance());
        let storage = app.store.storage();
        self.storage(&storage);
        self.spaces(&storage.spaces);
    }

    fn totals(&mut self, app: &App) {
        let stats = app.store.stats();
        let cardinality = app.store.cardinality();
        for (name, help, value) in [
            ("tinyobs_store_series", "Series in the index.", stats.series),
            (
                "tinyobs_store_series_max",
                "Series allowed.",
                cardinality.max_series,
            ),
            (
                "tinyobs_store_series_per_metric_max",
                "Series allowed for one metric; 0 is no limit.",
                cardinality.max_series_per_metric,
            ),
            ("tinyobs_store_samples", "Samples stored.", stats.samples),
            (
                "tinyobs_store_head_samples",
                "Samples in memory, not yet in a table.",
                stats.head_samples,
            ),
            (
                "tinyobs_store_disk_bytes",
                "Disk space taken by all files.",
                stats.disk_bytes,
            ),
            (
                "tinyobs_store_wal_bytes",
                "Disk space taken by the log.",
                stats.wal_bytes,
            ),
            (
                "tinyobs_store_table_bytes",
                "Disk space taken by tables.",
                stats.table_bytes,
            ),
            ("tinyobs_store_tables", "Tables on disk.", stats.tables),
        ] {
            self.gauge(name, help, value as f64);
        }
        self.gauge(
            "tinyobs_store_series_growth",
            "Series more than an hour or two ago, or at the start.",
            cardinality.growth.series_added as f64,
        );
        for (name, help, value) in [
            (
                "tinyobs_store_series_refused_total",
                "Samples refused because their series would be one too many.",
                cardinality.refused,
            ),
            (
                "tinyobs_store_series_expired_total",
                "Series forgotten because none of their data is left.",
                cardinality.expired,
            ),
            (
                "tinyobs_store_flushes_total",
                "Times the head was written to a table.",
                stats.flushes,
            ),
            (
                "tinyobs_store_fsyncs_total",
                "Times a file was forced to disk.",
                stats.fsyncs,
            ),
        ] {
            self.counter(name, help, value as f64);
        }
    }

    fn maintenance(&mut self, status: &MaintenanceStatus) {
        let name = "tinyobs_maintenance_running";
        self.family(name, Kind::Gauge, "1 for the phase that is being done.");
        for phase in [Phase::Flush, Phase::Rollup, Phase::Merge, Phase::Retention] {
            let runs = status.phase == Some(phase);
            let labels = [("phase", phase.as_str())];
            self.writer.sample(name, labels, f64::from(u8::from(runs)));
        }
        self.gauge(
            "tinyobs_rollup_lag_seconds",
            "From the newest sample back to the newest one that stands in rollups.",
            status.lag_ms as f64 / 1_000.0,
        );
        self.gauge(
            "tinyobs_maintenance_consecutive_errors",
            "Cycles that failed since the last one that did not.",
            status.consecutive_errors as f64,
        );
        if let Some(success_ms) = status.last_success_ms {
            self.gauge(
                "tinyobs_maintenance_last_success_timestamp_seconds",
                "When the last whole cycle ended.",
                success_ms as f64 / 1_000.0,
            );
        }
        if let Some(last) = status.last {
            self.gauge(
                "tinyobs_maintenance_last_duration_seconds",
                "Time of the last whole cycle.",
                last.took_ms as f64 / 1_000.0,
            );
        }
        let sum = status.sum;
        for (name, help, value) in [
            (
                "tinyobs_maintenance_cycles_total",
                "Whole cycles that succeeded.",
                status.cycles as f64,
            ),
            (
                "tinyobs_maintenance_failures_total",
                "Cycles that failed.",
                status.failures as f64,
            ),
            (
                "tinyobs_maintenance_duration_seconds_total",
                "Time of all cycles, and of what a long log made necessary in between.",
                sum.took_ms as f64 / 1_000.0,
            ),
            (
                "tinyobs_rollup_windows_total",
                "Windows rolled up.",
                sum.rolled_windows as f64,
            ),
            (
                "tinyobs_maintenance_tables_merged_total",
                "Tables that became part of another one.",
                sum.merged_tables as f64,
            ),
            (
                "tinyobs_maintenance_partitions_dropped_total",
                "Partitions dropped, by age or for room.",
                sum.dropped_partitions as f64,
            ),
            (
                "tinyobs_maintenance_freed_bytes_total",
                "Disk space that whole cycles freed.",
                sum.freed_bytes as f64,
            ),
        ] {
            self.counter(name, help, value);
        }
    }

    fn storage(&mut self, storage: &Storage) {
        for (name, help, value) in [
            (
                "tinyobs_storage_used_bytes",
                "What counts against the disk budget.",
                storage.used_bytes,
            ),
            (
                "tinyobs_storage_max_bytes",
                "The disk budget; 0 is none.",
                storage.max_bytes,
            ),
            (
                "tinyobs_storage_reserve_bytes",
                "Kept so that a full disk can be emptied.",
                storage.reserve_bytes,
            ),
        ] {
            self.gauge(name, help, value as f64);
        }
    }

    fn spaces(&mut self, spaces: &[SpaceInfo]) {
        type Figure = fn(&SpaceInfo) -> Option<f64>;
        let figures: [(&'static str, &str, Figure); 5] = [
            ("tinyobs_storage_tables", "Tables by resolution.", |space| {
                Some(space.tables as f64)
            }),
            (
                "tinyobs_storage_table_bytes",
                "Bytes of tables by resolution.",
                |space| Some(space.bytes as f64),
            ),
            (
                "tinyobs_storage_rows",
                "Samples of raw, windows of the others.",
                |space| Some(space.samples_or_rows as f64),
            ),
            (
                "tinyobs_storage_oldest_timestamp_seconds",
                "The oldest time that is kept, by resolution.",
                |space| space.oldest_ms.map(|ms| ms as f64 / 1_000.0),
            ),
            (
                "tinyobs_storage_dropped_until_timestamp_seconds",
                "What is older has been dropped, by resolution.",
                |space| space.dropped_until_ms.map(|ms| ms as f64 / 1_000.0),
            ),
        ];
        for (name, help, figure) in figures {
            self.family(name, Kind::Gauge, help);
            for space in spaces {
                if let Some(value) = figure(space) {
                    let labels = [("resolution", space.resolution.as_str())];
                    self.writer.sample(name, labels, value);
                }
            }
        }
    }
}
