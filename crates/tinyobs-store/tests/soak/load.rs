//! Load: the series of the demo app, as its SDK pushes them.
//!
//! Requests by endpoint and status, their durations as classic histograms, orders, a queue, a batch
//! job and the process: about 130 series, of which a third stands still between two pushes. Traffic
//! follows a day of ten minutes.

use std::collections::HashMap;

use tinyobs_model::{Kind, Labels, LabelsBuilder, Sample, WriteBatch, stale_marker};

use crate::oracle::DAY;
use crate::steps::Random;

const ENDPOINTS: [&str; 5] = [
    "/api/users",
    "/api/orders",
    "/api/products",
    "/api/stats",
    "/health",
];
const STATUSES: [&str; 3] = ["200", "404", "500"];
const SECONDS: [&str; 12] = [
    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf",
];
const EUROS: [&str; 8] = ["5", "10", "20", "50", "100", "200", "500", "+Inf"];
/// A new version goes out this often, half an hour before midnight: what the old one says last belongs
/// to the same hour.
const DEPLOYED_EVERY_MS: i64 = 7 * DAY;
const BEFORE_MIDNIGHT_MS: i64 = 1_800_000;

/// How a series moves.
#[derive(Clone, Copy)]
enum Shape {
    /// Grows with the traffic, by so much in a thousand customers.
    Count(u64),
    /// The same, in fractions.
    Sum(u64),
    /// Customers at the moment, times a factor.
    Level(f64),
    /// Does not move.
    Still,
}

struct Line {
    name: String,
    labels: Vec<(&'static str, &'static str)>,
    kind: Kind,
    shape: Shape,
    value: f64,
}

/// The app.
pub struct Load {
    /// Between two pushes.
    pub push_ms: i64,
    begun_ms: i64,
    lines: Vec<Line>,
    random: Random,
    deployed: i64,
}

impl Load {
    /// An app that starts at `begun_ms`.
    pub fn new(push_ms: i64, begun_ms: i64) -> Self {
        let mut load = Self {
            push_ms,
            begun_ms,
            lines: Vec::new(),
            random: Random(7),
            deployed: 0,
        };
        for (place, endpoint) in (0..).zip(ENDPOINTS) {
            for (status, share) in STATUSES.into_iter().zip([900, 20, 3]) {
                let labels = [
                    ("endpoint", endpoint),
                    ("status", status),
                    ("method", "GET"),
                ];
                let shape = Shape::Count(share / (place + 1));
                load.add("http_requests_total", &labels, Kind::Counter, shape);
            }
            let endpoint = [("endpoint", endpoint)];
            load.histogram(
                "http_request_duration_seconds",
                &endpoint,
                &SECONDS,
                900 / (place + 1),
            );
        }
        load.histogram("order_value_euros", &[], &EUROS, 40);
        load.histogram("batch_duration_seconds", &[], &SECONDS, 1);
        for payment in ["card", "invoice", "voucher"] {
            load.add(
                "orders_total",
                &[("payment", payment)],
                Kind::Counter,
                Shape::Count(13),
            );
        }
        for (name, share) in [
            ("errors_total", 3),
            ("queue_packed_total", 30),
            ("batch_rows_total", 500),
        ] {
            load.add(name, &[], Kind::Counter, Shape::Count(share));
        }
        load.add(
            "process_cpu_seconds_total",
            &[],
            Kind::Counter,
            Shape::Sum(2),
        );
        for (name, factor) in [
            ("active_users", 1.0),
            ("demo_load", 0.001),
            ("queue_depth", 0.05),
            ("process_resident_memory_bytes", 65_536.0),
            ("process_threads", 0.01),
            ("process_open_fds", 0.1),
        ] {
            load.add(name, &[], Kind::Gauge, Shape::Level(factor));
        }
        for name in ["process_start_time_seconds", "process_virtual_memory_bytes"] {
            load.add(name, &[], Kind::Gauge, Shape::Still);
        }
        load
    }

    fn add(
        &mut self,
        name: &str,
        labels: &[(&'static str, &'static str)],
        kind: Kind,
        shape: Shape,
    ) {
        self.lines.push(Line {
            name: name.to_owned(),
            labels: labels.to_vec(),
            kind,
            shape,
            value: 0.0,
        });
    }

