//! Own: the families `tinyobs_*`, what the server knows of itself.

use std::collections::BTreeMap;

use tinyobs_model::Kind;
use tinyobs_wire::exposition::{About, Format, TextWriter};

use crate::counters::{DURATION_BOUNDS, Durations, Tables};
use crate::process;
use crate::state::App;

mod store;

/// The page of our own families, as it grows.
pub struct Own {
    writer: TextWriter,
    format: Format,
    names: Vec<&'static str>,
}

/// Written last, yet its name is taken from the start.
const SKIPPED: &str = "tinyobs_exposition_skipped_series";

impl Own {
    /// Everything about `app`.
    pub fn of(app: &App, format: Format) -> Self {
        let mut own = Self {
            writer: TextWriter::new(format),
            format,
            names: vec![SKIPPED],
        };
        own.build(app);
        own.server(app);
        own.store(app);
        own.process();
        own.tables(&app.counters.tables());
        own
    }

    /// Whether a pushed metric of this name would stand beside one of ours: compared as the page
    /// will have it, without the suffixes of our histogram, and with the one of our counters.
    pub fn has(&self, pushed: &str) -> bool {
        let written: String = pushed
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| written.strip_suffix(suffix));
        self.names.contains(&written.as_str())
            || base.is_some_and(|base| self.names.contains(&base))
            || self
                .names
                .iter()
                .any(|name| name.strip_suffix("_total") == Some(&*written))
    }

    /// Ends the page with how many pushed series it lacks.
    pub fn skipped(&mut self, series: u64) {
        let help = "Series left out of this page: written in the characters that the format \
                    allows, their name and labels are taken.";
        self.gauge(SKIPPED, help, series as f64);
    }

    /// The page.
    pub fn into_string(self) -> String {
        self.writer.into_string()
    }

    fn build(&mut self, app: &App) {
        let name = "tinyobs_build_info";
        let labels = [
            ("version", env!("CARGO_PKG_VERSION")),
            ("engine", app.config.engine.as_str()),
            ("durability", app.config.durability.as_str()),
        ];
        self.family(name, Kind::Gauge, "The running version.");
        self.writer.sample(name, labels, 1.0);
    }

    fn server(&mut self, app: &App) {
        let stored = app.counters.stored_total();
        let name = "tinyobs_ingest_samples_stored_total";
        self.counter(name, "Samples stored since the start.", stored as f64);
        let texts = app.counters.texts_skipped_total() as f64;
        let name = "tinyobs_ingest_text_fields_skipped_total";
        self.counter(name, "Fields of line protocol left out: text.", texts);
        let groups = app.groups.len() as f64;
        let clients = app.clients.pushing(app.now_ms());
        let uptime = app.started.elapsed().as_secs_f64();
        let is_keeping = app.store.health().is_ok() && app.store.refusing().is_none();
        let healthy = f64::from(u8::from(is_keeping));
        let pushes = app.ingest.waiting() as f64;
        let [light, heavy] = app.lanes.waiting();
        let queries = (app.queries.waiting() + light) as f64;
        for (name, help, value) in [
            ("tinyobs_uptime_seconds", "Time since the start.", uptime),
            ("tinyobs_ingest_waiting", "Pushes in the queue.", pushes),
            ("tinyobs_query_waiting", "Queries in the queue.", queries),
            (
                "tinyobs_query_heavy_waiting",
                "Heavy PromQL queries in the queue.",
                heavy as f64,
            ),
            ("tinyobs_clients", "Processes that push.", clients as f64),
            ("tinyobs_pushed_groups", "Groups pushed to.", groups),
            ("tinyobs_store_healthy", "1 while writes are kept.", healthy),
            (
                "tinyobs_store_damage",
                "Damaged places that the start found.",
                app.store.damage().len() as f64,
            ),
        ] {
            self.gauge(name, help, value);
        }
    }

    fn process(&mut self) {
        let Some(process) = process::read() else {
            return;
        };
        let name = "tinyobs_process_cpu_seconds_total";
        self.counter(name, "CPU time of the server.", process.cpu_seconds);
        let name = "tinyobs_process_resident_memory_bytes";
        self.gauge(name, "Memory in RAM.", process.resident_bytes);
        let name = "tinyobs_process_open_fds";
        self.gauge(name, "Open files.", process.open_files);
    }

    fn tables(&mut self, tables: &Tables) {
        let name = "tinyobs_ingest_items_refused_total";
        self.family(name, Kind::Counter, "Items of pushes refused, by rule.");
        for (rule, count) in &tables.refused {
            self.writer.sample(name, [("rule", *rule)], *count as f64);
        }
        let name = "tinyobs_http_requests_total";
        self.family(name, Kind::Counter, "Requests answered.");
        for ((route, status), count) in &tables.requests {
            let status = status.to_string();
            let labels = [("route", *route), ("status", status.as_str())];
            self.writer.sample(name, labels, *count as f64);
        }
        self.durations(&tables.durations);
    }

    fn durations(&mut self, by_route: &BTreeMap<&'static str, Durations>) {
        let name = "tinyobs_http_request_duration_seconds";
        self.family(name, Kind::Histogram, "Time to an answer.");
        let [bucket, sum, count] = ["bucket", "sum", "count"].map(|part| format!("{name}_{part}"));
        for (route, durations) in by_route {
            let mut below = 0;
            let is_open = self.format == Format::OpenMetrics;
            let bounds = DURATION_BOUNDS.iter().map(|bound| {
                if is_open {
                    // With a point, always.
                    format!("{bound:?}")
                } else {
                    bound.to_string()
                }
            });
            let bounds = bounds.chain(["+Inf".to_owned()]);
            for (bound, in_bucket) in bounds.zip(durations.buckets) {
                below += in_bucket;
                let labels = [("route", *route), ("le", bound.as_str())];
                self.writer.sample(&bucket, labels, below as f64);
            }
            let route = [("route", *route)];
            self.writer.sample(&sum, route, durations.sum);
            self.writer.sample(&count, route, below as f64);
        }
    }

    fn gauge(&mut self, name: &'static str, help: &str, value: f64) {
        self.family(name, Kind::Gauge, help);
        self.writer.sample(name, [], value);
    }

    fn counter(&mut self, name: &'static str, help: &str, value: f64) {
        self.family(name, Kind::Counter, help);
        self.writer.sample(name, [], value);
    }

    fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        let about = About { help, unit: "" };
        self.writer.family(name, kind, about);
        self.names.push(name);
    }
}
