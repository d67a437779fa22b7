//! What heavy queries cost: 10,000 series × 6 h at 15 s in a real store, CPU time of each query.
//!
//!   cargo run --release -p tinyobs-promql --example query_cost [-- RUNS [QUERY]]
//!
//! Figures of one run can be compared with each other; those of another run on another day cannot.

use std::fs;
use std::time::Instant;

use tinyobs_model::{Kind, LabelsBuilder, Sample, WriteBatch};
use tinyobs_promql::{AnswerValue, Control, Query, evaluate, parse};
use tinyobs_store::{Retention, Store, StoreOptions};

const SERIES_PER_TARGET: usize = 500;
const TARGETS: usize = 20;
const STEPS: i64 = 1_440;
const INTERVAL_MS: i64 = 15_000;
const START_MS: i64 = 1_700_000_000_000 - 1_700_000_000_000 % 3_600_000;
const BOUNDS: [&str; 12] = [
    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf",
];

const QUERIES: [(&str, &str); 9] = [
    ("rate over all", "sum(rate({job=~\".+\"}[5m]))"),
    ("rate of counters, each", "rate(requests_total[5m])"),
    (
        "quantile by endpoint",
        "histogram_quantile(0.99, sum by (endpoint, le) (rate(latency_bucket[5m])))",
    ),
    ("sum over all", "sum by (instance) ({job=~\".+\"})"),
    (
        "max of max_over_time",
        "max by (queue) (max_over_time(gauge[10m]))",
    ),
    (
        "avg_over_time 6h",
        "avg by (instance) (avg_over_time(gauge[6h]))",
    ),
    ("all as they are", "{job=~\".+\"}"),
    (
        "topk",
        "topk(10, sum by (endpoint, instance) (rate(requests_total[5m])))",
    ),
    (
        "one series",
        "rate(requests_total{instance=\"host-00003\",n=\"7\"}[5m])",
    ),
];

/// Asked for the last moment only.
const INSTANTS: [(&str, &str); 3] = [
    ("instant count", "count({job=~\".+\"})"),
    (
        "instant topk",
        "topk(10, sum by (endpoint, instance) (rate(requests_total[5m])))",
    ),
    (
        "instant increase",
        "increase(requests_total{instance=\"host-00003\",n=\"7\"}[1h])",
    ),
];

fn main() {
    let runs = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(5);
    let dir = std::env::temp_dir().join(format!("query-cost-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a directory");
    let options = StoreOptions {
        retention: Retention::FOR_EVER,
        max_series: 1_000_000,
        ..StoreOptions::disk(&dir)
    };
    let store = Store::open(options).expect("opens");
    fill(&store);
    println!("in the head");
    measure(&store, runs);
    store.maintain().expect("maintains");
    println!("in tables");
    measure(&store, runs);
    drop(store);
    fs::remove_dir_all(&dir).expect("removes");
}

fn measure(store: &Store, runs: u32) {
    let (start, end) = (START_MS, START_MS + STEPS * INTERVAL_MS);
    let only = std::env::args().nth(2).unwrap_or_default();
    let ranges = QUERIES.iter().map(|query| (query, start));
    let queries = ranges.chain(INSTANTS.iter().map(|query| (query, end)));
    for ((name, text), start) in queries.filter(|((name, _), _)| name.contains(&only)) {
        let expr = parse(text).expect("a query");
        let mut query = Query::range(&expr, text, start, end, 60_000);
        query.budget.bytes = 1 << 32;
        let (mut points, mut samples) = (0, 0);
        let (began, cpu) = (Instant::now(), cpu_ms());
        for _ in 0..runs {
            let answer = evaluate(&query, store, &Control::new()).expect("an answer");
            samples = answer.stats.samples;
            if let AnswerValue::Matrix(series) = answer.value {
                points = series.iter().map(|one| one.points.len()).sum();
            }
        }
        let each = |all: f64| all / f64::from(runs);
        println!(
            "{name:25} {:8.1} ms CPU {:8.1} ms wall {samples:9} samples {points:8} points",
            each(cpu_ms() - cpu),
            each(began.elapsed().as_secs_f64() * 1_000.0)
        );
    }
}

/// CPU time of this process, all threads, those that have ended included.
fn cpu_ms() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().expect("a name in parentheses");
    let fields: Vec<f64> = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    fields.iter().sum::<f64>() * 10.0
}

fn fill(store: &Store) {
    let all: Vec<Described> = (0..SERIES_PER_TARGET * TARGETS)
        .map(Described::of)
        .collect();
    let mut walks: Vec<Walk> = (0..all.len()).map(|n| Walk(n as u64 * 7_919 + 1)).collect();
    let mut counts = vec![0.0; all.len()];
    for step in 0..STEPS {
        let mut batch = WriteBatch::new();
        let mut labels = LabelsBuilder::new();
        for (n, (one, walk)) in all.iter().zip(&mut walks).enumerate() {
            let value = if one.kind == Kind::Gauge {
                (walk.next() % 10_000) as f64 / 100.0
            } else {
                counts[n] += (walk.next() % 40) as f64 * (n % 3) as f64;
                counts[n]
            };
            let offset_ms = (n / SERIES_PER_TARGET) as i64 * 731 % INTERVAL_MS;
            let sample = Sample::new(START_MS + step * INTERVAL_MS + offset_ms, value);
            labels.begin(one.name);
            for (name, value) in &one.labels {
                labels.push(name, value);
            }
            batch
                .push(n as u32, &mut labels, one.kind, sample, None)
                .expect("valid");
        }
        store.append(&batch).expect("appends");
    }
}

/// What a series is: a counter by endpoint, a bucket or a gauge.
struct Described {
    name: &'static str,
    kind: Kind,
    labels: Vec<(&'static str, String)>,
}

impl Described {
    fn of(n: usize) -> Self {
        let (target, place) = (n / SERIES_PER_TARGET, n % SERIES_PER_TARGET);
        let endpoint = format!("/api/v1/things/{}", place / 12 % 25);
        let (name, kind, mut labels) = match place % 10 {
            0..4 => {
                let labels = vec![("endpoint", endpoint), ("method", "GET".to_owned())];
                ("requests_total", Kind::Counter, labels)
            }
            4..8 => {
                let le = BOUNDS[place % 12].to_owned();
                let labels = vec![("endpoint", endpoint), ("le", le)];
                ("latency_bucket", Kind::Histogram, labels)
            }
            _ => ("gauge", Kind::Gauge, vec![("queue", endpoint)]),
        };
        labels.push(("instance", format!("host-{target:05}")));
        labels.push(("job", "shop".to_owned()));
        labels.push(("n", place.to_string()));
        Self { name, kind, labels }
    }
}

/// Numbers that look like chance.
#[derive(Clone, Copy)]
struct Walk(u64);

impl Walk {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}