    fn histogram(
        &mut self,
        name: &str,
        labels: &[(&'static str, &'static str)],
        bounds: &[&'static str],
        share: u64,
    ) {
        for (place, bound) in (1..).zip(bounds) {
            let mut labels = labels.to_vec();
            labels.push(("le", bound));
            let shape = Shape::Count(share * place / bounds.len() as u64);
            self.add(&format!("{name}_bucket"), &labels, Kind::Histogram, shape);
        }
        self.add(
            &format!("{name}_sum"),
            labels,
            Kind::Histogram,
            Shape::Sum(share),
        );
        self.add(
            &format!("{name}_count"),
            labels,
            Kind::Histogram,
            Shape::Count(share),
        );
    }

    /// Whether a series is a gauge.
    pub fn is_gauge(&self, series: usize) -> bool {
        self.lines[series % self.lines.len()].kind == Kind::Gauge
    }

    /// The number of a series: its line, and how often the app had been deployed.
    pub fn number(&self, labels: &Labels) -> usize {
        let deployed: usize = labels
            .get("instance")
            .and_then(|text| text.strip_prefix("shop-")?.parse().ok())
            .expect("our instance");
        let is_it = |line: &Line| {
            let mut pairs = line.labels.iter();
            line.name == labels.metric_name()
                && pairs.all(|(name, value)| labels.get(name) == Some(value))
        };
        let found = self.lines.iter().position(is_it).expect("our series");
        deployed * self.lines.len() + found
    }

    /// One push at `now_ms`: series, time and bits of each sample of it.
    pub fn push(&mut self, now_ms: i64, batch: &mut WriteBatch) -> Vec<(usize, i64, u64)> {
        let mut sent = Vec::with_capacity(self.lines.len());
        let deployed = (now_ms - self.begun_ms + BEFORE_MIDNIGHT_MS) / DEPLOYED_EVERY_MS;
        if deployed != self.deployed {
            // The old one says goodbye, the new one begins at 0.
            self.put(now_ms - 1, batch, &mut sent, true);
            self.deployed = deployed;
            self.lines.iter_mut().for_each(|line| line.value = 0.0);
        }
        let wave = (now_ms as f64 / 600_000.0 * std::f64::consts::TAU).sin();
        let customers = (500.0 + 400.0 * wave) as u64 + self.random.below(40);
        let seconds = self.push_ms as u64 / 1_000;
        for line in &mut self.lines {
            match line.shape {
                Shape::Count(share) => {
                    let thousandths = customers * seconds * share / 10;
                    let more = thousandths / 1_000;
                    let rest = u64::from(self.random.below(1_000) < thousandths % 1_000);
                    line.value += (more + rest) as f64;
                }
                Shape::Sum(share) => {
                    let more = customers * seconds * share / 10_000 + self.random.below(100);
                    line.value += more as f64 * 0.001;
                }
                Shape::Level(factor) => line.value = customers as f64 * factor,
                Shape::Still => line.value = 1.7e9,
            }
        }
        self.put(now_ms, batch, &mut sent, false);
        sent
    }

    fn put(
        &mut self,
        at_ms: i64,
        batch: &mut WriteBatch,
        sent: &mut Vec<(usize, i64, u64)>,
        last: bool,
    ) {
        let instance = format!("shop-{}", self.deployed);
        let before = self.deployed as usize * self.lines.len();
        for (place, line) in self.lines.iter().enumerate() {
            let mut labels = LabelsBuilder::new();
            labels.begin(&line.name);
            labels.push("service", "example-app");
            labels.push("instance", &instance);
            for (name, value) in &line.labels {
                labels.push(name, value);
            }
            let value = if last { stale_marker() } else { line.value };
            let sample = Sample::new(at_ms, value);
            let number = batch.len() as u32;
            batch
                .push(number, &mut labels, line.kind, sample, None)
                .expect("valid");
            sent.push((before + place, at_ms, value.to_bits()));
        }
    }
}

/// Whether every series of an app can be told from every other.
#[test]
fn numbers_tell_series_apart() {
    let mut load = Load::new(5_000, 0);
    let mut batch = WriteBatch::new();
    load.push(0, &mut batch);
    let mut seen: HashMap<usize, usize> = HashMap::new();
    for row in batch.rows() {
        let labels = Labels::from_canonical(batch.labels(row)).expect("canonical");
        *seen.entry(load.number(&labels)).or_default() += 1;
    }
    assert_eq!(
        (seen.len(), batch.len()),
        (load.lines.len(), load.lines.len())
    );
    assert!((100..200).contains(&seen.len()), "{} series", seen.len());
}
